"""Treatment before the first 90Y administration, and octreotide with it.

A site that delivers no row of a table says nothing, so its patients' history is null. Where it
delivers the table, a patient without a row was not given the therapy.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (prior liver-directed therapy,
octreotide continued through treatment and given as prophylaxis).
"""

import ibis
import ibis.expr.types as ir

from transforms.joins import looked_up

SYSTEMIC = ("somatostatin_analogue", "chemotherapy", "targeted", "prrt")


def prior_treatment(patients: ir.Table, prior_therapies: ir.Table, anchors: ir.Table) -> ir.Table:
    """Liver-directed and systemic therapy that began before T0.

    A course without an exact first day counts as before: that is what the table declares.
    """
    placed = prior_therapies.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    exact = placed.start_date_precision.fill_null("day") == "day"
    before = placed.filter(~(exact & (placed.start_date >= placed.t0_date)).fill_null(False))
    given = before.group_by("subject_id").agg(
        liver=(before.therapy_class == "liver_directed").any(),
        systemic=before.therapy_class.isin(SYSTEMIC).any(),
    )
    known = _asked(patients, prior_therapies, anchors, given)
    return known.select(
        "subject_id",
        prior_liver_directed=known.liver.fill_null(False),
        prior_systemic=known.systemic.fill_null(False),
    )


def octreotide(
    patients: ir.Table, medications: ir.Table, anchors: ir.Table, sessions: ir.Table
) -> ir.Table:
    """Octreotide that was continued over T0, and prophylaxis on every session day."""
    courses = medications.filter(medications.drug.lower().contains("octreotide"))
    continued = _continued(courses.filter(courses.purpose == "continuing"), anchors)
    covered = _covered(courses.filter(courses.purpose == "prophylaxis"), sessions)
    known = _asked(patients, medications, anchors, continued)
    known = looked_up(known, covered, "subject_id")
    return known.select(
        "subject_id",
        octreotide_continued=ibis.cases(
            (known.n_covering > 0, True), (known.n_open > 0, ibis.null("boolean")), else_=False
        ),
        octreotide_prophylaxis=known.every_day.fill_null(False),
    )


def _continued(courses: ir.Table, anchors: ir.Table) -> ir.Table:
    placed = courses.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    runs_on = placed.stop_date.isnull() | (placed.stop_date >= placed.t0_date)
    covers = (placed.start_date <= placed.t0_date) & runs_on
    return placed.group_by("subject_id").agg(
        n_covering=covers.fill_null(False).sum(), n_open=covers.isnull().sum()
    )


def _covered(courses: ir.Table, sessions: ir.Table) -> ir.Table:
    days = sessions.select("subject_id", "session_date").distinct()
    paired = days.inner_join(courses, "subject_id")
    last = ibis.coalesce(paired.stop_date, paired.start_date)
    given = paired.filter(paired.session_date.between(paired.start_date, last))
    on_days = given.select("subject_id", "session_date", given=ibis.literal(1)).distinct()
    marked = days.left_join(on_days, ["subject_id", "session_date"])
    return marked.group_by("subject_id").agg(every_day=marked.given.notnull().all())


def _asked(patients: ir.Table, table: ir.Table, anchors: ir.Table, found: ir.Table) -> ir.Table:
    """Treated patients of the sites that deliver the table, with what was found of each."""
    asked = patients.select("subject_id", "site_id").semi_join(anchors, "subject_id")
    delivered = asked.semi_join(table, "site_id").select("subject_id")
    return looked_up(delivered, found, "subject_id")
