"""The best response of each lesion and of each patient, unconfirmed and confirmed.

The order is CR, PR, SD, NON-CR/NON-PD, PD, NE; of equal responses the earliest counts.
Assessments up to and with the first progression count, as long as no other treatment began, and
only those of the reader who counts: of lesions the registry's, of patients the one of
`transforms.classes.counted_readers`. Every treated patient and every index lesion that was there
has a row, so that nobody leaves the denominator: those without an evaluable assessment are NE, with
the reason. Outside the liver only patients with disease there have one.

Stable disease counts from a minimum day on. A CR or PR that is not confirmed counts as stable
disease from the same day on.

Source: pharmaverse admiralonco, derive_param_confirmed_bor and derive_param_bor (order, minimum
time); Eisenhauer 2009 by way of PMC2755245 Table 3.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.criteria import CRITERIA, RECORDS
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import Anchors, AssessedDays, LesionQuantities, SubjectLesions
from schemas.tables.mart_table import CONFIRMATIONS
from schemas.tables.marts import (
    FollowedLesions,
    LesionAssessments,
    LesionResponse,
    SubjectAssessments,
    SubjectResponse,
)
from schemas.tables.registry import Patients
from transforms.classes.counted_readers import counted
from transforms.joins import looked_up
from transforms.response.baselines import moment
from transforms.response.confirmation import confirmed_days

_LESION = ("subject_id", "lesion_number", "criterion")
_SUBJECT = ("subject_id", "organ", "criterion")
_TRAITS = ("subject_id", "lesion_number", "index_lesion", "recist_target", "treated")


def lesion_response(
    lesion_assessments: Table[LesionAssessments],
    lesion_quantities: Table[LesionQuantities],
    followed_lesions: Table[FollowedLesions],
    assessed_days: Table[AssessedDays],
    *,
    settings: ResponseSettings,
) -> Table[LesionResponse]:
    """Best response of every index lesion of the treated that was there before treatment.

    An assessment without a row of the lesion lies between a response and its confirmation as one
    that is not evaluable, as it does for the patient.
    """
    lesions = followed_lesions.filter(followed_lesions.index_lesion, followed_lesions.counted)
    read = lesion_quantities.filter(lesion_quantities.reader == settings.reader)
    seen = read.group_by("subject_id", "lesion_number").agg(measured=ibis.literal(True))
    units = (
        lesions.left_join(seen, ["subject_id", "lesion_number"])
        .select(*_TRAITS, "measured")
        .cross_join(_criteria())
    )
    counts = ibis.cases(*((units.criterion == c.code, units[c.lesions]) for c in RECORDS))
    reason = ibis.cases(
        (~counts, "not_a_recist_target"),
        (units.measured.isnull(), "never_measured"),
        else_="no_scan_after_treatment",
    )
    assessments = lesion_assessments.filter(lesion_assessments.reader == settings.reader)
    unread = _unread(assessments, assessed_days.filter(assessed_days.reader == settings.reader))
    best = _best(assessments, _LESION, settings, unread)
    return conform(_rows(units.mutate(unseen=reason), best, _LESION), LesionResponse)


def _unread(read: ir.Table, days: ir.Table) -> ir.Table:
    """The patient's assessments in which a lesion that responded has no row, as not evaluable."""
    day = ["subject_id", "rel_day"]
    known = read.inner_join(days.select(*day, "first_day"), day).select(*_LESION, "first_day")
    whole = days.group_by("subject_id", "first_day").agg(rel_day=days.rel_day.max())
    responded = read.filter(read.response.isin(["CR", "PR"])).select(*_LESION).distinct()
    every = responded.inner_join(whole, "subject_id")
    missing = every.anti_join(known, [*_LESION, "first_day"])
    return missing.select(*_LESION, "rel_day", response=ibis.literal("NE"))


def subject_response(
    subject_assessments: Table[SubjectAssessments],
    subject_lesions: Table[SubjectLesions],
    patients: Table[Patients],
    anchors: Table[Anchors],
    counted_readers: Table[CountedReaders],
    *,
    settings: ResponseSettings,
    reading: ReadingSettings,
) -> Table[SubjectResponse]:
    """Best response of every treated subject of a site with lesions, as a whole and by organ."""
    sites = anchors.semi_join(subject_lesions, "subject_id").select("site_id").distinct()
    treated = anchors.semi_join(sites, "site_id")
    subjects = treated.select(
        "subject_id",
        course_end_day=treated.last_session_date.delta(treated.t0_date, unit="day"),
    )
    known = _with_organs(subjects, subject_lesions, patients, subject_assessments)
    units = known.cross_join(_criteria()).mutate(unseen=ibis.literal("no_scan_after_treatment"))
    read = counted(subject_assessments, counted_readers, settings, reading)
    best = _best(read, _SUBJECT, settings)
    rows = _rows(units, best, _SUBJECT)
    early = (rows.progression_day < rows.course_end_day).fill_null(False)
    return conform(rows.mutate(pd_before_course_end=early), SubjectResponse)


def _with_organs(
    subjects: ir.Table, subject_lesions: ir.Table, patients: ir.Table, assessments: ir.Table
) -> ir.Table:
    """The patient as a whole and the liver; disease outside it, where it is known or was seen."""
    outside = assessments.filter(assessments.organ == "extrahepatic", assessments.response != "NE")
    known = (
        patients.filter(patients.extrahepatic_disease.isin(["minimal", "significant"])),
        subject_lesions.filter(subject_lesions.organ.isin(["node", "other"])),
        outside,
    )
    elsewhere = ibis.union(*(t.select("subject_id") for t in known), distinct=True)
    return ibis.union(
        subjects.mutate(organ=ibis.literal("all")),
        subjects.mutate(organ=ibis.literal("liver")),
        subjects.semi_join(elsewhere, "subject_id").mutate(organ=ibis.literal("extrahepatic")),
    )


def _criteria() -> ir.Table:
    return ibis.memtable({"criterion": list(CRITERIA)})


def _best(
    read: ir.Table,
    by: tuple[str, ...],
    settings: ResponseSettings,
    unread: ir.Table | None = None,
) -> ir.Table:
    """One row per unit with an assessment: the first day of each class, and the depth.

    `unread` holds assessments that the unit has no row of: between two responses they are gaps.
    """
    late = read.rel_day >= settings.sd_min_days
    first = read.group_by(by).agg(
        first_cr=_first(read, read.response == "CR"),
        first_pr=_first(read, read.response == "PR"),
        first_sd=_first(read, (read.response == "SD") & late),
        first_controlled=_first(read, read.response.isin(["CR", "PR", "SD"]) & late),
        first_non=_first(read, (read.response == "NON-CR/NON-PD") & late),
        first_pd=_first(read, read.response == "PD"),
        progression_day=read.rel_day.min(where=read.response == "PD"),
        n_in_window=read.in_window.sum(),
        not_evaluable=read.rule.argmin(moment(read), where=read.in_window),
        **_depth(read),
    )
    inside = read.filter(read.in_window).select(*by, "rel_day", "response")
    gaps = inside if unread is None else inside.union(unread.select(inside.columns))
    confirmed = confirmed_days(gaps, by, settings)
    return looked_up(first, confirmed, by)


def _first(read: ir.Table, condition: ir.BooleanValue) -> ir.IntegerValue:
    return read.rel_day.min(where=condition & read.in_window)


def _depth(read: ir.Table) -> dict[str, ir.Value]:
    """How far the quantity fell, over evaluable assessments in the window; compared exactly."""
    evaluable = read.in_window & (read.response != "NE")
    compared = evaluable & read.value.notnull() & read.baseline.notnull()
    return {
        "last_evaluable_day": read.rel_day.max(where=evaluable),
        "best_change_pct": read.change_from_baseline_pct.min(where=compared),
        "any_decrease": (read.value < read.baseline).any(where=compared),
        "over_50_decrease": (read.value * 2 < read.baseline).any(where=compared),
    }


def _rows(units: ir.Table, best: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """Every unit twice, with its best response unconfirmed and confirmed."""
    known = looked_up(units, best, by)
    both = known.cross_join(ibis.memtable({"confirmation": list(CONFIRMATIONS)}))
    confirmed = both.confirmation == "confirmed"
    chosen = both.mutate(
        cr=confirmed.ifelse(both.confirmed_cr, both.first_cr),
        pr=confirmed.ifelse(both.confirmed_pr, both.first_pr),
        sd=confirmed.ifelse(both.first_controlled, both.first_sd),
    )
    ladder = (
        ("CR", chosen.cr),
        ("PR", chosen.pr),
        ("SD", chosen.sd),
        ("NON-CR/NON-PD", chosen.first_non),
        ("PD", chosen.first_pd),
    )
    placed = chosen.mutate(
        best_response=ibis.cases(*((day.notnull(), name) for name, day in ladder), else_="NE"),
        best_response_day=ibis.coalesce(*(day for _, day in ladder)),
        first_response_day=_earlier(chosen.cr, chosen.pr),
        evaluable=chosen.last_evaluable_day.notnull(),
    )
    return placed.mutate(reason=_reason(placed))


def _earlier(one: ir.IntegerValue, other: ir.IntegerValue) -> ir.IntegerValue:
    return ibis.least(ibis.coalesce(one, other), ibis.coalesce(other, one))


def _reason(placed: ir.Table) -> ir.StringValue:
    return ibis.cases(
        (placed.best_response != "NE", ibis.null("string")),
        (placed.evaluable, "only_before_the_minimum_day"),
        (placed.n_in_window.isnull(), placed.unseen),
        (placed.n_in_window == 0, "window_closed"),
        else_=placed.not_evaluable,
    )
