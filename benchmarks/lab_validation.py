"""Measure judging ten million laboratory rows against a hand-written DuckDB query.

    python -m benchmarks lab_validation [--rows 10000000]

Both sides read one Parquet file and make a table of bad rows with every reason; the hand-written
query joins the limits from a small table. Two of a hundred rows are bad.
"""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measure import against, arguments, peak_mib, say, seconds
from schemas.records.analytes import COUNTS, LAB_UNITS, WINDOWS
from schemas.tables.registry import Labs
from warehouse.engine.embedded import engine
from warehouse.loading.validate import bad_rows

EXTRACTED = date(2020, 12, 31)

ROWS = """
COPY (
    SELECT i AS _row, 's1' AS site_id, 's1' AS subject_id, 'r' AS row_id, 'k' AS source_key,
        'x' AS receipt_id, 'labs.csv' AS source_file, i AS source_row,
        CASE WHEN i % 1000 <> 0 THEN 'P' || (i // 24) END AS patient_id,
        DATE '2015-01-01' + (i % 2000)::INTEGER + CASE WHEN i % 997 = 0 THEN 3000 ELSE 0 END
            AS lab_date,
        u.analyte, 1::BIGINT AS sequence, NULL::VARCHAR AS lab_time,
        (u.low + (i % 50) / 100.0 * (u.high - u.low)
            * CASE WHEN i % 211 = 0 THEN 1000 ELSE 1 END)::DECIMAL(18, 6) AS value,
        CASE WHEN i % 1009 = 0 THEN '~' END AS value_comparator,
        CASE WHEN i % 307 = 0 THEN 'furlong' WHEN i % 401 = 0 THEN '%' ELSE u.unit END AS unit,
        1::DECIMAL(18, 6) AS lower_limit,
        CASE WHEN i % 503 = 0 THEN 0 ELSE 2 END::DECIMAL(18, 6) AS upper_limit
    FROM range({rows}) t(i) JOIN units u ON u.place = i % 13
) TO '{path}' (FORMAT parquet)
"""

BY_HAND = """
CREATE OR REPLACE TABLE by_hand AS
WITH judged AS (
    SELECT _row, list_filter([
        CASE WHEN patient_id IS NULL THEN 'missing|patient_id' END,
        CASE WHEN site_id IS NULL THEN 'missing|site_id' END,
        CASE WHEN lab_date IS NULL THEN 'missing|lab_date' END,
        CASE WHEN l.analyte IS NULL THEN 'missing|analyte' END,
        CASE WHEN sequence IS NULL THEN 'missing|sequence' END,
        CASE WHEN value IS NULL THEN 'missing|value' END,
        CASE WHEN l.unit IS NULL THEN 'missing|unit' END,
        CASE WHEN sequence < 0 THEN 'below_minimum|sequence' END,
        CASE WHEN value < 0 THEN 'below_minimum|value' END,
        CASE WHEN lower_limit < 0 THEN 'below_minimum|lower_limit' END,
        CASE WHEN upper_limit < 0 THEN 'below_minimum|upper_limit' END,
        CASE WHEN value_comparator NOT IN ('<', '<=', '>', '>=')
            THEN 'unknown_code|value_comparator' END,
        CASE WHEN lab_date > DATE '{extracted}' THEN 'after_extraction|lab_date' END,
        CASE WHEN value < w.low OR value > w.high THEN 'labs.magnitude|value' END,
        CASE WHEN l.unit = '%' AND l.analyte IN {counts} THEN 'labs.percent_for_count|unit' END,
        CASE WHEN upper_limit < lower_limit THEN 'labs.limits_in_order|upper_limit' END
    ], lambda r: r IS NOT NULL) AS reasons
    FROM read_parquet('{path}') l
    LEFT JOIN limits w ON l.analyte = w.analyte AND l.unit = w.unit
)
SELECT _row, unnest(reasons) AS reason FROM judged WHERE len(reasons) > 0
"""


def prepare(con: Any, path: Path, rows: int) -> None:
    """Write the rows, and the limits that the hand-written query joins."""
    limits = [
        (analyte, unit, float(WINDOWS[analyte][0] / by), float(WINDOWS[analyte][1] / by))
        for analyte, units in LAB_UNITS.items()
        for unit, by in units.items()
    ]
    con.raw_sql("CREATE TABLE limits (analyte VARCHAR, unit VARCHAR, low DOUBLE, high DOUBLE)")
    con.con.executemany("INSERT INTO limits VALUES (?, ?, ?, ?)", limits)
    con.raw_sql(
        "CREATE TABLE units AS SELECT row_number() OVER (ORDER BY analyte) - 1 AS place, * FROM "
        "(SELECT DISTINCT ON (analyte) * FROM limits ORDER BY analyte, unit)"
    )
    con.raw_sql(ROWS.format(rows=rows, path=path))


def main() -> None:
    """Print both times and the memory of ours."""
    given = arguments(__doc__, rows=10_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "labs.parquet"
        with engine(folder / "one.duckdb", memory_limit="1GiB") as con:
            prepare(con, path, given.rows)

            def ours() -> None:
                labs = con.read_parquet(path)
                con.create_table("ours", bad_rows(labs, Labs, EXTRACTED), overwrite=True)

            def theirs() -> None:
                con.raw_sql(BY_HAND.format(path=path, extracted=EXTRACTED, counts=COUNTS))

            time = seconds(ours, given.repeats)
            memory = peak_mib()
            other = seconds(theirs, given.repeats)
            found = [_count(con, t) for t in ("ours", "by_hand")]
    assert found[0] == found[1], found
    say(
        against(f"{given.rows} labs, {found[0]} reasons", time, other, 1.5),
        f"at most {memory:.0f} MiB, claimed below 1536",
    )


def _count(con: Any, table: str) -> int:
    return int(con.raw_sql(f"SELECT count(*) FROM {table}").fetchone()[0])


if __name__ == "__main__":
    main()
