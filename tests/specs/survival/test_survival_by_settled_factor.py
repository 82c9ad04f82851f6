"""Survival by what the planned course settled, from its end on."""

from analytics.prognosis.settled import survival_by_settled_factor, survival_by_settled_factor_sets
from schemas.sections.prognosis import PrognosisSettings
from tests.support.pipe_tables import check, run

GIVEN = {
    "population_members": """
        | population | subject_id |
        | all        | A          |
        | all        | B          |
        | all        | C          |
        | all        | D          |
        | all        | E          |
        | all        | F          |
        | all        | G          |
        | all        | H          |
    """,
    "subjects": """
        | subject_id | course_end_day |
        | A          | 10             |
        | B          | 0              |
        | C          | 20             |
        | D          | 0              |
        | E          | 40             |
        | F          | 40             |
        | G          |                |
        | H          | 0              |
    """,
    "time_to_event": """
        | subject_id | lesion_number | endpoint | start_day | time_days | event |
        | A          | 0             | OS       | 0         | 20        | yes   |
        | B          | 0             | OS       | 0         | 20        | yes   |
        | C          | 0             | OS       | 0         | 50        | yes   |
        | D          | 0             | OS       | 0         | 40        | yes   |
        | E          | 0             | OS       | 0         | 40        | yes   |
        | F          | 0             | OS       | 0         | 40        | no    |
        | G          | 0             | OS       | 0         | 90        | yes   |
        | H          | 0             | OS       | 0         | 60        | no    |
    """,
    "settled_factors": """
        | subject_id | factor      | factor_level | level_number | from_day |
        | A          | lobes       | both         | 1            | 10       |
        | B          | lobes       | one          | 0            |          |
        | C          | lobes       | both         | 1            | 20       |
        | D          | lobes       | one          | 0            |          |
        | E          | lobes       | both         | 1            | 40       |
        | F          | lobes       | both         | 1            | 40       |
        | A          | new_therapy | yes          | 1            | 15       |
    """,
}


def test_time_counts_from_the_end_of_the_course_of_those_observed_beyond_it() -> None:
    """From their courses' ends A, B, C and D die on days 10, 20, 30 and 40: both, one, both, one.

    By hand, as with any two groups in this order: chi-square 0.6154 and a ratio of 2.5616. E died
    on the last day of the course and F was not followed beyond: they are in no group. The lobes of
    H are not known. G had no course. Days 10 and 30 give a median of 20 days, 20 and 40 one of 30,
    in months of 30.4375 days. A later therapy is settled by no course.
    """
    check(
        survival_by_settled_factor,
        GIVEN,
        """
        | factor | factor_level | n | events | missing | median_months | chi2        | df | hr         | left_out_dead | left_out_censored | reason    |
        | lobes  | both         | 2 | 2      | 1       | 0.657084189   | 0.615384615 | 1  | 2.56155281 | 1             | 1                 |           |
        | lobes  | one          | 2 | 2      | 1       | 0.985626283   | 0.615384615 | 1  |            | 1             | 1                 | reference |
        """,
    )


def test_members_are_those_of_the_level_who_were_observed_beyond_the_course() -> None:
    """E and F are in no set: they are in no number."""
    given = {name: table for name, table in GIVEN.items() if name != "population_members"}
    found = run(survival_by_settled_factor_sets, given, PrognosisSettings())
    assert sorted((r["set_id"], r["subject_id"]) for r in found) == [
        ("survival_by_settled_factor.os.lobes.both", "A"),
        ("survival_by_settled_factor.os.lobes.both", "C"),
        ("survival_by_settled_factor.os.lobes.one", "B"),
        ("survival_by_settled_factor.os.lobes.one", "D"),
    ]


def test_of_one_level_only_the_median_stands_and_nothing_is_compared() -> None:
    """Everybody had one lobe treated."""
    one = GIVEN | {
        "settled_factors": """
            | subject_id | factor | factor_level | level_number |
            | A          | lobes  | one          | 0            |
            | B          | lobes  | one          | 0            |
        """
    }
    check(
        survival_by_settled_factor,
        one,
        """
        | factor | factor_level | n | missing | p | hr | reason         |
        | lobes  | one          | 2 | 3       |   |    | one level only |
        """,
    )
