"""The whole reading of one history: responses of lesions and patient, endpoints, findings."""

from dataclasses import dataclass, replace

from .chart import Chart
from .endpoints import (
    Endpoint,
    duration_of_response,
    overall_survival,
    progression,
    progression_free_survival,
    time_to_response,
)
from .findings import findings
from .history import CRITERIA, ORGANS, History
from .lesions import lesion_results
from .patients import organ_result, patient_assessments
from .plan import planned_lobes
from .settings import Settings
from .survival import vital
from .territory import patient_close

DEFAULTS = Settings()
POLICIES = ("treatment_policy", "censor_at_new_therapy")


@dataclass(frozen=True)
class CriterionResult:
    """Everything that rests on one criterion; progression days are study days (0 is T0)."""

    criterion: str
    lesions: tuple
    organs: dict  # organ -> OrganResult within the window
    endpoints: dict  # (endpoint, policy) -> Endpoint or None
    lesion_ttr: dict  # lesion id -> Endpoint from the lesion's own first session
    progression_day: int | None
    hepatic_progression_day: int | None
    hepatic_progression_day_other_way: int | None
    progressed_before_course_end: bool


@dataclass(frozen=True)
class Result:
    """One patient's reading."""

    patient_id: str
    t0: int
    window_closes: int | None
    overall_survival: Endpoint
    criteria: dict
    findings: tuple


def evaluate(history: History, settings: Settings = DEFAULTS) -> Result | None:
    """Return the reading; None where a planned course is asked for and nobody recorded the plan."""
    chart = Chart(history, settings)
    if settings.patient_window == "planned_course" and planned_lobes(chart) is None:
        return None
    return Result(
        history.patient_id,
        chart.t0,
        patient_close(chart),
        overall_survival(vital(chart)),
        {name: _criterion(chart, name) for name in CRITERIA},
        tuple(findings(chart)),
    )


def _criterion(chart: Chart, criterion: str) -> CriterionResult:
    """Return all results under one criterion."""
    lesions = lesion_results(chart, criterion)
    organs = {
        organ: organ_result(chart, criterion, organ, patient_close(chart)) for organ in ORGANS
    }
    endpoints = {
        (name, policy): endpoint
        for policy in POLICIES
        for name, endpoint in _endpoints(chart, criterion, organs, policy).items()
    }
    everything = endpoints["TTP", POLICIES[0]]
    liver = endpoints["HTTP", POLICIES[0]]
    return CriterionResult(
        criterion,
        tuple(lesions),
        organs,
        endpoints,
        {
            item.lesion_id: time_to_response(item.assessments, item.start)
            for item in lesions
            if item.in_denominator
        },
        _event_day(everything),
        _event_day(liver),
        _other_way(chart, criterion),
        _before_course_end(chart, everything),
    )


def _endpoints(chart, criterion, organs, policy) -> dict:
    """Return the endpoints under one policy towards new therapy; response always stays in the window."""
    until = None if policy == "treatment_policy" else patient_close(chart)
    everything = patient_assessments(chart, criterion, "all", until)
    liver = patient_assessments(chart, criterion, "liver", until)
    alive = vital(chart)
    return {
        "PFS": progression_free_survival(chart, everything, _seen(chart, alive, policy)),
        "HPFS": progression_free_survival(chart, liver, _seen(chart, alive, policy)),
        "TTP": progression(chart, everything),
        "HTTP": progression(chart, liver),
        "TTR": time_to_response(organs["all"].assessments, chart.t0),
        "DOR": duration_of_response(
            chart, organs["all"].assessments, everything, _seen(chart, alive, policy)
        ),
    }


def _seen(chart, alive, policy):
    """Return the death, unless new therapy came first and the policy censors there."""
    close = patient_close(chart)
    if policy == "treatment_policy" or close is None or alive.day <= close - chart.t0:
        return alive
    return replace(alive, event=False)


def _event_day(endpoint: Endpoint) -> int | None:
    """Return the day of an event."""
    return endpoint.days if endpoint.event else None


def _other_way(chart: Chart, criterion: str) -> int | None:
    """Return hepatic progression with the opposite reading of non-target progression without organ."""
    flipped = replace(
        chart.settings,
        unlocated_progression_is_hepatic=not chart.settings.unlocated_progression_is_hepatic,
    )
    other = Chart(chart.history, flipped)
    return _event_day(progression(other, patient_assessments(other, criterion, "liver", None)))


def _before_course_end(chart: Chart, first: Endpoint) -> bool:
    """Tell whether PD was called before the last session of the first course."""
    close = patient_close(chart)
    days = [
        session.day for session in chart.history.sessions if close is None or session.day < close
    ]
    return first.event and first.days + chart.t0 <= max(days) and max(days) > chart.t0
