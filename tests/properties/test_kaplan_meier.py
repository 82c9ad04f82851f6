"""What must hold for any survival data, of the three kernels: curves, log-rank, competing risks."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.estimators.competing_risks import aalen_johansen, cause_table
from analytics.estimators.kaplan_meier import (
    QUANTILE_TOLERANCE,
    event_table,
    kaplan_meier,
    median,
    merge,
    quantile,
    restricted_mean,
    reverse,
    survival_at,
)
from analytics.estimators.logrank import logrank

DAYS = st.integers(0, 60)
PATIENTS = st.lists(st.tuples(DAYS, st.booleans()), min_size=1, max_size=50)
CAUSES = st.lists(st.tuples(DAYS, st.integers(0, 3)), min_size=1, max_size=50)
FRACTIONS = st.floats(0.01, 0.99)


def table(patients):
    return event_table([day for day, _ in patients], [event for _, event in patients])


def causes(patients):
    return cause_table([day for day, _ in patients], [cause for _, cause in patients], n_causes=3)


def bits(record):
    """Every array of a record, byte for byte."""
    fields = (getattr(record, name) for name in record.__dataclass_fields__)
    return [field.tobytes() if isinstance(field, np.ndarray) else field for field in fields]


def exact_steps(patients):
    """Survival after each day with an event, in exact fractions, patient by patient."""
    level = Fraction(1)
    for day in sorted({day for day, event in patients if event}):
        at_risk = sum(other >= day for other, _ in patients)
        level *= 1 - Fraction(sum(p == (day, True) for p in patients), at_risk)
        yield day, level


@given(PATIENTS, st.randoms(use_true_random=False))
def test_row_order_changes_nothing_to_the_bit(patients, random):
    shuffled = random.sample(patients, len(patients))
    assert bits(table(shuffled)) == bits(table(patients))
    assert bits(kaplan_meier(table(shuffled))) == bits(kaplan_meier(table(patients)))


@given(CAUSES, st.randoms(use_true_random=False))
def test_row_order_changes_no_incidence_to_the_bit(patients, random):
    shuffled = random.sample(patients, len(patients))
    assert bits(aalen_johansen(causes(shuffled))) == bits(aalen_johansen(causes(patients)))


@given(PATIENTS, PATIENTS, st.randoms(use_true_random=False))
def test_row_order_changes_no_log_rank_to_the_bit(first, second, random):
    shuffled = [random.sample(group, len(group)) for group in (first, second)]
    assert logrank([table(group) for group in shuffled]) == logrank([table(first), table(second)])


@given(st.lists(PATIENTS, max_size=4))
def test_merged_groups_are_their_patients_in_one_table(groups):
    pooled = table([patient for group in groups for patient in group])
    assert bits(merge([table(group) for group in groups])) == bits(pooled)


@given(PATIENTS)
def test_survival_is_the_exact_product(patients):
    curve = kaplan_meier(table(patients))
    for day, level in exact_steps(patients):
        assert survival_at(curve, day).value == pytest.approx(float(level), rel=1e-13)


@given(PATIENTS, st.sampled_from(["log-log", "log", "plain"]))
def test_survival_never_rises_and_lies_in_its_band(patients, conf_type):
    curve = kaplan_meier(table(patients), conf_type)
    assert np.all(np.diff(curve.survival, prepend=1.0) <= 0)
    assert np.all((curve.survival >= 0) & (curve.survival <= 1))
    alive = curve.survival > 0
    assert np.all(curve.lower[alive] <= curve.survival[alive])
    assert np.all(curve.survival[alive] <= curve.upper[alive])
    assert np.isnan(curve.lower[~alive]).all()


@given(PATIENTS)
def test_the_unit_of_time_changes_no_level(patients):
    in_months = event_table([day / 30.4375 for day, _ in patients], [e for _, e in patients])
    days, months = kaplan_meier(table(patients)), kaplan_meier(in_months)
    assert days.survival.tobytes() == months.survival.tobytes()
    assert days.lower.tobytes() == months.lower.tobytes()


@given(PATIENTS, FRACTIONS)
def test_first_at_or_below_is_where_the_curve_comes_down_to_the_level(patients, p):
    curve = kaplan_meier(table(patients))
    found = quantile(curve, p, rule="first_at_or_below")
    low = curve.survival <= 1 - p + QUANTILE_TOLERANCE
    assert found.value == (curve.time[low][0] if low.any() else None)


@given(PATIENTS, FRACTIONS)
def test_midpoint_is_never_earlier_and_reached_together(patients, p):
    curve = kaplan_meier(table(patients))
    middle, first = quantile(curve, p), quantile(curve, p, rule="first_at_or_below")
    assert middle.not_reached == first.not_reached
    assert middle.value is None or middle.value >= first.value


@given(st.integers(1, 60))
def test_an_even_number_of_deaths_has_its_median_between_the_middle_two(half):
    """The curve rests on exactly one half between the two middle deaths."""
    everyone = kaplan_meier(table([(day, True) for day in range(1, 2 * half + 1)]))
    assert median(everyone).value == half + 0.5
    assert median(everyone, rule="first_at_or_below").value == half


@given(PATIENTS, st.integers(1, 70))
def test_restricted_mean_is_the_exact_area(patients, tau):
    steps = [(0, Fraction(1)), *((day, s) for day, s in exact_steps(patients) if day < tau)]
    ends = [*(day for day, _ in steps[1:]), tau]
    area = sum(s * (end - day) for (day, s), end in zip(steps, ends, strict=True))
    found = restricted_mean(kaplan_meier(table(patients)), tau)
    assert found.value == pytest.approx(float(area), rel=1e-12, abs=1e-12)


@given(PATIENTS)
def test_reversing_twice_changes_nothing(patients):
    assert bits(reverse(reverse(table(patients)))) == bits(table(patients))


@given(PATIENTS)
def test_at_risk_never_rises_over_landmarks(patients):
    curve = kaplan_meier(table(patients))
    at_risk = [survival_at(curve, t).at_risk for t in range(62)]
    assert at_risk[0] == len(patients)
    assert all(before >= after for before, after in pairwise(at_risk))


@given(CAUSES)
def test_incidences_and_survival_share_out_everyone(patients):
    curve = aalen_johansen(causes(patients))
    assert curve.survival + curve.incidence.sum(axis=1) == pytest.approx(1, rel=1e-12)
    assert np.all(np.diff(curve.incidence, axis=0) >= 0)


@given(CAUSES)
def test_one_cause_alone_is_the_complement_of_kaplan_meier(patients):
    alone = [(day, min(cause, 1)) for day, cause in patients]
    curve, incidence = kaplan_meier(table(alone)), aalen_johansen(causes(alone))
    assert incidence.survival.tobytes() == curve.survival.tobytes()
    assert incidence.incidence[:, 0] == pytest.approx(1 - curve.survival, rel=1e-12, abs=1e-14)
    alive = curve.survival > 0
    error = incidence.std_err[alive, 0]
    assert error == pytest.approx(curve.std_err[alive], rel=1e-9, abs=1e-12)


@given(CAUSES)
def test_the_names_of_the_causes_do_not_matter(patients):
    renamed = [(day, {0: 0, 1: 3, 2: 1, 3: 2}[cause]) for day, cause in patients]
    one, other = aalen_johansen(causes(patients)), aalen_johansen(causes(renamed))
    assert one.incidence.tobytes() == other.incidence[:, [2, 0, 1]].tobytes()
    assert one.std_err.tobytes() == other.std_err[:, [2, 0, 1]].tobytes()


@given(st.lists(PATIENTS, min_size=2, max_size=4))
def test_as_many_events_are_expected_as_observed(groups):
    found = logrank([table(group) for group in groups])
    assert sum(found.expected) == pytest.approx(sum(found.observed), rel=1e-12)


@given(st.lists(PATIENTS, min_size=2, max_size=4))
def test_the_order_of_the_groups_does_not_matter(groups):
    forth, back = (logrank([table(g) for g in order]) for order in (groups, groups[::-1]))
    assert (forth.df, forth.reason) == (back.df, back.reason)
    if forth.chi2 is not None:
        assert forth.chi2 == pytest.approx(back.chi2, rel=1e-7, abs=1e-9)


@given(PATIENTS)
def test_a_group_does_not_differ_from_itself(patients):
    found = logrank([table(patients), table(patients)])
    assert found.chi2 is None or found.chi2 == pytest.approx(0, abs=1e-12)
