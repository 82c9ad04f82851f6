"""Lobes, sessions and windows: which session treats a lesion and what closes a window."""

from .chart import Chart
from .history import Lesion

BOTH = frozenset({"right", "left"})


def session_lobes(lobe: str) -> frozenset:
    """Return the lobes that a session covers; `whole` is both."""
    return BOTH if lobe == "whole" else frozenset({lobe})


def covers(lobe: str, lesion: Lesion) -> bool:
    """Tell whether a session covers a lesion; caudate or unknown is covered by any session."""
    if lesion.organ != "liver":
        return False
    return lesion.lobe not in BOTH or lesion.lobe in session_lobes(lobe)


def treatment_days(chart: Chart, lesion: Lesion) -> list:
    """Return the days of the sessions that cover a lesion's territory."""
    return sorted(
        {session.day for session in chart.history.sessions if covers(session.lobe, lesion)}
    )


def treated(chart: Chart, lesion: Lesion) -> bool:
    """Tell whether any session covers the lesion."""
    return bool(treatment_days(chart, lesion))


def anchor(chart: Chart, lesion: Lesion) -> int:
    """Return the first session of the lesion's territory, T0 where no session covers it."""
    return min(treatment_days(chart, lesion), default=chart.t0)


def lesion_close(chart: Chart, lesion: Lesion) -> int | None:
    """Return the day of the second session of the territory or of the next therapy, whichever is first."""
    start = anchor(chart, lesion)
    closing = treatment_days(chart, lesion)[1:2]
    closing += [therapy.day for therapy in chart.history.therapies if therapy.day > start]
    return min(closing, default=None)


def retreatment_day(chart: Chart) -> int | None:
    """Return the first session that is not a planned one: later than 90 days, or to a lobe treated before."""
    done = frozenset()
    for day in sorted({session.day for session in chart.history.sessions}):
        lobes = _lobes_on(chart, day)
        if done and (day - chart.t0 > chart.settings.course_days or lobes & done):
            return day
        done |= lobes
    return None


def _lobes_on(chart: Chart, day: int) -> frozenset:
    """Return the lobes treated on one day."""
    return frozenset().union(
        *(session_lobes(session.lobe) for session in chart.history.sessions if session.day == day)
    )


def patient_close(chart: Chart) -> int | None:
    """Return the first retreatment or subsequent therapy, which closes the patient's window."""
    closing = [therapy.day for therapy in chart.history.therapies if therapy.day > chart.t0]
    retreatment = retreatment_day(chart)
    if retreatment is not None:
        closing.append(retreatment)
    return min(closing, default=None)


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


def lobe_day(chart: Chart, lobe: str) -> int | None:
    """Return the day of the first session to a lobe."""
    return min(
        (session.day for session in chart.history.sessions if lobe in session_lobes(session.lobe)),
        default=None,
    )


def session_of_plan(chart: Chart, lesion: Lesion) -> int:
    """Return the session from which growth of a lesion counts: that of its planned lobe, else T0."""
    planned = planned_lobes(chart) or frozenset()
    day = lobe_day(chart, lesion.lobe) if lesion.organ == "liver" else None
    if lesion.lobe not in planned or day is None or day > last_day_of_course(chart):
        return chart.t0
    return day


def last_day_of_course(chart: Chart) -> int:
    """Return the last day on which a planned lobe may still wait: nobody waits for ever."""
    return chart.t0 + chart.settings.course_days


def waiting_lobes(chart: Chart, day: int) -> frozenset:
    """Return the planned lobes that are not yet treated; a scan on the session's day comes before it."""
    first = {lobe: lobe_day(chart, lobe) for lobe in planned_lobes(chart) or frozenset()}
    limit = last_day_of_course(chart)
    until = {lobe: limit if session is None else min(session, limit) for lobe, session in first.items()}
    return frozenset(lobe for lobe in until if first[lobe] != chart.t0 and day <= until[lobe])


def waiting(chart: Chart, lesion: Lesion, day: int) -> bool:
    """Tell whether a lesion lies in a planned lobe that waits for its session."""
    return lesion.organ == "liver" and lesion.lobe in waiting_lobes(chart, day)
