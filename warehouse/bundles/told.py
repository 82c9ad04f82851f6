"""What is told of many assignments at once: tests of a factor, and levels of a curve.

Ties are Breslow's here: the bits that a number gives do not depend on it, and the published one is
Efron's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.estimators.kaplan_meier import FloatArray
from warehouse.bundles.guesses import BoolArray, Told

NEWTON = 12
GREATEST = 6.0
"""A log hazard ratio beyond this is not followed."""


def tests(days: FloatArray, event: BoolArray) -> Told:
    """U, V, events at the level, b and se of assignments of a level."""
    times = np.unique(days[event])
    at_risk = (days[None] >= times[:, None]).astype(np.float64)
    n, d = at_risk.sum(axis=1), np.array([(event & (days == t)).sum() for t in times], float)
    weight = d * (n - d) / np.maximum(n - 1, 1)

    def told(bad: BoolArray) -> FloatArray:
        own = bad.astype(np.float64)
        n_bad, events = own @ at_risk.T, own @ event.astype(np.float64)
        share = n_bad / n
        u, v = events - (d * share).sum(axis=1), (weight * share * (1 - share)).sum(axis=1)
        b = np.zeros(len(own))
        information = v
        for _ in range(NEWTON):
            weighted = n_bad * np.exp(b)[:, None]
            p = weighted / (weighted + n - n_bad)
            information = np.maximum((d * p * (1 - p)).sum(axis=1), 1e-9)
            b = np.clip(b + (events - (d * p).sum(axis=1)) / information, -GREATEST, GREATEST)
        return np.column_stack([u, v, events, b, 1 / np.sqrt(information)])

    return told


def scores(days: FloatArray, event: BoolArray, at: float) -> Told:
    """Score and information of assignments of a level at a log hazard ratio."""
    times = np.unique(days[event])
    at_risk = (days[None] >= times[:, None]).astype(np.float64)
    n, d = at_risk.sum(axis=1), np.array([(event & (days == t)).sum() for t in times], float)

    def told(bad: BoolArray) -> FloatArray:
        own = bad.astype(np.float64)
        weighted = (own @ at_risk.T) * np.exp(at)
        p = weighted / (weighted + n - own @ at_risk.T)
        score = own @ event.astype(np.float64) - (d * p).sum(axis=1)
        return np.column_stack([score, (d * p * (1 - p)).sum(axis=1)])

    return told


def residuals(days: FloatArray, event: BoolArray) -> FloatArray:
    """What each patient at a level adds to its U: own event less what was expected by then."""
    times, place = np.unique(days, return_inverse=True)
    n = (days[None] >= times[:, None]).sum(axis=1)
    d = np.bincount(place, event, minlength=times.size)
    found: FloatArray = event - np.cumsum(d / n)[place]
    return found


def levels(days: FloatArray, landmarks: Sequence[float], horizons: Sequence[float]) -> Told:
    """S and se at landmarks, restricted mean and se up to horizons, of assignments of events.

    Args:
        days: shape (n,), when each leaves.
        landmarks: days.
        horizons: days.
    """
    times, place = np.unique(days, return_inverse=True)
    n = (days[None] >= times[:, None]).sum(axis=1).astype(np.float64)
    at = [int(np.searchsorted(times, t, side="right")) for t in landmarks]

    def told(event: BoolArray) -> FloatArray:
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(times.size))
        d = np.add.reduceat(event[:, order].astype(np.float64), starts, axis=1)
        survival = np.cumprod((n - d) / n, axis=1)
        greenwood = np.cumsum(d / (n * np.maximum(n - d, 1)), axis=1)
        before = np.column_stack([np.ones(len(d)), survival])
        summed = np.column_stack([np.zeros(len(d)), greenwood])
        columns = [c for k in at for c in (before[:, k], before[:, k] * np.sqrt(summed[:, k]))]
        for horizon in horizons:
            kept = int(np.searchsorted(times, horizon, side="right"))
            widths = np.diff(np.concatenate([[0.0], times[:kept], [horizon]]))
            areas = before[:, : kept + 1] * widths
            after = np.cumsum(areas[:, ::-1], axis=1)[:, ::-1]
            steps = (d / (n * np.maximum(n - d, 1)))[:, :kept]
            columns += [after[:, 0], np.sqrt((after[:, 1:] ** 2 * steps).sum(axis=1))]
        return np.column_stack(columns) if columns else np.zeros((len(d), 0))

    return told
