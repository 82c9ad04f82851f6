"""The checklist of a manuscript: what is computed, not delivered, or not supported."""

import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from report.figures.model import Table
from report.paper import bundle, checklist, exhibits
from report.paper.bundle import Wanted
from report.tables import reporting
from schemas.records.field import coverage, guidelines
from tests.report.test_paper import ORIGIN
from warehouse.releases import releases
from warehouse.store import Store

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
OS = "survival_medians.all.os.subject.overall.overall.midpoint"


@pytest.fixture
def con(reference_store: Store, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the release's database that a test may change."""
    path = releases.resolve(reference_store, "current") / "release.duckdb"
    shutil.copy2(path, tmp_path / "release.duckdb")
    with duckdb.connect(str(tmp_path / "release.duckdb")) as opened:
        yield opened


def rows(con: duckdb.DuckDBPyConnection, *only: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """(List, item) -> the rest of its row."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for item in checklist.checklist(con, exhibits.exhibits(con, "3.0", only=only)):
        assert isinstance(item.exhibit, Table)
        for row in item.exhibit.rows:
            found[item.exhibit.title, row.cells[0]] = row.cells[1:]
    return found


def test_every_item_of_every_list_stands_once(con: duckdb.DuckDBPyConnection) -> None:
    counts = {name: len(items) for name, items in guidelines.LISTS.items()}
    counts["What series report"] = len(coverage.RECORDS)
    found = rows(con, "F4")
    for name, n in counts.items():
        assert len([key for key in found if key[0] == name]) == n
    assert len(coverage.RECORDS) == 46


def test_a_computed_item_names_its_statistics_and_where_they_are_printed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Those that the manuscript prints come first, and each is one of the release."""
    _, status, where, statistics = rows(con, "F4", "TS3")["What series report", "1"]
    assert (status, where) == ("computed", "Figure 4, Table S3")
    named, more = re.fullmatch(r"(.*); and (\d+) others", statistics).groups()  # type: ignore[union-attr]
    ids = named.split("; ")
    assert ids[0] == OS
    (n,) = con.execute(
        "SELECT count(*) FROM outcomes.statistics WHERE value IS NOT NULL "
        "AND statistic_id LIKE 'survival\\_medians.all.os.%' ESCAPE '\\'"
    ).fetchall()[0]
    assert int(more) + len(ids) == n
    for one in ids:
        query = "SELECT 1 FROM outcomes.statistics WHERE statistic_id = ?"
        assert con.execute(query, [one]).fetchall()


def test_what_is_not_supported_says_why(con: duckdb.DuckDBPyConnection) -> None:
    _, status, where, statistics = rows(con, "F4")["NICE IPG786", "efficacy 1"]
    assert (status, where, statistics) == ("not supported: no registry table", "", "")


def test_what_only_authors_can_write_is_left_to_them(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "F4")["STROBE", "22"][1:] == ("by the authors", "TODO: page", "")


def test_rows_that_answer_without_a_statistic_are_named_by_their_table(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(con, "F4")["STROBE", "11"][1:] == ("computed", "", "in marts.factor_levels")


def test_what_was_not_delivered_names_the_column(con: duckdb.DuckDBPyConnection) -> None:
    """Symptoms stand in `assessments`, of which no centre delivers a row here."""
    con.execute("UPDATE quality.row_counts SET accepted = 0 WHERE table_name = 'assessments'")
    con.execute("DELETE FROM outcomes.statistics WHERE statistic_id LIKE 'symptom_summary%'")
    assert rows(con, "F4")["NICE IPG786", "efficacy 3"][1] == (
        "not delivered: assessments.carcinoid_symptoms, assessments.symptom_change"
    )


def test_where_the_tables_came_and_nothing_follows_what_it_rests_on_is_named(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("DELETE FROM outcomes.statistics WHERE statistic_id LIKE 'symptom_summary%'")
    assert rows(con, "F4")["NICE IPG786", "efficacy 3"][1] == (
        "nothing in this release; it rests on assessments.carcinoid_symptoms, "
        "assessments.symptom_change"
    )


def test_the_report_says_the_same_of_each_item(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "F4")
    for row in reporting.checklist(con).rows:
        name, _, number = row.cells[0].rpartition(" ")
        if name.startswith("NICE"):
            name, number = "NICE IPG786", f"{name.removeprefix('NICE IPG786 ')} {number}"
        assert found[name, number][1] == row.cells[2]


def test_the_bundle_holds_it_in_word_and_markdown_with_the_same_bytes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one, other = (
        bundle.files(con, ORIGIN, date(2011, 3, 31), Wanted(only=("F4",))) for _ in range(2)
    )
    assert one["checklist.docx"] == other["checklist.docx"]
    (tmp_path / "c.docx").write_bytes(one["checklist.docx"])
    tree = ElementTree.fromstring(zipfile.ZipFile(tmp_path / "c.docx").read("word/document.xml"))
    assert len(list(tree.iter(f"{W}tbl"))) == 4
    text = "".join(t.text or "" for t in tree.iter(f"{W}t"))
    assert OS in text
    assert "not supported: no registry table" in text
    assert "SYNTHETIC DATA" in text
    assert one["checklist.md"].decode().count("TODO: page") == 12 + 7
    assert "| checklist.docx |" in one["README.md"].decode()
