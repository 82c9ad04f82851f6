"""The least and the greatest Kaplan-Meier curve that held rows leave open, at every time.

The ends of a window of dates do not bound the curve: a later death can lower it, since whoever dies
later is at risk of nothing before. So every option of every patient with held rows is tried.

    S(t) = prod over t_j <= t of 1 - (d_j + a_j) / (n_j + r_j)

d and n are deaths and patients at risk that are sure, a and r those with held rows. The state of
the programme is the set of these patients who are still at risk; a day moves it to every set that
their options of that day allow. That is exact, and takes 2^m sets. With more patients, or with
several exits of one patient (lesions), only numbers are kept, which gives limits that no world
passes and none need reach.

Source: this registry's own; held against every world counted out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.estimators.kaplan_meier import (
    QUANTILE_TOLERANCE,
    EventTable,
    FloatArray,
    IntArray,
    QuantileRule,
)

Exit = tuple[float, bool]
"""A time, and whether it is the event's."""
Option = tuple[Exit, ...]
"""What a patient adds to the curve: nothing, one exit, or one for each lesion."""
MOST_SETS = 10
"""Patients with held rows whose sets are followed one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class CurveBounds:
    """Limits of the curve just after each time, shape (T,); `exact` if worlds reach them."""

    time: FloatArray
    lower: FloatArray
    upper: FloatArray
    exact: bool

    def at(self, t: float) -> tuple[float, float]:
        """The limits of S(t)."""
        row = int(np.searchsorted(self.time, t, side="right")) - 1
        return (float(self.lower[row]), float(self.upper[row])) if row >= 0 else (1.0, 1.0)


def curve_bounds(table: EventTable, options: Sequence[Collection[Option]]) -> CurveBounds:
    """Bound the curve over all choices of one option for each patient.

    Args:
        table: events and censorings of all patients without a held row.
        options: of each patient with held rows what can be added.

    Raises:
        ValueError: a patient without an option.
    """
    if not all(options):
        raise ValueError("a patient without an option. Leave out who has no held row.")
    sure, open_ = _settled(table, options)
    days = np.unique(np.concatenate([sure.time, [t for o in open_ for e in o for t, _ in e]]))
    single = all(len(option) <= 1 for choices in open_ for option in choices)
    exact = single and len(open_) <= MOST_SETS
    limits = (_by_sets if exact else _by_numbers)(sure, open_, days)
    return CurveBounds(days, *limits, exact=exact)


def median_bounds(
    bounds: CurveBounds, rule: QuantileRule = "midpoint"
) -> tuple[float | None, float | None]:
    """Limits of the median by its published rule; None where the curve need not come down so far.

    The curve of every world lies between the two. Under `first_at_or_below` a median is the first
    time at which its curve is at most one half, so that the limits are those of the two curves.
    Under `midpoint` it can lie as late as the next step after one half, hence the first time at
    which even the upper curve is below it.
    """
    reached = bounds.lower <= 0.5 + QUANTILE_TOLERANCE
    passed = (
        bounds.upper < 0.5 - QUANTILE_TOLERANCE
        if rule == "midpoint"
        else bounds.upper <= 0.5 + QUANTILE_TOLERANCE
    )
    return _first(bounds.time, reached), _first(bounds.time, passed)


def mean_bounds(bounds: CurveBounds, tau: float) -> tuple[float, float]:
    """Limits of the mean time free of the event up to tau: the areas below the two curves."""
    kept = int(np.searchsorted(bounds.time, tau, side="right"))
    widths = np.diff(np.concatenate([[0.0], bounds.time[:kept], [tau]]))
    lower, upper = (
        float((widths * np.concatenate([[1.0], level[:kept]])).sum())
        for level in (bounds.lower, bounds.upper)
    )
    return lower, upper


def _first(time: FloatArray, holds: npt.NDArray[np.bool_]) -> float | None:
    rows = np.flatnonzero(holds)
    return float(time[rows[0]]) if rows.size else None


def _settled(
    table: EventTable, options: Sequence[Collection[Option]]
) -> tuple[EventTable, list[list[Option]]]:
    """Patients with one option alone are sure; the others are open."""
    distinct = [sorted({tuple(sorted(option)) for option in choices}) for choices in options]
    exits = [e for choices in distinct if len(choices) == 1 for e in choices[0]]
    return with_exits(table, exits), [choices for choices in distinct if len(choices) > 1]


def with_exits(table: EventTable, exits: Sequence[Exit], sign: int = 1) -> EventTable:
    """A table with these exits added, or with sign -1 taken out."""
    if not exits:
        return table
    time = np.unique(np.concatenate([table.time, [t for t, _ in exits]]))
    events, censored = np.zeros(time.size, np.int64), np.zeros(time.size, np.int64)
    rows = np.searchsorted(time, table.time)
    events[rows], censored[rows] = table.events, table.censored
    for t, event in exits:
        (events if event else censored)[np.searchsorted(time, t)] += sign
    left = (events + censored) > 0
    return EventTable(time[left], events[left], censored[left])


@dataclass(frozen=True, slots=True)
class _Day:
    """What is sure on a day."""

    at_risk: int
    deaths: int


def _days(sure: EventTable, days: FloatArray) -> list[_Day]:
    units = np.concatenate([[0], np.cumsum((sure.events + sure.censored)[::-1])])[::-1]
    at = np.searchsorted(sure.time, days)
    deaths = np.append(sure.events, 0)
    here = np.isin(days, sure.time)
    return [
        _Day(int(units[row]), int(deaths[row]) if found else 0)
        for row, found in zip(at, here, strict=True)
    ]


def _by_sets(
    sure: EventTable, options: list[list[Option]], days: FloatArray
) -> tuple[FloatArray, FloatArray]:
    m = len(options)
    masks = np.arange(2**m)
    size = np.array([int(n).bit_count() for n in masks])
    absent = sum(1 << p for p, choices in enumerate(options) if () in choices)
    begun = (~masks & (2**m - 1) & ~absent) == 0
    exits = [{e[0] for e in choices if e} for choices in options]
    last = [max((t for t, _ in e), default=-np.inf) for e in exits]
    limits = []
    for best, none in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        level = np.where(begun, 1.0, none)
        column = np.empty(days.size)
        for row, (day, known) in enumerate(zip(days, _days(sure, days), strict=True)):
            dying = [p for p in range(m) if (day, True) in exits[p]]
            if dying or known.deaths:
                level = _after_deaths(level, known, dying, masks, size, best, none)
            for p in (p for p in range(m) if (day, False) in exits[p]):
                _move(level, level, masks, p, best)
            if gone := sum(1 << p for p in range(m) if last[p] == day):
                level = np.where(masks & gone, none, level)
            column[row] = best.reduce(level)
        limits.append(column)
    return limits[0], limits[1]


def _after_deaths(
    level: FloatArray,
    known: _Day,
    dying: list[int],
    masks: IntArray,
    size: IntArray,
    best: np.ufunc,
    none: float,
) -> FloatArray:
    """The level of each set once a day's deaths are counted, whoever of the set dies on it."""
    by_deaths = np.full((len(dying) + 1, masks.size), none)
    by_deaths[0] = level
    for done, p in enumerate(dying):
        for n in range(done, -1, -1):
            _move(by_deaths[n], by_deaths[n + 1], masks, p, best)
    for n in range(len(dying) + 1):
        at_risk, deaths = known.at_risk + size + n, known.deaths + n
        left = np.where(at_risk > 0, (at_risk - deaths) / np.maximum(at_risk, 1), 1.0)
        reached = np.isfinite(by_deaths[n])
        by_deaths[n][reached] *= left[reached]
    result: FloatArray = best.reduce(by_deaths)
    return result


def _move(source: FloatArray, target: FloatArray, masks: IntArray, p: int, best: np.ufunc) -> None:
    """Let a patient leave every set that has him."""
    having = masks[(masks >> p) & 1 == 1]
    without = having ^ (1 << p)
    target[without] = best(target[without], source[having])


def _by_numbers(
    sure: EventTable, options: list[list[Option]], days: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Outer limits: the most at risk and nobody dying; the fewest at risk and most dying."""
    known = _days(sure, days)
    upper = np.cumprod([_factor(k.at_risk + _most(options, d), k.deaths)
                        for d, k in zip(days, known, strict=True)])  # fmt: skip
    total = sum(max(sum(e for _, e in option) for option in choices) for choices in options)
    level = np.full(total + 1, np.inf)
    level[0] = 1.0
    lower = np.empty(days.size)
    for row, (day, k) in enumerate(zip(days, known, strict=True)):
        fewest, most = _fewest(options, day), _dying(options, day)
        after = np.full(total + 1, np.inf)
        for n in range(most + 1):
            factor = _factor(k.at_risk + max(fewest, n), k.deaths + n)
            before = level[: total + 1 - n]
            reached = np.isfinite(before)
            after[n:][reached] = np.minimum(after[n:][reached], before[reached] * factor)
        level = after
        lower[row] = level.min()
    return lower, np.asarray(upper, dtype=np.float64)


def _factor(at_risk: int, deaths: int) -> float:
    return (at_risk - deaths) / at_risk if at_risk else 1.0


def _most(options: list[list[Option]], day: float) -> int:
    return sum(max(sum(t >= day for t, _ in o) for o in choices) for choices in options)


def _fewest(options: list[list[Option]], day: float) -> int:
    return sum(min(sum(t >= day for t, _ in o) for o in choices) for choices in options)


def _dying(options: list[list[Option]], day: float) -> int:
    return sum(max(sum(e == (day, True) for e in o) for o in choices) for choices in options)
