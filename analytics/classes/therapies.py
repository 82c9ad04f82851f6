"""Therapies before and after treatment by class, and what came next: a class, or death.

Shares are over the treated patients of sites that deliver the table: where it is delivered, a
patient without a row had no such therapy. Quartiles are of type 7. In the incidence of the next
therapy each patient leaves by the class of the first course after T0, or by death before any.

Source: exact limits by Clopper and Pearson, Biometrika 1934;26:404; Aalen and Johansen 1978, as
R's survival 3.5-3 (survfit with a factor status).
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from analytics.estimators.competing_risks import CauseTable, aalen_johansen, incidence_at
from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from analytics.outcomes.survival import DAYS_PER_MONTH, in_months
from schemas.contract import Table, conform, rows
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.event_marts import (
    ANY_THERAPY,
    CLASSES_OF_THERAPY,
    SubjectTherapies,
    TherapyCourses,
)
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.events import CAUSES_OF_NEXT, NextTherapy, TherapySummary

KEYS = (
    ("diagnosis", ANY_THERAPY),
    *((t, c) for t in ("prior", "subsequent") for c in (ANY_THERAPY, *CLASSES_OF_THERAPY)),
)
NEEDS = {
    "diagnosis": "not derivable: needs treatments.treatment_date",
    "prior": "not derivable: needs prior_therapies.therapy_class",
    "subsequent": "not derivable: needs subsequent_therapies.start_date",
}
NO_NEXT = "not derivable: needs contacts and subsequent_therapies"
_GROUP = ("population", "timing", "therapy_class")


def therapy_summary(
    therapy_courses: Table[TherapyCourses],
    subject_therapies: Table[SubjectTherapies],
    population_members: Table[PopulationMembers],
) -> Table[TherapySummary]:
    """Count who had each class before T0 and after it, with lines and intervals."""
    tables = (therapy_courses, subject_therapies, population_members)
    found = {tuple(r[n] for n in _GROUP): r for r in fetched_records(_counted, *tables)}
    totals = {
        r["population"]: r for r in fetched_records(_totals, subject_therapies, population_members)
    }
    records: list[dict[str, Any]] = []
    for population in populations(population_members):
        for timing, therapy_class in KEYS:
            if (timing, therapy_class) == ("prior", "transplant"):
                continue
            key = dict(zip(_GROUP, (population, timing, therapy_class), strict=True))
            total = totals.get(population, {}).get(timing) or 0
            own = found.get((population, timing, therapy_class), {})
            name = {"statistic_id": statistic_id(TherapySummary, key)}
            records.append(key | name | _row(own, total, timing))
    return rows(records, TherapySummary)


def therapy_summary_sets(
    therapy_courses: Table[TherapyCourses], subject_therapies: Table[SubjectTherapies]
) -> Table[MemberSets]:
    """Name who had each class."""
    units = _units(therapy_courses, subject_therapies)
    name = set_id_column("therapy_summary", units.timing, units.therapy_class)
    return conform(units.mutate(set_id=name, lesion_number=ibis.literal(0, "int64")), MemberSets)


def next_therapy(
    time_to_event: Table[TimeToEvent],
    therapy_courses: Table[TherapyCourses],
    population_members: Table[PopulationMembers],
    *,
    settings: SurvivalSettings,
) -> Table[NextTherapy]:
    """Read the incidence of each class of next therapy, and of death before any, at landmarks."""
    counted = fetched_records(_left, time_to_event, therapy_courses, population_members)
    own = {name: list(r) for name, r in groupby(counted, key=lambda r: r["population"])}
    records = [
        {"population": population} | record
        for population in populations(population_members)
        for record in _incidences(own.get(population, []), settings)
    ]
    for record in records:
        record["statistic_id"] = statistic_id(NextTherapy, record)
    return rows(records, NextTherapy)


def next_therapy_sets(
    time_to_event: Table[TimeToEvent], therapy_courses: Table[TherapyCourses]
) -> Table[MemberSets]:
    """Name who had each class, or died, first."""
    first = _first(time_to_event, therapy_courses)
    happened = first.filter(first.cause != "")
    name = set_id_column("next_therapy", happened.cause)
    return conform(happened.mutate(set_id=name, lesion_number=ibis.literal(0, "int64")), MemberSets)


def _units(courses: ir.Table, subjects: ir.Table) -> ir.Table:
    """Patients by timing and class, and by timing alone: courses, lines and days from T0."""
    prior = courses.timing == "prior"
    every = courses.mutate(away=prior.ifelse(-courses.end_day, courses.start_day))
    by_class = every.group_by("subject_id", "timing", "therapy_class").agg(
        courses=every.count(), lines=every.line_of_class.max(), days=every.away.min()
    )
    whole = every.group_by("subject_id", "timing").agg(
        courses=every.count(), lines=every.line.max(), days=every.away.min()
    )
    any_class = whole.mutate(therapy_class=ibis.literal(ANY_THERAPY)).select(*by_class.columns)
    dated = subjects.filter(subjects.diagnosis_day.notnull())
    diagnosed = dated.select(
        "subject_id",
        timing=ibis.literal("diagnosis"),
        therapy_class=ibis.literal(ANY_THERAPY),
        courses=ibis.literal(0, "int64"),
        lines=ibis.null("int64"),
        days=-dated.diagnosis_day,
    )
    return by_class.union(any_class).union(diagnosed)


def _counted(courses: ir.Table, subjects: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    units = _units(courses, subjects).inner_join(members, "subject_id")
    places = {"median": 0.5, "q1": 0.25, "q3": 0.75}
    return units.group_by(*_GROUP).agg(
        n=units.count(),
        n_courses=units.courses.sum(),
        n_dated=units.days.count(),
        **{f"{k}_lines": units.lines.cast("float64").quantile(p) for k, p in places.items()},
        **{f"{k}_days": units.days.cast("float64").quantile(p) for k, p in places.items()},
    )


def _totals(subjects: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    treated = subjects.inner_join(members, "subject_id")
    return treated.group_by("population").agg(
        diagnosis=treated.count(),
        prior=treated.prior_delivered.sum(),
        subsequent=treated.subsequent_delivered.sum(),
    )


def _row(found: Mapping[str, Any], total: int, timing: str) -> dict[str, Any]:
    counts = {name: found.get(name) or 0 for name in ("n", "n_courses", "n_dated")}
    if not total:
        return counts | {"n": 0, "total": 0, "reason": NEEDS[timing]}
    share = exact(counts["n"], total)
    return counts | {
        "total": total,
        "pct": share.pct,
        "lower": share.lower,
        "upper": share.upper,
        "lines": found.get("median_lines"),
        "q1_lines": found.get("q1_lines"),
        "q3_lines": found.get("q3_lines"),
        "interval_months": in_months(found.get("median_days")),
        "q1_months": in_months(found.get("q1_days")),
        "q3_months": in_months(found.get("q3_days")),
    }


def _first(time_to_event: ir.Table, courses: ir.Table) -> ir.Table:
    """By what each patient left the time to the next therapy; an empty cause is a censoring."""
    derived = time_to_event.filter(
        time_to_event.endpoint == "TTNT", time_to_event.origin == "derived"
    )
    after = courses.filter(courses.timing == "subsequent")
    classes = after.select("source_row_id", "therapy_class")
    known = derived.left_join(classes, "source_row_id")
    cause = ibis.cases(
        (known.event & (known.cause == "death"), "death"),
        (known.event, known.therapy_class.fill_null("other")),
        else_="",
    )
    return known.select("subject_id", "time_days", cause=cause)


def _left(time_to_event: ir.Table, courses: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    first = _first(time_to_event, courses).inner_join(members, "subject_id")
    days = first.mutate(days=first.time_days.cast("float64"))
    names = ["population", "days", "cause"]
    return days.group_by(names).agg(n=days.count()).order_by(names)


def _incidences(left: list[dict[str, Any]], settings: SurvivalSettings) -> Iterator[dict[str, Any]]:
    codes = ("", *CAUSES_OF_NEXT)
    days = sorted({r["days"] for r in left})
    table = np.zeros((len(days), len(codes)), np.int64)
    for r in left:
        table[days.index(r["days"]), codes.index(r["cause"])] = r["n"]
    counts = CauseTable(np.array(days, np.float64), events=table[:, 1:], censored=table[:, 0])
    curve = aalen_johansen(counts, settings.conf_type, settings.conf_level)
    n = int(table.sum())
    for months in settings.landmarks_months:
        read = incidence_at(curve, months * DAYS_PER_MONTH)
        for number, (cause, estimate) in enumerate(zip(CAUSES_OF_NEXT, read, strict=True)):
            yield {
                "cause": cause,
                "months": months,
                "incidence": estimate.value,
                "lower": estimate.lower,
                "upper": estimate.upper,
                "at_risk": estimate.at_risk,
                "n": n,
                "events": int(table[:, number + 1].sum()),
                "reason": estimate.reason if n else NO_NEXT,
            }
