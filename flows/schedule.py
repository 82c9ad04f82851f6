"""The registry's calendar day, and the nights on which a cron expression starts a run.

The expression is read by the parser of Prefect's scheduler, so that `status`, `doctor` and `serve`
never disagree. It stands in a file of its own inside Prefect, and is loaded without the rest.
"""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from schemas.settings import Registry

ANY_DAY = date(2000, 1, 1)
BY_CHANCE = ("r", "h")
"""Letters of fields that are drawn by chance, or by a hash: Prefect's scheduler takes none."""
SECOND = timedelta(seconds=1)


def today(registry: "Registry") -> date:
    """The day in the registry's time zone."""
    return day(registry, datetime.now(UTC))


def day(registry: "Registry", moment: datetime) -> date:
    """The day of a moment, which has a zone, in the registry's time zone."""
    return moment.astimezone(ZoneInfo(registry.file.timezone)).date()


def checked(cron: str) -> str:
    """The expression, if Prefect's scheduler takes it and it ever starts a run.

    Raises:
        ValueError: it does not.
    """
    parser = _parser()
    by_chance = any(field[:1].casefold() in BY_CHANCE for field in cron.split())
    try:
        if by_chance or not parser.is_valid(cron):
            raise ValueError
        if _next(cron, datetime.combine(ANY_DAY, time())) is None:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(
            f"{cron!r} is no cron expression that Prefect's scheduler takes: minute, hour, day of "
            "the month, month, day of the week"
        ) from None
    return cron


def nights(cron: str, first: date, last: date) -> Iterator[date]:
    """The nights of a range on which the expression starts a run, both ends included.

    Args:
        cron: as Prefect's scheduler takes it. As in cron, where both days are given either is
            enough.
        first: the first day to look at.
        last: the last.
    """
    after = datetime.combine(first, time()) - SECOND
    while (begun := _next(cron, after)) and begun.date() <= last:
        yield begun.date()
        after = datetime.combine(begun.date() + timedelta(days=1), time()) - SECOND


def start(cron: str, night: date = ANY_DAY) -> tuple[int, int]:
    """Hour and minute of the first run of a night, or of the next night that has one."""
    begun = _next(cron, datetime.combine(night, time()) - SECOND)
    begun = begun or _next(cron, datetime.combine(ANY_DAY, time()))
    return (begun.hour, begun.minute) if begun else (0, 0)


def _next(cron: str, after: datetime) -> datetime | None:
    """The next start; None after the last year that the expression names."""
    try:
        found: datetime = _parser()(cron, after).get_next(datetime)
    except ValueError:
        return None
    return found


@cache
def _parser() -> Any:
    """The class `croniter` that Prefect carries along."""
    prefect = importlib.util.find_spec("prefect")
    folder = Path((prefect.origin if prefect else None) or "prefect").parent
    path = folder / "_vendor" / "croniter" / "croniter.py"
    spec = importlib.util.spec_from_file_location("flows.prefect_croniter", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: Prefect's parser of cron expressions is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.croniter
