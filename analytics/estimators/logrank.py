"""The log-rank test between groups, as R's `survdiff(rho = 0)`.

At every time t with an event anywhere in the stratum, with d events among n at risk and n_j of them
in group j:

    E_j    += d n_j / n
    V_ij   += d (n - d) / (n - 1) (n_j / n) (1{i = j} - n_i / n)      hypergeometric

Strata are added up, then chi-square = (O - E)' V^-1 (O - E), leaving out one group.

Source: R 4.2.2, survival 3.5-3 (survdiff); Mantel 1966; Peto and Peto 1972.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc

from analytics.estimators.kaplan_meier import EventTable, FloatArray, IntArray, merge

Reason = Literal["fewer_than_two_groups_at_risk", "no_variance"]


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test; `chi2` and `p` are None with a reason when there is nothing to compare.

    Attributes:
        chi2: >= 0.
        df: Groups that were at risk at some event, less one; never below 0.
        p: Upper tail of the chi-square distribution, in [0, 1].
        observed: Events per group, in the order given, all strata together.
        expected: Events expected per group if the groups did not differ.
        reason: `fewer_than_two_groups_at_risk` when at most one group was at risk at any event
            (R: chi-square 0 on 0 or -1 degrees); `no_variance` when the covariance cannot be
            inverted, as when everyone has the event on one day (R: an error).
    """

    chi2: float | None
    df: int
    p: float | None
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    reason: Reason | None


def logrank(groups: Sequence[EventTable]) -> LogRank:
    """Compare k groups.

    Args:
        groups: k >= 2 event tables; an empty one stands for a group with nobody.

    Returns:
        The test.

    Raises:
        ValueError: For fewer than two groups.
    """
    return stratified_logrank([groups])


def stratified_logrank(strata: Sequence[Sequence[EventTable]]) -> LogRank:
    """Compare k groups within strata.

    Args:
        strata: For each stratum its k >= 2 event tables, in the same order of groups; an empty
            table stands for a group that the stratum lacks.

    Returns:
        The test, `observed` and `expected` added up over the strata.

    Raises:
        ValueError: For fewer than two groups, or strata that differ in their number.
    """
    sizes = {len(groups) for groups in strata}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError("log-rank: not the same two or more groups in all strata. Give every one.")
    k = sizes.pop()
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for groups in strata:
        observed += [table.events.sum() for table in groups]
        e, v = _expectation(groups)
        expected += e
        covariance += v
    return _test(observed, expected, covariance)


def _expectation(groups: Sequence[EventTable]) -> tuple[FloatArray, FloatArray]:
    pooled = merge(groups)
    rows = pooled.events > 0
    d, n = pooled.events[rows], pooled.at_risk[rows]
    shares = np.column_stack([_at_risk(table, pooled.time[rows]) / n for table in groups])
    weight = d * (n - d) / np.maximum(n - 1, 1)
    # Summed by numpy and not by a matrix product, whose order depends on the BLAS and its threads.
    covariance = -np.array([((weight * own)[:, None] * shares).sum(axis=0) for own in shares.T])
    covariance[np.diag_indices(len(groups))] += (weight[:, None] * shares).sum(axis=0)
    return (d[:, None] * shares).sum(axis=0), covariance


def _at_risk(table: EventTable, time: FloatArray) -> IntArray:
    return np.append(table.at_risk, 0)[np.searchsorted(table.time, time)]


def _test(observed: FloatArray, expected: FloatArray, covariance: FloatArray) -> LogRank:
    compared = np.flatnonzero(expected > 0)
    rest = compared[1:]
    df = rest.size
    totals = tuple(observed.tolist()), tuple(expected.tolist())
    if df == 0:
        return LogRank(None, 0, None, *totals, "fewer_than_two_groups_at_risk")
    difference, variance = (observed - expected)[rest], covariance[np.ix_(rest, rest)]
    if np.linalg.matrix_rank(variance, hermitian=True) < df:
        return LogRank(None, df, None, *totals, "no_variance")
    chi2 = float((np.linalg.solve(variance, difference) * difference).sum())
    return LogRank(chi2, df, float(chdtrc(df, chi2)), *totals, None)
