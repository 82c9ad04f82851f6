"""Dose beside response and liver toxicity: whose dose it is, thirds, thresholds, the model, the test.

Worked by hand, or by R (glm, sandwich, pROC; the formulas of Obuchowski 1997).
"""

import math
from typing import Any

import numpy as np
import pytest

from analytics.doses.dose_response import (
    dose_groups,
    dose_groups_sets,
    dose_response,
    dose_response_sets,
)
from analytics.estimators.association.logistic import ONE_DOSE, ONE_OUTCOME, SEPARATED, logistic
from analytics.estimators.association.roc import area, optimism, youden
from schemas.settings import DosimetrySettings, ResponseSettings, ToxicitySettings
from tests.support.pipe_tables import check, run
from transforms.dosimetry.dose_outcomes import dose_outcomes
from warehouse.concordance.answers import answers

JUDGED = "| criterion | judged |\n| WHO | yes |"
FEW = ResponseSettings(bootstrap_samples=100)


def test_a_lesion_has_the_dose_of_the_one_target_that_holds_it() -> None:
    """A: each lobe has its target; the caudate lobe may lie in either. B's only target was the right.

    B's caudate lesion lies in it, its left one does not. C: the whole liver holds a lesion without a
    lobe. D: two targets of one lobe are never added. A re-treatment is no part of the course.
    """
    lesions = {"A": "123", "B": "13", "C": "1", "D": "1"}
    responses = "".join(
        f"| {who} | {n} | WHO | unconfirmed | PR | yes |\n"
        for who, ns in lesions.items()
        for n in ns
    )
    check(
        dose_outcomes,
        {
            "endpoint_criterion": JUDGED,
            "compartment_doses": """
            | subject_id | session_number | target_number | course | lobe  | compartment | device | dose_gy | dose_gy_recorded |
            | A          | 1              | 1             | 1      | right | tumour      | glass  | 200     | 210              |
            | A          | 2              | 1             | 1      | left  | tumour      | glass  | 100     |                  |
            | A          | 3              | 1             | 2      | right | tumour      | glass  | 90      |                  |
            | B          | 1              | 1             | 1      | right | tumour      | resin  | 80      |                  |
            | C          | 1              | 1             | 1      | whole | tumour      | glass  | 70      |                  |
            | D          | 1              | 1             | 1      | right | tumour      | glass  | 60      |                  |
            | D          | 2              | 1             | 1      | right | tumour      | glass  | 60      |                  |
            """,
            "followed_lesions": """
            | subject_id | lesion_number | organ | lobe    |
            | A          | 1             | liver | right   |
            | A          | 2             | liver | left    |
            | A          | 3             | liver | caudate |
            | A          | 4             | lung  |         |
            | B          | 1             | liver | caudate |
            | B          | 3             | liver | left    |
            | C          | 1             | liver |         |
            | D          | 1             | liver | right   |
            """,
            "lesion_response": "| subject_id | lesion_number | criterion | confirmation "
            "| best_response | evaluable |\n" + responses,
        },
        """
        | subject_id | lesion_number | measure                 | outcome  | level  | device | dose_gy | happened |
        | A          | 1             | tumour_dose_gy          | response | lesion | glass  | 200     | yes      |
        | A          | 1             | tumour_dose_gy_recorded | response | lesion | glass  | 210     | yes      |
        | A          | 2             | tumour_dose_gy          | response | lesion | glass  | 100     | yes      |
        | B          | 1             | tumour_dose_gy          | response | lesion | resin  | 80      | yes      |
        | C          | 1             | tumour_dose_gy          | response | lesion | glass  | 70      | yes      |
        """,
        ToxicitySettings(),
    )


def _patients(**facts: str) -> dict[str, str]:
    doses = "".join(
        f"| {who} | {part} | glass | {dose} |\n"
        for part in ("tumour", "normal_liver")
        for who, dose in zip("ABCDE", (50, 100, 150, 200, 250), strict=True)
    )
    return facts | {"course_doses": f"| subject_id | compartment | device | dose_gy |\n{doses}"}


def test_who_could_not_be_evaluated_has_no_known_response_and_no_third() -> None:
    """Of A to D, 50 to 200 Gy, the thirds end at 100 and at 150 Gy, and a dose there is below.

    E was not evaluable, C's response of a lobe alone is not counted, D's stable disease is none.
    """
    check(
        dose_outcomes,
        _patients(
            endpoint_criterion=JUDGED,
            subject_response="""
            | subject_id | organ | criterion | confirmation | best_response | evaluable |
            | A          | all   | WHO       | unconfirmed  | PD            | yes       |
            | B          | all   | WHO       | unconfirmed  | CR            | yes       |
            | C          | all   | WHO       | unconfirmed  | PR            | yes       |
            | C          | liver | WHO       | unconfirmed  | SD            | yes       |
            | C          | all   | EASL      | unconfirmed  | SD            | yes       |
            | D          | all   | WHO       | unconfirmed  | SD            | yes       |
            | D          | all   | WHO       | confirmed    | PR            | yes       |
            | E          | all   | WHO       | unconfirmed  | NE            | no        |
            """,
        ),
        """
        | subject_id | measure              | outcome           | dose_gy | happened | tertile |
        | A          | tumour_dose_gy       | response          | 50      | no       | 1       |
        | B          | tumour_dose_gy       | response          | 100     | yes      | 1       |
        | C          | tumour_dose_gy       | response          | 150     | yes      | 2       |
        | D          | tumour_dose_gy       | response          | 200     | no       | 3       |
        | E          | tumour_dose_gy       | response          | 250     |          |         |
        """
        + "".join(
            f"| {who} | normal_liver_dose_gy | {outcome} | {dose} | | |\n"
            for outcome in ("bilirubin_grade_2", "albi_grade_worse", "reild_candidate")
            for who, dose in zip("ABCDE", (50, 100, 150, 200, 250), strict=True)
        ),
        ToxicitySettings(),
    )


def test_liver_toxicity_is_set_beside_the_dose_to_normal_liver() -> None:
    """Grade 2 of the report's version in the primary window; ALBI after the planned course alone.

    E has no gradable bilirubin, no later ALBI and no bilirubin in the days of REILD.
    """
    found = run(
        dose_outcomes,
        _patients(
            toxicity="""
            | subject_id | source | term      | ctcae_version | time_window | worst_grade |
            | A          | lab    | bilirubin | 3.0           | primary     | 1           |
            | A          | lab    | bilirubin | 3.0           | any         | 4           |
            | A          | lab    | bilirubin | 5.0           | primary     | 2           |
            | B          | lab    | bilirubin | 3.0           | primary     | 2           |
            """,
            liver_function_changes="""
            | subject_id | session_number | score      | course | worse |
            | A          | 1              | ALBI       | 1      | no    |
            | A          | 2              | ALBI       | 2      | yes   |
            | A          | 1              | Child-Pugh | 1      | yes   |
            | B          | 1              | ALBI       | 1      | no    |
            | B          | 2              | ALBI       | 1      | yes   |
            | C          | 1              | ALBI       | 1      |       |
            """,
            subject_reild="""
            | subject_id | observed | candidate |
            | A          | yes      | no        |
            | B          | yes      | yes       |
            | C          | no       |           |
            """,
        ),
        ToxicitySettings(),
    )
    told = {
        (r["outcome"], r["subject_id"]): r["happened"]
        for r in found
        if r["measure"] == "normal_liver_dose_gy"
    }
    for outcome in ("bilirubin_grade_2", "albi_grade_worse", "reild_candidate"):
        assert [told[outcome, who] for who in "ABCE"] == [False, True, None, None]


def _outcomes(rows: list[tuple[Any, ...]], level: str = "subject") -> str:
    head = "| subject_id | lesion_number | measure | outcome | level | device | dose_gy | happened "
    body = "".join(
        f"| {who} | {lesion} | tumour_dose_gy | response | {level} | glass | {dose} "
        f"| {happened} | {tertile} |\n"
        for who, lesion, dose, happened, tertile in rows
    )
    return f"{head}| tertile |\n{body}"


SIX = _outcomes(
    [
        ("A", 0, 50, "no", 1),
        ("B", 0, 100, "no", 1),
        ("C", 0, 150, "yes", 2),
        ("D", 0, 204.9, "no", 2),
        ("E", 0, 205, "yes", 3),
        ("F", 0, 250, "yes", 3),
        ("G", 0, 300, "", ""),
    ]
)
MEMBERS = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCDEFG")])


def _asked(found: list[dict[str, Any]], level: str = "subject") -> list[dict[str, Any]]:
    like = {"device": "glass", "measure": "tumour_dose_gy", "outcome": "response", "level": level}
    return [r for r in found if all(r[k] == v for k, v in like.items())]


def test_thirds_and_both_sides_of_a_threshold_are_counted() -> None:
    """205 Gy is not below 205 Gy. 2 of 2 is 15.8 to 100 % (R's binom.test). G is in no group."""
    found = run(dose_groups, {"dose_outcomes": SIX, "population_members": MEMBERS}, FEW)
    told = {r["dose_group"]: r for r in _asked(found)}
    shown = ("n", "total", "minimum_gy", "maximum_gy")
    assert {group: tuple(r[c] for c in shown) for group, r in told.items()} == {
        "tertile_1": (0, 2, 50.0, 100.0),
        "tertile_2": (1, 2, 150.0, 204.9),
        "tertile_3": (2, 2, 205.0, 250.0),
        "below_205_gy": (1, 4, 50.0, 204.9),
        "from_205_gy": (2, 2, 205.0, 250.0),
    }
    assert told["tertile_3"]["lower"] == pytest.approx(15.811388300841898, rel=1e-12)
    resin = [r for r in found if r["device"] == "resin"]
    assert {r["reason"] for r in resin} == {"nobody in the group"}
    assert not any("205" in r["dose_group"] for r in resin)


def test_the_members_are_those_with_the_outcome() -> None:
    check(
        dose_groups_sets,
        {"dose_outcomes": SIX},
        """
        | set_id                                                         | subject_id |
        | dose_groups.glass.tumour_dose_gy.response.subject.below_205_gy | C          |
        | dose_groups.glass.tumour_dose_gy.response.subject.from_205_gy  | E          |
        | dose_groups.glass.tumour_dose_gy.response.subject.from_205_gy  | F          |
        | dose_groups.glass.tumour_dose_gy.response.subject.tertile_2    | C          |
        | dose_groups.glass.tumour_dose_gy.response.subject.tertile_3    | E          |
        | dose_groups.glass.tumour_dose_gy.response.subject.tertile_3    | F          |
        """,
    )
    check(
        dose_response_sets,
        {"dose_outcomes": SIX},
        """
        | set_id                                              | subject_id |
        | dose_response.glass.tumour_dose_gy.response.subject | C          |
        | dose_response.glass.tumour_dose_gy.response.subject | E          |
        | dose_response.glass.tumour_dose_gy.response.subject | F          |
        """,
    )


@pytest.mark.parametrize(("case", "level"), [("patients", "subject"), ("lesions", "lesion")])
def test_the_model_and_the_test_are_those_of_r(case: str, level: str) -> None:
    """Per 10 Gy. Of lesions the sandwich over patients, and Obuchowski's variance."""
    wanted = {k: v if len(v) != 1 else v[0] for k, v in answers("dose_response")[case].items()}
    units = zip(wanted["dose"], wanted["happened"], strict=True)
    own = wanted["cluster"] or range(len(wanted["dose"]))
    rows = [
        (f"P{who}", n if level == "lesion" else 0, dose, "yes" if happened else "no", 1)
        for n, (who, (dose, happened)) in enumerate(zip(own, units, strict=True), 1)
    ]
    members = "".join(f"| all | P{who} |\n" for who in dict.fromkeys(own))
    found = run(
        dose_response,
        {
            "dose_outcomes": _outcomes(rows, level),
            "population_members": f"| population | subject_id |\n{members}",
        },
        DosimetrySettings(),
    )
    (row,) = _asked(found, level)
    assert math.log(row["odds_ratio"]) == pytest.approx(10 * wanted["coef"], rel=1e-9)
    assert math.log(row["lower"]) == pytest.approx(10 * wanted["lower"], rel=1e-9)
    assert math.log(row["upper"]) == pytest.approx(10 * wanted["upper"], rel=1e-9)
    assert row["p"] == pytest.approx(wanted["p"], rel=1e-9)
    assert row["auc"] == pytest.approx(wanted["area"], rel=1e-12)
    away = 1.959963984540054 * math.sqrt(wanted["variance"])
    assert row["auc_lower"] == pytest.approx(wanted["area"] - away, rel=1e-9)
    assert row["auc_upper"] == pytest.approx(min(1, wanted["area"] + away), rel=1e-9)
    shown = ("cutoff_gy", "sensitivity", "specificity")
    cut = [wanted[n] for n in ("cutoff", "sensitivity", "specificity")]
    assert [row[n] for n in shown] == pytest.approx(cut, rel=1e-12)
    assert row["youden_corrected"] == pytest.approx(row["youden"] - row["optimism"], rel=1e-12)
    assert 0 < row["optimism"] < row["youden"]


def test_where_a_dose_parts_the_outcomes_there_is_no_odds_ratio_and_the_reason() -> None:
    """Below 150 Gy nobody responded, from there on everybody: the area is 1, without limits."""
    rows = [(who, 0, dose, happened, 1) for who, dose, happened in (
        ("A", 50, "no"), ("B", 100, "no"), ("C", 150, "yes"), ("D", 200, "yes"),
    )]  # fmt: skip
    found = run(
        dose_response,
        {"dose_outcomes": _outcomes(rows), "population_members": MEMBERS},
        DosimetrySettings(),
    )
    (row,) = _asked(found)
    assert (row["odds_ratio"], row["reason"]) == (None, SEPARATED)
    assert (row["auc"], row["auc_lower"], row["cutoff_gy"], row["youden"]) == (1, None, 125, 1)
    assert row["auc_reason"].startswith("no limits")
    nobody = [r for r in found if r["device"] == "resin"]
    assert {(r["n"], r["reason"]) for r in nobody} == {
        (0, "no such dose was delivered, or can be computed from what was")
    }


def test_where_response_is_judged_in_too_few_there_is_none_by_dose() -> None:
    """The criterion judges 4 of 10: neither a group nor a model; and a dose without any outcome."""
    too_few = "| criterion | n_treated | n_evaluable | judged |\n| WHO | 10 | 4 | no |"
    alone = "| subject_id | lesion_number | measure | outcome | level | device | dose_gy |\n"
    inputs = {
        "endpoint_criterion": too_few,
        "population_members": MEMBERS,
        "dose_outcomes": f"{alone}| A | 0 | target_dose_gy | reild_candidate | subject | glass | 90 |",
    }
    why = "not derivable: too few evaluable by WHO: 4 of 10 treated, 6 not evaluable"
    for derivation, settings in ((dose_groups, FEW), (dose_response, DosimetrySettings())):
        found = run(derivation, inputs, settings)
        assert {r["reason"] for r in found if r["outcome"] == "response"} == {why}
    (row,) = (r for r in found if r["n_unknown"])
    assert (row["n"], row["n_unknown"]) == (0, 1)
    assert row["reason"] == "it is known of nobody with such a dose"


@pytest.mark.parametrize(
    ("dose", "happened", "told"),
    [
        ([1, 2, 3], [0, 0, 0], ONE_OUTCOME),
        ([1, 2, 3], [1, 1, 1], ONE_OUTCOME),
        ([2, 2, 2], [1, 0, 1], ONE_DOSE),
        ([1, 2, 3, 4], [1, 1, 0, 0], SEPARATED),
        ([1, 2, 2, 3], [0, 0, 1, 1], SEPARATED),  # they share one dose and no more
        ([2, 2, 2, 3], [0, 0, 1, 1], SEPARATED),
    ],
)
def test_a_likelihood_that_rises_for_ever_has_no_estimate(
    dose: list[float], happened: list[float], told: str
) -> None:
    assert logistic(np.array(dose, float), np.array(happened, float)) == told


def test_areas_count_ties_half_and_need_two_of_each_for_a_variance() -> None:
    """1, 2 and 2 against 2 and 3: of six pairs one half, one half and three whole are greater."""
    found = area(np.array([1.0, 2, 2, 2, 3]), np.array([0.0, 0, 0, 1, 1]))
    assert found.value == pytest.approx((1 + 0.5 + 0.5 + 3) / 6, rel=1e-12)
    alone = area(np.array([1.0, 2, 3]), np.array([0.0, 0, 1]))
    assert alone.limits(0.95) is None


def test_of_equal_cut_offs_the_lowest_counts_and_one_dose_has_none() -> None:
    cut = youden(np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 0, 1]))
    assert cut is not None
    assert (cut.dose, cut.sensitivity, cut.specificity) == (1.5, 1.0, 0.5)
    assert youden(np.array([2.0, 2]), np.array([0.0, 1])) is None


def test_a_cut_off_of_chance_is_all_optimism() -> None:
    """Doses that say nothing of the outcome: what the best cut-off promises is due to its choice."""
    draw = np.random.Generator(np.random.PCG64(5))
    dose, happened = draw.normal(size=60), np.tile([0.0, 1.0], 30)
    cut = youden(dose, happened)
    assert cut is not None
    told = optimism(dose, happened, np.arange(60), seed=1, samples=400)
    again = optimism(dose, happened, np.arange(60), seed=1, samples=400)
    assert told == again
    assert told is not None
    assert told > 0.05
    assert abs(cut.youden - told) < 0.2
