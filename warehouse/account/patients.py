"""Share a changed number between patients, and list the changed cells of their export.

Two worlds that differ in their deliveries alone. A proportion is split exactly: n and total are
sums over patients, and the change of a quotient is shared between numerator and denominator by
their Shapley values. A median or a hazard ratio has no such sum: there, each patient is put back as
before, one at a time, and what the single effects do not add up to is shown as the remainder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ibis

from schemas.contract import options
from schemas.statistic_ids import of_population, population_of, slug_column, table_of
from warehouse.account import scenarios as worlds
from warehouse.account.cells import CellChanges, changed_cells
from warehouse.account.scenarios import PROVENANCE, Known, Workshop, World
from warehouse.engine.lineage import derivations
from warehouse.engine.lineage_facts import reach

MOST_PATIENTS = 20
"""Patients put back one at a time; what more have done stands in the remainder."""


@dataclass(frozen=True, slots=True)
class PatientShare:
    """What one patient's change contributed, and the cells behind it."""

    subject_id: str
    contribution: Fraction
    cells: tuple[CellChanges, ...]


@dataclass(frozen=True, slots=True)
class PatientShares:
    """The change of the data over patients; shares and remainder sum to it exactly."""

    change: Fraction
    method: str
    patients: tuple[PatientShare, ...]
    remainder: Fraction
    n_without_effect: int
    n_left_out: int


def patients(
    shop: Workshop, before: World, after: World, statistic: Mapping[str, Any]
) -> PatientShares | None:
    """Split the change between two worlds over patients; None where a world has no such number."""
    name = str(statistic["statistic_id"])
    target = table_of(name)
    old, new = (worlds.derived(shop, w, target) for w in (before, after))
    values = [worlds.estimate(shop, k, after.settings, name) for k in (old, new)]
    if any(v is None or v.value is None for v in values):
        return None
    change = Fraction(values[1].value) - Fraction(values[0].value)  # type: ignore[union-attr, arg-type]
    changed = _changed(shop, old, new)
    left_out = 0
    shares = _exact(shop, old, new, after, statistic, changed, change)
    method = "exact"
    if shares is not None:
        change = sum(shares.values(), Fraction(0))  # the published quotient, before its rounding
    else:
        method = "leave one change out"
        left_out = max(len(changed) - MOST_PATIENTS, 0)
        shares = _left_out(shop, old, new, after, name, changed[:MOST_PATIENTS])
    moving = {s: share for s, share in shares.items() if share}
    cells = changed_cells(shop, before, after, tuple(moving), _told(shop, name))
    told = [PatientShare(s, share, tuple(cells.get(s, ()))) for s, share in moving.items()]
    return PatientShares(
        change=change,
        method=method,
        patients=tuple(sorted(told, key=lambda p: (-abs(p.contribution), p.subject_id))),
        remainder=change - sum(moving.values(), Fraction(0)),
        n_without_effect=len(shares) - len(moving),
        n_left_out=left_out,
    )


def _told(shop: Workshop, statistic: str) -> set[str]:
    """Tables whose cells are named.

    Who meets the criteria moves one population; to the others the rules, which read nearly every
    table, are nothing.
    """
    target, population = table_of(statistic), population_of(statistic)
    judged = population == "per_criteria" or "eligibility" in worlds.frontier(target)
    return reach(shop.store).upstream(target, "" if judged else "eligibility")


def split_quotient(
    left: tuple[int, int], right: tuple[int, int], moves: Mapping[str, tuple[int, int]]
) -> dict[str, Fraction]:
    """Share the change of n / total, times 100, over those who changed n or total.

    Args:
        left: n and total before, total positive.
        right: n and total after, total positive.
        moves: who -> change of n, change of total; they sum to the whole change.

    Returns:
        Percentage points; they sum to 100 * (n / total after - n / total before) exactly, because
        the Shapley values of numerator and denominator do.
    """
    (n0, t0), (n1, t1) = left, right
    by_n = (Fraction(1, t0) + Fraction(1, t1)) / 2
    by_total = -Fraction(n0 + n1, 2 * t0 * t1)
    return {who: 100 * (dn * by_n + dt * by_total) for who, (dn, dt) in moves.items()}


def _changed(shop: Workshop, old: Known, new: Known) -> list[str]:
    """Subjects whose rows differ in what the statistic is estimated from."""
    subjects: set[str] = set()
    for name in old:
        mine, theirs = old[name], new[name]
        if mine.digest == theirs.digest or "subject_id" not in mine.table.columns:
            continue
        columns = ", ".join(f'"{c}"' for c in mine.table.columns if c not in PROVENANCE)
        a, b = (f"SELECT {columns} FROM {t.table.get_name()}" for t in (mine, theirs))
        rows = shop.con.raw_sql(
            f"SELECT DISTINCT subject_id FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"
        ).fetchall()
        subjects |= {s for (s,) in rows}
    return sorted(subjects)


def _exact(
    shop: Workshop,
    old: Known,
    new: Known,
    world: World,
    statistic: Mapping[str, Any],
    changed: Sequence[str],
    change: Fraction,
) -> dict[str, Fraction] | None:
    """Shares of a percentage or a count, or None where it is no sum over patients."""
    if statistic["method"] not in ("proportion", "count") or "population_members" not in old:
        return None
    name = str(statistic["statistic_id"])
    whole = [worlds.estimate(shop, k, world.settings, name) for k in (old, new)]
    sides = [_per_patient(shop, k, world, name, changed) for k in (old, new)]
    moves = {s: (sides[1][s][0] - sides[0][s][0], sides[1][s][1] - sides[0][s][1]) for s in changed}
    counts = [(int(a.n or 0), int(a.total or 0)) for a in whole if a]
    sums = (sum(m[0] for m in moves.values()), sum(m[1] for m in moves.values()))
    if sums[0] != counts[1][0] - counts[0][0]:
        return None
    if statistic["unit"] != "%":
        return {s: Fraction(n) for s, (n, _) in moves.items()} if sums[0] == change else None
    if sums[1] != counts[1][1] - counts[0][1] or not (counts[0][1] and counts[1][1]):
        return None
    return split_quotient(counts[0], counts[1], moves)


def _per_patient(
    shop: Workshop, tables: Known, world: World, statistic: str, subjects: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Numerator and total of each subject alone: every one of them is a population of its own."""
    members = tables["population_members"].table
    same = slug_column(members.population) == population_of(statistic)
    alone = members.filter(same, members.subject_id.isin(subjects))
    alone = alone.mutate(population=alone.subject_id)
    single = dict(tables) | {"population_members": worlds.kept(shop, "population_members", alone)}
    response = world.settings.response.model_copy(update={"bootstrap_samples": 100})
    settings = world.settings.model_copy(update={"response": response})
    table = worlds.outcome(shop, single, settings, statistic)
    ids = {of_population(statistic, s): s for s in subjects}
    n, total = _columns(statistic)
    of_statistic = table.filter(table.statistic_id.isin(list(ids))).select(
        "statistic_id", n=table[n], total=table[total] if total else ibis.literal(0)
    )
    counted = {ids[r["statistic_id"]]: r for r in of_statistic.to_pyarrow().to_pylist()}
    none: dict[str, Any] = {"n": 0, "total": 0}
    each = {s: counted.get(s, none) for s in subjects}
    return {s: (int(r["n"] or 0), int(r["total"] or 0)) for s, r in each.items()}


def _columns(statistic: str) -> tuple[str, str | None]:
    declared = options(derivations()[table_of(statistic)].contract).statistics[0]
    return str(declared.n), declared.total


def _left_out(
    shop: Workshop, old: Known, new: Known, world: World, statistic: str, changed: Sequence[str]
) -> dict[str, Fraction]:
    """The number as it is, less the number with one patient as before."""
    now = worlds.estimate(shop, new, world.settings, statistic)
    shares: dict[str, Fraction] = {}
    for subject in changed:
        tables = worlds.mixed(shop, new, old, (subject,))
        without = worlds.estimate(shop, tables, world.settings, statistic)
        if now and without and now.value is not None and without.value is not None:
            shares[subject] = Fraction(now.value) - Fraction(without.value)
    return shares
