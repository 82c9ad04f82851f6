"""Bounds of proportions, against hand-worked vectors and every world counted out."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bounds.quotients import count_bounds, limits, quotient_bounds

UNKNOWN = ((0, 1), (1, 1))
PERHAPS = ((0, 0), *UNKNOWN)

pairs = st.integers(0, 3).flatmap(lambda t: st.tuples(st.integers(0, t), st.just(t)))
options = st.lists(st.sets(pairs, min_size=1, max_size=4), max_size=5)
sure = st.integers(0, 30).flatmap(lambda t: st.tuples(st.integers(0, t), st.just(t)))


def test_three_accepted_patients_of_unknown_outcome() -> None:
    """25 of 40, and three more who may all have responded or none; R 4.2.2 binom.test."""
    ends = quotient_bounds((25, 40), [UNKNOWN] * 3)
    assert (ends.lower, ends.upper) == ((25, 43), (28, 43))
    assert limits(ends) == pytest.approx((42.1270, 78.9922), abs=5e-5)


def test_who_may_be_left_out_leaves_the_published_number_inside() -> None:
    """Accepting is never worse than the extremes: 25/40 lies between 25/43 and 28/43."""
    ends = quotient_bounds((25, 40), [PERHAPS] * 3)
    assert (ends.lower, ends.upper) == ((25, 43), (28, 43))


def test_nothing_held_is_the_number_itself() -> None:
    ends = quotient_bounds((25, 40), [])
    assert ends.lower == ends.upper == (25, 40)


def test_nobody_in_any_world_has_no_quotient() -> None:
    ends = quotient_bounds((0, 0), [((0, 0),)])
    assert (ends.lower, ends.upper) == (None, None)
    assert limits(ends) == (None, None)


def test_a_patient_without_an_option_is_our_fault() -> None:
    with pytest.raises(ValueError, match="without an option"):
        quotient_bounds((1, 2), [()])


def worlds(n: int, total: int, choices: list[set[tuple[int, int]]]) -> set[Fraction]:
    """Every quotient, counted out."""
    return {
        Fraction(n + sum(a for a, _ in world), bottom)
        for world in product(*choices)
        if (bottom := total + sum(b for _, b in world))
    }


@given(sure=sure, options=options)
def test_the_ends_are_those_of_all_worlds(
    sure: tuple[int, int], options: list[set[tuple[int, int]]]
) -> None:
    every = worlds(*sure, options)
    ends = quotient_bounds(sure, options)
    if not every:
        assert ends.lower is None
        assert ends.upper is None
        return
    assert ends.lower is not None
    assert ends.upper is not None
    assert (Fraction(*ends.lower), Fraction(*ends.upper)) == (min(every), max(every))


@given(sure=sure, options=options)
def test_counts_are_those_of_all_worlds(
    sure: tuple[int, int], options: list[set[tuple[int, int]]]
) -> None:
    every = [sure[0] + sum(n for n, _ in world) for world in product(*options)]
    assert count_bounds(sure[0], options) == (min(every), max(every))


@given(sure=sure, options=options, more=st.sets(pairs, min_size=1, max_size=3))
def test_one_more_option_or_row_never_narrows(
    sure: tuple[int, int], options: list[set[tuple[int, int]]], more: set[tuple[int, int]]
) -> None:
    before = quotient_bounds(sure, options)
    for wider in ([*options, {(0, 0), *more}], [o | more for o in options]):
        after = quotient_bounds(sure, wider)
        if before.lower and before.upper:
            assert after.lower is not None
            assert after.upper is not None
            assert Fraction(*after.lower) <= Fraction(*before.lower)
            assert Fraction(*after.upper) >= Fraction(*before.upper)
