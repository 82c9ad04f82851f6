"""Planned lobes that wait for their session: how long they wait, and from which day they are followed."""

from .chart import Chart
from .history import Lesion
from .settings import FIVE_MM
from .territory import session_lobes


def planned_lobes(chart: Chart) -> frozenset | None:
    """Return the lobes planned at the first session; None where nobody recorded them."""
    plans = [
        session.planned_lobes
        for session in chart.history.sessions
        if session.day == chart.t0 and session.planned_lobes is not None
    ]
    if not plans:
        return None
    return frozenset().union(*(session_lobes(lobe) for plan in plans for lobe in plan))


def last_waiting_day(chart: Chart, lesion: Lesion) -> int | None:
    """Return the last day on which a lesion waits: its lobe's session, at most the end of a course.

    A scan on the day of the session comes before it. None where the lesion does not wait after T0: its
    lobe is not known, was not planned, or was treated at the first session; or patients are judged from
    the first session on.
    """
    if chart.settings.patient_window != "planned_course" or lesion.organ != "liver":
        return None
    if lesion.lobe not in (planned_lobes(chart) or ()):
        return None
    end = chart.t0 + chart.settings.course_days
    session = _session(chart, lesion.lobe)
    last = end if session is None else min(session, end)
    return last if last > chart.t0 else None


def waits(chart: Chart, lesion: Lesion, day: int) -> bool:
    """Tell whether a lesion lies in a planned lobe that waits on this day."""
    last = last_waiting_day(chart, lesion)
    return last is not None and day <= last


def followed_from(chart: Chart, lesion: Lesion, day: int) -> int:
    """Return the day whose last reading is a lesion's baseline on a day: its own session once it has passed."""
    last = last_waiting_day(chart, lesion)
    if last is None or day <= last or last != _session(chart, lesion.lobe):
        return chart.t0
    return last


def changes_while_waiting(chart: Chart) -> bool:
    """Tell whether a lesion grows by 20 % and 5 mm, or appears, in a planned lobe that waits."""
    for lesion in chart.history.lesions:
        rows = [r for r in chart.rows[lesion.id] if r.longest and waits(chart, lesion, r.day)]
        before = [row.longest for row in rows if row.day <= chart.t0]
        after = [row.longest for row in rows if row.day > chart.t0]
        if after and (not before or _grew(max(after), min(before))):
            return True
    return False


def _grew(length: int, before: int) -> bool:
    """Tell whether a diameter is larger by 20 % and 5 mm (Eisenhauer 2009)."""
    return 5 * length >= 6 * before and length - before >= FIVE_MM


def _session(chart: Chart, lobe: str) -> int | None:
    """Return the day of the first session to a lobe."""
    return min(
        (session.day for session in chart.history.sessions if lobe in session_lobes(session.lobe)),
        default=None,
    )
