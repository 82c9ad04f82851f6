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

from schemas.contract import Column, Contract, columns, table_name
from schemas.records.analytes import FALLING_IS_WORSE
from schemas.tables.quality import Edits, FindingHistory, Vanished
from schemas.tables.registry import TABLES, RegistryTable
from warehouse.engine.embedded import write_parquet
from warehouse.engine.protocol import Engine
from warehouse.loading import row_pairs
from warehouse.store import new_folder

UNORDERED = ("unknown", "not_evaluated", "not_evaluable")
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
            row_pairs.start(con.raw_sql)
            for contract in TABLES:
                row_pairs.match(con.raw_sql, contract, before.folder, after.folder)
            _write(con, _edits(con, site_id, before, after), Edits, fresh / "edits.parquet")
            gone = _vanished(site_id, before, after)
            _write(con, gone, Vanished, fresh / "vanished.parquet")
    return folder


def _write(con: Engine, query: str, contract: type[Contract], path: Path) -> None:
    con.raw_sql(f"CREATE OR REPLACE TABLE written AS {query}")
    write_parquet(con, con.table("written"), contract, path)
    path.chmod(0o600)


def _union(files: Sequence[Path], contract: type[Contract]) -> str:
    return f"SELECT * FROM {row_pairs.read(*files)}" if files else _nothing(contract)


def _nothing(contract: type[Contract]) -> str:
    cells = ", ".join(f"NULL::VARCHAR AS {c.name}" for c in columns(contract))
    return f"SELECT {cells} WHERE false"


def _vanished(site_id: str, before: Past, after: Past) -> str:
    """Rows accepted before that are now neither accepted nor set aside, under either key."""
    then, now = (
        row_pairs.read(before.folder / "rows.parquet"),
        row_pairs.read(after.folder / "rows.parquet"),
    )
    still = (
        f"FROM {now} n ANTI JOIN matched ON matched.table_name = n.table_name AND new_id = row_id"
    )
    return f"""
        SELECT DISTINCT '{site_id}' AS site_id, table_name, row_id,
               DATE '{after.extracted}' AS extraction_date,
               DATE '{before.extracted}' AS last_seen_date, subject_id
        FROM (SELECT * FROM {then} WHERE rule_id IS NULL) then_
        ANTI JOIN ({still}) now_ USING (table_name, row_id)
        ANTI JOIN ({still}) again USING (table_name, source_key)
        ANTI JOIN matched ON matched.table_name = then_.table_name AND old_id = then_.row_id
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
    cells = [c for c in columns(contract) if row_pairs.is_cell(c)]
    con.raw_sql(f"CREATE OR REPLACE TEMP TABLE pairs_{name} AS {_pairs(name, cells, *files)}")
    for cell in cells:
        old, new = f'old."{cell.name}"', f'new."{cell.name}"'
        # A row that is known by what it says is the same under another number.
        made_again = " AND old.row_id <> new.row_id" if cell.name == row_pairs.SEQUENCE else ""
        yield f"""
            SELECT '{site_id}' AS site_id, '{name}' AS table_name, new.row_id AS row_id,
                   '{cell.name}' AS column_name, DATE '{after.extracted}' AS extraction_date,
                   DATE '{before.extracted}' AS since_date, new.subject_id AS subject_id,
                   CASE WHEN {old} IS NULL THEN 'filled' WHEN {new} IS NULL THEN 'cleared'
                        ELSE 'changed' END AS kind,
                   {_direction(cell)} AS direction
            FROM pairs_{name} WHERE {old} IS DISTINCT FROM {new}{made_again}
        """


def _pairs(name: str, cells: Sequence[Column], before: Path, after: Path) -> str:
    """Rows that are one in both deliveries, where they differ; a number that we made is no cell."""
    then, now = row_pairs.read(before), row_pairs.read(after)
    differs = {c.name: f'old."{c.name}" IS DISTINCT FROM new."{c.name}"' for c in cells}
    other = " OR ".join(differs.values())
    said = " OR ".join(d for name, d in differs.items() if name != row_pairs.SEQUENCE)
    return f"""
        SELECT old, new FROM ({row_pairs.unmatched(name, then, "old_id")}) old
            JOIN ({row_pairs.unmatched(name, now, "new_id")}) new USING (row_id) WHERE {other}
        UNION ALL
        SELECT old, new FROM {then} old
            JOIN matched ON matched.table_name = '{name}' AND old_id = old.row_id
            JOIN {now} new ON new.row_id = new_id WHERE {said}
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
        f"FROM {row_pairs.read(p.folder / 'findings.parquet')}"
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
