"""Close the response window when other treatment begins.

The window closes with the start of later anticancer therapy. A patient's closes with a further
course of 90Y, too; the planned second session to the other lobe belongs to the same treatment and
does not close it. A lesion's closes with the second session that treats its own lobe, never with
the first; where its lobe is not known, with a further course. A window cannot close before it
opens: therapy that began before a lobe's own first session is not later than the treatment of its
lesions, and stays what closes the patient's; that is a judgement, no guideline's. First progression
closes the window too, each unit's own.
"""

import ibis
import ibis.expr.types as ir

from schemas.settings import ResponseSettings
from transforms.joins import dated, looked_up

COVERS = {"right": "covers_right", "left": "covers_left"}
"""Lobe -> the column of sessions that says whether a session treats it."""


def closing_days(
    anchors: ir.Table,
    sessions: ir.Table,
    subsequent_therapies: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """Subjects whose window other treatment closes: `closed_day`, the last day that counts."""
    therapies = subsequent_therapies.select("subject_id", day="start_date")
    courses = sessions.filter(sessions.course > 1).select("subject_id", day="session_date")
    begun = _after(anchors, ibis.union(therapies, courses), settings)
    return begun.group_by("subject_id").agg(closed_day=begun.rel_day.min())


def lesion_closing_days(
    anchors: ir.Table,
    sessions: ir.Table,
    subsequent_therapies: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """Per subject the last day that counts for lesions of each territory.

    `right_day` and `left_day` for a known lobe, `any_day` for a liver lesion of none, `outside_day`
    for a lesion outside the liver, which no session treats.
    """
    therapies = subsequent_therapies.select("subject_id", day="start_date")
    courses = sessions.filter(sessions.course > 1).select("subject_id", day="session_date")
    parts = [_closed(therapies, name) for name in ("any_day", "outside_day")]
    for lobe, covers in COVERS.items():
        later = therapies
        if settings.baseline_anchor == "lobe":
            later = _since_own_session(therapies, sessions, covers)
        parts += [_closed(t, f"{lobe}_day") for t in (later, _second(sessions, covers))]
    begun = _after(anchors, ibis.union(*parts, _closed(courses, "any_day")), settings)
    return begun.group_by("subject_id").agg(
        **{
            name: begun.rel_day.min(where=begun.territory == name)
            for name in ("right_day", "left_day", "any_day", "outside_day")
        }
    )


def closings(
    anchors: ir.Table,
    sessions: ir.Table,
    subsequent_therapies: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """Every day that closes the window of a subject or of one of its lesions."""
    read = (anchors, sessions, subsequent_therapies)
    own, lesions = closing_days(*read, settings), lesion_closing_days(*read, settings)
    territories = [n for n in lesions.columns if n != "subject_id"]
    days = [lesions.select("subject_id", closed_day=name) for name in territories]
    every = ibis.union(own.select("subject_id", "closed_day"), *days)
    return every.filter(every.closed_day.notnull()).distinct()


def closing_day(lesions: ir.Table) -> ir.IntegerValue:
    """The last day that counts for a lesion, by its lobe."""
    return ibis.cases(
        (~lesions.liver, lesions.outside_day),
        (lesions.lobe == "right", lesions.right_day),
        (lesions.lobe == "left", lesions.left_day),
        else_=lesions.any_day,
    )


def in_window(
    rel_day: ir.IntegerValue, first_progression: ir.IntegerValue, closed_day: ir.IntegerValue
) -> ir.BooleanValue:
    """Up to and with the first progression, and the day that other treatment began."""
    return (rel_day <= first_progression).fill_null(True) & (rel_day <= closed_day).fill_null(True)


def _closed(days: ir.Table, territory: str) -> ir.Table:
    return days.select("subject_id", "day", territory=ibis.literal(territory))


def _since_own_session(therapies: ir.Table, sessions: ir.Table, covers: str) -> ir.Table:
    """Therapies that began after the first session of a lobe; all, where none treats it."""
    treated = sessions.filter(sessions[covers].fill_null(False))
    opened = treated.group_by("subject_id").agg(opened=treated.session_date.min())
    known = looked_up(therapies, opened, "subject_id")
    return known.filter((known.day > known.opened).fill_null(True)).select("subject_id", "day")


def _second(sessions: ir.Table, covers: str) -> ir.Table:
    """Every day after the first on which the lobe was treated, or may have been treated again."""
    own, unknown = (sessions[name].fill_null(False) for name in (covers, "covers_unknown"))
    opened = sessions.group_by("subject_id").agg(
        opened=ibis.coalesce(
            sessions.session_date.min(where=own), sessions.session_date.min(where=unknown)
        )
    )
    maybe = sessions.filter(own | unknown).select("subject_id", day="session_date").distinct()
    later = looked_up(maybe, opened, "subject_id")
    return later.filter(later.day > later.opened).select("subject_id", "day")


def _after(anchors: ir.Table, begun: ir.Table, settings: ResponseSettings) -> ir.Table:
    after = dated(begun, anchors, "day")
    return after.filter((after.rel_day > 0) & settings.window_closed_by_therapy)
