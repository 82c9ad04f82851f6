"""Candidates for radioembolization-induced liver disease (REILD).

Candidates for adjudication, never a diagnosis: bilirubin above 3 mg/dL and above its baseline, two
weeks to four months after T0, with new or worse ascites or a fall of albumin by a CTCAE grade in
the same time. Hepatic progression or biliary obstruction up to 30 days after explains the picture
otherwise; such patients stay in the list, excluded with the reason. Without a baseline, bilirubin
above the limit, and any ascites, count as new.

`braat_grade` is the least that the records support: 3 for a candidate; 4 with an invasive
procedure; 5 if death by liver failure or treatment follows.

Source: Braat's definition and grades, as cited by van Roekel 2020 (thesis, pp. 38-39). The figures
3 mg/dL, days 14 to 122 and 30 days are this registry's choice.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Table, conform
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, SubjectLesions
from schemas.tables.marts import (
    LabGrades,
    LesionAssessments,
    ReildCandidates,
    SubjectAssessments,
    Toxicity,
)
from schemas.tables.registry import AdverseEvents, Assessments, Contacts, Labs
from transforms.baseline.baseline import last_up_to_t0
from transforms.baseline.lab_limits import at_most, factors
from transforms.toxicity.lab_grades import same_unit_times

EXPLAINED_WITHIN_DAYS = 30
ASCITES = ("none", "slight", "moderate_severe")
INVASIVE = r"paracentesis|transfusion|dialysis|\btips\b"


def reild_candidates(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    anchors: Table[Anchors],
    assessments: Table[Assessments],
    adverse_events: Table[AdverseEvents],
    contacts: Table[Contacts],
    lab_grades: Table[LabGrades],
    toxicity: Table[Toxicity],
    lesion_assessments: Table[LesionAssessments],
    subject_assessments: Table[SubjectAssessments],
    subject_lesions: Table[SubjectLesions],
    *,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> Table[ReildCandidates]:
    """List who meets the picture of REILD, with what speaks for it and against it."""
    onset = _first_high_bilirubin(labs, baseline_labs, anchors, settings, baseline)
    ascites = _worse_ascites(assessments, anchors, toxicity, settings)
    picture = _marked(
        _marked(onset, ascites, "ascites"), _falling_albumin(lab_grades, settings), "albumin"
    )
    met = picture.filter(picture.ascites | picture.albumin)
    progression = _hepatic_progression(lesion_assessments, subject_assessments, subject_lesions)
    progressed = _marked(met, _by(met, progression), "progressed")
    seen = _by(
        met, _dated(assessments.filter(assessments.biliary_obstruction), anchors, "assessment_date")
    )
    explained = _marked(progressed, seen, "obstructed")
    fatal = _marked(explained, _after(met, _deaths(contacts, anchors), settings), "died")
    invasive = _after(met, _procedures(adverse_events, anchors), settings)
    return conform(_judged(_marked(fatal, invasive, "operated")), ReildCandidates)


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


def _first_high_bilirubin(
    labs: ir.Table,
    baseline_labs: ir.Table,
    anchors: ir.Table,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> ir.Table:
    results = _dated(labs.filter(labs.analyte == "bilirubin"), anchors, "lab_date")
    before = baseline_labs.filter(baseline_labs.analyte == "bilirubin").select(
        "subject_id", base_value="value", base_unit="unit"
    )
    t = results.left_join(before, "subject_id")
    times, per = same_unit_times(t.analyte, t.unit, t.base_unit)
    limit = f"{settings.reild_bilirubin_mg_dl:f}"
    high = ~at_most(t, factors("bilirubin", baseline.bilirubin_umol_per_mg_dl), limit)
    rise = t.base_value.isnull() | (t.value * per > t.base_value * times)
    met = t.filter(high & rise & _in_days(t, settings))
    first = ibis.row_number().over(
        group_by="subject_id", order_by=["rel_day", "sequence", "row_id"]
    )
    ranked = met.mutate(
        place=first,
        baseline_bilirubin=ibis.ifelse(
            met.unit == met.base_unit, met.base_value, (met.base_value * times / per).cast(DECIMAL)
        ),
    )
    return ranked.filter(ranked.place == 0).select(
        "subject_id",
        "rel_day",
        "unit",
        "baseline_bilirubin",
        bilirubin="value",
        source_row_id="row_id",
    )


def _worse_ascites(
    assessments: ir.Table, anchors: ir.Table, toxicity: ir.Table, settings: ToxicitySettings
) -> ir.Table:
    """Ascites above its baseline, or an event of that name, in the days of REILD."""
    before = last_up_to_t0(assessments, "ascites", "assessment_date", anchors)
    known = before.select("subject_id", base_level=_level(before.ascites))
    t = _dated(assessments, anchors, "assessment_date").left_join(known, "subject_id")
    worse = t.filter(_level(t.ascites) > t.base_level.fill_null(0), _in_days(t, settings))
    events = toxicity.filter(
        toxicity.source == "event", toxicity.term == "ascites", toxicity.time_window == "any"
    )
    days = events.select("subject_id", rel_day="worst_day")
    return worse.select("subject_id").union(
        days.filter(_in_days(days, settings)).select("subject_id")
    )


def _falling_albumin(lab_grades: ir.Table, settings: ToxicitySettings) -> ir.Table:
    graded = lab_grades.filter(
        lab_grades.analyte == "albumin", lab_grades.ctcae_version == settings.primary_version
    )
    before = graded.filter(graded.is_baseline).select("subject_id", base_grade="grade")
    t = graded.inner_join(before, "subject_id")
    return t.filter(t.grade > t.base_grade, _in_days(t, settings)).select("subject_id")


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
    return _dated(dead, anchors, "contact_date")


def _procedures(adverse_events: ir.Table, anchors: ir.Table) -> ir.Table:
    invasive = adverse_events.filter(adverse_events.procedure.lower().re_search(INVASIVE))
    return _dated(invasive, anchors, "onset_date")


def _by(onset: ir.Table, found: ir.Table) -> ir.Table:
    """Subjects of whom something was found up to 30 days after the onset."""
    both = onset.select("subject_id", onset_day="rel_day").inner_join(
        found.select("subject_id", "rel_day"), "subject_id"
    )
    return both.filter(both.rel_day <= both.onset_day + EXPLAINED_WITHIN_DAYS)


def _after(onset: ir.Table, found: ir.Table, settings: ToxicitySettings) -> ir.Table:
    """Subjects to whom something happened between the onset and the end of the late window."""
    both = onset.select("subject_id", onset_day="rel_day").inner_join(
        found.select("subject_id", "rel_day"), "subject_id"
    )
    return both.filter(both.rel_day >= both.onset_day, both.rel_day <= settings.late_days)


def _marked(onset: ir.Table, found: ir.Table, name: str) -> ir.Table:
    flags = found.select("subject_id").distinct().mutate(found=ibis.literal(True))
    joined = onset.left_join(flags, "subject_id")
    marked = joined.mutate(**{name: joined.found.fill_null(False)})
    return marked.select(*onset.columns, name)


def _dated(table: ir.Table, anchors: ir.Table, dated_by: str) -> ir.Table:
    joined = table.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return joined.mutate(rel_day=joined[dated_by].delta(joined.t0_date, unit="day"))


def _in_days(t: ir.Table, settings: ToxicitySettings) -> ir.BooleanValue:
    return t.rel_day.between(settings.reild_from_day, settings.reild_to_day)


def _level(ascites: ir.StringValue) -> ir.IntegerValue:
    return ibis.cases(*((ascites == name, level) for level, name in enumerate(ASCITES)))
