"""The window in which a response counts: it closes when other treatment begins.

The window closes with the start of later anticancer therapy or of a further course of 90Y; the
planned second session to the other lobe belongs to the same treatment and does not close it. First
progression closes it too, each unit's own.
"""

import ibis
import ibis.expr.types as ir

from schemas.settings import ResponseSettings


def closing_days(
    anchors: ir.Table,
    sessions: ir.Table,
    subsequent_therapies: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """Subjects whose window other treatment closes: `closed_day`, the last day that counts."""
    therapies = subsequent_therapies.select("subject_id", day="start_date")
    courses = sessions.filter(sessions.course > 1).select("subject_id", day="session_date")
    begun = ibis.union(therapies, courses).inner_join(anchors, "subject_id")
    after = begun.mutate(rel_day=begun.day.delta(begun.t0_date, unit="day"))
    counted = after.filter((after.rel_day > 0) & settings.window_closed_by_therapy)
    return counted.group_by("subject_id").agg(closed_day=counted.rel_day.min())


def in_window(
    rel_day: ir.IntegerValue, first_progression: ir.IntegerValue, closed_day: ir.IntegerValue
) -> ir.BooleanValue:
    """Up to and with the first progression, and the day that other treatment began."""
    return (rel_day <= first_progression).fill_null(True) & (rel_day <= closed_day).fill_null(True)
