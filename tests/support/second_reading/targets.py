"""Which lesions count under a criterion, for lesions and for a patient's sum."""

from .chart import Chart, remembered
from .history import Lesion
from .new_lesions import new_lesions
from .references import assessment_modality, baseline
from .territory import anchor
from .thresholds import AREAS, measurable

PER_ORGAN = 2
IN_TOTAL = 5


def flagged(criterion: str, lesion: Lesion) -> bool:
    """Tell whether the centre named the lesion an index lesion (WHO, EASL) or a target (RECIST, mRECIST)."""
    return bool(lesion.index_lesion if criterion in AREAS else lesion.recist_target)


@remembered
def followed(chart: Chart, criterion: str) -> list:
    """Return the flagged lesions that are neither new nor a fragment nor a merged lesion."""
    new = {item.lesion.id for item in new_lesions(chart)}
    return [
        lesion
        for lesion in chart.history.lesions
        if flagged(criterion, lesion) and lesion.id not in new and not chart.derived(lesion)
    ]


def baseline_lesions(chart: Chart, criterion: str) -> list:
    """Return the followed lesions that were known on or before T0."""
    return [lesion for lesion in followed(chart, criterion) if chart.known_at_t0(lesion)]


@remembered
def patient_targets(chart: Chart, criterion: str) -> list:
    """Return the lesions of the patient's sum; a flagged lesion without a value stays and leaves no sum."""
    known = baseline_lesions(chart, criterion)
    values = {lesion.id: baseline(chart, criterion, lesion, chart.t0).value for lesion in known}
    fit = [
        lesion
        for lesion in known
        if values[lesion.id] is None or measurable(criterion, lesion, values[lesion.id])
    ]
    return fit if criterion in AREAS else _limited(fit, values)


def _limited(lesions: list, values: dict) -> list:
    """Return at most two targets an organ and five in all, the largest first (Eisenhauer 2009)."""
    by_size = sorted(lesions, key=lambda lesion: (-(values[lesion.id] or 0), lesion.id))
    kept = []
    for lesion in by_size:
        same_organ = [other for other in kept if other.organ == lesion.organ]
        if len(same_organ) < PER_ORGAN and len(kept) < IN_TOTAL:
            kept.append(lesion)
    return [lesion for lesion in lesions if lesion in kept]


def over_limit(chart: Chart, criterion: str) -> set:
    """Return the ids of measurable targets beyond two an organ and five in all."""
    if criterion in AREAS:
        return set()
    kept = {lesion.id for lesion in patient_targets(chart, criterion)}
    known = baseline_lesions(chart, criterion)
    values = {lesion.id: baseline(chart, criterion, lesion, chart.t0).value for lesion in known}
    return {
        lesion.id
        for lesion in known
        if lesion.id not in kept
        and values[lesion.id] is not None
        and measurable(criterion, lesion, values[lesion.id])
    }


@remembered
def patient_modality(chart: Chart, criterion: str, days: tuple) -> str:
    """Return the one modality that counts for a patient at an assessment, at both levels."""
    lesions = patient_targets(chart, criterion) or followed(chart, criterion)
    starts = {lesion.id: chart.t0 for lesion in lesions}
    if all(baseline(chart, criterion, lesion, chart.t0).value is None for lesion in lesions):
        starts = {lesion.id: anchor(chart, lesion) for lesion in lesions}
    return assessment_modality(chart, criterion, lesions, starts, days)
