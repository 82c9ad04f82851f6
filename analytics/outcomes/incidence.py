"""Cumulative incidence of response and progression where a competing event can come first.

Where an endpoint has competing events, Kaplan-Meier asks what would happen if they did not exist.
Here each unit leaves at its event or at the first competing one, whichever is earlier (the event on
a tie), and the share of each cause is Aalen's and Johansen's. A competing event counts on its own
day, not on that of the last assessment. Times that a source only reports have no competing events
and give no row of theirs.

Intervals by lesion are not given: they would treat the lesions of one patient as independent.

Source: Aalen and Johansen 1978; R 4.2.2, survival 3.5-3 (survfit with a factor status).
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from analytics.estimators.competing_risks import CauseTable, aalen_johansen, incidence_at
from analytics.estimators.event_counts import populations
from analytics.fetched import fetched_records
from analytics.outcomes.survival import (
    DAYS_PER_MONTH,
    DEPENDENT,
    not_judged,
    why_not_derivable,
)
from schemas.contract import EXACT_DAYS, Table, rows
from schemas.records.endpoints import RECORDS, Endpoint
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import EndpointCriterion, PopulationMembers
from schemas.tables.marts import TimeToEvent
from schemas.tables.outcomes import CumulativeIncidence, IncidenceCurves, MemberSets

COMPETING = {record.code: record for record in RECORDS if record.competing}
KEY = ("population", "endpoint", "level")
Counted = dict[str, Any]


def cumulative_incidence(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: SurvivalSettings,
) -> Table[CumulativeIncidence]:
    """Read the incidence of the event and of each competing event at the landmarks."""
    by_curve = _by_curve(population_members, time_to_event)
    unjudged = not_judged(endpoint_criterion)
    absent = {code: why_not_derivable(r, unjudged) for code, r in COMPETING.items()}
    published = [
        record | ({"reason": absent[endpoint.code]} if record["n"] == 0 else {})
        for population in populations(population_members)
        for endpoint in COMPETING.values()
        for record in _curve(
            (population, endpoint.code, endpoint.level), endpoint, by_curve, settings
        )
    ]
    named = [r | {"statistic_id": statistic_id(CumulativeIncidence, r)} for r in published]
    return rows(named, CumulativeIncidence)


def incidence_curves(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    *,
    settings: SurvivalSettings,
) -> Table[IncidenceCurves]:
    """Estimate the incidence of each cause at every distinct time."""
    by_curve = _by_curve(population_members, time_to_event)
    records = [
        record
        for population in populations(population_members)
        for endpoint in COMPETING.values()
        for record in _points(
            (population, endpoint.code, endpoint.level), endpoint, by_curve, settings
        )
    ]
    return rows(records, IncidenceCurves)


def _counted(population_members: ir.Table, time_to_event: ir.Table) -> ir.Table:
    members = _first(time_to_event).inner_join(population_members, "subject_id")
    names = [*KEY, "days", "cause"]
    return members.group_by(names).agg(n=members.count()).order_by(names)


def cumulative_incidence_sets(time_to_event: Table[TimeToEvent]) -> Table[MemberSets]:
    """Name who had each cause first: `incidence.<endpoint>.<level>.<cause>`."""
    left = _first(time_to_event)
    happened = left.filter(left.cause != "")
    return happened.select(
        set_id=set_id_column("incidence", happened.endpoint, happened.level, happened.cause),
        subject_id=happened.subject_id,
        lesion_number=happened.lesion_number,
    )


def _first(time_to_event: ir.Table) -> ir.Table:
    """What each unit left by and when; an empty cause is a censoring."""
    dated = time_to_event.filter(
        time_to_event.endpoint.isin(sorted(COMPETING)),
        (time_to_event.source_table != "reported_endpoints").fill_null(True),
    )
    own = ibis.cases(*((dated.endpoint == code, r.events[0]) for code, r in COMPETING.items()))
    rival = dated.competing_days.notnull() & ~(
        dated.event & (dated.time_days <= dated.competing_days)
    )
    return dated.select(
        "subject_id",
        "lesion_number",
        "endpoint",
        level=(dated.lesion_number > 0).ifelse("lesion", "subject"),
        cause=ibis.cases(
            (rival.fill_null(False), dated.competing_event), (dated.event, own), else_=""
        ),
        days=rival.fill_null(False).ifelse(dated.competing_days.cast(EXACT_DAYS), dated.time_days),
    )


def _by_curve(
    population_members: ir.Table, time_to_event: ir.Table
) -> dict[tuple[str, ...], list[Counted]]:
    """How many left each curve on a day, by cause."""
    counted = fetched_records(_counted, population_members, time_to_event)
    return {
        key: list(curve_rows)
        for key, curve_rows in groupby(counted, key=lambda r: tuple(r[n] for n in KEY))
    }


def _points(
    key: tuple[str, str, str],
    endpoint: Endpoint,
    by_curve: dict[tuple[str, ...], list[Counted]],
    settings: SurvivalSettings,
) -> Iterator[Counted]:
    causes = (*endpoint.events, *endpoint.competing)
    own = by_curve.get(key, [])
    curves = aalen_johansen(_table(own, causes), settings.conf_type, settings.conf_level)
    bands = endpoint.level == "subject"
    for place, days in enumerate(sorted({r["days"] for r in own})):
        for number, cause in enumerate(causes):
            limits = (curves.lower[place, number], curves.upper[place, number])
            lower, upper = (float(x) if bands and np.isfinite(x) else None for x in limits)
            yield dict(zip(KEY, key, strict=True)) | {
                "cause": cause,
                "time_days": days,
                "at_risk": int(curves.at_risk[place]),
                "events": int(curves.events[place, number]),
                "censored": int(curves.censored[place]),
                "incidence": float(curves.incidence[place, number]),
                "lower": lower,
                "upper": upper,
            }


def _curve(
    key: tuple[str, str, str],
    endpoint: Endpoint,
    by_curve: dict[tuple[str, ...], list[Counted]],
    settings: SurvivalSettings,
) -> Iterator[Counted]:
    causes = (*endpoint.events, *endpoint.competing)
    rows = by_curve.get(key, [])
    table = _table(rows, causes)
    curves = aalen_johansen(table, settings.conf_type, settings.conf_level)
    subject = endpoint.level == "subject"
    for months in settings.landmarks_months:
        read = incidence_at(curves, months * DAYS_PER_MONTH)
        for number, (cause, estimate) in enumerate(zip(causes, read, strict=True)):
            yield dict(zip(KEY, key, strict=True)) | {
                "cause": cause,
                "months": months,
                "incidence": estimate.value,
                "lower": estimate.lower if subject else None,
                "upper": estimate.upper if subject else None,
                "at_risk": estimate.at_risk,
                "n": sum(r["n"] for r in rows),
                "events": int(table.events[:, number].sum()),
                "reason": estimate.reason or (None if subject else DEPENDENT),
            }


def _table(rows: list[Counted], causes: tuple[str, ...]) -> CauseTable:
    codes = ("", *causes)
    days = sorted({r["days"] for r in rows})
    row = {day: number for number, day in enumerate(days)}
    table = np.zeros((len(days), len(codes)), np.int64)
    for r in rows:
        table[row[r["days"]], codes.index(r["cause"])] = r["n"]
    return CauseTable(np.array(days, np.float64), events=table[:, 1:], censored=table[:, 0])
