"""Early mortality: who is counted by a day, and who is in neither count.

Limits are those of R's binom.test(1, 4) and binom.test(2, 3); the curve's are worked by hand.
"""

from analytics.outcomes.early_mortality import early_mortality, early_mortality_sets
from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check

AT_30_90 = SurvivalSettings(early_mortality_days=(30, 90))
TIMES = """
    | subject_id | lesion_number | endpoint | time_days | event | cause             |
    | A          | 0             | OS       | 30        | yes   | death             |
    | B          | 0             | OS       | 31        | yes   | death             |
    | C          | 0             | OS       | 30        | no    | alive             |
    | D          | 0             | OS       | 29        | no    | alive             |
    | E          | 0             | OS       | 20        | no    | dead_date_unknown |
    | F          | 0             | OS       | 400       | no    | alive             |
    | A          | 0             | PFS      | 10        | yes   | progression       |
"""
COUNTS = """
    | population | endpoint | level   | time_days | events | censored |
    | all        | OS       | subject | 20        | 0      | 1        |
    | all        | OS       | subject | 29        | 0      | 1        |
    | all        | OS       | subject | 30        | 1      | 1        |
    | all        | OS       | subject | 31        | 1      | 0        |
    | all        | OS       | subject | 400       | 0      | 1        |
"""


def test_deaths_up_to_a_day_are_counted_of_those_dead_by_then_or_followed_to_it() -> None:
    """A death on the day counts, one of the day after does not; who was last seen on it counts.

    D and E were not followed to day 30, E being dead at an unknown date. Of the four at risk on day
    30 one died: 1 - 3/4; then one of the two left: 1 - 3/8.
    """
    check(
        early_mortality,
        {
            "event_counts": COUNTS,
            "time_to_event": TIMES,
            "population_members": "| population | subject_id |"
            + "".join(f"\n| all | {n} |" for n in "ABCDEF")
            + "\n| site:s2 | Z |",
        },
        """
        | population | days | n | total | n_not_followed | n_undated | pct         | lower       | upper      | km_pct | reason                                 |
        | all        | 30   | 1 | 4     | 2              | 1         | 25          | 0.630946321 | 80.587955  | 25     |                                        |
        | all        | 90   | 2 | 3     | 3              | 1         | 66.66666667 | 9.42993241  | 99.1596241 | 62.5   |                                        |
        | site:s2    | 30   | 0 | 0     | 0              | 0         |             |             |            |        | nobody dead by then or followed so far |
        | site:s2    | 90   | 0 | 0     | 0              | 0         |             |             |            |        | nobody dead by then or followed so far |
        """,
        AT_30_90,
    )
    check(
        early_mortality_sets,
        {"time_to_event": TIMES},
        """
        | set_id             | subject_id | lesion_number |
        | early_mortality.30 | A          | 0             |
        | early_mortality.90 | A          | 0             |
        | early_mortality.90 | B          | 0             |
        """,
        AT_30_90,
    )
