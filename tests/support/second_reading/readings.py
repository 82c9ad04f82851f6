"""A lesion's reading within an assessment, with fragments added and merged lesions replaced."""

from dataclasses import dataclass

from .chart import SEEN, Chart, remembered
from .history import Lesion
from .values import reading_value

MODALITIES = ("CT", "MRI", "other")


@dataclass(frozen=True)
class Reading:
    """A value with its first and last day, or no value and the reason."""

    value: object = None
    first: int | None = None
    last: int | None = None
    reason: str | None = None


def own_reading(
    chart: Chart, criterion: str, lesion: Lesion, days: tuple, modality: str
) -> Reading:
    """Return the latest evaluable row of the lesion itself on these days in one modality."""
    reason = "not_imaged"
    for row in reversed(chart.rows_in(lesion.id, days, modality)):
        scan = chart.scan_at.get((row.day, row.modality))
        value, missing = reading_value(criterion, lesion, row, scan)
        if missing is None:
            return Reading(value, row.day, row.day)
        reason = missing if reason == "not_imaged" else reason
    return Reading(reason=reason)


@remembered
def lesion_reading(
    chart: Chart, criterion: str, lesion: Lesion, days: tuple, modality: str
) -> Reading:
    """Return the lesion's reading; the diameters of its fragments are added (Eisenhauer 2009, appendix)."""
    own = own_reading(chart, criterion, lesion, days, modality)
    parts = _required_fragments(chart, lesion, days, modality)
    if not parts:
        return own
    readings = [lesion_reading(chart, criterion, part, days, modality) for part in parts]
    if _body_remains(chart, lesion, days, modality):
        readings.append(own)
    return add(readings)


def _required_fragments(chart, lesion, days, modality) -> list:
    """Return the fragments that were read in this modality by the end of these days."""
    return [
        part
        for part in chart.fragments(lesion)
        if any(row.modality == modality and row.day <= max(days) for row in chart.rows[part.id])
    ]


def _body_remains(chart, lesion, days, modality) -> bool:
    """Tell whether a split lesion still has a row of its own that is not `absent`."""
    return any(row.status != "absent" for row in chart.rows_in(lesion.id, days, modality))


def add(readings: list) -> Reading:
    """Return the sum of complete readings; one missing value leaves no sum."""
    missing = [reading.reason for reading in readings if reading.value is None]
    if missing or not readings:
        return Reading(reason=missing[0] if missing else "no_target")
    return Reading(
        sum(reading.value for reading in readings),
        min(reading.first for reading in readings),
        max(reading.last for reading in readings),
    )


@remembered
def carrier(chart: Chart, lesion: Lesion, days: tuple, modality: str) -> Lesion:
    """Return the lesion whose reading stands for this one: itself, or the lesion it merged into."""
    passed = {lesion.id}
    while _merged_by_now(chart, lesion, days, modality):
        lesion = chart.lesions[lesion.merged_into]
        if lesion.id in passed:
            break
        passed.add(lesion.id)
    return lesion


def _merged_by_now(chart, lesion, days, modality) -> bool:
    """Tell whether the merged lesion is read on these days while this one is not measured any more."""
    product = chart.lesions.get(lesion.merged_into)
    if product is None:
        return False
    statuses = {row.status for row in chart.rows_in(lesion.id, days, modality)}
    if statuses & set(SEEN) or not _product_read(chart, product, days, modality, {lesion.id}):
        return False
    return chart.derived(product) or statuses <= {"absent"}


def _product_read(chart, product, days, modality, passed) -> bool:
    """Tell whether the merged lesion, or one it merged into later, has a row on these days."""
    if chart.rows_in(product.id, days, modality):
        return True
    following = chart.lesions.get(product.merged_into)
    if following is None or following.id in passed:
        return False
    return _product_read(chart, following, days, modality, passed | {product.id})


def carriers(chart: Chart, lesions: list, days: tuple, modality: str) -> list:
    """Return the distinct lesions that carry the readings of a set of lesions."""
    return list(
        {c.id: c for c in (carrier(chart, lesion, days, modality) for lesion in lesions)}.values()
    )


def carried_readings(
    chart: Chart, criterion: str, lesions: list, days: tuple, modality: str
) -> list:
    """Return (lesion, reading) once for every carrier."""
    return [
        (lesion, lesion_reading(chart, criterion, lesion, days, modality))
        for lesion in carriers(chart, lesions, days, modality)
    ]


def total(chart: Chart, criterion: str, lesions: list, days: tuple, modality: str) -> Reading:
    """Return the complete sum over a set of lesions, or no value; never a partial sum (admiralonco)."""
    return add(
        [reading for _, reading in carried_readings(chart, criterion, lesions, days, modality)]
    )
