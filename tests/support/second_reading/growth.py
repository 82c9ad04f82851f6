"""What a patient's sum is compared with, under both windows of a patient with staged lobes.

Under a planned course a lobe that waits for its session is held at its baseline: its lesions
neither grow nor shrink, and they stay in the sum, which is never taken over some of the targets.
From its session on a lobe is compared with the last reading before it; earlier sums count it as at
that reading.
"""

from .chart import Chart
from .history import Lesion
from .readings import Reading, carried_readings
from .references import baseline_sum, nadir, reference
from .territory import planned_lobes, session_of_plan, waiting


def compared(chart: Chart, criterion: str, targets: list, earlier: list, days: tuple, modality: str):
    """Return ((lesion, reading) of every target, baseline sum, whether it changed modality, nadir)."""
    if not planned(chart):
        starts = {lesion.id: chart.t0 for lesion in targets}
        first, changed = baseline_sum(chart, criterion, targets, starts, modality)
        pairs = carried_readings(chart, criterion, targets, days, modality)
        return pairs, first, changed, nadir(chart, criterion, targets, starts, modality, earlier)
    held = [lesion for lesion in targets if waits(chart, lesion, days, modality)]
    starts = {
        lesion.id: chart.t0 if lesion in held else session_of_plan(chart, lesion)
        for lesion in targets
    }
    first, changed = baseline_sum(chart, criterion, targets, starts, modality)
    pairs = _pairs(chart, criterion, targets, starts, days, modality)
    if first is None:
        return pairs, None, changed, None
    sums = [_sum(_pairs(chart, criterion, targets, starts, group, modality)) for group in earlier]
    return pairs, first, changed, min([first, *(value for value in sums if value is not None)])


def planned(chart: Chart) -> bool:
    """Tell whether the patient is judged by a planned course."""
    return chart.settings.patient_window == "planned_course" and planned_lobes(chart) is not None


def waits(chart: Chart, lesion: Lesion, days: tuple, modality: str) -> bool:
    """Tell whether a lobe waits on the day of its reading, or of the assessment without one."""
    read = [row.day for row in chart.rows_in(lesion.id, days, modality)]
    return waiting(chart, lesion, max(read, default=min(days)))


def _pairs(chart, criterion, targets, starts, days, modality) -> list:
    """Return (lesion, reading) of every target; one whose lobe waits stands at its reference."""
    held = [lesion for lesion in targets if waits(chart, lesion, days, modality)]
    read = [lesion for lesion in targets if lesion not in held]
    at_baseline = [
        (
            lesion,
            Reading(
                reference(chart, criterion, lesion, starts[lesion.id], modality).value,
                min(days),
                max(days),
            ),
        )
        for lesion in held
    ]
    return at_baseline + carried_readings(chart, criterion, read, days, modality)


def _sum(pairs: list):
    """Return the sum of a complete set, else None."""
    values = [reading.value for _, reading in pairs]
    return None if not values or any(value is None for value in values) else sum(values)
