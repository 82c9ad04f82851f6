"""The log-rank test and hazard ratios of several registries, from what each tells of its own.

The stratified test needs each registry's U = O - E and V alone: chi-square = (sum U)^2 / sum V.
Where they leave rounded, so does the test: it lies between the least and the greatest value that
numbers so rounded can come from.

Coefficients are pooled by their whole covariance, b* = (sum W)^-1 sum W b, W = cov^-1. A second
round asks each registry for score and information at b* and makes one Newton step of the stratified
model. U / V is never given as a log hazard ratio: it is half a standard error from the maximum.

Source: Mantel 1966; Becker and Wu 2007 (several coefficients). Held against R's survdiff and coxph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from analytics.pooled.effects import FloatArray


@dataclass(frozen=True, slots=True)
class Stratified:
    """A stratified log-rank test of two groups; its limits are those that rounding leaves open.

    `greatest` is None where V could be 0.
    """

    chi2: float | None
    p: float | None
    least: float
    greatest: float | None

    @property
    def p_limits(self) -> tuple[float, float]:
        """The least and the greatest p."""
        low = 0.0 if self.greatest is None else float(chdtrc(1, self.greatest))
        return low, float(chdtrc(1, self.least))


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Coefficients with their covariance, shapes (c,) and (c, c)."""

    b: FloatArray
    covariance: FloatArray

    @property
    def se(self) -> FloatArray:
        """Standard errors, shape (c,)."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance))
        return errors


def stratified(u: Sequence[float], v: Sequence[float], half_step: float = 0.0) -> Stratified:
    """Add up the test of two groups over registries.

    Args:
        u: observed less expected events of one group, one number a registry.
        v: its variances.
        half_step: by how much each number can be off, as 0.05 at one decimal.
    """
    total, variance, off = sum(u), sum(v), half_step * len(u)
    chi2 = total**2 / variance if variance > 0 else None
    least = max(0.0, abs(total) - off) ** 2 / (variance + off) if variance + off > 0 else 0.0
    narrowest = variance - off
    greatest = (abs(total) + off) ** 2 / narrowest if narrowest > 0 else None
    return Stratified(chi2, None if chi2 is None else float(chdtrc(1, chi2)), least, greatest)


def one_file(fits: Sequence[Coefficients]) -> Coefficients:
    """Pool coefficients of the same terms by their whole covariance.

    Raises:
        ValueError: a covariance that is not positive definite.
    """
    weights = [_inverse(fit.covariance) for fit in fits]
    covariance = _inverse(np.sum(weights, axis=0))
    weighted = np.sum([w @ fit.b for w, fit in zip(weights, fits, strict=True)], axis=0)
    return Coefficients(covariance @ weighted, covariance)


def next_round(
    at: npt.ArrayLike, scores: Sequence[FloatArray], information: Sequence[FloatArray]
) -> Coefficients:
    """One Newton step of the stratified model from common coefficients.

    Args:
        at: shape (c,), the coefficients that were asked for.
        scores: of each registry, shape (c,).
        information: of each registry, shape (c, c).

    Raises:
        ValueError: the sum of the information is not positive definite.
    """
    covariance = _inverse(np.sum(information, axis=0))
    b: FloatArray = np.asarray(at, np.float64) + covariance @ np.sum(scores, axis=0)
    return Coefficients(b, covariance)


def _inverse(matrix: npt.ArrayLike) -> FloatArray:
    whole = np.asarray(matrix, np.float64)
    try:
        np.linalg.cholesky(whole)
    except np.linalg.LinAlgError:
        raise ValueError("a covariance that is not positive definite. Leave the fit out.") from None
    return np.asarray(np.linalg.inv(whole), np.float64)
