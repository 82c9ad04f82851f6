"""Hazard ratios by Cox's partial likelihood, computed from counts.

Covariates with few values are a few patterns, and patients who share pattern, time and status need
not be told apart: counts per pattern and distinct time carry the whole partial likelihood. A fit
therefore costs as much as distinct times times patterns, and any row order gives the same bits.

With d events on one day, Efron's approximation takes the k-th of them (k = 0 .. d - 1) out of a
risk set in which each of the d still weighs 1 - f, f = k/d. With w the weights of that risk set and
X the patterns, writing p = w exp(X b) / sum(w exp(X b)):

    score        U = sum over events of (x - p'X)
    information  I = X' diag(sum of p) X - sum over events of (X'p)(X'p)'

The events of one day differ only in f. With a and b the weighted patterns at risk and dying, and
s = sum(a) - f sum(b), a day's sums need no more of its events than the five numbers sum(1/s),
sum(f/s), sum(1/s^2), sum(f/s^2) and sum(f^2/s^2).

Source: Cox 1972; Efron 1977; R 4.2.2, survival 3.5-3 (coxph, ties = "efron"; cox.zph).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc  # type: ignore[import-untyped, unused-ignore]

from analytics.estimators.kaplan_meier import FloatArray, IntArray

CELLS = 1 << 20
"""Times times patterns handled at once: it bounds the memory and fixes the order of the sums."""

SEPARATED = "separation: a level without events"

MAX_STEPS = 50
DIVERGED = 15.0
"""A log hazard ratio beyond this is a likelihood that rises for ever."""


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Counts per distinct time and covariate pattern.

    Attributes:
        covariates: Shape (P, C), the patterns; any finite numbers.
        time: Shape (T,), strictly ascending.
        events: Shape (T, P), whole numbers >= 0.
        censored: Shape (T, P), whole numbers >= 0.
    """

    covariates: FloatArray
    time: FloatArray
    events: IntArray
    censored: IntArray

    @property
    def at_risk(self) -> IntArray:
        """Shape (T, P): how many of each pattern have a time >= this one."""
        leaving: IntArray = np.cumsum((self.events + self.censored)[::-1], axis=0)[::-1]
        return leaving

    @property
    def n(self) -> IntArray:
        """Shape (P,): how many have each pattern."""
        n: IntArray = (self.events + self.censored).sum(axis=0)
        return n

    def columns(self, chosen: list[int]) -> Patterns:
        """The same patients with some of the covariates."""
        return Patterns(self.covariates[:, chosen], self.time, self.events, self.censored)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted model.

    Attributes:
        coef: Shape (C,), log hazard ratios.
        se: Shape (C,).
        log_likelihood: At `coef`.
        converged: False when the likelihood rises for ever or the information is singular.
    """

    coef: FloatArray
    se: FloatArray
    log_likelihood: float
    converged: bool


@dataclass(frozen=True, slots=True)
class ProportionalHazards:
    """Score tests of a coefficient that changes with 1 - S(t-), and of all at once.

    Attributes:
        chi2: One per covariate.
        p: One per covariate.
        chi2_global: All covariates.
        p_global: All covariates; each None where time says nothing, as with all events on one day.
    """

    chi2: tuple[float | None, ...]
    p: tuple[float | None, ...]
    chi2_global: float | None
    p_global: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Some days with events; R of them, E events, P patterns, C covariates.

    Attributes:
        rows: Shape (R,), where they stand among all times.
        at_risk: Shape (R, P), weighted patterns at risk: `a` above.
        dying: Shape (R, P), weighted patterns dying: `b`.
        day: Shape (E,), the day of each event.
        f: Shape (E,), the share of the day's deaths that has left the risk set.
        s: Shape (E,), the weight of the risk set.
        log_sum: Sum of log(s), without the scaling that keeps weights finite.
    """

    rows: npt.NDArray[np.intp]
    at_risk: FloatArray
    dying: FloatArray
    day: npt.NDArray[np.intp]
    f: FloatArray
    s: FloatArray
    log_sum: float

    def sums(self, k: int, power: int) -> FloatArray:
        """Shape (R,): sum over a day's events of f^k / s^power."""
        by_day = np.bincount(self.day, self.f**k / self.s**power, minlength=self.rows.size)
        return by_day.astype(np.float64)

    @property
    def expected(self) -> FloatArray:
        """Shape (R, P): a day's deaths by pattern, as the coefficients have it."""
        one, share = self.sums(0, 1)[:, None], self.sums(1, 1)[:, None]
        return one * self.at_risk - share * self.dying

    def products(self, x: FloatArray) -> FloatArray:
        """Shape (R, C, C): sum over a day's events of (X'p)(X'p)'."""
        a, b = (np.einsum("rp,pi->ri", part, x) for part in (self.at_risk, self.dying))
        square = [self.sums(k, 2)[:, None, None] for k in range(3)]
        mixed = a[:, :, None] * b[:, None, :]
        return (
            square[0] * a[:, :, None] * a[:, None, :]
            - square[1] * (mixed + mixed.transpose(0, 2, 1))
            + square[2] * b[:, :, None] * b[:, None, :]
        )


PH_METHOD = "score test, time transformed by Kaplan-Meier, as cox.zph of survival 3.5-3"


def fit(patterns: Patterns) -> Fit:
    """Maximise Efron's partial likelihood by Newton's method with step halving.

    Args:
        patterns: Counts with at least one event and one covariate; see `faults` for what has no
            finite answer.

    Returns:
        Coefficients and standard errors, to about 1e-12.
    """
    coef = np.zeros(patterns.covariates.shape[1])
    likelihood, score, information = derivatives(patterns, coef)
    for _ in range(MAX_STEPS):
        if not invertible(information) or np.abs(coef).max() > DIVERGED:
            return Fit(coef, np.full(coef.size, math.inf), likelihood, converged=False)
        step = np.linalg.solve(information, score)
        moved = derivatives(patterns, coef + step)
        while moved[0] < likelihood - 1e-9 * abs(likelihood):
            step = step / 2
            moved = derivatives(patterns, coef + step)
        coef, (likelihood, score, information) = coef + step, moved
        if np.abs(step).max() < 1e-10:
            se = np.sqrt(np.diag(np.linalg.inv(information)))
            return Fit(coef, se, likelihood, converged=True)
    return Fit(coef, np.full(coef.size, math.inf), likelihood, converged=False)


def derivatives(patterns: Patterns, coef: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Log partial likelihood, its score of shape (C,) and information of shape (C, C)."""
    x = patterns.covariates
    eta = (x * coef).sum(axis=1)
    expected = np.zeros(len(x))
    products = np.zeros((coef.size, coef.size))
    log_sums = 0.0
    for part in days(patterns, coef):
        expected += part.expected.sum(axis=0)
        products += part.products(x).sum(axis=0)
        log_sums += part.log_sum
    observed = patterns.events.sum(axis=0)
    score = ((observed - expected)[:, None] * x).sum(axis=0)
    information = np.einsum("p,pi,pj->ij", expected, x, x) - products
    return float((observed * eta).sum()) - log_sums, score, information


def proportional_hazards(patterns: Patterns, coef: FloatArray) -> ProportionalHazards:
    """Test whether each coefficient is constant in time.

    The covariates times g(t) = 1 - S(t-), centred at its mean over the events, are offered to the
    model as further covariates; the score test asks whether they are wanted.

    Source: Grambsch and Therneau 1994; R's cox.zph since survival 3.0 (transform = "km").
    """
    x, size = patterns.covariates, coef.size
    g = _transformed(patterns)
    score = np.zeros(size)
    blocks = np.zeros((3, size, size))
    for part in days(patterns, coef):
        at, products = g[part.rows], part.products(x)
        for power in range(3):
            expected = np.einsum("r,rp->p", at**power, part.expected)
            if power == 1:
                score -= np.einsum("p,pi->i", expected, x)
            blocks[power] += np.einsum("p,pi,pj->ij", expected, x, x)
            blocks[power] -= np.einsum("r,rij->ij", at**power, products)
    score += np.einsum("t,tp,pi->i", g, patterns.events, x)
    information = np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])
    chi2 = tuple(score_test(information, score, [k]) for k in range(size))
    overall = score_test(information, score, list(range(size)))
    p = tuple(upper_tail(c, 1) for c in chi2)
    return ProportionalHazards(chi2, p, overall, upper_tail(overall, size))


def days(patterns: Patterns, coef: FloatArray) -> Iterator[Days]:
    """The days with events, in order, some at a time."""
    eta = (patterns.covariates * coef).sum(axis=1)
    died = patterns.events.sum(axis=1)
    with_events = np.flatnonzero(died)
    highest = float(eta.max())
    risk = np.exp(eta - highest)
    at_risk, size = patterns.at_risk, max(1, CELLS // eta.size)
    for begin in range(0, with_events.size, size):
        rows = with_events[begin : begin + size]
        a, b = at_risk[rows] * risk, patterns.events[rows] * risk
        day, f = _taken(died[rows])
        s = a.sum(axis=1)[day] - f * b.sum(axis=1)[day]
        yield Days(rows, a, b, day, f, s, float(np.log(s).sum()) + f.size * highest)


def _taken(died: IntArray) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The day of each event, and Efron's k/d, k from 0 on each day."""
    day = np.repeat(np.arange(died.size), died)
    number = np.arange(day.size) - (np.cumsum(died) - died)[day]
    return day, number / died[day]


def concordance(patterns: Patterns, coef: FloatArray) -> float:
    """Harrell's concordance: of two patients, how often the one with the greater risk dies first.

    A pair counts when one is known to have outlived the other; who is censored on the day of a
    death has outlived it. Equal risks count one half. Two deaths on one day do not count.

    Returns:
        In [0, 1].

    Source: Harrell 1982; R 4.2.2, survival 3.5-3 (concordance, timefix aside).
    """
    outlived = patterns.at_risk - patterns.events
    pairs = np.einsum("tp,tq->pq", patterns.events, outlived)
    eta = (patterns.covariates * coef).sum(axis=1)
    difference = eta[:, None] - eta[None, :]
    right, tied = int(pairs[difference > 0].sum()), int(pairs[difference == 0].sum())
    return (right + tied / 2) / int(pairs.sum())


def faults(patterns: Patterns, names: list[str]) -> dict[str, str]:
    """Say which covariates have no finite or no unique coefficient, before fitting.

    A covariate is constant; or a linear combination of those before it; or, coded 0 and 1, has a
    level at which nobody had the event (separation: the likelihood rises for ever).

    Args:
        patterns: Counts.
        names: One per covariate, for the messages.

    Returns:
        Covariate -> reason, empty when nothing was found.
    """
    present = patterns.n > 0
    x, events = patterns.covariates[present], patterns.events.sum(axis=0)[present]
    reasons: dict[str, str] = {}
    kept = [np.ones(len(x))]
    for name, column in zip(names, x.T, strict=True):
        if np.unique(column).size < 2:
            reasons[name] = "constant covariate"
        elif np.linalg.matrix_rank(np.column_stack([*kept, column])) <= len(kept):
            reasons[name] = "collinear with the covariates before it"
        else:
            kept.append(column)
            by_level = [int(events[column == value].sum()) for value in np.unique(column)]
            if not events.any():
                reasons[name] = "no events"
            elif len(by_level) == 2 and 0 in by_level:
                reasons[name] = SEPARATED
    return reasons


def _transformed(patterns: Patterns) -> FloatArray:
    died, n = patterns.events.sum(axis=1), patterns.at_risk.sum(axis=1)
    survival = np.cumprod((n - died) / n)
    g = 1.0 - np.concatenate([[1.0], survival[:-1]])
    centred: FloatArray = g - (g * died).sum() / died.sum()
    return centred


def score_test(information: FloatArray, score: FloatArray, chosen: list[int]) -> float | None:
    """The score test of some of the covariates times g; None where time says nothing of them.

    Args:
        information: Shape (2C, 2C), of the covariates and of these times g.
        score: Shape (C,), of the second half.
        chosen: which of them.
    """
    size = score.size
    rows = [*range(size), *(size + k for k in chosen)]
    offered = np.concatenate([np.zeros(size), score[chosen]])
    asked = information[np.ix_(rows, rows)]
    if not invertible(asked):
        return None
    solved = np.linalg.solve(asked, offered)
    return float((solved * offered).sum())


def upper_tail(chi2: float | None, df: int) -> float | None:
    """The p of a chi-square statistic; None where there is none."""
    return None if chi2 is None else float(chdtrc(df, chi2))


def invertible(information: FloatArray) -> bool:
    """Whether an information matrix is finite and of full rank."""
    if not np.all(np.isfinite(information)):
        return False
    return bool(np.linalg.matrix_rank(information, hermitian=True) == len(information))
