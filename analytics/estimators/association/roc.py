"""How well a dose tells units with an outcome from those without: the area under the ROC curve.

The area A is the chance that a unit with the outcome had the greater dose, ties counted half. With
V10 of a unit with the outcome the share of those without it that had less, and V01 of a unit
without it the share of those with it that had more, DeLong's variance is s10/m + s01/n of their
sample variances. Of lesions in patients it is Obuchowski's: sums over each patient's lesions take
the place of the lesions, and their products over patients with both outcomes are added.

Youden's cut-off is the dose at which sensitivity + specificity - 1 is greatest, halfway between two
doses that occur; of equals the lowest. Chosen and judged in the same patients it looks better than
it is: optimism is the mean, over resampled patients, of the index of the resample's cut-off in the
resample less the same in the patients themselves.

Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845; Obuchowski, Biometrics
1997;53:567-578; Youden, Cancer 1950;3:32-35; Harrell, Lee and Mark, Stat Med 1996;15:361-387
(optimism). R 4.2.2 and pROC 1.18.0 (roc with direction "<", ci.auc, coords), against which areas,
variances and cut-offs are held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analytics.estimators.kaplan_meier import FloatArray, IntArray

CELLS = 1 << 22
"""Resamples times units handled at once: it bounds the memory."""


@dataclass(frozen=True, slots=True)
class Area:
    """The area, and its variance; nan where one patient or one unit alone leaves none."""

    value: float
    variance: float

    def limits(self, level: float) -> tuple[float, float] | None:
        """Limits within 0 and 1; None where there is no spread, as of complete separation."""
        if not self.variance > 0:
            return None
        reach = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(self.variance)
        return max(0.0, self.value - reach), min(1.0, self.value + reach)


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Youden's cut-off: at or above it the outcome is expected."""

    dose: float
    sensitivity: float
    specificity: float

    @property
    def youden(self) -> float:
        """Sensitivity and specificity less one."""
        return self.sensitivity + self.specificity - 1


def area(dose: FloatArray, happened: FloatArray, cluster: IntArray | None = None) -> Area:
    """The area under the ROC curve.

    Args:
        dose: shape (n,), finite.
        happened: shape (n,), 1 or 0; both occur.
        cluster: shape (n,), numbers of the clusters; None for independent units.
    """
    with_it, without = dose[happened == 1], dose[happened == 0]
    more, less = _below(without, with_it), 1 - _below(with_it, without)
    value = float(more.mean())
    if cluster is None:
        of_with, of_without = (_sample_variance(v) / v.size for v in (more, less))
        return Area(value, of_with + of_without)
    return Area(value, _clustered(more, less, cluster[happened == 1], cluster[happened == 0]))


def _below(values: FloatArray, at: FloatArray) -> FloatArray:
    """The share of the values below each place, equal ones counted half."""
    ordered = np.sort(values)
    sides = (np.searchsorted(ordered, at, side) for side in ("left", "right"))
    return sum(sides) / (2 * values.size)  # type: ignore[return-value]


def _sample_variance(values: FloatArray) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else math.nan


def _clustered(
    more: FloatArray, less: FloatArray, of_with: IntArray, of_without: IntArray
) -> float:
    patients, place = np.unique(np.concatenate([of_with, of_without]), return_inverse=True)
    first, second = place[: of_with.size], place[of_with.size :]
    value, n = more.mean(), patients.size
    away_10 = np.bincount(first, more - value, minlength=n)
    away_01 = np.bincount(second, less - value, minlength=n)
    have_10, have_01 = np.unique(first).size, np.unique(second).size
    if min(have_10, have_01) < 2:
        return math.nan
    s10 = have_10 / (have_10 - 1) * float(away_10 @ away_10) / more.size
    s01 = have_01 / (have_01 - 1) * float(away_01 @ away_01) / less.size
    s11 = n / (n - 1) * float(away_10 @ away_01)
    return s10 / more.size + s01 / less.size + 2 * s11 / (more.size * less.size)


def youden(dose: FloatArray, happened: FloatArray) -> Cutoff | None:
    """The cut-off with the greatest index; None where all units have one dose."""
    scale = _Scale.of(dose)
    if scale.cuts.size == 0:
        return None
    own = happened[scale.order]
    sensitivity, specificity = scale.curve(np.ones((1, own.size)), own)
    best = int(np.argmax(_rounded(sensitivity[0] + specificity[0])))
    return Cutoff(float(scale.cuts[best]), float(sensitivity[0, best]), float(specificity[0, best]))


def optimism(
    dose: FloatArray, happened: FloatArray, cluster: IntArray, *, seed: int, samples: int
) -> float | None:
    """How much Youden's index of a cut-off chosen in the same patients is too great, on average.

    Args:
        dose: shape (n,), finite.
        happened: shape (n,), 1 or 0.
        cluster: shape (n,), numbers from 0 of the patients who are resampled.
        seed: of the generator (PCG64).
        samples: resamples; those with one outcome only are left out.

    Returns:
        The mean; None where every resample has one outcome only, or one dose.
    """
    scale = _Scale.of(dose)
    if scale.cuts.size == 0:
        return None
    ordered, place = happened[scale.order], cluster[scale.order]
    own = np.add(*scale.curve(np.ones((1, dose.size)), ordered))[0]
    gains: list[float] = []
    for weights in _resamples(int(cluster.max()) + 1, dose.size, seed, samples):
        units = weights[:, place]
        with_it = units @ ordered
        units = units[(with_it > 0) & (with_it < units.sum(axis=1))]
        drawn = np.add(*scale.curve(units, ordered))
        best = np.argmax(_rounded(drawn), axis=1)
        gains += list(drawn[np.arange(best.size), best] - own[best])
    return float(np.mean(gains)) if gains else None


def _resamples(clusters: int, units: int, seed: int, samples: int) -> Iterator[FloatArray]:
    """How often each patient is drawn, some resamples at once."""
    generator = np.random.Generator(np.random.PCG64(seed))
    at_once = max(1, CELLS // units)
    shares = np.full(clusters, 1 / clusters)
    for start in range(0, samples, at_once):
        size = min(at_once, samples - start)
        yield generator.multinomial(clusters, shares, size=size).astype(np.float64)


def _rounded(index: FloatArray) -> FloatArray:
    # Equal indices differ in the last bits where their shares were summed in another order.
    return np.round(index, 12)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """The doses in order, and the cut-offs halfway between those that differ."""

    order: IntArray
    cuts: FloatArray
    starts: IntArray

    @classmethod
    def of(cls, dose: FloatArray) -> _Scale:
        order = np.argsort(dose, kind="stable")
        levels, starts = np.unique(dose[order], return_index=True)
        return cls(order, (levels[:-1] + levels[1:]) / 2, starts[1:])

    def curve(self, weights: FloatArray, happened: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sensitivity and specificity at every cut-off.

        Args:
            weights: shape (samples, n), of the units in the order of their doses.
            happened: shape (n,), in that order.
        """
        last = np.append(self.starts, weights.shape[1]) - 1
        missed = np.cumsum(weights * happened, axis=1)[:, last]
        below = np.cumsum(weights, axis=1)[:, last]
        spared = below - missed
        return 1 - missed[:, :-1] / missed[:, -1:], spared[:, :-1] / spared[:, -1:]
