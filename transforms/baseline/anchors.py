"""The first day of each patient's clock, and the sessions and lesions that belong to it.

T0 is the day of the first 90Y administration: survival is counted "from the first 90Y treatment".
A further session belongs to the same planned course when it follows within a set number of days and
treats only the other lobe; otherwise it is re-treatment, with windows of its own.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (lobar, staged treatment);
Dunfee et al., J Vasc Interv Radiol 2010 (survival from the first 90Y treatment).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import BaselineSettings
from schemas.tables.intermediate import Anchors, Sessions, SubjectLesions
from schemas.tables.registry import Lesions, Measurements, Treatments


def sessions(treatments: Table[Treatments], *, settings: BaselineSettings) -> Table[Sessions]:
    """Number the sessions of each subject and tell the planned course from re-treatment."""
    given = _sessions(treatments)
    courses = _courses(given, settings.unilobar_second_session_days)
    numbered = given.inner_join(courses, ["subject_id", "session_date"]).mutate(
        session_number=ibis.row_number().over(
            group_by="subject_id", order_by=["session_date", "session_id"]
        )
        + 1
    )
    return conform(numbered, Sessions)


def anchors(treatments: Table[Treatments], sessions: Table[Sessions]) -> Table[Anchors]:
    """Take T0 and the last day of the first course from the sessions."""
    days = sessions.group_by("subject_id").agg(
        t0_date=sessions.session_date.min(),
        last_session_date=sessions.session_date.max(where=sessions.course == 1),
    )
    sites = treatments.group_by("subject_id").agg(site_id=treatments.site_id.min())
    return conform(days.inner_join(sites, "subject_id"), Anchors)


def subject_lesions(
    lesions: Table[Lesions],
    measurements: Table[Measurements],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
) -> Table[SubjectLesions]:
    """Number the lesions of each subject and give each the day its lobe was first perfused.

    A lesion never measured is kept, numbered last: it counts as not evaluable. Where the lobe is
    unknown, caudate, or never treated, its day is T0.
    """
    first_seen = measurements.group_by(["subject_id", "lesion_id"]).agg(
        first_date=measurements.scan_date.min()
    )
    known = (
        lesions.left_join(first_seen, ["subject_id", "lesion_id"])
        .drop("subject_id_right", "lesion_id_right")
        .left_join(_lobe_dates(anchors, sessions), "subject_id")
        .drop("subject_id_right")
    )
    in_liver = known.organ.isnull() | (known.organ == "liver")
    numbered = known.mutate(
        lesion_number=_lesion_number(known),
        index_lesion=known.index_lesion.fill_null(True),
        recist_target=known.recist_target.fill_null(unreadable(known, "recist_target")),
        lobe_date=ibis.coalesce(
            ibis.cases(
                (in_liver & (known.lobe == "right"), known.right_date),
                (in_liver & (known.lobe == "left"), known.left_date),
                else_=known.t0_date,
            ),
            known.t0_date,
        ),
    )
    return conform(numbered, SubjectLesions)


def _lesion_number(known: ir.Table) -> ir.IntegerValue:
    unmeasured = known.first_date.isnull().cast("int64")
    order = [unmeasured, known.first_date, known.lesion_id]
    return ibis.row_number().over(group_by=known.subject_id, order_by=order) + 1


def _lobe_dates(anchors: ir.Table, sessions: ir.Table) -> ir.Table:
    by_lobe = sessions.group_by("subject_id").agg(
        right_date=sessions.session_date.min(where=sessions.covers_right),
        left_date=sessions.session_date.min(where=sessions.covers_left),
    )
    return anchors.select("subject_id", "t0_date").inner_join(by_lobe, "subject_id")


def _sessions(treatments: ir.Table) -> ir.Table:
    # An activity recorded as zero is a session that was broken off before anything was given.
    given = treatments.filter(treatments.activity_administered_gbq.fill_null(1) > 0)
    return given.group_by(["subject_id", "session_id"]).agg(
        session_date=given.treatment_date.min(),
        covers_right=given.lobe.isin(["right", "whole"]).any(),
        covers_left=given.lobe.isin(["left", "whole"]).any(),
    )


def _courses(given: ir.Table, within_days: int) -> ir.Table:
    """Number the courses by treatment day.

    Each lobe is treated once in a course, so a course is one treatment day, or two that follow each
    other. In a run of days that could each continue the day before, every second one does.
    """
    days = given.group_by(["subject_id", "session_date"]).agg(
        right=given.covers_right.any(), left=given.covers_left.any()
    )
    by_day = ibis.window(group_by="subject_id", order_by="session_date")
    previous = days.mutate(
        number=ibis.row_number().over(by_day),
        gap=days.session_date.delta(days.session_date.lag().over(by_day), unit="day"),
        same_lobe=(days.right & days.right.lag().over(by_day))
        | (days.left & days.left.lag().over(by_day)),
    )
    continues = ((previous.gap <= within_days) & ~previous.same_lobe).fill_null(False)
    runs = previous.mutate(run_start=ibis.ifelse(continues, 0, previous.number))
    up_to_day = ibis.cumulative_window(group_by="subject_id", order_by="session_date")
    places = runs.mutate(place=runs.number - runs.run_start.max().over(up_to_day))
    starts = places.mutate(starts=(places.place % 2 == 0).cast("int64"))
    return starts.select("subject_id", "session_date", course=starts.starts.sum().over(up_to_day))
