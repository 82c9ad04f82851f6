"""A registry that grows for three years, and every bundle that it tells in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.pooled.attacker import MONTH, Night, Told
from warehouse.bundles import bundle, comparisons, counts, curves, memory
from warehouse.bundles.draft import Unit
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import Curve, Factor
from warehouse.engine.connections import connection
from warehouse.sharing.withholding import withheld
from warehouse.store import Store

FACTORS = ("ecog0", "alb35")
CHOSEN = curves.Chosen((12, 24), (), True)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Patients in the order in which they come, and what was told of them night by night."""

    nights: dict[str, Night]
    told: list[Told]
    levels: dict[str, np.ndarray]


def lived(
    size: int, seed: int, months: Iterable[int], store: Store, *, late_are_bad: bool = False
) -> World:
    """Let a registry grow to `size` patients, and tell each night what it may."""
    draw = np.random.default_rng(seed)
    arrival = np.sort(
        np.concatenate([draw.uniform(-24, 0, size // 2), draw.uniform(0, 34, size - size // 2)])
    )
    death = (draw.exponential(18, size) * MONTH).round() + 1
    levels = {f: draw.random(size) < 0.45 for f in FACTORS}
    if late_are_bad:
        levels = {f: np.where(np.arange(size) < size // 2, own, True) for f, own in levels.items()}
    world = World({}, [], levels)
    for month in months:
        here = int((arrival < month).sum())
        reach = ((month - arrival[:here]) * MONTH).round() + 1
        night = Night(np.minimum(death[:here], reach), death[:here] <= reach)
        name = f"2024-{month:02d}"
        world.nights[name] = night
        world.told.append(tell(store, name, night, levels))
    return world


def tell(store: Store, name: str, night: Night, levels: dict[str, np.ndarray]) -> Told:
    """What a night's bundle tells."""
    subjects = tuple(f"p{k:04d}" for k in range(len(night.days)))
    curve = Curve(subjects, night.days, night.event)
    factors = [
        Factor(f, "yes", dict(zip(subjects, own.tolist(), strict=False)))
        for f, own in levels.items()
    ]
    source: Any = SimpleNamespace(
        curves={"OS": curve, "PFS": curve}, factors=factors, size=len(subjects)
    )
    before = memory.earlier(store)
    units: dict[str, Unit] = {}
    for factor in factors:
        units |= dict(counted(factor, subjects))
    units |= dict(curves.units(source, CHOSEN, lambda e: memory.edges(before, e)))
    units |= dict(comparisons.units(source, memory.spent(before)))
    with connection() as con:
        found = memory.compare(con, before, units)
    tables: dict[str, list[Any]] = {table: [] for table in bundle.BY_NAME}
    for unit in units:
        fresh = found.fresh.get(unit)
        rows = bundle._stamped(fresh, name).rows if fresh else found.repeated[unit]
        for table, listed in rows.items():
            tables[table] += listed
    stamped = {n: bundle._stamped(u, name) for n, u in units.items()}
    memory.keep(store, {"bundle_sha256": name}, found, stamped, bundle._bits(found))
    return Told(tables)


def counted(factor: Factor, subjects: Sequence[str]) -> Iterable[tuple[str, Unit]]:
    """How many are at the bad level, by the suppression of public tables."""
    bad = frozenset((s, 0) for s in subjects if factor.bad[s])
    good = frozenset((s, 0) for s in subjects if not factor.bad[s])
    hidden = withheld(
        {"bad": frozenset({"bad"})}, {"bad": bad, "good": good}, frozenset({"bad", "good"}),
        POLICY.small_cell.value,
    )  # fmt: skip
    row = {"statistic_id": f"level.{factor.name}", "n": len(bad), "total": len(subjects)}
    unit = counts._unit(row | {"suppressed": bool(hidden)}, {row["statistic_id"]: bad})
    yield row["statistic_id"], unit
