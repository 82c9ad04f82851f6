"""Wilcoxon's signed rank test of paired differences, from ranks that were summed elsewhere.

Differences of zero are dropped. Of fewer than 50 differences, none zero and no two of one size, p
is exact: V has the distribution of the sum of a random subset of 1 to n. Otherwise p is that of the
normal approximation with the correction for ties, and of one half for continuity.

Source: Wilcoxon, Biometrics Bull 1945;1:80-83; R 4.2.2, wilcox.test(paired = TRUE), against
which it is held: it takes the exact distribution under these conditions and no others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

EXACT_BELOW = 50
EXACT = "exact"
NORMAL = "normal approximation with continuity correction"


@dataclass(frozen=True, slots=True)
class Ranked:
    """The ranks of the absolute differences that are not zero, summed.

    Attributes:
        n: Differences that are not zero.
        n_zero: Differences of zero.
        twice_v: Twice the sum of the ranks of the positive ones; ties share their mean rank.
        ties: Sum of t^3 - t over groups of t differences of one size.
    """

    n: int
    n_zero: int
    twice_v: int
    ties: int


@dataclass(frozen=True, slots=True)
class SignedRank:
    """The test: V, two-sided p, and how p was made."""

    v: float
    p: float
    method: str


def signed_rank(ranked: Ranked) -> SignedRank | None:
    """Test whether differences lie about zero; None where all of them are zero."""
    if not ranked.n:
        return None
    v = ranked.twice_v / 2
    if ranked.n < EXACT_BELOW and not ranked.ties and not ranked.n_zero:
        return SignedRank(v, _exact(round(v), ranked.n), EXACT)
    return SignedRank(v, _normal(v, ranked), NORMAL)


def _exact(v: int, n: int) -> float:
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(ways.size + rank)
        longer[: ways.size] += ways
        longer[rank:] += ways
        ways = longer
    # By symmetry V and its complement have one distribution: the smaller tail is summed.
    tail = ways[: min(v, n * (n + 1) // 2 - v) + 1].sum() / 2.0**n
    return float(min(1.0, 2 * tail))


def _normal(v: float, ranked: Ranked) -> float:
    n = ranked.n
    away = v - n * (n + 1) / 4
    corrected = away - math.copysign(0.5, away) if away else 0.0
    variance = n * (n + 1) * (2 * n + 1) / 24 - ranked.ties / 48
    # Half an integer away from the mean the correction can pass it; R lets p exceed no 1 either.
    z = corrected / math.sqrt(variance)
    lower = math.erfc(-z / math.sqrt(2)) / 2
    upper = math.erfc(z / math.sqrt(2)) / 2
    return min(2 * min(lower, upper), 1.0)
