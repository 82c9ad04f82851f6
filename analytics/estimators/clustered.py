"""Survival curves of lesions whose standard error counts patients, not lesions.

A lesion with time u and status e (1 for the event) moves log S(t) by its influence

    g(t) = sum over t_k <= min(t, u) of ([t_k = u] e - d_k / n_k) / (n_k - d_k)

The influences of one patient's lesions are added before they are squared, and S(t) times the root
of the sum over patients is the robust standard error of R's `survfit(..., cluster = id)`. Squares
of sums are sums over pairs of lesions, and pairs with the same two times and states are counted, so
that the cost follows the distinct times, not the patients. No chance is involved: a bootstrap of
patients would need a seed, and would be no nearer to what a reviewer recomputes.

Source: R 4.2.2, survival 3.5-3 (survfit with cluster); Ying and Wei 1994, "The Kaplan-Meier
estimate for dependent failure time observations".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.estimators.kaplan_meier import Curve, FloatArray, IntArray, confidence_band

NO_SPREAD = 1e-12
"""A variance of log S below this is rounding: one patient alone has no spread, and no interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Counts of ordered pairs of lesions of one patient, each lesion with itself among them.

    Attributes:
        first_time: Shape (P,), times of the first of a pair; each a time of the curve.
        first_event: Shape (P,), 1 for the event, 0 for censored.
        second_time: Shape (P,).
        second_event: Shape (P,).
        n: Shape (P,), how many such pairs there are.
    """

    first_time: FloatArray
    first_event: IntArray
    second_time: FloatArray
    second_event: IntArray
    n: IntArray


def clustered(curve: Curve, pairs: Pairs) -> Curve:
    """The same curve with the standard error and band that hold for lesions of patients.

    Args:
        curve: A Kaplan-Meier curve of lesions, from the event table of the same lesions.
        pairs: Their pairs.

    Returns:
        The curve; error and band are nan where there is no spread, as of one patient alone.
    """
    n, d = curve.at_risk.astype(np.float64), curve.events.astype(np.float64)
    staying = np.maximum(n - d, 1.0)
    passed = np.cumsum(d / (n * staying))
    variance = _variance(curve.time, passed, 1 / staying, pairs)
    flat = (variance < NO_SPREAD) | (curve.survival == 0)
    std_err = np.where(flat, np.nan, curve.survival * np.sqrt(np.maximum(variance, 0.0)))
    lower, upper = confidence_band(curve.survival, std_err, curve.conf_type, curve.conf_level)
    untouched = np.cumsum(curve.events) == 0
    std_err[untouched], lower[untouched], upper[untouched] = 0.0, 1.0, 1.0
    return replace(curve, std_err=std_err, lower=lower, upper=upper)


def _variance(
    time: FloatArray, passed: FloatArray, event_adds: FloatArray, pairs: Pairs
) -> FloatArray:
    """Shape (T,): sum over pairs of the products of their influences.

    Until its own time a lesion's influence is -passed(t), from then on it stays what it was then.
    """
    first, second = (np.searchsorted(time, t) for t in (pairs.first_time, pairs.second_time))
    own_first = pairs.first_event * event_adds[first] - passed[first]
    own_second = pairs.second_event * event_adds[second] - passed[second]
    early, late = np.minimum(first, second), np.maximum(first, second)
    own_early = np.where(first <= second, own_first, own_second)

    def up_to(row: IntArray, weight: FloatArray) -> FloatArray:
        return np.cumsum(np.bincount(row, pairs.n * weight, minlength=time.size))

    one = np.ones(first.size)
    neither = pairs.n.sum() - up_to(early, one)
    only_early = up_to(early, own_early) - up_to(late, own_early)
    both = up_to(late, own_first * own_second)
    return passed**2 * neither - passed * only_early + both
