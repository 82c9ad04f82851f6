"""How long events take to be reported, from events that have been reported.

An event of long ago can have been reported with any delay, one of yesterday only with a short one.
Delays that were seen are therefore too short on the whole. Turned round in time this is left
truncation, which the product-limit estimator allows for. What lies beyond the longest delay that
could have been seen cannot be known: the distribution is that of delays up to there.

Source: Lagakos, Barraj and De Gruttola, Biometrika 1988;75:515 (reverse time); Kalbfleisch and
Lawless, JASA 1989;84:360; Seaman et al., Stat Methods Med Res 2022;31:1641 (review of right
truncation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Delays:
    """The distribution of delays: `shares[i]` of events are reported within `days[i]` days.

    `days` ascend; the last share is 1, of the delays up to the longest that could be seen.
    """

    days: tuple[int, ...]
    shares: tuple[Fraction, ...]

    def within(self, days: int) -> Fraction:
        """The share of events that are reported within so many days."""
        reached = [share for d, share in zip(self.days, self.shares, strict=True) if d <= days]
        return reached[-1] if reached else Fraction(0)

    def quantile(self, share: Fraction) -> int | None:
        """The least number of days within which at least that share is reported."""
        return next((d for d, s in zip(self.days, self.shares, strict=True) if s >= share), None)


def delays(seen: Sequence[tuple[int, int]]) -> Delays:
    """Estimate the distribution of delays.

    Args:
        seen: of each reported event, its delay and the longest delay with which it could have been
            seen, in days; the delay is at least 0 and not longer.

    Raises:
        ValueError: a delay is negative, or longer than could have been seen.
    """
    if any(not 0 <= delay <= longest for delay, longest in seen):
        raise ValueError("a delay lies between 0 and the longest that could have been seen")
    days = sorted({delay for delay, _ in seen})
    shares = [Fraction(1)]
    for day in reversed(days[1:]):
        at_risk = sum(delay <= day <= longest for delay, longest in seen)
        shares.append(shares[-1] * (1 - Fraction(sum(d == day for d, _ in seen), at_risk)))
    return Delays(tuple(days), tuple(reversed(shares)) if days else ())
