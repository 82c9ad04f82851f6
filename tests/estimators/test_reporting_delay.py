"""Delays of reporting: worked by hand, and held to lifelines on left-truncated data."""

import random
from fractions import Fraction

import lifelines
import numpy as np
import pytest

from analytics.estimators.reporting_delay import Delays, delays


def test_a_vector_worked_by_hand() -> None:
    """Four events: (delay, longest that could be seen) (0, 10), (2, 2), (5, 8), (5, 10).

    At 5 days: reported by then and able to be seen so late are the first, third and fourth; two
    have the delay 5, so F(below 5) = 1 - 2/3 = 1/3. At 2 days: the first and second are at risk,
    one has it, so F(below 2) = 1/3 * 1/2 = 1/6.
    """
    found = delays([(0, 10), (2, 2), (5, 8), (5, 10)])
    assert found == Delays((0, 2, 5), (Fraction(1, 6), Fraction(1, 3), Fraction(1)))
    assert found.within(4) == Fraction(1, 3)
    assert found.quantile(Fraction(1, 3)) == 2
    assert found.quantile(Fraction(9, 10)) == 5


def test_without_truncation_it_is_the_empirical_distribution() -> None:
    found = delays([(d, 100) for d in (1, 1, 3, 7)])
    assert found == Delays((1, 3, 7), (Fraction(1, 2), Fraction(3, 4), Fraction(1)))


def test_of_no_event_nothing_is_said() -> None:
    assert delays([]) == Delays((), ())
    assert delays([]).within(30) == 0
    assert delays([]).quantile(Fraction(1, 2)) is None


@pytest.mark.parametrize("event", [(-1, 5), (6, 5)])
def test_a_delay_that_cannot_be_is_refused(event: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="longest"):
        delays([event])


def test_it_is_the_product_limit_in_reverse_time() -> None:
    """By lifelines with late entry: time runs back from 400 days, entry at the longest delay."""
    draw = random.Random(3)
    seen = [
        (delay, longest)
        for delay, longest in ((int(draw.expovariate(1 / 45)), draw.randint(0, 399))
                               for _ in range(400))
        if delay <= longest
    ]  # fmt: skip
    found = delays(seen)
    entry = np.array([400 - longest - 0.5 for _, longest in seen])
    fitted = lifelines.KaplanMeierFitter().fit([400 - d for d, _ in seen], entry=entry)
    for day, share in zip(found.days[:-1], found.shares[:-1], strict=True):
        assert fitted.predict(400 - day - 0.25) == pytest.approx(float(share), abs=1e-12)


def test_the_delay_of_most_reports_is_found_again() -> None:
    """Delays with a mean of 45 days: 90 % are reported within 103.6 days (45 ln 10).

    Events come evenly over 1000 days, and 300 a time are drawn from fifty seeds.
    """
    estimates = []
    for seed in range(50):
        draw = random.Random(seed)
        events = [(draw.expovariate(1 / 45), draw.uniform(0, 1000)) for _ in range(300)]
        seen = [(int(delay), int(longest)) for delay, longest in events if int(delay) <= longest]
        estimates.append(delays(seen).quantile(Fraction(9, 10)) or 0)
    assert sum(estimates) / 50 == pytest.approx(103.6, rel=0.1)
