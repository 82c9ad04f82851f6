"""Best response over a sequence of assessments, unconfirmed and confirmed (admiralonco; Eisenhauer 2009)."""

from dataclasses import dataclass

from .settings import Settings

ORDER = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")
RESPONSES = ("CR", "PR")


@dataclass(frozen=True)
class Best:
    """The best response with the days that go with it, and the reason where it is not evaluable."""

    response: str
    day: int | None = None
    first_response_day: int | None = None
    progression_day: int | None = None
    last_evaluable_day: int | None = None
    reason: str | None = None


def until_progression(assessments) -> list:
    """Return the assessments up to and including the first PD."""
    kept = []
    for item in assessments:
        kept.append(item)
        if item.response == "PD":
            break
    return kept


def best_response(
    assessments, criterion: str, start: int, settings: Settings, *, confirmed: bool
) -> Best:
    """Return the best response in the window."""
    counted = until_progression(assessments)
    minimum = start + settings.sd_min_days[criterion]
    graded = [
        (_grade(counted, position, minimum, settings, confirmed), item.day)
        for position, item in enumerate(counted)
    ]
    response, day = min(
        graded, key=lambda pair: (ORDER.index(pair[0]), pair[1]), default=("NE", None)
    )
    evaluable = [item.day for item in counted if item.response != "NE"]
    return Best(
        response,
        day,
        _first(graded, RESPONSES),
        _first(graded, ("PD",)),
        max(evaluable, default=None),
        _reason(counted) if response == "NE" else None,
    )


def _first(graded, classes):
    """Return the first day with one of the classes."""
    return min((day for response, day in graded if response in classes), default=None)


def _reason(counted) -> str:
    """Return why nothing could be judged."""
    if not counted:
        return "no_scan_in_window"
    last = [item.rule for item in counted if item.response == "NE"]
    return last[-1] if len(last) == len(counted) else "before_sd_minimum"


def _grade(counted, position, minimum, settings, confirmed) -> str:
    """Return what one assessment is worth: unconfirmed responses fall to SD, early SD to NE."""
    item = counted[position]
    response = item.response
    if confirmed and response in RESPONSES and not is_confirmed(counted, position, settings):
        response = "SD"
    if response in ("SD", "NON-CR/NON-PD") and item.day < minimum:
        return "NE"
    return response


def is_confirmed(counted, position, settings: Settings) -> bool:
    """Tell whether a later response confirms this one with nothing but responses and NE between."""
    first, later = counted[position], counted[position + 1 :]
    return any(
        _confirms(first, later[:step], second, settings) for step, second in enumerate(later)
    )


def _confirms(first, between, second, settings) -> bool:
    """Tell whether `second` confirms `first`: 28 days, one NE at most, no PR after CR."""
    enough = ("CR",) if first.response == "CR" else RESPONSES
    if second.response not in enough or second.day - first.day < settings.confirm_days:
        return False
    counts = {name: sum(item.response == name for item in between) for name in ORDER}
    accepted_sd = 1 if settings.confirm_accept_sd and first.response == "PR" else 0
    if counts["NE"] > settings.confirm_max_ne or counts["SD"] > accepted_sd:
        return False
    others = len(between) - counts["NE"] - counts["SD"] - sum(counts[name] for name in enough)
    return others == 0 and not _falls_back([*between, second])


def _falls_back(items) -> bool:
    """Tell whether a PR follows a CR."""
    cleared = False
    for item in items:
        if cleared and item.response == "PR":
            return True
        cleared = cleared or item.response == "CR"
    return False
