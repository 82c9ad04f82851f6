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
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from analytics.estimators.competing_risks import CauseTable, Incidence, aalen_johansen, incidence_at
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
    unjudged = not_judged(endpoint_criterion)
    absent = {code: why_not_derivable(r, unjudged) for code, r in COMPETING.items()}
    published = [
        record | ({"reason": absent[record["endpoint"]]} if record["n"] == 0 else {})
        for curve in _curves(population_members, time_to_event, settings)
        for record in _landmarks(curve, settings)
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
    records = [
        record
        for curve in _curves(population_members, time_to_event, settings)
        for record in _points(curve)
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


@dataclass(frozen=True, slots=True)
class _Curve:
    """One endpoint of one population: who left it when and why, and what follows."""

    key: tuple[str, str, str]
    endpoint: Endpoint
    causes: tuple[str, ...]
    left: list[Counted]
    table: CauseTable
    estimate: Incidence

    @property
    def independent(self) -> bool:
        """Its units are patients, so that limits can be given."""
        return self.endpoint.level == "subject"

    def named(self) -> Counted:
        """Its key as columns."""
        return dict(zip(KEY, self.key, strict=True))


def _curves(
    population_members: ir.Table, time_to_event: ir.Table, settings: SurvivalSettings
) -> Iterator[_Curve]:
    """Every endpoint with competing events in every population, also where nobody has it."""
    counted = fetched_records(_counted, population_members, time_to_event)
    by_key = {
        key: list(curve_rows)
        for key, curve_rows in groupby(counted, key=lambda r: tuple(r[n] for n in KEY))
    }
    for population in populations(population_members):
        for endpoint in COMPETING.values():
            key = (population, endpoint.code, endpoint.level)
            causes = (*endpoint.events, *endpoint.competing)
            left = by_key.get(key, [])
            table = _table(left, causes)
            estimate = aalen_johansen(table, settings.conf_type, settings.conf_level)
            yield _Curve(key, endpoint, causes, left, table, estimate)


def _points(curve: _Curve) -> Iterator[Counted]:
    made = curve.estimate
    for place, days in enumerate(sorted({r["days"] for r in curve.left})):
        for number, cause in enumerate(curve.causes):
            limits = (made.lower[place, number], made.upper[place, number])
            lower, upper = (
                float(x) if curve.independent and np.isfinite(x) else None for x in limits
            )
            yield curve.named() | {
                "cause": cause,
                "time_days": days,
                "at_risk": int(made.at_risk[place]),
                "events": int(made.events[place, number]),
                "censored": int(made.censored[place]),
                "incidence": float(made.incidence[place, number]),
                "lower": lower,
                "upper": upper,
            }


def _landmarks(curve: _Curve, settings: SurvivalSettings) -> Iterator[Counted]:
    for months in settings.landmarks_months:
        read = incidence_at(curve.estimate, months * DAYS_PER_MONTH)
        for number, (cause, estimate) in enumerate(zip(curve.causes, read, strict=True)):
            yield curve.named() | {
                "cause": cause,
                "months": months,
                "incidence": estimate.value,
                "lower": estimate.lower if curve.independent else None,
                "upper": estimate.upper if curve.independent else None,
                "at_risk": estimate.at_risk,
                "n": sum(r["n"] for r in curve.left),
                "events": int(curve.table.events[:, number].sum()),
                "reason": estimate.reason or (None if curve.independent else DEPENDENT),
            }


def _table(rows: list[Counted], causes: tuple[str, ...]) -> CauseTable:
    codes = ("", *causes)
    days = sorted({r["days"] for r in rows})
    row = {day: number for number, day in enumerate(days)}
    table = np.zeros((len(days), len(codes)), np.int64)
    for r in rows:
        table[row[r["days"]], codes.index(r["cause"])] = r["n"]
    return CauseTable(np.array(days, np.float64), events=table[:, 1:], censored=table[:, 0])
