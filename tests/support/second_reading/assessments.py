"""Scans within 14 days make one assessment; treatment that closes a window parts it."""

from .chart import Chart, remembered
from .history import Lesion
from .territory import BOTH, lesion_close, patient_close


@remembered
def groups(chart: Chart, after: int, until: int | None) -> list:
    """Return the assessments' days that lie after one day and not after another."""
    kept = [
        tuple(day for day in group if after < day and (until is None or day <= until))
        for group in _parted(chart)
    ]
    return [days for days in kept if days]


@remembered
def _parted(chart: Chart) -> list:
    """Return the assessments, parted after every day that closes a window of the patient or a lobe.

    The assessment is the patient's, one for both levels: what was seen before treatment and what was
    seen after it are two states.
    """
    closings = [day for day in _closings(chart) if day is not None]
    parts = {}
    for group in _together(chart):
        for day in group:
            key = group[0], sum(closing < day for closing in closings)
            parts.setdefault(key, []).append(day)
    return list(parts.values())


def _closings(chart: Chart) -> set:
    """Return the days that close the windows of the patient and of a lesion in each territory."""
    territories = [*(Lesion("", lobe=lobe) for lobe in BOTH), Lesion("", organ="other")]
    return {patient_close(chart), *(lesion_close(chart, lesion) for lesion in territories)}


def _together(chart: Chart) -> list:
    """Return the days after T0 in groups; a group spans at most 14 days from its first scan."""
    found = []
    for day in (day for day in chart.scan_days if day > chart.t0):
        if found and day - found[-1][0] <= chart.settings.assessment_days:
            found[-1].append(day)
        else:
            found.append([day])
    return found
