"""Proportions of several registries: together, exactly, and with an intercept that varies.

Together is the sum of the counts with its Clopper-Pearson interval: what one registry of all
patients would publish. Beside it stands a logistic model whose intercept varies between registries,

    x_i ~ Binomial(n_i, logistic(mu + theta u_i)),  u_i ~ N(0, 1),  tau2 = theta^2

fitted by maximum likelihood, each registry's integral by seven points of Gauss-Hermite quadrature
around its mode. Nothing is added to empty cells, and no double arcsine is used: its back
transformation depends on a mean size that no registry has.

Source: Stijnen et al. 2010; Liu and Pierce 1994 (adaptive quadrature); Schwarzer et al. 2019 (what
is wrong with the double arcsine). Held against R's binom.test and, at the same likelihood, against
lme4 1.1-31, which stops earlier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, expit, gammaln, log_expit, xlogy
from scipy.stats import norm

from analytics.estimators.proportions import Proportion, exact
from analytics.pooled.effects import FloatArray, Limits, new_registry

NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(7)
LOG_WEIGHTS = np.log(_WEIGHTS)
STEP = 1e-2
"""Of the differences that give derivatives of the log-likelihood, of eighth order."""
OFFSETS = np.arange(-4, 5)
FIRST = np.array([3, -32, 168, -672, 0, 672, -168, 32, -3]) / 840
SECOND = np.array([-9, 128, -1008, 8064, -14350, 8064, -1008, 128, -9]) / 5040
NO_SPREAD = 1e-7
"""A theta below this is none."""
NEWTON = 60
SETTLED = 1e-6
"""A gradient below this is that of a maximum."""


@dataclass(frozen=True, slots=True)
class Intercepts:
    """The model whose intercept varies; shares are between 0 and 1.

    Attributes:
        mu: mean intercept, a log odds.
        se: its standard error.
        share: logistic(mu), the share in a registry at the mean.
        limits: of `share`.
        tau2: variance of the intercepts.
        new: limits of the share in a registry not seen yet; None of fewer than three.
        q: likelihood-ratio statistic of equal shares, on `df`.
        df: registries less one.
        p: its upper tail.
        i2_pct: tau2 in percent of tau2 and a typical registry's own variance.
    """

    mu: float
    se: float
    share: float
    limits: Limits
    tau2: float
    new: Limits | None
    q: float
    df: int
    p: float
    i2_pct: float


def together(n: Sequence[int], total: Sequence[int], level: float = 0.95) -> Proportion:
    """The share of all patients in percent, with its exact limits."""
    return exact(sum(n), sum(total), level)


def left_out(n: Sequence[int], total: Sequence[int], level: float = 0.95) -> list[Proportion]:
    """The share without each registry in turn, in percent."""
    return [
        exact(sum(n) - own, sum(total) - size, level) for own, size in zip(n, total, strict=True)
    ]


def intercepts(n: Sequence[int], total: Sequence[int], level: float = 0.95) -> Intercepts | None:
    """Fit the logistic model whose intercept varies.

    Args:
        n: patients with the property, one number a registry.
        total: patients asked, each above 0.
        level: coverage of the limits.

    Returns:
        The model; None of one registry, and where the likelihood has no maximum: none or all have
        the property, or all in some registries and none in the others.
    """
    x, m = np.asarray(n, np.float64), np.asarray(total, np.float64)
    if x.size < 2 or x.sum() in (0, m.sum()):
        return None

    found = _maximum(x, m)
    if found is None:
        return None
    peak, information = found
    mu, tau2 = float(peak[0]), float(peak[1]) ** 2
    se = math.sqrt(float(np.linalg.inv(information)[0, 0]))
    reach = float(norm.ppf((1 + level) / 2)) * se
    new = new_registry(mu, se, tau2, x.size, level)
    q = _deviance(x, m)
    return Intercepts(
        mu,
        se,
        float(expit(mu)),
        (float(expit(mu - reach)), float(expit(mu + reach))),
        tau2,
        new and (float(expit(new[0])), float(expit(new[1]))),
        q,
        x.size - 1,
        float(chdtrc(x.size - 1, q)),
        100 * tau2 / (tau2 + _typical(x, m)),
    )


def log_likelihood(at: FloatArray, x: FloatArray, m: FloatArray) -> FloatArray:
    """The log-likelihood of all registries.

    Args:
        at: shape (S, 2), mean intercepts and thetas.
        x: shape (k,), patients with the property.
        m: shape (k,), patients asked.

    Returns:
        Shape (S,).
    """
    mu, theta = at[:, :1], at[:, 1:]
    mode = _modes(mu, theta, x, m)
    p = expit(mu + theta * mode)
    scale = 1 / np.sqrt(theta**2 * m * p * (1 - p) + 1)
    u = mode[..., None] + math.sqrt(2) * scale[..., None] * NODES
    eta = mu[..., None] + theta[..., None] * u
    inside = x[:, None] * log_expit(eta) + (m - x)[:, None] * log_expit(-eta)
    terms = inside - u**2 / 2 + NODES**2 + LOG_WEIGHTS
    highest = terms.max(axis=2, keepdims=True)
    integrals = highest[..., 0] + np.log(np.exp(terms - highest).sum(axis=2)) + np.log(scale)
    ways = (gammaln(m + 1) - gammaln(x + 1) - gammaln(m - x + 1)).sum()
    total: FloatArray = integrals.sum(axis=1) + ways - x.size * math.log(math.pi) / 2
    return total


def _modes(mu: FloatArray, theta: FloatArray, x: FloatArray, m: FloatArray) -> FloatArray:
    """Where each registry's integrand is highest; its logarithm is concave.

    Newton's steps overshoot, so that one which leaves the bracket is replaced by its middle.
    """
    low, high = np.sort([theta * (x - m), theta * x + 0 * m], axis=0)
    u = np.clip(np.zeros_like(low), low, high)
    for _ in range(200):
        p = expit(mu + theta * u)
        slope = theta * (x - m * p) - u
        low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
        moved = u + slope / (theta**2 * m * p * (1 - p) + 1)
        moved = np.where((moved < low) | (moved > high), (low + high) / 2, moved)
        far = float(np.abs(moved - u).max())
        u = moved
        if far < 1e-13:
            break
    return u


def _maximum(x: FloatArray, m: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """The parameters at the maximum, and the information there; None where there is none."""
    share = float(x.sum() / m.sum())
    centre = math.log(share / (1 - share))
    none = np.array([centre, 0.0])
    mus, thetas = np.meshgrid(centre + np.linspace(-3, 3, 25), np.geomspace(0.02, 6, 25))
    tried = np.column_stack([mus.ravel(), thetas.ravel()])
    peak = tried[np.argmax(log_likelihood(tried, x, m))]
    for _ in range(NEWTON):
        gradient, information = _derivatives(peak, x, m)
        step = np.linalg.solve(_positive(information), gradient)
        halves = step / 2.0 ** np.arange(12)[:, None]
        reached = log_likelihood(peak + halves, x, m)
        step = halves[np.argmax(reached)] if reached.max() > reached[0] + 1e-13 else step
        peak = peak + step
        if np.abs(step).max() < 1e-12 or abs(peak[1]) < NO_SPREAD:
            break
    peak[1] = abs(peak[1])
    flat, reached = log_likelihood(np.array([none, peak]), x, m)
    if peak[1] < NO_SPREAD or flat >= reached - 1e-12:
        return none, np.diag([float(m.sum()) * share * (1 - share), 1.0])
    gradient, information = _derivatives(peak, x, m)
    settled = np.abs(gradient).max() < SETTLED and np.linalg.eigvalsh(information)[0] > 0
    return (peak, information) if settled else None


def _positive(information: FloatArray) -> FloatArray:
    """The nearest matrix by which a step goes uphill."""
    values, vectors = np.linalg.eigh(information)
    lifted: FloatArray = (vectors * np.maximum(np.abs(values), 1e-6)) @ vectors.T
    return lifted


def _derivatives(at: FloatArray, x: FloatArray, m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The gradient of the log-likelihood, and its second derivatives with the sign changed."""
    grid = np.array([[i, j] for i in OFFSETS for j in OFFSETS], np.float64)
    values = log_likelihood(at + STEP * grid, x, m).reshape(OFFSETS.size, OFFSETS.size)
    none = OFFSETS.size // 2
    gradient = np.array([FIRST @ values[:, none], FIRST @ values[none, :]]) / STEP
    mixed = FIRST @ values @ FIRST
    second = [[SECOND @ values[:, none], mixed], [mixed, SECOND @ values[none, :]]]
    return gradient, -np.array(second) / STEP**2


def _deviance(x: FloatArray, m: FloatArray) -> float:
    """Twice the log-likelihood ratio of a share for each registry and one for all."""
    share = x.sum() / m.sum()
    own = xlogy(x, x / m) + xlogy(m - x, 1 - x / m)
    same = xlogy(x, share) + xlogy(m - x, 1 - share)
    return max(0.0, 2 * float((own - same).sum()))


def _typical(x: FloatArray, m: FloatArray) -> float:
    """A typical registry's own variance of its log odds; a half is added where a cell is empty."""
    empty = (x == 0) | (x == m)
    had, rest = x + empty / 2, m - x + empty / 2
    w = 1 / (1 / had + 1 / rest)
    return float((x.size - 1) / (w.sum() - (w**2).sum() / w.sum()))
