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
from transforms.joins import looked_up


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


def anchors(
    treatments: Table[Treatments], sessions: Table[Sessions], *, settings: BaselineSettings
) -> Table[Anchors]:
    """Take T0, the last day of the first course and the plan from the sessions."""
    days = sessions.group_by("subject_id").agg(
        t0_date=sessions.session_date.min(),
        last_session_date=sessions.session_date.max(where=sessions.course == 1),
        right_date=sessions.session_date.min(where=sessions.covers_right),
        left_date=sessions.session_date.min(where=sessions.covers_left),
        unknown_date=sessions.session_date.min(where=sessions.covers_unknown),
    )
    sites = treatments.group_by("subject_id").agg(site_id=treatments.site_id.min())
    known = days.inner_join(sites, "subject_id")
    return conform(_planned(known, treatments, settings), Anchors)


def _planned(days: ir.Table, treatments: ir.Table, settings: BaselineSettings) -> ir.Table:
    """Until when each planned lobe waits: its first session, or as long as a course may last.

    The plan is what was recorded at the first session; a later record is a later plan. Where a part
    of it cannot be read it is not known. Where the lobe of the first session is not known, no lobe
    is known to wait; of a later one any may be.
    """
    first = treatments.inner_join(days.select("subject_id", "t0_date"), "subject_id")
    at_first = first.filter(first.treatment_date == first.t0_date)
    plans = at_first.group_by("subject_id").agg(
        told=at_first.planned_lobes.notnull().any() & ~unreadable(at_first, "planned_lobes").any(),
        right=at_first.planned_lobes.isin(["right", "both"]).any(),
        left=at_first.planned_lobes.isin(["left", "both"]).any(),
    )
    known = looked_up(days, plans, "subject_id")
    blind = (known.unknown_date == known.t0_date).fill_null(False)
    treated = [
        (known[lobe] == known.t0_date).fill_null(False) for lobe in ("right_date", "left_date")
    ]
    course = ibis.interval(days=settings.unilobar_second_session_days)
    limit = (known.t0_date.cast("timestamp") + course).date()
    waits = {
        f"{lobe}_waits_to": (known[lobe].fill_null(False) & ~at_once & ~blind).ifelse(
            ibis.least(
                *(known[f"{of}_date"].fill_null(limit) for of in (lobe, "unknown")),
                limit,
            ),
            None,
        )
        for lobe, at_once in zip(("right", "left"), treated, strict=True)
    }
    told = known.told.fill_null(False) & ~blind
    return known.mutate(plan_known=told | (treated[0] & treated[1]), **waits)


def subject_lesions(
    lesions: Table[Lesions],
    measurements: Table[Measurements],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
) -> Table[SubjectLesions]:
    """Number the lesions of each subject and give each the day its lobe was first perfused.

    A lesion never measured is kept, numbered last: it counts as not evaluable. Where the lobe is
    unknown, caudate, or not known to be treated, its day is T0. A fragment of a fragment is one of
    the whole.
    """
    measured = measurements.status == "measured"
    first_seen = measurements.group_by(["subject_id", "lesion_id"]).agg(
        first_date=measurements.scan_date.min(),
        first_measured_date=measurements.scan_date.min(where=measured),
    )
    seen = looked_up(lesions, first_seen, ["subject_id", "lesion_id"])
    numbered = _related(seen.mutate(lesion_number=_lesion_number(seen)))
    known = looked_up(numbered, _lobe_dates(anchors, sessions), "subject_id")
    return conform(_treated(known), SubjectLesions)


def _related(numbered: ir.Table) -> ir.Table:
    """What each lesion merged into or came from, by number; an unknown name is nothing."""
    names = numbered.select("subject_id", "lesion_id", "lesion_number", "split_from")
    into = names.select("subject_id", merged_into="lesion_id", into="lesion_number")
    whole = names.select(
        "subject_id", split_from="lesion_id", whole="lesion_number", before="split_from"
    )
    first = names.select("subject_id", before="lesion_id", first="lesion_number")
    joined = numbered
    for table, by in ((into, "merged_into"), (whole, "split_from"), (first, "before")):
        joined = looked_up(joined, table, ["subject_id", by])
    other = joined.into.nullif(joined.lesion_number)
    origin = ibis.coalesce(joined["first"], joined.whole).nullif(joined.lesion_number)
    placed = joined.drop("merged_into", "split_from").mutate(merged_into=other, split_from=origin)
    targets = placed.filter(placed.merged_into.notnull()).select(
        "subject_id", lesion_number="merged_into"
    )
    told = targets.distinct().mutate(merged_from=ibis.literal(True))
    lesion = ["subject_id", "lesion_number"]
    return looked_up(placed, told, lesion)


def _treated(known: ir.Table) -> ir.Table:
    """The first session of a lesion's territory: its lobe, or any where the lobe is not known.

    Nor is it where no session is known to treat the lesion's lobe and that of some session is not.
    """
    in_liver = known.organ.isnull() | (known.organ == "liver")
    right, left = in_liver & (known.lobe == "right"), in_liver & (known.lobe == "left")
    somewhere = known.any_unknown.fill_null(False)
    right &= known.right_date.notnull() | ~somewhere
    left &= known.left_date.notnull() | ~somewhere
    sided = (right | left).fill_null(False)
    lobe_date = ibis.cases((right, known.right_date), (left, known.left_date), else_=known.t0_date)
    session = ibis.cases(
        (right, known.right_session), (left, known.left_session), else_=known.first_session
    )
    return known.mutate(
        index_lesion=known.index_lesion.fill_null(True),
        recist_target=known.recist_target.fill_null(unreadable(known, "recist_target")),
        merged_from=known.merged_from.fill_null(False),
        treated=in_liver & ibis.ifelse(sided, lobe_date.notnull(), known.t0_date.notnull()),
        first_session_number=in_liver.ifelse(session, None),
        lobe_date=ibis.coalesce(lobe_date, known.t0_date),
    )


def _lesion_number(known: ir.Table) -> ir.IntegerValue:
    unmeasured = known.first_date.isnull().cast("int64")
    order = [unmeasured, known.first_date, known.lesion_id]
    return ibis.row_number().over(group_by=known.subject_id, order_by=order) + 1


def _lobe_dates(anchors: ir.Table, sessions: ir.Table) -> ir.Table:
    by_lobe = sessions.group_by("subject_id").agg(
        right_date=sessions.session_date.min(where=sessions.covers_right),
        left_date=sessions.session_date.min(where=sessions.covers_left),
        right_session=sessions.session_number.min(where=sessions.covers_right),
        left_session=sessions.session_number.min(where=sessions.covers_left),
        first_session=sessions.session_number.min(),
        any_unknown=sessions.covers_unknown.any(),
    )
    return anchors.select("subject_id", "t0_date").inner_join(by_lobe, "subject_id")


def _sessions(treatments: ir.Table) -> ir.Table:
    # An activity recorded as zero is a session that was broken off before anything was given.
    given = treatments.filter(treatments.activity_administered_gbq.fill_null(1) > 0)
    return given.group_by(["subject_id", "session_id"]).agg(
        session_date=given.treatment_date.min(),
        covers_right=given.lobe.isin(["right", "whole"]).any().fill_null(False),
        covers_left=given.lobe.isin(["left", "whole"]).any().fill_null(False),
        covers_unknown=(given.lobe.isnull() | (given.lobe == "unknown")).any(),
    )


def _courses(given: ir.Table, within_days: int) -> ir.Table:
    """Number the courses by treatment day.

    Each lobe is treated once in a course, so a course is one treatment day, or two that follow each
    other. In a run of days that could each continue the day before, every second one does. A day
    whose lobe is not known is not seen to treat the other one: it is a course of its own.
    """
    days = given.group_by(["subject_id", "session_date"]).agg(
        right=given.covers_right.any(),
        left=given.covers_left.any(),
        unknown=given.covers_unknown.any(),
    )
    by_day = ibis.window(group_by="subject_id", order_by="session_date")
    previous = days.mutate(
        number=ibis.row_number().over(by_day),
        gap=days.session_date.delta(days.session_date.lag().over(by_day), unit="day"),
        same_lobe=(days.right & days.right.lag().over(by_day))
        | (days.left & days.left.lag().over(by_day))
        | days.unknown
        | days.unknown.lag().over(by_day),
    )
    continues = ((previous.gap <= within_days) & ~previous.same_lobe).fill_null(False)
    runs = previous.mutate(run_start=ibis.ifelse(continues, 0, previous.number))
    up_to_day = ibis.cumulative_window(group_by="subject_id", order_by="session_date")
    places = runs.mutate(place=runs.number - runs.run_start.max().over(up_to_day))
    starts = places.mutate(starts=(places.place % 2 == 0).cast("int64"))
    return starts.select("subject_id", "session_date", course=starts.starts.sum().over(up_to_day))
