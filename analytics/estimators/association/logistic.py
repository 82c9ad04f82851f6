"""Logistic regression of an outcome on one dose, of independent units or of units in clusters.

Newton's method on the log likelihood. Of independent units the covariance is the inverse of the
information. Of lesions in patients it is the sandwich B M B: B that inverse, M the sum over
patients of the outer products of their scores, times G/(G - 1) for G patients. With one dose, a
finite estimate exists if and only if the doses of both outcomes overlap: where a dose parts them,
or where they share no more than their extremes, the likelihood rises for ever and there is none.

Source: Albert and Anderson, Biometrika 1984;71:1-10 (separation); Zeileis, Koell and Graham, J Stat
Softw 2020;95(1) (clustered sandwich); R 4.2.2, glm, and sandwich 3.0-2, vcovCL with type HC0 and
its own G/(G - 1), against which it is held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analytics.estimators.kaplan_meier import FloatArray, IntArray

SEPARATED = "separation: a dose parts those with the outcome from those without"
ONE_OUTCOME = "all units have the same outcome"
ONE_DOSE = "all units have the same dose"
NOT_SETTLED = "the search for the greatest likelihood did not settle"
ONE_CLUSTER = "one patient only"
STEPS = 50
NEAR = 1e-10


@dataclass(frozen=True, slots=True)
class Slope:
    """The log odds ratio of one unit of dose, with what is needed for limits and p."""

    intercept: float
    coef: float
    se: float

    def limits(self, level: float) -> tuple[float, float]:
        """Wald limits of the log odds ratio."""
        z = NormalDist().inv_cdf((1 + level) / 2)
        return self.coef - z * self.se, self.coef + z * self.se

    @property
    def p(self) -> float:
        """Two-sided p of Wald's test."""
        return math.erfc(abs(self.coef / self.se) / math.sqrt(2))


def logistic(
    dose: FloatArray, happened: FloatArray, cluster: IntArray | None = None
) -> Slope | str:
    """Fit; or say why there is no finite estimate.

    Args:
        dose: shape (n,), finite.
        happened: shape (n,), 1 or 0.
        cluster: shape (n,), numbers of the clusters; None for independent units.
    """
    why = _absent(dose, happened, cluster)
    if why:
        return why
    # Centred and scaled, so that a narrow spread of large doses costs no digits.
    centre, scale = float(dose.mean()), float(dose.std())
    x = np.column_stack([np.ones(dose.size), (dose - centre) / scale])
    beta = _greatest(x, happened)
    if beta is None:
        return NOT_SETTLED
    chance = 1 / (1 + np.exp(-(x @ beta)))
    inverse = np.linalg.inv(x.T @ (x * (chance * (1 - chance))[:, None]))
    covariance = inverse
    if cluster is not None:
        scores = x * (happened - chance)[:, None]
        n = int(cluster.max()) + 1
        sums = np.column_stack([np.bincount(cluster, s, minlength=n) for s in scores.T])
        groups = np.unique(cluster).size
        covariance = inverse @ (sums.T @ sums) @ inverse * groups / (groups - 1)
    slope = float(beta[1]) / scale
    return Slope(float(beta[0]) - slope * centre, slope, math.sqrt(covariance[1, 1]) / scale)


def _absent(dose: FloatArray, happened: FloatArray, cluster: IntArray | None) -> str | None:
    with_it, without = dose[happened == 1], dose[happened == 0]
    if not (with_it.size and without.size):
        return ONE_OUTCOME
    if dose.min() == dose.max():
        return ONE_DOSE
    if with_it.min() >= without.max() or without.min() >= with_it.max():
        return SEPARATED
    if cluster is not None and np.unique(cluster).size < 2:
        return ONE_CLUSTER
    return None


def _greatest(x: FloatArray, happened: FloatArray) -> FloatArray | None:
    """Coefficients at the greatest likelihood; a step that lowers it is halved."""
    beta = np.zeros(x.shape[1])
    likelihood = _likelihood(x, happened, beta)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(x @ beta)))
        information = x.T @ (x * (chance * (1 - chance))[:, None])
        step = np.linalg.solve(information, x.T @ (happened - chance))
        moved = _likelihood(x, happened, beta + step)
        while moved < likelihood - 1e-12 * abs(likelihood) and np.abs(step).max() > NEAR:
            step = step / 2
            moved = _likelihood(x, happened, beta + step)
        beta, likelihood = beta + step, moved
        if np.abs(step).max() < NEAR:
            return beta
    return None


def _likelihood(x: FloatArray, happened: FloatArray, beta: FloatArray) -> float:
    linear = x @ beta
    return float((happened * linear - np.logaddexp(0, linear)).sum())
