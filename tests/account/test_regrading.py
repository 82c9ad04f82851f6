"""Grades of one CTCAE version beside those of another: who moves, and what has no grade in it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.__main__ import main
from tests.support.literal_releases import publish, write_tables
from warehouse.releases import releases
from warehouse.releases.database import write_database
from warehouse.store import Store

GRADES = """
    | subject_id | analyte     | ctcae_version | rel_day | value | unit   | grade | rule             | reason                   | source_row_id |
    | aaaa       | neutrophils | 5.0           | 30      | 0.3   | 10*9/L | 4     | < 0.5 10*9/L     |                          | r1            |
    | aaaa       | neutrophils | 6.0           | 30      | 0.3   | 10*9/L | 3     | < 0.5 10*9/L     |                          | r1            |
    | aaaa       | lymphocytes | 5.0           | 30      | 0.1   | 10*9/L | 4     | < 0.2 10*9/L     |                          | r2            |
    | aaaa       | lymphocytes | 6.0           | 30      | 0.1   | 10*9/L |       |                  | not defined in CTCAE 6.0 | r2            |
    | aaaa       | ast         | 5.0           | 30      | 99    | U/L    | 1     | >= 1.5 x baseline |                         | r3            |
    | aaaa       | ast         | 6.0           | 30      | 99    | U/L    |       |                  | no upper limit           | r3            |
    | bbbb       | platelets   | 5.0           | 30      | 100   | 10*9/L | 1     | < 1 x LLN        |                          | r4            |
    | bbbb       | platelets   | 6.0           | 30      | 100   | 10*9/L | 1     | < 1 x LLN        |                          | r4            |
"""  # noqa: E501 a table is read better whole


def test_what_left_a_version_is_not_defined_in_it_and_never_grade_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neutrophils of 0.3 fall from 4 to 3 (grade 4 is below 0.1); lymphocytes have no term."""
    store = Store.open(tmp_path / "store")
    release = publish(store, "2020.06.01")
    write_tables(release, {"marts.lab_grades": GRADES})
    write_database(release / "parquet", release / "release.duckdb")
    published = releases.listing(store)[0]
    releases.point(store, "current", published.release_id, datetime.now(UTC), published.as_of)
    words = ["regrade", "--from", "5.0", "--to", "6.0", "--store", str(store.root)]
    assert main(words) == 0
    lines = [
        [cell for cell in line.split("  ") if cell.strip()]
        for line in capsys.readouterr().out.splitlines()[1:]
    ]
    moved = {line[1].strip(): [cell.strip() for cell in line[2:]] for line in lines[:3]}
    assert moved["neutrophils"] == ["4", "30", "< 0.5 10*9/L", "3", "30", "< 0.5 10*9/L"]
    assert moved["lymphocytes"] == ["4", "30", "< 0.2 10*9/L", "not defined in CTCAE 6.0"]
    assert moved["ast"][-1] == "not gradable"
    assert main([*words, "--json"]) == 0
    facts = {r["analyte"]: r for r in json.loads(capsys.readouterr().out)["moved"]}
    assert facts["lymphocytes"]["worst_grade_to"] is None
    assert facts["lymphocytes"]["why_to"] == "not defined in CTCAE 6.0"
    assert "why_from" not in facts["lymphocytes"]
