"""Times to event in whole days from T0, each with its event flag."""

from dataclasses import dataclass

from .best import RESPONSES, until_progression
from .chart import Chart
from .survival import Vital


@dataclass(frozen=True)
class Endpoint:
    """One time to event; `event` False is censored."""

    days: int
    event: bool
    reason: str


def overall_survival(vital: Vital) -> Endpoint:
    """Return time to death of any cause (Memon 2012), censored at the last day known alive."""
    return Endpoint(vital.day, vital.event, vital.reason)


def progression(chart: Chart, assessments) -> Endpoint:
    """Return time to first PD; a death without PD is censored at the last evaluable assessment."""
    counted = until_progression(assessments)
    if counted and counted[-1].response == "PD":
        return Endpoint(counted[-1].day - chart.t0, True, "progression")
    return Endpoint(last_evaluable(chart, counted) - chart.t0, False, "last_evaluable_assessment")


def progression_free_survival(chart: Chart, assessments, vital: Vital) -> Endpoint:
    """Return time to first PD or death, censored at the last evaluable assessment, else at T0."""
    first = progression(chart, assessments)
    if first.event and (not vital.event or first.days <= vital.day):
        return first
    return Endpoint(vital.day, True, "death") if vital.event else first


def last_evaluable(chart: Chart, assessments) -> int:
    """Return the day of the last assessment that is not NE, else T0."""
    return max((item.day for item in assessments if item.response != "NE"), default=chart.t0)


def time_to_response(assessments, start: int) -> Endpoint:
    """Return time to first CR or PR, censored at the last evaluable scan inside the window."""
    counted = until_progression(assessments)
    first = next((item for item in counted if item.response in RESPONSES), None)
    if first is not None:
        return Endpoint(first.day - start, True, "response")
    last = max((item.day for item in counted if item.response != "NE"), default=start)
    return Endpoint(last - start, False, "last_evaluable_assessment")


def duration_of_response(chart: Chart, window, followed, vital: Vital) -> Endpoint | None:
    """Return time from first response to PD or death; None for a patient without response."""
    response = time_to_response(window, chart.t0)
    if not response.event:
        return None
    end = progression_free_survival(chart, followed, vital)
    return Endpoint(end.days - response.days, end.event, end.reason)
