"""What curve counts in bins leave open: the least and the greatest Kaplan-Meier curve.

A registry tells of each bin of months how many had the event and how many were censored, and not in
which order. The curve of all patients is a product over their exits in order,

    S(t) = prod over events up to t of 1 - 1 / (still there)

and letting an event change places with a censoring just before it never lowers the product, while
events among themselves do not matter. So the greatest curve has every event at the beginning of its
bin and every censoring at its end, the least the other way round, and both are curves of some
patients: the limits are sharp, also for bins of several registries that overlap. Of one registry a
bin gives (n - d) / n and (n - c - d) / (n - c). At a time inside a bin its events lie after that
time for the greatest curve, and before it for the least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

AT, AFTER = 0, 1
"""At the end of a month, and just after it."""


Exits = tuple[tuple[int, int], int, int]
"""A moment, and how many have the event or are censored then."""


class Bin(NamedTuple):
    """Exits after `begin` and up to `end`, in months."""

    begin: int
    end: int
    events: int
    censored: int


@dataclass(frozen=True, slots=True)
class Binned:
    """One registry's patients and its bins, in order and without gaps from month 0."""

    n: int
    bins: tuple[Bin, ...]

    @property
    def end(self) -> int:
        """The month up to which the registry tells."""
        return self.bins[-1].end if self.bins else 0


@dataclass(frozen=True, slots=True)
class Level:
    """The limits of the curve at the end of a month."""

    months: int
    least: float
    greatest: float


def limits(registries: Sequence[Binned]) -> list[Level]:
    """The limits of the curve of all patients at every edge of a bin.

    Between two edges the curve lies between the greatest of the one before and the least of the
    one after; day 0 belongs to the first bin. After the month up to which every registry tells
    there is none.

    Raises:
        ValueError: bins with gaps, or with more exits than patients.
    """
    for registry in registries:
        _check(registry)
    end = min((r.end for r in registries), default=0)
    edges = sorted({b.end for r in registries for b in r.bins if b.end <= end})
    found = [_level(registries, month) for month in edges]
    return [Level(0, found[0].least, 1.0), *found] if found else []


def between(levels: Sequence[Level], months: float) -> tuple[float, float] | None:
    """The limits of the curve at a time; None after the last edge."""
    if not levels or months > levels[-1].months:
        return None
    greatest = max((x for x in levels if x.months <= months), key=lambda x: x.months).greatest
    least = min((x for x in levels if x.months >= months), key=lambda x: x.months).least
    return least, greatest


def median_limits(levels: Sequence[Level]) -> tuple[int | None, int | None]:
    """The months between which the median lies; None where the curve need not come down so far.

    The lower one is the edge after which the least curve is at most one half. A median by the
    midpoint rule can lie as late as the next step, hence the upper one is the edge at which even
    the greatest curve is below one half.
    """
    lower = next((before.months for before, after in pairwise(levels) if after.least <= 0.5), None)
    upper = next((x.months for x in levels if x.greatest < 0.5), None)
    return lower, upper


def _level(registries: Sequence[Binned], month: int) -> Level:
    there = sum(r.n for r in registries)
    least: list[Exits] = []
    greatest: list[Exits] = []
    for b in (b for r in registries for b in r.bins if b.begin < month):
        whole = b.end <= month
        least += [((b.begin, AFTER), 0, b.censored), ((min(b.end, month), AT), b.events, 0)]
        if whole:
            greatest += [((b.begin, AFTER), b.events, 0), ((b.end, AT), 0, b.censored)]
    return Level(month, _product(there, least), _product(there, greatest))


def _product(there: int, exits: Iterable[Exits]) -> float:
    """The curve after exits at moments, given as (moment, events, censored).

    At a moment events come before censorings, as in every Kaplan-Meier curve.
    """
    level = 1.0
    for _, group in groupby(sorted(exits), key=lambda x: x[0]):
        together = list(group)
        events, censored = sum(x[1] for x in together), sum(x[2] for x in together)
        if events:
            level *= (there - events) / there
        there -= events + censored
    return level


def _check(registry: Binned) -> None:
    begin = 0
    for b in registry.bins:
        if b.begin != begin or b.end <= begin or min(b.events, b.censored) < 0:
            raise ValueError(f"bins: {b.begin} to {b.end} months does not follow the one before.")
        begin = b.end
    if sum(b.events + b.censored for b in registry.bins) > registry.n:
        raise ValueError("bins: more exits than patients.")
