"""Contradictions in a history; each is reported, none is repaired."""

from collections import Counter
from dataclasses import dataclass

from .chart import Chart
from .history import Lesion
from .new_lesions import appears_late, first_measured, has_baseline_scan, new_lesions

GROWTH_UM = 10_000


@dataclass(frozen=True)
class Finding:
    """One contradiction with the lesion and the day that show it."""

    kind: str
    lesion_id: str
    day: int


def findings(chart: Chart) -> list:
    """Return all contradictions of a history."""
    return [
        *_denied(chart),
        *_other_modality(chart),
        *_two_readings(chart),
        *_silent_mergers(chart),
    ]


def _denied(chart: Chart) -> list:
    """Report a lesion that the measurements show as new while the scan denies new lesions."""
    return [
        Finding("new_lesion_denied", item.lesion.id, item.day)
        for item in new_lesions(chart)
        if item.denied
    ]


def _other_modality(chart: Chart) -> list:
    """Report a lesion first read in a modality in which the patient has no baseline scan."""
    late = [
        (lesion, first_measured(chart, lesion))
        for lesion in chart.history.lesions
        if appears_late(chart, lesion)
    ]
    return [
        Finding("first_read_in_other_modality", lesion.id, row.day)
        for lesion, row in late
        if not has_baseline_scan(chart, row.modality)
    ]


def _two_readings(chart: Chart) -> list:
    """Report one lesion id with two readings on one scan."""
    counts = Counter(
        (row.lesion_id, row.day, row.modality, row.reader) for row in chart.history.measurements
    )
    return [Finding("two_readings", key[0], key[1]) for key, n in sorted(counts.items()) if n > 1]


def _silent_mergers(chart: Chart) -> list:
    """Report a lesion that turns absent while one in the same lobe grows by 50 % and 10 mm."""
    return [
        Finding("possible_merger", lesion.id, row.day)
        for lesion in chart.history.lesions
        if lesion.lobe is not None and lesion.merged_into is None
        for row in _turns_absent(chart, lesion)
        if any(
            _jumps(chart, other, row)
            for other in chart.history.lesions
            if other.id != lesion.id and other.lobe == lesion.lobe and not chart.derived(other)
        )
    ]


def _turns_absent(chart: Chart, lesion: Lesion) -> list:
    """Return the first absent row after a measured one."""
    rows = chart.rows[lesion.id]
    return [
        row
        for before, row in zip(rows, rows[1:], strict=False)
        if row.status == "absent" and before.status == "measured"
    ]


def _jumps(chart: Chart, other: Lesion, absent) -> bool:
    """Tell whether a lesion's longest diameter grew by 50 % and 10 mm since its reading before."""
    rows = [row for row in chart.rows[other.id] if row.modality == absent.modality and row.longest]
    pairs = [
        (before, row) for before, row in zip(rows, rows[1:], strict=False) if row.day == absent.day
    ]
    return any(
        2 * row.longest >= 3 * before.longest and row.longest - before.longest >= GROWTH_UM
        for before, row in pairs
    )
