"""Compare the cells of a patient's export in two deliveries: files, rows and names, no value.

Rows are matched as the history of deliveries matches them (`warehouse.loading.row_pairs`), so that
an edited row is known again when it has moved in its file, and no other reads as edited.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.site import ColumnSource, Site, TableSource
from warehouse.account import scenarios as worlds
from warehouse.account.scenarios import PROVENANCE, Workshop, World
from warehouse.engine.connections import connection
from warehouse.intake.raw import raw_tables
from warehouse.loading import row_index as rows
from warehouse.loading import row_pairs
from warehouse.loading.load import CONTRACTS, raw_name, raw_shapes, sources

Rows = dict[str, dict[str, Any]]
"""Accepted rows by row id."""
OURS = (*PROVENANCE, "row_id", "subject_id", "site_id")


@dataclass(frozen=True, slots=True)
class CellChanges:
    """One row of a patient's export that differs.

    `columns` are ours, `cells` the centre's own names; `rule` is what set the row aside on the side
    where it is not accepted.
    """

    site_id: str
    kind: str
    table: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    left: tuple[str, int] | None
    right: tuple[str, int] | None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """A row that validation set aside."""

    place: tuple[str, int]
    rule: str
    column: str


def changed_cells(
    shop: Workshop, before: World, after: World, subjects: tuple[str, ...], tables: Iterable[str]
) -> dict[str, list[CellChanges]]:
    """What differs in the exports of these subjects, in the tables asked for."""
    changes: dict[str, list[CellChanges]] = {s: [] for s in subjects}
    if not subjects:
        return changes
    folders = [worlds.load(shop, w) for w in (before, after)]
    wanted = sorted(set(tables) & CONTRACTS.keys())
    for site_id in sorted(folders[0].keys() | folders[1].keys()):
        sides = [f.get(site_id) for f in folders]
        if sides[0] == sides[1]:
            continue
        raw = [_Raw(shop, w, site_id) for w in (before, after)]
        with connection() as con:
            for table in wanted:
                for subject, change in _table(con, site_id, table, sides, raw, subjects):
                    changes[subject].append(change)
    return changes


def _table(
    con: duckdb.DuckDBPyConnection,
    site_id: str,
    table: str,
    sides: list[Path | None],
    raw: "list[_Raw]",
    subjects: tuple[str, ...],
) -> Iterator[tuple[str, CellChanges]]:
    left, right = (_rows(con, f, table, subjects) for f in sides)
    aside = [_aside(con, f, table, subjects) for f in sides]
    for old, new in _paired(con, table, sides, left, right):
        columns = _differing(old, new)
        if old and new and not columns:
            continue
        known: dict[str, Any] = new or old or {}
        refused = aside[0 if new else 1].get(known["source_key"]) if not (old and new) else None
        places = [_place(row) or (refused.place if refused else None) for row in (old, new)]
        yield (
            str(known["subject_id"]),
            CellChanges(
                site_id=site_id,
                kind=_kind(old, new, refused),
                table=table,
                columns=(refused.column,) if refused else columns,
                cells=_cells(raw, table, places),
                left=places[0],
                right=places[1],
                rule=refused.rule if refused else None,
            ),
        )


def _paired(
    con: duckdb.DuckDBPyConnection, table: str, sides: list[Path | None], left: Rows, right: Rows
) -> list[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Each row of both sides beside what it was or is, in the order of their source keys."""
    before, after = sides
    again: dict[str, str] = {}
    if before and after:
        row_pairs.start(con.execute)
        row_pairs.match(con.execute, CONTRACTS[table], before, after)
        again = dict(con.execute("SELECT old_id, new_id FROM matched").fetchall())
    taken = set(again.values())
    later = {name: again.get(name) or (None if name in taken else name) for name in left}
    pairs = [(left[name], right.get(new) if new else None) for name, new in later.items()]
    known = set(later.values())
    every = [*pairs, *((None, new) for name, new in right.items() if name not in known)]
    return sorted(every, key=lambda p: [(r["source_key"], r["row_id"]) for r in p if r][-1])


def _kind(old: Any, new: Any, refused: "_Refused | None") -> str:
    if old and new:
        return "edited"
    if old:
        return "set aside" if refused else "vanished"
    return "accepted again" if refused else "added"


def _rows(
    con: duckdb.DuckDBPyConnection, folder: Path | None, table: str, subjects: tuple[str, ...]
) -> Rows:
    """Accepted rows of these subjects, by row id."""
    path = folder / "registry" / f"{table}.parquet" if folder else None
    if path is None or not path.exists():
        return {}
    result = con.execute(
        "SELECT * FROM read_parquet(?) WHERE subject_id IN (SELECT unnest(?))",
        [str(path), list(subjects)],
    )
    names = [d[0] for d in result.description or []]
    records = [dict(zip(names, r, strict=True)) for r in result.fetchall()]
    return {r["row_id"]: r for r in records}


def _aside(
    con: duckdb.DuckDBPyConnection, folder: Path | None, table: str, subjects: tuple[str, ...]
) -> dict[str, _Refused]:
    """Rows set aside, by source key."""
    if folder is None:
        return {}
    found = con.execute(
        "SELECT source_key, source_file, source_row, rule_id, column_name FROM read_parquet(?) "
        "WHERE table_name = ? AND subject_id IN (SELECT unnest(?)) AND rule_id IS NOT NULL "
        "ORDER BY ALL DESC",
        [str(folder / "rows.parquet"), table, list(subjects)],
    ).fetchall()
    return {name: _Refused((file, row), rule, column) for name, file, row, rule, column in found}


def _place(row: Mapping[str, Any] | None) -> tuple[str, int] | None:
    return (str(row["source_file"]), int(row["source_row"])) if row else None


def _differing(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not old or not new:
        return ()
    return tuple(n for n in new if n not in OURS and old.get(n) != new[n])


class _Raw:
    """The raw tables of one side, read row by row on demand."""

    def __init__(self, shop: Workshop, world: World, site_id: str) -> None:
        self.site: Site | None = world.sites.get(site_id)
        self.tables: dict[str, Path] = {}
        delivery = world.deliveries.get(site_id)
        if delivery and self.site:
            receipt = rows.receipt_of(shop.store, asdict(delivery))
            self.tables = raw_tables(shop.store, receipt, self.site)

    def line(self, table: str, place: tuple[str, int]) -> dict[str, Any]:
        """The mapped cells of a line, by the centre's own names."""
        cells: dict[str, Any] = {}
        if self.site is None:
            return cells
        for source in sources(self.site, raw_shapes(self.tables)).get(table, ()):
            path = self.tables.get(raw_name(table, source))
            if path is None:
                continue
            with connection() as con:
                query = "SELECT * FROM read_parquet(?) WHERE source_file = ? AND source_row = ?"
                result = con.execute(query, [str(path), *place])
                names = [d[0] for d in result.description or []]
                read = _read(source, names)
                for record in result.fetchall():
                    cells |= {n: v for n, v in zip(names, record, strict=True) if n in read}
        return cells


def _cells(raw: list[_Raw], table: str, places: list[tuple[str, int] | None]) -> tuple[str, ...]:
    """Names of the centre's cells that differ, where the line is on both sides."""
    if places[0] is None or places[1] is None:
        return ()
    old, new = (r.line(table, p) for r, p in zip(raw, places, strict=True) if p)
    return tuple(n for n in new if old.get(n) != new[n])


def _read(source: TableSource, names: list[str]) -> set[str]:
    """Columns of theirs that a source reads; all of them where names are the same as ours."""
    mapped: set[str] = set()
    for entry in source.columns.values():
        if not isinstance(entry, ColumnSource):
            mapped.add(entry)
            continue
        mapped |= set(entry.read)
    for lab in source.wide:
        mapped |= {c for c in (lab.value, lab.lower_limit, lab.upper_limit) if isinstance(c, str)}
    ours = {n for c in CONTRACTS.values() for n in c.to_schema().columns}
    provenance = {"source_file", "source_row", "source_key"}
    return (mapped | (set(names) & ours)) - provenance
