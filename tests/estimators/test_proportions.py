"""The exact interval against figures that R's binom.test printed."""

import numpy as np
import pytest

from analytics.estimators.cluster_bootstrap import cluster_limits
from analytics.estimators.proportions import exact


@pytest.mark.parametrize(
    ("n", "total", "lower", "upper"),
    [
        (53, 83, 52.6, 74.1),
        (1, 83, 0.03, 6.5),
        (17, 83, 12.4, 30.8),
        (25, 40, 45.8, 77.3),
        (1, 40, 0.06, 13.2),
        (2, 40, 0.6, 16.9),
        (21, 25, 63.9, 95.5),
    ],
)
def test_limits_agree_with_r_at_the_printed_digits(
    n: int, total: int, lower: float, upper: float
) -> None:
    found = exact(n, total)
    assert found.pct == 100 * n / total
    assert found.lower == pytest.approx(lower, abs=0.05 if lower > 0.1 else 0.005)
    assert found.upper == pytest.approx(upper, abs=0.05)


def test_none_and_all_have_one_limit_in_closed_form() -> None:
    """With none of n the upper limit is 1 - 0.025^(1/n); with all, the lower is its mirror."""
    edge = 100 * (1 - 0.025 ** (1 / 40))
    assert exact(0, 40) == pytest.approx((0.0, 0.0, edge))
    assert exact(40, 40) == pytest.approx((100.0, 100 - edge, 100.0))


def test_limits_of_resampled_patients_are_quantiles_of_their_shares_in_percent() -> None:
    """Two samples with 1 and 3 of 4 lesions: a quarter of the way in from 25 and from 75 %."""
    weights = np.array([[1, 0], [0, 1]])
    limits = cluster_limits(weights, np.array([1, 3]), np.array([4, 4]), level=0.5)
    assert limits == pytest.approx((37.5, 62.5))


def test_no_proportion_of_nothing() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        exact(0, 0)
    with pytest.raises(ValueError, match="no proportion"):
        exact(3, 2)
