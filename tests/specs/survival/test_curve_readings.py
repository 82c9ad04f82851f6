"""Quartiles, standard errors, and landmarks and horizons in days.

Worked out by hand for few patients; for 228 patients with lung cancer the values are those of R
4.2.2, survival 3.5-3 (warehouse/concordance/r/survival.json, made by survival.R beside it).
"""

import csv
import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pytest
from pydantic import ValidationError

from analytics.classes.curve_readings import (
    survival_at_days,
    survival_at_days_sets,
    survival_quartiles,
)
from analytics.outcomes.survival import survival_landmarks
from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check, run

R = Path(__file__).parents[3] / "warehouse" / "concordance" / "r"
EVERYONE = "| population | subject_id |\n| all | A |"


def only_os(derivation: Any) -> Any:
    """The derivation, showing overall survival: the others are not derivable in these tables."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        return table.filter(table.endpoint == "OS")

    return chosen


def curve(*times: str) -> str:
    """Event counts of one curve, `day events censored` each."""
    head = "| population | endpoint | level | time_days | events | censored |\n"
    return head + "".join(f"| all | OS | subject | {' | '.join(t.split())} |\n" for t in times)


def test_a_quartile_is_when_a_quarter_have_had_the_event() -> None:
    """Of four who died, each is a quarter: the curve rests on 0.75 from day 61 to 122.

    The midpoint is 91.5 days, of 0.25 it is that of 244 and 487, 365.5 days; months have 30.4375.
    Source: survival 3.5-3, quantile.survfit.
    """
    check(
        only_os(survival_quartiles),
        {
            "event_counts": curve("61 1 0", "122 1 0", "244 1 0", "487 1 0"),
            "population_members": EVERYONE,
        },
        """
        | event_pct | n | events | quartile_months | not_reached | reason |
        | 25        | 4 | 4      | 3.00616016427   | no          |        |
        | 75        | 4 | 4      | 12.0082135524   | no          |        |
        """,
    )


def test_a_quartile_that_the_curve_does_not_reach_is_null() -> None:
    """Two of five died: 0.8, then 0.6. A quarter have died on day 122; three quarters never did."""
    check(
        only_os(survival_quartiles),
        {
            "event_counts": curve("61 1 0", "122 1 0", "600 0 3"),
            "population_members": EVERYONE,
        },
        """
        | event_pct | n | events | quartile_months | upper | not_reached | reason |
        | 25        | 5 | 2      | 4.00821355236   |       | no          |        |
        | 75        | 5 | 2      |                 |       | yes         |        |
        """,
    )


def test_an_endpoint_that_is_not_derivable_has_quartiles_with_the_reason() -> None:
    """Nobody was counted: null, and why."""
    check(
        only_os(survival_quartiles),
        {"population_members": EVERYONE},
        """
        | event_pct | n | quartile_months | not_reached | reason                        |
        | 25        | 0 |                 | no          | not derivable: needs contacts |
        | 75        | 0 |                 | no          | not derivable: needs contacts |
        """,
    )


def test_a_landmark_has_its_standard_error() -> None:
    """Half of four died on day 100: S sqrt(d / (n (n - d))) = 0.5 sqrt(2 / 8) = 0.25.

    Before the first death it is 0; where all have died it is null, as R says NaN.
    Source: Greenwood 1926.
    """
    check(
        only_os(survival_landmarks),
        {
            "event_counts": curve("100 2 0", "365 0 1", "800 1 0"),
            "population_members": EVERYONE,
        },
        """
        | months | survival | std_err | at_risk |
        | 1      | 1        | 0       | 4       |
        | 12     | 0.5      | 0.25    | 1       |
        """,
        SurvivalSettings(landmarks_months=(1, 12)),
    )


def test_a_landmark_in_days_gives_the_level_and_the_mean_up_to_it() -> None:
    """Half of four died on day 100. Up to day 90 all lived: the mean is 90 days, its error 0.

    Up to day 200 the mean is 100 + 0.5 x 100 = 150 days; its variance is
    50^2 d / (n (n - d)) = 2500 x 2 / 8 = 625, its error 25, so that the lower limit is
    150 - 1.959964 x 25 = 101.0009 and the upper 199.
    Nobody is followed to day 900: null.
    """
    check(
        only_os(survival_at_days),
        {"event_counts": curve("100 2 0", "800 0 2"), "population_members": EVERYONE},
        """
        | days | survival | std_err | mean_days | se_days | mean_lower    | mean_upper    | at_risk | n | reason           |
        | 90   | 1        | 0       | 90        | 0       | 90            | 90            | 4       | 4 |                  |
        | 100  | 0.5      | 0.25    | 100       | 0       | 100           | 100           | 4       | 4 |                  |
        | 200  | 0.5      | 0.25    | 150       | 25      | 101.000900387 | 198.999099613 | 2       | 4 |                  |
        | 900  |          |         |           |         |               |               | 0       | 4 | beyond_follow_up |
        """,
        SurvivalSettings(landmarks_days=(90, 100, 200, 900)),
    )


def test_the_patients_at_risk_at_a_day_are_its_members() -> None:
    """On the day itself one is still at risk, the day after no more."""
    check(
        survival_at_days_sets,
        {
            "time_to_event": """
                | subject_id | lesion_number | endpoint | time_days |
                | A          | 0             | OS       | 89        |
                | B          | 0             | OS       | 90        |
                | C          | 0             | OS       | 91        |
            """
        },
        """
        | set_id                                            | subject_id | lesion_number |
        | survival_at_days.os.subject.overall.overall.90    | B          | 0             |
        | survival_at_days.os.subject.overall.overall.90    | C          | 0             |
        """,
        SurvivalSettings(landmarks_days=(90,)),
    )


def test_quartiles_are_those_of_r() -> None:
    """228 patients with lung cancer, log-log limits; R gives days."""
    with (R / "lung.csv").open() as file:
        times = Counter((int(r["time"]), int(r["event"])) for r in csv.DictReader(file))
    days = sorted({day for day, _ in times})
    counts = curve(*(f"{d} {times[d, 1]} {times[d, 0]}" for d in days))
    found = run(
        only_os(survival_quartiles), {"event_counts": counts, "population_members": EVERYONE}
    )
    wanted = json.loads((R / "survival.json").read_text())["estimates"]["lung"]["bands"]["log-log"]
    for row, place in zip(sorted(found, key=lambda r: r["event_pct"]), (0, 2), strict=True):
        for column, part in (
            ("quartile_months", "quantile"),
            ("lower", "quantile_lower"),
            ("upper", "quantile_upper"),
        ):
            assert row[column] * 30.4375 == pytest.approx(wanted[part][place], abs=1e-9)


def test_spans_are_read_in_days_months_and_years() -> None:
    """A plain number is in the unit of its key; three years are 36 months."""
    read = SurvivalSettings.model_validate(
        {
            "landmarks_months": [6, "12 mo", "3 y", "24"],
            "restricted_mean_months": ["1 year"],
            "landmarks_days": ["90 d", 180, "365 days"],
        }
    )
    assert read.landmarks_months == (6, 12, 36, 24)
    assert read.restricted_mean_months == (12,)
    assert read.landmarks_days == (90, 180, 365)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"landmarks_months": ["90 d"]}, "90 d: no whole number of months. Name days in"),
        ({"landmarks_days": ["3 mo"]}, "3 mo: no whole number of days, as a month has 30.4375"),
        ({"landmarks_days": ["soon"]}, "soon: no span of time. Write `90 d`, `12 mo` or `3 y`"),
        ({"landmarks_months": ["1.5 y"]}, "1.5 y: no span of time"),
        ({"landmarks_days": [90, "90 d"]}, "a day stands twice"),
        ({"landmarks_days": [0]}, "greater than or equal to 1"),
    ],
)
def test_a_span_of_another_unit_is_refused_with_the_key_for_it(
    given: dict[str, object], told: str
) -> None:
    with pytest.raises(ValidationError) as error:
        SurvivalSettings.model_validate(given)
    assert told in str(error.value)
