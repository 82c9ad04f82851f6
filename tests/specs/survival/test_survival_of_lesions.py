"""Curves of lesions: the lesions of one patient resemble each other, and the interval knows it.

Expected values are those of R 4.2.2, survival 3.5-3: survfit with `cluster`, in
warehouse/concordance/r/clustered.json (clustered.R beside it), or worked out by hand.
"""

import csv
import functools
import json
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.estimators.event_counts import event_counts, lesion_pairs
from analytics.outcomes.survival import survival_curves, survival_landmarks, survival_medians
from schemas.contract import rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import EndpointCriterion, PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent
from tests.support.pipe_tables import check
from warehouse.concordance.answers import R_ANSWERS as FROM_R

R = json.loads((FROM_R / "clustered.json").read_text())
EVERYONE = "| population | subject_id |\n| all | A |\n| all | B |"
COUNTS = """
    | population | endpoint | level  | time_days | events | censored |
    | all        | TTRL     | lesion | 61        | 2      | 0        |
    | all        | TTRL     | lesion | 500       | 0      | 2        |
"""


def only(derivation: Any) -> Any:
    """The derivation, showing the time to response of lesions."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        return table.filter(table.endpoint == "TTRL")

    return chosen


def test_the_pairs_of_lesions_of_one_patient_are_counted() -> None:
    """A has two lesions: each with itself, and each with the other. Patients' own clocks are none."""
    check(
        lesion_pairs,
        {
            "population_members": EVERYONE,
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event |
                | A          | 1             | TTRL     | 61        | yes   |
                | A          | 2             | TTRL     | 90        | no    |
                | B          | 1             | TTRL     | 61        | yes   |
                | B          | 0             | OS       | 61        | yes   |
            """,
        },
        """
        | population | endpoint | first_days | first_event | second_days | second_event | n |
        | all        | TTRL     | 61         | yes         | 61          | yes          | 2 |
        | all        | TTRL     | 61         | yes         | 90          | no           | 1 |
        | all        | TTRL     | 90         | no          | 61          | yes          | 1 |
        | all        | TTRL     | 90         | no          | 90          | no           | 1 |
        """,
    )


def test_two_patients_whose_lesions_do_alike_are_two_and_not_four() -> None:
    """Both lesions of A respond on day 61, neither of B does: the curve is at a half.

    By hand: each lesion of A adds (1 - 2/4) / 2 = 1/4, each of B takes 1/4 away, so that the
    patients' sums are 1/2 and -1/2 and the standard error 0.5 * sqrt(1/4 + 1/4) = 0.354. As four
    patients it would be 0.5 * sqrt(4/16) = 0.25. With r = 0.354 / (0.5 log 0.5) the limits are
    exp(-exp(log(-log 0.5) -+ 1.96 r)).
    """
    check(
        only(survival_landmarks),
        {
            "event_counts": COUNTS,
            "population_members": EVERYONE,
            "lesion_pairs": """
                | population | endpoint | first_days | first_event | second_days | second_event | n |
                | all        | TTRL     | 61         | yes         | 61          | yes          | 4 |
                | all        | TTRL     | 500        | no          | 500         | no           | 4 |
            """,
        },
        """
        | months | survival | lower         | upper       | reason |
        | 12     | 0.5      | 0.00598308764 | 0.910410085 |        |
        """,
        SurvivalSettings(landmarks_months=(12,)),
    )


def test_lesions_of_one_patient_alone_have_no_interval() -> None:
    """With one patient the sum of the influences is 0 by construction: no spread, no interval."""
    check(
        only(survival_medians),
        {
            "event_counts": COUNTS,
            "population_members": EVERYONE,
            "lesion_pairs": """
                | population | endpoint | first_days | first_event | second_days | second_event | n |
                | all        | TTRL     | 61         | yes         | 61          | yes          | 4 |
                | all        | TTRL     | 61         | yes         | 500         | no           | 4 |
                | all        | TTRL     | 500        | no          | 61          | yes          | 4 |
                | all        | TTRL     | 500        | no          | 500         | no           | 4 |
            """,
        },
        """
        | rule              | n | events | lower | upper | reason                                                 |
        | midpoint          | 4 | 2      |       |       | no interval: lesions of one patient are not independent |
        | first_at_or_below | 4 | 2      |       |       | no interval: lesions of one patient are not independent |
        """,
    )


@pytest.fixture(scope="module")
def lesions() -> dict[str, ir.Table]:
    """Lesions of 26 patients, as tables."""
    with (FROM_R / "lesions.csv").open(encoding="utf-8") as opened:
        given = list(csv.DictReader(opened))
    clocks = [
        {
            "subject_id": r["patient"],
            "lesion_number": number,
            "endpoint": "TTRL",
            "start_day": 0,
            "time_days": int(r["time"]),
            "event": r["event"] == "1",
        }
        for number, r in enumerate(given, start=1)
    ]
    names = sorted({r["patient"] for r in given})
    everyone = [{"population": "all", "subject_id": name} for name in names]
    members, marts = rows(everyone, PopulationMembers), rows(clocks, TimeToEvent)
    return {
        "event_counts": event_counts(
            members, marts, rows([], FactorLevels), prognosis=PrognosisSettings()
        ),
        "population_members": members,
        "lesion_pairs": lesion_pairs(members, marts),
    }


@pytest.mark.parametrize("kind", list(R))
def test_bands_and_medians_of_lesions_are_as_r_has_them(
    lesions: dict[str, ir.Table], kind: Any
) -> None:
    """Ties within and between patients; survfit with `cluster`."""
    settings = SurvivalSettings(conf_type=kind)
    expected = R[kind]
    curve = survival_curves(
        lesions["event_counts"], lesions["lesion_pairs"], settings=settings
    ).to_pyarrow()
    assert curve["time_days"].to_pylist() == expected["time"]
    for name in ("survival", "lower", "upper"):
        for own, theirs in zip(curve[name].to_pylist(), expected[name], strict=True):
            if theirs is not None:
                assert own == pytest.approx(theirs, rel=1e-9), name
    medians = (
        survival_medians(
            **lesions, endpoint_criterion=rows([], EndpointCriterion), settings=settings
        )
        .to_pyarrow()
        .to_pylist()
    )
    (found,) = (r for r in medians if (r["endpoint"], r["rule"]) == ("TTRL", "midpoint"))
    for own, theirs in zip(
        (found["median_months"], found["lower"], found["upper"]), expected["median"], strict=True
    ):
        assert own == (None if theirs is None else pytest.approx(theirs / 30.4375, rel=1e-9))
