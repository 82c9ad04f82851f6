"""Quartiles of times to an event, and curves read at landmarks in days.

They are read off the same curves as medians and landmarks in months, and published beside them. A
quartile is the time by which 25 or 75 % have had the event, its limits the inverted band, both by
R's rule: the midpoint where the curve rests on the level. By lesion a mean has no interval.

Source: Brookmeyer and Crowley 1982; R 4.2.2, survival 3.5-3 (quantile.survfit, survmean).
"""

from statistics import NormalDist
from typing import Any

import ibis

from analytics.estimators.event_counts import Group, groups
from analytics.estimators.kaplan_meier import Curve, quantile, restricted_mean, survival_at
from analytics.outcomes.survival import (
    DEPENDENT,
    drawn_curves,
    has_limits,
    in_months,
    published,
    underivable,
)
from schemas.contract import EXACT_DAYS, Table, empty
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column
from schemas.tables.intermediate import (
    EndpointCriterion,
    EventCounts,
    LesionPairs,
    PopulationMembers,
)
from schemas.tables.marts import TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.survival import QUARTILES, SurvivalAtDays, SurvivalQuartiles


def survival_quartiles(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    lesion_pairs: Table[LesionPairs],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[SurvivalQuartiles]:
    """Give the times by which a quarter and three quarters have had each event."""
    counted = groups(event_counts)
    records = [
        _quartile(group, curve, percent)
        for group, curve in drawn_curves(counted, lesion_pairs, settings)
        for percent in QUARTILES
    ]
    missing = [
        key.record()
        | {"event_pct": percent, "n": 0, "events": 0, "not_reached": False, "reason": reason}
        for key, reason in underivable(counted, population_members, endpoint_criterion)
        for percent in QUARTILES
    ]
    return published(records + missing, SurvivalQuartiles)


def survival_at_days(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    lesion_pairs: Table[LesionPairs],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[SurvivalAtDays]:
    """Read each curve at the landmarks in days, and its area up to them."""
    if not settings.landmarks_days:
        return published([], SurvivalAtDays)
    counted = groups(event_counts)
    records = [
        _at(group, curve, days)
        for group, curve in drawn_curves(counted, lesion_pairs, settings)
        for days in settings.landmarks_days
    ]
    missing = [
        key.record() | {"days": days, "at_risk": 0, "n": 0, "reason": reason}
        for key, reason in underivable(counted, population_members, endpoint_criterion)
        for days in settings.landmarks_days
    ]
    return published(records + missing, SurvivalAtDays)


def survival_at_days_sets(
    time_to_event: Table[TimeToEvent], *, settings: SurvivalSettings
) -> Table[MemberSets]:
    """Name who is at risk at each landmark in days."""
    level = (time_to_event.lesion_number > 0).ifelse("lesion", "subject")
    nothing = ibis.literal("")
    curve = set_id_column("survival_at_days", time_to_event.endpoint, level, nothing, nothing)
    parts = [
        time_to_event.filter(time_to_event.time_days >= ibis.literal(days, type=EXACT_DAYS)).select(
            set_id=curve.concat(f".{days}"),
            subject_id="subject_id",
            lesion_number="lesion_number",
        )
        for days in settings.landmarks_days
    ]
    return ibis.union(*parts) if parts else empty(MemberSets)


def _quartile(group: Group, curve: Curve, percent: int) -> dict[str, Any]:
    estimate = quantile(curve, percent / 100)
    events = int(group.table.events.sum())
    banded = has_limits(group, curve)
    return group.key.record() | {
        "event_pct": percent,
        "n": group.table.n,
        "events": events,
        "quartile_months": in_months(estimate.value),
        "lower": in_months(estimate.lower) if banded else None,
        "upper": in_months(estimate.upper) if banded else None,
        "not_reached": estimate.not_reached,
        "reason": "no_events" if events == 0 else None if banded else DEPENDENT,
    }


def _at(group: Group, curve: Curve, days: int) -> dict[str, Any]:
    read = survival_at(curve, days)
    of_patients = group.key.level == "subject"
    bounded = of_patients or read.lower is not None or read.value == 0
    record = group.key.record() | {
        "days": days,
        "survival": read.value,
        "std_err": read.std_err,
        "lower": read.lower,
        "upper": read.upper,
        "at_risk": read.at_risk,
        "n": group.table.n,
        "reason": read.reason or (None if bounded else DEPENDENT),
    }
    mean = restricted_mean(curve, days)
    if mean.value is None or mean.std_err is None or mean.extended:
        return record
    if not of_patients:
        return record | {"mean_days": mean.value, "reason": record["reason"] or DEPENDENT}
    reach = NormalDist().inv_cdf((1 + curve.conf_level) / 2) * mean.std_err
    return record | {
        "mean_days": mean.value,
        "se_days": mean.std_err,
        "mean_lower": max(mean.value - reach, 0.0),
        "mean_upper": min(mean.value + reach, float(days)),
    }
