"""What a patient's sum is made of: readings of the lesions followed, baselines of those that wait."""

from dataclasses import dataclass

from .chart import Chart
from .history import Lesion
from .plan import followed_from, last_waiting_day, waits
from .readings import Reading, add, carrier, lesion_reading
from .references import baseline_sum, reference


@dataclass(frozen=True)
class Part:
    """One addend of a sum: the lesion that was read, its reading, and whether it stands for a lobe that waits."""

    lesion: Lesion
    reading: Reading
    held: bool = False


def starts_on(chart: Chart, lesions: list, day: int) -> dict:
    """Return the day from which each lesion is followed, as it is judged on a day."""
    return {lesion.id: followed_from(chart, lesion, day) for lesion in lesions}


def parts(chart, criterion, targets: list, starts: dict, days: tuple, modality: str) -> list:
    """Return the addends of one assessment's sum; a lesion that waits stands at its reference."""
    held, read = [], {}
    for lesion in targets:
        own_days = _days_followed(chart, lesion, days, modality)
        if own_days:
            lesion = carrier(chart, lesion, own_days, modality)
            reading = lesion_reading(chart, criterion, lesion, own_days, modality)
            read.setdefault(lesion.id, Part(lesion, reading))
        else:
            value = reference(chart, criterion, lesion, starts[lesion.id], modality).value
            held.append(Part(lesion, Reading(value), held=True))
    return [*read.values(), *held]


def _days_followed(chart: Chart, lesion: Lesion, days: tuple, modality: str) -> tuple:
    """Return the days of an assessment on which a lesion is followed; none where it waits.

    A session may lie within an assessment. A lesion read only before it stands at that reading, which
    is its baseline; one that was not read at all is missing.
    """
    after = tuple(day for day in days if not waits(chart, lesion, day))
    before = tuple(day for day in days if day not in after)
    if not before or not after:
        return after
    only_before = chart.rows_in(lesion.id, before, modality) and not chart.rows_in(
        lesion.id, after, modality
    )
    return () if only_before else after


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
