"""Candidates for radioembolization-induced liver disease (REILD), by course of treatment.

Candidates for adjudication, never a diagnosis: bilirubin above 3 mg/dL and above its baseline, two
weeks to four months after a session, with new or worse ascites or a fall of albumin by a CTCAE
grade in the same time. A day belongs to the latest session that lies so long before it, and so to
that session's course. The baseline is the last value on or before the first session of the course;
without one, bilirubin above the limit, and any ascites, count as new. The first such day of a
course is its onset.

Hepatic progression or biliary obstruction up to 30 days after the onset, in a re-treatment since
its first session, explains the picture otherwise; such patients stay in the list, excluded with the
reason.

`braat_grade` is the least that the records support: 3 for a candidate; 4 with an invasive
procedure; 5 if death by liver failure or treatment follows, up to the end of the late window after
a session of the course.

Source: Braat's definition and grades, as cited by van Roekel 2020 (thesis, pp. 38-39). The figures
3 mg/dL, days 14 to 122 and 30 days are this registry's choice.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Table, conform
from schemas.records.ctcae_terms import TERMS
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.event_marts import SubjectReild
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions, SubjectLesions
from schemas.tables.marts import (
    LabGrades,
    LesionAssessments,
    ReildCandidates,
    SubjectAssessments,
)
from schemas.tables.registry import AdverseEvents, Assessments, Contacts, Labs
from schemas.words import plain_words
from transforms.baseline.baseline import last_up_to_t0
from transforms.baseline.lab_limits import at_most, factors
from transforms.joins import dated, looked_up
from transforms.toxicity.after_sessions import begun_courses, in_days, placed_sessions, within
from transforms.toxicity.lab_grades import same_unit_times

EXPLAINED_WITHIN_DAYS = 30
ASCITES_EVENT = sorted(next(t for t in TERMS if t.term == "ascites").spellings())
ASCITES = ("none", "slight", "moderate_severe")
INVASIVE = r"paracentesis|transfusion|dialysis|\btips\b"


def reild_candidates(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    assessments: Table[Assessments],
    adverse_events: Table[AdverseEvents],
    contacts: Table[Contacts],
    lab_grades: Table[LabGrades],
    lesion_assessments: Table[LesionAssessments],
    subject_assessments: Table[SubjectAssessments],
    subject_lesions: Table[SubjectLesions],
    *,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> Table[ReildCandidates]:
    """List who meets the picture of REILD, with what speaks for it and against it."""
    placed = placed_sessions(sessions, anchors)
    courses = begun_courses(sessions, anchors)
    bilirubin = _with_baseline(labs, baseline_labs, anchors, courses)
    onset = _first_high_bilirubin(bilirubin, placed, settings, baseline)
    ascites = _worse_ascites(assessments, adverse_events, anchors, placed, courses, settings)
    albumin = _falling_albumin(lab_grades, placed, courses, settings)
    picture = _marked(_marked(onset, ascites, "ascites"), albumin, "albumin")
    met = picture.filter(picture.ascites | picture.albumin)
    progression = _hepatic_progression(lesion_assessments, subject_assessments, subject_lesions)
    obstructed = assessments.filter(assessments.biliary_obstruction)
    seen = dated(obstructed, anchors, "assessment_date")
    progressed = _marked(met, _by(met, courses, progression), "progressed")
    explained = _marked(progressed, _by(met, courses, seen), "obstructed")
    late = (0, settings.late_days)
    deaths = within(_deaths(contacts, anchors), placed, *late)
    procedures = within(_procedures(adverse_events, anchors), placed, *late)
    fatal = _marked(explained, _after(met, deaths), "died")
    return conform(_judged(_marked(fatal, _after(met, procedures), "operated")), ReildCandidates)


def subject_reild(
    reild_candidates: Table[ReildCandidates],
    labs: Table[Labs],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[SubjectReild]:
    """Say of treated subjects of sites with laboratory results whether REILD was looked for."""
    asked = anchors.semi_join(labs, "site_id").select("subject_id")
    measured = dated(labs.filter(labs.analyte == "bilirubin"), anchors, "lab_date")
    seen = in_days(measured, placed_sessions(sessions, anchors), settings)
    observed = seen.select("subject_id").distinct().mutate(was_seen=ibis.literal(True))
    found = reild_candidates.group_by("subject_id").agg(
        meets=(reild_candidates.status == "candidate").any(),
        braat_grade=reild_candidates.braat_grade.max(),
    )
    t = looked_up(looked_up(asked, observed, "subject_id"), found, "subject_id")
    looked = t.was_seen.fill_null(False)
    told = t.mutate(
        observed=looked,
        candidate=ibis.ifelse(looked, t.meets.fill_null(False), None),
        excluded=ibis.ifelse(looked, (~t.meets).fill_null(False), None),
    )
    return conform(told, SubjectReild)


def _judged(t: ir.Table) -> ir.Table:
    excluded = t.progressed | t.obstructed
    return t.mutate(
        status=ibis.ifelse(excluded, "excluded", "candidate"),
        reason_codes=ibis.literal("bilirubin")
        + ibis.ifelse(t.ascites, " ascites", "")
        + ibis.ifelse(t.albumin, " albumin", ""),
        excluded_by=ibis.cases(
            (t.progressed & t.obstructed, "hepatic_progression biliary_obstruction"),
            (t.progressed, "hepatic_progression"),
            (t.obstructed, "biliary_obstruction"),
        ),
        braat_grade=ibis.cases((excluded, None), (t.died, 5), (t.operated, 4), else_=3),
    )


def _with_baseline(
    labs: ir.Table, baseline_labs: ir.Table, anchors: ir.Table, courses: ir.Table
) -> dict[str, ir.Table]:
    """Results of bilirubin, and the last one up to the first session of each course."""
    results = labs.filter(labs.analyte == "bilirubin")
    first = baseline_labs.filter(baseline_labs.analyte == "bilirubin").mutate(
        course=ibis.literal(1, type="int64")
    )
    again = last_up_to_t0(
        results,
        "value",
        "lab_date",
        courses.filter(courses.course > 1),
        ties=["sequence"],
        of=["course"],
    )
    before = [t.select("subject_id", "course", "value", "unit") for t in (first, again)]
    return {
        "results": dated(results, anchors, "lab_date"),
        "before": before[0].union(before[1]).rename(base_value="value", base_unit="unit"),
    }


def _first_high_bilirubin(
    bilirubin: dict[str, ir.Table],
    placed: ir.Table,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> ir.Table:
    results = in_days(bilirubin["results"], placed, settings)
    t = results.left_join(bilirubin["before"], ["subject_id", "course"])
    times, per = same_unit_times(t.analyte, t.unit, t.base_unit)
    limit = f"{settings.reild_bilirubin_mg_dl:f}"
    high = ~at_most(t, factors("bilirubin", baseline.bilirubin_umol_per_mg_dl), limit)
    rise = t.base_value.isnull() | (t.value * per > t.base_value * times)
    met = t.filter(high & rise)
    first = ibis.row_number().over(
        group_by=["subject_id", "course"], order_by=["rel_day", "sequence", "row_id"]
    )
    ranked = met.mutate(
        place=first,
        baseline_bilirubin=ibis.ifelse(
            met.unit == met.base_unit, met.base_value, (met.base_value * times / per).cast(DECIMAL)
        ),
    )
    return ranked.filter(ranked.place == 0).select(
        "subject_id",
        "course",
        "session_number",
        "rel_day",
        "unit",
        "baseline_bilirubin",
        bilirubin="value",
        source_row_id="row_id",
    )


def _worse_ascites(
    assessments: ir.Table,
    adverse_events: ir.Table,
    anchors: ir.Table,
    placed: ir.Table,
    courses: ir.Table,
    settings: ToxicitySettings,
) -> ir.Table:
    """Ascites above its baseline, or an event of that name, in the days of REILD."""
    before = last_up_to_t0(assessments, "ascites", "assessment_date", courses, of=["course"])
    known = before.select("subject_id", "course", base_level=_level(before.ascites))
    seen = in_days(dated(assessments, anchors, "assessment_date"), placed, settings)
    t = seen.left_join(known, ["subject_id", "course"])
    worse = t.filter(_level(t.ascites) > t.base_level.fill_null(0))
    spelling = plain_words(adverse_events.term)
    events = dated(adverse_events.filter(spelling.isin(ASCITES_EVENT)), anchors, "onset_date")
    begun = in_days(events, placed, settings)
    return worse.select("subject_id", "course").union(begun.select("subject_id", "course"))


def _falling_albumin(
    lab_grades: ir.Table, placed: ir.Table, courses: ir.Table, settings: ToxicitySettings
) -> ir.Table:
    graded = lab_grades.filter(
        lab_grades.analyte == "albumin", lab_grades.ctcae_version == settings.primary_version
    )
    first = graded.filter(graded.is_baseline).select(
        "subject_id", "grade", course=ibis.literal(1, type="int64")
    )
    again = _graded_up_to(graded, courses.filter(courses.course > 1))
    before = first.union(again.select(*first.columns)).rename(base_grade="grade")
    t = in_days(graded, placed, settings).inner_join(before, ["subject_id", "course"])
    return t.filter(t.grade > t.base_grade).select("subject_id", "course")


def _graded_up_to(graded: ir.Table, courses: ir.Table) -> ir.Table:
    """The last graded result on or before the first session of each course."""
    pairs = graded.filter(graded.grade.notnull()).inner_join(
        courses.select("subject_id", "course", "course_day"), "subject_id"
    )
    earlier = pairs.filter(pairs.rel_day <= pairs.course_day)
    order = [ibis.desc(name) for name in ("rel_day", "sequence", "source_row_id")]
    place = ibis.row_number().over(group_by=["subject_id", "course"], order_by=order)
    ranked = earlier.mutate(place=place)
    return ranked.filter(ranked.place == 0)


def _hepatic_progression(
    lesion_assessments: ir.Table, subject_assessments: ir.Table, subject_lesions: ir.Table
) -> ir.Table:
    """Days on which a liver lesion had grown (WHO), or a new one was seen."""
    liver = subject_lesions.filter(
        subject_lesions.organ.isnull() | (subject_lesions.organ == "liver")
    )
    grown = lesion_assessments.filter(
        lesion_assessments.criterion == "WHO", lesion_assessments.response == "PD"
    ).semi_join(liver, ["subject_id", "lesion_number"])
    new = subject_assessments.filter(subject_assessments.new_lesion.isin(["hepatic", "both"]))
    return grown.select("subject_id", "rel_day").union(new.select("subject_id", "rel_day"))


def _deaths(contacts: ir.Table, anchors: ir.Table) -> ir.Table:
    dead = contacts.filter(contacts.cause_of_death.isin(["liver_failure", "treatment"]))
    return dated(dead, anchors, "contact_date")


def _procedures(adverse_events: ir.Table, anchors: ir.Table) -> ir.Table:
    invasive = adverse_events.filter(adverse_events.procedure.lower().re_search(INVASIVE))
    return dated(invasive, anchors, "onset_date")


def _by(onset: ir.Table, courses: ir.Table, found: ir.Table) -> ir.Table:
    """Onsets before which something was found, or up to 30 days after.

    What was found up to the first session of a re-treatment is older than its course.
    """
    days = found.select("subject_id", found_day="rel_day")
    both = onset.inner_join(courses, ["subject_id", "course"]).inner_join(days, "subject_id")
    since = (both.course == 1) | (both.found_day > both.course_day)
    return both.filter(since, both.found_day <= both.rel_day + EXPLAINED_WITHIN_DAYS)


def _after(onset: ir.Table, found: ir.Table) -> ir.Table:
    """Onsets on or after which something happened in the late window of their course."""
    onsets = onset.select("subject_id", "course", onset_day="rel_day")
    both = onsets.inner_join(
        found.select("subject_id", "course", "rel_day"), ["subject_id", "course"]
    )
    return both.filter(both.rel_day >= both.onset_day)


def _marked(onset: ir.Table, found: ir.Table, name: str) -> ir.Table:
    flags = found.select("subject_id", "course").distinct().mutate(found=ibis.literal(True))
    joined = onset.left_join(flags, ["subject_id", "course"])
    marked = joined.mutate(**{name: joined.found.fill_null(False)})
    return marked.select(*onset.columns, name)


def _level(ascites: ir.StringValue) -> ir.IntegerValue:
    return ibis.cases(*((ascites == name, level) for level, name in enumerate(ASCITES)))
