"""Compare the cells of a patient's export in two deliveries: files, rows and names, no value.

Rows are matched by `source_key`, the record, event, instrument and instance of REDCap or the
natural key, so that an edited row is known again when it has moved in its file.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
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
from warehouse.loading.load import CONTRACTS, raw_name, sources

Rows = dict[tuple[str, int], dict[str, Any]]
"""Accepted rows by source key, and number among the rows of one key."""
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
    right = _same_but_for_key(left, right, aside[0].keys() | aside[1].keys())
    for name in sorted(left.keys() | right.keys()):
        old, new = left.get(name), right.get(name)
        columns = _differing(old, new)
        if old and new and not columns:
            continue
        refused = aside[0 if new else 1].get(name) if not (old and new) else None
        places = [_place(row) or (refused.place if refused else None) for row in (old, new)]
        yield (
            str((new or old or {})["subject_id"]),
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


def _same_but_for_key(left: Rows, right: Rows, aside: Set[tuple[str, int]]) -> Rows:
    """The right rows, where a row is known again although a part of its key was corrected.

    The date of a death belongs to its key, so a corrected one would read as a row that vanished and
    another that came. It is the same row if only one column differs, and no other could be meant.
    """
    unmatched = dict(right)
    lost = [n for n in left if n not in right and n not in aside]
    come = [n for n in right if n not in left and n not in aside]
    for name in sorted(lost):
        near = [n for n in come if _one_apart(left[name], right[n])]
        rivals = [n for n in lost if near and _one_apart(left[n], right[near[0]])]
        if len(near) == 1 and rivals == [name]:
            unmatched[name] = unmatched.pop(near[0])
    return unmatched


def _one_apart(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return old["subject_id"] == new["subject_id"] and len(_differing(old, new)) == 1


def _kind(old: Any, new: Any, refused: "_Refused | None") -> str:
    if old and new:
        return "edited"
    if old:
        return "set aside" if refused else "vanished"
    return "accepted again" if refused else "added"


def _rows(
    con: duckdb.DuckDBPyConnection, folder: Path | None, table: str, subjects: tuple[str, ...]
) -> Rows:
    """Accepted rows by source key, and number among the rows of one key."""
    path = folder / "registry" / f"{table}.parquet" if folder else None
    if path is None or not path.exists():
        return {}
    result = con.execute(
        "SELECT *, row_number() OVER (PARTITION BY source_key ORDER BY row_id) AS copy "
        "FROM read_parquet(?) WHERE subject_id IN (SELECT unnest(?))",
        [str(path), list(subjects)],
    )
    names = [d[0] for d in result.description or []]
    records = [dict(zip(names, r, strict=True)) for r in result.fetchall()]
    return {(r["source_key"], r.pop("copy")): r for r in records}


def _aside(
    con: duckdb.DuckDBPyConnection, folder: Path | None, table: str, subjects: tuple[str, ...]
) -> dict[tuple[str, int], _Refused]:
    """Rows set aside, by source key."""
    if folder is None:
        return {}
    rows = con.execute(
        "SELECT source_key, source_file, source_row, rule_id, column_name FROM read_parquet(?) "
        "WHERE table_name = ? AND subject_id IN (SELECT unnest(?)) AND rule_id IS NOT NULL "
        "ORDER BY ALL DESC",
        [str(folder / "rows.parquet"), table, list(subjects)],
    ).fetchall()
    return {
        (name, 1): _Refused((file, row), rule, column) for name, file, row, rule, column in rows
    }


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
        for source in sources(self.site, set(self.tables)).get(table, ()):
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
        several = (entry.from_,) if isinstance(entry.from_, str) else entry.from_ or ()
        mapped |= {*several, *entry.any_of}
    for lab in source.wide:
        mapped |= {c for c in (lab.value, lab.lower_limit, lab.upper_limit) if isinstance(c, str)}
    ours = {n for c in CONTRACTS.values() for n in c.to_schema().columns}
    provenance = {"source_file", "source_row", "source_key"}
    return (mapped | (set(names) & ours)) - provenance
