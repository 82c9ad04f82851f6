"""Bounds of Kaplan-Meier curves, against hand-worked vectors and every world counted out."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bounds.curves import (
    MOST_SETS,
    Exit,
    Option,
    curve_bounds,
    mean_bounds,
    median_bounds,
    with_exits,
)
from analytics.estimators.kaplan_meier import EventTable, event_table, kaplan_meier, median

ROWS: list[Exit] = [(2, True), (5, False), (6, False), (7, False), (9, True), (12, False)]
"""Six patients of the specification's vector: day, and whether he died."""

exits = st.tuples(st.integers(1, 9).map(float), st.booleans())
single = st.one_of(st.just(()), exits.map(lambda e: (e,)))
several = st.lists(exits, max_size=2).map(tuple)
rows = st.lists(exits, min_size=1, max_size=8)


def table(patients: list[Exit]) -> EventTable:
    return event_table([t for t, _ in patients], [e for _, e in patients])


def level(patients: list[Exit], t: float) -> Fraction:
    """S(t) by the definition, in fractions."""
    product_ = Fraction(1)
    for day in sorted({d for d, died in patients if died and d <= t}):
        at_risk = sum(d >= day for d, _ in patients)
        product_ *= 1 - Fraction(sum(d == day and e for d, e in patients), at_risk)
    return product_


def all_worlds(patients: list[Exit], options: list[set[Option]]) -> list[list[Exit]]:
    return [[*patients, *(e for o in world for e in o)] for world in product(*options)]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (((1, True),), "0.3571429"),
        (((5, True),), "0.3571429"),
        (((8, True),), "0.2857143"),
        (((10, True),), "0.2857143"),
        (((13, False),), "0.5714286"),
        (((5, False),), "0.4285714"),
        ((), "0.4166667"),
    ],
)
def test_one_death_on_an_unknown_day(held: Option, expected: str) -> None:
    """S(10) worked by hand; a later death can lower the curve."""
    bounds = curve_bounds(table(ROWS), [[held]])
    assert bounds.at(10) == pytest.approx((float(expected),) * 2, abs=5e-8)


def test_the_ends_of_a_window_do_not_bound_the_curve() -> None:
    """A death between day 1 and day 12: neither end gives the lowest S(10)."""
    window: list[Option] = [((float(day), True),) for day in range(1, 13)]
    ends = [float(level([*ROWS, *o], 10)) for o in (window[0], window[-1])]
    every = [float(level([*ROWS, *o], 10)) for o in window]
    bounds = curve_bounds(table(ROWS), [window])
    assert bounds.exact
    assert bounds.at(10) == pytest.approx((min(every), max(every)), abs=1e-12)
    assert min(every) < min(ends) - 0.05


@settings(max_examples=100, deadline=None)
@given(patients=rows, options=st.lists(st.sets(single, min_size=1, max_size=5), max_size=4))
def test_by_sets_the_limits_are_those_of_all_worlds(
    patients: list[Exit], options: list[set[Option]]
) -> None:
    bounds = curve_bounds(table(patients), options)
    every = all_worlds(patients, options)
    assert bounds.exact
    for t in range(10):
        levels = [float(level(world, t)) for world in every]
        assert bounds.at(t) == pytest.approx((min(levels), max(levels)), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(patients=rows, options=st.lists(st.sets(several, min_size=1, max_size=4), max_size=4))
def test_by_numbers_no_world_passes_the_limits(
    patients: list[Exit], options: list[set[Option]]
) -> None:
    bounds = curve_bounds(table(patients), options)
    for world in all_worlds(patients, options):
        for t in range(10):
            lower, upper = bounds.at(t)
            assert lower - 1e-12 <= level(world, t) <= upper + 1e-12


def test_more_patients_than_sets_can_follow_are_bounded_by_numbers() -> None:
    held = [[(), ((float(p + 1), True),)] for p in range(MOST_SETS + 1)]
    few, many = (curve_bounds(table(ROWS), held[: MOST_SETS + n]) for n in (0, 1))
    assert few.exact
    assert not many.exact
    assert many.at(10)[0] <= few.at(10)[0]
    assert few.at(10)[1] <= many.at(10)[1]


@settings(max_examples=100, deadline=None)
@given(patients=rows, options=st.lists(st.sets(single, min_size=1, max_size=4), max_size=3))
@pytest.mark.parametrize("rule", ["midpoint", "first_at_or_below"])
def test_the_median_of_every_world_lies_between_its_limits(
    rule: str, patients: list[Exit], options: list[set[Option]]
) -> None:
    bounds = curve_bounds(table(patients), options)
    lower, upper = median_bounds(bounds, rule)  # type: ignore[arg-type]
    for world in all_worlds(patients, options):
        value = median(kaplan_meier(table(world)), rule).value  # type: ignore[arg-type]
        if value is None:
            assert upper is None
        else:
            assert lower is not None
            assert lower <= value
            assert upper is None or value <= upper


@settings(max_examples=100, deadline=None)
@given(patients=rows, options=st.lists(st.sets(single, min_size=1, max_size=4), max_size=3))
def test_the_mean_of_every_world_lies_between_its_limits(
    patients: list[Exit], options: list[set[Option]]
) -> None:
    lower, upper = mean_bounds(curve_bounds(table(patients), options), 10)
    for world in all_worlds(patients, options):
        area = sum(float(level(world, day)) for day in range(10))
        assert lower - 1e-9 <= area <= upper + 1e-9


@given(patients=rows)
def test_without_held_rows_the_limits_are_the_curve(patients: list[Exit]) -> None:
    bounds = curve_bounds(table(patients), [])
    curve = kaplan_meier(table(patients))
    assert bounds.lower.tolist() == bounds.upper.tolist() == curve.survival.tolist()


@settings(max_examples=100, deadline=None)
@given(
    patients=rows,
    options=st.lists(st.sets(single, min_size=1, max_size=4), max_size=3),
    more=st.sets(single, min_size=1, max_size=3),
)
def test_one_more_option_or_row_never_narrows(
    patients: list[Exit], options: list[set[Option]], more: set[Option]
) -> None:
    before = curve_bounds(table(patients), options)
    for wider in ([*options, {(), *more}], [o | more for o in options]):
        after = curve_bounds(table(patients), wider)
        for t in range(10):
            assert after.at(t)[0] <= before.at(t)[0] + 1e-12
            assert after.at(t)[1] >= before.at(t)[1] - 1e-12


def test_a_patient_taken_out_and_put_back_leaves_the_table() -> None:
    whole = table(ROWS)
    back = with_exits(with_exits(whole, [(6, False)], -1), [(6, False)])
    for name in ("time", "events", "censored"):
        assert np.array_equal(getattr(whole, name), getattr(back, name))


def test_a_patient_without_an_option_is_our_fault() -> None:
    with pytest.raises(ValueError, match="without an option"):
        curve_bounds(table(ROWS), [[]])
