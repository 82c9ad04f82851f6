"""What a delivery is worth: held where it may be cut off, refused where it gives nothing."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.__main__ import main
from schemas.errors import Refused
from schemas.site import Site
from warehouse.intake.receipts import degraded, receipts, visible
from warehouse.receiving.accept import accept
from warehouse.receiving.inbox import Terms, receive
from warehouse.receiving.settled import Clock, unsettled
from warehouse.store import Store

SITE = Site(site_id="north", origin="synthetic")
NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
HEAD = "patient_id,sex,birth_year\n"
TREATMENTS = (
    "patient_id,session_id,target_id,treatment_date,device,lobe\nP1,s1,t1,2020-03-01,glass,right\n"
)


def patients(number: int, end: str = "\n") -> str:
    return HEAD + "\n".join(f"P{n},male,1950" for n in range(1, number + 1)) + end


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def send(store: Store, day: int, site: Site = SITE, **files: str) -> object:
    """Put files into a date folder and receive them; what was written of the last."""
    folder = store.site_inbox("north") / f"2026-02-{day:02}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return receive(store, site, now=NOW, terms=Terms()).receipts[-1]


def test_fewer_rows_than_eighty_percent_of_the_last_good_are_held_until_accepted(
    store: Store,
) -> None:
    """The last good delivery stays in force; the decision is remembered with the content."""
    send(store, 1, patients=patients(100))
    taken = send(store, 2, patients=patients(80))
    assert taken.status == "accepted"
    assert [n.partition(",")[0] for n in taken.notices] == ["patients: 80 rows"]
    held = send(store, 3, patients=patients(63))
    assert (held.status, held.name) == ("held", "north/2026-02-03-1")
    assert held.notices == ()  # what it is held for is told once, as the reason
    assert (
        "patients 63 of 80: under 80 percent of the rows of the last good delivery" in held.reason
    )
    assert visible(store, "north", date(2026, 2, 9)).receipt_id == "2026-02-02-1"
    assert (
        "`y90 delivery accept north/2026-02-03-1" in degraded(store, ["north"], NOW.date())["north"]
    )
    with pytest.raises(Refused, match="no such delivery"):
        accept(store, "north/2026-02-09-1", "whole", NOW, "ann")
    with pytest.raises(Refused, match="no reason given"):
        accept(store, held.name, "  ", NOW, "ann")
    let_in = accept(store, held.name, "two registers were merged", NOW, "ann")
    assert visible(store, "north", date(2026, 2, 9)) == let_in
    assert let_in.decision == "ann: two registers were merged"
    assert degraded(store, ["north"], NOW.date()) == {}
    for cache in store.state.glob("inbox-*"):
        cache.unlink()
    assert receive(store, SITE, now=NOW).receipts == ()
    with pytest.raises(Refused, match=r"later"):
        accept(store, held.name, "again", NOW, "ann")
    assert send(store, 4, patients=patients(63)).status == "accepted"


def test_a_missing_last_line_break_holds_only_what_lost_rows_or_ends_early(store: Store) -> None:
    assert send(store, 1, patients=patients(20, end="")).status == "accepted"
    whole = send(store, 2, patients=patients(20, end=""))
    assert (whole.status, len(whole.notices)) == ("accepted", 1)
    assert send(store, 3, patients=patients(19)).status == "accepted"
    lost = send(store, 4, patients=patients(18, end=""))
    assert (lost.status, "ends without a line break" in lost.reason) == ("held", True)
    short = send(store, 5, patients=patients(20) + "P21,mal")
    assert (short.status, "the file is cut off" in short.reason) == ("held", True)
    assert visible(store, "north", date(2026, 2, 9)).receipt_id == "2026-02-03-1"


def test_a_table_that_is_gone_is_held(store: Store) -> None:
    send(store, 1, patients=patients(3), treatments=TREATMENTS)
    held = send(store, 2, patients=patients(3))
    assert (held.status, "treatments 0 of " in held.reason) == ("held", True)


FOREIGN = {
    "other names": "Id,When,State\nP1,2020-01-01,alive\n",
    "remarks above the names": "# made on Monday\nP1\n",
    "a title above the names": "Contacts of 2026\nP1\n",
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("table", ["contacts", "lesions"])
def test_a_file_none_of_whose_columns_is_ours_is_named(store: Store, what: str, table: str) -> None:
    """Contacts are needed, so their loss refuses; lesions that never were there only degrade."""
    told = send(store, 1, patients=patients(3), **{table: FOREIGN[what]})
    assert told.status == ("refused" if table == "contacts" else "accepted")
    if table == "lesions":
        assert told.unused == ("lesions: nothing of it is used",)
    assert f"{table}: none of its columns is one of ours" in told.wrong
    assert "P1" not in told.wrong


def test_a_declared_file_or_one_received_before_that_gives_nothing_is_refused(store: Store) -> None:
    declared = Site(site_id="north", origin="synthetic", tables={"lesions": [{}]})
    assert send(store, 1, declared, patients=patients(3), lesions="x\n1\n").status == "refused"
    good = "patient_id,lesion_id,lobe,target\nP1,L1,right,true\n"
    assert send(store, 2, patients=patients(3), lesions=good).status == "accepted"
    assert send(store, 3, patients=patients(3), lesions="x\n1\n").status == "refused"
    orphan = good.replace("P1", "P999")
    refused = send(store, 4, patients=patients(3), lesions=orphan)
    assert (
        "lesions: 1 rows, and none can be taken: patient_id [no_such_patient] 1 row "
        "(lesions.csv row 1). `y90 check --rows` lists them." in refused.reason
    )


def test_what_is_not_used_is_named_and_what_is_gone_comes_first(store: Store) -> None:
    """A renamed optional column is one that is gone and one that is not used."""
    old = "patient_id,sex,birth_year,ecog_note,diagnosis_date\nP1,male,1950,x,2019-01-01\n"
    first = send(store, 1, patients=old)
    assert first.unused == ("patients: not used: ecog_note",)
    new = send(store, 2, patients=old.replace("diagnosis_date", "dx"))
    assert new.unused == (
        "patients: gone since the last good delivery: diagnosis_date; not used: ecog_note, dx",
    )
    assert new.status == "accepted"


def test_a_file_that_matches_no_table_degrades_unless_it_is_known(store: Store) -> None:
    told = send(store, 1, patients=patients(3), follow="a,b\n1,2\n")
    assert (told.status, told.unused) == ("accepted", ("follow.csv: nothing of it is used",))
    assert "follow.csv: matches no table" in degraded(store, ["north"], NOW.date())["north"]
    known = Site(site_id="north", origin="synthetic", ignored_files=("follow.csv",))
    assert send(store, 2, known, patients=patients(3), follow="a,b\n1,2\n").wrong == ""


def test_a_column_that_the_site_file_ignores_is_not_named(store: Store) -> None:
    known = Site(site_id="north", origin="synthetic", ignored_columns=("Synthetic",))
    told = send(store, 1, known, patients="patient_id,sex,synthetic,note\nP1,male,x,y\n")
    assert (told.status, told.wrong, told.unused) == ("accepted", "", ("patients: not used: note",))


def test_a_column_name_that_may_be_a_cell_is_not_shown(store: Store) -> None:
    told = send(store, 1, patients="patient_id,sex,1950-02-03 Smith\nP1,male,x\n")
    assert told.unused == ("patients: not used: one whose name is not shown",)


class Hands:
    """A clock that a writer uses while others sleep."""

    def __init__(self, write: object = None) -> None:
        self.waited: list[float] = []
        self.write = write

    def sleep(self, seconds: float) -> None:
        """Let the writer go on."""
        self.waited.append(seconds)
        if self.write:
            self.write()


def aged(folder: Path) -> float:
    return max(p.stat().st_ctime for p in folder.iterdir())


def test_files_are_settled_after_a_second_look_at_the_same_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(HEAD)
    still = Hands()
    clock = Clock(lambda: aged(tmp_path) + 10, still.sleep)
    assert unsettled([tmp_path], 30, clock) == []
    assert still.waited == [pytest.approx(20, abs=0.1)]
    assert unsettled([tmp_path], 30, Clock(lambda: aged(tmp_path) + 31, still.sleep)) == []
    assert len(still.waited) == 1
    writer = Hands(lambda: path.write_text(HEAD + "P1,male,1950\n"))
    assert unsettled([tmp_path], 30, Clock(lambda: aged(tmp_path), writer.sleep)) == [tmp_path]
    assert unsettled([tmp_path], 0) == []


def test_a_marker_written_last_settles_at_once_and_one_written_before_does_not(
    tmp_path: Path,
) -> None:
    path, hands = tmp_path / "patients.csv", Hands()
    path.write_text(HEAD)
    (tmp_path / ".done").touch()
    clock = Clock(lambda: aged(tmp_path), hands.sleep)
    assert unsettled([tmp_path], 30, clock) == []
    assert hands.waited == []
    os.utime(tmp_path / ".done", (0, 0))
    path.write_text(HEAD + "P1,male,1950\n")
    writer = Hands(lambda: path.write_text(HEAD))
    assert unsettled([tmp_path], 30, Clock(lambda: aged(tmp_path), writer.sleep)) == [tmp_path]


def test_an_export_that_is_still_written_is_told_and_left_for_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store.site_inbox("north") / "2026-02-01"
    folder.mkdir(parents=True)
    (folder / "patients.csv").write_text(HEAD)
    monkeypatch.setattr("warehouse.receiving.inbox.unsettled", lambda folders, _: list(folders))
    found = receive(store, SITE, now=NOW, terms=Terms(settle_s=30))
    assert found.receipts == ()
    assert "inbox/north/2026-02-01: still being written, within 30 seconds" in found.problems[0]
    monkeypatch.undo()
    assert receive(store, SITE, now=NOW).receipts[0].status == "accepted"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of one plain site, and its store."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    (tmp_path / "sites" / "north.toml").write_text('site_id = "north"\norigin = "synthetic"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_first_refused_night_prints_the_reasons(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Store.open(config / "store").site_inbox("north") / "2026-02-01"
    folder.mkdir(parents=True)
    (folder / "patients.csv").write_text("patient_id,sex\n1,male,extra\n")
    assert main(["run", "--direct", "--as-of", "2026-02-01"]) == 2
    told = capsys.readouterr().err
    assert "patients.csv row 1: too many fields" in told
    assert "Put an export into" not in told


def test_a_degraded_site_is_told_to_the_monitor(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1 of `status --monitor` and of no other; that nothing is published is left out."""
    monkeypatch.setattr("flows.telling.status.stale", lambda *_: False)
    store = Store.open(config / "store")
    send(store, 1, patients=patients(100))
    held = send(store, 2, patients=patients(3))
    assert main(["status"]) == 0
    told = capsys.readouterr().out
    assert f"deliveries held      {held.name}" in told
    assert "north: north/2026-02-02: 1 problem." in told
    assert main(["status", "--monitor"]) == 1
    capsys.readouterr()
    assert main(["delivery", "accept", held.name, "--reason", "a pilot"]) == 0
    assert receipts(store, "north")[-1].decision.endswith(": a pilot")
    assert main(["status", "--monitor"]) == 0
    assert "deliveries held      none" in capsys.readouterr().out


def test_findings_are_told_by_rule_column_and_cause(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 106 rows three are named, and the advice is given once; --rows names all."""
    (config / "export").mkdir()
    rows = "".join(f"P{n},male,1850\n" for n in range(106))
    sound = "".join(f"Q{n},male,1950\n" for n in range(107))
    (config / "export" / "patients.csv").write_text(HEAD + rows + sound)
    command = ["check", "export", "--site", "north", "--extracted", "2026-02-01"]
    assert main(command) == 1
    told = capsys.readouterr().out
    (line,) = (ln for ln in told.splitlines() if ln.startswith("north: patients.csv row 1,"))
    assert line.startswith(
        "north: patients.csv row 1, patients.csv row 2, patients.csv row 3 and 103 more, "
        "patients.birth_year: 106 rows: "
    )
    assert "106 findings of 1 kind; --rows lists them." in told
    assert main([*command, "--rows"]) == 1
    told = capsys.readouterr().out
    named = [ln for ln in told.splitlines() if ln.startswith("north: patients.csv row ")]
    assert sum("patients.birth_year" in ln for ln in named) == 106
