"""The limits of a curve from counts in bins are reached, and never passed."""

import itertools
import math

import numpy as np
import pytest

from analytics.estimators.kaplan_meier import event_table, kaplan_meier, median, survival_at
from analytics.pooled.steps import Bin, Binned, Level, between, limits, median_limits

E = Binned(30, (Bin(0, 26, 4, 1), Bin(26, 36, 4, 1), Bin(36, 49, 2, 3)))


def test_a_registry_alone() -> None:
    """30 patients; (n - c - d) / (n - c) and (n - d) / n of each bin, multiplied."""
    found = [(x.least, x.greatest) for x in limits([E])[1:]]
    first = 25 / 29, 26 / 30
    second = first[0] * 20 / 24, first[1] * 21 / 25
    third = second[0] * 15 / 17, second[1] * 18 / 20
    assert found == [pytest.approx(p) for p in (first, second, third)]
    assert found[1] == pytest.approx((0.7184, 0.7280), abs=5e-5)


def test_two_registries_with_the_same_bins_are_one() -> None:
    one, other = Binned(10, (Bin(0, 12, 2, 3),)), Binned(20, (Bin(0, 12, 4, 1),))
    assert limits([one, other])[1] == Level(12, (30 - 4 - 6) / (30 - 4), 24 / 30)


def test_the_curve_ends_where_a_registry_does() -> None:
    short = Binned(20, (Bin(0, 20, 5, 0),))
    assert [x.months for x in limits([E, short])] == [0, 20]
    assert between(limits([E, short]), 21) is None
    assert limits([E, Binned(20, ())]) == []


def test_inside_a_bin_its_events_may_be_before_or_after() -> None:
    """At month 20 of E's first bin: nobody yet, or all four after the censored one."""
    short = Binned(20, (Bin(0, 20, 5, 0),))
    assert limits([E, short])[1] == Level(20, (49 - 9) / 49, 45 / 50)


def drawn(seed: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[Binned]]:
    """Registries of few patients with exits on whole days, and their bins."""
    draw = np.random.default_rng(seed)
    patients, binned = [], []
    for _ in range(int(draw.integers(1, 4))):
        n = int(draw.integers(6, 15))
        days = draw.integers(1, 12, n) * 10
        event = draw.random(n) < 0.6
        cuts = sorted({*draw.choice(np.arange(1, 12), 3, replace=False).tolist(), 12})
        edges = [0, *cuts]
        bins = tuple(
            Bin(
                a,
                b,
                int((event & (days > 10 * a) & (days <= 10 * b)).sum()),
                int((~event & (days > 10 * a) & (days <= 10 * b)).sum()),
            )
            for a, b in itertools.pairwise(edges)
        )
        patients.append((days, event))
        binned.append(Binned(n, bins))
    return patients, binned


@pytest.mark.parametrize("seed", range(60))
def test_the_curve_of_all_patients_lies_between_the_limits_every_day(seed: int) -> None:
    patients, binned = drawn(seed)
    levels = limits(binned)
    days = np.concatenate([d for d, _ in patients])
    curve = kaplan_meier(event_table(days, np.concatenate([e for _, e in patients])))
    for day in range(1, int(days.max()) + 1):
        held = between(levels, day / 10)
        assert held is not None
        read = survival_at(curve, day).value
        assert read is not None
        assert held[0] - 1e-12 <= read <= held[1] + 1e-12
    lower, upper = median_limits(levels)
    middle = median(curve).value
    if middle is not None:
        assert lower is not None
        assert 10 * lower <= middle <= 10 * (math.inf if upper is None else upper)
    else:
        assert upper is None


@pytest.mark.parametrize("seed", range(12))
def test_some_patients_reach_the_limits(seed: int) -> None:
    """Events on the first day of their bin and censorings on its last, or the other way round."""
    _, binned = drawn(seed)
    for month in {x.months for x in limits(binned)[1:]}:
        found = next(x for x in limits(binned) if x.months == month)
        for greatest, expected in ((False, found.least), (True, found.greatest)):
            days: list[int] = []
            event: list[bool] = []
            for registry in binned:
                told = 0
                for b in registry.bins:
                    first, last = 1000 * b.begin + 1, 1000 * b.end
                    if b.begin < month < b.end:
                        first, last = (1000 * month + 1,) * 2 if greatest else (first, 1000 * month)
                    elif b.begin >= month:
                        first = last = 1000 * month + 2
                    for number, here in ((b.events, True), (b.censored, False)):
                        days += [first if here is greatest else last] * number
                        event += [here] * number
                        told += number
                days += [10**6] * (registry.n - told)
                event += [False] * (registry.n - told)
            curve = kaplan_meier(event_table(days, event))
            passed = int(np.searchsorted(curve.time, 1000 * month, side="right"))
            read = curve.survival[passed - 1] if passed else 1.0
            assert read == pytest.approx(expected, abs=1e-12)


def test_a_median_lies_between_two_edges() -> None:
    levels = [Level(0, 0.8, 1.0), Level(6, 0.8, 0.9), Level(12, 0.5, 0.6), Level(18, 0.3, 0.5)]
    assert median_limits(levels) == (6, None)
    assert median_limits([*levels, Level(24, 0.2, 0.49)]) == (6, 24)
    assert median_limits(levels[:2]) == (None, None)


@pytest.mark.parametrize(
    "bins", [(Bin(1, 6, 1, 0),), (Bin(0, 6, 1, 0), Bin(7, 9, 1, 0)), (Bin(0, 6, 9, 9),)]
)
def test_bins_that_cannot_be_are_refused(bins: tuple[Bin, ...]) -> None:
    with pytest.raises(ValueError, match="bins"):
        limits([Binned(10, bins)])
