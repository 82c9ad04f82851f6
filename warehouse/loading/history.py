"""The history of a site's deliveries: records that vanished, cells edited, findings since.

The past of a night is the chain of a site's visible deliveries in the order of their extraction: of
each date the arrival in force. So a delivery that arrives late takes its place in the middle, and
one that was corrected on its own date leaves no trace: neither invents an edit. Neighbours are
compared once and the comparison is kept beside the later one; no value is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from schemas.contract import Column, Contract, columns, key, table_name
from schemas.records.analytes import FALLING_IS_WORSE
from schemas.tables.quality import Edits, FindingHistory, Vanished
from schemas.tables.registry import TABLES, RegistryTable
from warehouse.engine.embedded import write_parquet
from warehouse.engine.protocol import Engine
from warehouse.store import new_folder

APART = ("subject_id", "row_id", "source_key", "receipt_id", "source_file", "source_row")
UNORDERED = ("unknown", "not_evaluated", "not_evaluable")
SEQUENCE = "sequence"
KEPT: tuple[type[Contract], ...] = (Edits, Vanished)


@dataclass(frozen=True, slots=True)
class Past:
    """One delivery of a chain: when it was extracted, and where it was loaded."""

    extracted: date
    folder: Path


def write(con: Engine, site_id: str, chain: Sequence[Past], to: Path) -> None:
    """Write a site's edits, vanished records and findings up to its delivery in force.

    Args:
        con: a scratch engine.
        site_id: the site.
        chain: its deliveries in the order of extraction; the last is in force.
        to: folder that gets vanished.parquet, edits.parquet and finding_history.parquet.
    """
    compared = [_compared(con, site_id, *pair) for pair in pairwise(chain)]
    for contract in KEPT:
        name = f"{table_name(contract)}.parquet"
        _write(con, _union([folder / name for folder in compared], contract), contract, to / name)
    history = _history(site_id, chain)
    _write(con, history, FindingHistory, to / f"{table_name(FindingHistory)}.parquet")


def _compared(con: Engine, site_id: str, before: Past, after: Past) -> Path:
    """The comparison of two neighbours, made if it is not there."""
    folder = after.folder / "since" / before.folder.name
    if not folder.is_dir():
        with new_folder(folder) as fresh:
            _moved(con, before, after)
            _write(con, _edits(con, site_id, before, after), Edits, fresh / "edits.parquet")
            gone = _vanished(site_id, before, after)
            _write(con, gone, Vanished, fresh / "vanished.parquet")
    return folder


def _write(con: Engine, query: str, contract: type[Contract], path: Path) -> None:
    con.raw_sql(f"CREATE OR REPLACE TABLE written AS {query}")
    write_parquet(con, con.table("written"), contract, path)
    path.chmod(0o600)


def _union(files: Sequence[Path], contract: type[Contract]) -> str:
    return f"SELECT * FROM {_read(*files)}" if files else _nothing(contract)


def _read(*files: Path) -> str:
    listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
    return f"read_parquet([{listed}])"


def _nothing(contract: type[Contract]) -> str:
    cells = ", ".join(f"NULL::VARCHAR AS {c.name}" for c in columns(contract))
    return f"SELECT {cells} WHERE false"


def _moved(con: Engine, before: Past, after: Past) -> None:
    """Rows that only their number tells apart from their former selves, as the table `moved`.

    Where a centre gives no number, one is made from what else is delivered, so that a further
    row can change it: such rows are the same where all else is, and nothing else has all of it.
    """
    con.raw_sql(
        "CREATE OR REPLACE TEMP TABLE moved (table_name VARCHAR, old_id VARCHAR, new_id VARCHAR)"
    )
    for contract in TABLES:
        name = table_name(contract)
        files = [p.folder / "registry" / f"{name}.parquet" for p in (before, after)]
        if SEQUENCE not in key(contract) or not all(f.exists() for f in files):
            continue
        same = [c.name for c in columns(contract) if _is_cell(c) and c.name != SEQUENCE]
        said = ", ".join(f'"{n}"' for n in ("subject_id", *same))
        alone = f"QUALIFY count(*) OVER (PARTITION BY {said}) = 1"
        then, now = map(_read, files)
        equal = " AND ".join(f'o."{n}" IS NOT DISTINCT FROM n."{n}"' for n in ("subject_id", *same))
        con.raw_sql(
            f"""INSERT INTO moved SELECT '{name}', o.row_id, n.row_id
            FROM (SELECT * FROM {then} t ANTI JOIN {now} x USING (row_id) {alone}) o
            JOIN (SELECT * FROM {now} t ANTI JOIN {then} x USING (row_id) {alone}) n ON {equal}"""
        )


def _vanished(site_id: str, before: Past, after: Past) -> str:
    """Rows accepted before that are now neither accepted nor set aside, under either key."""
    then, now = _read(before.folder / "rows.parquet"), _read(after.folder / "rows.parquet")
    return f"""
        SELECT DISTINCT '{site_id}' AS site_id, table_name, row_id,
               DATE '{after.extracted}' AS extraction_date,
               DATE '{before.extracted}' AS last_seen_date, subject_id
        FROM (SELECT * FROM {then} WHERE rule_id IS NULL) then_
        ANTI JOIN {now} now_ USING (table_name, row_id)
        ANTI JOIN {now} again USING (table_name, source_key)
        ANTI JOIN moved ON moved.table_name = then_.table_name AND moved.old_id = then_.row_id
    """


def _edits(con: Engine, site_id: str, before: Past, after: Past) -> str:
    parts = [
        part for contract in TABLES for part in _edits_of(con, site_id, contract, before, after)
    ]
    return " UNION ALL ".join(parts) or _nothing(Edits)


def _edits_of(
    con: Engine, site_id: str, contract: type[RegistryTable], before: Past, after: Past
) -> Iterator[str]:
    """One query per cell over the rows that differ, which are few."""
    name = table_name(contract)
    files = [p.folder / "registry" / f"{name}.parquet" for p in (before, after)]
    if not all(f.exists() for f in files):
        return
    cells = [c for c in columns(contract) if _is_cell(c)]
    pairs = f"""SELECT * FROM ({_pairs(cells, *files)})
        WHERE old.row_id NOT IN (SELECT old_id FROM moved WHERE table_name = '{name}')
          AND new.row_id NOT IN (SELECT new_id FROM moved WHERE table_name = '{name}')"""
    con.raw_sql(f"CREATE OR REPLACE TEMP TABLE pairs_{name} AS {pairs}")
    for cell in cells:
        old, new = f'old."{cell.name}"', f'new."{cell.name}"'
        # A row that is known by what it says is the same under another number.
        made_again = " AND old.row_id <> new.row_id" if cell.name == SEQUENCE else ""
        yield f"""
            SELECT '{site_id}' AS site_id, '{name}' AS table_name, new.row_id AS row_id,
                   '{cell.name}' AS column_name, DATE '{after.extracted}' AS extraction_date,
                   DATE '{before.extracted}' AS since_date, new.subject_id AS subject_id,
                   CASE WHEN {old} IS NULL THEN 'filled' WHEN {new} IS NULL THEN 'cleared'
                        ELSE 'changed' END AS kind,
                   {_direction(cell)} AS direction
            FROM pairs_{name} WHERE {old} IS DISTINCT FROM {new}{made_again}
        """


def _is_cell(column: Column) -> bool:
    return column.name not in (*APART, "patient_id", "site_id")


def _pairs(cells: Sequence[Column], before: Path, after: Path) -> str:
    """Rows of the same key, and of the others those of the same source key, where they differ."""
    then, now = _read(before), _read(after)
    other = " OR ".join(f'old."{c.name}" IS DISTINCT FROM new."{c.name}"' for c in cells)
    alone = "QUALIFY count(*) OVER (PARTITION BY source_key) = 1"
    return f"""
        SELECT old, new FROM {then} old JOIN {now} new USING (row_id) WHERE {other}
        UNION ALL
        SELECT old, new FROM
            (SELECT * FROM {then} t ANTI JOIN {now} n USING (row_id) {alone}) old
            JOIN (SELECT * FROM {now} n ANTI JOIN {then} t USING (row_id) {alone}) new
            USING (source_key) WHERE {other}
    """


def _direction(cell: Column) -> str:
    """Whether the new value reads worse, better, or cannot be said."""
    if cell.worse is None:
        return "'unclear'"
    old, new = _rank(cell, "old"), _rank(cell, "new")
    rises = f"{new} > {old}"
    worse = {
        "higher": rises,
        "lower": f"{new} < {old}",
        "analyte": f"({rises}) = (new.analyte NOT IN {FALLING_IS_WORSE!r})",
    }[cell.worse]
    known = f"{old} <> {new}"
    if cell.worse == "analyte":
        known += " AND old.analyte = new.analyte AND old.unit = new.unit"
    unclear = f"({known}) IS NOT TRUE"
    return f"CASE WHEN {unclear} THEN 'unclear' WHEN {worse} THEN 'worse' ELSE 'better' END"


def _rank(cell: Column, side: str) -> str:
    """A cell as a number: codes by their place in the contract's list."""
    value = f'{side}."{cell.name}"'
    if cell.codes:
        ordered = [c for c in cell.codes if c not in UNORDERED]
        return f"list_position({ordered!r}, {value})"
    return f"{value}::INTEGER" if cell.dtype.is_boolean() else value


def _history(site_id: str, chain: Sequence[Past]) -> str:
    """Every finding of the chain: when first, when last, and whether it is still there."""
    each = " UNION ALL ".join(
        f"SELECT *, DATE '{p.extracted}' AS seen, {n == len(chain)} AS now "
        f"FROM {_read(p.folder / 'findings.parquet')}"
        for n, p in enumerate(chain, 1)
    )
    return f"""
        SELECT '{site_id}' AS site_id, table_name, finding_id, any_value(rule_id) AS rule_id,
               any_value(column_name) AS column_name, any_value(severity) AS severity,
               CASE WHEN NOT bool_or(now) THEN 'resolved' WHEN bool_and(now) THEN 'new'
                    ELSE 'persisting' END AS status,
               min(seen) AS first_seen_date, max(seen) AS last_seen_date,
               (arg_min(source_file, (source_file, source_row)) FILTER (WHERE now)) AS source_file,
               (arg_min(source_row, (source_file, source_row)) FILTER (WHERE now)) AS source_row
        FROM ({each}) GROUP BY table_name, finding_id
    """
