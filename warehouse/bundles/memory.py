"""What earlier bundles told of whom: a change by few patients is held back, and bits are summed.

Two bundles that count the same but for a few patients give these away, so that every number is
compared with every bundle before: whom it counts must be the same, or differ by enough patients,
and these must not be all alike: the new patients of a factor are of both levels, and so are those
whose event is new. The same holds between numbers of a factor that are told for several endpoints,
or as a count: their difference is of whom they do not share. New exits of a bin must not be few and
all alike. Longer follow-up of the living is no change: it would hide a single death in the crowd.
What is held back keeps its old value under its old date.

One folder a bundle in state/pool: told.json, members.parquet, and its tables. It is kept before the
bundle appears, so that none is in the world and forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.bundles import linking
from warehouse.bundles.draft import DAYS, EVENTS, LEVEL, SIDES, Row, Unit
from warehouse.bundles.policy import POLICY
from warehouse.store import Store, make_private, new_folder

MEMBERS = pa.schema(
    [("unit", pa.string()), ("part", pa.string()), ("subject_id", pa.string()),
     ("lesion_number", pa.int64())]
)  # fmt: skip
UNTIL = "{more} more patients who change it free it"
LINKED = "beside another number of the same factor few patients would be known: more free it"
NOT_MIXED = "the changed patients are all of one kind: some of the other kind free it"


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier bundle."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def units(self) -> Mapping[str, Mapping[str, Any]]:
        """Unit -> its numbers, its rows and its edges, as they left."""
        return dict(self.facts["units"])


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A unit that keeps its old value, and what frees it."""

    unit: str
    changed: int
    frees: str


@dataclass(slots=True)
class Compared:
    """A bundle's units after comparison: fresh ones, and those held back with their old rows."""

    fresh: dict[str, Unit] = field(default_factory=dict)
    repeated: dict[str, Mapping[str, list[Row]]] = field(default_factory=dict)
    held: list[HeldBack] = field(default_factory=list)


def earlier(store: Store) -> list[Told]:
    """Every bundle and answer told so far, oldest first."""
    folder = store.state / "pool"
    found = sorted(folder.glob("[0-9]*/told.json")) if folder.is_dir() else []
    return [Told(p.parent, json.loads(p.read_text("utf-8"))) for p in found]


def spent(before: list[Told]) -> dict[str, float]:
    """Family -> bits given so far."""
    total: dict[str, float] = {}
    for told in before:
        for family, bits in told.facts["bits"].items():
            total[family] = total.get(family, 0.0) + bits
    return total


def edges(before: list[Told], endpoint: str) -> tuple[int, ...] | None:
    """Where bins may end up to the last month told so far: at an edge of every earlier curve."""
    told = [set(t.units[f"curve {endpoint}"]["edges"]) for t in before
            if f"curve {endpoint}" in t.units]  # fmt: skip
    if not told:
        return None
    last = max(max(e) for e in told)
    shared = {month for e in told for month in e if all(month in o or month > max(o) for o in told)}
    return tuple(sorted({*shared, last}))


def compare(
    con: duckdb.DuckDBPyConnection, before: list[Told], units: Mapping[str, Unit]
) -> Compared:
    """Hold back what differs from an earlier bundle by few patients."""
    con.register("now", members(units))
    compared = Compared()
    reasons: dict[str, HeldBack] = {}
    for told in before:
        for held in _held(con, told, units):
            reasons.setdefault(held.unit, held)
    told_of = linking.earlier(t.folder / "members.parquet" for t in before)
    for name, unit in units.items():
        why = reasons.get(name)
        if why is None and (changed := told_of.few(unit)) is not None:
            why = HeldBack(name, changed, LINKED)
        if why is None:
            told_of.add(unit)
            compared.fresh[name] = unit
            continue
        compared.held.append(why)
        last = next((t for t in reversed(before) if name in t.units), None)
        compared.repeated[name] = last.units[name]["rows"] if last else {}
    return compared


def members(units: Mapping[str, Unit]) -> pa.Table:
    """Whom each part of each unit counts."""
    listed = [
        (name, part, subject, lesion)
        for name, unit in units.items()
        for part, those in unit.parts.items()
        for subject, lesion in sorted(those)
    ]
    columns = list(zip(*listed, strict=True)) if listed else [(), (), (), ()]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, MEMBERS, strict=True)], MEMBERS)


def _held(
    con: duckdb.DuckDBPyConnection, told: Told, units: Mapping[str, Unit]
) -> Iterator[HeldBack]:
    """The units that an earlier bundle and this one together would tell of few patients."""
    changed = _changed(con, told.folder / "members.parquet")
    days = _days(con, told)
    for name, unit in units.items():
        then = told.units.get(name)
        if then is None or not (unit.parts or unit.numbers):
            continue
        parts = {p: n for p, n in changed.get(name, {}).items() if p != DAYS}
        why = _why(name, unit, then["numbers"], parts)
        if why is None and DAYS in unit.parts:
            steps = then["rows"].get("steps", [])
            new = linking.alike_exits(unit, steps, days.get(name, {}))
            why = HeldBack(name, new, NOT_MIXED) if new else None
        if why is not None:
            yield why


def _days(con: duckdb.DuckDBPyConnection, told: Told) -> dict[str, dict[str, int]]:
    """Curve -> on which day each patient left it, as it was told."""
    rows = con.execute(
        "SELECT unit, subject_id, lesion_number FROM read_parquet($path) WHERE part = $days",
        {"path": str(told.folder / "members.parquet"), "days": DAYS},
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for unit, who, day in rows:
        found.setdefault(unit, {})[who] = day
    return found


def _why(
    name: str, unit: Unit, then: Mapping[str, int], parts: Mapping[str, int]
) -> HeldBack | None:
    """Why a unit is held back, if it is.

    Args:
        name: the unit.
        unit: as it is now.
        then: its numbers as they left.
        parts: part -> patients who are in it now or then, not both times.
    """
    few = POLICY.small_cell.value
    moved = {k: abs(n - then.get(k, n)) for k, n in unit.numbers.items()}
    families = _families(unit.parts)
    events = [sum(parts.get(p, 0) for p in own) for k, own in families.items() if k[0] == EVENTS]
    alone = [n for p, n in parts.items() if not p.startswith(EVENTS)]
    least = min((n for n in [*alone, *moved.values(), *events] if n), default=few)
    if least < few:
        return HeldBack(name, least, UNTIL.format(more=few - least))
    sides = [max(moved.get(side, 0), parts.get(side, 0)) for side in SIDES]
    alike = any(sides) and any(
        n == 0 and unit.numbers.get(side, 0) > 0 for side, n in zip(SIDES, sides, strict=True)
    )
    for own in families.values():
        levels = [parts.get(p, 0) for p in own]
        alike = alike or (any(levels) and not all(levels))
    return HeldBack(name, max([*parts.values(), *moved.values()]), NOT_MIXED) if alike else None


def _families(parts: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """(events or level, factor) -> the parts at each level: `level/bad/ecog0` is one."""
    found: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        for kind in (EVENTS, LEVEL):
            if part.startswith(kind):
                found.setdefault((kind, part.rpartition("/")[2]), []).append(part)
    return found


def _changed(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, dict[str, int]]:
    """Unit -> part -> patients who are in one of both and not in the other."""
    rows = con.execute(
        """
        WITH other AS (FROM read_parquet($path)),
        apart AS (
            (SELECT * FROM now EXCEPT SELECT * FROM other)
            UNION ALL (SELECT * FROM other EXCEPT SELECT * FROM now)
        )
        SELECT unit, part, count(DISTINCT subject_id) FROM apart GROUP BY ALL
        """,
        {"path": str(path)},
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for unit, part, number in rows:
        found.setdefault(unit, {})[part] = number
    return found


def keep(
    store: Store,
    facts: Mapping[str, Any],
    compared: Compared,
    units: Mapping[str, Unit],
    bits: Mapping[str, float],
) -> None:
    """Remember a bundle: what of it is new, whom that counts, and the bits that it gives.

    Who is purged later stays in what is remembered, under the pseudonym that the tombstone keeps as
    well: that bundle is in the world, and a further one without the patient tells of one patient.
    """
    fresh = {name: units[name] for name in compared.fresh}
    told = {
        name: {"numbers": dict(u.numbers), "rows": u.rows, "edges": list(u.edges)}
        for name, u in fresh.items()
        if u.parts or u.numbers
    }
    _write(store, {**facts, "units": told, "bits": dict(bits)}, members(fresh), {})


def keep_answer(
    store: Store,
    facts: Mapping[str, Any],
    bits: Mapping[str, float],
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Remember an answer of the second round: the bits that it gives, and its files."""
    _write(store, {**facts, "units": {}, "bits": dict(bits)}, members({}), files or {})


def _write(
    store: Store, facts: Mapping[str, Any], counted: pa.Table, files: Mapping[str, bytes]
) -> None:
    folder = store.state / "pool"
    make_private(folder)
    number = len(list(folder.glob("[0-9]*"))) + 1
    with new_folder(folder / f"{number:05d}") as new:
        pq.write_table(counted, new / "members.parquet", compression="zstd")
        text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
        (new / "told.json").write_text(text + "\n", "utf-8")
        for name, content in files.items():
            (new / name).write_bytes(content)
