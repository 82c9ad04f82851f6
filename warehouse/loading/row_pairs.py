"""Which row of a later delivery is which row of an earlier one: one answer for all who ask.

In this order:

1. by content, where the natural key holds a number that we made: an event entered between two
   others changes the numbers of those after it, and nothing else says all that the row says;
2. by its natural key;
3. by its source key, the record, event, instrument and instance of REDCap: a corrected date is a
   part of the natural key, and the instance is not;
4. by all columns but one, where no other row could be meant: in a plain export a corrected date
   would read as a row that vanished and another that came.

The natural key goes before the instance, since an export that numbers its instances anew says the
same of the same rows. A row that was set aside on the other side is neither lost nor new.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.contract import Column, Contract, columns, key, table_name
from warehouse.engine.quoting import read_parquet

APART = ("subject_id", "row_id", "source_key", "receipt_id", "source_file", "source_row")
SEQUENCE = "sequence"
Run = Callable[[str], Any]
"""Runs a statement in one connection of DuckDB."""


def start(run: Run) -> None:
    """Make the empty table `matched`: rows of two deliveries that are one under two keys."""
    run("CREATE OR REPLACE TEMP TABLE matched (table_name VARCHAR, old_id VARCHAR, new_id VARCHAR)")


def match(run: Run, contract: type[Contract], before: Path, after: Path) -> bool:
    """Add the rows of one table to `matched`; False where one of the deliveries has no such table.

    Args:
        run: runs a statement.
        contract: the table's.
        before: folder of the earlier delivery, as it was loaded.
        after: folder of the later one.
    """
    name = table_name(contract)
    files = [f / "registry" / f"{name}.parquet" for f in (before, after)]
    if not all(f.exists() for f in files):
        return False
    then, now = (read(f) for f in files)
    cells = [c.name for c in columns(contract) if is_cell(c)]
    if SEQUENCE in key(contract):
        content = _by_content([n for n in cells if n != SEQUENCE], then, now)
        run(f"INSERT INTO matched SELECT '{name}', old_id, new_id FROM ({content})")
    sides = [unmatched(name, then, "old_id"), unmatched(name, now, "new_id")]
    for rows, own, other in (("lost", *sides), ("come", *reversed(sides))):
        run(f"CREATE OR REPLACE TEMP TABLE {rows} AS {own} ANTI JOIN ({other}) o USING (row_id)")
    _add(run, name, _by_source_key())
    _add(run, name, _one_apart(name, cells, before, after))
    return True


def unmatched(name: str, rows: str, side: str) -> str:
    """The rows of one delivery that are not another row's later or former self.

    Args:
        name: of the table.
        rows: it, in SQL.
        side: `old_id` of the earlier delivery, `new_id` of the later.
    """
    known = f"SELECT {side} FROM matched WHERE table_name = '{name}'"
    return f"FROM (FROM {rows} r WHERE r.row_id NOT IN ({known}))"


def is_cell(column: Column) -> bool:
    """Whether a column is delivered, not what we add to know a row again."""
    return column.name not in (*APART, "patient_id", "site_id")


def read(*files: Path) -> str:
    """Parquet files as a table in SQL."""
    return read_parquet(*files)


def _add(run: Run, name: str, pairs: str) -> None:
    """Keep pairs, and ask of their rows no more."""
    run(f"INSERT INTO matched SELECT '{name}', old_id, new_id FROM ({pairs})")
    run(f"DELETE FROM lost WHERE row_id IN ({_known(name, 'old_id')})")
    run(f"DELETE FROM come WHERE row_id IN ({_known(name, 'new_id')})")


def _known(name: str, side: str) -> str:
    return f"SELECT {side} FROM matched WHERE table_name = '{name}'"


def _by_content(cells: list[str], then: str, now: str) -> str:
    said = ["subject_id", *cells]
    alone = f"QUALIFY count(*) OVER (PARTITION BY {_listed(said)}) = 1"
    equal = " AND ".join(f'o."{n}" IS NOT DISTINCT FROM n."{n}"' for n in said)
    # Most rows stand as they were: they are left out first, by a join on their key alone.
    same = f"o.row_id = n.row_id AND {equal}"
    old = f"FROM {then} o ANTI JOIN {now} n ON {same}"
    new = f"FROM {now} n ANTI JOIN {then} o ON {same}"
    return f"""SELECT o.row_id AS old_id, n.row_id AS new_id
        FROM (FROM ({old}) {alone}) o JOIN (FROM ({new}) {alone}) n ON {equal}
        WHERE o.row_id <> n.row_id"""


def _by_source_key() -> str:
    alone = "QUALIFY count(*) OVER (PARTITION BY source_key) = 1"
    return f"""SELECT o.row_id AS old_id, n.row_id AS new_id
        FROM (FROM lost {alone}) o JOIN (FROM come {alone}) n USING (source_key)"""


def _one_apart(name: str, cells: list[str], before: Path, after: Path) -> str:
    """Pairs of one patient that differ in one column, each with no other such pair."""
    apart = " + ".join(f'(o."{n}" IS DISTINCT FROM n."{n}")::INTEGER' for n in cells)
    return f"""
        SELECT old_id, new_id FROM (
            SELECT o.row_id AS old_id, n.row_id AS new_id
            FROM ({_gone(name, "lost", after)}) o
            JOIN ({_gone(name, "come", before)}) n USING (subject_id) WHERE {apart} = 1
        ) QUALIFY count(*) OVER (PARTITION BY old_id) = 1
              AND count(*) OVER (PARTITION BY new_id) = 1
    """


def _gone(name: str, rows: str, other: Path) -> str:
    """Rows of which the other delivery has none by the same source key, set aside or not."""
    index = other / "rows.parquet"
    there = f"SELECT source_key FROM {read(index)} WHERE table_name = '{name}'"
    return f"FROM {rows} ANTI JOIN ({there}) USING (source_key)"


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{n}"' for n in names)
