"""Therapies before and after treatment: order, lines, intervals, and the next one by class."""

import functools
from typing import Any

import ibis.expr.types as ir

from analytics.classes.therapies import (
    next_therapy,
    next_therapy_sets,
    therapy_summary,
    therapy_summary_sets,
)
from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check
from transforms.baseline.therapies import subject_therapies, therapy_courses


def _shown(derivation: Any, classes: tuple[str, ...] = (), causes: tuple[str, ...] = ()) -> Any:
    """The derivation, showing the classes or causes that occur, or those named."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        if causes:
            return table.filter(table.cause.isin(causes))
        return table.filter(table.therapy_class.isin(classes) if classes else table.n > 0)

    return chosen


ANCHORS = """
    | subject_id | site_id | t0_date |
    | A          | s1      | d1000   |
    | B          | s1      | d1000   |
    | C          | s2      | d1000   |
"""
PRIOR = """
    | subject_id | site_id | therapy_class | sequence | start_date | start_date_precision | stop_date | stop_date_precision | row_id |
    | A          | s1      | chemotherapy  | 1        | d400       | day                  | d500      | day                 | pt:1   |
    | A          | s1      | surgery       | 1        | d400       | day                  |           |                     | pt:2   |
    | A          | s1      | chemotherapy  | 2        | d700       | month                | d1200     | day                 | pt:3   |
    | A          | s1      | prrt          | 1        | d100       | year                 |           |                     | pt:4   |
    | A          | s1      | prrt          | 2        |            |                      |           |                     | pt:5   |
    | B          | s1      | targeted      | 1        | d999       | day                  |           |                     | pt:6   |
    | B          | s1      | targeted      | 2        | d1000      | day                  |           |                     | pt:7   |
    | B          | s1      | surgery       | 1        | d1010      | month                |           |                     | pt:8   |
    | Z          | s1      | surgery       | 1        | d10        | day                  |           |                     | pt:9   |
"""
LATER = """
    | subject_id | site_id | therapy_class | sequence | start_date | start_date_precision | row_id |
    | A          | s1      | prrt          | 1        | d1100      | day                  | st:1   |
    | A          | s1      | transplant    | 1        | d1050      | day                  | st:2   |
    | B          | s1      | targeted      | 1        | d999       | day                  | st:3   |
    | B          | s1      | targeted      | 2        | d995       | month                | st:4   |
"""


def test_courses_are_placed_from_t0_and_numbered_in_lines() -> None:
    """What begins on one day is one line; an undated course is a line of its own, after the others.

    A's second chemotherapy ran beyond T0: its end counts as T0. A year alone places no course. B's
    course of T0 is not prior, one that began in that month may be. Subsequent: one day before T0 is
    left out, a day imputed from the month is moved to T0. Z was not treated.
    """
    check(
        therapy_courses,
        {"prior_therapies": PRIOR, "subsequent_therapies": LATER, "anchors": ANCHORS},
        """
        | subject_id | timing     | therapy_class | sequence | place | line | line_of_class | start_day | end_day | source_row_id |
        | A          | prior      | chemotherapy  | 1        | 1     | 1    | 1             | -600      | -500    | pt:1          |
        | A          | prior      | surgery       | 1        | 2     | 1    | 1             | -600      | -600    | pt:2          |
        | A          | prior      | chemotherapy  | 2        | 3     | 2    | 2             | -300      | 0       | pt:3          |
        | A          | prior      | prrt          | 1        | 4     | 3    | 1             |           |         | pt:4          |
        | A          | prior      | prrt          | 2        | 5     | 4    | 2             |           |         | pt:5          |
        | B          | prior      | targeted      | 1        | 1     | 1    | 1             | -1        | -1      | pt:6          |
        | B          | prior      | surgery       | 1        | 2     | 2    | 1             | 10        | 0       | pt:8          |
        | A          | subsequent | transplant    | 1        | 1     | 1    | 1             | 50        | 50      | st:2          |
        | A          | subsequent | prrt          | 1        | 2     | 2    | 1             | 100       | 100     | st:1          |
        | B          | subsequent | targeted      | 2        | 1     | 1    | 1             | 0         | 0       | st:4          |
        """,
    )


def test_a_site_without_the_table_says_nothing_of_its_patients() -> None:
    """B had no course, C's site delivers none: 0 is not null. A year alone dates no diagnosis."""
    check(
        subject_therapies,
        {
            "therapy_courses": """
                | subject_id | timing | therapy_class | line |
                | A          | prior  | surgery       | 1    |
                | A          | prior  | chemotherapy  | 2    |
            """,
            "prior_therapies": PRIOR,
            "anchors": ANCHORS,
            "patients": """
                | subject_id | diagnosis_date | diagnosis_date_precision |
                | A          | d270           | day                      |
                | B          | d270           | year                     |
                | C          |                |                          |
            """,
        },
        """
        | subject_id | prior_delivered | n_prior | prior_lines | subsequent_delivered | n_subsequent | diagnosis_day |
        | A          | yes             | 2       | 2           | no                   |              | -730          |
        | B          | yes             | 0       | 0           | no                   |              |               |
        | C          | no              |         |             | no                   |              |               |
        """,
    )


COURSES = """
    | subject_id | timing     | therapy_class | sequence | line | line_of_class | start_day | end_day | source_row_id |
    | A          | prior      | chemotherapy  | 1        | 1    | 1             | -700      | -609    | pt:1          |
    | A          | prior      | chemotherapy  | 2        | 2    | 2             | -400      | -304    | pt:2          |
    | A          | prior      | surgery       | 1        | 1    | 1             | -700      | -700    | pt:3          |
    | B          | prior      | chemotherapy  | 1        | 1    | 1             |           |         | pt:4          |
    | A          | subsequent | prrt          | 1        | 1    | 1             | 100       | 100     | st:1          |
    | B          | subsequent | targeted      | 1        | 1    | 1             | 50        | 50      | st:2          |
"""
SUBJECTS = """
    | subject_id | prior_delivered | subsequent_delivered | diagnosis_day |
    | A          | yes             | yes                  | -974          |
    | B          | yes             | yes                  |               |
    | C          | yes             | yes                  |               |
    | D          | yes             | yes                  |               |
    | E          | no              | no                   |               |
"""
MEMBERS = "| population | subject_id |\n" + "".join(f"| all | {s} |\n" for s in "ABCDE")


def test_classes_are_counted_with_their_lines_and_intervals() -> None:
    """Two of four had chemotherapy, in 2 and 1 lines; E's site delivers nothing.

    A's last course ended 304 days before T0 (9.98768 months of 30.4375 days), B's is not dated. The
    diagnosis was 974 days before (32 months). After T0: 100 and 50 days, in the median 75.
    """
    check(
        _shown(therapy_summary),
        {
            "therapy_courses": COURSES,
            "subject_therapies": SUBJECTS,
            "population_members": MEMBERS,
        },
        """
        | timing     | therapy_class | n | total | pct | n_courses | lines | q1_lines | q3_lines | n_dated | interval_months |
        | diagnosis  | any           | 1 | 5     | 20  | 0         |       |          |          | 1       | 32              |
        | prior      | any           | 2 | 4     | 50  | 4         | 1.5   | 1.25     | 1.75     | 1       | 9.98767967146   |
        | prior      | surgery       | 1 | 4     | 25  | 1         | 1     | 1        | 1        | 1       | 22.9979466119   |
        | prior      | chemotherapy  | 2 | 4     | 50  | 3         | 1.5   | 1.25     | 1.75     | 1       | 9.98767967146   |
        | subsequent | any           | 2 | 4     | 50  | 2         | 1     | 1        | 1        | 2       | 2.46406570842   |
        | subsequent | targeted      | 1 | 4     | 25  | 1         | 1     | 1        | 1        | 1       | 1.64271047228   |
        | subsequent | prrt          | 1 | 4     | 25  | 1         | 1     | 1        | 1        | 1       | 3.28542094456   |
        """,
    )
    check(
        therapy_summary_sets,
        {
            "therapy_courses": "| subject_id | timing | therapy_class | sequence |\n"
            "| A | prior | prrt | 1 |\n| A | prior | prrt | 2 |"
        },
        """
        | set_id                     | subject_id | lesion_number |
        | therapy_summary.prior.any  | A          | 0             |
        | therapy_summary.prior.prrt | A          | 0             |
        """,
    )


def test_a_table_that_is_not_delivered_gives_the_reason() -> None:
    """No share of nobody."""
    check(
        _shown(therapy_summary, classes=("any",)),
        {
            "subject_therapies": "| subject_id | prior_delivered | subsequent_delivered |\n"
            "| A | no | no |",
            "population_members": "| population | subject_id |\n| all | A |",
        },
        """
        | timing     | n | total | pct | reason                                                |
        | diagnosis  | 0 | 1     | 0   |                                                       |
        | prior      | 0 | 0     |     | not derivable: needs prior_therapies.therapy_class    |
        | subsequent | 0 | 0     |     | not derivable: needs subsequent_therapies.start_date  |
        """,
    )


TIMES = """
    | subject_id | endpoint | time_days | event | cause       | source_row_id | origin  |
    | A          | TTNT     | 100       | yes   | new_therapy | st:1          | derived |
    | B          | TTNT     | 50        | yes   | new_therapy | st:2          | derived |
    | C          | TTNT     | 200       | yes   | death       | co:1          | derived |
    | D          | TTNT     | 400       | no    | alive       | co:2          | derived |
    | E          | TTNT     | 60        | no    | alive       | co:3          | derived |
    | A          | OS       | 300       | yes   | death       | co:4          | derived |
"""


def test_the_next_therapy_is_what_came_first_and_death_competes() -> None:
    """Of five B leaves by targeted therapy on day 50: 1/5.

    E is censored on day 60 and three are left: A's PRRT on day 100 is 4/5 x 1/3 = 0.26667, C's
    death on day 200 as much again. At a year one is at risk; at three years nobody.
    """
    check(
        _shown(next_therapy, causes=("prrt", "targeted", "chemotherapy", "death")),
        {
            "time_to_event": TIMES,
            "therapy_courses": COURSES,
            "population_members": MEMBERS,
        },
        """
        | cause        | months | incidence      | at_risk | n | events | reason           |
        | prrt         | 12     | 0.266666666667 | 1       | 5 | 1      |                  |
        | targeted     | 12     | 0.2            | 1       | 5 | 1      |                  |
        | chemotherapy | 12     | 0              | 1       | 5 | 0      |                  |
        | death        | 12     | 0.266666666667 | 1       | 5 | 1      |                  |
        | prrt         | 36     |                | 0       | 5 | 1      | beyond_follow_up |
        | targeted     | 36     |                | 0       | 5 | 1      | beyond_follow_up |
        | chemotherapy | 36     |                | 0       | 5 | 0      | beyond_follow_up |
        | death        | 36     |                | 0       | 5 | 1      | beyond_follow_up |
        """,
        SurvivalSettings(landmarks_months=(12, 36)),
    )
    check(
        next_therapy_sets,
        {"time_to_event": TIMES, "therapy_courses": COURSES},
        """
        | set_id                | subject_id | lesion_number |
        | next_therapy.prrt     | A          | 0             |
        | next_therapy.targeted | B          | 0             |
        | next_therapy.death    | C          | 0             |
        """,
    )


def test_without_subsequent_therapies_nothing_came_next() -> None:
    """No row of time to the next therapy: null, with the tables that it needs."""
    check(
        _shown(next_therapy, causes=("death",)),
        {"population_members": MEMBERS},
        """
        | cause | months | incidence | n | events | reason                                                 |
        | death | 12     |           | 0 | 0      | not derivable: needs contacts and subsequent_therapies |
        """,
        SurvivalSettings(landmarks_months=(12,)),
    )
