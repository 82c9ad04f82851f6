"""The least and the greatest quotient that held rows leave open.

Every patient with held rows adds one of few pairs (numerator, denominator) to what is sure. The
quotient of two sums is least, and greatest, where each patient adds the pair that is best against
the quotient itself, so that a few rounds of choosing come to the extreme exactly.

Source: Manski 1990, Am Econ Rev Pap Proc 80:319, and Horowitz and Manski 1995, Econometrica 63:281
(sharp bounds of what is partly observed); Dinkelbach 1967, Manage Sci 13:492 (the rounds).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from analytics.estimators.proportions import exact

Pair = tuple[int, int]
"""What a patient adds to numerator and denominator."""


@dataclass(frozen=True, slots=True)
class Quotients:
    """The two ends, each as the counts that give it; None where no world has a denominator."""

    lower: Pair | None
    upper: Pair | None


def quotient_bounds(sure: Pair, options: Sequence[Collection[Pair]]) -> Quotients:
    """Give the least and greatest n / total; sharp, since every end is a world.

    Args:
        sure: numerator and denominator of all patients without a held row.
        options: of each patient with held rows, the pairs that can be added; none is empty.

    Raises:
        ValueError: a patient without an option.
    """
    if not all(options):
        raise ValueError("a patient without an option. Leave out who has no held row.")
    return Quotients(_extreme(sure, options, -1), _extreme(sure, options, 1))


def count_bounds(sure: int, options: Sequence[Collection[Pair]]) -> tuple[int, int]:
    """Give the least and greatest numerator."""
    least = sure + sum(min(n for n, _ in pairs) for pairs in options)
    return least, sure + sum(max(n for n, _ in pairs) for pairs in options)


def limits(ends: Quotients) -> tuple[float | None, float | None]:
    """The lower limit at the lower end and the upper at the upper, in percent.

    Clopper and Pearson's interval of each end: the two cover in every world.
    """
    if ends.lower is None or ends.upper is None:
        return None, None
    return exact(*ends.lower).lower, exact(*ends.upper).upper


def _extreme(sure: Pair, options: Sequence[Collection[Pair]], sign: int) -> Pair | None:
    """Choose anew against the quotient of the last choice, until it no longer moves."""
    chosen = _started(sure, options)
    if chosen is None:
        return None
    while True:
        quotient = Fraction(*chosen)
        n, total = _sum(sure, [_best(pairs, quotient, sign) for pairs in options])
        if total == 0 or sign * (Fraction(n, total) - quotient) <= 0:
            return chosen
        chosen = (n, total)


def _best(pairs: Collection[Pair], quotient: Fraction, sign: int) -> Pair:
    """The pair that lies farthest on one side of a quotient; of equals the larger denominator."""
    return max(pairs, key=lambda p: (sign * (p[0] - quotient * p[1]), p[1], p[0]))


def _started(sure: Pair, options: Sequence[Collection[Pair]]) -> Pair | None:
    """A world with a denominator, if there is one."""
    n, total = _sum(sure, [max(pairs, key=lambda p: (p[1], p[0])) for pairs in options])
    return (n, total) if total else None


def _sum(sure: Pair, pairs: Sequence[Pair]) -> Pair:
    return sure[0] + sum(n for n, _ in pairs), sure[1] + sum(t for _, t in pairs)
