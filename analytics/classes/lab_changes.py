"""The course of laboratory values and liver scores: medians by time point, and paired changes.

Who is measured late is who lived and came: medians of two time points are of different patients,
and only the paired changes compare a patient with himself. p is of one time point of one quantity
and not corrected for how many there are.

Source: `analytics.estimators.association.signed_rank`; quartiles after Hyndman and Fan, Am Stat
1996;50:361-365, type 7.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.association.signed_rank import Ranked, signed_rank
from analytics.estimators.event_counts import populations
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.records.analytes import CANONICAL_LAB_UNIT
from schemas.settings import ToxicitySettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.lab_marts import QUANTITIES, LabTimePoints
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.labs import LabChanges

NO_RESULT = "no result near the time point"
NO_VALUE = "every result near the time point is censored or of an unknown unit"
NO_PAIR = "nobody has a value before treatment as well"
ALL_EQUAL = "all differences are zero"
_KEY = ("population", "quantity", "at_days")


def lab_changes(
    lab_time_points: Table[LabTimePoints],
    population_members: Table[PopulationMembers],
    *,
    settings: ToxicitySettings,
) -> Table[LabChanges]:
    """Summarise every quantity at every time point, and its change from before treatment."""
    counted = fetched_records(_summed, lab_time_points, population_members)
    ranked = fetched_records(_ranked, lab_time_points, population_members)
    by_key = {tuple(r[k] for k in _KEY): r for r in counted}
    ranks = {tuple(r[k] for k in _KEY): r for r in ranked}
    records = []
    for population in populations(population_members):
        for quantity in QUANTITIES:
            for at in (0, *(at for _, at, _ in settings.lab_windows)):
                key = (population, quantity, at)
                told = dict(zip(_KEY, key, strict=True)) | {
                    "unit": CANONICAL_LAB_UNIT.get(quantity, "points")
                }
                records.append(told | _told(by_key.get(key), ranks.get(key), at))
    for record in records:
        record["statistic_id"] = statistic_id(LabChanges, record)
    return rows(records, LabChanges)


def lab_changes_sets(lab_time_points: Table[LabTimePoints]) -> Table[MemberSets]:
    """The patients with a value at each time point, and those with one before it as well."""
    t = lab_time_points.filter(lab_time_points.value.notnull())
    name = set_id_column("lab_changes", t.quantity, t.at_days.cast("string"))
    valued = t.select("subject_id", set_id=name, lesion_number=ibis.literal(0, "int64"))
    both = t.filter(t.change.notnull())
    paired = set_id_column("lab_changes", both.quantity, both.at_days.cast("string"))
    pairs = both.select(
        "subject_id", set_id=paired + ".paired", lesion_number=ibis.literal(0, "int64")
    )
    return conform(valued.union(pairs), MemberSets)


def _told(found: dict[str, Any] | None, ranks: dict[str, Any] | None, at: int) -> dict[str, Any]:
    if found is None:
        return {"n": 0, "total": 0, "n_pairs": 0, "n_equal": 0, "reason": NO_RESULT}
    told = {name: value for name, value in found.items() if name not in _KEY}
    if not found["n"]:
        return told | {"reason": NO_VALUE}
    if not at:
        return told
    if not found["n_pairs"]:
        return told | {"reason": NO_PAIR}
    tested = signed_rank(Ranked(**{n: int(ranks[n]) for n in _RANKS})) if ranks else None
    if tested is None:
        return told | {"reason": ALL_EQUAL}
    return told | {"v": tested.v, "p": tested.p, "method": tested.method}


_RANKS = ("n", "n_zero", "twice_v", "ties")


def _of_members(lab_time_points: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    return lab_time_points.inner_join(members, "subject_id")


def _summed(lab_time_points: ir.Table, population_members: ir.Table) -> ir.Table:
    t = _of_members(lab_time_points, population_members)
    return t.group_by(_KEY).agg(
        total=t.count(),
        n=t.value.count(),
        n_pairs=t.change.count(),
        n_equal=(t.change == 0).fill_null(False).sum(),
        **{
            f"{part}{of}": column.quantile(p)
            for of, column in (("", t.value), ("_change", t.change))
            for part, p in (("median", 0.5), ("q1", 0.25), ("q3", 0.75))
        },
    )


def _ranked(lab_time_points: ir.Table, population_members: ir.Table) -> ir.Table:
    """The ranks of the absolute changes, summed as whole numbers: twice a mean rank is one."""
    t = _of_members(lab_time_points, population_members)
    t = t.filter(t.change.notnull())
    sizes = t.group_by(*_KEY, size=t.change.abs()).agg(tied=t.count(), rises=(t.change > 0).sum())
    zero = sizes["size"] == 0
    counted = sizes.mutate(tied=zero.ifelse(0, sizes.tied), zeros=zero.ifelse(sizes.tied, 0))
    up_to = ibis.window(group_by=_KEY, order_by="size", preceding=(None, 0))
    before = counted.tied.sum().over(up_to) - counted.tied
    placed = counted.mutate(twice=2 * before + counted.tied + 1)
    return placed.group_by(_KEY).agg(
        n=placed.tied.sum(),
        n_zero=placed.zeros.sum(),
        twice_v=(placed.rises * placed.twice).sum(),
        ties=(placed.tied * placed.tied * placed.tied - placed.tied).sum(),
    )
