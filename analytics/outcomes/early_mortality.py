"""Deaths of any cause in the first weeks and months, counted and estimated.

Counted: deaths up to a day over the patients who are dead by then or were followed to it. Whoever
was lost before is in neither count, and their number stands beside it; so is whoever is dead at an
unknown date and was last known alive before the day. Estimated: 1 - Kaplan-Meier of all treated,
which uses everybody as long as they were followed.

Source: Clopper and Pearson, Biometrika 1934;26:404; Kaplan and Meier 1958. Series report 30-, 90-
and 180-day mortality (CIRT; Brown et al., J Gastrointest Oncol 2021;12:639).
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import groups, populations
from analytics.estimators.kaplan_meier import Curve, kaplan_meier, survival_at
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.codes import DEAD
from schemas.contract import Table, conform, empty, rows
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import EventCounts, PopulationMembers
from schemas.tables.marts import TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.mortality import EarlyMortality

NOBODY = "nobody dead by then or followed so far"


def early_mortality(
    event_counts: Table[EventCounts],
    time_to_event: Table[TimeToEvent],
    population_members: Table[PopulationMembers],
    *,
    settings: SurvivalSettings,
) -> Table[EarlyMortality]:
    """Count and estimate the deaths up to each day."""
    days = settings.early_mortality_days
    counted = fetched_records(_counted, time_to_event, population_members, days=days)
    by_key = {(r["population"], r["days"]): r for r in counted}
    curves = {
        g.key.population: kaplan_meier(g.table, settings.conf_type, settings.conf_level)
        for g in groups(event_counts)
        if (g.key.endpoint, g.key.level, g.key.factor) == ("OS", "subject", "")
    }
    records = []
    for population in populations(population_members):
        for day in days:
            found = by_key.get((population, day), {})
            record = {"population": population, "days": day} | _share(found)
            record |= _estimated(curves.get(population), day)
            records.append(record | {"statistic_id": statistic_id(EarlyMortality, record)})
    return rows(records, EarlyMortality)


def early_mortality_sets(
    time_to_event: Table[TimeToEvent], *, settings: SurvivalSettings
) -> Table[MemberSets]:
    """Name who died up to each day."""
    lived = time_to_event.filter(time_to_event.endpoint == "OS", time_to_event.event)
    parts = [
        lived.filter(lived.time_days <= day).select(
            set_id=ibis.literal(f"early_mortality.{day}"),
            subject_id="subject_id",
            lesion_number=ibis.literal(0, "int64"),
        )
        for day in settings.early_mortality_days
    ]
    return conform(ibis.union(*parts), MemberSets) if parts else empty(MemberSets)


def _counted(
    time_to_event: ir.Table, population_members: ir.Table, *, days: tuple[int, ...]
) -> ir.Table:
    """One row per population and day."""
    lived = time_to_event.filter(time_to_event.endpoint == "OS")
    members = population_members.select("population", "subject_id")
    joined = lived.inner_join(members, "subject_id")
    parts = [_up_to(joined, day) for day in days]
    return ibis.union(*parts)


def _up_to(joined: ir.Table, day: int) -> ir.Table:
    died = joined.event & (joined.time_days <= day)
    lost = ~joined.event & (joined.time_days < day)
    counted = joined.group_by("population").agg(
        n=died.sum(),
        total=(died | (joined.time_days >= day)).sum(),
        n_not_followed=lost.sum(),
        n_undated=(lost & (joined.cause == DEAD)).sum(),
    )
    return counted.mutate(days=ibis.literal(day, "int64"))


def _share(found: dict[str, Any]) -> dict[str, Any]:
    if not found.get("total"):
        nobody = {"n": 0, "total": 0, "n_not_followed": 0, "n_undated": 0}
        return nobody | found | {"reason": NOBODY}
    share = exact(found["n"], found["total"])
    return found | {"pct": share.pct, "lower": share.lower, "upper": share.upper}


def _estimated(curve: Curve | None, day: int) -> dict[str, Any]:
    """The complement of the curve at the day; null where nobody is followed so far."""
    if curve is None:
        return {}
    read = survival_at(curve, float(day))
    return {
        "km_pct": _died(read.value),
        "km_lower": _died(read.upper),
        "km_upper": _died(read.lower),
    }


def _died(survival: float | None) -> float | None:
    return None if survival is None else 100 * (1 - survival)
