"""Other therapies before and after the first 90Y, each placed from T0, in order and in lines.

A prior course counts unless its first day is exact and not before T0; a subsequent one unless its
first day lies before T0, where a day imputed from the month is moved to T0. A date known to the
month has its day imputed and places a course; one known to the year alone does not.

Source: Braat et al., Cardiovasc Intervent Radiol 2020;43:246-253 (prior radionuclide therapy and
treatments afterwards); Helmberger et al., CIRT, ibid. 2021;44:21-35 (systemic and locoregional
treatment before, lines of chemotherapy); both read as abstracts. No source read says what a line
is: courses that begin on one day are taken as one, an undated course as one of its own.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.tables.event_marts import SubjectTherapies, TherapyCourses
from schemas.tables.intermediate import Anchors
from schemas.tables.registry import Patients, PriorTherapies, SubsequentTherapies
from transforms.joins import looked_up


def therapy_courses(
    prior_therapies: Table[PriorTherapies],
    subsequent_therapies: Table[SubsequentTherapies],
    anchors: Table[Anchors],
) -> Table[TherapyCourses]:
    """Place every course of a treated subject, and number it."""
    each = _prior(prior_therapies, anchors).union(_subsequent(subsequent_therapies, anchors))
    undated = each.start_day.isnull()
    own = undated.ifelse(each.therapy_class.concat(each.sequence.cast("string")), "")
    ordered = each.mutate(undated=undated, begins=each.start_day.fill_null(0), own=own)
    by_day = ["undated", "begins", "own"]
    unit = ["subject_id", "timing"]
    numbered = ordered.mutate(
        place=ibis.row_number().over(
            group_by=unit, order_by=["undated", "begins", "therapy_class", "sequence"]
        )
        + 1,
        line=ibis.dense_rank().over(group_by=unit, order_by=by_day) + 1,
        line_of_class=ibis.dense_rank().over(group_by=[*unit, "therapy_class"], order_by=by_day)
        + 1,
    )
    return conform(numbered, TherapyCourses)


def subject_therapies(
    therapy_courses: Table[TherapyCourses],
    prior_therapies: Table[PriorTherapies],
    subsequent_therapies: Table[SubsequentTherapies],
    patients: Table[Patients],
    anchors: Table[Anchors],
) -> Table[SubjectTherapies]:
    """Count the courses and lines of each treated subject where its site delivers them."""
    known = anchors.select("subject_id", "site_id", "t0_date")
    tables: dict[str, ir.Table] = {"prior": prior_therapies, "subsequent": subsequent_therapies}
    for timing, table in tables.items():
        sites = table.select("site_id").distinct().mutate(delivers=ibis.literal(True))
        own = therapy_courses.filter(therapy_courses.timing == timing)
        counted = own.group_by("subject_id").agg(courses=own.count(), lines=own.line.max())
        known = looked_up(looked_up(known, sites, "site_id"), counted, "subject_id")
        delivers = known.delivers.fill_null(False)
        known = known.mutate(
            **{
                f"{timing}_delivered": delivers,
                f"n_{timing}": delivers.ifelse(known.courses.fill_null(0), None),
                f"{timing}_lines": delivers.ifelse(known.lines.fill_null(0), None),
            }
        ).drop("delivers", "courses", "lines")
    dated = patients.filter(patients.diagnosis_date_precision.fill_null("day") != "year")
    diagnosed = dated.select("subject_id", "diagnosis_date")
    placed = looked_up(known, diagnosed, "subject_id")
    day = placed.diagnosis_date.delta(placed.t0_date, unit="day")
    return conform(placed.mutate(diagnosis_day=day), SubjectTherapies)


def _prior(prior: ir.Table, anchors: ir.Table) -> ir.Table:
    given = prior.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    exact = given.start_date_precision.fill_null("day") == "day"
    before = given.filter(~(exact & (given.start_date >= given.t0_date)).fill_null(False))
    start, stop = (_day(before, name) for name in ("start_date", "stop_date"))
    end = ibis.least(stop.coalesce(start), 0)
    return before.select(
        "subject_id",
        "therapy_class",
        "sequence",
        timing=ibis.literal("prior"),
        start_day=start,
        end_day=stop.coalesce(start).notnull().ifelse(end, None),
        source_row_id=before.row_id,
    )


def _subsequent(subsequent: ir.Table, anchors: ir.Table) -> ir.Table:
    given = subsequent.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    imputed = given.start_date_precision.fill_null("day") != "day"
    day = given.start_date.delta(given.t0_date, unit="day")
    placed = given.mutate(start_day=imputed.ifelse(ibis.greatest(day, 0), day))
    placed = placed.filter(placed.start_day >= 0)
    return placed.select(
        "subject_id",
        "therapy_class",
        "sequence",
        timing=ibis.literal("subsequent"),
        start_day=placed.start_day,
        end_day=placed.start_day,
        source_row_id=placed.row_id,
    )


def _day(given: ir.Table, name: str) -> ir.IntegerValue:
    """Days from T0 of a date that is known to the month at least."""
    known = given[f"{name}_precision"].fill_null("day") != "year"
    return known.ifelse(given[name].delta(given.t0_date, unit="day"), None)
