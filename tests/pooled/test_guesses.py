"""The bits that numbers give away, against counting every assignment by another program."""

import math
from itertools import combinations

import numpy as np
import pytest

from analytics.estimators.kaplan_meier import event_table, kaplan_meier, restricted_mean
from analytics.estimators.kaplan_meier import survival_at as level_at
from analytics.estimators.logrank import logrank
from warehouse.bundles import guesses

STEPS = np.array([0.1, 0.1, 1.0])


def registry(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    days = draw.exponential(300, n).round() + 1
    event = draw.random(n) < 0.7
    bad = np.zeros(n, bool)
    bad[draw.permutation(n)[:m]] = True
    return days, event, bad


def numbers(days: np.ndarray, event: np.ndarray, bad: np.ndarray) -> tuple[int, ...]:
    """U and V to one decimal and events, by the estimator of releases."""
    test = logrank([event_table(days[~bad], event[~bad]), event_table(days[bad], event[bad])])
    u = test.observed[1] - test.expected[1]
    v = u * u / test.chi2 if test.chi2 else 0.0
    return round(10 * u), round(10 * v), int(event[bad].sum())


@pytest.mark.parametrize("seed", range(4))
def test_few_assignments_are_counted(seed: int) -> None:
    n, m = 12, 5
    days, event, bad = registry(seed, n, m)
    here, same, ways = numbers(days, event, bad), 0, 0
    for chosen in combinations(range(n), m):
        other = np.zeros(n, bool)
        other[list(chosen)] = True
        ways += 1
        same += numbers(days, event, other) == here
    tell = guesses.tests(days, event)
    found = guesses.given_of_sum(
        guesses.residuals(days, event), bad, lambda those: tell(those)[:, :3], STEPS
    )
    assert found == pytest.approx(math.log2(ways / same), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("early", [True, False])
def test_many_assignments_are_not_underrated(
    monkeypatch: pytest.MonkeyPatch, seed: int, early: bool
) -> None:
    """Drawn as if there were many: never less than counted, also where a factor matters."""
    days, event, bad = registry(seed, 20, 7)
    if early:
        bad = np.isin(np.arange(20), np.argsort(days)[:9][::2]) | np.isin(
            np.arange(20), np.argsort(days)[9:11]
        )
    tell, r = guesses.tests(days, event), guesses.residuals(days, event)
    counted = guesses.given_of_sum(r, bad, lambda those: tell(those)[:, :3], STEPS)
    monkeypatch.setattr(guesses, "COUNTED", 1)
    drawn = guesses.given_of_sum(r, bad, lambda those: tell(those)[:, :3], STEPS)
    assert counted <= drawn <= counted + 6


def test_what_is_told_of_tests_is_the_estimators() -> None:
    days, event, bad = registry(3, 40, 16)
    u, v, events = guesses.tests(days, event)(bad[None])[0, :3]
    assert (round(10 * u), round(10 * v), int(events)) == numbers(days, event, bad)
    assert guesses.residuals(days, event)[bad].sum() == pytest.approx(u, abs=1e-12)


def test_what_is_told_of_levels_is_the_estimators() -> None:
    days, event, _ = registry(5, 40, 16)
    curve = kaplan_meier(event_table(days, event))
    found = guesses.levels(days, [120, 300], [200])(event[None])[0]
    row = int(np.searchsorted(curve.time, 300, side="right")) - 1
    mean = restricted_mean(curve, 200)
    assert found[0] == pytest.approx(level_at(curve, 120).value)
    assert found[2:4] == pytest.approx([curve.survival[row], curve.std_err[row]])
    assert found[4:] == pytest.approx([mean.value, mean.std_err])


def test_a_level_can_make_states_certain() -> None:
    """Two exits of ten, one of them an event: 9 / 10 or 8 / 9 are told apart to four decimals."""
    days, event = np.arange(1.0, 11), np.array([True, *[False] * 9])
    groups = [np.array([0, 1])]
    bits, certain = guesses.given(
        groups, event, guesses.levels(days, [2], []), np.array([1e-4, 1e-4])
    )
    assert bits == 1
    assert certain[:2].all()


def test_bits_of_choices_and_values() -> None:
    assert guesses.bits_of_choice(10, 3) == pytest.approx(math.log2(120))
    assert guesses.bits_of_values((1.0, 0.1), (7.0, 1.0)) == pytest.approx(math.log2(11) + 3)


def test_a_strong_factor_gives_more_away() -> None:
    days, event, _ = registry(9, 60, 20)
    late = np.isin(np.arange(60), np.argsort(days)[20:40])
    early = np.isin(np.arange(60), np.argsort(days)[:20])
    tell, r = guesses.tests(days, event), guesses.residuals(days, event)
    weak, strong = (
        guesses.given_of_sum(r, bad, lambda those: tell(those)[:, :3], STEPS)
        for bad in (late, early)
    )
    assert strong > weak + 5
