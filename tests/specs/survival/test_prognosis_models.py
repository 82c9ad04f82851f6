"""The registry's own model: terms, clock, strata and levels that come with time.

Expected values of lung and of Stanford's heart transplants are those of R 4.2.2, survival 3.5-3, in
warehouse/concordance/r/prognosis_rows.json with the commands beside it.
"""

import csv
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from analytics.estimators.cox_rows import BEFORE, Rows, fit_rows, likelihood, martingale, term_tests
from analytics.prognosis.chosen import fifths, prognosis_models, prognosis_residuals
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check, run
from warehouse.concordance.answers import R_ANSWERS

R = json.loads((R_ANSWERS / "prognosis_rows.json").read_text("utf-8"))
MANY = SurvivalSettings(events_per_variable_warn=1)
"""A model of four patients is warned of nothing here."""


def patients(*given: str, codes: tuple[str, ...], course_end: int = 0) -> dict[str, str]:
    """Tables of patients: `day event level ...`; a level of `-` is missing."""
    members = ["| population | subject_id |"]
    clocks = ["| subject_id | lesion_number | endpoint | start_day | time_days | event |"]
    levels = ["| subject_id | factor | factor_level | level_number |"]
    known = ["| subject_id | course_end_day |"]
    for number, patient in enumerate(given, start=1):
        day, event, *own = patient.split()
        members.append(f"| all | {number} |")
        clocks.append(f"| {number} | 0 | OS | 0 | {day} | {event} |")
        known.append(f"| {number} | {course_end} |")
        levels += [
            f"| {number} | {code} | L{level} | {level} |"
            for code, level in zip(codes, own, strict=True)
            if level != "-"
        ]
    return {
        "population_members": "\n".join(members),
        "time_to_event": "\n".join(clocks),
        "factor_levels": "\n".join(levels),
        "subjects": "\n".join(known),
    }


def test_without_terms_there_is_no_model() -> None:
    """The models of the series stand by themselves; nothing else is fitted unless it is asked for."""
    inputs = patients("10 yes 1", "20 yes 0", codes=("sex",))
    assert run(prognosis_models, inputs, MANY) == []


def test_each_level_is_compared_with_the_first_and_counted() -> None:
    """Two good and two bad patients die in the order bad, good, bad, good.

    By hand: the likelihood of the ratio r, r / (2 + 2r) * 1 / (2 + r) * r / (1 + r), is greatest at
    r = (1 + sqrt(17)) / 2 = 2.5616. The fifth patient lacks the factor.
    """
    check(
        prognosis_models,
        patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0", "50 no -", codes=("sex",)),
        """
        | term   | factor_level | entered | reference | n_level | events_level | hr         | n | events | missing | coefficients | events_per_variable | ph_df | reason    |
        | sex    | L0           | levels  |           | 2       | 2            |            | 4 | 4      | 1       | 1            | 4                   | 1     | reference |
        | sex    | L1           | levels  | L0        | 2       | 2            | 2.56155281 | 4 | 4      | 1       | 1            | 4                   | 1     |           |
        | global |              | whole   |           |         |              |            | 4 | 4      | 1       | 1            | 4                   | 1     |           |
        """,
        MANY,
        PrognosisSettings(terms=("sex",)),
    )


def test_a_number_enters_per_unit() -> None:
    """Values 1, 2 and 0; the first dies, then the second, and the third is left.

    By hand, with r the ratio per unit: r / (1 + r + r^2) * r^2 / (1 + r^2) is greatest where
    r^4 - 2 r^2 - 2 r - 3 = 0, at r = 1.95231036.
    """
    inputs = patients("1 yes 0", "2 yes 0", "3 no 0", codes=("age",))
    inputs["subjects"] = """
        | subject_id | course_end_day | age_years |
        | 1          | 0              | 1         |
        | 2          | 0              | 2         |
        | 3          | 0              | 0         |
    """
    check(
        prognosis_models,
        inputs,
        """
        | term   | factor_level | entered  | reference | hr         | n |
        | age    |              | per_unit | per year  | 1.95231036 | 3 |
        | global |              | whole    |           |            | 3 |
        """,
        MANY,
        PrognosisSettings(terms=("age",), continuous=("age",)),
    )


def test_a_stratum_has_its_own_baseline_hazard_and_no_ratio() -> None:
    """Stratum 0: a bad one dies before a good one. Stratum 1: a good one before two bad ones.

    By hand: r / (1 + r) * 1 / (1 + 2r) is greatest where 2 r^2 = 1.
    """
    check(
        prognosis_models,
        patients(
            "10 yes 1 0", "20 no 0 0", "10 yes 0 1", "30 no 1 1", "40 no 1 1", codes=("sex", "site")
        ),
        """
        | term   | factor_level | entered | hr         | n | reason                                |
        | sex    | L0           | levels  |            | 5 | reference                             |
        | sex    | L1           | levels  | 0.707106781 | 5 |                                       |
        | global |              | whole   |            | 5 |                                       |
        | site   |              | stratum |            | 5 | stratum: a baseline hazard of its own |
        """,
        MANY,
        PrognosisSettings(terms=("sex",), strata=("site",)),
    )


LATER = """
    | subject_id | factor      | factor_level | level_number | from_day |
    | 1          | new_therapy | no           | 0            |          |
    | 2          | new_therapy | yes          | 1            | 5        |
    | 3          | new_therapy | no           | 0            |          |
    | 4          | new_therapy | yes          | 1            | 15       |
"""


def test_a_level_that_comes_with_time_counts_after_its_day() -> None:
    """Patient 1 dies on day 10 without it; 2 has it from 5 and dies on 20, 4 from 15 and on 25.

    By hand: 1 / (3 + r) * r / (2r + 1) * r / (1 + r) is greatest where r^3 = 5 r + 3.
    Patient 2 is at both levels in turn, and counts at both.
    """
    inputs = patients("10 yes", "20 yes", "30 no", "25 yes", codes=())
    check(
        prognosis_models,
        inputs | {"settled_factors": LATER},
        """
        | term        | factor_level | entered        | n_level | events_level | hr         | n | events | reason    |
        | new_therapy | no           | time_dependent | 4       | 1            |            | 4 | 3      | reference |
        | new_therapy | yes          | time_dependent | 2       | 2            | 2.49086362 | 4 | 3      |           |
        | global      |              | whole          |         |              |            | 4 | 3      |           |
        """,
        MANY,
        PrognosisSettings(time_dependent=("new_therapy",)),
    )


def test_from_the_end_of_the_course_count_those_observed_beyond_it() -> None:
    """All courses end on day 10. 5 died by then, 6 was not followed beyond, 7 has no course.

    Of the four left the order is as in the first test, so that the ratio is the same.
    """
    inputs = patients(
        "20 yes", "30 yes", "40 yes", "50 yes", "10 yes", "10 no", "90 yes", codes=(), course_end=10
    )
    inputs["subjects"] = inputs["subjects"].replace("| 7 | 10 |", "| 7 | |")
    inputs["settled_factors"] = """
        | subject_id | factor   | factor_level | level_number | number | from_day |
        | 1          | sessions | >1           | 1            | 2      | 10       |
        | 2          | sessions | <=1          | 0            | 1      |          |
        | 3          | sessions | >1           | 1            | 2      | 10       |
        | 4          | sessions | <=1          | 0            | 1      |          |
        | 5          | sessions | >1           | 1            | 2      | 10       |
        | 6          | sessions | >1           | 1            | 2      | 10       |
    """
    check(
        prognosis_models,
        inputs,
        """
        | term     | factor_level | start      | hr         | n | missing | left_out_dead | left_out_censored |
        | sessions | <=1          | course_end |            | 4 | 0       | 1             | 2                 |
        | sessions | >1           | course_end | 2.56155281 | 4 | 0       | 1             | 2                 |
        | global   |              | course_end |            | 4 | 0       | 1             | 2                 |
        """,
        MANY,
        PrognosisSettings(terms=("sessions",), start="course_end"),
    )


def test_terms_enter_below_a_limit_of_p_alone_or_because_they_are_forced() -> None:
    """By hand: the likelihood ratio of `sex` alone is that of r = 2.5616 against r = 1.

    2 log(L(r) / L(1)) = 2 log(0.0577337 / 0.0416667) = 0.652333, so that p = 0.419278.
    """
    inputs = patients("10 yes 1 0", "20 yes 0 1", "30 yes 1 1", "40 yes 0 0", codes=("sex", "albi"))
    out = run(prognosis_models, inputs, MANY, PrognosisSettings(terms=("sex", "albi"), p_enter=0.4))
    assert [(r["term"], r["entered"], r["reason"]) for r in out] == [
        ("sex", "left_out", "not selected: p alone not below 0.4"),
        ("albi", "left_out", "not selected: p alone not below 0.4"),
    ]
    r = (1 + 17**0.5) / 2
    ratio = (r / (2 + 2 * r) / (2 + r) * r / (1 + r)) / (1 / 4 / 3 / 2)
    assert out[0]["p_alone"] == pytest.approx(float(_upper(2 * np.log(ratio))), abs=1e-12)
    forced = PrognosisSettings(terms=("albi",), forced=("sex",), p_enter=0.4)
    out = run(prognosis_models, inputs, MANY, forced)
    assert {r["term"] for r in out if r["entered"] == "levels"} == {"sex"}
    every = PrognosisSettings(factors=("sex", "albi"), p_enter=0.5)
    assert {r["term"] for r in run(prognosis_models, inputs, MANY, every)} == {
        *("sex", "albi", "ecog0", "burden25", "alb35", "bili12", "global")
    }


def _upper(chi2: float) -> float:
    """The upper tail of chi-square with one degree of freedom, by another formula."""
    return math.erfc(math.sqrt(chi2 / 2))


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (("10 yes 1 -", "20 yes 0 -"), {"albi": "nobody has it"}),
        (("10 yes 1 1", "20 yes 0 1", "30 yes 1 1", "40 yes 0 1"), {"albi": "one level only"}),
        (
            ("10 yes 1 1", "20 yes 0 0", "30 yes 1 1", "40 yes 0 0"),
            {"albi": "collinear with the terms before it"},
        ),
        (("10 no 1 0", "20 no 0 1"), {"sex": "no events", "albi": "no events"}),
        (
            ("10 no 1 0", "20 yes 0 1", "30 yes 0 0", "40 no 1 1", "50 yes 0 1"),
            {"sex": "separation: a level without events"},
        ),
        (
            ("10 yes 1 0", "20 no 0 1", "30 yes 1 1", "40 no 0 0", "50 yes 1 1"),
            {"sex": "separation: a level without events (the reference)"},
        ),
    ],
)
def test_what_cannot_be_estimated_is_left_out_with_the_reason(
    given: tuple[str, ...], reasons: dict[str, str]
) -> None:
    """Missing, one level, collinear, no event at all, a level without one, the reference without."""
    inputs = patients(*given, codes=("sex", "albi"))
    out = run(prognosis_models, inputs, MANY, PrognosisSettings(terms=("sex", "albi")))
    assert {r["term"]: r["reason"] for r in out if r["entered"] == "left_out"} == reasons


def test_the_patients_of_a_level_without_an_event_are_left_out_and_the_others_stand() -> None:
    """The coefficient of L2 falls for ever: in the limit its patients weigh nothing."""
    check(
        prognosis_models,
        patients("10 yes 1", "15 no 2", "20 yes 0", "30 yes 1", "40 yes 0", codes=("albi",)),
        """
        | term   | factor_level | n_level | events_level | hr         | n | reason                                                                    |
        | albi   | L0           | 2       | 2            |            | 4 | reference                                                                 |
        | albi   | L1           | 2       | 2            | 2.56155281 | 4 |                                                                           |
        | albi   | L2           | 0       | 0            |            | 4 | separation: a level without events; its patients are left out of the model |
        | global |              |         |              |            | 4 |                                                                           |
        """,
        MANY,
        PrognosisSettings(terms=("albi",)),
    )


def test_fewer_events_than_coefficients_are_not_fitted() -> None:
    """Two numbers and one event; and few events per variable are a warning."""
    inputs = patients("10 yes", "20 no", "30 no", "40 no", codes=())
    inputs["subjects"] = """
        | subject_id | course_end_day | age_years | ki67_pct |
        | 1          | 0              | 60        | 2        |
        | 2          | 0              | 50        | 9        |
        | 3          | 0              | 70        | 5        |
        | 4          | 0              | 66        | 1        |
    """
    terms = PrognosisSettings(terms=("age", "ki67"), continuous=("age", "ki67"))
    out = run(prognosis_models, inputs, SurvivalSettings(), terms)
    assert {r["term"]: (r["hr"], r["reason"]) for r in out} == dict.fromkeys(
        ("age", "ki67", "global"), (None, "fewer events than coefficients: not fitted")
    )
    few = patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0", codes=("sex",))
    out = run(prognosis_models, few, SurvivalSettings(), PrognosisSettings(terms=("sex",)))
    assert out[1]["reason"] == "fewer than 10 events per variable"
    assert out[1]["hr"] == pytest.approx((1 + 17**0.5) / 2)


def test_a_constant_number_is_left_out() -> None:
    """Everybody is 60: a number of one value says nothing."""
    inputs = patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0", codes=("sex",))
    ages = "\n".join(f"| {k} | 0 | 60 |" for k in range(1, 5))
    inputs["subjects"] = "| subject_id | course_end_day | age_years |\n" + ages
    terms = PrognosisSettings(terms=("sex", "age"), continuous=("age",))
    out = run(prognosis_models, inputs, MANY, terms)
    assert {r["term"]: r["reason"] for r in out}["age"] == "constant"
    assert out[1]["hr"] == pytest.approx((1 + 17**0.5) / 2)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"terms": ("ki_76",)}, r"no factor ki_76. Name some of ecog0"),
        ({"terms": ("sessions",)}, r'immortal time\). Write start = "course_end", or name it in'),
        ({"terms": ("tumour_dose",)}, r'immortal time\). Write start = "course_end"$'),
        ({"forced": ("new_therapy",)}, r"immortal time\). Name it in time_dependent"),
        ({"strata": ("lobes",)}, r'immortal time\). Write start = "course_end"'),
        ({"terms": ("group",)}, r"the levels of group belong to an endpoint. Leave it out"),
        ({"time_dependent": ("sex",)}, r"sex is known at T0. Name it in terms"),
        ({"time_dependent": ("tumour_dose",)}, r"at no level before. Write start"),
        ({"start": "course_end", "time_dependent": ("lobes",)}, r"settled when the clock starts"),
        ({"terms": ("sex",), "continuous": ("sex",)}, r"sex has levels and no number"),
        ({"terms": ("sex",), "continuous": ("age",)}, r"age is no term. Name it in terms"),
        ({"terms": ("sex",), "strata": ("sex",)}, r"sex is a term as well"),
        ({"terms": ("sex", "sex")}, r"a factor stands twice"),
        ({"endpoints": ("TTR",)}, r"no endpoint TTR is compared"),
    ],
)
def test_a_model_that_cannot_be_asked_for_is_refused(asked: dict[str, Any], told: str) -> None:
    """The message says what to write instead; the file and the key stand before it."""
    with pytest.raises(ValidationError) as refused:
        PrognosisSettings(**asked)
    message = refused.value.errors()[0]["msg"]
    assert re.search(told, message), message


def test_residuals_are_of_the_model_without_the_number_by_fifths_of_its_values() -> None:
    """Alone in the model: without it, each expects the Nelson-Aalen hazard at its day.

    By hand: deaths on days 1, 2 and 3 among 3, 2 and 1 at risk: residuals 1 - 1/3, 1 - 1/3 - 1/2
    and 1 - 1/3 - 1/2 - 1. Equal values share a fifth.
    """
    inputs = patients("1 yes", "2 yes", "3 yes", codes=())
    inputs["subjects"] = """
        | subject_id | course_end_day | age_years |
        | 1          | 0              | 50        |
        | 2          | 0              | 70        |
        | 3          | 0              | 60        |
    """
    check(
        prognosis_residuals,
        inputs,
        """
        | term | fifth | n | mean_value | mean_residual |
        | age  | 1     | 1 | 50         | 0.6666666667  |
        | age  | 2     | 1 | 60         | -0.8333333333 |
        | age  | 4     | 1 | 70         | 0.1666666667  |
        """,
        PrognosisSettings(terms=("age",), continuous=("age",)),
    )
    values = np.array([1.0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    ones = np.ones(10, int)
    assert fifths(values, ones).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert fifths(np.array([1.0, 1, 1, 1, 2]), np.ones(5, int)).tolist() == [1, 1, 1, 1, 5]


# Held to R.


def _read(name: str) -> list[dict[str, str]]:
    with (R_ANSWERS / name).open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def _column(given: list[dict[str, str]], name: str) -> Any:
    return np.array([float(r[name]) for r in given])


def lung(*columns: Any, stratum: str = "") -> Rows:
    given = _read("lung_rows.csv")
    size = len(given)
    return Rows(
        np.full(size, BEFORE),
        _column(given, "time"),
        _column(given, "event").astype(int),
        _column(given, stratum).astype(int) if stratum else np.zeros(size, int),
        np.column_stack(columns),
        np.ones(size, int),
        np.arange(size),
    )


def transplants(*, stratum: str = "") -> Rows:
    given = _read("jasa_rows.csv")
    return Rows(
        _column(given, "tstart"),
        _column(given, "tstop"),
        _column(given, "death").astype(int),
        _column(given, stratum).astype(int) if stratum else np.zeros(len(given), int),
        np.column_stack([_column(given, "trt"), _column(given, "age")]),
        np.ones(len(given), int),
        np.unique(_column(given, "subject"), return_inverse=True)[1],
    )


def _cases() -> dict[str, tuple[Rows, list[list[int]]]]:
    given = _read("lung_rows.csv")
    age, loss, ecog = (_column(given, name) for name in ("age", "wt.loss", "ecog"))
    one, two = (ecog == 1).astype(float), (ecog == 2).astype(float)
    return {
        "one": (lung(age), [[0]]),
        "numbers": (lung(age, loss), [[0], [1]]),
        "levels": (lung(age, one, two), [[0], [1, 2]]),
        "strata": (lung(age, loss, one, two, stratum="sex"), [[0], [1], [2, 3]]),
        "transplant": (transplants(), [[0], [1]]),
        "transplant_strata": (transplants(stratum="surgery"), [[0], [1]]),
    }


@pytest.mark.parametrize("case", list(_cases()))
def test_models_of_numbers_strata_and_changing_levels_are_those_of_r(case: str) -> None:
    """Coxph to 1e-9, cox.zph by term, martingale residuals by patient."""
    rows, terms = _cases()[case]
    wanted = R[case]
    found = fit_rows(rows)
    tests = term_tests(rows, found.coef, terms)
    assert found.converged
    close = {"rtol": 1e-9, "atol": 1e-12}
    np.testing.assert_allclose(found.coef, wanted["coef"], **close)
    np.testing.assert_allclose(found.se, wanted["se"], **close)
    log_likelihoods = [likelihood(rows), found.log_likelihood]
    np.testing.assert_allclose(log_likelihoods, wanted["log_likelihood"], **close)
    np.testing.assert_allclose([*tests.chi2, tests.chi2_global], wanted["zph_chi2"], **close)
    assert [*tests.df, sum(tests.df)] == wanted["zph_df"]
    np.testing.assert_allclose([*tests.p, tests.p_global], wanted["zph_p"], **close)
    residual = martingale(rows, found.coef)
    np.testing.assert_allclose(residual, wanted["martingale"], rtol=1e-9, atol=1e-9)


def test_rows_that_patients_share_count_as_many() -> None:
    """Two of everybody, as rows and as numbers, are one model."""
    one = lung(_column(_read("lung_rows.csv"), "age"))
    twice = Rows(
        *(np.tile(part, 2) for part in (one.start, one.stop, one.event, one.stratum)),
        np.tile(one.x, (2, 1)),
        np.tile(one.n, 2),
        np.arange(2 * one.n.size),
    )
    counted = Rows(one.start, one.stop, one.event, one.stratum, one.x, 2 * one.n, one.unit)
    a, b = fit_rows(twice), fit_rows(counted)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-12)
    np.testing.assert_allclose(a.se, b.se, rtol=1e-12)
    residuals = martingale(counted, b.coef)
    np.testing.assert_allclose(martingale(twice, a.coef), np.tile(residuals, 2), atol=1e-10)


def test_with_the_terms_of_the_series_it_is_the_model_of_the_series() -> None:
    """The reference cohort's four factors, whole, from tables to published rows, against R."""
    wanted = json.loads((R_ANSWERS / "prognosis.json").read_text("utf-8"))["together"]
    codes = {"ecog": "ecog0", "burden": "burden25", "albumin": "alb35", "bilirubin": "bili12"}
    given = [
        " ".join((r["time"], "yes" if r["event"] == "1" else "no", *(r[name] for name in codes)))
        for r in _read("cohort.csv")
    ]
    inputs = patients(*given, codes=tuple(codes.values()))
    terms = PrognosisSettings(terms=tuple(codes.values()))
    out = {(r["term"], r["factor_level"]): r for r in run(prognosis_models, inputs, MANY, terms)}
    own = [out[codes[name], "L1"] for name in wanted["term"]]
    for column, theirs in {"coef": "coef", "se": "se", "lower": "lower", "p": "p"}.items():
        np.testing.assert_allclose([r[column] for r in own], wanted[theirs], rtol=1e-9)
    tested = [*own, out["global", ""]]
    np.testing.assert_allclose([r["ph_chi2"] for r in tested], wanted["zph_chi2"], rtol=1e-9)
    assert [own[0]["n"], own[0]["events"]] == [*wanted["n"], *wanted["events"]]
    assert own[0]["events_per_variable"] == 28 / 4
