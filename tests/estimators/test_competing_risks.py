"""Cumulative incidence against R 4.2.2, survival 3.5-3: `survfit` with a factor as status.

Expected values are R's, in warehouse/concordance/r/survival.json (made by survival.R beside it).
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analytics.estimators.competing_risks import (
    CauseTable,
    aalen_johansen,
    cause_table,
    incidence_at,
)
from warehouse.concordance.answers import R_ANSWERS as FROM_R

R = json.loads((FROM_R / "survival.json").read_text())["incidences"]
CAUSES = pd.read_csv(FROM_R / "causes.csv")
MGUS2 = pd.read_csv(FROM_R / "mgus2.csv")
BANDS = [(name, conf_type) for name in R for conf_type in ("log-log", "log", "plain")]


def table_of(name):
    rows = MGUS2 if name == "mgus2" else CAUSES[CAUSES.case == name]
    return cause_table(rows.time.to_numpy(), rows.cause.to_numpy(), n_causes=rows.cause.max())


def agree(found, expected):
    """Whether numbers are R's to 1e-9 (or 1e-14 near zero), None and nan standing for R's NA."""
    expected_numbers = np.array(expected, dtype=float)
    answer = pytest.approx(expected_numbers, rel=1e-9, abs=1e-14, nan_ok=True)
    return np.array(found, dtype=float) == answer


@pytest.mark.parametrize("name", R)
def test_incidence_and_its_error_are_those_of_survfit(name):
    expected, curve = R[name]["log-log"], aalen_johansen(table_of(name))
    assert curve.time.tolist() == expected["time"]
    assert agree(curve.survival, expected["survival"])
    assert agree(curve.incidence, expected["incidence"])
    assert agree(curve.std_err, expected["std_err"])


@pytest.mark.parametrize(("name", "conf_type"), BANDS)
def test_band_is_that_of_survfit_except_that_it_is_zero_before_the_cause(name, conf_type):
    expected, curve = R[name][conf_type], aalen_johansen(table_of(name), conf_type)
    untouched = np.cumsum(curve.events, axis=0) == 0
    assert agree(curve.lower[~untouched], np.array(expected["lower"])[~untouched])
    assert agree(curve.upper[~untouched], np.array(expected["upper"])[~untouched])
    assert set(curve.lower[untouched]) | set(curve.upper[untouched]) <= {0.0}


def test_tied_causes_share_the_risk_set_of_their_day():
    """By hand: day 1 takes one of each cause from 10, day 2 one of each from the 8 left."""
    curve = aalen_johansen(table_of("tied_causes"))
    assert agree(curve.incidence[:2], [[0.1, 0.1], [0.2, 0.2]])
    assert agree(curve.survival[:2], [0.8, 0.6])


def test_landmark_reads_the_last_row_at_or_before_it():
    curve = aalen_johansen(table_of("tied_causes"))
    first, second = incidence_at(curve, 4.5)
    assert agree([first.value, second.value], [0.5, 0.2])
    assert (first.at_risk, second.at_risk, first.reason) == (2, 2, None)


def test_before_the_first_event_nobody_had_any():
    first, second = incidence_at(aalen_johansen(table_of("tied_causes")), 0.5)
    assert (first.value, first.lower, first.upper, first.at_risk) == (0.0, 0.0, 0.0, 10)
    assert second == first


def test_landmark_that_nobody_reached_is_beyond_follow_up():
    curve = aalen_johansen(table_of("tied_causes"))
    assert [e.reason for e in incidence_at(curve, 6)] == [None, None]
    found = incidence_at(curve, 6.5)
    assert [(e.value, e.reason) for e in found] == [(None, "beyond_follow_up")] * 2


def test_nobody_gives_no_curve_and_no_numbers():
    curve = aalen_johansen(cause_table([], [], n_causes=2))
    assert curve.incidence.shape == (0, 2)
    assert [e.reason for e in incidence_at(curve, 12)] == ["nobody", "nobody"]


def test_one_patient_with_one_event_has_all_the_incidence():
    curve = aalen_johansen(cause_table([5], [2], n_causes=2))
    assert curve.incidence.tolist() == [[0.0, 1.0]]
    assert curve.survival.tolist() == [0.0]


def test_everyone_with_the_only_cause_is_exactly_one_and_its_log_log_band_unknown():
    """Rounding alone would leave a standard error of 4e-9, and a band made of it."""
    table = cause_table([0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 1, 1], n_causes=2)
    curve = aalen_johansen(table)
    assert (curve.incidence[-1, 0], curve.std_err[-1, 0]) == (1.0, 0.0)
    assert np.isnan([curve.lower[-1, 0], curve.upper[-1, 0]]).all()
    assert aalen_johansen(table, "log").lower[-1, 0] == 1.0


def test_all_censored_have_no_incidence():
    curve = aalen_johansen(cause_table([3, 5, 5], [0, 0, 0], n_causes=2))
    assert not curve.incidence.any()
    assert curve.survival.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("time", "cause", "words"),
    [
        ([-1, 2], [1, 0], "negative"),
        ([1, 2], [1, 3], "n_causes"),
        ([1, 2], [1, -1], "whole"),
        ([1, 2, 3], [1, 0], "length"),
    ],
)
def test_rows_that_are_no_survival_times_are_refused(time, cause, words):
    with pytest.raises(ValueError, match=words):
        cause_table(time, cause, n_causes=2)


@pytest.mark.parametrize(
    ("events", "censored", "words"),
    [
        ([[1, 0], [0, 0]], [0, 0], "without anybody"),
        ([[1, 0]], [0, 1], "length"),
        ([1, 1], [0, 0], "length"),
    ],
)
def test_tables_that_break_their_rules_are_refused(events, censored, words):
    with pytest.raises(ValueError, match=words):
        CauseTable(np.array([1, 2]), np.array(events), np.array(censored))
