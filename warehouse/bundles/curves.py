"""Steps of the curve of all patients on a grid of months, and its levels where a bin ends.

A landmark inside a bin would split it, so that a level leaves only where a bin ends: bins are
closed at landmarks where enough have left. Levels narrow down whose exits of a bin were events;
what they leave open is counted, and they are withheld where too little is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from analytics.estimators.kaplan_meier import (
    Curve as Estimated,
)
from analytics.estimators.kaplan_meier import kaplan_meier, restricted_mean, survival_at
from analytics.pooled.steps import Bin
from warehouse.bundles import guesses
from warehouse.bundles.counts import step_of, to_digits
from warehouse.bundles.draft import DAYS, Row, Unit, patients
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import DAYS_PER_MONTH, Curve, Source

STEPS = "survival_medians.all.{}.subject.overall.overall.midpoint"
LANDMARK = "survival_landmarks.all.{}.subject.overall.overall.{}"
MEAN = "restricted_means.all.{}.subject.overall.overall.{}"
Allowed = Callable[[str], "tuple[int, ...] | None"]
"""Endpoint -> the edges of its bins so far, None if it was never told."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a registry decides: its landmarks and horizons, and whether bins may be alike."""

    landmarks: tuple[int, ...]
    horizons: tuple[int, ...]
    homogeneous: bool


def units(source: Source, chosen: Chosen, edges: Allowed) -> Iterator[tuple[str, Unit]]:
    """The curve of each endpoint with enough patients and events."""
    for endpoint, curve in source.curves.items():
        found = bins(curve, chosen, edges(endpoint)) if enough(curve) else ()
        if found:
            yield f"curve {endpoint}", _unit(endpoint, curve, found, chosen)


def enough(curve: Curve) -> bool:
    """Whether survival may leave at all."""
    return len(curve.days) >= POLICY.patients.value and curve.event.sum() >= POLICY.events.value


def bins(curve: Curve, chosen: Chosen, so_far: tuple[int, ...] | None) -> tuple[Bin, ...]:
    """Bins of enough exits, closed at landmarks where that can be; none is split later."""
    last = int(curve.months.max())
    before = max(so_far, default=0) if so_far is not None else 0
    wanted = {*chosen.landmarks, *chosen.horizons}
    closing = wanted | {last}
    edges = [0]
    for month in range(1, last + 1):
        if month <= before and month not in (so_far or ()):
            continue
        if _may_end(curve, edges[-1], month, chosen):
            edges.append(month)
        elif (
            month in closing
            and len(edges) > 1
            and edges[-1] not in wanted
            and _may_end(curve, edges[-2], month, chosen)
        ):
            edges[-1] = month  # the bin before takes what is too little for a bin of its own
    return tuple(_bin(curve, a, b) for a, b in pairwise(edges))


def _may_end(curve: Curve, begin: int, end: int, chosen: Chosen) -> bool:
    inside = (curve.months > begin) & (curve.months <= end)
    exits, left = int(inside.sum()), int((curve.months > end).sum())
    enough_left = left == 0 or left >= POLICY.left_behind.value
    events = int(curve.event[inside].sum())
    mixed = chosen.homogeneous or 0 < events < exits
    return exits >= POLICY.bin_exits.value and enough_left and mixed


def _bin(curve: Curve, begin: int, end: int) -> Bin:
    inside = (curve.months > begin) & (curve.months <= end)
    events = int(curve.event[inside].sum())
    return Bin(begin, end, events, int(inside.sum()) - events)


def _unit(endpoint: str, curve: Curve, found: Sequence[Bin], chosen: Chosen) -> Unit:
    ends = {b.end for b in found}
    estimate = kaplan_meier(curve.table)
    landmarks = [m for m in chosen.landmarks if m in ends and _read(estimate, m)]
    horizons = [m for m in chosen.horizons if m in ends and _mean(estimate, m)]
    landmarks = _apart(estimate, landmarks, len(curve.days))
    alone = _safe(curve, found, landmarks, means=False)
    averaged = [m for m in _safe(curve, found, alone, means=True) if m in horizons]
    given = 0.0
    for marks, means in ((alone, averaged), (alone, []), ([], [])):
        levels = [_level(endpoint, curve, estimate, m) for m in marks]
        levels += [_restricted(endpoint, curve, estimate, m) for m in means]
        possible, given = _given(curve, found, marks, means, levels)
        if possible - given >= POLICY.bits_left.value:
            break
    at_risk = np.array([(curve.months > b.begin).sum() for b in found])
    slug = endpoint.lower()
    steps: list[Row] = [
        {"statistic_id": STEPS.format(slug), "endpoint": endpoint, "from_month": b.begin}
        | {"to_month": b.end, "at_risk": int(n), "events": b.events, "censored": b.censored}
        for b, n in zip(found, at_risk, strict=True)
    ]
    everyone = np.ones(len(curve.days), bool)
    parts = {
        "patients": patients(curve.those(everyone)),
        "events": patients(curve.those(curve.event)),
        DAYS: frozenset(zip(curve.subjects, map(int, curve.days), strict=True)),
    }
    return Unit(
        {"steps": steps, "levels": levels}, {}, parts, {f"states {endpoint}": given},
        tuple(sorted(ends)),
    )  # fmt: skip


def possible_states(curve: Curve, found: Sequence[Bin]) -> float:
    """Bits of the ways in which the exits of each bin can have been events."""
    return sum(
        guesses.bits_of_choice(len(g), int(curve.event[g].sum())) for g in _groups(curve, found)
    )


def _groups(curve: Curve, found: Sequence[Bin]) -> list[Any]:
    edges = [*(b.end for b in found), np.inf]
    begins = [0, *edges[:-1]]
    groups = [
        np.flatnonzero((curve.months > a) & (curve.months <= b))
        for a, b in zip(begins, edges, strict=True)
    ]
    return [g for g in groups if len(g)]


def _given(
    curve: Curve, found: Sequence[Bin], marks: Sequence[int], means: Sequence[int], rows: list[Row]
) -> tuple[float, float]:
    """Bits of the states of everybody, and those that the levels give."""
    groups = _groups(curve, found)
    possible = possible_states(curve, found)
    if not rows:
        return possible, 0.0
    steps: list[float] = []
    for row in rows:
        months = row["kind"] == "rmst"
        steps += [0.01 * DAYS_PER_MONTH if months else 1e-4]
        steps += [step_of(row["se"], POLICY.digits.value) * (DAYS_PER_MONTH if months else 1)]
    tell = guesses.levels(
        curve.days, [m * DAYS_PER_MONTH for m in marks], [m * DAYS_PER_MONTH for m in means]
    )
    given, _ = guesses.given(groups, curve.event, tell, np.array(steps))
    return possible, given


def _safe(curve: Curve, found: Sequence[Bin], months: Sequence[int], *, means: bool) -> list[int]:
    """Those landmarks by which nobody's state is certain: one that would make it so is left out."""
    kept = [0]
    for month in sorted(months):
        if _hidden(curve, found, kept[-1], month, means=means):
            kept.append(month)
    return kept[1:]


def _hidden(curve: Curve, found: Sequence[Bin], begin: int, end: int, *, means: bool) -> bool:
    """Whether nobody's state is certain by the levels at two landmarks, in the bins between them.

    The level at the first is taken as known exactly, so that the second tells no less of these bins
    than it does of all before.
    """
    later = curve.months > begin
    part = Curve(
        tuple(s for s, kept in zip(curve.subjects, later, strict=True) if kept),
        curve.days[later] - begin * DAYS_PER_MONTH,
        curve.event[later],
    )
    bins_ = [Bin(b.begin - begin, b.end - begin, b.events, b.censored)
             for b in found if begin <= b.begin and b.end <= end]  # fmt: skip
    groups = _groups(part, bins_)[: len(bins_)]
    until = [(end - begin) * DAYS_PER_MONTH]
    tell = guesses.levels(part.days, until, until if means else [])
    error = float(tell(part.event[None])[0, 1])
    steps = [1e-4, step_of(error, POLICY.digits.value)]
    steps += [0.01 * DAYS_PER_MONTH, 0.01 * DAYS_PER_MONTH] if means else []
    given, certain = guesses.given(groups, part.event, tell, np.array(steps))
    possible = sum(guesses.bits_of_choice(len(g), int(part.event[g].sum())) for g in groups)
    mixed = [g for g in groups if 0 < part.event[g].sum() < len(g)]
    counted = possible <= np.log2(guesses.COUNTED)
    enough = counted or possible - given >= POLICY.bits_left.value
    return enough and not any(certain[g].any() for g in mixed)


def _read(estimate: Estimated, months: int) -> bool:
    read = survival_at(estimate, months * DAYS_PER_MONTH)
    return read.value is not None and read.value > 0 and read.at_risk >= POLICY.small_cell.value


def _mean(estimate: Estimated, months: int) -> bool:
    return not restricted_mean(estimate, months * DAYS_PER_MONTH).extended


def _apart(estimate: Estimated, months: Sequence[int], n: int) -> list[int]:
    """Landmarks between which none or enough had the event; see the public landmarks."""
    kept, before = [], 1.0
    for month in months:
        value = survival_at(estimate, month * DAYS_PER_MONTH).value or 0.0
        if not 1e-9 < (before - value) * n < POLICY.small_cell.value - 1e-9:
            kept.append(month)
            before = value
    return kept


def _level(endpoint: str, curve: Curve, estimate: Estimated, months: int) -> Row:
    read = survival_at(estimate, months * DAYS_PER_MONTH)
    row = int(np.searchsorted(estimate.time, months * DAYS_PER_MONTH, side="right")) - 1
    return {
        "statistic_id": LANDMARK.format(endpoint.lower(), months),
        "endpoint": endpoint,
        "cause": "",
        "kind": "landmark",
        "months": months,
        "n": len(curve.days),
        "at_risk": read.at_risk,
        "value": round(float(read.value or 0.0), POLICY.decimals_level.value),
        "se": to_digits(float(estimate.std_err[row]) if row >= 0 else 0.0, POLICY.digits.value),
    }


def _restricted(endpoint: str, curve: Curve, estimate: Estimated, months: int) -> Row:
    read = restricted_mean(estimate, months * DAYS_PER_MONTH)
    mean, error = ((x or 0.0) / DAYS_PER_MONTH for x in (read.value, read.std_err))
    return {
        "statistic_id": MEAN.format(endpoint.lower(), months),
        "endpoint": endpoint,
        "cause": "",
        "kind": "rmst",
        "months": months,
        "n": len(curve.days),
        "at_risk": survival_at(estimate, months * DAYS_PER_MONTH).at_risk,
        "value": round(mean, POLICY.decimals_months.value),
        "se": to_digits(error, POLICY.digits.value),
    }
