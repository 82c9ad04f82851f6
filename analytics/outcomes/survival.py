"""Curves, landmarks, medians and follow-up of time to event, from counts per distinct time.

The estimators are in `analytics.estimators.kaplan_meier`; here they meet the published tables.
Times are days, whole or as exact as they were delivered; a month is 30.4375 days, so that 12
months are 365.25 days. Both rules for a median where the curve rests on exactly one half are
published side by side.

Lesions of one patient are not independent: intervals by lesion add up the influence of each
patient's lesions first (`analytics.estimators.clustered`). Restricted means by lesion have none.

Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982; Schemper and Smith 1996 (follow-up);
Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 for what is tabulated.
"""

from collections.abc import Iterable, Iterator
from statistics import NormalDist
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from analytics.estimators.clustered import Pairs, clustered
from analytics.estimators.event_counts import Group, Key, groups, pairs_of, populations
from analytics.estimators.kaplan_meier import (
    Curve,
    EventTable,
    FloatArray,
    IntArray,
    QuantileRule,
    kaplan_meier,
    median,
    restricted_mean,
    reverse,
)
from analytics.estimators.kaplan_meier import survival_at as level_at
from analytics.fetched import fetched_records, whole
from schemas.codes import ASIDE, DEAD
from schemas.contract import EXACT_DAYS, Contract, Table, empty, rows, schema
from schemas.records.endpoints import RECORDS, Endpoint
from schemas.records.units import DAYS_PER_UNIT
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import (
    EndpointCriterion,
    EventCounts,
    LesionPairs,
    PopulationMembers,
)
from schemas.tables.marts import Subjects, TimeToEvent
from schemas.tables.outcomes import (
    FollowUp,
    MemberSets,
    RestrictedMeans,
    SurvivalCurves,
    SurvivalLandmarks,
    SurvivalMedians,
)

DAYS_PER_MONTH = float(DAYS_PER_UNIT["months"])
"""30.4375, which a double holds exactly."""
LIMITS = ("std_err", "lower", "upper")
RULES: tuple[QuantileRule, ...] = ("midpoint", "first_at_or_below")
NOBODY = EventTable(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
QUARTILES = "quartiles, type 7"
DEPENDENT = "no interval: lesions of one patient are not independent"
NO_PAIRS = Pairs(*(np.empty(0, kind) for kind in (float, np.int64, float, np.int64, np.int64)))


def survival_curves(
    event_counts: Table[EventCounts],
    lesion_pairs: Table[LesionPairs],
    *,
    settings: SurvivalSettings,
) -> Table[SurvivalCurves]:
    """Estimate each curve at its distinct times."""
    drawn = drawn_curves(groups(event_counts), lesion_pairs, settings)
    parts = [_points(group, curve) for group, curve in drawn]
    if not parts:
        return empty(SurvivalCurves)
    return ibis.memtable(pa.concat_tables(parts), schema=schema(SurvivalCurves))


def survival_landmarks(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    lesion_pairs: Table[LesionPairs],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[SurvivalLandmarks]:
    """Read each curve at the landmarks; null with a reason where nobody is followed so far."""
    counted = groups(event_counts)
    records = [
        _landmark(group, curve, months)
        for group, curve in drawn_curves(counted, lesion_pairs, settings)
        for months in settings.landmarks_months
    ]
    missing = [
        key.record() | {"months": months, "at_risk": 0, "n": 0, "n_reported": 0, "reason": reason}
        for key, reason in underivable(counted, population_members, endpoint_criterion)
        for months in settings.landmarks_months
    ]
    return published(records + missing, SurvivalLandmarks)


def survival_medians(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    lesion_pairs: Table[LesionPairs],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[SurvivalMedians]:
    """Give each curve's median under both rules."""
    counted = groups(event_counts)
    records = [
        _median(group, curve, rule)
        for group, curve in drawn_curves(counted, lesion_pairs, settings)
        for rule in RULES
    ]
    missing = [
        key.record()
        | {"rule": rule, "n": 0, "n_reported": 0, "events": 0, "not_reached": False}
        | {"reason": reason}
        for key, reason in underivable(counted, population_members, endpoint_criterion)
        for rule in RULES
    ]
    return published(records + missing, SurvivalMedians)


def restricted_means(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[RestrictedMeans]:
    """Average the time free of the event up to each horizon; null where nobody is followed so far.

    R would carry the last level of the curve on to the horizon (`print(fit, rmean = tau)`).
    """
    counted = groups(event_counts)
    records = [
        _restricted(group, curve, months, settings.conf_level)
        for group in counted
        for curve in [_curve(group.table, settings)]
        for months in settings.restricted_mean_months
    ]
    missing = [
        key.record() | {"months": months, "n": 0, "events": 0, "reason": reason}
        for key, reason in underivable(counted, population_members, endpoint_criterion)
        for months in settings.restricted_mean_months
    ]
    return published(records + missing, RestrictedMeans)


def follow_up(
    event_counts: Table[EventCounts],
    population_members: Table[PopulationMembers],
    subjects: Table[Subjects],
    time_to_event: Table[TimeToEvent],
    *,
    settings: SurvivalSettings,
) -> Table[FollowUp]:
    """Give the median follow-up of each population by each of four definitions.

    `reverse_km` asks how long one would have been followed had nobody died; `observed_all` and
    `observed_alive` are medians of the times as they are; `imaging` is T0 to the last scan. Who is
    dead at an unknown date is not alive.
    """
    survival = {
        group.key.population: group.table
        for group in groups(event_counts)
        if (group.key.endpoint, group.key.level, group.key.factor) == ("OS", "subject", "")
    }
    imaging = _imaging_days(population_members, subjects)
    unknown = _unknown_ends(population_members, time_to_event)
    records = []
    for population in populations(population_members):
        table = survival.get(population, NOBODY)
        scans = imaging.get(population, (np.empty(0), np.empty(0, np.int64)))
        dead, aside = (unknown.get((population, cause), {}) for cause in (DEAD, ASIDE))
        records += [
            {"population": population, "definition": name} | values
            for name, values in _definitions(table, scans, dead, aside, settings).items()
        ]
    return published(records, FollowUp)


def survival_medians_sets(time_to_event: Table[TimeToEvent]) -> Table[MemberSets]:
    """Name who had each event: `events.<endpoint>.<level>`."""
    happened = time_to_event.filter(time_to_event.event)
    level = (happened.lesion_number > 0).ifelse("lesion", "subject")
    return happened.select(
        set_id=set_id_column("events", happened.endpoint, level),
        subject_id=happened.subject_id,
        lesion_number=happened.lesion_number,
    )


def survival_landmarks_sets(
    time_to_event: Table[TimeToEvent], *, settings: SurvivalSettings
) -> Table[MemberSets]:
    """Name who is at risk at each landmark."""
    level = (time_to_event.lesion_number > 0).ifelse("lesion", "subject")
    nothing = ibis.literal("")
    curve = set_id_column("survival_landmarks", time_to_event.endpoint, level, nothing, nothing)
    parts = [
        time_to_event.filter(time_to_event.time_days >= _exactly(months)).select(
            set_id=curve.concat(f".{months}"),
            subject_id="subject_id",
            lesion_number="lesion_number",
        )
        for months in settings.landmarks_months
    ]
    return ibis.union(*parts) if parts else empty(MemberSets)


def _exactly(months: int) -> ir.DecimalScalar:
    return ibis.literal(months * DAYS_PER_UNIT["months"], type=EXACT_DAYS)


def follow_up_sets(
    time_to_event: Table[TimeToEvent], subjects: Table[Subjects]
) -> Table[MemberSets]:
    """Name whose follow-up each definition measures."""
    lived = time_to_event.filter(time_to_event.endpoint == "OS")
    scanned = subjects.filter(subjects.treated)
    measured = {
        "reverse_km": lived,
        "observed_all": lived,
        "observed_alive": lived.filter(~lived.event & (lived.cause != DEAD)),
        "imaging": scanned,
    }
    parts = [
        table.select(
            set_id=ibis.literal(f"follow_up.{name}"),
            subject_id=table.subject_id,
            lesion_number=ibis.literal(0, type="int64"),
        )
        for name, table in measured.items()
    ]
    return ibis.union(*parts)


def published(records: list[dict[str, Any]], contract: type[Contract]) -> ir.Table:
    """The records as rows of an outcome table, each with its statistic's id."""
    named = [r | {"statistic_id": statistic_id(contract, r)} for r in records]
    return rows(named, contract)


def _curve(table: EventTable, settings: SurvivalSettings) -> Curve:
    return kaplan_meier(table, settings.conf_type, settings.conf_level)


def drawn_curves(
    counted: list[Group], lesion_pairs: ir.Table, settings: SurvivalSettings
) -> Iterator[tuple[Group, Curve]]:
    """Each curve; those of lesions have the error that holds for lesions of patients, or none."""
    lesions = any(group.key.level == "lesion" for group in counted)
    pairs = pairs_of(lesion_pairs) if lesions else {}
    for group in counted:
        curve = _curve(group.table, settings)
        if group.key.level == "lesion":
            own = pairs.get((group.key.population, group.key.endpoint), NO_PAIRS)
            curve = clustered(curve, own)
        yield group, curve


def _points(group: Group, curve: Curve) -> pa.Table:
    length = curve.time.size
    band = {name: pa.array(getattr(curve, name), from_pandas=True) for name in LIMITS}
    constants = {
        name: pa.repeat(pa.scalar(part), length) for name, part in group.key.record().items()
    }
    columns = constants | {
        "time_days": pa.array(curve.time).cast(pa.decimal128(18, 8)),
        "at_risk": pa.array(curve.at_risk),
        "events": pa.array(curve.events),
        "censored": pa.array(curve.censored),
        "survival": pa.array(curve.survival),
    }
    return pa.table(columns | band).select(list(schema(SurvivalCurves)))


def _landmark(group: Group, curve: Curve, months: int) -> dict[str, Any]:
    read = level_at(curve, months * DAYS_PER_MONTH)
    bounded = read.lower is not None or read.value == 0 or group.key.level == "subject"
    return group.key.record() | {
        "months": months,
        "survival": read.value,
        "std_err": read.std_err,
        "lower": read.lower,
        "upper": read.upper,
        "at_risk": read.at_risk,
        "n": group.table.n,
        "n_reported": group.reported,
        "reason": read.reason or (None if bounded else DEPENDENT),
    }


def _median(group: Group, curve: Curve, rule: QuantileRule) -> dict[str, Any]:
    estimate = median(curve, rule)
    events = int(group.table.events.sum())
    banded = has_limits(group, curve)
    return group.key.record() | {
        "rule": rule,
        "n": group.table.n,
        "n_reported": group.reported,
        "events": events,
        "median_months": in_months(estimate.value),
        "lower": in_months(estimate.lower) if banded else None,
        "upper": in_months(estimate.upper) if banded else None,
        "not_reached": estimate.not_reached,
        "reason": "no_events" if events == 0 else None if banded else DEPENDENT,
    }


def has_limits(group: Group, curve: Curve) -> bool:
    """The curve is of patients, or of lesions whose error could be given."""
    return group.key.level == "subject" or bool(np.any(curve.std_err > 0))


def _restricted(group: Group, curve: Curve, months: int, conf_level: float) -> dict[str, Any]:
    tau = months * DAYS_PER_MONTH
    estimate = restricted_mean(curve, tau)
    record = group.key.record() | {
        "months": months,
        "n": group.table.n,
        "events": int(group.table.events[curve.time <= tau].sum()),
    }
    mean, error = in_months(estimate.value), in_months(estimate.std_err)
    if mean is None or error is None or estimate.extended:
        return record | {"reason": "beyond_follow_up"}
    if group.key.level != "subject":
        return record | {"mean_months": mean, "reason": DEPENDENT}
    reach = NormalDist().inv_cdf((1 + conf_level) / 2) * error
    limits = {"lower": max(mean - reach, 0.0), "upper": min(mean + reach, float(months))}
    return record | {"mean_months": mean, "se_months": error} | limits


def in_months(days: float | None) -> float | None:
    """Turn days into months of 30.4375 days; None stays None."""
    return None if days is None else days / DAYS_PER_MONTH


def underivable(
    counted: Iterable[Group], population_members: ir.Table, endpoint_criterion: ir.Table
) -> list[tuple[Key, str]]:
    """The endpoints of the records that a population does not have, and why."""
    present: dict[str, set[str]] = {name: set() for name in populations(population_members)}
    for group in counted:
        present.setdefault(group.key.population, set()).add(group.key.endpoint)
    unjudged = not_judged(endpoint_criterion)
    return [
        (Key(name, record.code, record.level, "", ""), _why(record, codes, unjudged))
        for name, codes in present.items()
        for record in RECORDS
        if record.code not in codes
    ]


def _why(record: Endpoint, present: set[str], unjudged: str | None) -> str:
    if record.start == "response" and {"TTR", "PFS"} <= present:
        return "nobody"
    return why_not_derivable(record, unjudged)


def why_not_derivable(record: Endpoint, unjudged: str | None) -> str:
    """Why an endpoint has no row: response cannot be judged, or a table was not delivered."""
    if unjudged and record.rests_on_response:
        return f"not derivable: {unjudged}"
    return f"not derivable: needs {' and '.join(record.needs)}"


def not_judged(endpoint_criterion: ir.Table) -> str | None:
    """Why the endpoints' criterion judges too few patients; nothing where it judges enough.

    Where no site has delivered a scan, that is the reason, and this is none.
    """
    found = fetched_records(whole, endpoint_criterion)
    if not found or found[0]["judged"] or found[0]["n_treated"] == 0:
        return None
    (row,) = found
    missing = row["n_treated"] - row["n_evaluable"]
    return (
        f"too few evaluable by {row['criterion']}: {row['n_evaluable']} of {row['n_treated']} "
        f"treated, {missing} not evaluable"
    )


def _imaging_days(
    population_members: ir.Table, subjects: ir.Table
) -> dict[str, tuple[FloatArray, IntArray]]:
    """Distinct days of the last scan and their counts; a treated patient without one has 0."""
    counted = fetched_records(_counted_imaging, population_members, subjects)
    scanned = {r["population"] for r in counted if r["known"]}
    return {
        name: (
            np.array([r["day"] for r in counted if r["population"] == name], np.float64),
            np.array([r["n"] for r in counted if r["population"] == name], np.int64),
        )
        for name in sorted(scanned)
    }


def _counted_imaging(population_members: ir.Table, subjects: ir.Table) -> ir.Table:
    treated = subjects.filter(subjects.treated).select("subject_id", "imaging_day")
    members = population_members.inner_join(treated, "subject_id")
    day = ibis.greatest(members.imaging_day.fill_null(0), 0)
    return (
        members.select("population", day=day, known=members.imaging_day.notnull().cast("int64"))
        .group_by("population", "day")
        .agg(n=lambda t: t.count(), known=lambda t: t.known.sum())
        .order_by("population", "day")
    )


def _unknown_ends(
    population_members: ir.Table, time_to_event: ir.Table
) -> dict[tuple[str, str], dict[float, int]]:
    """Population and cause -> day -> how many were censored there for a cause nobody can end."""
    unknown: dict[tuple[str, str], dict[float, int]] = {}
    for r in fetched_records(_counted_ends, population_members, time_to_event):
        unknown.setdefault((r["population"], r["cause"]), {})[float(r["time_days"])] = r["n"]
    return unknown


def _counted_ends(population_members: ir.Table, time_to_event: ir.Table) -> ir.Table:
    ended = time_to_event.filter(
        time_to_event.endpoint == "OS", time_to_event.cause.isin([DEAD, ASIDE])
    )
    members = population_members.select("population", "subject_id")
    placed = ended.select("subject_id", "cause", "time_days").inner_join(members, "subject_id")
    return placed.group_by("population", "cause", "time_days").agg(n=placed.count())


def _definitions(
    table: EventTable,
    scans: tuple[FloatArray, IntArray],
    dead: dict[float, int],
    aside: dict[float, int],
    settings: SurvivalSettings,
) -> dict[str, dict[str, Any]]:
    turned = median(_curve(reverse(table), settings), settings.median_rule)
    alive = table.censored - np.array([dead.get(float(day), 0) for day in table.time], np.int64)
    lost = {"n_follow_up_aside": sum(aside.values())}
    everyone = lost | {"n_dead_unknown": sum(dead.values())}
    return {
        "reverse_km": everyone
        | {
            "n": table.n,
            "median_months": in_months(turned.value),
            "lower": in_months(turned.lower),
            "upper": in_months(turned.upper),
            "method": f"reverse Kaplan-Meier, {settings.conf_type}, {settings.median_rule}",
        },
        "observed_all": everyone | _quartiles(table.time, table.events + table.censored),
        "observed_alive": lost | {"n_dead_unknown": 0} | _quartiles(table.time, alive),
        "imaging": _quartiles(*scans),
    }


def _quartiles(time: FloatArray, count: IntArray) -> dict[str, Any]:
    n = int(count.sum())
    if n == 0:
        return {"n": 0, "method": "not derivable: nobody has such a time"}
    lower, middle, upper = (
        in_months(quantile_of_counts(time, count, p)) for p in (0.25, 0.5, 0.75)
    )
    return {"n": n, "median_months": middle, "lower": lower, "upper": upper, "method": QUARTILES}


def quantile_of_counts(time: FloatArray, count: IntArray, p: float) -> float:
    """The p-quantile (Hyndman and Fan's type 7) of values given once with their counts.

    Args:
        time: Shape (T,), ascending.
        count: Shape (T,), whole numbers, at least one above 0.
        p: In [0, 1].

    Source: Hyndman and Fan 1996; R's `quantile`, type 7.
    """
    ends = np.cumsum(count)
    position = (int(ends[-1]) - 1) * p
    below = int(position)
    low, high = (
        float(time[np.searchsorted(ends, rank, side="right")])
        for rank in (below, min(below + 1, int(ends[-1]) - 1))
    )
    return low + (position - below) * (high - low)
