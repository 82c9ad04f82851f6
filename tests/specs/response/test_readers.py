"""Agreement of readers: which responses are compared, and the coefficients.

Expected coefficients are those of R 4.2.2, vcd's Kappa: warehouse/concordance/r/kappa.R made kappa.json.

Source: Cohen 1960, Educ Psychol Meas 20:37; Fleiss, Cohen and Everitt 1969, Psychol Bull 72:323;
Fleiss 1971, Psychol Bull 76:378.
"""

import json
from typing import Any

import numpy as np
import pytest

from analytics.classes.readers import reader_agreement, reader_agreement_sets
from analytics.estimators.kappa import cohen, cohen_error, fleiss, linear_weights, of_resamples
from schemas.contract import Table
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import LesionAssessments, SubjectAssessments
from schemas.tables.outcomes.readers import ReaderAgreement
from tests.support.pipe_tables import check, run
from warehouse.concordance.answers import R_ANSWERS

R = json.loads((R_ANSWERS / "kappa.json").read_text())


@pytest.mark.parametrize(("name", "size"), [("diagnoses", 3), ("readers", 4)])
def test_kappa_of_two_readers_is_that_of_r(name: str, size: int) -> None:
    """Value and standard error, unweighted and with linear weights; Fleiss prints 0.68."""
    wanted = R[name]
    table = np.array(wanted["table"], float).reshape(size, size)
    for weights, stem in ((np.eye(size), ""), (linear_weights(size), "linear_")):
        (kappa,), (error,) = wanted[stem[:-1] or "kappa"], wanted[f"{stem}se"]
        assert float(cohen(table, weights)) == pytest.approx(kappa, rel=1e-9)
        assert cohen_error(table, weights) == pytest.approx(error, rel=1e-9)
    if name == "diagnoses":
        assert round(float(cohen(table, np.eye(3))), 2) == 0.68


def test_kappa_of_many_readers_is_that_of_r() -> None:
    """Fourteen readers of ten units in five classes: 0.210."""
    table = np.array(R["psychiatrists"]["table"], float).reshape(10, 5)
    value = float(fleiss(table.sum(axis=0), np.asarray((table**2).sum()), 14))
    assert value == pytest.approx(R["psychiatrists"]["kappa"][0], rel=1e-9)
    assert round(value, 3) == 0.21


def test_in_one_class_chance_alone_explains_everything() -> None:
    """No coefficient, and the reason; resamples that are all alike give no limits."""
    one = np.zeros((4, 4))
    one[1, 1] = 7
    assert np.isnan(float(cohen(one, np.eye(4))))
    assert of_resamples(np.asarray(np.nan), np.array([0.5])).reason == "all in one class"
    alike = of_resamples(np.asarray(1.0), np.array([1.0, 1.0, np.nan]))
    assert (alike.value, alike.lower, alike.reason) == (
        1.0,
        None,
        "no limits: the resamples have no spread",
    )


def of_patients(
    lesion_assessments: Table[LesionAssessments],
    subject_assessments: Table[SubjectAssessments],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ReaderAgreement]:
    """Agreement on patients under WHO."""
    found = reader_agreement(
        lesion_assessments, subject_assessments, population_members, settings=settings
    )
    return found.filter((found.criterion == "WHO") & (found.level == "subject"))


READ = """
    | subject_id | criterion | organ | reader  | rel_day | response      | in_window |
    | A          | WHO       | all   | central | 30      | SD            | yes       |
    | A          | WHO       | all   | central | 90      | PR            | yes       |
    | A          | WHO       | all   | local   | 30      | PR            | yes       |
    | B          | WHO       | all   | central | 30      | SD            | yes       |
    | B          | WHO       | all   | local   | 30      | SD            | yes       |
    | C          | WHO       | all   | central | 30      | PD            | yes       |
    | C          | WHO       | all   | local   | 30      | SD            | yes       |
    | D          | WHO       | all   | central | 30      | NE            | yes       |
    | D          | WHO       | all   | local   | 30      | PR            | yes       |
    | E          | WHO       | all   | central | 30      | NON-CR/NON-PD | yes       |
    | E          | WHO       | all   | local   | 30      | PD            | yes       |
    | F          | WHO       | all   | local   | 30      | PR            | yes       |
    | G          | WHO       | all   | central | 30      | PR            | no        |
    | G          | WHO       | all   | local   | 30      | PR            | yes       |
"""
EVERYONE = "| population | subject_id |" + "".join(f"\n| all | {n} |" for n in "ABCDEFG")


def test_best_responses_of_two_readers_are_compared_where_both_could_judge() -> None:
    """A and B agree, C does not; who one reader could not place is in no comparison.

    Shares: PR, SD, PD are 1/3 each by the central reader, 1/3 PR and 2/3 SD by the local one: po is
    2/3, pe 1/3, kappa 1/2. With linear weights neighbours count 2/3: po 8/9, pe 20/27,
    kappa 4/7.
    """
    check(
        of_patients,
        {"subject_assessments": READ, "population_members": EVERYONE},
        """
        | reader_a | reader_b | coefficient  | n | agreed | kappa | reason |
        | central  | local    | cohen        | 3 | 2      | 0.5   |        |
        | central  | local    | cohen_linear | 3 | 2      | 0.571428571 |        |
        | all      | all      | fleiss       | 3 | 2      | 0.454545455 |  |
        """,
    )
    check(
        reader_agreement_sets,
        {"subject_assessments": READ},
        """
        | set_id                                    | subject_id | lesion_number |
        | reader_agreement.who.subject.central.local | A         | 0             |
        | reader_agreement.who.subject.central.local | B         | 0             |
        | reader_agreement.who.subject.all.all      | A          | 0             |
        | reader_agreement.who.subject.all.all      | B          | 0             |
        """,
    )


def test_lesions_are_resampled_by_patient() -> None:
    """Twenty lesions of ten patients; the limits stand around the coefficient and name their seed."""
    lines = ["| subject_id | lesion_number | criterion | reader | rel_day | response | in_window |"]
    for n in range(20):
        for reader in ("central", "local"):
            said = "PR" if n % 2 or (reader == "local" and n % 5 == 0) else "SD"
            lines.append(f"| s{n // 2} | {n} | WHO | {reader} | 30 | {said} | yes |")
    members = "| population | subject_id |\n" + "\n".join(f"| all | s{n} |" for n in range(10))
    found = run(
        reader_agreement,
        {"lesion_assessments": "\n".join(lines), "population_members": members},
    )
    row: dict[str, Any] = next(
        r
        for r in found
        if (r["level"], r["criterion"], r["coefficient"]) == ("lesion", "WHO", "cohen")
    )
    assert (row["n"], row["agreed"], row["kappa"]) == (20, 18, pytest.approx(0.8))
    assert row["lower"] < 0.8 < row["upper"]
    assert "seed 20120701" in row["method"]


def test_one_reader_agrees_with_nobody() -> None:
    """One row says why, for every criterion and level."""
    lines = [line for line in READ.splitlines() if "central" not in line]
    found = run(
        reader_agreement,
        {"subject_assessments": "\n".join(lines), "population_members": EVERYONE},
    )
    assert {(r["coefficient"], r["kappa"], r["reason"]) for r in found} == {
        ("fleiss", None, "one reader only")
    }
    assert len(found) == 2 * 4
