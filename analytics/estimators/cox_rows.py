"""Cox's model of rows that last from one day to another: numbers, strata, factors that change.

A row is a patient, or several who share everything, over a stretch (start, stop]: at risk after its
start and up to its stop, where the event may happen. A patient whose covariate changes on a day has
one row up to that day and another from it on. Every stratum has its own baseline hazard. Rows cost
as much as their number and not as patterns times days, so that a covariate may be any number.

With d events on one day of a stratum, Efron's approximation takes the k-th of them (k = 0 .. d - 1)
out of a risk set in which each of the d still weighs 1 - f, f = k/d. S0, S1, S2 are the sums of
exp(x b), x exp(x b) and xx' exp(x b) over those at risk, D0, D1, D2 the same over those dying:

    s            = S0 - f D0
    score        = sum of x over the events - sum over f of (S1 - f D1) / s
    information  = sum over f of (S2 - f D2) / s - (S1 - f D1)(S1 - f D1)' / s^2

Source: Cox 1972; Efron 1977; Andersen and Gill 1982 (counting processes); Therneau and Grambsch,
Modeling Survival Data, 2000 (strata, martingale residuals); R 4.2.2, survival 3.5-3 (coxph of
Surv(start, stop, event) with strata, residuals, cox.zph).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.estimators.cox import (
    DIVERGED,
    MAX_STEPS,
    Fit,
    invertible,
    score_test,
    upper_tail,
)
from analytics.estimators.kaplan_meier import FloatArray, IntArray

BEFORE = -math.inf
"""The start of who is at risk from the beginning, on day 0 too."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Stretches of time under observation.

    Attributes:
        start: Shape (N,), BEFORE for who is there from the beginning.
        stop: Shape (N,), later than `start`.
        event: Shape (N,), 1 where the stretch ends with the event, else 0.
        stratum: Shape (N,), whole numbers >= 0.
        x: Shape (N, C), any finite numbers.
        n: Shape (N,), how many share the row, whole numbers >= 1.
        unit: Shape (N,), the patients that the row is of; rows of one of them share it.
    """

    start: FloatArray
    stop: FloatArray
    event: IntArray
    stratum: IntArray
    x: FloatArray
    n: IntArray
    unit: IntArray

    def chosen(self, kept: npt.NDArray[np.bool_]) -> "Rows":
        """Some of the rows."""
        return Rows(
            self.start[kept],
            self.stop[kept],
            self.event[kept],
            self.stratum[kept],
            self.x[kept],
            self.n[kept],
            self.unit[kept],
        )

    def with_columns(self, x: FloatArray) -> "Rows":
        """The same rows with other covariates."""
        return Rows(self.start, self.stop, self.event, self.stratum, x, self.n, self.unit)

    @property
    def events(self) -> int:
        """How many had the event."""
        return int((self.n * self.event).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The days with events of one stratum: T of them, C covariates.

    Attributes:
        time: Shape (T,).
        died: Shape (T,), events.
        score: Shape (T, C).
        information: Shape (T, C, C).
        log_sum: Sum of log(s), without the scaling that keeps weights finite.
        hazard: Shape (T,), the step of the baseline hazard times exp(`scale`).
        spared: Shape (T,), how much less of it each of those dying has had.
        scale: What was taken from every linear predictor.
    """

    time: FloatArray
    died: IntArray
    score: FloatArray
    information: FloatArray
    log_sum: float
    hazard: FloatArray
    spared: FloatArray
    scale: float


@dataclass(frozen=True, slots=True)
class TermTests:
    """Tests of proportional hazards: of each term with all its columns, and of all together.

    None where time says nothing, as with all events on one day.
    """

    chi2: tuple[float | None, ...]
    df: tuple[int, ...]
    p: tuple[float | None, ...]
    p_global: float | None
    chi2_global: float | None


def fit_rows(rows: Rows) -> Fit:
    """Maximise Efron's partial likelihood by Newton's method with step halving.

    The covariates are brought to mean 0 and standard deviation 1 first, so that a number in Gy and
    an indicator are searched alike; the answer is of the covariates as they are.

    Args:
        rows: at least one event; no covariate is constant or a combination of others.

    Returns:
        Coefficients and standard errors, to about 1e-12; not converged where the likelihood rises
        for ever or the information is singular.
    """
    spread = deviations(rows)
    if rows.x.shape[1] == 0:
        return Fit(np.zeros(0), np.zeros(0), likelihood(rows), converged=True)
    alike = rows.with_columns((rows.x - _mean(rows)) / spread)
    coef = np.zeros(spread.size)
    value, score, information = _derivatives(alike, coef)
    for _ in range(MAX_STEPS):
        if not invertible(information) or np.abs(coef).max() > DIVERGED:
            break
        step = np.linalg.solve(information, score)
        moved = _derivatives(alike, coef + step)
        while not moved[0] >= value - 1e-9 * abs(value) and np.abs(step).max() > 1e-12:
            step = step / 2
            moved = _derivatives(alike, coef + step)
        coef, (value, score, information) = coef + step, moved
        if np.abs(step).max() < 1e-10:
            se = np.sqrt(np.diag(np.linalg.inv(information)))
            return Fit(coef / spread, se / spread, value, converged=True)
    return Fit(coef / spread, np.full(coef.size, math.inf), value, converged=False)


def likelihood(rows: Rows) -> float:
    """The log partial likelihood where no covariate matters."""
    nothing = rows.with_columns(np.zeros((rows.n.size, 0)))
    return _derivatives(nothing, np.zeros(0))[0]


def deviations(rows: Rows) -> FloatArray:
    """Shape (C,): the standard deviation of each covariate over the rows; 0 of a constant one."""
    away = (rows.x - _mean(rows)) ** 2 * rows.n[:, None]
    spread: FloatArray = np.sqrt(away.sum(axis=0) / rows.n.sum())
    return spread


def martingale(rows: Rows, coef: FloatArray) -> FloatArray:
    """Shape (U,): per unit, events that happened less those that the model expected.

    Args:
        rows: U units, numbered from 0.
        coef: Shape (C,).

    Returns:
        Of one of the patients that share a unit; at most 1, and their sum over all patients is 0.

    Source: Therneau, Grambsch and Fleming, Biometrika 1990;77:147-160; with ties as R's Efron.
    """
    residual = rows.event.astype(np.float64)
    eta = (rows.x * coef).sum(axis=1)
    for stratum, part in _strata(rows):
        moments = _moments(part, coef)
        at = np.flatnonzero(rows.stratum == stratum)
        total = np.concatenate([[0.0], np.cumsum(moments.hazard)])
        up_to = [
            np.searchsorted(moments.time, day, side="right") for day in (part.stop, part.start)
        ]
        seen = total[up_to[0]] - total[up_to[1]]
        last = np.searchsorted(moments.time, part.stop)
        died = part.event == 1
        seen[died] -= moments.spared[last[died]]
        residual[at] -= np.exp(eta[at] - moments.scale) * seen
    return np.bincount(rows.unit, residual).astype(np.float64)


def term_tests(rows: Rows, coef: FloatArray, terms: Sequence[Sequence[int]]) -> TermTests:
    """Test whether the coefficients of each term are constant in time.

    The covariates times g(t) = 1 - S(t-), centred at its mean over the events, are offered to the
    model; S is Kaplan and Meier's of all strata together. The score test of a term offers all its
    columns at once.

    Args:
        rows: what the model was fitted to.
        coef: its coefficients.
        terms: the columns of each term.

    Source: Grambsch and Therneau 1994; R's cox.zph since survival 3.0 (transform = "km").
    """
    size = coef.size
    spread = deviations(rows)
    alike = rows.with_columns((rows.x - _mean(rows)) / spread)
    g_at = _transformed(rows)
    score = np.zeros(size)
    blocks = np.zeros((3, size, size))
    for _, part in _strata(alike):
        moments = _moments(part, coef * spread)
        g = np.array([g_at[t] for t in moments.time.tolist()])
        score += g @ moments.score
        for power in range(3):
            blocks[power] += np.einsum("t,tij->ij", g**power, moments.information)
    information = np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])
    chi2 = tuple(score_test(information, score, list(columns)) for columns in terms)
    df = tuple(len(columns) for columns in terms)
    overall = score_test(information, score, list(range(size)))
    p = tuple(upper_tail(c, k) for c, k in zip(chi2, df, strict=True))
    return TermTests(chi2, df, p, upper_tail(overall, size), overall)


def _mean(rows: Rows) -> FloatArray:
    mean: FloatArray = (rows.x * rows.n[:, None]).sum(axis=0) / rows.n.sum()
    return mean


def _strata(rows: Rows) -> Iterator[tuple[int, Rows]]:
    for stratum in np.unique(rows.stratum).tolist():
        yield stratum, rows.chosen(rows.stratum == stratum)


def _derivatives(rows: Rows, coef: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    score = np.zeros(coef.size)
    information = np.zeros((coef.size, coef.size))
    value = float((rows.n * rows.event * (rows.x * coef).sum(axis=1)).sum())
    for _, part in _strata(rows):
        moments = _moments(part, coef)
        score += moments.score.sum(axis=0)
        information += moments.information.sum(axis=0)
        value -= moments.log_sum
    return value, score, information


def _moments(rows: Rows, coef: FloatArray) -> Moments:
    """Score and information of each day with events, of rows of one stratum."""
    size = coef.size
    eta = (rows.x * coef).sum(axis=1)
    scale = float(eta.max())
    weight = rows.n * np.exp(eta - scale)
    time = np.unique(rows.stop[rows.event == 1])
    x, last = rows.x, rows.event == 1
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), size * size)
    parts = np.column_stack([np.ones(len(x)), x, products]) * weight[:, None]
    there = _from(rows.stop, parts, time) - _from(rows.start, parts, time)
    day = np.searchsorted(time, rows.stop[last])
    dying = np.zeros_like(there)
    np.add.at(dying, day, parts[last])
    died = np.bincount(day, rows.n[last], minlength=time.size).astype(np.int64)
    observed = np.zeros((time.size, size))
    np.add.at(observed, day, x[last] * rows.n[last][:, None])
    which = np.repeat(np.arange(time.size), died)
    number = np.arange(which.size) - (np.cumsum(died) - died)[which]
    f = number / died[which]
    s = there[which, 0] - f * dying[which, 0]

    def sums(k: int, power: int) -> FloatArray:
        found = np.bincount(which, f**k / s**power, minlength=time.size)
        return found.astype(np.float64)

    first, share = sums(0, 1), sums(1, 1)
    a, b = there[:, 1 : size + 1], dying[:, 1 : size + 1]
    score = observed - first[:, None] * a + share[:, None] * b
    mixed = a[:, :, None] * b[:, None, :]
    squares = (
        sums(0, 2)[:, None, None] * a[:, :, None] * a[:, None, :]
        - sums(1, 2)[:, None, None] * (mixed + mixed.transpose(0, 2, 1))
        + sums(2, 2)[:, None, None] * b[:, :, None] * b[:, None, :]
    )
    whole = first[:, None] * there[:, size + 1 :] - share[:, None] * dying[:, size + 1 :]
    information = whole.reshape(time.size, size, size) - squares
    log_sum = float(np.log(s).sum()) + which.size * scale
    return Moments(time, died, score, information, log_sum, first, share, scale)


def _from(day: FloatArray, parts: FloatArray, time: FloatArray) -> FloatArray:
    """Shape (T, ...): sums of the rows whose day is at or after each time."""
    order = np.argsort(day, kind="stable")
    after = np.cumsum(parts[order][::-1], axis=0)[::-1]
    after = np.vstack([after, np.zeros((1, parts.shape[1]))])
    found: FloatArray = after[np.searchsorted(day[order], time)]
    return found


def _transformed(rows: Rows) -> dict[float, float]:
    """G at each day with events, by the curve of all rows together."""
    time = np.unique(rows.stop[rows.event == 1])
    ones = rows.n[:, None].astype(np.float64)
    at_risk = (_from(rows.stop, ones, time) - _from(rows.start, ones, time))[:, 0]
    last = rows.event == 1
    day = np.searchsorted(time, rows.stop[last])
    died = np.bincount(day, rows.n[last], minlength=time.size)
    survival = np.cumprod(1 - died / at_risk)
    g = 1.0 - np.concatenate([[1.0], survival[:-1]])
    centred = g - (g * died).sum() / died.sum()
    return dict(zip(time.tolist(), centred.tolist(), strict=True))
