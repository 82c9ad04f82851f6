"""The sum that is compared with its nadir, under both windows of a patient with staged lobes."""

from .chart import Chart
from .readings import Reading, add, carried_readings, carrier, lesion_reading
from .references import nadir, reference
from .territory import lobe_day, planned_lobes, waiting


def compared_with_nadir(
    chart: Chart, criterion: str, targets: list, earlier: list, days: tuple, modality: str
):
    """Return (sum of the measured targets, nadir of the full set); missing targets add at least zero."""
    if chart.settings.patient_window == "planned_course" and planned_lobes(chart) is not None:
        return _planned(chart, criterion, targets, earlier, days, modality)
    pairs = carried_readings(chart, criterion, targets, days, modality)
    starts = {lesion.id: chart.t0 for lesion in targets}
    return _measured(pairs), nadir(chart, criterion, targets, starts, modality, earlier)


def _measured(pairs: list) -> Reading:
    """Return the sum of the readings that have a value."""
    return add([reading for _, reading in pairs if reading.value is not None])


def _planned(chart, criterion, targets, earlier, days, modality):
    """Return the same over the lesions whose planned lobe no longer waits for its session."""
    open_targets = [lesion for lesion in targets if not waiting(chart, lesion, max(days))]
    if not open_targets:
        return Reading(reason="no_target"), None
    pairs = _after_sessions(chart, criterion, open_targets, days, modality)
    sums = [
        _with_lobe_baselines(chart, criterion, open_targets, group, modality)
        for group in [(), *earlier]
    ]
    complete = [value for value in sums if value is not None]
    return _measured(pairs), min(complete) if complete and sums[0] is not None else None


def _own_session(chart, lesion) -> int:
    """Return the day from which growth of a lesion counts: its planned lobe's session, else T0."""
    planned = planned_lobes(chart) or frozenset()
    if lesion.organ == "liver" and lesion.lobe in planned:
        day = lobe_day(chart, lesion.lobe)
        return chart.t0 if day is None else day
    return chart.t0


def _after_sessions(chart, criterion, lesions, days, modality) -> list:
    """Return (carrier, reading) on the days after each lesion's own session."""
    pairs = {}
    for lesion in lesions:
        later = tuple(day for day in days if day > _own_session(chart, lesion))
        if later:
            carrying = carrier(chart, lesion, later, modality)
            pairs[carrying.id] = (
                carrying,
                lesion_reading(chart, criterion, carrying, later, modality),
            )
    return list(pairs.values())


def _with_lobe_baselines(chart, criterion, lesions, days, modality):
    """Return a complete earlier sum; a lesion whose lobe still waited stands at its lobe's baseline."""
    waited = [
        lesion for lesion in lesions if not any(day > _own_session(chart, lesion) for day in days)
    ]
    read = [lesion for lesion in lesions if lesion not in waited]
    values = [
        reference(chart, criterion, lesion, _own_session(chart, lesion), modality).value
        for lesion in waited
    ]
    values += [
        reading.value for _, reading in _after_sessions(chart, criterion, read, days, modality)
    ]
    return None if any(value is None for value in values) else sum(values)
