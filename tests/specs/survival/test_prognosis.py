"""Which baseline factors go with survival, alone and together.

Expected values of the reference cohort, of lung (survival package) and of the digitised trials are
those of R 4.2.2, survival 3.5-3, in warehouse/concordance/r/prognosis.json with the commands beside it.
"""

import json
import math
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.estimators.cox import concordance, faults, fit, proportional_hazards
from analytics.estimators.event_counts import event_counts
from analytics.outcomes.sensitivity import _p_values, crosses, sensitivity
from analytics.prognosis.series import fit_lifelines
from schemas.contract import rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FactorLevels, Subjects, TimeToEvent
from schemas.tables.outcomes import PrognosisMultivariable
from tests.support.pipe_tables import check
from tests.support.prognosis import FROM_R, alone, of_model, patients, patterns, read, together

R = json.loads((FROM_R / "prognosis.json").read_text())
FACTORS = {"ecog0": "ecog", "burden25": "burden", "alb35": "albumin", "bili12": "bilirubin"}
DEFAULT = SurvivalSettings()
Row = dict[str, Any]


def test_a_level_is_compared_with_the_good_one_and_above_1_is_worse() -> None:
    """Two good and two bad patients die in the order bad, good, bad, good.

    By hand: of the good, 2/4 + 2/3 + 1/2 + 1 = 2.667 deaths are expected and 2 happened; the variance
    is 1/4 + 2/9 + 1/4, so chi-square is 0.6667^2 / 0.7222 = 0.6154. The likelihood of the ratio r,
    r / (2 + 2r) * 1 / (2 + r) * r / (1 + r), is greatest at r = (1 + sqrt(17)) / 2 = 2.5616.
    """
    check(
        alone,
        patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0"),
        """
        | factor | factor_level | n | events | missing | chi2        | df | hr         | reason    |
        | ecog0  | good         | 2 | 2      | 0       | 0.615384615 | 1  |            | reference |
        | ecog0  | bad          | 2 | 2      | 0       | 0.615384615 | 1  | 2.56155281 |           |
        """,
    )


def test_patients_without_the_factor_are_left_out_and_counted() -> None:
    """Nobody is imputed: the fifth and sixth patient change nothing but `missing`."""
    check(
        alone,
        patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0", "5 yes -", "90 no -"),
        """
        | factor_level | n | events | missing | chi2        | hr         |
        | good         | 2 | 2      | 2       | 0.615384615 |            |
        | bad          | 2 | 2      | 2       | 0.615384615 | 2.56155281 |
        """,
    )


def test_a_level_without_events_has_no_finite_hazard_ratio() -> None:
    """The log-rank test stands; the ratio would be infinite and is not fitted (separation)."""
    check(
        alone,
        patients("10 yes 1", "20 no 0", "30 yes 1", "40 no 0"),
        """
        | factor_level | events | df | hr | lower | upper | reason                             |
        | good         | 0      | 1  |    |       |       | separation: a level without events |
        | bad          | 2      | 1  |    |       |       | separation: a level without events |
        """,
    )
    check(
        alone,
        patients("10 no 1", "20 yes 0", "30 no 1", "40 yes 0"),
        """
        | factor_level | events | df | hr | lower | upper | reason                             |
        | good         | 2      | 1  |    |       |       | reference                          |
        | bad          | 0      | 1  |    |       |       | separation: a level without events |
        """,
    )


def test_without_events_or_with_one_level_nothing_is_compared() -> None:
    """The reason stands where the number would."""
    check(
        alone,
        patients("10 no 1", "20 no 0"),
        """
        | factor_level | n | chi2 | p | hr | reason                                   |
        | good         | 1 |      |   |    | fewer_than_two_groups_at_risk; no events |
        | bad          | 1 |      |   |    | fewer_than_two_groups_at_risk; no events |
        """,
    )
    check(
        alone,
        patients("10 yes 1", "20 no 1"),
        """
        | factor_level | n | events | chi2 | p | hr | reason         |
        | bad          | 2 | 1      |      |   |    | one level only |
        """,
    )


def test_deaths_all_on_one_day_leave_nothing_to_test() -> None:
    """Everybody dies together: the log-rank test has no variance.

    Efron's likelihood still has one, and by symmetry the ratio is 1.
    """
    check(
        alone,
        patients("10 yes 1", "10 yes 0", "10 yes 1", "10 yes 0"),
        """
        | factor_level | chi2 | df | p | hr | reason                 |
        | good         |      | 1  |   |    | no_variance; reference |
        | bad          |      | 1  |   | 1  | no_variance            |
        """,
    )


def test_with_all_deaths_on_one_day_proportional_hazards_cannot_be_tested() -> None:
    """Efron's ratio is 1 by symmetry; time says nothing, so that the test is null."""
    check(
        of_model("all"),
        patients("10 yes 1", "10 yes 0", "30 no 1", "40 no 0"),
        """
        | term     | hr | ph_p | n | reason                            |
        | ecog0    | 1  |      | 4 | fewer than 10 events per variable |
        | global   |    |      | 4 | fewer than 10 events per variable |
        | burden25 |    |      | 4 | nobody has it                     |
        | alb35    |    |      | 4 | nobody has it                     |
        | bili12   |    |      | 4 | nobody has it                     |
        """,
    )


def test_a_constant_factor_is_reported_and_not_fitted() -> None:
    """All patients are bad in albumin: the model is of ECOG alone."""
    check(
        of_model("all"),
        patients("10 yes 1 1", "20 yes 0 1", "30 yes 1 1", "40 yes 0 1", terms=("ecog0", "alb35")),
        """
        | term     | hr         | n | events | missing | events_per_variable | reason                            |
        | ecog0    | 2.56155281 | 4 | 4      | 0       | 4                   | fewer than 10 events per variable |
        | global   |            | 4 | 4      | 0       | 4                   | fewer than 10 events per variable |
        | alb35    |            | 4 | 4      | 0       |                     | constant covariate                |
        | burden25 |            | 4 | 4      | 0       |                     | nobody has it                     |
        | bili12   |            | 4 | 4      | 0       |                     | nobody has it                     |
        """,
    )


def test_perfectly_collinear_factors_are_reported_and_fitted_once() -> None:
    """Albumin repeats ECOG: two coefficients would have no unique values."""
    check(
        of_model("all"),
        patients("10 yes 1 1", "20 yes 0 0", "30 yes 1 1", "40 yes 0 0", terms=("ecog0", "alb35")),
        """
        | term     | hr         | reason                                 |
        | ecog0    | 2.56155281 | fewer than 10 events per variable      |
        | global   |            | fewer than 10 events per variable      |
        | alb35    |            | collinear with the covariates before it |
        | burden25 |            | nobody has it                          |
        | bili12   |            | nobody has it                          |
        """,
    )


def test_separation_and_a_model_without_events_are_reported() -> None:
    """A good level in which nobody died makes the likelihood rise for ever."""
    check(
        of_model("all"),
        patients("10 yes 1", "20 no 0", "30 yes 1", "40 no 0"),
        """
        | term     | hr | events | reason                             |
        | ecog0    |    | 2      | separation: a level without events |
        | burden25 |    | 2      | nobody has it                      |
        | alb35    |    | 2      | nobody has it                      |
        | bili12   |    | 2      | nobody has it                      |
        """,
    )
    check(
        of_model("all"),
        patients("10 no 1", "20 no 0"),
        """
        | term     | hr | events | reason        |
        | ecog0    |    | 0      | no events     |
        | burden25 |    | 0      | nobody has it |
        | alb35    |    | 0      | nobody has it |
        | bili12   |    | 0      | nobody has it |
        """,
    )


def test_a_model_takes_complete_cases_and_counts_the_others() -> None:
    """The last patient has no albumin and is left out of the model of both."""
    check(
        of_model("all"),
        patients(
            "10 yes 1 0",
            "20 yes 0 1",
            "30 yes 1 1",
            "40 yes 0 0",
            "50 yes 1 0",
            "60 no 0 1",
            "70 yes 1 -",
            terms=("ecog0", "alb35"),
        ),
        """
        | term     | n | events | missing | events_per_variable |
        | ecog0    | 6 | 5      | 1       | 2.5                 |
        | alb35    | 6 | 5      | 1       | 2.5                 |
        | global   | 6 | 5      | 1       | 2.5                 |
        | burden25 | 6 | 5      | 1       |                     |
        | bili12   | 6 | 5      | 1       |                     |
        """,
    )


def test_only_factors_with_a_small_log_rank_p_enter_together() -> None:
    """ECOG alone has p = 0.43 here: nothing enters below 0.05, and it enters below 0.5."""
    inputs = patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0")
    check(
        of_model("univariate_p"),
        inputs,
        """
        | term     | hr | reason                                |
        | ecog0    |    | not selected: log-rank p not below 0.05 |
        | burden25 |    | not selected: log-rank p not below 0.05 |
        | alb35    |    | not selected: log-rank p not below 0.05 |
        | bili12   |    | not selected: log-rank p not below 0.05 |
        """,
    )
    check(
        of_model("univariate_p"),
        inputs,
        """
        | term     | hr         | reason                                 |
        | ecog0    | 2.56155281 |                                        |
        | global   |            |                                        |
        | burden25 |            | not selected: log-rank p not below 0.5 |
        | alb35    |            | not selected: log-rank p not below 0.5 |
        | bili12   |            | not selected: log-rank p not below 0.5 |
        """,
        SurvivalSettings(model_p_enter=0.5, events_per_variable_warn=4),
    )


# The reference cohort, held to R.


@pytest.fixture(scope="module")
def cohort() -> dict[str, ir.Table]:
    """The reference cohort's survival and its four factors; P09 sits on bilirubin 1.2 mg/dL."""
    given = [r | {"subject_id": f"P{k:02}"} for k, r in enumerate(read("cohort.csv"), start=1)]
    levels = [
        {
            "subject_id": r["subject_id"],
            "factor": factor,
            "endpoint": "",
            "factor_level": "bad" if r[column] == "1" else "good",
            "level_number": int(r[column]),
            "bad": r[column] == "1",
        }
        for r in given
        for factor, column in FACTORS.items()
    ]
    clocks = [
        {
            "subject_id": r["subject_id"],
            "lesion_number": 0,
            "endpoint": "OS",
            "start_day": 0,
            "time_days": int(r["time"]),
            "event": r["event"] == "1",
        }
        for r in given
    ]
    known = [
        {
            "subject_id": r["subject_id"],
            "bilirubin_le_1_2": r["bilirubin"] == "0",
            "bilirubin_lt_1_2": r["bilirubin"] == "0" and r["subject_id"] != "P09",
        }
        for r in given
    ]
    members = [{"subject_id": r["subject_id"], "population": "all"} for r in given]
    return {
        "population_members": rows(members, PopulationMembers),
        "time_to_event": rows(clocks, TimeToEvent),
        "factor_levels": rows(levels, FactorLevels),
        "subjects": rows(known, Subjects),
    }


def fetched(derivation: Any, tables: dict[str, ir.Table], *without: str) -> list[Row]:
    given = {name: table for name, table in tables.items() if name not in without}
    found: list[Row] = derivation(**given, settings=DEFAULT).to_pyarrow().to_pylist()
    return found


@pytest.mark.parametrize("factor", list(FACTORS))
def test_each_factor_of_the_reference_cohort_is_as_r_has_it(
    cohort: dict[str, ir.Table], factor: str
) -> None:
    """Log-rank 1.6e-6, 0.0019, 0.017 and 0.0019, as printed by Memon 2012; ratios by coxph."""
    found = next(
        r
        for r in fetched(alone, cohort, "subjects")
        if (r["factor"], r["factor_level"]) == (factor, "bad")
    )
    expected = R["alone"][FACTORS[factor]]
    assert found["chi2"] == pytest.approx(expected["logrank"]["chi2"][0], rel=1e-9)
    assert found["p"] == pytest.approx(expected["logrank"]["p"][0], rel=1e-9)
    assert math.log(found["hr"]) == pytest.approx(expected["cox"]["coef"][0], rel=1e-7)
    assert found["lower"] == pytest.approx(expected["cox"]["lower"][0], rel=1e-7)
    assert found["upper"] == pytest.approx(expected["cox"]["upper"][0], rel=1e-7)


@pytest.mark.parametrize(
    ("model", "case"),
    [("univariate_p", "together"), ("all", "together"), ("backward", "backward")],
)
def test_the_models_of_the_reference_cohort_are_as_r_has_them(
    cohort: dict[str, ir.Table], model: str, case: str
) -> None:
    """ECOG and bilirubin stay independent; seven deaths per factor are flagged as few."""
    expected = R[case]
    found = {r["term"]: r for r in fetched(together, cohort, "subjects") if r["model"] == model}
    column = {v: k for k, v in FACTORS.items()}
    for k, name in enumerate(expected["term"]):
        own = found[column[name]]
        for ours, theirs in (("coef", "coef"), ("se", "se"), ("lower", "lower"), ("p", "p")):
            assert own[ours] == pytest.approx(expected[theirs][k], rel=1e-7)
        assert own["concordance"] == pytest.approx(expected["concordance"][0], rel=1e-7)
        assert own["ph_p"] == pytest.approx(expected["zph_p"][k], rel=1e-7)
        assert (own["n"], own["events"]) == (40, 28)
    assert found["global"]["ph_p"] == pytest.approx(expected["zph_p"][-1], rel=1e-7)
    few = "fewer than 10 events per variable"
    assert found["ecog0"]["reason"] == (few if model != "backward" else None)


def test_the_other_reading_of_bilirubin_changes_no_conclusion(
    cohort: dict[str, ir.Table],
) -> None:
    """With `< 1.2` one patient changes sides: p 0.0161 alone, 0.0223 together.

    Burden and albumin move to 0.130 and 0.431 and stay where they were. Source: R on these rows.
    """
    members, clocks, levels = (
        cohort[name] for name in ("population_members", "time_to_event", "factor_levels")
    )
    found = {
        r["base_statistic_id"]: r
        for r in sensitivity(
            **cohort,
            event_counts=event_counts(members, clocks, levels, prognosis=PrognosisSettings()),
            settings=DEFAULT,
            prognosis=PrognosisSettings(),
        )
        .to_pyarrow()
        .to_pylist()
        if r["setting"] == "survival.bilirubin_good_includes_limit"
    }
    model = "prognosis_multivariable.all.os.univariate_p"
    for name, value in {
        "prognosis_univariate.all.os.bili12.bad": 0.016119098,
        f"{model}.bili12": 0.0222759027,
    }.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-7)
    assert round(found[f"{model}.burden25"]["value"], 3) == 0.130
    assert round(found[f"{model}.alb35"]["value"], 3) == 0.431
    assert not any(r["flips"] for r in found.values())


def test_another_interval_is_asked_at_the_day_of_the_landmark(cohort: dict[str, ir.Table]) -> None:
    """1, 2 and 3 years: 72.5, 62.5 and 45 % (Memon 2012), whatever the transformation."""
    members, clocks, levels = (
        cohort[name] for name in ("population_members", "time_to_event", "factor_levels")
    )
    readings = sensitivity(
        **cohort,
        event_counts=event_counts(members, clocks, levels, prognosis=PrognosisSettings()),
        settings=DEFAULT,
        prognosis=PrognosisSettings(),
    )
    landmarks = {
        (int(r["base_statistic_id"].rpartition(".")[2]), r["alternative"]): r["value"]
        for r in readings.to_pyarrow().to_pylist()
        if r["setting"] == "survival.conf_type"
    }
    published = {12: 0.725, 24: 0.625, 36: 0.45}
    assert landmarks == {
        (months, kind): pytest.approx(value, rel=1e-12)
        for months, value in published.items()
        for kind in ("log", "plain")
    }


def test_a_p_value_flips_when_it_crosses_one_in_twenty() -> None:
    """0.05 itself is not below 0.05; a p that is missing cannot cross."""
    assert crosses(0.05, 0.049)
    assert crosses(0.049, 0.05)
    assert not crosses(0.05, 0.06)
    assert not crosses(0.01, 0.049)
    assert not crosses(None, 0.01)


def test_a_p_value_that_another_reading_does_not_give_keeps_its_reason() -> None:
    """A term that the other model cannot fit has that reason; one that it leaves out has its own."""
    key = ("population", "endpoint", "term")
    base = [
        {"population": "all", "endpoint": "OS", "model": "all", "term": term, "p": 0.2}
        for term in ("alb35", "ecog0", "bili12")
    ]
    again = [
        {"population": "all", "endpoint": "OS", "term": "alb35", "p": None, "reason": "no events"},
        {"population": "all", "endpoint": "OS", "term": "ecog0", "p": 0.04, "reason": None},
    ]
    paired = _p_values(base, again, key, PrognosisMultivariable)
    assert [(r["value"], r["flips"], r["reason"]) for r in paired] == [
        (None, False, "no events"),
        (0.04, True, None),
        (None, False, "no such term"),
    ]


# The likelihood itself, held to R and to lifelines.


def test_the_likelihood_from_counts_is_that_of_coxph() -> None:
    """lung: age, sex and ECOG of 227 patients, ties by Efron; the test of cox.zph."""
    expected = R["lung"]
    counted = patterns(read("lung_cox.csv"), "age", "sex", "ph.ecog")
    found = fit(counted)
    assert found.converged
    assert found.coef.tolist() == pytest.approx(expected["coef"], rel=1e-7)
    assert found.se.tolist() == pytest.approx(expected["se"], rel=1e-7)
    assert found.log_likelihood == pytest.approx(expected["log_likelihood"][1], rel=1e-9)
    assert concordance(counted, found.coef) == pytest.approx(expected["concordance"][0], rel=1e-9)
    tested = proportional_hazards(counted, found.coef)
    assert [*tested.chi2, tested.chi2_global] == pytest.approx(expected["zph_chi2"], rel=1e-7)
    assert [*tested.p, tested.p_global] == pytest.approx(expected["zph_p"], rel=1e-7)


def test_lifelines_with_a_tight_precision_is_coxph() -> None:
    """Its default stops 2e-6 away in the coefficient of sex."""
    expected = R["lung"]
    terms = ("age", "sex", "ph.ecog")
    found = fit_lifelines(patterns(read("lung_cox.csv"), *terms), terms)
    assert found.coef.tolist() == pytest.approx(expected["coef"], rel=1e-7)
    assert found.se.tolist() == pytest.approx(expected["se"], rel=1e-7)


def test_three_levels_are_each_compared_with_the_first() -> None:
    """Indicator variables; tied deaths and censorings on day 12."""
    expected = R["three_levels"]["cox"]
    times = [5, 8, 12, 20, 21, 3, 4, 9, 12, 30, 2, 6, 7, 12, 15]
    events = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]
    given = [
        {"time": str(t), "event": str(e), "b": str(int(5 <= k < 10)), "c": str(int(k >= 10))}
        for k, (t, e) in enumerate(zip(times, events, strict=True))
    ]
    found = fit(patterns(given, "b", "c"))
    assert found.coef.tolist() == pytest.approx(expected["coef"], rel=1e-7)
    assert found.se.tolist() == pytest.approx(expected["se"], rel=1e-7)


def test_a_likelihood_that_rises_for_ever_is_not_called_a_fit() -> None:
    """No single level lacks events, yet x + y orders the deaths perfectly."""
    given = [
        {"time": "1", "event": "1", "x": "1", "y": "1"},
        {"time": "2", "event": "1", "x": "1", "y": "0"},
        {"time": "3", "event": "1", "x": "0", "y": "0"},
        {"time": "4", "event": "0", "x": "0", "y": "0"},
    ]
    counted = patterns(given, "x", "y")
    assert faults(counted, ["x", "y"]) == {}
    assert not fit(counted).converged
