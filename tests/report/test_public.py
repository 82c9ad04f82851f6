"""The page of a public bundle: its numbers are those of the guarded tables, and no others."""

import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import duckdb
import pytest

from flows.__main__ import main
from report.public.tables import WITHHELD, tables
from simulation import registry_folder
from warehouse.account import controls
from warehouse.store import Store


@pytest.fixture(scope="module")
def bundle(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("public") / "bundle"
    config = registry_folder("memon2012", "redcap") / "registry.toml"
    words = ["--store", str(reference_store.root), "--config", str(config)]
    assert main([*words, "export", "current", "--public", "--to", str(to)]) == 0
    return to


@pytest.fixture(scope="module")
def con(bundle: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(bundle / "release.duckdb"), read_only=True) as opened:
        yield opened


def test_every_number_is_of_a_guarded_table(con: duckdb.DuckDBPyConnection) -> None:
    numbers = {n for table in tables(con) for n in table.numbers}
    assert len(numbers) > 200
    for n in numbers:
        name = n.statistic_id.split(".")[0]
        (value,) = con.execute(
            f'SELECT "{n.field}" FROM outcomes.{name} WHERE statistic_id = ?', [n.statistic_id]
        ).fetchone() or (None,)
        assert value is not None, n
        digits = len(n.text.partition(".")[2])
        printed, half = float(n.text.replace("−", "-")), 0.5 * 10**-digits
        assert abs(n.scale * float(value) - printed) <= half * (1 + 1e-9)


def test_what_is_withheld_is_said_and_never_zero(con: duckdb.DuckDBPyConnection) -> None:
    made = {table.id: table for table in tables(con)}
    assert not [table.id for table in made.values() if table.empty]
    cells = [cell for table in made.values() for r in table.rows for cell in r.cells]
    assert cells.count(WITHHELD) > 20
    hidden = con.execute(
        "SELECT count(*) FROM outcomes.response_summary WHERE suppressed AND n IS NULL "
        "AND category IN ('CR', 'PR', 'SD', 'PD', 'NE', 'ORR', 'DCR')"
    ).fetchone()
    shown = [made[f"response-{level}"] for level in ("subject", "lesion")]
    assert hidden == (sum(c == WITHHELD for t in shown for r in t.rows for c in r.cells),)


def test_the_page_has_no_patient_no_picture_and_says_what_it_is(bundle: Path) -> None:
    page = (bundle / "report" / "index.html").read_text("utf-8")
    assert "<svg" not in page
    assert "SYNTHETIC DATA" in page
    assert "fewer than 5 patients are withheld" in unescape(page)
    with duckdb.connect(str(bundle / "release.duckdb"), read_only=True) as opened:
        listed = opened.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'subject_id'"
        ).fetchall()
    assert listed == []
    assert not re.search(r"\b[0-9a-f]{16}\b", page), "a pseudonym has 16 hexadecimal digits"


def test_word_has_the_same_tables_and_the_bundle_lists_both(bundle: Path) -> None:
    files = json.loads((bundle / "bundle.json").read_text())["files"]
    assert {"report/index.html", "tables.docx"} <= set(files)
    assert len(list(controls.read(bundle / "tables.docx"))) > 200
    text = zipfile.ZipFile(bundle / "tables.docx").read("word/document.xml").decode()
    assert WITHHELD in text
