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
