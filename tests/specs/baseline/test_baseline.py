"""Which result is the baseline."""

from schemas.settings import BaselineSettings
from tests.support.pipe_tables import check
from transforms.baseline.baseline import baseline_labs

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
"""


def test_the_baseline_is_the_last_result_up_to_t0() -> None:
    """A result of the day of treatment counts, a later one never does, even if nothing else exists.

    Source: CDISC ADaM, baseline record (ABLFL).
    """
    check(
        baseline_labs,
        {
            "labs": """
                | subject_id | lab_date | analyte   | value | unit  |
                | A          | d-20     | bilirubin | 0.8   | mg/dL |
                | A          | d-3      | bilirubin | 1.1   | mg/dL |
                | A          | d1       | bilirubin | 1.9   | mg/dL |
                | A          | d0       | albumin   | 3.6   | g/dL  |
                | B          | d1       | bilirubin | 0.9   | mg/dL |
            """,
            "anchors": T0,
        },
        """
        | subject_id | analyte   | rel_day | age_days | value | unit  |
        | A          | bilirubin | -3      | 3        | 1.1   | mg/dL |
        | A          | albumin   | 0       | 0        | 3.6   | g/dL  |
        """,
    )


def test_of_several_draws_on_one_day_the_last_is_the_baseline() -> None:
    """The sequence of the draw decides, not the order of the rows."""
    check(
        baseline_labs,
        {
            "labs": """
                | subject_id | lab_date | analyte   | sequence | value | unit  |
                | A          | d-1      | bilirubin | 2        | 1.3   | mg/dL |
                | A          | d-1      | bilirubin | 1        | 1.1   | mg/dL |
                | B          | d-1      | bilirubin | 1        | 0.7   | mg/dL |
                | B          | d-1      | bilirubin | 10       | 0.9   | mg/dL |
                | B          | d-1      | bilirubin | 9        | 0.8   | mg/dL |
            """,
            "anchors": T0,
        },
        """
        | subject_id | value |
        | A          | 1.3   |
        | B          | 0.9   |
        """,
    )


def test_a_missing_result_is_passed_over() -> None:
    """The last result that is not missing counts, however often the analyte was asked for later."""
    check(
        baseline_labs,
        {
            "labs": """
                | subject_id | lab_date | analyte   | value | unit  |
                | A          | d-9      | bilirubin | 1.1   | mg/dL |
                | A          | d-1      | bilirubin |       | mg/dL |
                | B          | d-1      | bilirubin |       | mg/dL |
            """,
            "anchors": T0,
        },
        """
        | subject_id | age_days | value |
        | A          | 9        | 1.1   |
        """,
    )


def test_a_draw_of_the_day_of_treatment_is_baseline_unless_drawn_after_the_injection() -> None:
    """A draw in the minute of the injection, or without a time, still counts as before it.

    Only the first injection of the day is asked.
    """
    check(
        baseline_labs,
        {
            "labs": """
                | subject_id | lab_date | analyte   | sequence | lab_time | value | unit  |
                | A          | d-7      | bilirubin | 1        | 23:59    | 0.7   | mg/dL |
                | A          | d0       | bilirubin | 2        | 10:31    | 1.5   | mg/dL |
                | B          | d0       | bilirubin | 1        | 10:30    | 0.8   | mg/dL |
                | C          | d0       | bilirubin | 1        |          | 0.9   | mg/dL |
                | D          | d0       | bilirubin | 1        | 9:05     | 1.0   | mg/dL |
            """,
            "anchors": T0,
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | administered_at     |
                | A          | s1         | t1        | d0             | 2020-01-01T10:30:00 |
                | A          | s1         | t2        | d0             | 2020-01-01T11:10:00 |
                | B          | s1         | t1        | d0             | 2020-01-01T10:30:00 |
                | C          | s1         | t1        | d0             | 2020-01-01T10:30:00 |
                | D          | s1         | t1        | d0             | 2020-01-01T10:30:00 |
            """,
        },
        """
        | subject_id | rel_day | value |
        | A          | -7      | 0.7   |
        | B          | 0       | 0.8   |
        | C          | 0       | 0.9   |
        | D          | 0       | 1     |
        """,
    )


LABS_AROUND_28_DAYS = """
    | subject_id | lab_date | analyte   | value | value_comparator | unit   | upper_limit |
    | A          | d-28     | bilirubin | 17.1  |                  | umol/L | 20.5        |
    | B          | d-29     | bilirubin | 0.2   | <                | mg/dL  | 1.2         |
"""


def test_a_baseline_of_28_days_is_fresh_and_of_29_days_stale() -> None:
    """A stale result is used and flagged; value, comparator, unit and limits stay as delivered."""
    check(
        baseline_labs,
        {"labs": LABS_AROUND_28_DAYS, "anchors": T0},
        """
        | subject_id | value | value_comparator | unit   | upper_limit | age_days | stale |
        | A          | 17.1  |                  | umol/L | 20.5        | 28       | no    |
        | B          | 0.2   | <                | mg/dL  | 1.2         | 29       | yes   |
        """,
    )


def test_the_age_at_which_a_baseline_is_stale_is_a_setting() -> None:
    """A registry with rarer visits may allow older results."""
    check(
        baseline_labs,
        {"labs": LABS_AROUND_28_DAYS, "anchors": T0},
        """
        | subject_id | age_days | stale |
        | A          | 28       | no    |
        | B          | 29       | no    |
        """,
        BaselineSettings(stale_days=29),
    )


def test_a_patient_who_was_not_treated_has_no_baseline() -> None:
    """Without a first treatment there is no day to look back from."""
    check(
        baseline_labs,
        {
            "labs": """
                | subject_id | lab_date | analyte   | value | unit  |
                | E          | d-1      | bilirubin | 1.1   | mg/dL |
            """,
            "anchors": T0,
        },
        """
        | subject_id | value |
        """,
    )
