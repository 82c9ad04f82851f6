"""A registry that grows for three years, and every bundle that it tells in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.pooled.attacker import MONTH, Night, Told
from warehouse.bundles import answers, bundle, comparisons, counts, curves, memory
from warehouse.bundles.draft import Unit
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import Curve, Factor
from warehouse.engine.connections import connection
from warehouse.sharing.withholding import withheld
from warehouse.store import Store

FACTORS = ("ecog0", "alb35")
AT = 0.4
"""The log hazard ratio at which every second round asks."""
CHOSEN = curves.Chosen((12, 24), (), True)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Patients in the order in which they come, and what was told of them night by night."""

    nights: dict[str, Night]
    told: list[Told]
    levels: dict[str, np.ndarray]


def lived(
    size: int,
    seed: int,
    months: Iterable[int],
    store: Store,
    *,
    late_are_bad: bool = False,
    lost_months: float = math.inf,
) -> World:
    """Let a registry grow to `size` patients, and tell each night what it may.

    Args:
        size: patients in the end.
        seed: of everything drawn.
        months: the nights.
        store: where it remembers what it told.
        late_are_bad: whoever comes late is at the bad level of every factor.
        lost_months: mean time until a patient is lost to follow-up.
    """
    draw = np.random.default_rng(seed)
    arrival = np.sort(
        np.concatenate([draw.uniform(-24, 0, size // 2), draw.uniform(0, 34, size - size // 2)])
    )
    death = (draw.exponential(18, size) * MONTH).round() + 1
    levels = {f: draw.random(size) < 0.45 for f in FACTORS}
    if late_are_bad:
        levels = {f: np.where(np.arange(size) < size // 2, own, True) for f, own in levels.items()}
    lost = np.full(size, math.inf)
    if lost_months < math.inf:
        lost = (draw.exponential(lost_months, size) * MONTH).round() + 1
    world = World({}, [], levels)
    for month in months:
        here = int((arrival < month).sum())
        reach = ((month - arrival[:here]) * MONTH).round() + 1
        reach = np.minimum(reach, lost[:here])
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
    facts = {"bundle_sha256": name, "as_of": name}
    memory.keep(store, facts, found, stamped, bundle._bits(found))
    answer(store, source, name, tables["comparisons"])
    return Told(tables)


def answer(store: Store, source: Any, name: str, rows: list[Any]) -> None:
    """Add to what is new the answer of a second round, as far as the budget allows."""
    before = memory.earlier(store)
    found = answers._Found([], [], [], {})
    fresh = [r for r in rows if r["as_of"] == name]
    for row in fresh:
        given = (row["endpoint"], (row["factor"],), (row["statistic_id"],), (AT,), ())
        spent = memory.spent(before)
        for family, bits in found.bits.items():
            spent[family] = spent.get(family, 0.0) + bits
        answers._one(source, answers.Question(*given), before[-1], spent, found)
    memory.keep_answer(store, {"answered": found.units}, found.bits)
    by = {r["statistics"][0]: r for r in found.rows}
    for row in fresh:
        if told := by.get(row["statistic_id"]):
            row["answers"] = [(AT, told["score"][0], told["information"][0][0])]


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
    if not hidden:
        parts = {f"level/bad/{factor.name}": bad, f"level/good/{factor.name}": good}
        unit = replace(unit, parts={**unit.parts, **parts})
    yield row["statistic_id"], unit
