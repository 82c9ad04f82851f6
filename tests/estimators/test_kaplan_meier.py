"""The kernel of survival against R 4.2.2, survival 3.5-3.

Expected values are R's, in warehouse/concordance/r/survival.json (made by survival.R beside it); a
few are written out here from the specification. lifelines 0.30.3 is a second witness.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from analytics.estimators.kaplan_meier import (
    EventTable,
    Quantile,
    event_table,
    kaplan_meier,
    median,
    merge,
    quantile,
    restricted_mean,
    reverse,
    survival_at,
)
from warehouse.concordance.answers import R_ANSWERS as FROM_R

HERE = Path(__file__).parents[1]
TRIALS = HERE.parent / "simulation" / "kmdata"
R = json.loads((FROM_R / "survival.json").read_text())["estimates"]


def read(path):
    # The default parser of pandas is off by one unit in the last place.
    return pd.read_csv(path, float_precision="round_trip")


SMALL = read(FROM_R / "small.csv")
COHORT = read(FROM_R / "cohort.csv")
LUNG = read(FROM_R / "lung.csv")


def rows_of(name):
    """Patients of a case in survival.R."""
    if name in {"lung", "cohort"}:
        return {"lung": LUNG, "cohort": COHORT}[name]
    if name == "lung_men":
        return LUNG[LUNG.sex == 1]
    if " " in name:
        trial, arm = name.split(" ")
        rows = read(TRIALS / f"{trial}.csv")
        return rows[rows.arm == arm]
    if name in set(SMALL.case):
        return SMALL[SMALL.case == name]
    factor, level = name.split("_")
    return COHORT[COHORT[factor] == int(level)]


def table_of(name):
    rows = rows_of(name)
    return event_table(rows.time.to_numpy(), rows.event.to_numpy())


def agree(found, expected):
    """Whether numbers are R's to 1e-9 (or 1e-14 near zero), None and nan standing for R's NA."""
    return numbers(found) == pytest.approx(numbers(expected), rel=1e-9, abs=1e-14, nan_ok=True)


def numbers(values):
    return np.atleast_1d(np.array(values, dtype=float))


BANDS = [(name, band) for name, case in R.items() for band in case["bands"]]


@pytest.mark.parametrize("name", R)
def test_curve_counts_survival_and_greenwood_are_those_of_survfit(name):
    expected, curve = R[name]["curve"], kaplan_meier(table_of(name))
    assert curve.time.tolist() == expected["time"]
    assert curve.at_risk.tolist() == expected["at_risk"]
    assert curve.events.tolist() == expected["events"]
    assert curve.censored.tolist() == expected["censored"]
    assert agree(curve.survival, expected["survival"])
    assert agree(curve.std_err, expected["std_err"])


@pytest.mark.parametrize(("name", "conf_type"), BANDS)
def test_band_is_that_of_survfit_except_that_it_is_one_before_the_first_event(name, conf_type):
    expected, curve = R[name]["bands"][conf_type], kaplan_meier(table_of(name), conf_type)
    untouched = np.cumsum(curve.events) == 0
    assert agree(curve.lower[~untouched], np.array(expected["lower"])[~untouched])
    assert agree(curve.upper[~untouched], np.array(expected["upper"])[~untouched])
    assert set(curve.lower[untouched]) | set(curve.upper[untouched]) <= {1.0}


@pytest.mark.parametrize(("name", "conf_type"), BANDS)
def test_quantiles_and_their_intervals_are_those_of_quantile_survfit(name, conf_type):
    expected, curve = R[name]["bands"][conf_type], kaplan_meier(table_of(name), conf_type)
    found = [quantile(curve, p) for p in (0.25, 0.5, 0.75)]
    assert agree([q.value for q in found], expected["quantile"])
    assert agree([q.lower for q in found], expected["quantile_lower"])
    assert agree([q.upper for q in found], expected["quantile_upper"])
    assert [q.not_reached for q in found] == [value is None for value in expected["quantile"]]


@pytest.mark.parametrize("name", R)
def test_landmarks_are_those_of_summary_while_anybody_is_at_risk(name):
    expected, curve = R[name]["landmarks"], kaplan_meier(table_of(name))
    for row, t in enumerate(expected["times"]):
        found = survival_at(curve, t)
        assert found.at_risk == expected["at_risk"][row]
        if found.at_risk == 0:
            assert (found.value, found.lower, found.reason) == (None, None, "beyond_follow_up")
        else:
            assert agree(found.value, expected["survival"][row])
            assert found.reason is None
        if found.value is not None and found.value < 1:
            assert agree(found.lower, expected["lower"][row])
            assert agree(found.upper, expected["upper"][row])


@pytest.mark.parametrize("name", R)
def test_restricted_mean_and_its_error_are_those_of_print_survfit(name):
    expected, curve = R[name]["restricted_means"], kaplan_meier(table_of(name))
    found = [restricted_mean(curve, tau) for tau in expected["tau"]]
    assert agree([m.value for m in found], expected["mean"])
    assert agree([m.std_err for m in found], expected["std_err"])


@pytest.mark.parametrize(("name", "conf_type"), BANDS)
def test_follow_up_is_the_median_of_the_reversed_curve(name, conf_type):
    found = median(kaplan_meier(reverse(table_of(name)), conf_type))
    assert agree([found.value, found.lower, found.upper], R[name]["reverse_median"][conf_type])


def test_the_answers_of_r_hold_the_numbers_of_the_specification():
    """Numbers of R 4.2.2, survival 3.5-3, noted apart: a witness against a wrong survival.R."""
    lung, cohort = R["lung"], R["cohort"]
    assert lung["bands"]["log-log"]["quantile"][1] == 310
    assert lung["bands"]["log-log"]["quantile_lower"][1] == 284
    assert lung["bands"]["log-log"]["quantile_upper"][1] == 361
    assert lung["reverse_median"]["log"] == [588, 511, 1010]
    landmarks = [0.703515416845995, 0.409241624460064, 0.115693098344539]
    assert agree(lung["landmarks"]["survival"][2:5], landmarks)
    assert agree(cohort["landmarks"]["survival"][3:6], [0.725, 0.625, 0.45])
    lower = [0.558685942004074, 0.456911514159906, 0.293360263515871]
    assert agree(cohort["landmarks"]["lower"][3:6], lower)
    assert cohort["bands"]["log-log"]["quantile"] == [354, 1047, 2041]
    assert agree(R["months40"]["bands"]["log-log"]["quantile_lower"][1], 59 / 3)
    assert R["sirflox_3 mfolfox6"]["landmarks"]["survival"][2] == pytest.approx(0.4104966, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "midpoint", "first"),
    [
        ("cohort", 1047, 1046),
        ("x06_plain", 1047, 1047),
        ("months40", 34.6, 34.4),
        ("half_of_8", 4.5, 4),
        ("half_of_10", 5.5, 5),
        ("half_of_20", 10.5, 10),
        ("half_of_40", 20.5, 20),
        ("half_of_80", 40.5, 40),
        ("half_by_rounding", 9, 9),
        ("ends_on_half", 5.5, 2),
        ("burden_1", 354, 343),
        ("never_below_half", None, None),
        ("last_is_event_after_half", 2.5, 2),
    ],
)
def test_the_two_rules_differ_only_where_the_curve_is_flat_at_one_half(name, midpoint, first):
    curve = kaplan_meier(table_of(name))
    assert agree(median(curve).value, midpoint)
    assert agree(median(curve, rule="first_at_or_below").value, first)


@pytest.mark.parametrize(
    "name", ["lung", "lung_men", "radiant4_2a everolimus", "sirflox_3 mfolfox6"]
)
def test_lifelines_agrees_where_no_plateau_is_at_one_half(name):
    rows, curve = rows_of(name), kaplan_meier(table_of(name))
    fitter = KaplanMeierFitter().fit(rows.time, rows.event)
    band = fitter.confidence_interval_.iloc[1:]
    assert agree(curve.survival, fitter.survival_function_at_times(curve.time).to_numpy())
    assert agree(curve.lower, band.iloc[:, 0].to_numpy())
    assert agree(curve.upper, band.iloc[:, 1].to_numpy())
    assert median(curve).value == fitter.median_survival_time_


def test_nobody_gives_no_curve_and_no_numbers():
    curve = kaplan_meier(event_table([], []))
    assert curve.survival.shape == (0,)
    assert median(curve) == Quantile(None, None, None, not_reached=False)
    assert survival_at(curve, 12).reason == "nobody"
    assert restricted_mean(curve, 12).value is None


def test_a_curve_that_never_comes_down_is_not_reached():
    assert median(kaplan_meier(table_of("never_below_half"))).not_reached


def test_after_the_last_event_took_everyone_the_level_is_zero_and_its_band_unknown():
    curve = kaplan_meier(table_of("last_is_event"))
    at_the_event = survival_at(curve, 8)
    assert (at_the_event.value, at_the_event.at_risk) == (0.0, 1)
    assert (at_the_event.lower, at_the_event.upper, at_the_event.reason) == (None, None, None)
    assert survival_at(curve, 8.5).reason == "beyond_follow_up"


@pytest.mark.parametrize(
    ("tau", "extended"), [(8, False), (9, False), (9.5, True)], ids=["before", "at", "past"]
)
def test_restricted_mean_says_when_it_carried_the_last_level_on(tau, extended):
    """The last time of this case is a censoring on day 9."""
    assert restricted_mean(kaplan_meier(table_of("ends_on_half")), tau).extended == extended


def test_restricted_mean_past_a_curve_that_ended_on_zero_carries_nothing_on():
    assert not restricted_mean(kaplan_meier(table_of("last_is_event")), 50).extended


def test_other_coverage_changes_the_band_only():
    """R: survfit(Surv(time, event) ~ 1, lung, conf.type = "log-log", conf.int = 0.9)."""
    curve = kaplan_meier(table_of("lung"), conf_level=0.9)
    year = survival_at(curve, 365.25)
    assert agree(
        [year.value, year.lower, year.upper],
        [0.4092416244600644, 0.35004774473070599, 0.46744776187895221],
    )


def test_a_table_may_come_from_an_engine_that_sums_into_doubles():
    table = EventTable(np.array([1, 3]), np.array([1.0, 0.0]), np.array([0.0, 2.0]))
    assert agree(kaplan_meier(table).survival, [2 / 3, 2 / 3])


@pytest.mark.parametrize("time", [[0.0, -0.0], [-0.0, 0.0]])
def test_minus_zero_is_day_zero_to_the_bit(time):
    assert event_table(time, [True, False]).time.tobytes() == np.zeros(1).tobytes()


def test_a_band_that_turns_back_is_read_as_r_reads_it():
    """The upper side falls below one half on day 42 and once more, nearer to it, on day 46."""
    curve = kaplan_meier(table_of("band_turns_back"), "log")
    assert curve.time[curve.upper <= 0.5][0] == 42
    assert median(curve).upper == 46 == R["band_turns_back"]["bands"]["log"]["quantile_upper"][1]


def test_merging_nothing_is_nobody():
    assert merge([]).n == 0


@pytest.mark.parametrize(
    ("time", "event", "words"),
    [
        ([-1, 2], [1, 0], "negative"),
        ([float("nan"), 2], [1, 0], "missing"),
        ([float("inf"), 2], [1, 0], "infinite"),
        ([1, 2], [1, 2], "code"),
        ([1, 2], [1, 0.5], "whole"),
        ([1, 2, 3], [1, 0], "length"),
    ],
)
def test_rows_that_are_no_survival_times_are_refused(time, event, words):
    with pytest.raises(ValueError, match=words):
        event_table(time, event)


@pytest.mark.parametrize(
    ("time", "events", "censored", "words"),
    [
        ([2, 1], [1, 1], [0, 0], "ascending"),
        ([1, 1], [1, 1], [0, 0], "ascending"),
        ([1, 2], [1, -1], [0, 2], "whole"),
        ([1, 2], [1, 0], [0, 0], "without anybody"),
        ([1, 2], [1], [0, 1], "length"),
    ],
)
def test_tables_that_break_their_rules_are_refused(time, events, censored, words):
    with pytest.raises(ValueError, match=words):
        EventTable(np.array(time), np.array(events), np.array(censored))


@pytest.mark.parametrize(
    "ask",
    [
        lambda curve: survival_at(curve, -1),
        lambda curve: survival_at(curve, float("nan")),
        lambda curve: quantile(curve, 0),
        lambda curve: quantile(curve, 1),
        lambda curve: restricted_mean(curve, 0),
        lambda _: kaplan_meier(table_of("lung"), conf_level=95),
    ],
)
def test_questions_outside_their_range_are_refused(ask):
    with pytest.raises(ValueError, match="Give"):
        ask(kaplan_meier(table_of("lung")))
