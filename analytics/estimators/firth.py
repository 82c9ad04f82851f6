"""Hazard ratios by Cox's likelihood with Firth's penalty, for levels without an event.

Where a level has no events the likelihood rises for ever and there is no finite hazard ratio. With
I the information, the penalised likelihood has a greatest value at finite coefficients:

    l*(b) = l(b) + log(det I(b)) / 2
    U*(b) = U(b) + tr(I^-1 dI/db) / 2

dI/db sums the third central moments of the covariates over the risk sets. Limits and p-values are
those of the profile of l*, as the curve is far from a parabola where a level has no events: the
limits of one coefficient are where 2 (max l* - l*) reaches the quantile of chi-square with one
degree of freedom, the others being at their best; the penalty keeps its full matrix. The interval
therefore leaves out 0 exactly where p is below 1 - level.

Source: Firth 1993; Heinze and Schemper, Biometrics 2001;57:114-119 (Cox models, profile limits);
ties as Efron 1977, where the R package coxphf takes Breslow's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped, unused-ignore]
from scipy.special import chdtrc  # type: ignore[import-untyped, unused-ignore]

from analytics.estimators.cox import Patterns, days, derivatives
from analytics.estimators.kaplan_meier import FloatArray

MAX_STEPS = 1000
LONGEST_STEP = 1.0
FARTHEST = 40.0
"""A limit this far from the estimate is called infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class Penalised:
    """A penalised fit.

    Attributes:
        coef: Shape (C,), log hazard ratios.
        se: Shape (C,), from the information at `coef`; the limits do not use them.
        lower: One per covariate, of the log hazard ratio; -inf where the profile never falls.
        upper: One per covariate; inf likewise.
        p: One per covariate, of the penalised likelihood ratio.
        log_likelihood: Penalised, at `coef`.
    """

    coef: FloatArray
    se: FloatArray
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    p: tuple[float, ...]
    log_likelihood: float


def fit_penalised(patterns: Patterns, level: float = 0.95) -> Penalised | None:
    """Maximise the penalised likelihood, and profile each coefficient.

    Args:
        patterns: Counts with at least one event; no covariate constant or collinear.
        level: Coverage of the limits, in (0, 1).

    Returns:
        The fit; None where the search does not settle, or where no event compares the levels: they
        are never at risk together, as where one was followed up only before the other's events.
    """
    everything = np.ones(patterns.covariates.shape[1], dtype=bool)
    best = _maximum(patterns, np.zeros(everything.size), everything)
    if best is None:
        return None
    coef, greatest = best
    se = np.sqrt(np.diag(np.linalg.inv(derivatives(patterns, coef)[2])))
    reach = NormalDist().inv_cdf((1 + level) / 2) ** 2
    limits, p = [], []
    for k in range(coef.size):
        fallen = _fallen(patterns, coef, greatest, k)
        limits.append([_crossing(fallen, coef[k], side * se[k], reach) for side in (-1, 1)])
        p.append(float(chdtrc(1, max(fallen(0.0), 0.0))))
    lower, upper = zip(*limits, strict=True)
    return Penalised(coef, se, lower, upper, tuple(p), greatest)


def penalised(patterns: Patterns, coef: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Penalised log likelihood, its score of shape (C,), and the information of shape (C, C)."""
    likelihood, score, information = derivatives(patterns, coef)
    sign, log_det = np.linalg.slogdet(information)
    if sign <= 0:
        return -math.inf, score, information
    third = _third_moments(patterns, coef)
    pull = np.einsum("ij,ijk->k", np.linalg.inv(information), third) / 2
    return likelihood + log_det / 2, score + pull, information


def _third_moments(patterns: Patterns, coef: FloatArray) -> FloatArray:
    """Shape (C, C, C): dI/db, the third central moments of the risk sets, summed over events.

    With m = (a - f b)/s and likewise for products, every sum over the events of a day is a
    polynomial in f of which `Days.sums` knows the coefficients.
    """
    x = patterns.covariates
    pairs = x[:, :, None] * x[:, None, :]
    triples = pairs[:, :, :, None] * x[:, None, None, :]
    third = np.zeros((coef.size,) * 3)
    for part in days(patterns, coef):
        signed = (part.at_risk, -part.dying)
        m = [np.einsum("rp,pi->ri", w, x) for w in signed]
        q = [np.einsum("rp,pij->rij", w, pairs) for w in signed]
        third += np.einsum("rp,pijk->ijk", part.expected, triples)
        mixed = sum(
            np.einsum("r,rij,rk->ijk", part.sums(g + h, 2), q[g], m[h])
            for g, h in product((0, 1), repeat=2)
        )
        third -= mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 1, 0)
        third += 2 * sum(
            np.einsum("r,ri,rj,rk->ijk", part.sums(g + h + i, 3), m[g], m[h], m[i])
            for g, h, i in product((0, 1), repeat=3)
        )
    return third


def _maximum(
    patterns: Patterns, start: FloatArray, free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> tuple[FloatArray, float] | None:
    """The free coefficients at which the penalised likelihood is greatest, and that value."""
    coef = start.copy()
    likelihood, score, information = penalised(patterns, coef)
    for _ in range(MAX_STEPS):
        if likelihood == -math.inf:
            return None
        step = np.zeros(coef.size)
        step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        step *= min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-10:
            return coef, likelihood
        moved = penalised(patterns, coef + step)
        while moved[0] < likelihood - 1e-12 * abs(likelihood) and np.abs(step).max() > 1e-10:
            step = step / 2
            moved = penalised(patterns, coef + step)
        coef, (likelihood, score, information) = coef + step, moved
    return None


def _fallen(
    patterns: Patterns, coef: FloatArray, greatest: float, k: int
) -> Callable[[float], float]:
    """Twice the fall of the profile from its maximum, as a function of one coefficient."""
    free = np.arange(coef.size) != k
    start = coef.copy()

    def fallen(value: float) -> float:
        start[k] = value
        if not free.any():
            return 2 * (greatest - penalised(patterns, start)[0])
        maximum = _maximum(patterns, start, free)
        if maximum is None:
            return math.nan
        start[free] = maximum[0][free]
        return 2 * (greatest - maximum[1])

    return fallen


def _crossing(fallen: Callable[[float], float], centre: float, step: float, reach: float) -> float:
    """Where the profile has fallen by `reach`, looking in steps that double."""
    inside, outside = centre, centre + step
    while not fallen(outside) > reach:
        inside, outside = outside, centre + 2 * (outside - centre)
        if abs(outside - centre) > FARTHEST:
            return math.copysign(math.inf, step)
    return float(brentq(lambda v: fallen(v) - reach, inside, outside, xtol=1e-11, rtol=1e-11))
