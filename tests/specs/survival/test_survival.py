"""Curves, landmarks, medians and follow-up as they are published.

Expected values are those of R 4.2.2, survival 3.5-3 (warehouse/concordance/r/prognosis.json and survival.R), or
small enough to be worked out by hand: of 4 patients, each death is a quarter.
"""

import csv
import functools
import json
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.estimators.event_counts import event_counts
from analytics.outcomes.survival import (
    follow_up,
    survival_curves,
    survival_landmarks,
    survival_landmarks_sets,
    survival_medians,
    survival_medians_sets,
)
from schemas.contract import rows
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.tables.intermediate import EndpointCriterion, LesionPairs, PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent
from tests.support.pipe_tables import check, run
from transforms.time.endpoints import time_to_event

ROOT = Path(__file__).parents[3]
R = json.loads((ROOT / "warehouse/concordance/r/prognosis.json").read_text())
EVERYONE = "| population | subject_id |\n| all | A |"


def only(derivation: Any, endpoint: str = "OS") -> Any:
    """The derivation, showing one endpoint: the others are not derivable in these tables."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        return table.filter(table.endpoint == endpoint)

    return chosen


def only_definition(definition: str) -> Any:
    """Follow-up, showing one definition."""

    @functools.wraps(follow_up)
    def chosen(**arguments: Any) -> ir.Table:
        table = follow_up(**arguments)
        return table.filter(table.definition == definition)

    return chosen


def curve(*times: str) -> str:
    """Event counts of one curve, `day events censored` each."""
    head = "| population | endpoint | level | time_days | events | censored |\n"
    return head + "".join(f"| all | OS | subject | {' | '.join(t.split())} |\n" for t in times)


def test_the_engine_counts_events_and_censorings_per_distinct_time() -> None:
    """Overall, and per level of each factor that is known; a patient may be in two populations.

    Lesions are counted overall only: those of one patient are not independent.
    """
    check(
        event_counts,
        {
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | B          |
                | all        | C          |
                | site:s1    | A          |
            """,
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event |
                | A          | 0             | OS       | 10        | yes   |
                | B          | 0             | OS       | 10        | no    |
                | C          | 0             | OS       | 10        | yes   |
                | A          | 1             | TTRL     | 30        | yes   |
                | A          | 2             | TTRL     | 30        | yes   |
                | D          | 0             | OS       | 10        | yes   |
            """,
            "factor_levels": """
                | subject_id | factor | factor_level | level_number |
                | A          | ecog0  | 0            | 0            |
                | B          | ecog0  | >=1          | 1            |
            """,
        },
        """
        | population | endpoint | level   | factor | factor_level | level_number | time_days | events | censored |
        | all        | OS       | subject |        |              | 0            | 10        | 2      | 1        |
        | all        | OS       | subject | ecog0  | 0            | 0            | 10        | 1      | 0        |
        | all        | OS       | subject | ecog0  | >=1          | 1            | 10        | 0      | 1        |
        | all        | TTRL     | lesion  |        |              | 0            | 30        | 2      | 0        |
        | site:s1    | OS       | subject |        |              | 0            | 10        | 1      | 0        |
        | site:s1    | OS       | subject | ecog0  | 0            | 0            | 10        | 1      | 0        |
        | site:s1    | TTRL     | lesion  |        |              | 0            | 30        | 2      | 0        |
        """,
    )


def test_a_censoring_on_the_day_of_a_death_is_still_at_risk_for_it() -> None:
    """Death on day 10 among 4, one of them censored that day: 3/4, then 2 are left.

    Source: Kaplan and Meier 1958.
    """
    check(
        survival_curves,
        {"event_counts": curve("10 1 1", "20 1 0", "30 0 1")},
        """
        | time_days | at_risk | events | censored | survival |
        | 10        | 4       | 1      | 1        | 0.75     |
        | 20        | 2       | 1      | 0        | 0.375    |
        | 30        | 1       | 0      | 1        | 0.375    |
        """,
    )


def test_a_death_on_the_day_of_treatment_lowers_the_curve_at_once() -> None:
    """Time 0 with an event is legal; time 0 without one contributes nothing."""
    check(
        survival_curves,
        {"event_counts": curve("0 1 1", "20 1 0", "30 0 1")},
        """
        | time_days | at_risk | events | censored | survival |
        | 0         | 4       | 1      | 1        | 0.75     |
        | 20        | 2       | 1      | 0        | 0.375    |
        | 30        | 1       | 0      | 1        | 0.375    |
        """,
    )


def test_after_the_last_patient_died_the_band_is_undefined() -> None:
    """Survival 0 has no interval in R; it is null here, and the estimate stays."""
    check(
        survival_curves,
        {"event_counts": curve("10 2 0")},
        """
        | time_days | at_risk | survival | lower | upper |
        | 10        | 2       | 0        |       |       |
        """,
    )


def medians(*times: str) -> dict[str, str]:
    return {"event_counts": curve(*times), "population_members": EVERYONE}


def test_both_median_rules_are_published_where_the_curve_rests_on_one_half() -> None:
    """R and SAS take the middle of the flat stretch, lifelines its beginning.

    Deaths on days 10, 20, 40 and 80 of 4: the curve is exactly one half from day 20 to day 40, so
    30 days or 20 days, in months of 30.4375 days.
    """
    check(
        only(survival_medians),
        medians("10 1 0", "20 1 0", "40 1 0", "80 1 0"),
        """
        | rule              | n | events | median_months  | not_reached | reason |
        | midpoint          | 4 | 4      | 0.985626283368 | no          |        |
        | first_at_or_below | 4 | 4      | 0.657084188912 | no          |        |
        """,
    )


def test_a_curve_that_ends_on_one_half_rests_there_until_the_last_day() -> None:
    """Half have died by day 20 and the other half is followed to day 60: 40 days, or 20."""
    check(
        only(survival_medians),
        medians("10 1 0", "20 1 0", "60 0 2"),
        """
        | rule              | median_months  | not_reached |
        | midpoint          | 1.314168377823 | no          |
        | first_at_or_below | 0.657084188912 | no          |
        """,
    )


def test_a_curve_that_stays_above_one_half_has_no_median() -> None:
    """Not reached is null and said so; it is not the last time."""
    check(
        only(survival_medians),
        medians("10 1 0", "60 0 3"),
        """
        | rule              | n | events | median_months | lower          | upper | not_reached | reason |
        | midpoint          | 4 | 1      |               | 0.328542094456 |       | yes         |        |
        | first_at_or_below | 4 | 1      |               | 0.328542094456 |       | yes         |        |
        """,
    )


def test_without_events_there_is_no_median_and_the_reason_says_so() -> None:
    """All censored: the curve is 1 as long as somebody is followed."""
    check(
        only(survival_medians),
        medians("10 0 1", "60 0 3"),
        """
        | rule              | n | events | median_months | not_reached | reason    |
        | midpoint          | 4 | 0      |               | yes         | no_events |
        | first_at_or_below | 4 | 0      |               | yes         | no_events |
        """,
    )


def test_one_patient_who_died_is_a_curve_of_one_step() -> None:
    """Also when all die on one day: from 1 to 0, and the median is that day."""
    for times in ("61 1 0", "61 7 0"):
        n = times.split()[1]
        check(
            only(survival_medians),
            medians(times),
            f"""
            | rule              | n   | events | median_months | lower | upper | not_reached |
            | midpoint          | {n} | {n}    | 2.00410677618 |       |       | no          |
            | first_at_or_below | {n} | {n}    | 2.00410677618 |       |       | no          |
            """,
        )


def test_a_landmark_is_read_at_365_25_days_a_year() -> None:
    """A death on day 365 lies inside the first year, one on day 366 outside; 730 in, 731 out.

    Nobody is followed to 36 months: null, with a reason, though the curve was above 0.
    """
    check(
        only(survival_landmarks),
        {
            "event_counts": curve("365 1 0", "366 1 0", "730 1 0", "731 1 0", "800 0 4"),
            "population_members": EVERYONE,
        },
        """
        | months | survival | at_risk | n | reason           |
        | 12     | 0.875    | 7       | 8 |                  |
        | 24     | 0.625    | 5       | 8 |                  |
        | 36     |          | 0       | 8 | beyond_follow_up |
        """,
        SurvivalSettings(landmarks_months=(12, 24, 36)),
    )


def test_an_endpoint_that_cannot_be_derived_has_a_row_with_the_reason() -> None:
    """Never a zero: nobody was counted. A population without responders has no duration either."""
    check(
        survival_medians,
        {
            "population_members": EVERYONE,
            "event_counts": """
                | population | endpoint | level   | time_days | events | censored |
                | all        | PFS      | subject | 61        | 1      | 0        |
                | all        | TTR      | subject | 61        | 0      | 1        |
            """,
        },
        """
        | endpoint | level   | rule              | n | events | median_months | not_reached | reason                                                |
        | OS       | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs contacts                         |
        | OS       | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs contacts                         |
        | PFS      | subject | midpoint          | 1 | 1      | 2.00410677618 | no          |                                                       |
        | PFS      | subject | first_at_or_below | 1 | 1      | 2.00410677618 | no          |                                                       |
        | HPFS     | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs contacts and scans               |
        | HPFS     | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs contacts and scans               |
        | TTP      | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs scans                            |
        | TTP      | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs scans                            |
        | HTTP     | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs scans                            |
        | HTTP     | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs scans                            |
        | TTR      | subject | midpoint          | 1 | 0      |               | yes         | no_events                                             |
        | TTR      | subject | first_at_or_below | 1 | 0      |               | yes         | no_events                                             |
        | TTRL     | lesion  | midpoint          | 0 | 0      |               | no          | not derivable: needs scans                            |
        | TTRL     | lesion  | first_at_or_below | 0 | 0      |               | no          | not derivable: needs scans                            |
        | DOR      | subject | midpoint          | 0 | 0      |               | no          | nobody                                                |
        | DOR      | subject | first_at_or_below | 0 | 0      |               | no          | nobody                                                |
        | TTNT     | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs contacts and subsequent_therapies |
        | TTNT     | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs contacts and subsequent_therapies |
        | TTF      | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs contacts and scans and subsequent_therapies |
        | TTF      | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs contacts and scans and subsequent_therapies |
        | TTPREC   | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs recorded_responses |
        | TTPREC   | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs recorded_responses |
        | PFSREC   | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs contacts and recorded_responses |
        | PFSREC   | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs contacts and recorded_responses |
        | TTPNT    | subject | midpoint          | 0 | 0      |               | no          | not derivable: needs scans and subsequent_therapies |
        | TTPNT    | subject | first_at_or_below | 0 | 0      |               | no          | not derivable: needs scans and subsequent_therapies |
        """,
    )


def test_a_registry_with_nobody_in_it_publishes_nothing() -> None:
    """No population, no row: neither a curve nor a zero."""
    for derivation in (survival_curves, survival_landmarks, survival_medians, follow_up):
        assert run(derivation, {}) == []


def test_median_follow_up_is_published_by_four_definitions() -> None:
    """Two died on days 61 and 122, two were followed to days 244 and 487; scans stop earlier.

    Reverse Kaplan-Meier asks after the censored: 244 takes it to one half, 487 to 0, so the middle,
    365.5 days. The plain medians are those of 61, 122, 244, 487 and of 244, 487. A treated patient
    without a scan after T0 has imaging follow-up 0: 0, 61, 122, 183. The untreated do not count.
    Source: Schemper and Smith 1996; imaging follow-up as the series can only have meant it.
    """
    check(
        follow_up,
        {
            "event_counts": curve("61 1 0", "122 1 0", "244 0 1", "487 0 1"),
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | B          |
                | all        | C          |
                | all        | D          |
                | all        | E          |
            """,
            "subjects": """
                | subject_id | treated | imaging_day |
                | A          | yes     | -10         |
                | B          | yes     | 61          |
                | C          | yes     | 122         |
                | D          | yes     | 183         |
                | E          | no      | 900         |
            """,
        },
        """
        | definition     | n | median_months |
        | reverse_km     | 4 | 12.0082135524 |
        | observed_all   | 4 | 6.01232032854 |
        | observed_alive | 2 | 12.0082135524 |
        | imaging        | 4 | 3.00616016427 |
        """,
    )


def test_a_patient_scanned_only_before_treatment_has_imaging_follow_up_zero() -> None:
    """The baseline scan is no follow-up: the median of 0 and 61 days is 30.5, not 25.5."""
    check(
        only_definition("imaging"),
        {
            "population_members": "| population | subject_id |\n| all | A |\n| all | B |",
            "subjects": """
                | subject_id | treated | imaging_day |
                | A          | yes     | -10         |
                | B          | yes     | 61          |
            """,
        },
        """
        | definition | n | median_months |
        | imaging    | 2 | 1.00205338809 |
        """,
    )


def test_follow_up_that_no_table_can_give_says_so() -> None:
    """A source that holds only times has no scans: imaging follow-up is not derivable, not 0."""
    check(
        follow_up,
        {
            "event_counts": curve("61 2 0"),
            "population_members": EVERYONE,
            "subjects": "| subject_id | treated |\n| A | yes |",
        },
        """
        | definition     | n | median_months | method                                |
        | reverse_km     | 2 |               | reverse Kaplan-Meier, log-log, midpoint |
        | observed_all   | 2 | 2.00410677618 | quartiles, type 7                     |
        | observed_alive | 0 |               | not derivable: nobody has such a time |
        | imaging        | 0 |               | not derivable: nobody has such a time |
        """,
    )


def test_a_number_can_be_traced_to_those_with_the_event() -> None:
    """A set per endpoint and level; populations and factor levels are sets of their own."""
    check(
        survival_medians_sets,
        {
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event |
                | A          | 0             | OS       | 10        | yes   |
                | B          | 0             | OS       | 10        | no    |
                | B          | 2             | TTRL     | 30        | yes   |
            """
        },
        """
        | set_id             | subject_id | lesion_number |
        | events.os.subject  | A          | 0             |
        | events.ttrl.lesion | B          | 2             |
        """,
    )


def test_those_at_risk_at_a_landmark_have_a_time_that_reaches_it() -> None:
    """24 months are 730.5 days: 730 days do not reach them, 731 do."""
    check(
        survival_landmarks_sets,
        {
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days | event |
                | A          | 0             | OS       | 730       | yes   |
                | B          | 0             | OS       | 731       | no    |
            """
        },
        """
        | set_id                                           | subject_id |
        | survival_landmarks.os.subject.overall.overall.24 | B          |
        """,
        SurvivalSettings(landmarks_months=(24,)),
    )


def _counted(file: str, endpoint: str) -> tuple[ir.Table, ir.Table]:
    """Members and event counts of a digitised trial, by way of its reported times."""
    with (ROOT / "simulation/kmdata" / file).open(encoding="utf-8") as opened:
        given = [r | {"subject_id": str(k)} for k, r in enumerate(csv.DictReader(opened))]
    text = "| subject_id | endpoint | time | time_unit | event |\n" + "\n".join(
        f"| {r['subject_id']} | {endpoint} | {r['time']} | months | {'yes' * int(r['event']) or 'no'} |"
        for r in given
    )
    clocks = rows(run(time_to_event, {"reported_endpoints": text}), TimeToEvent)
    arms = sorted({r["arm"] for r in given})
    levels = [
        r
        | {
            "factor": "group",
            "endpoint": endpoint,
            "factor_level": r["arm"],
            "level_number": arms.index(r["arm"]),
        }
        for r in given
    ]
    members = rows([r | {"population": "all"} for r in given], PopulationMembers)
    counted = event_counts(
        members, clocks, rows(levels, FactorLevels), prognosis=PrognosisSettings()
    )
    return members, counted


@pytest.mark.parametrize(
    ("trial", "file", "endpoint"),
    [
        ("radiant4_os", "radiant4_2c.csv", "OS"),
        ("radiant4_pfs", "radiant4_2a.csv", "PFS"),
        ("sirflox_pfs", "sirflox_3.csv", "PFS"),
    ],
)
def test_digitised_trials_are_as_r_has_them_in_the_months_delivered(
    trial: str, file: str, endpoint: str
) -> None:
    """Medians, intervals and landmarks by arm as survfit gives them on the unit of the source."""
    expected, settings = R[trial], SurvivalSettings()
    members, counted = _counted(file, endpoint)
    tables = counted, members, rows([], LesionPairs), rows([], EndpointCriterion)
    medians_by_arm = _by_arm(survival_medians(*tables, settings=settings), rule="midpoint")
    landmarks_by_arm = _by_arm(survival_landmarks(*tables, settings=settings), months=12)
    for k, arm in enumerate(expected["arm"]):
        median, landmark = medians_by_arm[arm], landmarks_by_arm[arm]
        assert (median["n"], median["events"]) == (expected["n"][k], expected["events"][k])
        for column, name in (("median_months", "median"), ("lower", "lower"), ("upper", "upper")):
            assert _close(median[column], expected[name][k])
        for column in ("survival", "lower", "upper"):
            assert _close(landmark[column], expected[f"{column}_12"][k])
        assert landmark["at_risk"] == expected["at_risk_12"][k]


def _by_arm(table: ir.Table, **key: object) -> dict[str, dict[str, Any]]:
    found = table.to_pyarrow().to_pylist()
    return {
        r["factor_level"]: r
        for r in found
        if r["factor"] == "group" and all(r[name] == value for name, value in key.items())
    }


def _close(found: float | None, expected: float | None) -> bool:
    if expected is None or found is None:
        return found is expected
    return found == pytest.approx(expected, rel=1e-9)
