"""A centre that begins now: what is entered into our workbook or our REDCap project comes back.

The same rows are read from plain files, from the workbook and from an export of the project; each
must give the same harmonised tables.
"""

import csv
from pathlib import Path
from typing import Any

import pytest

from flows.__main__ import main
from flows.settings import judge_sites, load_registry
from schemas.contract import column_names, table_name
from schemas.site import Site
from schemas.tables.registry import TABLES
from tests.support.entry import exported, shown
from transforms.intake.names import OURS_ALONE
from warehouse.engine.embedded import engine
from warehouse.intake.raw import convert
from warehouse.loading.load import mapped
from warehouse.receiving.complete_patient import complete_patient
from warehouse.sharing import entry_redcap, entry_workbook

PATIENTS = ("007", "8")
Rows = dict[str, list[dict[str, str]]]


def entered_rows() -> Rows:
    """Two patients of whom everything is known."""
    return {
        table: [
            {"patient_id": who} | {n: shown(v) for n, v in row.items()}
            for who in PATIENTS
            for row in rows
        ]
        for table, rows in complete_patient().items()
    }


def tables_of(folder: Path, site: Site, raw: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The harmonised rows of every table, sorted, without where they stand."""
    raw.mkdir()
    found = {}
    with engine() as con:
        mapped(con, site, convert(folder, site, raw, "north").tables, "2021-01-01-1")
        for contract in (c for c in TABLES if table_name(c) in entered_rows()):
            names = [n for n in column_names(contract) if n not in OURS_ALONE]
            query = f"SELECT {', '.join(names)} FROM all_{table_name(contract)} ORDER BY ALL"
            found[table_name(contract)] = con.raw_sql(query).fetchall()
    return found


def site_of(folder: Path, text: str) -> Site:
    (folder / "sites").mkdir(exist_ok=True)
    (folder / "sites" / "north.toml").write_text(text)
    (folder / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    registry = load_registry(folder / "registry.toml")
    judge_sites(registry)
    return registry.sites["north"]


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The same rows, read from a file a table."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for table, rows in entered_rows().items():
        names = list(dict.fromkeys(n for row in rows for n in row))
        with (folder / f"{table}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    return tables_of(folder, Site(site_id="north"), tmp_path / "plain-raw")


def test_what_is_entered_into_the_workbook_is_what_plain_files_give(
    tmp_path: Path, plain: dict[str, list[tuple[Any, ...]]]
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    entry_workbook.write_workbook(folder / "y90.xlsx", entered_rows())
    text = entry_workbook.SITE_FILE.format(site="north")
    assert len(text.splitlines()) == 3
    found = tables_of(folder, site_of(tmp_path, text), tmp_path / "raw")
    assert plain["labs"]
    assert found == plain


def test_what_is_entered_into_the_project_is_what_plain_files_give(
    tmp_path: Path, plain: dict[str, list[tuple[Any, ...]]]
) -> None:
    folder = tmp_path / "export"
    assert main(["redcap", "project", "--to", str(folder), "--quiet"]) == 0
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(exported(entered_rows()))
    sites = tmp_path / "sites"
    sites.mkdir()
    (folder / entry_redcap.BASE).rename(sites / entry_redcap.BASE)
    text = entry_redcap.SITE_FILE.format(site="north", base=entry_redcap.BASE)
    assert len(text.splitlines()) <= 3
    assert tables_of(folder, site_of(tmp_path, text), tmp_path / "raw") == plain


def test_the_commands_write_once_and_say_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "y90.xlsx"
    assert main(["workbook", "--to", str(book)]) == 0
    assert 'ignored_files = ["Instructions"]' in capsys.readouterr().out
    assert main(["workbook", "--to", str(book)]) == 2
    assert main(["workbook", "--to", str(tmp_path / "y90.xls")]) == 2
