"""y90 check: what a centre is told before it delivers, and what only its query sheet may hold."""

import csv
import json
import os
import socket
import stat
import zipfile
from datetime import date
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.settings import load_registry
from tests.support.small_site import deliver, receive
from warehouse.intake.formats.typed import ISO_DAY, Form
from warehouse.intake.formats.workbook import sheets
from warehouse.intake.receipts import receipts
from warehouse.receiving import inbox
from warehouse.sharing.sheets import neutral
from warehouse.store import Store

BAD = "patient_id,sex,birth_year\nSECRET7,=boy,1950\nSECRET8,female,1851\n"
GOOD = "patient_id,sex,birth_year\nSECRET7,male,1950\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with one plain site, and a folder to work in."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    site = 'site_id = "north"\norigin = "synthetic"\n[[tables.patients]]\n'
    (tmp_path / "sites" / "north.toml").write_text(site)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(folder: Path, text: str) -> str:
    path = folder / "patients.csv"
    path.write_text(text)
    return str(path)


def test_a_clean_export_exits_with_0_and_leaves_nothing(config: Path) -> None:
    before = {*config.rglob("*"), config / "patients.csv"}
    assert main(["check", export(config, GOOD), "--site", "north"]) == 0
    assert set(config.rglob("*")) == before


def test_findings_exit_with_1_and_name_file_row_column_and_remedy(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", export(config, BAD), "--site", "north", "--json"]) == 1
    told = capsys.readouterr().out
    found = json.loads(told)["findings"]
    assert [(f["file"], f["row"], f["column"], f["rule"]) for f in found] == [
        ("patients.csv", 1, "sex", "unknown_code"),
        ("patients.csv", 2, "birth_year", "below_minimum"),
    ]
    assert found[0]["remedy"].startswith("Correct the cell")
    assert "SECRET" not in told
    assert "boy" not in told


def test_the_text_holds_no_patient_and_no_value(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", export(config, BAD), "--site", "north"]) == 1
    told = "".join(capsys.readouterr())
    assert "patients.csv row 1, patients.sex" in told
    assert not any(secret in told for secret in ("SECRET", "boy", "1851"))


def test_query_sheets_hold_record_and_value_for_their_owner_only(config: Path) -> None:
    sheet, book = config / "queries.csv", config / "queries.xlsx"
    sheet.write_text("an old one that everybody could read")
    words = ["check", export(config, BAD), "--site", "north", "--csv", str(sheet)]
    assert main([*words, "--xlsx", str(book)]) == 1
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["record"], r["your_column"], r["value"]) for r in rows] == [
        ("SECRET7", "sex", "'=boy"),
        ("SECRET8", "birth_year", "1851"),
    ]
    for path in (sheet, book):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (config / "unpacked").mkdir()
    (unpacked,) = sheets(book, "queries.xlsx", config / "unpacked", Form(".", ISO_DAY, "UTC"))
    assert "SECRET7" in unpacked.path.read_text()
    assert "<f>" not in zipfile.ZipFile(book).read("xl/worksheets/sheet1.xml").decode()


def test_a_query_sheet_inside_the_store_is_refused(config: Path) -> None:
    words = ["check", export(config, BAD), "--site", "north", "--store", str(config / "store")]
    assert main([*words, "--csv", str(config / "store" / "q.csv")]) == 2


@pytest.mark.parametrize("text", ["patient_id,sex\n1,female,extra\n", ""])
def test_a_refused_export_exits_with_2(config: Path, text: str) -> None:
    assert main(["check", export(config, text), "--site", "north"]) == 2


def test_an_unknown_site_is_refused(config: Path) -> None:
    assert main(["check", export(config, GOOD), "--site", "nort"]) == 2


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+49 170", "'+49 170"),
        ("-cmd", "'-cmd"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("-5.2", "-5.2"),
        ("-5,2", "-5,2"),
        ("plain", "plain"),
        (7, 7),
        (None, None),
    ],
)
def test_no_cell_is_taken_for_a_formula(cell: object, safe: object) -> None:
    assert neutral(cell) == safe


def test_an_export_cut_off_between_rows_is_told_by_the_delivery_before(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that ends after a whole row is sound by itself; five of a hundred rows are missed."""
    store, site = Store.open(config / "store"), load_registry(Path("registry.toml")).sites["north"]
    rows = [f"P{n},male,1950\n" for n in range(100)]
    head = "patient_id,sex,birth_year\n"
    deliver(store, "2026-02-01", patients=head + "".join(rows))
    receive(store, site)
    name = ["--site", "north", "--extracted", "2026-02-08"]
    assert main(["check", export(config, head + "".join(rows[:96])), *name]) == 0
    capsys.readouterr()
    assert main(["check", export(config, head + "".join(rows[:95])), *name]) == 1
    assert (
        "patients: 95 rows, where the last good delivery, of 2026-02-01, had 100. An export is "
        "whole: check whether it was cut off or filtered.\n1 finding.\n"
    ) in capsys.readouterr().out
    deliver(store, "2026-02-08", patients=head + "".join(rows[:95]))
    receive(store, site)
    assert [len(r.notices) for r in receipts(store, "north")] == [0, 1]


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "labs.csv")


def _socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "labs.csv"))


def _broken_link(folder: Path) -> None:
    (folder / "labs.csv").symlink_to("nowhere.csv")


def _unreadable(folder: Path) -> None:
    (folder / "labs.csv").write_text("patient_id\n")
    (folder / "labs.csv").chmod(0)


SPECIAL = {"pipe": _pipe, "socket": _socket, "broken link": _broken_link, "rights": _unreadable}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("alone", [False, True])
def test_what_is_no_file_that_can_be_read_is_refused_without_waiting_for_it(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    alone: bool,
) -> None:
    if kind == "rights" and os.geteuid() == 0:  # who may read everything
        monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "labs.csv")
    folder = config / "export"
    folder.mkdir()
    (folder / "patients.csv").write_text(GOOD)
    SPECIAL[kind](folder)
    name = folder / "labs.csv" if alone else folder
    assert main(["check", str(name), "--site", "north"]) == 2
    assert "labs.csv: " in capsys.readouterr().err


@pytest.mark.parametrize("moment", ["before it is looked at", "before it is copied"])
def test_a_file_that_vanishes_is_refused(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    path = Path(export(config / "sites", GOOD))
    name = "_unfit" if moment == "before it is looked at" else "_digest"
    step = getattr(inbox, name)

    def vanishing(*given: object) -> object:
        path.unlink(missing_ok=True)
        return step(*given)

    monkeypatch.setattr(inbox, name, vanishing)
    assert main(["check", str(path.parent), "--site", "north"]) == 2
    assert "patients.csv: vanished while it was read" in capsys.readouterr().err


def test_a_delivery_of_which_a_file_vanishes_is_refused_and_tried_again(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, site = Store.open(config / "store"), load_registry(Path("registry.toml")).sites["north"]
    folder = store.site_inbox("north") / "2026-02-01"
    deliver(store, "2026-02-01", patients=GOOD)
    step = inbox._digest

    def vanishing(path: Path, to: Path | None = None) -> tuple[str, int]:
        if to is not None:
            path.unlink()
        return step(path, to)

    monkeypatch.setattr(inbox, "_digest", vanishing)
    receive(store, site)
    assert "vanished while it was read" in receipts(store, "north")[0].reason
    monkeypatch.undo()
    (folder / "patients.csv").write_text(GOOD)
    receive(store, site)
    assert [r.status for r in receipts(store, "north")] == ["refused", "accepted"]


def test_a_first_site_file_is_not_made_from_a_pipe(config: Path) -> None:
    os.mkfifo(config / "pipe.csv")
    assert main(["site", "new", "south", "--from", str(config / "pipe.csv")]) == 2


def test_a_finding_of_a_wide_laboratory_names_the_one_column(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every analyte has a column of its own: the others have nothing to do with the finding."""
    site = config / "sites" / "north.toml"
    wide = "".join(
        f'[[tables.labs.wide]]\nanalyte = "{a}"\nvalue = "{a.upper()} (U/l)"\nunit = "U/L"\n'
        for a in ("alt", "ast", "alp")
    )
    site.write_text(f'site_id = "north"\norigin = "synthetic"\n[[tables.labs]]\n{wide}')
    path = config / "labs.csv"
    path.write_text("patient_id,lab_date,ALT (U/l),AST (U/l),ALP (U/l)\n1,2020-01-01,30,x,50\n")
    assert main(["check", str(path), "--site", "north", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [f["their_column"] for f in found if f["column"] == "value"] == ["AST (U/l)"]


def test_an_argument_that_is_no_date_ends_with_one_full_stop(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "patients.csv", "--site", "north", "--extracted", "today"]) == 2
    assert "Write YYYY-MM-DD. See" in capsys.readouterr().err


LABS = "patient_id,lab_date,analyte,value,unit\n"


def test_columns_tell_months_units_and_codes_and_no_value(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How full a column is, from which month to which, in which units and with which codes."""
    folder = config / "export"
    folder.mkdir()
    (folder / "patients.csv").write_text(GOOD)
    (folder / "labs.csv").write_text(
        f"{LABS}SECRET7,2020-03-17,alt,31,U/L\nSECRET7,2020-05-18,albumin,41,g/L\n"
    )
    assert main(["check", str(folder), "--site", "north", "--columns", "--json"]) == 0
    told = capsys.readouterr().out
    found = {f"{c['table']}.{c['column']}": c for c in json.loads(told)["columns"]}
    day, value, sex = (found[n] for n in ("labs.lab_date", "labs.value", "patients.sex"))
    assert (day["filled"], day["first"], day["last"]) == (2, "2020-03", "2020-05")
    assert (value["unit"], value["first"]) == ("U/L, g/L", "")
    assert sex["codes"] == {"male": 1}
    assert not any(secret in told for secret in ("SECRET", "2020-03-17", "31"))


def test_the_page_for_the_centre_holds_no_patient_and_no_value(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.commands.centres.check_page import page
    from warehouse.receiving.check import check

    path = Path(export(config, BAD))
    site = load_registry(config / "registry.toml").sites["north"]
    told = page(check(path, site, date(2021, 1, 1)))
    assert "patients.sex" in told
    assert "<script" not in told
    assert not any(secret in told for secret in ("SECRET", "boy", "1851"))


def test_a_watched_check_is_done_again_when_a_file_changes(tmp_path: Path) -> None:
    """Once at first, again after a change, and not without one."""
    from flows.commands.centres.watching import watch

    watched, done = tmp_path / "site.toml", []
    watched.write_text("a")

    def act() -> None:
        done.append(watched.read_text())
        if len(done) == 1:
            watched.write_text("changed")

    watch([tmp_path], act, rounds=2)
    assert done == ["a", "changed"]


def test_what_needs_a_column_that_nothing_gives_is_told_without_being_asked(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No scan has an arterial phase here, because there is none."""
    assert main(["check", export(config, GOOD), "--site", "north"]) == 0
    told = capsys.readouterr().out
    assert "north: no row of scans: without it not" in told
    assert main(["check", export(config, GOOD), "--site", "north", "--json"]) == 0
    assert any("scans" in line for line in json.loads(capsys.readouterr().out)["lacking"])


def test_the_first_rows_of_a_table_are_shown_without_whose_they_are(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check", export(config, GOOD), "--site", "north", "--preview"]
    assert main([*words, "patients"]) == 0
    told = capsys.readouterr().out
    assert [line.split() for line in told.splitlines()[-2:]] == [
        ["patient", "sex", "birth_year"],
        ["1", "male", "1950"],
    ]
    assert "SECRET" not in told
    assert main([*words, "patient"]) == 2
    assert "Did you mean patients" in capsys.readouterr().err
