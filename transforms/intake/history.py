"""Treatment before the first 90Y administration, and octreotide with it.

A site that delivers no row of a table says nothing, so its patients' history is null. Where it
delivers the table, a patient without a row was not given the therapy.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (prior liver-directed therapy,
octreotide continued through treatment and given as prophylaxis).
"""

import ibis
import ibis.expr.types as ir

from schemas.codes import THERAPY_CLASSES
from schemas.contract import unreadable
from transforms.joins import looked_up

SYSTEMIC = ("somatostatin_analogue", "chemotherapy", "targeted", "prrt")


def prior_treatment(patients: ir.Table, prior_therapies: ir.Table, anchors: ir.Table) -> ir.Table:
    """Therapy of each class, and systemic therapy, that began before T0.

    A course without an exact first day counts as before: that is what the table declares. One whose
    first day cannot be read leaves the answer open.
    """
    placed = prior_therapies.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    exact = placed.start_date_precision.fill_null("day") == "day"
    before = placed.filter(~(exact & (placed.start_date >= placed.t0_date)).fill_null(False))
    kinds = {name: before.therapy_class == name for name in THERAPY_CLASSES}
    kinds["systemic"] = before.therapy_class.isin(SYSTEMIC)
    perhaps = unreadable(before, "start_date")
    given = before.group_by("subject_id").agg(
        **{f"{name}_n": (kind & ~perhaps).sum() for name, kind in kinds.items()},
        **{f"{name}_open": (kind & perhaps).sum() for name, kind in kinds.items()},
    )
    known = _asked(patients, prior_therapies, anchors, given)
    return known.select(
        "subject_id",
        **{f"prior_{name}": _some(known[f"{name}_n"], known[f"{name}_open"]) for name in kinds},
    )


def _some(certain: ir.IntegerValue, possible: ir.IntegerValue) -> ir.BooleanValue:
    """Yes where something is certain, open where it is possible, else no."""
    return ibis.cases((certain > 0, True), (possible > 0, ibis.null("boolean")), else_=False)


def octreotide(
    patients: ir.Table, medications: ir.Table, anchors: ir.Table, sessions: ir.Table
) -> ir.Table:
    """Octreotide that was continued over T0, and prophylaxis on every session day."""
    courses = medications.filter(medications.drug.lower().contains("octreotide"))
    courses = courses.mutate(
        perhaps=unreadable(courses, "purpose"),
        start_unread=unreadable(courses, "start_date"),
        stop_unread=unreadable(courses, "stop_date"),
    )
    continuing = (courses.purpose == "continuing") | courses.perhaps
    continued = _continued(courses.filter(continuing), anchors)
    prophylaxis = (courses.purpose == "prophylaxis") | courses.perhaps
    covered = _covered(courses.filter(prophylaxis), sessions)
    known = _asked(patients, medications, anchors, continued)
    known = looked_up(known, covered, "subject_id")
    return known.select(
        "subject_id",
        octreotide_continued=_some(known.n_covering, known.n_open),
        octreotide_prophylaxis=ibis.cases(
            (known.n_given == known.n_days, True),
            (known.n_possible == known.n_days, ibis.null("boolean")),
            else_=False,
        ),
    )


def _continued(courses: ir.Table, anchors: ir.Table) -> ir.Table:
    placed = courses.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    runs_on = ibis.cases(
        (placed.stop_unread, ibis.null("boolean")),
        (placed.stop_date.isnull(), True),
        else_=placed.stop_date >= placed.t0_date,
    )
    covers = (placed.start_date <= placed.t0_date) & runs_on
    covers = (placed.perhaps & covers.fill_null(True)).ifelse(ibis.null("boolean"), covers)
    return placed.group_by("subject_id").agg(
        n_covering=covers.fill_null(False).sum(), n_open=covers.isnull().sum()
    )


def _covered(courses: ir.Table, sessions: ir.Table) -> ir.Table:
    """How many session days are covered for certain, and how many perhaps."""
    days = sessions.select("subject_id", "session_date").distinct()
    paired = days.inner_join(courses, "subject_id")
    last = ibis.coalesce(paired.stop_date, paired.start_date)
    begun = paired.start_unread.ifelse(None, paired.start_date <= paired.session_date)
    ended = paired.stop_unread.ifelse(None, last < paired.session_date)
    covers = (begun & ~ended).fill_null(False) & ~paired.perhaps
    unread = paired.perhaps | paired.start_unread | paired.stop_unread
    possible = unread & begun.fill_null(paired.start_unread) & ~ended.fill_null(False)
    by_day = paired.mutate(covers=covers, possible=covers | possible)
    seen = by_day.group_by("subject_id", "session_date").agg(
        covers=by_day.covers.any(), possible=by_day.possible.any()
    )
    marked = looked_up(days, seen, ["subject_id", "session_date"])
    return marked.group_by("subject_id").agg(
        n_days=marked.count(),
        n_given=marked.covers.fill_null(False).sum(),
        n_possible=marked.possible.fill_null(False).sum(),
    )


def _asked(patients: ir.Table, table: ir.Table, anchors: ir.Table, found: ir.Table) -> ir.Table:
    """Treated patients of the sites that deliver the table, with what was found of each."""
    asked = patients.select("subject_id", "site_id").semi_join(anchors, "subject_id")
    delivered = asked.semi_join(table, "site_id").select("subject_id")
    return looked_up(delivered, found, "subject_id")
