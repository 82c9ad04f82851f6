"""One row per patient: baseline, history, treatment, and the groups of the analysis.

Every baseline value comes from `transforms.baseline.baseline`. What a site does not deliver is
null, never "no" or zero.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, as reviewed by Kanani 2013.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.records.eligibility import NOT_SPECIFIED
from schemas.settings import BaselineSettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions, SubjectLesions
from schemas.tables.marts import Eligibility, Subjects
from schemas.tables.registry import (
    Assessments,
    Medications,
    Patients,
    PriorTherapies,
    ReportedEndpoints,
    Scans,
    Treatments,
)
from transforms.baseline.baseline_values import assessment_values, laboratory_values
from transforms.baseline.liver_function import (
    albi_grade,
    albi_score,
    ascites_points,
    child_pugh_class,
    encephalopathy_points,
)
from transforms.intake.history import octreotide, prior_treatment


def subjects(
    patients: Table[Patients],
    assessments: Table[Assessments],
    medications: Table[Medications],
    prior_therapies: Table[PriorTherapies],
    treatments: Table[Treatments],
    scans: Table[Scans],
    reported_endpoints: Table[ReportedEndpoints],
    baseline_labs: Table[BaselineLabs],
    eligibility: Table[Eligibility],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subject_lesions: Table[SubjectLesions],
    *,
    settings: BaselineSettings,
) -> Table[Subjects]:
    """Gather what is known of each patient up to T0, and of the treatment as a whole."""
    parts = [
        _course(anchors),
        _criteria(eligibility),
        *assessment_values(assessments, anchors, settings),
        *laboratory_values(baseline_labs, settings),
        prior_treatment(patients, prior_therapies, anchors),
        octreotide(patients, medications, anchors, sessions),
        _coverage(sessions),
        _device(treatments, sessions),
        _first_device(treatments, anchors),
        _lesions(patients, subject_lesions),
        _imaging(scans, anchors),
        _group(reported_endpoints),
    ]
    return conform(_settled(_joined(patients, parts)), Subjects)


def _joined(patients: ir.Table, parts: list[ir.Table]) -> ir.Table:
    """One chain of joins, because a selection after each doubles the query's length."""
    known = patients
    for number, part in enumerate(parts):
        known = known.left_join(part, "subject_id", rname=f"{{name}}_{number}")
    return known


def _settled(known: ir.Table) -> ir.Table:
    """What follows from several parts at once."""
    treated = known.t0_date.notnull()
    scored = known.mutate(
        treated=treated,
        per_criteria=treated & (known.n_short == 0).fill_null(False),
        t0_year=known.t0_date.year(),
        age_years=known.t0_date.year() - known.birth_year,
        n_sessions=known.n_sessions.fill_null(0),
        albi_score=albi_score(known.bilirubin_umol_l, known.albumin_g_l),
        child_pugh_points=known.bilirubin_points
        + known.albumin_points
        + known.inr_points
        + ascites_points(known.ascites)
        + encephalopathy_points(known.encephalopathy_grade),
    )
    return scored.mutate(
        albi_grade=albi_grade(scored.albi_score),
        child_pugh_class=child_pugh_class(scored.child_pugh_points),
    )


def _criteria(eligibility: ir.Table) -> ir.Table:
    assessed = eligibility.reason.fill_null("") != NOT_SPECIFIED
    short = assessed & (eligibility.status != "pass")
    return eligibility.group_by("subject_id").agg(n_short=short.sum())


def _coverage(sessions: ir.Table) -> ir.Table:
    """Both lobes over all sessions, whether or not on one day; null where a lobe is not known."""
    reached = sessions.group_by("subject_id").agg(
        n_sessions=sessions.count(),
        right=sessions.session_date.min(where=sessions.covers_right),
        left=sessions.session_date.min(where=sessions.covers_left),
        unknown=sessions.covers_unknown.any().fill_null(False),
    )
    both = reached.right.notnull() & reached.left.notnull()
    staged = both & (reached.right != reached.left).fill_null(False)
    blind = ibis.null("boolean")
    return reached.select(
        "subject_id",
        "n_sessions",
        bilobar=(reached.unknown & ~both).ifelse(blind, both),
        staged=reached.unknown.ifelse(blind, staged),
    )


def _course(anchors: ir.Table) -> ir.Table:
    day = anchors.last_session_date.delta(anchors.t0_date, unit="day")
    return anchors.select("subject_id", "t0_date", course_end_day=day)


def _device(treatments: ir.Table, sessions: ir.Table) -> ir.Table:
    """The one device of all targets; null where that of one is not known, and no second one is."""
    given = treatments.semi_join(sessions, ["subject_id", "session_id"])
    return _used(given).rename(device="used")


def _first_device(treatments: ir.Table, anchors: ir.Table) -> ir.Table:
    """The same of the targets of T0: what is known when the clock starts."""
    placed = treatments.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return _used(placed.filter(placed.treatment_date == placed.t0_date)).rename(device_at_t0="used")


def _used(given: ir.Table) -> ir.Table:
    known = given.device.nullif("unknown")
    used = given.group_by("subject_id").agg(
        one=known.min(), other=known.max(), lacking=known.isnull().any()
    )
    device = ibis.cases(
        (used.one != used.other, "mixed"), (~used.lacking, used.one), else_=ibis.null("string")
    )
    return used.select("subject_id", used=device)


def _lesions(patients: ir.Table, subject_lesions: ir.Table) -> ir.Table:
    counted = subject_lesions.group_by("subject_id").agg(
        n_index=subject_lesions.index_lesion.cast("int64").sum()
    )
    delivering = patients.semi_join(subject_lesions, "subject_id").select("site_id").distinct()
    asked = patients.semi_join(delivering, "site_id").select("subject_id")
    known = asked.left_join(counted, "subject_id")
    return known.select("subject_id", n_lesions=known.n_index.fill_null(0))


def _imaging(scans: ir.Table, anchors: ir.Table) -> ir.Table:
    placed = scans.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    day = placed.scan_date.delta(placed.t0_date, unit="day")
    return placed.group_by("subject_id").agg(imaging_day=ibis.greatest(day.max(), 0))


def _group(reported_endpoints: ir.Table) -> ir.Table:
    """The one group of all the endpoints that a source reports of a patient."""
    given = reported_endpoints.group_by("subject_id").agg(
        least=reported_endpoints.group.min(),
        greatest=reported_endpoints.group.max(),
        marked=unreadable(reported_endpoints, "group").any(),
    )
    one = (given.least == given.greatest) & ~given.marked
    return given.select("subject_id", reported_group=one.ifelse(given.least, ibis.null("string")))
