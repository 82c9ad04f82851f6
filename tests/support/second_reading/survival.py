"""Death and the last day known alive; a claimed death is never read as life."""

from dataclasses import dataclass

from .chart import Chart


@dataclass(frozen=True)
class Vital:
    """A death on a day, or a censoring day with its reason; days are counted from T0."""

    event: bool
    day: int
    reason: str


def evidence_of_life(chart: Chart) -> list:
    """Return every day on which the patient was seen alive: session, scan, therapy, contact."""
    history = chart.history
    days = [session.day for session in history.sessions] + list(history.alive_days)
    days += [scan.day for scan in history.scans] + [row.day for row in history.measurements]
    days += [therapy.day for therapy in history.therapies]
    return [day for day in days if day >= chart.t0]


def vital(chart: Chart) -> Vital:
    """Return the death, or the last day known alive; an unbelievable date leaves a death at an unknown day."""
    alive = max(evidence_of_life(chart))
    deaths = chart.history.deaths
    if not deaths:
        return Vital(False, alive - chart.t0, "last_known_alive")
    first, last = max(death.first for death in deaths), min(death.last for death in deaths)
    exact = [death for death in deaths if death.first == death.last]
    if (
        first > last
        or last < max(alive, chart.t0)
        or any(death.imputed is None for death in deaths)
    ):
        return _unknown_day(chart, min(death.first for death in deaths))
    day = exact[0].first if exact else min(max(deaths[0].imputed, first), last)
    return Vital(True, max(day, alive, chart.t0) - chart.t0, "death")


def _unknown_day(chart: Chart, earliest: int) -> Vital:
    """Return a censoring at the last living evidence that is not after the earliest claimed death."""
    days = [day for day in evidence_of_life(chart) if day <= earliest]
    return Vital(False, max(days, default=chart.t0) - chart.t0, "death_at_unknown_day")
