"""Shares of responders: who is in the denominator, and how sure the share is.

Source: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887 (categories); Clopper and Pearson 1934.
"""

import numpy as np
import pytest

from analytics.estimators.cluster_bootstrap import cluster_limits, cluster_weights
from analytics.outcomes.response import (
    criterion_agreement,
    criterion_agreement_sets,
    response_summary,
    response_summary_sets,
)
from analytics.summary import statistics, undefined
from schemas.contract import Table, rows
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import LesionResponse, SubjectResponse
from schemas.tables.outcomes import ResponseSummary
from tests.support.pipe_tables import check, run

BEST = """
    | subject_id | criterion | confirmation | best_response | any_decrease | over_50_decrease | evaluable | pd_before_course_end |
    | A          | WHO       | unconfirmed  | PR            | yes          | no               | yes       | no                   |
    | B          | WHO       | unconfirmed  | SD            | yes          | no               | yes       | no                   |
    | C          | WHO       | unconfirmed  | PD            | no           | no               | yes       | yes                  |
    | D          | WHO       | unconfirmed  | NE            |              |                  | no        | no                   |
"""
EVERYBODY = """
    | population | subject_id |
    | all        | A          |
    | all        | B          |
    | all        | C          |
    | all        | D          |
    | site:s1    | A          |
    | site:s2    | E          |
"""


def who_by_subject(
    lesion_response: Table[LesionResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ResponseSummary]:
    """The unconfirmed WHO responses of subjects."""
    found = response_summary(
        lesion_response, subject_response, population_members, settings=settings
    )
    return found.filter(
        (found.criterion == "WHO")
        & (found.level == "subject")
        & (found.organ == "all")
        & (found.confirmation == "unconfirmed")
    )


def test_those_not_evaluable_count_as_non_responders_in_the_first_denominator() -> None:
    """Both denominators are published."""
    check(
        who_by_subject,
        {
            "subject_response": BEST,
            "population_members": EVERYBODY.replace("| site:s2    | E          |", ""),
        },
        """
        | population | category         | n | total | n_evaluable | pct | pct_evaluable | method          |
        | all        | CR               | 0 | 4     | 3           | 0   | 0             | Clopper-Pearson |
        | all        | PR               | 1 | 4     | 3           | 25  | 33.3333333    | Clopper-Pearson |
        | all        | SD               | 1 | 4     | 3           | 25  | 33.3333333    | Clopper-Pearson |
        | all        | PD               | 1 | 4     | 3           | 25  | 33.3333333    | Clopper-Pearson |
        | all        | NE               | 1 | 4     | 3           | 25  |               | Clopper-Pearson |
        | all        | ORR              | 1 | 4     | 3           | 25  | 33.3333333    | Clopper-Pearson |
        | all        | DCR              | 2 | 4     | 3           | 50  | 66.6666667    | Clopper-Pearson |
        | all        | any_decrease     | 2 | 4     | 3           | 50  | 66.6666667    | Clopper-Pearson |
        | all        | over_50_decrease | 0 | 4     | 3           | 0   | 0             | Clopper-Pearson |
        | all        | pd_before_course_end | 1 | 4 | 3           | 25  | 33.3333333    | Clopper-Pearson |
        | site:s1    | CR               | 0 | 1     | 1           | 0   | 0             | Clopper-Pearson |
        | site:s1    | PR               | 1 | 1     | 1           | 100 | 100           | Clopper-Pearson |
        | site:s1    | SD               | 0 | 1     | 1           | 0   | 0             | Clopper-Pearson |
        | site:s1    | PD               | 0 | 1     | 1           | 0   | 0             | Clopper-Pearson |
        | site:s1    | NE               | 0 | 1     | 1           | 0   |               | Clopper-Pearson |
        | site:s1    | ORR              | 1 | 1     | 1           | 100 | 100           | Clopper-Pearson |
        | site:s1    | DCR              | 1 | 1     | 1           | 100 | 100           | Clopper-Pearson |
        | site:s1    | any_decrease     | 1 | 1     | 1           | 100 | 100           | Clopper-Pearson |
        | site:s1    | over_50_decrease | 0 | 1     | 1           | 0   | 0             | Clopper-Pearson |
        | site:s1    | pd_before_course_end | 0 | 1 | 1           | 0   | 0             | Clopper-Pearson |
        """,
    )


def test_a_population_without_lesions_is_not_derivable_rather_than_zero() -> None:
    """No share, no limits, and the reason."""
    found = run(response_summary, {"subject_response": BEST, "population_members": EVERYBODY})
    absent = [r for r in found if r["population"] == "site:s2"]
    assert len(absent) == (3 * 9 + 3 * 10) * 4 * 2  # three kinds of lesions, three organs
    shown = ("n", "total", "n_evaluable", "pct", "lower")
    assert {tuple(r[c] for c in shown) for r in absent} == {(0, 0, 0, None, None)}
    assert {r["reason"] for r in absent} == {"no lesions delivered"}


def lesions_by_territory(
    lesion_response: Table[LesionResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ResponseSummary]:
    """The unconfirmed WHO response rates of lesions."""
    found = response_summary(
        lesion_response, subject_response, population_members, settings=settings
    )
    return found.filter(
        (found.criterion == "WHO")
        & (found.level == "lesion")
        & (found.confirmation == "unconfirmed")
        & found.category.isin(["ORR", "NE"])
    )


def test_lesions_of_treated_and_of_untreated_lobes_are_counted_apart() -> None:
    """A lesion in a lobe that no session treated is no failure of treatment."""
    check(
        lesions_by_territory,
        {
            "lesion_response": """
                | subject_id | lesion_number | criterion | confirmation | best_response | evaluable | treated |
                | A          | 1             | WHO       | unconfirmed  | PR            | yes       | yes     |
                | A          | 2             | WHO       | unconfirmed  | SD            | yes       | yes     |
                | B          | 1             | WHO       | unconfirmed  | PD            | yes       | no      |
                | B          | 2             | WHO       | unconfirmed  | NE            | no        | no      |
            """,
            "population_members": "| population | subject_id |\n| all | A |\n| all | B |",
        },
        """
        | lesions   | category | n | total | n_evaluable | pct |
        | all       | ORR      | 1 | 4     | 3           | 25  |
        | all       | NE       | 1 | 4     | 3           | 25  |
        | treated   | ORR      | 1 | 2     | 2           | 50  |
        | treated   | NE       | 0 | 2     | 2           | 0   |
        | untreated | ORR      | 0 | 2     | 1           | 0   |
        | untreated | NE       | 1 | 2     | 1           | 50  |
        """,
    )


def test_a_criterion_that_nobody_can_be_judged_by_has_no_responders_to_count() -> None:
    """Without arterial phases EASL is not 0 %: nothing is known of it but that."""
    check(
        who_by_subject,
        {
            "subject_response": """
                | subject_id | criterion | confirmation | best_response | evaluable |
                | A          | WHO       | unconfirmed  | NE            | no        |
                | B          | WHO       | unconfirmed  | NE            | no        |
            """,
            "population_members": "| population | subject_id |\n| all | A |\n| all | B |",
        },
        """
        | category             | n | total | n_evaluable | pct | reason                                   |
        | CR                   |   | 2     | 0           |     | nothing evaluable under this criterion |
        | PR                   |   | 2     | 0           |     | nothing evaluable under this criterion |
        | SD                   |   | 2     | 0           |     | nothing evaluable under this criterion |
        | PD                   |   | 2     | 0           |     | nothing evaluable under this criterion |
        | NE                   | 2 | 2     | 0           | 100 |                                          |
        | ORR                  |   | 2     | 0           |     | nothing evaluable under this criterion |
        | DCR                  |   | 2     | 0           |     | nothing evaluable under this criterion |
        | any_decrease         |   | 2     | 0           |     | nothing evaluable under this criterion |
        | over_50_decrease     |   | 2     | 0           |     | nothing evaluable under this criterion |
        | pd_before_course_end |   | 2     | 0           |     | nothing evaluable under this criterion |
        """,
    )


def test_agreement_counts_the_same_units_under_two_criteria() -> None:
    """Unconfirmed, each pair of criteria once."""
    best = """
        | subject_id | lesion_number | criterion  | confirmation | best_response |
        | A          | 1             | WHO        | unconfirmed  | SD            |
        | A          | 1             | EASL       | unconfirmed  | CR            |
        | A          | 1             | RECIST 1.1 | unconfirmed  | SD            |
        | A          | 1             | mRECIST    | unconfirmed  | CR            |
        | A          | 2             | WHO        | unconfirmed  | SD            |
        | A          | 2             | EASL       | unconfirmed  | CR            |
        | A          | 2             | RECIST 1.1 | unconfirmed  | NE            |
        | A          | 2             | mRECIST    | unconfirmed  | NE            |
        | A          | 1             | WHO        | confirmed    | PD            |
    """
    check(
        criterion_agreement,
        {
            "lesion_response": best,
            "population_members": "| population | subject_id |\n| all | A |",
        },
        """
        | population | criterion_a | criterion_b | level  | category_a | category_b | n |
        | all        | WHO         | EASL        | lesion | SD         | CR         | 2 |
        | all        | WHO         | RECIST 1.1  | lesion | SD         | SD         | 1 |
        | all        | WHO         | RECIST 1.1  | lesion | SD         | NE         | 1 |
        | all        | WHO         | mRECIST     | lesion | SD         | CR         | 1 |
        | all        | WHO         | mRECIST     | lesion | SD         | NE         | 1 |
        | all        | EASL        | RECIST 1.1  | lesion | CR         | SD         | 1 |
        | all        | EASL        | RECIST 1.1  | lesion | CR         | NE         | 1 |
        | all        | EASL        | mRECIST     | lesion | CR         | CR         | 1 |
        | all        | EASL        | mRECIST     | lesion | CR         | NE         | 1 |
        | all        | RECIST 1.1  | mRECIST     | lesion | SD         | CR         | 1 |
        | all        | RECIST 1.1  | mRECIST     | lesion | NE         | NE         | 1 |
        """,
    )
    check(
        criterion_agreement_sets,
        {"lesion_response": best.replace("| A          | 2 ", "| B          | 2 ")},
        """
        | set_id                                              | subject_id | lesion_number |
        | criterion_agreement.who.easl.lesion.sd.cr           | A          | 1             |
        | criterion_agreement.who.easl.lesion.sd.cr           | B          | 2             |
        | criterion_agreement.who.recist_1_1.lesion.sd.sd     | A          | 1             |
        | criterion_agreement.who.recist_1_1.lesion.sd.ne     | B          | 2             |
        | criterion_agreement.who.mrecist.lesion.sd.cr        | A          | 1             |
        | criterion_agreement.who.mrecist.lesion.sd.ne        | B          | 2             |
        | criterion_agreement.easl.recist_1_1.lesion.cr.sd    | A          | 1             |
        | criterion_agreement.easl.recist_1_1.lesion.cr.ne    | B          | 2             |
        | criterion_agreement.easl.mrecist.lesion.cr.cr       | A          | 1             |
        | criterion_agreement.easl.mrecist.lesion.cr.ne       | B          | 2             |
        | criterion_agreement.recist_1_1.mrecist.lesion.sd.cr | A          | 1             |
        | criterion_agreement.recist_1_1.mrecist.lesion.ne.ne | B          | 2             |
        """,
    )


def test_each_category_lists_its_members() -> None:
    """ORR and DCR are unions of these: the statistic names them, and nobody is listed twice."""
    check(
        response_summary_sets,
        {"subject_response": BEST},
        """
        | set_id                                                | subject_id | lesion_number |
        | response_summary.who.subject.all.all.unconfirmed.pr           | A          | 0             |
        | response_summary.who.subject.all.all.unconfirmed.any_decrease | A          | 0             |
        | response_summary.who.subject.all.all.unconfirmed.sd           | B          | 0             |
        | response_summary.who.subject.all.all.unconfirmed.any_decrease | B          | 0             |
        | response_summary.who.subject.all.all.unconfirmed.pd           | C          | 0             |
        | response_summary.who.subject.all.all.unconfirmed.pd_before_course_end | C  | 0             |
        | response_summary.who.subject.all.all.unconfirmed.ne           | D          | 0             |
        """,
    )


@pytest.mark.parametrize(
    ("confirmation", "category", "numerator"),
    [
        ("confirmed", "PR", ("confirmed.pr",)),
        ("confirmed", "ORR", ("confirmed.cr", "confirmed.pr")),
        ("unconfirmed", "DCR", ("unconfirmed.cr", "unconfirmed.pr", "unconfirmed.sd")),
        ("confirmed", "any_decrease", ("unconfirmed.any_decrease",)),
    ],
)
def test_a_rate_names_the_sets_that_it_counts(
    confirmation: str, category: str, numerator: tuple[str, ...]
) -> None:
    """ORR is CR or PR, DCR is CR, PR or SD; whether a lesion shrank asks for no confirmation.

    All lesions are those of treated and of untreated territory, so that none is listed twice.

    Source: Frilling et al. 2019 (ORR and DCR).
    """
    row = {"population": "all", "criterion": "WHO", "organ": "all", "lesions": "all", "pct": 50.0}
    row |= {"confirmation": confirmation, "category": category, "statistic_id": "s"}
    stem = "response_summary.who"
    for level, kinds in (("lesion", ("treated", "untreated")), ("subject", ("all",))):
        records = [row | {"level": level}]
        made = statistics({ResponseSummary: rows(records, ResponseSummary)}, undefined)
        (named,) = made.execute()["numerator_set"]
        sets = [f"{stem}.{level}.all.{kind}.{part}" for part in numerator for kind in kinds]
        assert named == " | ".join(sets)


def test_lesions_of_one_patient_are_resampled_together() -> None:
    """Twenty patients of two equal lesions are twenty units, not forty.

    Of 20 patients 10 respond with both lesions. Resampling patients gives a share with standard
    error sqrt(0.5 * 0.5 / 20) = 11.2 %; lesions taken as independent would give 7.9 %.
    """
    weights = cluster_weights(np.array([10, 10]), seed=7, samples=20_000)
    assert (weights.sum(axis=1) == 20).all()
    lower, upper = cluster_limits(weights, np.array([2, 0]), np.array([2, 2]))
    assert lower is not None
    assert upper is not None
    assert (upper - lower) / (2 * 1.96) == pytest.approx(11.18, abs=1)


def test_a_bootstrap_without_spread_gives_no_limits() -> None:
    """None or all of the lesions responding would give limits of no width: they are withheld."""
    weights = cluster_weights(np.array([3, 2]), seed=7, samples=100)
    assert cluster_limits(weights, np.array([0, 0]), np.array([2, 1])) == (None, None)
    assert cluster_limits(weights, np.array([2, 1]), np.array([2, 1])) == (None, None)


def test_the_same_seed_gives_the_same_limits_in_any_order_of_rows() -> None:
    """The seed stands in the method's name; the order of rows in the engine does not matter."""
    best = [
        {"subject_id": f"s{i % 9}", "lesion_number": i, "best_response": "PR" if i % 3 else "SD"}
        for i in range(30)
    ]
    found = []
    for given in (best, best[::-1]):
        lines = [
            f"| {r['subject_id']} | {r['lesion_number']} | WHO| unconfirmed | {r['best_response']} | yes |"
            for r in given
        ]
        table = "\n".join(
            [
                "| subject_id | lesion_number | criterion | confirmation | best_response | evaluable |",
                *lines,
            ]
        )
        members = "| population | subject_id |\n" + "\n".join(f"| all | s{i} |" for i in range(9))
        responses = run(response_summary, {"lesion_response": table, "population_members": members})
        found.append(sorted(map(str, responses)))
    assert found[0] == found[1]
    assert "seed 20120701" in "".join(found[0])
