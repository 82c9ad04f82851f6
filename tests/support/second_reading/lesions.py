"""Response of each lesion (Miller 1981, Riaz 2011, Eisenhauer 2009, Lencioni 2010, one lesion at a time)."""

from dataclasses import dataclass, replace

from .assessments import groups
from .best import Best, best_response
from .chart import Chart
from .history import Lesion
from .new_lesions import appears_late, new_lesions
from .readings import carrier, total
from .references import baseline, baseline_sum, nadir
from .targets import flagged, followed, over_limit, patient_modality
from .territory import anchor, lesion_close, treated
from .thresholds import AREAS, gone, grows, measurable, returned, shrinks


@dataclass(frozen=True)
class Assessment:
    """One judged time point; `day` is the earliest component day of PD and the latest of other classes."""

    day: int
    response: str
    rule: str
    modality: str
    value: object = None
    baseline: object = None
    nadir: object = None
    modality_changed: bool = False


@dataclass(frozen=True)
class LesionResult:
    """One lesion under one criterion, from its own first session on."""

    lesion_id: str
    criterion: str
    in_denominator: bool
    treated: bool
    start: int
    assessments: tuple
    unconfirmed: Best
    confirmed: Best


def lesion_results(chart: Chart, criterion: str) -> list:
    """Return the result of every lesion that was flagged under a criterion, excluded ones with the reason."""
    return [
        _lesion_result(chart, criterion, lesion)
        for lesion in chart.history.lesions
        if flagged(criterion, lesion)
    ]


def _lesion_result(chart: Chart, criterion: str, lesion: Lesion) -> LesionResult:
    """Return one lesion's assessments and best responses."""
    outside = exclusion(chart, lesion)
    assessments = () if outside else lesion_assessments(chart, criterion, lesion)
    reason = outside or baseline_reason(chart, criterion, lesion)
    start = anchor(chart, lesion)
    best = [
        best_response(assessments, criterion, start, chart.settings, confirmed=confirmed)
        for confirmed in (False, True)
    ]
    if reason:
        best = [replace(item, reason=reason) for item in best]
    return LesionResult(
        lesion.id,
        criterion,
        not outside,
        treated(chart, lesion),
        start,
        tuple(assessments),
        best[0],
        best[1],
    )


def exclusion(chart: Chart, lesion: Lesion) -> str | None:
    """Return why a lesion is never in the denominator: new, a fragment, or a merged lesion."""
    if lesion.id in {item.lesion.id for item in new_lesions(chart)}:
        return "new_after_treatment"
    if chart.derived(lesion):
        return "fragment" if lesion.split_from else "merged_lesion"
    return None


def baseline_reason(chart: Chart, criterion: str, lesion: Lesion) -> str | None:
    """Return why a lesion cannot be judged at all; None when its baseline serves."""
    found = baseline(chart, criterion, lesion, anchor(chart, lesion))
    if found.value is None:
        return "first_read_in_other_modality" if appears_late(chart, lesion) else found.reason
    if not measurable(criterion, lesion, found.value):
        return "not_measurable"
    if found.value == 0:
        return "no_baseline_enhancement" if criterion == "EASL" else "baseline_zero"
    return "over_target_limit" if lesion.id in over_limit(chart, criterion) else None


def lesion_assessments(chart: Chart, criterion: str, lesion: Lesion) -> list:
    """Return the assessments after the lesion's first session until its window closes."""
    blocked = baseline_reason(chart, criterion, lesion)
    found = groups(chart, anchor(chart, lesion), lesion_close(chart, lesion))
    assessments = []
    for position, days in enumerate(found):
        cleared = any(item.response == "CR" for item in assessments)
        assessments.append(
            _not_judged(chart, criterion, days, blocked)
            if blocked
            else _judge(chart, criterion, lesion, found[:position], days, cleared)
        )
    return assessments


def _not_judged(chart, criterion, days, reason) -> Assessment:
    """Return a not evaluable assessment with its reason."""
    return Assessment(max(days), "NE", reason, patient_modality(chart, criterion, days))


def unit(chart: Chart, criterion: str, lesion: Lesion, days: tuple, modality: str) -> list:
    """Return the lesions that share this lesion's reading: itself, and those merged with it."""
    carrying = carrier(chart, lesion, days, modality).id
    blocked = [
        other
        for other in followed(chart, criterion)
        if other.id != lesion.id and baseline_reason(chart, criterion, other) is not None
    ]
    return [
        other
        for other in followed(chart, criterion)
        if other not in blocked and carrier(chart, other, days, modality).id == carrying
    ]


def _judge(chart, criterion, lesion, earlier, days, cleared) -> Assessment:
    """Return the class of one lesion, or of the merged lesion it belongs to."""
    modality = _modality(chart, criterion, lesion, days)
    members = unit(chart, criterion, lesion, days, modality)
    reading = total(chart, criterion, members, days, modality)
    if reading.value is None:
        return Assessment(max(days), "NE", reading.reason, modality)
    starts = {member.id: anchor(chart, member) for member in members}
    first, changed = baseline_sum(chart, criterion, members, starts, modality)
    if not first:
        return Assessment(max(days), "NE", "no_reference", modality)
    lowest = nadir(chart, criterion, members, starts, modality, earlier)
    response, rule = classify(
        chart,
        criterion,
        carrier(chart, lesion, days, modality),
        reading.value,
        first,
        lowest,
        cleared,
    )
    day = reading.first if response == "PD" else reading.last
    return Assessment(day, response, rule, modality, reading.value, first, lowest, changed)


def _modality(chart, criterion, lesion, days) -> str:
    """Return the modality that counts for the patient in the whole assessment, before the lesion's session too."""
    found = groups(chart, chart.t0, lesion_close(chart, lesion))
    whole = next(group for group in found if set(days) <= set(group))
    return patient_modality(chart, criterion, whole)


def classify(chart, criterion, lesion, value, first, lowest, cleared):
    """Return (class, rule) of one value: PD first, then CR, PR, SD."""
    if cleared and returned(criterion, lesion, value):
        return "PD", "reappearance"
    if grows(criterion, value, lowest, chart.settings):
        return "PD", "reappearance" if lowest == 0 and criterion in AREAS else "growth"
    if gone(criterion, lesion, value):
        return "CR", "gone"
    return ("PR", "shrinkage") if shrinks(criterion, value, first) else ("SD", "neither")
