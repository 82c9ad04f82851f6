"""Levels of curves, restricted means and moments of several registries, weighted by patients.

A level S(t) of each registry, weighted by its share w = n_r / N of the patients, has the standard
error sqrt(sum (w se)^2). It is not the curve of all patients in one registry, which re-weights by
who is still at risk, and lies near it.

Means and standard deviations of all patients follow exactly from n, mean and sd of each registry;
a median does not, and is given as the class that holds it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Moments:
    """Patients, their mean and standard deviation; the latter is None of one patient."""

    n: int
    mean: float
    sd: float | None


def weighted(n: Sequence[int], value: npt.ArrayLike, se: npt.ArrayLike) -> tuple[float, float]:
    """Average numbers by patients.

    Args:
        n: patients of each registry.
        value: shape (k,).
        se: shape (k,), standard errors.

    Returns:
        The mean and its standard error.
    """
    weights = np.asarray(n, np.float64) / sum(n)
    values, errors = np.asarray(value, np.float64), np.asarray(se, np.float64)
    return float((weights * values).sum()), math.sqrt(((weights * errors) ** 2).sum())


def log_log(survival: float, se: float) -> tuple[float, float] | None:
    """log(-log S) and its standard error; None of a level of 0 or 1."""
    if not 0 < survival < 1 or se <= 0:
        return None
    return math.log(-math.log(survival)), se / (survival * abs(math.log(survival)))


def from_log_log(value: float) -> float:
    """The level of a log(-log S)."""
    return math.exp(-math.exp(value))


def all_moments(parts: Sequence[Moments]) -> Moments:
    """The mean and standard deviation of all patients."""
    n = sum(p.n for p in parts)
    mean = sum(p.n * p.mean for p in parts) / n
    if n < 2:
        return Moments(n, mean, None)
    within = sum((p.n - 1) * p.sd**2 for p in parts if p.sd is not None)
    between = sum(p.n * (p.mean - mean) ** 2 for p in parts)
    return Moments(n, mean, math.sqrt((within + between) / (n - 1)))


def class_of_median(counts: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """The first and last class that hold the middle of all patients.

    Args:
        counts: of each registry, patients by class in order.

    Returns:
        Two places, the same but where the middle falls between two classes; None of nobody.
    """
    summed = np.sum(np.asarray(counts, np.int64), axis=0)
    total = int(summed.sum())
    if total == 0:
        return None
    reached = np.cumsum(summed)
    first = int(np.searchsorted(reached, (total + 1) // 2))
    last = int(np.searchsorted(reached, total // 2 + 1))
    return first, last
