"""Cumulative incidence of each cause by the estimator of Aalen and Johansen, as R reports it.

From counts per distinct time, with n at risk, d_k events of cause k, d of any cause, h = d / n:

    S_i    = prod (1 - h_j) over j <= i
    F_k,i  = sum S_(j-1) h_k,j over j <= i

Causes tied on one day share that day's risk set; nothing is broken up and no order is drawn (while
lifelines 0.30.3 jitters tied times with an unseeded generator). The variance is that of R's
infinitesimal jackknife, which for a first event from one starting state equals the multinomial
formula step by step:

    Cov(S, F_k)_i / S_i  = sum S_(j-1) h_k,j (G_(j-1) - 1 / n_j)
    Var(F_k)_i           = sum 2 h_k,j Cov(S, F_k)_(j-1) + h_k,j^2 Var(S)_(j-1)
                               + S_(j-1)^2 h_k,j (1 - h_k,j) / n_j

with G Greenwood's sum and Var(S) = S^2 G.

Where R's answer is undefined: before the first event of a cause its band is (0, 0), R prints NA for
log and log-log. When everyone still at risk has the only cause ever seen, its incidence is 1 with
standard error 0, without rounding noise; the log-log band is nan, as R's NA, the others (1, 1).
Landmarks that nobody reached are None with a reason, as in Kaplan-Meier.

Source: R 4.2.2, survival 3.5-3 (survfit with a factor status); Aalen and Johansen 1978.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.estimators.kaplan_meier import (
    ConfType,
    Estimate,
    FloatArray,
    IntArray,
    ascending_times,
    confidence_band,
    counts,
    known,
    last_row_at,
    number_at_risk,
    reached,
    tabulate,
)


@dataclass(frozen=True, slots=True, eq=False)
class CauseTable:
    """One row per distinct time: how many had each kind of event then, and how many were censored.

    Attributes:
        time: Shape (T,), finite, >= 0, strictly ascending; days or months.
        events: Shape (T, K), whole numbers >= 0, one column per cause.
        censored: Shape (T,), whole numbers >= 0; every row has at least one event or censoring.

    Raises:
        ValueError: When the arrays break one of these rules.
    """

    time: FloatArray
    events: IntArray
    censored: IntArray

    def __post_init__(self) -> None:
        """Take any numeric arrays (an engine's sums may be doubles) and check them."""
        object.__setattr__(self, "time", ascending_times(self.time))
        object.__setattr__(self, "events", counts("events", self.events))
        object.__setattr__(self, "censored", counts("censored", self.censored))
        if self.events.ndim != 2 or not len(self.time) == len(self.events) == len(self.censored):
            raise ValueError("cause table: columns differ in length. Give one count per time.")
        if np.any(self.events.sum(axis=1) + self.censored == 0):
            raise ValueError("cause table: a time without anybody. Leave such rows out.")

    @property
    def at_risk(self) -> IntArray:
        """Shape (T,): how many have a time >= this one."""
        return number_at_risk(self.events.sum(axis=1) + self.censored)


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Cumulative incidence of each cause, one row per distinct time of its cause table.

    Attributes:
        time: Shape (T,), as in the cause table.
        at_risk: Shape (T,), how many have a time >= this one.
        events: Shape (T, K).
        censored: Shape (T,).
        survival: Shape (T,), in [0, 1]: free of every cause; survival + incidence.sum(axis=1) is 1.
        incidence: Shape (T, K), in [0, 1].
        std_err: Shape (T, K), of `incidence`.
        lower: Shape (T, K), in [0, 1]; nan where the transformation has no value.
        upper: Shape (T, K), in [0, 1]; nan where the transformation has no value.
        conf_type: The transformation of the pointwise bands.
        conf_level: Their coverage, in (0, 1).
    """

    time: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    survival: FloatArray
    incidence: FloatArray
    std_err: FloatArray
    lower: FloatArray
    upper: FloatArray
    conf_type: ConfType
    conf_level: float


def cause_table(time: npt.ArrayLike, cause: npt.ArrayLike, n_causes: int) -> CauseTable:
    """Aggregate one row per patient to one row per distinct time.

    Args:
        time: Shape (N,), finite, >= 0.
        cause: Shape (N,), 0 for censored, k for the cause in column k - 1.
        n_causes: How many causes there are, whether or not anybody had them.

    Returns:
        The cause table; the same to the bit for any order of the rows.

    Raises:
        ValueError: For a missing, infinite or negative time, a cause above `n_causes`, or lengths
            that differ.
    """
    codes = counts("cause", cause)
    if np.any(codes > n_causes):
        raise ValueError("cause: a code above n_causes. Number the causes from 1, 0 is censored.")
    distinct, table = tabulate(time, codes, n_codes=n_causes + 1)
    return CauseTable(distinct, events=table[:, 1:], censored=table[:, 0])


def aalen_johansen(
    table: CauseTable, conf_type: ConfType = "log-log", conf_level: float = 0.95
) -> Incidence:
    """Estimate the cumulative incidence of every cause, its standard error and pointwise bands.

    Args:
        table: The cause table; an empty one gives empty curves.
        conf_type: Transformation of the bands, applied to the incidence. R's default is "log".
        conf_level: Coverage of the bands, in (0, 1).

    Returns:
        One row per row of `table`.

    Raises:
        ValueError: When `conf_level` is not in (0, 1).
    """
    at_risk = table.at_risk[:, None]
    any_cause = table.events.sum(axis=1, keepdims=True)
    survival = np.cumprod((at_risk - any_cause) / at_risk, axis=0)
    before = _lagged(survival, 1.0)
    incidence = np.cumsum(before * table.events / at_risk, axis=0)
    std_err = np.sqrt(_variance(table.events, any_cause, at_risk, survival))
    had = np.cumsum(table.events, axis=0)
    everyone = (survival == 0) & (had == had.sum(axis=1, keepdims=True))
    incidence[everyone], std_err[everyone] = 1.0, 0.0
    lower, upper = confidence_band(incidence, std_err, conf_type, conf_level)
    lower[had == 0] = upper[had == 0] = 0.0
    return Incidence(
        time=table.time,
        at_risk=table.at_risk,
        events=table.events,
        censored=table.censored,
        survival=survival[:, 0],
        incidence=incidence,
        std_err=std_err,
        lower=lower,
        upper=upper,
        conf_type=conf_type,
        conf_level=conf_level,
    )


def _variance(
    events: IntArray, any_cause: IntArray, at_risk: IntArray, survival: FloatArray
) -> FloatArray:
    staying = at_risk - any_cause
    # Everyone leaves only on the last row, after which nothing needs Greenwood's infinite sum.
    greenwood = np.cumsum(any_cause / (at_risk * np.maximum(staying, 1)), axis=0)
    greenwood_before = _lagged(greenwood, 0.0)
    before, hazard = _lagged(survival, 1.0), events / at_risk
    per_survival = np.cumsum(before * hazard * (greenwood_before - 1 / at_risk), axis=0)
    covariance_before = before * _lagged(per_survival, 0.0)
    binomial = hazard * (1 - hazard) / at_risk
    steps = 2 * hazard * covariance_before + before**2 * (hazard**2 * greenwood_before + binomial)
    return np.maximum(np.cumsum(steps, axis=0), 0.0)


def _lagged(values: FloatArray, start: float) -> FloatArray:
    return np.concatenate([np.full((1, values.shape[1]), start), values])[:-1]


def incidence_at(curve: Incidence, t: float) -> tuple[Estimate, ...]:
    """Read every cause's curve at a landmark, in the order of the causes.

    Args:
        curve: The cumulative incidences.
        t: >= 0, in the unit of the curve.

    Returns:
        K estimates; None with `beyond_follow_up` when nobody has a time >= t, with `nobody` when
        the curve is empty.

    Raises:
        ValueError: When `t` is negative or not finite.
    """
    causes = range(curve.incidence.shape[1])
    at_risk, reason = reached(curve.time, curve.at_risk, t)
    if reason is not None:
        return tuple(Estimate(None, None, None, at_risk, reason) for _ in causes)
    row = last_row_at(curve.time, t)
    if row is None:
        return tuple(Estimate(0.0, 0.0, 0.0, at_risk, None) for _ in causes)
    return tuple(
        Estimate(
            float(curve.incidence[row, cause]),
            known(curve.lower[row, cause]),
            known(curve.upper[row, cause]),
            at_risk,
            None,
        )
        for cause in causes
    )
