"""Agreement of readers beyond chance: Cohen's kappa, weighted or not, and Fleiss's for all readers.

With p the shares of the table of two readers (rows one, columns the other), w the weights (1 on the
diagonal; linear: 1 - |i - j| / (k - 1)) and row and column means u_i = sum of w_ij p.j and
v_j = sum of w_ij p_i.:

    po = sum w p,  pe = sum w (p_i. p.j),  kappa = (po - pe) / (1 - pe)
    var = [sum p (w - (u_i + v_j)(1 - kappa))^2 - (kappa - pe (1 - kappa))^2] / (n (1 - pe)^2)

Of m readers with n_uj of them placing unit u in class j, Fleiss's kappa takes
po = sum(n_uj^2 - n_uj) / (N m (m - 1)) and pe = sum of (share of class j)^2.

Lesions of one patient are not independent: their limits come from a bootstrap over patients.

Source: Cohen 1960, Educ Psychol Meas 20:37; Cohen 1968, Psychol Bull 70:213 (weights); Fleiss,
Cohen and Everitt 1969, Psychol Bull 72:323 (variance); Fleiss 1971, Psychol Bull 76:378. Held
against R (warehouse/concordance/r/kappa.R).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analytics.estimators.kaplan_meier import FloatArray


@dataclass(frozen=True, slots=True)
class Kappa:
    """A coefficient and its limits; null with a reason where chance alone explains everything."""

    value: float | None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None


NO_UNITS = "no unit that both could evaluate"
ONE_CLASS = "all in one class"
NO_SPREAD = "no limits: the resamples have no spread"


def linear_weights(k: int) -> FloatArray:
    """Shape (k, k): 1 on the diagonal, 0 in the farthest corners."""
    place = np.arange(k)
    weights: FloatArray = 1 - np.abs(place[:, None] - place[None, :]) / (k - 1)
    return weights


def cohen(table: FloatArray, weights: FloatArray) -> FloatArray:
    """Cohen's kappa of tables of counts.

    Args:
        table: shape (..., k, k), each with at least one unit.
        weights: shape (k, k).

    Returns:
        Shape (...,); nan where everything is in one class.
    """
    p = table / table.sum(axis=(-2, -1), keepdims=True)
    rows, columns = p.sum(axis=-1), p.sum(axis=-2)
    po = (weights * p).sum(axis=(-2, -1))
    pe = np.einsum("ij,...i,...j->...", weights, rows, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa: FloatArray = np.where(pe < 1, (po - pe) / (1 - pe), np.nan)
    return kappa


def cohen_error(table: FloatArray, weights: FloatArray) -> float:
    """Its large-sample standard error, of one table of shape (k, k)."""
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    pe = float(rows @ weights @ columns)
    kappa = float(cohen(table, weights))
    u, v = weights @ columns, weights.T @ rows
    spread = weights - (u[:, None] + v[None, :]) * (1 - kappa)
    variance = float((p * spread**2).sum()) - (kappa - pe * (1 - kappa)) ** 2
    return math.sqrt(max(variance, 0.0) / n) / (1 - pe)


def fleiss(classes: FloatArray, squares: FloatArray, readers: int) -> FloatArray:
    """Fleiss's kappa of units that all readers placed.

    Args:
        classes: shape (..., k), how many placings each class has in all; at least one.
        squares: shape (...,), sum over units and classes of squared numbers of placings.
        readers: how many placed each unit, at least 2.

    Returns:
        Shape (...,); nan where everything is in one class.
    """
    placings = classes.sum(axis=-1)
    po = (squares - placings) / (placings * (readers - 1))
    pe = ((classes / placings[..., None]) ** 2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa: FloatArray = np.where(pe < 1, (po - pe) / (1 - pe), np.nan)
    return kappa


def of_independent(table: FloatArray, weights: FloatArray, level: float = 0.95) -> Kappa:
    """Cohen's kappa of independent units, with limits by its standard error."""
    if not table.sum():
        return Kappa(None, reason=NO_UNITS)
    value = float(cohen(table, weights))
    if math.isnan(value):
        return Kappa(None, reason=ONE_CLASS)
    z = NormalDist().inv_cdf(1 - (1 - level) / 2)
    error = cohen_error(table, weights)
    return Kappa(value, max(-1.0, value - z * error), min(1.0, value + z * error))


def of_resamples(value: FloatArray, drawn: FloatArray, level: float = 0.95) -> Kappa:
    """A coefficient with the percentile limits of its resamples, of which those in one class fail.

    Args:
        value: shape (), nan where all are in one class.
        drawn: shape (samples,), the same of each resample.
        level: coverage, in (0, 1).
    """
    if math.isnan(float(value)):
        return Kappa(None, reason=ONE_CLASS)
    found = drawn[~np.isnan(drawn)]
    if not found.size or found.min() == found.max():
        return Kappa(float(value), reason=NO_SPREAD)
    lower, upper = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Kappa(float(value), float(lower), float(upper))
