"""The attacker's heavier means: linear programs over every bundle at once, and a search.

A program links all that was told of a factor or a curve, in all bundles, as sums of unknowns
between 0 and 1: whoever cannot be 0, or cannot be 1, is certain. A search starts from the truth and
looks for others that give the same numbers: whoever never differs in any of them is held to be
certain, so that it can only err for the attacker. Nothing of the product is used but the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import linprog

from tests.pooled.attacker import MONTH, Certain, Night, Row, Told

NEAR = 1e-6
CHAINS = 150
GUESSES = 30
"""Random directions that are tried before each unknown is asked for alone."""


# --- linear programs ------------------------------------------------------------------------------


def _certain(size: int, same: list[Any], within: list[Any], among: Sequence[int]) -> list[int]:
    """Unknowns that are 0 or 1 in every solution.

    Unknowns that stand in the same sums are taken together: their number is between 0 and theirs.

    Args:
        size: number of unknowns, each from 0 to 1.
        same: (coefficients, value), sums that are known.
        within: (coefficients, least, greatest), sums that are known but for rounding.
        among: the unknowns asked for.
    """
    sums = np.array([a for a, *_ in (*same, *within)]).reshape(len(same) + len(within), size)
    columns, group, sizes = np.unique(sums, axis=1, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    low = np.array([*(v - NEAR for _, v in same), *(least for _, least, _ in within)])
    high = np.array([*(v + NEAR for _, v in same), *(most for _, _, most in within)])
    limits = {"A_ub": np.vstack([columns, -columns]), "b_ub": np.concatenate([high, -low])}
    asked = np.isin(np.arange(sizes.size), group[list(among)])
    zero, one = np.zeros(sizes.size, bool), np.zeros(sizes.size, bool)

    def solve(direction: np.ndarray) -> np.ndarray:
        bounds = np.column_stack([np.zeros(sizes.size), sizes])
        found = linprog(direction, bounds=bounds, method="highs", **limits)
        assert found.status == 0, found.message  # the truth is a solution
        np.logical_or(zero, found.x < sizes - 1 + 2 * NEAR, out=zero)
        np.logical_or(one, found.x > 1 - 2 * NEAR, out=one)
        return np.asarray(found.x)

    draw = np.random.default_rng(1)
    for _ in range(GUESSES):
        solve(draw.normal(size=sizes.size))
    certain = np.zeros(sizes.size, bool)
    for k in np.flatnonzero(asked & ~(zero & one)):
        direction = (np.arange(sizes.size) == k).astype(float)
        least, most = solve(direction)[k], solve(-direction)[k]
        certain[k] = math.ceil(least - 1e-4) == sizes[k] or math.floor(most + 1e-4) == 0
    return [int(k) for k in among if certain[group[k]]]


def levels_by_programming(nights: dict[str, Night], told: Sequence[Told]) -> list[Certain]:
    """A: every count and log-rank sum of a factor, of all bundles and endpoints at once."""
    size = max(len(n.days) for n in nights.values())
    found: list[Certain] = []
    for factor, rows in by_factor(told).items():
        same: list[Any] = []
        within: list[Any] = []
        for row in rows:
            night = nights[row["as_of"]]
            here = (np.arange(size) < len(night.days)).astype(float)
            dead = here.copy()
            dead[: len(night.days)] = night.event
            if "u" not in row:
                same.append((here, row["n"]))
                continue
            same += [(here, row["n_bad"]), (dead, row["events_bad"])]
            own = np.zeros(size)
            own[: len(night.days)] = residuals(night)
            within.append((own, row["u"] - 0.0501, row["u"] + 0.0501))
        certain = _certain(size, same, within, range(size))
        if certain:
            found.append(Certain(tuple(certain), f"a linear program of {factor}"))
    return found


def by_factor(told: Sequence[Told]) -> dict[str, list[Row]]:
    """Factor -> what was told of it, each number once."""
    found: dict[str, dict[Any, Row]] = {}
    for bundle in told:
        for row in bundle.tables["comparisons"]:
            found.setdefault(row["factor"], {})[row["statistic_id"], row["as_of"]] = row
        for row in bundle.tables["counts"]:
            if row["n"] is not None and row["statistic_id"].startswith("level."):
                factor = row["statistic_id"].removeprefix("level.")
                found.setdefault(factor, {})[row["statistic_id"], row["as_of"]] = row
    return {factor: list(rows.values()) for factor, rows in sorted(found.items())}


def residuals(night: Night) -> np.ndarray:
    """What each patient adds to U if at the level: own event less the hazard until then."""
    hazard = np.zeros(len(night.days))
    for day in np.unique(night.days[night.event]):
        there = night.days >= day
        hazard[there] += (night.event & (night.days == day)).sum() / there.sum()
    return night.event - hazard


def states_by_programming(
    nights: dict[str, Night], told: Sequence[Told], *, follows: bool = False
) -> list[Certain]:
    """B: the bins of every bundle at once; states in bins that are alike are no secret kept.

    Args:
        nights: what B knows.
        told: every bundle.
        follows: B also knows that whoever is seen later was alive before.
    """
    last = nights[max(nights)]
    places: dict[tuple[int, float], int] = {}
    for night in nights.values():
        for k, day in enumerate(night.days):
            places.setdefault((k, float(day)), len(places))
    same: list[Any] = []
    alike: set[int] = set()
    if follows:
        for (k, day), place in places.items():
            if day < last.days[k]:
                same.append((_one(len(places), [place]), 0.0))
    seen: set[tuple[str, int]] = set()
    for bundle in told:
        for row in bundle.tables["steps"]:
            key = (row["as_of"], row["from_month"])
            if row["endpoint"] != "OS" or key in seen:
                continue
            seen.add(key)
            night = nights[row["as_of"]]
            months = np.maximum(np.ceil(night.days / MONTH), 1)
            inside = np.flatnonzero((months > row["from_month"]) & (months <= row["to_month"]))
            own = [places[int(k), float(night.days[k])] for k in inside]
            same.append((_one(len(places), own), row["events"]))
            if 0 in (row["events"], row["censored"]):
                alike |= set(own)
    if not seen:
        return []
    secret = [
        place for (k, day), place in places.items() if place not in alike and day == last.days[k]
    ]
    certain = _certain(len(places), same, [], secret)
    names = {place: k for (k, _), place in places.items()}
    patients = tuple(sorted({names[p] for p in certain}))
    return [Certain(patients, "a linear program of bins")] if certain else []


def _one(size: int, places: Sequence[int]) -> np.ndarray:
    row = np.zeros(size)
    row[list(places)] = 1.0
    return row


def counts_by_programming(total: int, shown: dict[str, int | None]) -> list[Certain]:
    """Levels whose withheld number follows from the others: intervals as a statistical office has.

    Args:
        total: patients at all levels.
        shown: level -> its number, None if it is withheld.
    """
    names = list(shown)
    same = [(np.ones(len(names)), float(total))]
    same += [
        (_one(len(names), [k]), float(n)) for k, name in enumerate(names)
        if (n := shown[name]) is not None
    ]  # fmt: skip
    a, b = np.array([x for x, _ in same]), np.array([v for _, v in same])
    found = []
    for k, name in enumerate(names):
        ends = []
        for sign in (1.0, -1.0):
            direction = np.zeros(len(names))
            direction[k] = sign
            solved = linprog(direction, A_eq=a, b_eq=b, bounds=(0, total), method="highs")
            ends.append(sign * solved.fun)
        low, high = math.ceil(ends[0] - NEAR), math.floor(ends[1] + NEAR)
        if low == high and 0 < low < 5:
            found.append(Certain((k,), f"{name}: {low} patients"))
    return found


# --- linking ---------------------------------------------------------------------------------


def levels_by_linking(night: Night, steps: Sequence[Row]) -> list[Certain]:
    """A: bins told by a level, beside everybody's months; levels of several factors by the bin."""
    months = np.maximum(np.ceil(night.days / MONTH), 1)
    bins: dict[tuple[str, int, int], list[int]] = {}
    for row in steps:
        if row.get("factor"):
            key = (row["factor"], row["from_month"], row["to_month"])
            bins.setdefault(key, [0, 0])[bool(row["bad"])] += row["events"] + row["censored"]
    found = []
    for (factor, begin, end), exits in bins.items():
        if 0 in exits and sum(exits):
            inside = np.flatnonzero((months > begin) & (months <= end))
            found.append(Certain(tuple(map(int, inside)), f"{factor}, months {begin} to {end}"))
    return found


# --- search ----------------------------------------------------------------------------------


def scored(
    days: np.ndarray, event: np.ndarray, ways: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Score and information of assignments at a log hazard ratio each, ties as Efron has them."""
    times, d = np.unique(days[event], return_counts=True)
    own = ways.astype(float)
    there = (days[:, None] >= times).astype(float)
    dying = ((days[:, None] == times) & event[:, None]).astype(float)
    n, bad, bad_dying = there.sum(axis=0), own @ there, own @ dying
    score, information = own @ event.astype(float), np.zeros(len(ways))
    odds = np.exp(at)[:, None]
    for step in range(int(d.max())):
        some = d > step
        part = step / d[some]
        weighted = (bad[:, some] - part * bad_dying[:, some]) * odds
        rest = n[some] - bad[:, some] - part * (d[some] - bad_dying[:, some])
        p = weighted / (weighted + rest)
        score = score - p.sum(axis=1)
        information += (p * (1 - p)).sum(axis=1)
    return score, information


def summed(
    days: np.ndarray, event: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, V and events of assignments, all days at once."""
    times, d = np.unique(days[event], return_counts=True)
    there = (days[:, None] >= times).astype(float)
    n = there.sum(axis=0)
    share = ways.astype(float) @ there / n
    events = ways[:, event].sum(axis=1)
    weight = d * (n - d) / np.maximum(n - 1, 1)
    return events - share @ d, (share * (1 - share)) @ weight, events


def fitted(days: np.ndarray, event: np.ndarray, ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log hazard ratio of assignments, and its error."""
    at = np.zeros(len(ways))
    information = np.ones(len(ways))
    for _ in range(12):
        score, information = scored(days, event, ways, at)
        at = np.clip(at + score / np.maximum(information, 1e-9), -8, 8)
    return at, 1 / np.sqrt(np.maximum(information, 1e-12))


def gives(
    night: Night, rows: Sequence[Row], ways: np.ndarray, decimals: tuple[int, int] = (1, 2)
) -> np.ndarray:
    """Those assignments that give all that was told of a factor in one bundle and its answer."""
    near = 0.501 * 10.0 ** -decimals[0], 0.501 * 10.0 ** -decimals[1]
    for row in rows:
        u, v, events = summed(night.days, night.event, ways)
        kept = (np.abs(u - row["u"]) < near[0]) & (np.abs(v - row["v"]) < near[0])
        ways = ways[kept & (events == row["events_bad"])]
        if row["b"] is not None and len(ways):
            b, se = fitted(night.days, night.event, ways)
            ways = ways[(np.abs(b - row["b"]) < near[1]) & (np.abs(se - row["se"]) < near[1])]
        for at, score, information in row.get("answers", ()):
            told = scored(night.days, night.event, ways, np.full(len(ways), at))
            kept = (np.abs(told[0] - score) < near[0]) & (np.abs(told[1] - information) < near[0])
            ways = ways[kept]
    return ways


def levels_by_search(
    night: Night,
    rows: Sequence[Row],
    truth: np.ndarray,
    *,
    batches: int = 10,
    size: int = 10_000,
    steps: Sequence[int] = (300, 300, 1_500, 1_500),
    decimals: tuple[int, int] = (1, 2),
) -> list[Certain]:
    """A: other assignments that give the same numbers, found from the truth by exchanging pairs.

    First anybody's places are exchanged; then those of each patient who never differed so far, step
    by step towards the numbers.
    """
    draw = np.random.default_rng(7)
    base = truth[None]
    assert len(gives(night, rows, base, decimals)), "the truth gives what was told"
    differs = np.zeros(truth.size, bool)

    for _ in range(batches):
        start = base[draw.integers(len(base), size=size)]
        ways = gives(night, rows, exchanged(start, draw), decimals)
        differs |= (ways != truth).any(axis=0)
        base = np.unique(np.vstack([base, ways]), axis=0)
        base = base[draw.permutation(len(base))[:2_000]]
    for who in range(truth.size):
        for seed, number in enumerate(steps):
            if not differs[who]:
                near = annealed(night, rows, truth, who, np.random.default_rng(seed), number)
                ways = gives(night, rows, near, decimals)
                differs |= (ways != truth).any(axis=0)
    left = tuple(int(k) for k in np.flatnonzero(~differs))
    return [Certain(left, "no other level in those tried")] if left else []


def exchanged(ways: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Assignments in which up to six pairs of the two levels changed places."""
    rows = np.arange(len(ways))
    for pair in range(6):
        some = rows if pair == 0 else rows[draw.random(len(rows)) < 0.6]
        ways = paired(ways, some, draw, None)
    return ways


def paired(
    ways: np.ndarray, some: np.ndarray, draw: np.random.Generator, fixed: int | None
) -> np.ndarray:
    """Assignments of which some have one pair exchanged, of patients that are not fixed."""
    found = ways.copy()
    keys = draw.random((len(some), found.shape[1]))
    if fixed is not None:
        keys[:, fixed] = 1.5
    bad = np.where(found[some], keys, 2.0).argmin(axis=1)
    good = np.where(found[some], 2.0, keys).argmin(axis=1)
    found[some, bad], found[some, good] = False, True
    return found


def annealed(
    night: Night,
    rows: Sequence[Row],
    truth: np.ndarray,
    who: int,
    draw: np.random.Generator,
    steps: int,
) -> np.ndarray:
    """Assignments near to the numbers told, in all of which one patient is at the other level."""
    ways = np.repeat(truth[None], CHAINS, axis=0)
    others = np.flatnonzero(truth != truth[who])
    ways[:, who] = ~truth[who]
    ways[np.arange(CHAINS), draw.choice(others, CHAINS)] = truth[who]
    far, every = distance(night, rows, ways), np.arange(CHAINS)
    found: list[np.ndarray] = []
    for heat in np.geomspace(8.0, 0.15, steps):
        moved = paired(ways, every, draw, who)
        other = distance(night, rows, moved)
        taken = draw.random(CHAINS) < np.exp(np.minimum(0.0, (far - other) / heat))
        ways, far = np.where(taken[:, None], moved, ways), np.where(taken, other, far)
        found.append(ways[far < 1e-9])
    return np.unique(np.vstack(found), axis=0)


def distance(night: Night, rows: Sequence[Row], ways: np.ndarray) -> np.ndarray:
    """By how many roundings assignments miss what was told, all numbers together."""
    far = np.zeros(len(ways))
    for row in rows:
        u, v, events = summed(night.days, night.event, ways)
        for number, value in ((u, row["u"]), (v, row["v"])):
            far += np.maximum(0.0, np.abs(number - value) / 0.05 - 1)
        far += 4 * np.abs(events - row["events_bad"])
        if row["b"] is not None:
            score, information = scored(night.days, night.event, ways, np.full(len(ways), row["b"]))
            far += np.maximum(0.0, np.abs(score / information) / 0.005 - 1)
            far += np.maximum(0.0, np.abs(information**-0.5 - row["se"]) / 0.005 - 1)
        for at, u_at, i_at in row.get("answers", ()):
            score, information = scored(night.days, night.event, ways, np.full(len(ways), at))
            for number, value in ((score, u_at), (information, i_at)):
                far += np.maximum(0.0, np.abs(number - value) / 0.05 - 1)
    return far
