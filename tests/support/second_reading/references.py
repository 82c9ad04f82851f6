"""Baselines, nadirs and the modality of an assessment; one rule for lesions and patients."""

from collections import Counter
from dataclasses import dataclass

from .chart import Chart, remembered
from .history import Lesion
from .readings import MODALITIES, Reading, carrier, lesion_reading, total


@dataclass(frozen=True)
class Baseline:
    """A baseline value with the day and modality of its reading, or no value and the reason."""

    value: object = None
    day: int | None = None
    modality: str | None = None
    reason: str | None = None


@remembered
def baseline(
    chart: Chart, criterion: str, lesion: Lesion, start: int, modality: str | None = None
) -> Baseline:
    """Return the last evaluable reading on or before a session, at most 90 days old."""
    modalities = MODALITIES if modality is None else (modality,)
    for day in sorted({row.day for row in chart.rows[lesion.id] if row.day <= start}, reverse=True):
        for candidate in modalities:
            reading = _unmerged_reading(chart, criterion, lesion, day, candidate)
            if reading.value is not None:
                return _within_limit(chart, Baseline(reading.value, day, candidate), start)
    return Baseline(reason=_missing_reason(chart, criterion, lesion, start))


def _unmerged_reading(chart, criterion, lesion, day, modality) -> Reading:
    """Return the lesion's own reading on one day; after a merger it has none."""
    if carrier(chart, lesion, (day,), modality).id != lesion.id:
        return Reading(reason="merged")
    return lesion_reading(chart, criterion, lesion, (day,), modality)


def _within_limit(chart, found: Baseline, start: int) -> Baseline:
    """Return the baseline unless it is older than the limit."""
    if start - found.day > chart.settings.baseline_limit_days:
        return Baseline(reason="baseline_too_old")
    return found


def _missing_reason(chart, criterion, lesion, start) -> str:
    """Return why the last row before a session is no baseline."""
    rows = [row for row in chart.rows[lesion.id] if row.day <= start]
    if not rows:
        return "no_baseline"
    reading = lesion_reading(chart, criterion, lesion, (rows[-1].day,), rows[-1].modality)
    return f"baseline_{reading.reason}"


def reference(chart: Chart, criterion: str, lesion: Lesion, start: int, modality: str) -> Baseline:
    """Return the baseline in one modality, else the last baseline of any modality."""
    same = baseline(chart, criterion, lesion, start, modality)
    return same if same.value is not None else baseline(chart, criterion, lesion, start)


def baseline_sum(chart, criterion, lesions: list, starts: dict, modality: str):
    """Return (sum of references, whether any comes from another modality); None when one is missing."""
    found = [reference(chart, criterion, lesion, starts[lesion.id], modality) for lesion in lesions]
    if not found or any(item.value is None for item in found):
        return None, False
    return sum(item.value for item in found), any(item.modality != modality for item in found)


def nadir(chart, criterion, lesions: list, starts: dict, modality: str, earlier: list):
    """Return the smallest of the baseline sum and the earlier complete sums in one modality."""
    first, _ = baseline_sum(chart, criterion, lesions, starts, modality)
    if first is None:
        return None
    if chart.settings.sum_nadir == "sum_of_nadirs" and len(lesions) > 1:
        return sum(
            nadir(chart, criterion, [lesion], starts, modality, earlier) for lesion in lesions
        )
    sums = [total(chart, criterion, lesions, days, modality).value for days in earlier]
    return min([first] + [value for value in sums if value is not None])


def assessment_modality(
    chart: Chart, criterion: str, lesions: list, starts: dict, days: tuple
) -> str:
    """Return the modality in which most baseline targets were read; ties: the baseline's, then CT."""
    baselines = {
        lesion.id: baseline(chart, criterion, lesion, starts[lesion.id]) for lesion in lesions
    }
    targets = [lesion for lesion in lesions if baselines[lesion.id].value is not None]
    usual = baseline_modality([baselines[lesion.id] for lesion in targets])
    counts = {
        modality: _n_read(chart, criterion, targets, days, modality) for modality in MODALITIES
    }
    return max(
        MODALITIES,
        key=lambda m: (
            counts[m],
            counts[m] == 0 and _has_scan(chart, days, m),
            m == usual,
            -MODALITIES.index(m),
        ),
    )


def _has_scan(chart, days, modality) -> bool:
    """Tell whether a modality was used at all; it decides only where no target was read."""
    return any((day, modality) in chart.scan_at for day in days)


def _n_read(chart, criterion, lesions, days, modality) -> int:
    """Count the targets with an evaluable reading in one modality."""
    return sum(
        lesion_reading(
            chart, criterion, carrier(chart, lesion, days, modality), days, modality
        ).value
        is not None
        for lesion in lesions
    )


def baseline_modality(baselines: list) -> str:
    """Return the modality of most baselines; ties: CT, then MRI."""
    counts = Counter(item.modality for item in baselines)
    return max(MODALITIES, key=lambda m: (counts[m], -MODALITIES.index(m)))
