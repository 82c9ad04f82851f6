"""What was found in deliveries is told in one line a centre, column and rule, with examples."""

import duckdb
import pyarrow as pa

from report.tables import delivered

PLACE = ("site_id", "table_name", "source_file", "source_row", "rule_id", "column_name")
ASIDE: list[tuple[object, ...]] = [
    *(("lyon", "labs", "labs.csv", row, "not_a_number", "value") for row in (9, 2, 4, 7)),
    ("lyon", "labs", "labs.csv", 2, "not_a_number", "value"),  # a second row made of line 2
]
LOADED: list[tuple[object, ...]] = [
    ("bern", "treatments", "data.csv", 3, "treatments.maa_too_old", "treatment_date"),
]
NO_MAA = "no 99mTc-MAA scan lies within the 60 days before the session"
"""A rule between tables, in its words."""


def database(
    aside: list[tuple[object, ...]], loaded: list[tuple[object, ...]]
) -> duckdb.DuckDBPyConnection:
    """A release's findings alone."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA quality")
    kinds = pa.schema([(n, pa.int64() if n == "source_row" else pa.string()) for n in PLACE])
    for name, rows in (("quarantine", aside), ("findings", loaded)):
        records = [dict(zip(PLACE, row, strict=True)) for row in rows]
        con.register("given", pa.Table.from_pylist(records, kinds))
        con.execute(f"CREATE TABLE quality.{name} AS FROM given")
    con.execute("ALTER TABLE quality.findings ADD COLUMN detail VARCHAR")
    return con


def test_a_kind_of_fault_is_one_line_with_three_examples() -> None:
    told = [row.cells for row in delivered.findings(database(ASIDE, LOADED)).rows]
    assert told == [
        (
            *("lyon", "4", "set aside", "labs: value", "value is filled in but is not a number"),
            "labs.csv row 2, labs.csv row 4, labs.csv row 7",
        ),
        (
            *("bern", "1", "loaded", "treatments: treatment date", NO_MAA),
            "data.csv row 3",
        ),
    ]


def test_nothing_found_is_said() -> None:
    assert delivered.findings(database([], [])).empty == "Nothing was found."
