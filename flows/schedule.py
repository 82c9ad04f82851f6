"""The registry's calendar day, and the nights on which a cron expression starts a run.

Days only; the hour is Prefect's business.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from schemas.settings import Registry

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def today(registry: "Registry") -> date:
    """The day in the registry's time zone."""
    return day(registry, datetime.now(UTC))


def day(registry: "Registry", moment: datetime) -> date:
    """The day of a moment, which has a zone, in the registry's time zone."""
    return moment.astimezone(ZoneInfo(registry.file.timezone)).date()


def nights(cron: str, first: date, last: date) -> Iterator[date]:
    """The nights of a range on which the expression starts a run, both ends included.

    Args:
        cron: minute, hour, day of the month, month, day of the week; `*`, lists, ranges, steps and
            English names. As in cron, where both days are given either is enough.
        first: the first day to look at.
        last: the last.

    Raises:
        ValueError: not such an expression.
    """
    _, _, days, months, weekdays = _fields(cron)
    in_month = _values(days, 1, 31)
    in_year = _values(months, 1, 12, MONTHS, 1)
    in_week = {d % 7 for d in _values(weekdays, 0, 7, WEEKDAYS, 0)}
    either = days != "*" and weekdays != "*"
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        fits = [day.day in in_month, day.isoweekday() % 7 in in_week]
        if day.month in in_year and (any(fits) if either else all(fits)):
            yield day


def start(cron: str) -> tuple[int, int]:
    """Hour and minute of the first run of a day."""
    minute, hour, *_ = _fields(cron)
    return min(_values(hour, 0, 23)), min(_values(minute, 0, 59))


def _fields(cron: str) -> list[str]:
    fields = cron.lower().split()
    if len(fields) != 5:
        raise ValueError(f"{cron!r} is not five fields: minute hour day month weekday")
    return fields


def _values(
    field: str, low: int, high: int, names: tuple[str, ...] = (), base: int = 0
) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        if begin == "*":
            lower, upper = low, high
        else:
            lower = _number(begin, names, base)
            upper = _number(end, names, base) if end else (high if step else lower)
        if not low <= lower <= upper <= high:
            raise ValueError(f"{part!r} is not within {low} to {high}")
        found |= set(range(lower, upper + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...], base: int) -> int:
    return names.index(text) + base if text in names else int(text)
