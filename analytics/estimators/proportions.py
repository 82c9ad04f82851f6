"""The exact interval of a proportion of independent units.

Source: Clopper and Pearson, Biometrika 1934;26:404-413. Held against R's binom.test.
"""

from functools import lru_cache
from typing import NamedTuple

from scipy.stats import beta


class Proportion(NamedTuple):
    """A proportion and its limits, in percent."""

    pct: float
    lower: float
    upper: float


@lru_cache(maxsize=65_536)
def exact(n: int, total: int, level: float = 0.95) -> Proportion:
    """Give n of total in percent with the Clopper-Pearson interval.

    Args:
        n: units counted, 0 to total.
        total: units asked, at least 1.
        level: coverage, between 0 and 1.

    Raises:
        ValueError: n is not between 0 and total, or total is 0.
    """
    if not 0 <= n <= total or total == 0:
        raise ValueError(f"{n} of {total} is no proportion")
    tail = (1 - level) / 2
    lower = 0.0 if n == 0 else float(beta.ppf(tail, n, total - n + 1))
    upper = 1.0 if n == total else float(beta.ppf(1 - tail, n + 1, total - n))
    return Proportion(100 * n / total, 100 * lower, 100 * upper)
