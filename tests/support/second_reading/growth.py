"""What a patient's sum is made of: readings of the lesions followed, baselines of those that wait."""

from dataclasses import dataclass

from .chart import Chart
from .history import Lesion
from .plan import followed_from, waits
from .readings import Reading, add, carrier, lesion_reading
from .references import baseline_sum, reference


@dataclass(frozen=True)
class Part:
    """One addend of a sum: the lesion that was read, its reading, and whether it stands for a lobe that waits."""

    lesion: Lesion
    reading: Reading
    held: bool = False


def starts_in(chart, criterion, lesions: list, days: tuple, modality: str) -> dict:
    """Return the day from which each lesion is followed, as it is judged in an assessment."""
    return {
        lesion.id: followed_from(chart, lesion, _day(chart, criterion, lesion, days, modality))
        for lesion in lesions
    }


def parts(chart, criterion, targets: list, starts: dict, days: tuple, modality: str) -> list:
    """Return the addends of one assessment's sum; a lesion that waits stands at its reference."""
    held, read = [], {}
    for lesion in targets:
        if waits(chart, lesion, _day(chart, criterion, lesion, days, modality)):
            value = reference(chart, criterion, lesion, starts[lesion.id], modality).value
            held.append(Part(lesion, Reading(value), held=True))
        else:
            lesion, reading = _carried(chart, criterion, lesion, days, modality)
            read.setdefault(lesion.id, Part(lesion, reading))
    return [*read.values(), *held]


def _day(chart, criterion, lesion: Lesion, days: tuple, modality: str) -> int:
    """Return the day that decides whether a lesion waits: its reading's, else the assessment's last.

    A session may lie within an assessment: what was read before it was read while the lobe waited.
    """
    _, reading = _carried(chart, criterion, lesion, days, modality)
    return max(days) if reading.value is None else reading.last


def _carried(chart, criterion, lesion: Lesion, days: tuple, modality: str) -> tuple:
    """Return the lesion that carries a lesion's reading, and the reading."""
    lesion = carrier(chart, lesion, days, modality)
    return lesion, lesion_reading(chart, criterion, lesion, days, modality)


def complete_sum(addends: list) -> Reading:
    """Return the sum, or no value where a lesion is missing; its days are those of the readings."""
    held = [part.reading.value for part in addends if part.held]
    read = add([part.reading for part in addends if not part.held])
    if len(held) == len(addends):
        return add([]) if not held or None in held else Reading(sum(held))
    if read.value is None or None in held:
        return read if read.value is None else Reading(reason="baseline_incomplete")
    return Reading(read.value + sum(held), read.first, read.last)


def measured_sum(addends: list) -> Reading:
    """Return the sum of what has a value; missing targets add at least zero."""
    return complete_sum([part for part in addends if part.reading.value is not None])


def lowest_sum(chart, criterion, targets: list, starts: dict, modality: str, earlier: list):
    """Return the smallest of the baseline sum and the earlier complete sums, lobes that waited at `starts`."""
    first, _ = baseline_sum(chart, criterion, targets, starts, modality)
    if first is None:
        return None
    if chart.settings.sum_nadir == "sum_of_nadirs" and len(targets) > 1:
        return sum(
            lowest_sum(chart, criterion, [lesion], starts, modality, earlier) for lesion in targets
        )
    sums = [
        complete_sum(parts(chart, criterion, targets, starts, days, modality)).value
        for days in earlier
    ]
    return min([first] + [value for value in sums if value is not None])
