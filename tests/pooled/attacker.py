"""An attacker with every bundle of a registry, everybody's days, and what is not told otherwise.

A knows days and states, and asks for the level of a factor. B knows days, and asks for states.
Neither knows another patient's levels. A result names patients: who is certain, and by what.

Numbers of one bundle are attacked by counting the assignments that give them; numbers of two
bundles by whom their difference can be of. Nothing of the product is used but the numbers told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

Row = dict[str, Any]
MONTH = 30.4375


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """What the attacker knows of a night: who is in, when each leaves, and A: how."""

    days: np.ndarray
    event: np.ndarray


@dataclass(frozen=True, slots=True)
class Told:
    """What a bundle told: tables, and the night that each row is of."""

    tables: dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Certain:
    """Patients of whom something is certain, and how it was found."""

    patients: tuple[int, ...]
    by: str


# --- A: days and states known; the level of a factor asked -----------------------------------


def levels_by_counting(night: Night, rows: Sequence[Row]) -> list[Certain]:
    """Every assignment of the level that gives all comparisons of a factor in one bundle."""
    n, m = rows[0]["n"], rows[0]["n_bad"]
    ways = np.zeros((math.comb(n, m), n), bool)
    for place, chosen in enumerate(combinations(range(n), m)):
        ways[place, list(chosen)] = True
    for row in rows:
        u, v, events = tested(night.days, night.event, ways)
        ways = ways[
            (np.abs(u - row["u"]) < 0.0501)
            & (np.abs(v - row["v"]) < 0.0501)
            & (events == row["events_bad"])
        ]
    always, never = ways.all(axis=0), ~ways.any(axis=0)
    found = tuple(int(k) for k in np.flatnonzero(always | never))
    return [Certain(found, f"{len(ways)} assignments are left")] if found else []


def tested(
    days: np.ndarray, event: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, V and events of assignments, term by term of the log-rank test."""
    u, v = np.zeros(len(ways)), np.zeros(len(ways))
    for day in np.unique(days[event]):
        there, dying = days >= day, event & (days == day)
        n, d = there.sum(), dying.sum()
        share = ways[:, there].sum(axis=1) / n
        u += ways[:, dying].sum(axis=1) - d * share
        v += d * (n - d) / max(n - 1, 1) * share * (1 - share)
    return u, v, ways[:, event].sum(axis=1)


def levels_by_differences(nights: dict[str, Night], told: Sequence[Told]) -> list[Certain]:
    """Counts of a level, of two bundles: who is new is known, and how many of them are bad.

    Of new patients at least five are to be at each level; of new events, which are fewer, at least
    five in all, and some at each.
    """
    found: list[Certain] = []
    for table, whole, part in (
        ("counts", "total", "n"),
        ("comparisons", "n", "n_bad"),
        ("comparisons", "events", "events_bad"),
    ):
        by: dict[str, dict[str, Row]] = {}
        for bundle in told:
            for row in bundle.tables[table]:
                if row[part] is not None:
                    by.setdefault(row["statistic_id"], {})[row["as_of"]] = row
        for statistic, rows in by.items():
            for one, other in combinations(sorted(rows), 2):
                new = arrived(nights[one], nights[other], dead=whole == "events")
                bad = rows[other][part] - rows[one][part]
                few = min(bad, len(new) - bad)
                if new and (few <= (0 if whole == "events" else 4) or len(new) < 5):
                    found.append(Certain(new, f"{statistic} of {one} and {other}"))
    return found


def arrived(one: Night, other: Night, *, dead: bool) -> tuple[int, ...]:
    """Who is in the later night and not in the earlier, or who died between them."""
    size = len(one.days)
    new = tuple(range(size, len(other.days)))
    if not dead:
        return new
    died = [k for k in range(size) if other.event[k] and not one.event[k]]
    return (*died, *(k for k in new if other.event[k]))


# --- B: days known; states asked ---------------------------------------------------------------


def states_by_counting(night: Night, steps: Sequence[Row], levels: Sequence[Row]) -> list[Certain]:
    """Every way in which the exits of each bin were events, that gives the levels told.

    Bins whose exits are all alike are left out: that they are is no secret kept.
    """
    months = np.maximum(np.ceil(night.days / MONTH), 1)
    bins = [
        (np.flatnonzero((months > r["from_month"]) & (months <= r["to_month"])), r["events"], r)
        for r in sorted(steps, key=lambda r: r["from_month"])
    ]
    found: list[Certain] = []
    for row in (r for r in levels if r["kind"] == "landmark"):
        before = [b for b in bins if b[2]["from_month"] < row["months"]]
        if certain := one_segment(night, before, row):
            found.append(Certain(certain, f"the level at {row['months']} months"))
    return found


def one_segment(night: Night, bins: list[Any], row: Row) -> tuple[int, ...]:
    """Whose state is certain by the curve's level and error after some bins, if they are few."""
    if math.prod(math.comb(len(g), e) for g, e, _ in bins) > 100_000:
        return ()
    ways = np.zeros((1, len(night.days)), bool)
    for group, events, _ in bins:
        chosen = np.array([*combinations(range(len(group)), events)], int)
        own = np.zeros((len(chosen), len(group)), bool)
        own[np.arange(len(chosen))[:, None], chosen] = True
        ways = np.repeat(ways, len(own), axis=0)
        ways[:, group] = np.tile(own, (len(ways) // len(own), 1))
    same = ways[leveled(night, [row], ways)]
    mixed = [k for g, e, _ in bins if 0 < e < len(g) for k in g.tolist()]
    return tuple(k for k in mixed if len(same) and len({*same[:, k].tolist()}) == 1)


def leveled(night: Night, marks: Sequence[Row], ways: np.ndarray) -> np.ndarray:
    """Which states give the levels and errors told at landmarks."""
    days = np.unique(night.days)
    n = np.array([(night.days >= d).sum() for d in days], float)
    place = np.searchsorted(days, night.days)
    died = np.zeros((len(ways), days.size))
    for k, at in enumerate(place):
        died[:, at] += ways[:, k]
    share = np.clip(1 - died / n, 0, None)
    survival = np.cumprod(share, axis=1)
    spread = np.cumsum(died / (n * np.maximum(n - died, 1)), axis=1)
    kept = np.ones(len(ways), bool)
    for row in marks:
        at = int(np.searchsorted(days, row["months"] * MONTH, side="right")) - 1
        level = survival[:, at] if at >= 0 else np.ones(len(ways))
        error = level * np.sqrt(spread[:, at]) if at >= 0 else np.zeros(len(ways))
        step = 10.0 ** (math.floor(math.log10(row["se"])) - 2) if row["se"] else 1.0
        kept &= (np.abs(level - row["value"]) < 0.51e-4) & (np.abs(error - row["se"]) < 0.51 * step)
    return kept


def alike(steps: Sequence[Row]) -> int:
    """Exits in bins whose exits are all alike: their states follow from the months."""
    exits = [(r["events"], r["censored"]) for r in steps]
    return sum(a + b for a, b in exits if 0 in (a, b))
