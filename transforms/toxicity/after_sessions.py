"""Which session a day after treatment belongs to, and on which day each course began."""

import ibis.expr.types as ir

from schemas.settings import ToxicitySettings
from transforms.joins import dated


def placed_sessions(sessions: ir.Table, anchors: ir.Table) -> ir.Table:
    """The sessions in days from T0."""
    placed = dated(sessions, anchors, "session_date")
    return placed.select("subject_id", "session_number", "course", session_day="rel_day")


def begun_courses(sessions: ir.Table, anchors: ir.Table) -> ir.Table:
    """The first session of each course, as the day before which its baseline lies."""
    first = sessions.group_by("subject_id", "course").agg(first_date=sessions.session_date.min())
    begun = dated(first, anchors, "first_date")
    return begun.select("subject_id", "course", t0_date="first_date", course_day="rel_day")


def within(table: ir.Table, placed: ir.Table, first: int, last: int) -> ir.Table:
    """The rows of a day that lies so long after a session, each with the latest such session."""
    pairs = table.select("subject_id", "rel_day").distinct().inner_join(placed, "subject_id")
    near = pairs.filter((pairs.rel_day - pairs.session_day).between(first, last))
    # Sessions and courses are numbered by their days: the greatest is the latest.
    latest = near.group_by("subject_id", "rel_day").agg(
        session_number=near.session_number.max(), course=near.course.max()
    )
    return table.inner_join(latest, ["subject_id", "rel_day"])


def in_days(table: ir.Table, placed: ir.Table, settings: ToxicitySettings) -> ir.Table:
    """The rows of two weeks to four months after a session, the days of REILD."""
    return within(table, placed, settings.reild_from_day, settings.reild_to_day)
