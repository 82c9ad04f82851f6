"""One number per registry, pooled under a common effect and under effects that vary.

With v the squared standard errors and w = 1 / (v + tau2):

    mu       sum w y / sum w
    Q        sum (y - mu)^2 / v at tau2 = 0, chi-square on k - 1
    tau2     maximises the restricted likelihood (REML)
    limits   mu +- t(k - 1) se sqrt(max(1, q)), q = sum w (y - mu)^2 / (k - 1)
    new      mu +- t(k - 2) sqrt(tau2 + se^2), none of fewer than three registries

q below 1 is not believed: plain Hartung-Knapp limits can then be narrower than those of a common
effect. The limits of tau2 invert Q(tau2), so that they need no normal approximation.

Source: DerSimonian and Laird 1986 (Q); Viechtbauer 2005 (REML) and 2007 (Q profile); Knapp and
Hartung 2003; Roever et al. 2015 (max(1, q)); Higgins et al. 2009 (a new registry). Held against
metafor 3.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import chdtrc
from scipy.stats import chi2, norm, t

FloatArray = npt.NDArray[np.float64]
Limits = tuple[float, float]

STEPS = 400
"""Intervals of log(tau2) in which the restricted likelihood is asked for a maximum."""
PRECISE = 1e-15
FEWEST_TO_PREDICT = 3


@dataclass(frozen=True, slots=True)
class Common:
    """All registries have one effect."""

    mu: float
    se: float
    limits: Limits
    q: float
    df: int
    p: float | None
    i2_pct: float | None


@dataclass(frozen=True, slots=True)
class Varying:
    """Each registry has its own effect; `mu` is their mean.

    `tau2_limits` and `p` of one registry are None, and so is what a new one might have of two.
    """

    mu: float
    se: float
    limits: Limits | None
    tau2: float
    tau2_limits: Limits | None
    new: Limits | None


def common(y: npt.ArrayLike, se: npt.ArrayLike, level: float = 0.95) -> Common:
    """Pool under one effect, weighted by the inverse variance.

    Args:
        y: shape (k,), one number a registry.
        se: shape (k,), above 0.
        level: coverage of the limits.
    """
    values, variances = _checked(y, se)
    mu, error, q = _at(values, variances, 0.0)
    df = values.size - 1
    reach = float(norm.ppf((1 + level) / 2)) * error
    p = float(chdtrc(df, q)) if df else None
    i2 = (max(0.0, 100 * (1 - df / q)) if q > 0 else 0.0) if df else None
    return Common(mu, error, (mu - reach, mu + reach), q, df, p, i2)


def varying(y: npt.ArrayLike, se: npt.ArrayLike, level: float = 0.95) -> Varying:
    """Pool under effects that vary between registries.

    Args:
        y: shape (k,), one number a registry.
        se: shape (k,), above 0.
        level: coverage of the limits.
    """
    values, variances = _checked(y, se)
    k = values.size
    if k == 1:
        return Varying(float(values[0]), math.sqrt(variances[0]), None, 0.0, None, None)
    tau2 = restricted_maximum(values, variances)
    mu, error, weighted = _at(values, variances, tau2)
    widened = error * math.sqrt(max(1.0, weighted / (k - 1)))
    reach = float(t.ppf((1 + level) / 2, k - 1)) * widened
    return Varying(
        mu,
        widened,
        (mu - reach, mu + reach),
        tau2,
        _profile(values, variances, level),
        new_registry(mu, error, tau2, k, level),
    )


def new_registry(mu: float, se: float, tau2: float, k: int, level: float = 0.95) -> Limits | None:
    """Limits of the effect in a registry not seen yet; None of fewer than three registries."""
    if k < FEWEST_TO_PREDICT:
        return None
    reach = float(t.ppf((1 + level) / 2, k - 2)) * math.sqrt(tau2 + se**2)
    return mu - reach, mu + reach


def restricted_maximum(values: FloatArray, variances: FloatArray) -> float:
    """The between-registry variance at the highest maximum of the restricted likelihood."""

    def score(tau2: float) -> float:
        w = 1 / (variances + tau2)
        mu = (w * values).sum() / w.sum()
        trace = w.sum() - (w**2).sum() / w.sum()
        return float((w**2 * (values - mu) ** 2).sum() - trace)

    spread = float(np.ptp(values)) ** 2
    if spread == 0:
        return 0.0
    grid = np.concatenate([[0.0], np.geomspace(1e-12 * spread, 4 * spread, STEPS)])
    slope = [score(point) for point in grid]
    found = [0.0]
    for place in range(grid.size - 1):
        if slope[place] > 0 >= slope[place + 1]:
            found.append(_root(score, grid[place], grid[place + 1]))
    return max(found, key=lambda tau2: _restricted(values, variances, tau2))


def _restricted(values: FloatArray, variances: FloatArray, tau2: float) -> float:
    """The restricted log-likelihood, but for a constant."""
    w = 1 / (variances + tau2)
    _, _, weighted = _at(values, variances, tau2)
    return float(np.log(w).sum() - math.log(w.sum()) - weighted) / 2


def _profile(values: FloatArray, variances: FloatArray, level: float) -> Limits:
    """The between-registry variances at which Q is not unlikely."""
    df = values.size - 1

    def limit(probability: float) -> float:
        target = float(chi2.ppf(probability, df))

        def above(tau2: float) -> float:
            return _at(values, variances, tau2)[2] - target

        if above(0.0) <= 0:
            return 0.0
        top = float(np.ptp(values)) ** 2
        while above(top) > 0:
            top *= 4
        return _root(above, 0.0, top)

    return limit((1 + level) / 2), limit((1 - level) / 2)


def _at(values: FloatArray, variances: FloatArray, tau2: float) -> tuple[float, float, float]:
    """Mean, its standard error and the weighted sum of squares at a variance between registries."""
    w = 1 / (variances + tau2)
    mu = float((w * values).sum() / w.sum())
    return mu, 1 / math.sqrt(w.sum()), float((w * (values - mu) ** 2).sum())


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(brentq(function, low, high, xtol=PRECISE * max(1.0, high), rtol=1e-14))


def _checked(y: npt.ArrayLike, se: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    values, errors = np.asarray(y, np.float64), np.asarray(se, np.float64)
    if values.ndim != 1 or values.size == 0 or values.shape != errors.shape:
        raise ValueError("effects: not one number and one error a registry. Give both.")
    if not (np.isfinite(values).all() and np.isfinite(errors).all() and (errors > 0).all()):
        raise ValueError("effects: a number or an error that is no finite one above 0. Leave it.")
    return values, errors**2
