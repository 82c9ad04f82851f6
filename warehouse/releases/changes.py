"""Compare two releases: rows by key, cells by column, statistics old and new.

Both sides are folders with parquet/<schema>/<table>.parquet: two releases, or a release and the
candidate in a run's work directory. Files with the same bytes are not opened. The comparison runs
in the engine: what reaches Python is as long as what differs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from schemas.contract import key, options, published_name
from schemas.errors import Refused
from schemas.tables.changes import (
    CellChange,
    Changes,
    RowChange,
    Scalar,
    StatisticChange,
    TableChanges,
)
from warehouse.engine.connections import connection
from warehouse.engine.quoting import read_parquet
from warehouse.fingerprints import file_sha256
from warehouse.releases import definitions, former_names
from warehouse.releases.database import RELEASED

LIMIT = 1000
"""Rows and cells of one table that are listed; the counts are always complete."""
STATISTICS = "outcomes/statistics"
DAMAGED = (duckdb.IOException, duckdb.InvalidInputException)


@dataclass(frozen=True, slots=True)
class Pair:
    """One table on both sides."""

    place: str
    left: Path
    right: Path
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """schema.table."""
        return self.place.replace("/", ".")


KEYS = {f"{options(c).schema}/{published_name(c)}": key(c) for c in RELEASED}


def diff(
    left: Path,
    right: Path,
    tolerances: Mapping[str, float] | None = None,
    *,
    names: tuple[str, str] | None = None,
    limit: int = LIMIT,
) -> Changes:
    """Compare two releases.

    Args:
        left: folder of the earlier release.
        right: folder of the later one.
        tolerances: column, or table.column -> greatest difference that counts as equal.
        names: what to call them; default the folders' names.
        limit: rows and cells listed per table.

    Raises:
        Refused: a side is missing or damaged, or no table has a column of a tolerance's name.
    """
    called = names or (left.name, right.name)
    with TemporaryDirectory(prefix="y90-names-") as scratch:
        former = former_names.used_by(left) != former_names.used_by(right)
        sides = [_todays(side, Path(scratch), former=former) for side in (left, right)]
        compared = _compared(sides[0], sides[1], tolerances or {}, limit, former=former)
    return Changes(
        left=called[0],
        right=called[1],
        tables=compared[0],
        statistics=compared[1],
        note=_note(left, right, called),
    )


def _note(left: Path, right: Path, called: tuple[str, str]) -> str | None:
    """What a reader must know of two releases that were published under other rules."""
    if former_names.used_by(left) != former_names.used_by(right):
        return former_names.NOTE.format(release=called[0 if former_names.used_by(left) else 1])
    if not definitions.comparable(left, right):
        return definitions.NOTE.format(release=called[0 if definitions.told_by(right) else 1])
    return None


def _todays(side: Path, scratch: Path, *, former: bool) -> Path:
    if former and former_names.used_by(side):
        (scratch / side.name).mkdir()
        return former_names.under_todays_names(side, scratch / side.name)
    if former_names.has_reserved_columns(side):
        return former_names.under_todays_columns(side, scratch / side.name)
    return side


def _compared(
    left: Path, right: Path, tolerances: Mapping[str, float], limit: int, *, former: bool
) -> tuple[tuple[TableChanges, ...], tuple[StatisticChange, ...]]:
    """Tables and statistics that differ; of names that changed, only what is under both."""
    pairs = [p for p in _pairs(left, right) if not _same_bytes(p)]
    defined = not former and definitions.comparable(left, right)
    skipped = frozenset(former_names.NOT_COMPARED if former else () if defined else ("definition",))
    with connection() as con:
        if tolerances:
            _check_tolerances(con, _pairs(left, right), tolerances)
        try:
            tables = [_table(con, p, tolerances, limit, skipped) for p in pairs]
            moved = [
                s
                for p in pairs
                if p.place == STATISTICS
                for s in _statistics(con, p, definitions.of_both(con, left, right), defined=defined)
            ]
        except DAMAGED as error:
            raise Refused(
                f"{left.name} and {right.name}: a table cannot be read "
                f"({str(error).splitlines()[0]}). Run `y90 verify` on both."
            ) from None
    differing = tuple(t for t in tables if _differs(t))
    kept = _tolerated(moved, differing) if tolerances else moved
    return differing, tuple(kept)


def first(right: str) -> Changes:
    """The changes of a registry's first release: nothing to compare it with."""
    return Changes(left=None, right=right)


def _pairs(left: Path, right: Path) -> list[Pair]:
    places: set[str] = set()
    for side in (left, right):
        folder = side / "parquet"
        if not folder.is_dir():
            raise Refused(f"{side}: it has no tables. Run `y90 verify {side.name}`.")
        places |= {
            p.relative_to(folder).with_suffix("").as_posix() for p in folder.glob("*/*.parquet")
        }
    return [
        Pair(
            place,
            left / "parquet" / f"{place}.parquet",
            right / "parquet" / f"{place}.parquet",
            KEYS.get(place, ()),
        )
        for place in sorted(places)
    ]


def _same_bytes(pair: Pair) -> bool:
    both = pair.left.exists() and pair.right.exists()
    return (
        both
        and pair.left.stat().st_size == pair.right.stat().st_size
        and file_sha256(pair.left) == file_sha256(pair.right)
    )


def _table(
    con: duckdb.DuckDBPyConnection,
    pair: Pair,
    tolerances: Mapping[str, float],
    limit: int,
    skipped: frozenset[str] = frozenset(),
) -> TableChanges:
    before, after = _columns(con, pair.left), _columns(con, pair.right)
    shared = [n for n in after if n in before]
    facts: dict[str, Any] = {
        "table": pair.name,
        "left_rows": _count(con, pair.left),
        "right_rows": _count(con, pair.right),
        "columns_added": tuple(n for n in after if n not in before) if before else (),
        "columns_removed": tuple(n for n in before if n not in after) if after else (),
    }
    if not pair.key or not set(pair.key) <= set(shared):
        return TableChanges(
            **facts, added=facts["right_rows"] or 0, removed=facts["left_rows"] or 0
        )
    skip = skipped if pair.place == STATISTICS else frozenset()
    compared = [n for n in shared if n not in pair.key and n not in skip]
    unequal = {n: _unequal(n, after[n], _tolerance(pair, n, tolerances)) for n in compared}
    _join(con, pair, unequal)
    return TableChanges(**facts, **_summary(con, unequal), **_listed(con, pair, compared, limit))


def _columns(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return {row[0]: row[1] for row in described}


def _count(con: duckdb.DuckDBPyConnection, path: Path) -> int | None:
    if not path.exists():
        return None
    row = con.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
    return int(row[0]) if row else 0


def _tolerance(pair: Pair, column: str, tolerances: Mapping[str, float]) -> float:
    table = pair.place.split("/")[1]
    return tolerances.get(f"{table}.{column}", tolerances.get(column, 0.0))


def _unequal(column: str, kind: str, tolerance: float) -> str:
    a, b = f'l."{column}"', f'r."{column}"'
    if not tolerance or not _numeric(kind):
        return f"{a} IS DISTINCT FROM {b}"
    return (
        f"({a} IS NULL) <> ({b} IS NULL) OR coalesce(abs({a}::DOUBLE - {b}::DOUBLE), 0) > "
        f"{tolerance!r}"
    )


def _numeric(kind: str) -> bool:
    return kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER"))


def _join(con: duckdb.DuckDBPyConnection, pair: Pair, unequal: Mapping[str, str]) -> None:
    """Keep the rows that differ as `d`: kind, the columns that differ, and both sides."""
    marks = [f"CASE WHEN {sql} THEN '{name}' END" for name, sql in unequal.items()]
    columns = f"list_filter([{', '.join(marks)}]::VARCHAR[], lambda x: x IS NOT NULL)"
    on = " AND ".join(f'l."{n}" = r."{n}"' for n in pair.key)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE d AS
        SELECT * FROM (
            SELECT CASE WHEN l._in IS NULL THEN 'added' WHEN r._in IS NULL THEN 'removed'
                        ELSE 'changed' END AS kind,
                   CASE WHEN l._in AND r._in THEN {columns} ELSE [] END AS columns,
                   l, r
            FROM (SELECT *, true AS _in FROM {read_parquet(pair.left)}) l
            FULL JOIN (SELECT *, true AS _in FROM {read_parquet(pair.right)}) r ON {on})
        WHERE kind <> 'changed' OR len(columns) > 0
        """
    )


def _summary(con: duckdb.DuckDBPyConnection, unequal: Mapping[str, str]) -> dict[str, Any]:
    kinds = dict(con.execute("SELECT kind, count(*) FROM d GROUP BY kind").fetchall())
    by_column = dict(
        con.execute(
            "SELECT name, count(*) FROM (SELECT unnest(columns) AS name FROM d) GROUP BY name"
        ).fetchall()
    )
    return {
        **{kind: kinds.get(kind, 0) for kind in ("added", "removed", "changed")},
        "columns": {n: by_column[n] for n in unequal if n in by_column},
    }


def _listed(
    con: duckdb.DuckDBPyConnection, pair: Pair, compared: list[str], limit: int
) -> dict[str, Any]:
    keys = ", ".join(f'coalesce(l."{n}", r."{n}") AS "{n}"' for n in pair.key)
    order = ", ".join(f'"{n}"' for n in pair.key)
    differences = con.execute(
        f"SELECT kind, columns, {keys}, l, r FROM d ORDER BY {order} LIMIT {limit}"
    ).fetchall()
    total = con.execute("SELECT count(*) FROM d").fetchone()
    rows, cells = [], []
    for kind, columns, *values, before, after in differences:
        named = dict(zip(pair.key, map(_plain, values), strict=True))
        rows.append(RowChange(key=named, kind=kind, columns=tuple(columns)))
        if pair.place.startswith("outcomes/") and kind == "changed":
            cells += [
                CellChange(key=named, column=n, old=_plain(before[n]), new=_plain(after[n]))
                for n in compared
                if n in columns
            ]
    left_out = (total[0] if total else 0) - len(rows)
    return {"rows": tuple(rows), "rows_left_out": left_out, "cells": tuple(cells)}


def _plain(value: Any) -> Scalar:
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if hasattr(value, "__float__") else str(value)


def _statistics(
    con: duckdb.DuckDBPyConnection,
    pair: Pair,
    both: definitions.BothDefinitions,
    *,
    defined: bool,
) -> Iterator[StatisticChange]:
    """Statistics that differ; `defined` where their definitions can be compared."""
    if not pair.left.exists() or not pair.right.exists():
        return
    rows = con.execute(
        """
        SELECT coalesce(l.statistic_id, r.statistic_id) AS id, coalesce(r.label, l.label),
               coalesce(r.unit, l.unit),
               CASE WHEN l.statistic_id IS NULL THEN 'added'
                    WHEN r.statistic_id IS NULL THEN 'removed' ELSE 'changed' END,
               coalesce($defined AND l.definition <> r.definition, false),
               l.value, r.value, r.value - l.value,
               l.lower, r.lower, l.upper, r.upper, l.n, r.n, l.total, r.total,
               l.definition, r.definition
        FROM read_parquet($left) l FULL JOIN read_parquet($right) r USING (statistic_id)
        WHERE l.statistic_id IS NULL OR r.statistic_id IS NULL
           OR l.value IS DISTINCT FROM r.value OR l.n IS DISTINCT FROM r.n
           OR l.lower IS DISTINCT FROM r.lower OR l.upper IS DISTINCT FROM r.upper
           OR l.total IS DISTINCT FROM r.total OR ($defined AND l.definition <> r.definition)
        ORDER BY id
        """,
        {"left": str(pair.left), "right": str(pair.right), "defined": defined},
    ).fetchall()
    names = [n for n in StatisticChange.model_fields if n != "redefined_by"]
    for *row, before, after in rows:
        found = dict(zip(names, row, strict=True))
        keys = both.differ_in(before, after) if found["redefined"] else ()
        yield StatisticChange(**found, redefined_by=keys)


def _tolerated(
    moved: list[StatisticChange], tables: tuple[TableChanges, ...]
) -> list[StatisticChange]:
    """Of the statistics, those whose row differs beyond the tolerances."""
    table = next((t for t in tables if t.table == STATISTICS.replace("/", ".")), None)
    if table is None:
        return []
    if table.rows_left_out:
        return moved
    differing = {r.key["statistic_id"] for r in table.rows}
    return [s for s in moved if s.statistic_id in differing]


def _differs(table: TableChanges) -> bool:
    counted = table.added or table.removed or table.changed
    shaped = table.columns_added or table.columns_removed
    return bool(counted or shaped or (table.left_rows is None) != (table.right_rows is None))


def _check_tolerances(
    con: duckdb.DuckDBPyConnection, pairs: list[Pair], tolerances: Mapping[str, float]
) -> None:
    units: set[str] = set()
    for pair in pairs:
        for name in _columns(con, pair.right if pair.right.exists() else pair.left):
            units |= {name, f"{pair.place.split('/')[1]}.{name}"}
    for name in tolerances:
        if name not in units:
            near = get_close_matches(name, sorted(units), n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else "Name a column of a release."
            raise Refused(f"tolerance {name}: no table has such a column. {hint}")
