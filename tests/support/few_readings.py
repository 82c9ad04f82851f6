"""Nights that try few other readings of the settings: half of what a small night computes.

For tests that ask nothing of outcomes.sensitivity and never compare their store with one whose
nights tried all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from warehouse.building import sensitivity


@contextmanager
def few_readings() -> Iterator[None]:
    """While it lasts, nights of this process try the first group of readings alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sensitivity, "TRIED", sensitivity.TRIED[:1])
        yield
