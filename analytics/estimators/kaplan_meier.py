"""The Kaplan-Meier curve, its limits, quantiles and restricted means, as R reports them.

Everything is computed from an aggregated event table (distinct time, events, censored), never from
patients, so that a curve costs as much as its distinct times and any row order gives the same bits.

    S(t)      = prod over t_i <= t of (n_i - d_i) / n_i         a running product, ascending
    G(t)      = sum over t_i <= t of d_i / (n_i (n_i - d_i))    Greenwood
    std_err   = S(t) sqrt(G(t))

Those censored at t_i are at risk for the events at t_i. Times are whatever unit the table has.

Where R's answer is undefined or a matter of taste:

* Before the first event the band is (1, 1); R prints NA there for log-log, (1, 1) for the others.
* When everyone still at risk has the event, S is 0 and Greenwood's sum infinite. R reports NaN and
  NA for the standard error and every band, and so do we (nan). lifelines returns (0, 0).
* A landmark that nobody reached (nobody with time >= t) is None with a reason, even where the
  curve has ended on 0 and R's `summary(fit, times, extend = TRUE)` would carry the 0 on.

Source: R 4.2.2, survival 3.5-3 (survfit, survfit_confint, quantile.survfit, survmean); Kaplan and
Meier 1958; Greenwood 1926; Brookmeyer and Crowley 1982 for the intervals of quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ConfType = Literal["log-log", "log", "plain"]
QuantileRule = Literal["midpoint", "first_at_or_below"]
Reason = Literal["nobody", "beyond_follow_up"]

QUANTILE_TOLERANCE = math.sqrt(np.finfo(np.float64).eps)
"""R's sqrt(.Machine$double.eps), 1.49e-8: a level this close to p counts as lying on it."""


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """One row per distinct time: how many had the event then, and how many were censored then.

    Attributes:
        time: Shape (T,), finite, >= 0, strictly ascending; days or months.
        events: Shape (T,), whole numbers >= 0.
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
        if not self.time.shape == self.events.shape == self.censored.shape:
            raise ValueError("event table: columns differ in length. Give one count per time.")
        if np.any(self.events + self.censored == 0):
            raise ValueError("event table: a time without anybody. Leave such rows out.")

    @property
    def at_risk(self) -> IntArray:
        """Shape (T,): how many have a time >= this one."""
        return number_at_risk(self.events + self.censored)

    @property
    def n(self) -> int:
        """How many patients the table counts."""
        return int(self.events.sum() + self.censored.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A Kaplan-Meier curve, one row per distinct time of its event table.

    Attributes:
        time: Shape (T,), as in the event table.
        at_risk: Shape (T,), how many have a time >= this one.
        events: Shape (T,).
        censored: Shape (T,).
        survival: Shape (T,), in [0, 1], just after the events at `time`.
        std_err: Shape (T,), of `survival` itself, not of its logarithm; nan where survival is 0.
        lower: Shape (T,), in [0, 1]; nan where survival is 0.
        upper: Shape (T,), in [0, 1]; nan where survival is 0.
        conf_type: The transformation of the pointwise band.
        conf_level: Its coverage, in (0, 1).
    """

    time: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    survival: FloatArray
    std_err: FloatArray
    lower: FloatArray
    upper: FloatArray
    conf_type: ConfType
    conf_level: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability at one time; None with a reason when it cannot be given.

    `lower`, `upper` and `std_err` are also None where R gives NA (survival 0), with a value and no
    reason. `std_err` is that of the probability itself.
    """

    value: float | None
    lower: float | None
    upper: float | None
    at_risk: int
    reason: Reason | None
    std_err: float | None = None


@dataclass(frozen=True, slots=True)
class Quantile:
    """A time; None when the curve, or that side of its band, does not come down to the level.

    `not_reached` speaks of the value, and is False when there is nobody at all.
    """

    value: float | None
    lower: float | None
    upper: float | None
    not_reached: bool


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time free of the event up to `tau`; None when there is nobody.

    `extended` says that `tau` lies past the last time while the curve is above 0: as in R, the last
    level has then been carried on to `tau`.
    """

    value: float | None
    std_err: float | None
    tau: float
    extended: bool


def event_table(time: npt.ArrayLike, event: npt.ArrayLike) -> EventTable:
    """Aggregate one row per patient to one row per distinct time.

    Times are compared exactly, while R's `timefix` merges times within 1.5e-8: build times from
    whole days and divide once.

    Args:
        time: Shape (N,), finite, >= 0.
        event: Shape (N,), True or 1 for the event, False or 0 for censored.

    Returns:
        The event table; the same to the bit for any order of the rows.

    Raises:
        ValueError: For a missing, infinite or negative time, another code of `event`, or lengths
            that differ.
    """
    codes = counts("event", event)
    if np.any(codes > 1):
        raise ValueError("event: a code other than 0 and 1. Use 1 for the event, 0 for censored.")
    distinct, table = tabulate(time, codes, n_codes=2)
    return EventTable(distinct, events=table[:, 1], censored=table[:, 0])


def merge(tables: Sequence[EventTable]) -> EventTable:
    """Pool event tables, as if their patients had been in one."""
    time = np.unique(np.concatenate([np.empty(0), *(table.time for table in tables)]))
    events = np.zeros(time.size, np.int64)
    censored = np.zeros(time.size, np.int64)
    for table in tables:
        rows = np.searchsorted(time, table.time)
        events[rows] += table.events
        censored[rows] += table.censored
    return EventTable(time, events, censored)


def reverse(table: EventTable) -> EventTable:
    """Swap events and censorings: the Kaplan-Meier curve of the result is that of follow-up.

    As `survfit(Surv(time, 1 - event) ~ 1)`: those who have the event on the day of a censoring are
    still at risk of being censored on it.

    Source: Schemper and Smith 1996, "A note on quantifying follow-up in studies of failure time".
    """
    return EventTable(table.time, events=table.censored, censored=table.events)


def kaplan_meier(
    table: EventTable, conf_type: ConfType = "log-log", conf_level: float = 0.95
) -> Curve:
    """Estimate the curve, Greenwood's standard error and a pointwise band.

    Args:
        table: The event table; an empty one gives an empty curve.
        conf_type: Transformation of the band. R's default is "log"; ours is lifelines' "log-log".
        conf_level: Coverage of the band, in (0, 1).

    Returns:
        One row per row of `table`.

    Raises:
        ValueError: When `conf_level` is not in (0, 1).

    Source: survival 3.5-3, survfitkm.c and survfit_confint.
    """
    at_risk = table.at_risk
    n, d = at_risk.astype(np.float64), table.events.astype(np.float64)
    survival = np.cumprod((n - d) / n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(d / (n * (n - d)), dtype=np.float64)
        std_err = survival * np.sqrt(greenwood)
    lower, upper = confidence_band(survival, std_err, conf_type, conf_level)
    untouched = np.cumsum(table.events) == 0
    lower[untouched] = upper[untouched] = 1.0
    return Curve(
        time=table.time,
        at_risk=at_risk,
        events=table.events,
        censored=table.censored,
        survival=survival,
        std_err=std_err,
        lower=lower,
        upper=upper,
        conf_type=conf_type,
        conf_level=conf_level,
    )


def confidence_band(
    probability: FloatArray, std_err: FloatArray, conf_type: ConfType, conf_level: float
) -> tuple[FloatArray, FloatArray]:
    """Put a pointwise band around probabilities.

    With z the normal quantile, p the probability and r = std_err / p:

        log-log   exp(-exp(log(-log p) +- z r / log p))
        log       p exp(-+ z r), upper at most 1
        plain     p -+ z std_err, kept within [0, 1]

    Args:
        probability: Shape (T,), in [0, 1].
        std_err: Shape (T,), of the probability itself.
        conf_type: One of the three transformations.
        conf_level: Coverage, in (0, 1).

    Returns:
        Lower and upper, each of shape (T,); nan where the formula has no value.

    Raises:
        ValueError: When `conf_level` is not in (0, 1).

    Source: survival 3.5-3, survfit_confint.
    """
    if not 0 < conf_level < 1:
        raise ValueError("conf_level: not between 0 and 1. Give 0.95 for a 95 % interval.")
    z = NormalDist().inv_cdf(1 - (1 - conf_level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        match conf_type:
            case "log-log":
                centre = np.log(-np.log(probability))
                width = z * (std_err / probability) / np.log(probability)
                return np.exp(-np.exp(centre - width)), np.exp(-np.exp(centre + width))
            case "log":
                factor = np.exp(z * (std_err / probability))
                return probability / factor, np.minimum(probability * factor, 1.0)
            case "plain":
                width = z * std_err
                lower = np.maximum(probability - width, 0.0)
                return lower, np.minimum(probability + width, 1.0)
            case _:
                assert_never(conf_type)


def survival_at(curve: Curve, t: float) -> Estimate:
    """Read the curve at a landmark: its level after the last event at or before t.

    Args:
        curve: A Kaplan-Meier curve.
        t: >= 0, in the unit of the curve; a year is 365.25 days or 12 months of 30.4375 days.

    Returns:
        The level with its band. None with `beyond_follow_up` when nobody has a time >= t, with
        `nobody` when the curve is empty.

    Raises:
        ValueError: When `t` is negative or not finite.
    """
    at_risk, reason = reached(curve.time, curve.at_risk, t)
    if reason is not None:
        return Estimate(None, None, None, at_risk, reason)
    row = last_row_at(curve.time, t)
    if row is None:
        return Estimate(1.0, 1.0, 1.0, at_risk, None, std_err=0.0)
    return Estimate(
        float(curve.survival[row]),
        known(curve.lower[row]),
        known(curve.upper[row]),
        at_risk,
        None,
        std_err=known(curve.std_err[row]),
    )


def median(curve: Curve, rule: QuantileRule = "midpoint") -> Quantile:
    """Give the time by which half have had the event; see `quantile`."""
    return quantile(curve, 0.5, rule)


def quantile(curve: Curve, p: float, rule: QuantileRule = "midpoint") -> Quantile:
    """Give the time by which a fraction p have had the event, and invert the band for its interval.

    The two rules differ only where a curve (or a side of its band) runs flat at exactly 1 - p:

        midpoint            the middle of the flat stretch, which ends at the next step, or at the
                            last time when the curve ends on it (R, SAS)
        first_at_or_below   its beginning (lifelines, but with R's tolerance for rounding)

    Args:
        curve: A Kaplan-Meier curve.
        p: Fraction with the event, in (0, 1); lifelines' `percentile` takes 1 - p.
        rule: As above; publish which.

    Returns:
        The time and its interval.

    Raises:
        ValueError: When `p` is not in (0, 1).

    Source: survival 3.5-3, quantile.survfit.
    """
    if not 0 < p < 1:
        raise ValueError("p: not between 0 and 1. Give the fraction with the event, 0.5 for half.")
    value = _crossing(curve.time, curve.survival, p, rule)
    return Quantile(
        value,
        lower=_crossing(curve.time, curve.lower, p, rule),
        upper=_crossing(curve.time, curve.upper, p, rule),
        not_reached=value is None and curve.time.size > 0,
    )


def _crossing(time: FloatArray, level: FloatArray, p: float, rule: QuantileRule) -> float | None:
    fallen = 1.0 - level
    # R looks p up among the sorted levels, so a band that turns back late is read where it is
    # nearest to p, not where it first passed p.
    known_rows = np.flatnonzero(~np.isnan(fallen))
    order = known_rows[np.argsort(fallen[known_rows], kind="stable")]
    first = int(np.searchsorted(fallen[order] + QUANTILE_TOLERANCE, p))
    if first == order.size:
        return None
    begins = float(time[order[first]])
    if rule == "first_at_or_below":
        return begins
    past = int(np.searchsorted(fallen[order] - QUANTILE_TOLERANCE, p))
    if past < order.size:
        return (begins + float(time[order[past]])) / 2
    ends_on_p = abs(p - fallen[-1]) < QUANTILE_TOLERANCE
    return (begins + float(time[-1])) / 2 if ends_on_p else None


def restricted_mean(curve: Curve, tau: float) -> RestrictedMean:
    """Integrate the curve from 0 to tau.

        mean      = integral of S(u) du over [0, tau]
        variance  = sum over t_i <= tau of d_i / (n_i (n_i - d_i)) (integral of S over [t_i, tau])^2

    A last step down to 0 adds nothing to the variance, for nothing lies under the curve after it.

    Args:
        curve: A Kaplan-Meier curve.
        tau: Horizon, > 0, in the unit of the curve. Before the first time the mean is `tau` itself
            with standard error 0, where R refuses.

    Returns:
        Mean and standard error, in the unit of the curve.

    Raises:
        ValueError: When `tau` is not a positive number.

    Source: survival 3.5-3, survmean, as shown by `print(survfit(...), rmean = tau)`.
    """
    if not (math.isfinite(tau) and tau > 0):
        raise ValueError("tau: not a positive number. Give the horizon in the unit of the curve.")
    if curve.time.size == 0:
        return RestrictedMean(None, None, tau, extended=False)
    kept = int(np.searchsorted(curve.time, tau, side="right"))
    areas = np.diff(curve.time[:kept], prepend=0.0, append=tau)
    areas[1:] *= curve.survival[:kept]
    area_after = np.cumsum(areas[:0:-1])[::-1]
    events, staying = curve.events[:kept], (curve.at_risk - curve.events)[:kept]
    step = np.where(staying > 0, events / (curve.at_risk[:kept] * np.maximum(staying, 1)), 0.0)
    return RestrictedMean(
        value=float(areas.sum()),
        std_err=math.sqrt(float((area_after**2 * step).sum())),
        tau=tau,
        extended=bool(tau > curve.time[-1] and curve.survival[-1] > 0),
    )


def tabulate(time: npt.ArrayLike, codes: IntArray, n_codes: int) -> tuple[FloatArray, IntArray]:
    """Count codes per distinct time.

    Args:
        time: Shape (N,).
        codes: Shape (N,), whole numbers from 0 to n_codes - 1.
        n_codes: How many columns to count into.

    Returns:
        Distinct times of shape (T,), ascending, and counts of shape (T, n_codes).

    Raises:
        ValueError: When the lengths differ.
    """
    # Adding 0.0 turns -0.0 into 0.0: which of the two `unique` keeps would depend on row order.
    raw = np.asarray(time, np.float64) + 0.0
    if raw.ndim != 1 or raw.shape != codes.shape:
        raise ValueError("time: not one for each code. Give two columns of the same length.")
    distinct, row = np.unique(raw, return_inverse=True)
    cells = np.bincount(row * n_codes + codes, minlength=distinct.size * n_codes)
    return distinct, cells.reshape(distinct.size, n_codes).astype(np.int64)


def ascending_times(time: npt.ArrayLike) -> FloatArray:
    """Check that times are finite, not negative and strictly ascending, and return them."""
    checked = np.asarray(time, np.float64)
    if checked.ndim != 1 or not np.all(np.isfinite(checked)) or np.any(checked < 0):
        raise ValueError("time: missing, infinite or negative. Quarantine such rows first.")
    if np.any(np.diff(checked) <= 0):
        raise ValueError("time: not strictly ascending. Group by time and sort.")
    return checked


def counts(name: str, values: npt.ArrayLike) -> IntArray:
    """Check that values are whole numbers, not negative, and return them as integers."""
    raw = np.asarray(values)
    with np.errstate(invalid="ignore"):
        whole = raw.astype(np.int64)
    if np.any(whole != raw) or np.any(whole < 0):
        raise ValueError(f"{name}: not whole numbers from 0 upwards. Count patients.")
    return whole


def number_at_risk(leaving: IntArray) -> IntArray:
    """Sum those who leave at each row and after it; shape (T,) in and out."""
    return np.cumsum(leaving[::-1])[::-1]


def reached(time: FloatArray, at_risk: IntArray, t: float) -> tuple[int, Reason | None]:
    """Count those with a time >= t; when there are none, say why a landmark cannot be given."""
    if not (math.isfinite(t) and t >= 0):
        raise ValueError("t: negative or not finite. Give the landmark in the unit of the curve.")
    if time.size == 0:
        return 0, "nobody"
    row = int(np.searchsorted(time, t, side="left"))
    return (int(at_risk[row]), None) if row < time.size else (0, "beyond_follow_up")


def last_row_at(time: FloatArray, t: float) -> int | None:
    """Find the last row with a time <= t; None before the first."""
    row = int(np.searchsorted(time, t, side="right")) - 1
    return row if row >= 0 else None


def known(value: float) -> float | None:
    """Turn nan into None."""
    return None if math.isnan(value) else float(value)
