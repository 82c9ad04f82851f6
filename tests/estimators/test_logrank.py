"""The log-rank test against R 4.2.2, survival 3.5-3: `survdiff`, k groups, with and without strata.

Expected values are R's, in warehouse/concordance/r/survival.json (made by survival.R beside it).
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from lifelines.statistics import multivariate_logrank_test

from analytics.estimators.kaplan_meier import event_table
from analytics.estimators.logrank import logrank, stratified_logrank
from warehouse.concordance.answers import R_ANSWERS as FROM_R

HERE = Path(__file__).parents[1]
R = json.loads((FROM_R / "survival.json").read_text())["tests"]
LUNG = pd.read_csv(FROM_R / "lung.csv")
GRADED = LUNG.dropna(subset="ph.ecog")
COHORT = pd.read_csv(FROM_R / "cohort.csv")
GROUPS = pd.read_csv(FROM_R / "groups.csv", keep_default_na=False)
TRIALS = {
    name: pd.read_csv(HERE.parent / "simulation" / "kmdata" / f"{name}.csv")
    for name in ("radiant4_2a", "radiant4_2c", "sirflox_3")
}


def tables(rows, group, levels=None):
    """One event table per level of the group, in R's order of levels."""
    levels = sorted(rows[group].unique()) if levels is None else levels
    parts = [rows[rows[group] == level] for level in levels]
    return [event_table(part.time.to_numpy(), part.event.to_numpy()) for part in parts]


def in_strata(rows, group, stratum):
    levels = sorted(rows[group].unique())
    return [tables(part, group, levels) for _, part in rows.groupby(stratum)]


def hand_made(name):
    return in_strata(GROUPS[GROUPS.case == name], "group", "stratum")


STRATA = {
    "lung by sex": [tables(LUNG, "sex")],
    "lung by ph.ecog": [tables(GRADED, "ph.ecog")],
    "lung by ph.ecog 0 to 2": [tables(GRADED, "ph.ecog", [0, 1, 2])],
    "lung by sex in strata of ph.ecog": in_strata(GRADED, "sex", "ph.ecog"),
    "lung by ph.ecog in strata of sex": in_strata(GRADED, "ph.ecog", "sex"),
    "cohort by ecog": [tables(COHORT, "ecog")],
    "cohort by burden": [tables(COHORT, "burden")],
    "cohort by albumin": [tables(COHORT, "albumin")],
    "cohort by bilirubin": [tables(COHORT, "bilirubin")],
    "cohort by ecog in strata of burden": in_strata(COHORT, "ecog", "burden"),
    **{name: [tables(rows, "arm")] for name, rows in TRIALS.items()},
    **{name: hand_made(name) for name in GROUPS.case.unique()},
}


def test_every_test_of_survival_r_is_asked_here():
    assert STRATA.keys() == R.keys()


@pytest.mark.parametrize("name", R)
def test_log_rank_is_that_of_survdiff(name):
    expected, found = R[name], stratified_logrank(STRATA[name])
    assert found.chi2 == pytest.approx(expected["chi2"][0], rel=1e-9)
    assert found.df == expected["df"][0]
    assert found.p == pytest.approx(expected["p"][0], rel=1e-9)
    assert found.observed == pytest.approx(expected["observed"], rel=1e-9)
    assert found.expected == pytest.approx(expected["expected"], rel=1e-9)
    assert found.reason is None


@pytest.mark.parametrize(
    ("name", "chi2"),
    [
        ("lung by sex", 10.3267419548856),
        ("cohort by ecog", 23.0190194391),
        ("cohort by burden", 9.62594021991),
        ("cohort by albumin", 5.67053725371),
        ("cohort by bilirubin", 9.62736293894),
        ("radiant4_2a", 13.41189534),
        ("sirflox_3", 1.037381479),
    ],
)
def test_the_answers_of_r_hold_the_numbers_of_the_specification(name, chi2):
    """Numbers of R's survdiff, noted apart: a second witness against a wrong survival.R."""
    assert R[name]["chi2"] == pytest.approx([chi2], rel=1e-9)


@pytest.mark.parametrize("group", ["sex", "ph.ecog"])
def test_lifelines_agrees(group):
    witness = multivariate_logrank_test(GRADED.time, GRADED[group], GRADED.event)
    found = logrank(tables(GRADED, group))
    assert found.chi2 == pytest.approx(witness.test_statistic, rel=1e-9)
    assert found.p == pytest.approx(witness.p_value, rel=1e-9)


def test_a_group_with_nobody_is_left_out_of_the_degrees_of_freedom():
    men, women = tables(LUNG, "sex")
    found = logrank([men, event_table([], []), women])
    assert (found.chi2, found.df) == (logrank([men, women]).chi2, 1)
    assert found.expected[1] == 0


@pytest.mark.parametrize(
    "groups",
    [
        [event_table([], []), event_table([], [])],
        [event_table([3, 5], [0, 0]), event_table([4], [0])],
        [event_table([3, 5], [1, 1]), event_table([], [])],
        [event_table([3, 5], [1, 1]), event_table([1, 2], [0, 0])],
    ],
    ids=["nobody", "all censored", "one group only", "the other left before the first event"],
)
def test_nothing_to_compare_is_said_and_not_tested(groups):
    found = logrank(groups)
    assert (found.chi2, found.df, found.p) == (None, 0, None)
    assert found.reason == "fewer_than_two_groups_at_risk"


def test_all_events_on_one_day_leave_no_variance():
    found = logrank([event_table([7, 7], [1, 1]), event_table([7], [1])])
    assert (found.chi2, found.df, found.reason) == (None, 1, "no_variance")
    assert (found.observed, found.expected) == ((2.0, 1.0), (2.0, 1.0))


@pytest.mark.parametrize(
    "strata", [[], [[event_table([1], [1])]], [tables(LUNG, "sex"), tables(LUNG, "sex")[:1]]]
)
def test_fewer_than_two_groups_are_refused(strata):
    with pytest.raises(ValueError, match="two or more groups"):
        stratified_logrank(strata)
