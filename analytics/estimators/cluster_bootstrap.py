"""Limits of a share of lesions: patients are resampled, since their lesions resemble each other.

Not the patients themselves are drawn but the table of distinct profiles (how many lesions, how many
of them responding) with multinomial weights. That is the same draw, at a cost that does not grow
with the patients.

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile
interval).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def cluster_weights(clusters: IntArray, *, seed: int, samples: int) -> IntArray:
    """Draw how often each profile of clusters comes up when the clusters are resampled.

    Args:
        clusters: shape (P,), number of clusters with each profile, in a fixed order.
        seed: of the generator (PCG64).
        samples: number of resamples.

    Returns:
        Shape (samples, P); every row sums to the number of clusters.
    """
    shares = clusters / clusters.sum()
    drawn = np.random.Generator(np.random.PCG64(seed)).multinomial(
        int(clusters.sum()), shares, size=samples
    )
    return drawn.astype(np.int64)


def cluster_limits(
    weights: IntArray, n: IntArray, total: IntArray, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Give the percentile limits of a share of units in resampled clusters, in percent.

    Args:
        weights: shape (samples, P), from `cluster_weights`.
        n: shape (P,), units with the property in a cluster of each profile.
        total: shape (P,), units in it.
        level: coverage, between 0 and 1.

    Returns:
        Lower and upper limit, 0 to 100; None where none or all have the property, as such a
        bootstrap has no spread and would feign certainty.
    """
    if np.all(n == 0) or np.all(n == total):
        return None, None
    drawn = weights @ total
    shares = (weights @ n)[drawn > 0] / drawn[drawn > 0]
    lower, upper = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return 100 * float(lower), 100 * float(upper)
