"""Held rows counted where they stand: by site, table and rule, up to the cutoff."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contract import column_names, rows, schema, table_name
from schemas.tables.quality import Findings
from schemas.tables.registry import TABLES, Scans
from warehouse.building.held import counted, held_rows
from warehouse.engine import kept_tables
from warehouse.engine.embedded import engine
from warehouse.engine.protocol import Engine
from warehouse.loading.rows_aside import FOLDER

CUTOFF = date(2024, 6, 30)


def scan(row: int, subject: str | None, **cells: Any) -> dict[str, Any]:
    return {
        "row_id": f"r{row}",
        "site_id": "north",
        "subject_id": subject,
        "source_file": "scans.csv",
        "source_row": row,
        "scan_date": date(2024, 1, row),
        **cells,
    }


ASIDE = [
    scan(1, "A", rules="|conflicting_key=evaluable|unknown_code=modality|", natural_key="a"),
    scan(2, "A", rules="|unknown_code=modality|unknown_code=new_lesion|", natural_key="b"),
    scan(3, None, rules="|missing=patient_id|", natural_key="c"),
    scan(4, "B", rules="|unknown_code=modality|", natural_key="d")
    | {"scan_date": date(2024, 7, 1)},
    scan(5, "C", rules="|not_a_date=scan_date|", natural_key="e") | {"scan_date": None},
]
ACCEPTED = [
    scan(11, "A", unreadable="|evaluable|"),
    scan(12, "B", unreadable="|new_lesion|evaluable|"),
    scan(13, "D", unreadable="|not_a_column|"),
    scan(14, "E"),
]
FINDINGS = [
    {"site_id": "north", "table_name": "scans", "source_file": "scans.csv", "source_row": row,
     "column_name": column, "rule_id": rule}
    for row, column, rule in (
        (11, "evaluable", "not_yes_or_no"),
        (12, "new_lesion", "unknown_code"),
        (14, "evaluable", "implausible"),
    )
]  # fmt: skip
BY_HAND = [
    ("scans", "conflicting_key", 1, 1),
    ("scans", "missing", 1, 0),
    ("scans", "not_a_date", 1, 1),
    ("scans", "not_readable", 1, 1),
    ("scans", "not_yes_or_no", 1, 1),
    ("scans", "unknown_code", 3, 2),
]
"""Table, rule, rows, patients: the row of July is after the cutoff, a cell without a finding is
unreadable, and a word that names no column marks nothing."""


@contextmanager
def night(
    folder: Path, aside: list[dict[str, Any]], accepted: list[dict[str, Any]]
) -> Iterator[Engine]:
    """The tables and files that a night has when it comes to held rows."""
    (folder / "registry" / FOLDER).mkdir(parents=True)
    (folder / "quality").mkdir()
    if aside:
        kinds = schema(Scans).to_pyarrow()
        names = [*column_names(Scans), "natural_key", "rules"]
        types = {n: kinds.field(n).type for n in column_names(Scans)}
        table = pa.table({n: pa.array([r.get(n) for r in aside], types.get(n)) for n in names})
        pq.write_table(table, folder / "registry" / FOLDER / "scans.parquet")
    told = rows(FINDINGS, Findings).to_pyarrow()
    pq.write_table(told, folder / "quality" / "findings.parquet")
    with engine() as con:
        for contract in TABLES:
            standing = accepted if contract is Scans else []
            kept_tables.keep_rows(con, table_name(contract), rows(standing, contract))
        yield con


def test_rows_are_counted_by_rule_and_once_in_all(tmp_path: Path) -> None:
    with night(tmp_path, ASIDE, ACCEPTED) as con:
        groups, held, patients = counted(con, {"north": tmp_path}, CUTOFF)
        whole = held_rows(con, {"north": tmp_path}, CUTOFF)
    named = ("table_name", "rule_id", "held_rows", "patients")
    assert [tuple(g[n] for n in named) for g in groups] == BY_HAND
    assert {g["site_id"] for g in groups} == {"north"}
    assert {(g["statistics"], g["widest"]) for g in groups} == {(0, None)}
    assert (held, patients) == (6, 3)
    assert len(whole) == held
    assert len({r.subject_id for r in whole if r.subject_id}) == patients


def test_where_nothing_is_held_nothing_is_counted(tmp_path: Path) -> None:
    with night(tmp_path, [], ACCEPTED[3:]) as con:
        assert counted(con, {"north": tmp_path}, CUTOFF) == ([], 0, 0)
