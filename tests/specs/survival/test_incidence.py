"""What comes first where one event rules out the other, and the mean time up to a horizon.

Expected values are small enough to be worked out by hand, or those of R 4.2.2, survival 3.5-3, in
warehouse/concordance/r/survival.json (survival.R beside it).
"""

import csv
import functools
import json
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.estimators.event_counts import event_counts
from analytics.outcomes.incidence import (
    cumulative_incidence,
    cumulative_incidence_sets,
    incidence_curves,
)
from analytics.outcomes.survival import restricted_means
from schemas.contract import empty, rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import EndpointCriterion, PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent
from tests.support.pipe_tables import check
from warehouse.concordance.answers import R_ANSWERS as FROM_R

R = json.loads((FROM_R / "survival.json").read_text())
FOUR = "| population | subject_id |\n" + "".join(f"| all | {s} |\n" for s in "ABCD")
DAYS = 30
CAUSES = ("response", "progression", "death")
YEAR = SurvivalSettings(landmarks_months=(12,), restricted_mean_months=(12,))


def only(derivation: Any, endpoint: str) -> Any:
    """The derivation, showing one endpoint: the others are not derivable in these tables."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        return table.filter(table.endpoint == endpoint)

    return chosen


RESPONSES = {
    "population_members": FOUR,
    "time_to_event": """
        | subject_id | lesion_number | endpoint | time_days | event | competing_event | competing_days |
        | A          | 0             | TTR      | 60        | yes   | progression     | 300            |
        | B          | 0             | TTR      | 90        | no    | progression     | 90             |
        | C          | 0             | TTR      | 90        | no    | death           | 200            |
        | D          | 0             | TTR      | 400       | no    |                 |                |
    """,  # a table is read better whole
}


def test_a_competing_event_counts_on_its_own_day() -> None:
    """C was last scanned on day 90 and died on day 200: until then C was at risk of each cause.

    One of four responds, one progresses first, one dies first; D is free of all.
    """
    check(
        only(cumulative_incidence, "TTR"),
        RESPONSES,
        """
        | endpoint | cause       | months | incidence | at_risk | n | events |
        | TTR      | response    | 12     | 0.25      | 1       | 4 | 1      |
        | TTR      | progression | 12     | 0.25      | 1       | 4 | 1      |
        | TTR      | death       | 12     | 0.25      | 1       | 4 | 1      |
        """,
        YEAR,
    )


def test_a_curve_of_incidence_rises_at_each_first_event() -> None:
    """One of four responds, one of three left progresses, one of two left dies; D is free of all.

    That is 1/4, 3/4 times 1/3, and 1/2 times 1/2. The day of a scan without an event is no time of the curve: C leaves on the day of death.
    """
    check(
        only(incidence_curves, "TTR"),
        RESPONSES,
        """
        | cause       | time_days | at_risk | events | censored | incidence |
        | response    | 60        | 4       | 1      | 0        | 0.25      |
        | progression | 60        | 4       | 0      | 0        | 0         |
        | death       | 60        | 4       | 0      | 0        | 0         |
        | response    | 90        | 3       | 0      | 0        | 0.25      |
        | progression | 90        | 3       | 1      | 0        | 0.25      |
        | death       | 90        | 3       | 0      | 0        | 0         |
        | response    | 200       | 2       | 0      | 0        | 0.25      |
        | progression | 200       | 2       | 0      | 0        | 0.25      |
        | death       | 200       | 2       | 1      | 0        | 0.25      |
        | response    | 400       | 1       | 0      | 1        | 0.25      |
        | progression | 400       | 1       | 0      | 1        | 0.25      |
        | death       | 400       | 1       | 0      | 1        | 0.25      |
        """,
        YEAR,
    )


def test_on_one_day_the_event_comes_before_what_rules_it_out() -> None:
    """Response and progression found on one day: the record names response first.

    Progression before the response: the response came too late to count as first.
    """
    check(
        only(cumulative_incidence, "TTR"),
        {
            "population_members": "| population | subject_id |\n| all | A |\n| all | B |",
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event | competing_event | competing_days |
                | A          | 0             | TTR      | 400       | yes   | progression     | 400            |
                | B          | 0             | TTR      | 400       | yes   | progression     | 60             |
            """,  # a table is read better whole
        },
        """
        | cause       | months | incidence | at_risk | events |
        | response    | 12     | 0         | 1       | 1      |
        | progression | 12     | 0.5       | 1       | 1      |
        | death       | 12     | 0         | 1       | 0      |
        """,
        YEAR,
    )


def test_an_incidence_beyond_follow_up_or_of_nobody_is_empty_with_the_reason() -> None:
    """Nobody is followed for five years; nobody has a time to hepatic progression."""
    check(
        only(cumulative_incidence, "TTR"),
        RESPONSES,
        """
        | cause       | months | incidence | at_risk | n | reason           |
        | response    | 60     |           | 0       | 4 | beyond_follow_up |
        | progression | 60     |           | 0       | 4 | beyond_follow_up |
        | death       | 60     |           | 0       | 4 | beyond_follow_up |
        """,
        SurvivalSettings(landmarks_months=(60,)),
    )
    check(
        only(cumulative_incidence, "HTTP"),
        RESPONSES,
        """
        | cause               | incidence | n | reason                      |
        | hepatic_progression |           | 0 | not derivable: needs scans |
        | death               |           | 0 | not derivable: needs scans |
        """,
        YEAR,
    )


def test_times_that_a_source_only_reports_have_no_competing_events() -> None:
    """A digitised curve does not say who died without progression."""
    check(
        only(cumulative_incidence, "TTP"),
        {
            "population_members": FOUR,
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event | source_table       |
                | A          | 0             | TTP      | 60        | yes   | reported_endpoints |
            """,
        },
        """
        | cause       | incidence | n | reason                      |
        | progression |           | 0 | not derivable: needs scans |
        | death       |           | 0 | not derivable: needs scans |
        """,
        YEAR,
    )


def test_an_incidence_can_be_traced_to_those_who_had_the_cause_first() -> None:
    """A responded, B progressed and C died first; D is in none."""
    check(
        cumulative_incidence_sets,
        {"time_to_event": RESPONSES["time_to_event"]},
        """
        | set_id                            | subject_id | lesion_number |
        | incidence.ttr.subject.response    | A          | 0             |
        | incidence.ttr.subject.progression | B          | 0             |
        | incidence.ttr.subject.death       | C          | 0             |
        """,
    )


@pytest.mark.parametrize("case", list(R["incidences"]))
def test_incidences_with_ties_are_as_r_has_them(case: str) -> None:
    """mgus2 (1384 patients, two causes) and the tied cases; R: survfit with a factor status.

    Causes 1, 2 and 3 stand for response, progression and death, a unit of time for 30 days.
    """
    given = _causes(case)
    clocks = [
        _clock(number, int(r["cause"]), round(float(r["time"]) * DAYS))
        for number, r in enumerate(given)
    ]
    members = [{"population": "all", "subject_id": c["subject_id"]} for c in clocks]
    expected = R["incidences"][case]["log-log"]
    settings = SurvivalSettings(landmarks_months=(1, 2, 3, 6, 12, 60))
    found = cumulative_incidence(
        rows(members, PopulationMembers),
        rows(clocks, TimeToEvent),
        empty(EndpointCriterion),
        settings=settings,
    )
    compared = 0
    for row in found.to_pyarrow().to_pylist():
        if row["endpoint"] != "TTR" or row["incidence"] is None:
            continue
        cause = CAUSES.index(row["cause"])
        passed = [t for t in expected["time"] if t * DAYS <= row["months"] * 30.4375]
        if not passed or cause >= len(expected["incidence"][0]):
            assert row["incidence"] == 0
            continue
        at = len(passed) - 1
        for name in ("incidence", "lower", "upper"):
            if (value := expected[name][at][cause]) is not None:
                assert row[name] == pytest.approx(value, rel=1e-9), (name, row)
                compared += 1
    assert compared


def _clock(number: int, cause: int, day: int) -> dict[str, Any]:
    rival = CAUSES[cause - 1] if cause > 1 else None
    return {
        "subject_id": str(number),
        "lesion_number": 0,
        "endpoint": "TTR",
        "start_day": 0,
        "time_days": 0 if rival else day,
        "event": cause == 1,
        "competing_event": rival,
        "competing_days": day if rival else None,
    }


def _causes(case: str) -> list[dict[str, str]]:
    name = "mgus2.csv" if case == "mgus2" else "causes.csv"
    with (FROM_R / name).open(encoding="utf-8") as opened:
        return [r for r in csv.DictReader(opened) if r.get("case", case) == case]


# Restricted means.


def test_the_mean_up_to_a_horizon_is_the_area_under_the_curve() -> None:
    """Of four, two die on days 100 and 200: 100 + 100 * 3/4 + 165.25 * 1/2 = 257.625 days.

    The variance adds 157.625^2 / 12 and 82.625^2 / 6, a standard error of 56.642 days.
    Source: survival 3.5-3, `print(survfit(...), rmean = 365.25)`.
    """
    check(
        only(restricted_means, "OS"),
        {
            "event_counts": """
                | population | endpoint | level   | time_days | events | censored |
                | all        | OS       | subject | 100       | 1      | 0        |
                | all        | OS       | subject | 200       | 1      | 0        |
                | all        | OS       | subject | 400       | 0      | 2        |
            """,
            "population_members": FOUR,
        },
        """
        | endpoint | months | n | events | mean_months | se_months  | lower      | upper | reason |
        | OS       | 12     | 4 | 2      | 8.46406571  | 1.86091914 | 4.81673122 | 12    |        |
        """,
        YEAR,
    )


def test_a_horizon_beyond_follow_up_has_no_mean_unless_all_have_died() -> None:
    """R would carry the last level on to the horizon; where all have died there is nothing left."""
    censored = "| population | endpoint | level | time_days | events | censored |\n| all | OS | "
    check(
        only(restricted_means, "OS"),
        {
            "event_counts": censored + "subject | 100 | 1 | 1 |",
            "population_members": FOUR,
        },
        """
        | n | events | mean_months | reason           |
        | 2 | 1      |             | beyond_follow_up |
        """,
        YEAR,
    )
    check(
        only(restricted_means, "OS"),
        {
            "event_counts": censored + "subject | 100 | 2 | 0 |",
            "population_members": FOUR,
        },
        """
        | n | events | mean_months | se_months | reason |
        | 2 | 2      | 3.28542094  | 0         |        |
        """,
        YEAR,
    )


def test_restricted_means_of_the_reference_cohort_are_as_r_has_them() -> None:
    """Horizons of one, two, three and five years."""
    with (FROM_R / "cohort.csv").open(encoding="utf-8") as opened:
        given = list(csv.DictReader(opened))
    clocks = [
        {
            "subject_id": str(number),
            "lesion_number": 0,
            "endpoint": "OS",
            "start_day": 0,
            "time_days": int(r["time"]),
            "event": r["event"] == "1",
        }
        for number, r in enumerate(given)
    ]
    everyone = [{"population": "all", "subject_id": c["subject_id"]} for c in clocks]
    members = rows(everyone, PopulationMembers)
    ran, levels = rows(clocks, TimeToEvent), rows([], FactorLevels)
    counted = event_counts(members, ran, levels, prognosis=PrognosisSettings())
    means = restricted_means(
        counted, members, empty(EndpointCriterion), settings=SurvivalSettings()
    )
    found = {r["months"]: r for r in means.to_pyarrow().to_pylist() if r["endpoint"] == "OS"}
    expected = R["estimates"]["cohort"]["restricted_means"]
    years = dict(
        zip(expected["tau"], zip(expected["mean"], expected["std_err"], strict=True), strict=True)
    )
    for months, row in found.items():
        mean, error = years[months * 30.4375]
        assert row["mean_months"] == pytest.approx(mean / 30.4375, rel=1e-9)
        assert row["se_months"] == pytest.approx(error / 30.4375, rel=1e-9)
    assert list(found) == [12, 24, 36, 60]
