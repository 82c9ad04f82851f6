"""Response of a patient: the sum over the targets, non-target disease and new lesions."""

from dataclasses import dataclass

from .assessments import groups
from .best import Best, best_response
from .chart import Chart, remembered
from .growth import complete_sum, lowest_sum, measured_sum, parts, starts_in
from .new_lesions import new_lesion_day, organ_of
from .nontarget import non_target, progression_day
from .references import baseline_sum
from .targets import patient_modality, patient_targets
from .thresholds import gone, grows, returned, shrinks


@dataclass(frozen=True)
class PatientAssessment:
    """One judged time point of a patient, with its three parts."""

    day: int
    response: str
    rule: str
    modality: str
    target: str
    non_target: str
    new_lesion: bool
    value: object = None
    baseline: object = None
    nadir: object = None
    modality_changed: bool = False


@dataclass(frozen=True)
class OrganResult:
    """The response of one organ, or of all, under one criterion, within the patient's window."""

    organ: str
    criterion: str
    assessments: tuple
    unconfirmed: Best
    confirmed: Best


@dataclass(frozen=True)
class TargetClass:
    """The class of the sum with the day that documents it."""

    response: str
    rule: str
    day: int | None = None
    value: object = None
    baseline: object = None
    nadir: object = None
    modality_changed: bool = False


def organ_result(chart: Chart, criterion: str, organ: str, until: int | None) -> OrganResult:
    """Return the assessments and best responses of an organ until the window closes."""
    assessments = patient_assessments(chart, criterion, organ, until)
    best = [
        best_response(assessments, criterion, chart.t0, chart.settings, confirmed=confirmed)
        for confirmed in (False, True)
    ]
    return OrganResult(organ, criterion, tuple(assessments), best[0], best[1])


def patient_assessments(chart: Chart, criterion: str, organ: str, until: int | None) -> list:
    """Return an organ's assessments; only a complete response of all disease makes a return PD by itself."""
    return list(_sequence(chart, criterion, organ, until))


@remembered
def _sequence(chart, criterion, organ, until) -> list:
    """Return the assessments of an organ in the order of time."""
    everything = None if organ == "all" else _sequence(chart, criterion, "all", until)
    found = groups(chart, chart.t0, until)
    assessments = []
    for position, days in enumerate(found):
        before = (assessments if everything is None else everything)[:position]
        cleared = any(item.response == "CR" for item in before)
        assessments.append(_assess(chart, criterion, organ, found[:position], days, cleared))
    return assessments


def organ_targets(chart: Chart, criterion: str, organ: str) -> list:
    """Return the targets of an organ."""
    return [
        lesion for lesion in patient_targets(chart, criterion) if organ in ("all", organ_of(lesion))
    ]


def _assess(chart, criterion, organ, earlier, days, cleared) -> PatientAssessment:
    """Return the overall class at one assessment (Eisenhauer 2009, table 1)."""
    modality = patient_modality(chart, criterion, days)
    target = target_class(chart, criterion, organ, earlier, days, modality, cleared)
    status, new = non_target(chart, days, organ), new_lesion_day(chart, days, organ)
    response, rule = overall(target, status, new, criterion)
    day = _day(chart, organ, days, target, new, response)
    return PatientAssessment(
        day,
        response,
        rule,
        modality,
        target.response,
        status,
        new is not None,
        target.value,
        target.baseline,
        target.nadir,
        target.modality_changed,
    )


def _day(chart, organ, days, target, new, response) -> int:
    """Return the earliest day that documents PD, the last scan of the assessment for other classes.

    Every scan of the assessment is needed to say that nothing is new and that the rest did not progress.
    """
    if response != "PD":
        return max(days)
    documented = [
        target.day if target.response == "PD" else None,
        new[0] if new else None,
        progression_day(chart, days, organ),
    ]
    return min(day for day in documented if day is not None)


def overall(target: TargetClass, status: str, new, criterion: str):
    """Return (class, rule) from target, non-target and new lesions."""
    if new:
        return "PD", new[1]
    if status == "progression":
        return "PD", "non_target_progression"
    if target.rule == "no_target":
        return _without_targets(status, criterion)
    if target.response == "CR" and status in ("non_cr_non_pd", "not_evaluated"):
        return "PR", "non_target_remains"
    return target.response, target.rule


def _without_targets(status: str, criterion: str):
    """Return the class of a patient whose only disease is not measured."""
    if criterion == "RECIST 1.1":  # the table is that of RECIST 1.1
        if status == "complete_response":
            return "CR", "non_target_only"
        if status == "non_cr_non_pd":
            return "NON-CR/NON-PD", "non_target_only"
    return "NE", "no_target"


def target_class(chart, criterion, organ, earlier, days, modality, cleared) -> TargetClass:
    """Return the class of the sum: PD may rest on the measured lesions alone, all else needs every target."""
    targets = organ_targets(chart, criterion, organ)
    starts = starts_in(chart, criterion, targets, days, modality)
    first, changed = baseline_sum(chart, criterion, targets, starts, modality)
    if not first:
        return TargetClass("NE", _no_baseline(targets, first, criterion))
    lowest = lowest_sum(chart, criterion, targets, starts, modality, earlier)
    addends = parts(chart, criterion, targets, starts, days, modality)
    numbers = (complete_sum(addends).value, first, lowest, changed)
    back = _returned(criterion, addends) if cleared else []
    if back:
        return TargetClass("PD", "reappearance", min(back), *numbers)
    growth_day = _growth_day(chart, criterion, addends, lowest)
    if growth_day is not None:
        return TargetClass("PD", "growth", growth_day, *numbers)
    return _not_progressed(criterion, addends, numbers)


def _no_baseline(targets, first, criterion) -> str:
    """Return why there is no baseline sum."""
    if not targets:
        return "no_target"
    if first is None:
        return "baseline_incomplete"
    return "no_baseline_enhancement" if criterion == "EASL" else "baseline_zero"


def _returned(criterion, addends) -> list:
    """Return the days on which a target that is followed is back after complete response."""
    return [
        part.reading.first
        for part in addends
        if not part.held
        and part.reading.value is not None
        and returned(criterion, part.lesion, part.reading.value)
    ]


def _growth_day(chart, criterion, addends, lowest) -> int | None:
    """Return the first day of the readings where their sum exceeds the threshold over the nadir."""
    reading = measured_sum(addends)
    if reading.first is None or lowest is None:
        return None
    return reading.first if grows(criterion, reading.value, lowest, chart.settings) else None


def _not_progressed(criterion, addends, numbers) -> TargetClass:
    """Return CR, PR or SD of a complete sum, NE of an incomplete one."""
    reading = complete_sum(addends)
    if reading.value is None:
        return TargetClass("NE", reading.reason, None, *numbers)
    if all(gone(criterion, part.lesion, part.reading.value) for part in addends):
        return TargetClass("CR", "gone", reading.last, *numbers)
    if shrinks(criterion, reading.value, numbers[1]):
        return TargetClass("PR", "shrinkage", reading.last, *numbers)
    return TargetClass("SD", "neither", reading.last, *numbers)
