"""Measure harmonising ten million laboratory rows against a hand-written DuckDB query.

    python -m benchmarks lab_harmonising [--rows 10000000]

Both sides read one Parquet file of text, as a centre wrote it, and make our columns with a mark for
each cell that could not be read: dates dd.mm.yyyy, every eighth name and unit in a spelling of the
centre's own, censored results, and two of a hundred rows with a cell that is none. Every cell is
hashed and none is kept: storing is the same work for both and would hide the difference. The sums
of the hashes are the same, or the benchmark fails. How a REDCap export is split is measured by
`redcap_split`.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import against, arguments, peak_mib, say, taking_turns
from schemas.records.analytes import COUNTS, NAMES
from schemas.records.lab_words import DROPPED, REPLACED, UNITS
from schemas.site import Site, TableSource
from schemas.tables.registry import Labs
from schemas.words import PARTS
from transforms.intake.harmonise import harmonise
from warehouse.engine.embedded import engine

BY_HAND = Path(__file__).parent / "by_hand" / "lab_harmonising.sql"
SITE = Site(site_id="north", date_format="%d.%m.%Y")
ROWS = """
COPY (
    SELECT 'labs.csv' AS source_file, i AS source_row, 'P' || (i // 24) AS patient_id,
        CASE WHEN i % 499 = 0 THEN '31.02.2020' ELSE
            strftime(DATE '2015-01-01' + (i % 2000)::INTEGER, '%d.%m.%Y') END AS lab_date,
        CASE i % 8 WHEN 0 THEN a.own ELSE a.code END AS analyte,
        CASE WHEN i % 101 = 0 THEN 'n.d.' WHEN i % 53 = 0 THEN '<0.2'
            ELSE (1 + (i % 997) / 10)::VARCHAR END AS value,
        CASE i % 8 WHEN 4 THEN a.own_unit ELSE a.unit END AS unit,
        CASE WHEN i % 997 = 0 THEN '-1' ELSE '0.5' END AS lower_limit,
        CASE WHEN i % 503 = 0 THEN '1,2' ELSE ' 1.2 ' END AS upper_limit
    FROM range({rows}) t(i) JOIN (VALUES
        (0, 'bilirubin', 'Bilirubin, total', 'mg/dL', 'mg / dl'),
        (1, 'albumin', 'Serum Albumin', 'g/dL', 'gm/dl'),
        (2, 'ast', 'AST (GOT)', 'U/L', 'IU/L'),
        (3, 'alp', 'Alk. Phos', 'U/L', 'units/l'),
        (4, 'lymphocytes', 'Lymph', '10*9/L', 'G/L'),
        (5, 'platelets', 'PLT', '10*9/L', 'x10^9/L'),
        (6, 'creatinine', 'Kreatinin', 'mg/dL', 'MG/DL')
    ) a(place, code, own, unit, own_unit) ON a.place = i % 7
) TO '{path}' (FORMAT parquet)
"""


def prepare(con: Any, path: Path, rows: int) -> None:
    """Write the rows, and the names and units that the hand-written query looks up."""
    con.raw_sql("CREATE TABLE names (plain VARCHAR, code VARCHAR)")
    con.raw_sql("CREATE TABLE units (plain VARCHAR, code VARCHAR)")
    names = [(plain, code) for code, plains in NAMES.items() for plain in plains]
    con.con.executemany("INSERT INTO names VALUES (?, ?)", names)
    con.con.executemany("INSERT INTO units VALUES (?, ?)", list(UNITS.items()))
    con.raw_sql(ROWS.format(rows=rows, path=path))


def by_hand(path: Path) -> str:
    """The hand-written query."""
    plain_unit = "lower(unit_text)"
    for old, new in REPLACED:
        plain_unit = f"replace({plain_unit}, '{old}', '{new}')"
    return BY_HAND.read_text("utf-8").format(
        path=path,
        blanks="e' \\t\\n\\r\\v\\f'",
        plain_analyte=f"regexp_replace(lower(analyte_text), '{PARTS}', '', 'g')",
        plain_unit=f"regexp_replace({plain_unit}, '{DROPPED}', '', 'g')",
        number=r"'^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$'",
        counts=tuple(COUNTS),
    )


def hashed(con: Any, query: str, names: Sequence[str]) -> tuple[int, int]:
    """The number of rows of a query, and the sum of their hashes, whatever their order."""
    every = ", ".join(f'"{name}"' for name in names)
    (found,) = con.raw_sql(
        f"SELECT count(*), sum(hash({every})::HUGEINT) FROM ({query})"
    ).fetchall()
    return found[0], found[1]


def main() -> None:
    """Print both times and the memory of ours."""
    given = arguments(__doc__, rows=10_000_000)
    found: dict[str, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "labs.parquet"
        with engine(folder / "one.duckdb", memory_limit="2GiB") as con:
            prepare(con, path, given.rows)

            def ours() -> None:
                made = harmonise(con.read_parquet(path), Labs, TableSource(), SITE, "r")
                found["ours"] = hashed(con, con.compile(made), made.columns)

            def theirs() -> None:
                found["by_hand"] = hashed(con, by_hand(path), made_columns)

            made_columns = harmonise(con.read_parquet(path), Labs, TableSource(), SITE, "r").columns
            time, other = taking_turns((ours, theirs), given.repeats)
    assert found["ours"] == found["by_hand"], found
    say(
        against(f"{given.rows} labs harmonised", time, other, 1.5),
        f"at most {peak_mib():.0f} MiB for both",
    )


if __name__ == "__main__":
    main()
