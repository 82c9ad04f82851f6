"""Factors that are settled only after T0: sessions, lobes and dose of the course, later therapies."""

import pytest
from pydantic import ValidationError

from schemas.sections.prognosis import PrognosisSettings
from tests.support.pipe_tables import check
from transforms.baseline.settled_factors import settled_factors

ANCHORS = """
    | subject_id | site_id | t0_date |
    | A          | x       | d0      |
    | B          | x       | d0      |
    | C          | y       | d0      |
"""
SESSIONS = """
    | subject_id | session_number | session_date | covers_right | covers_left | covers_unknown | course |
    | A          | 1              | d0           | yes          | no          | no             | 1      |
    | A          | 2              | d40          | no           | yes         | no             | 1      |
    | B          | 1              | d0           | yes          | no          | no             | 1      |
    | B          | 2              | d200         | yes          | no          | no             | 2      |
    | C          | 1              | d0           | no           | no          | yes            | 1      |
"""


def test_sessions_and_lobes_are_those_of_the_planned_course_from_the_day_they_were_reached() -> (
    None
):
    """A's second lobe came on day 40. B's second session is re-treatment, from day 200 on.

    The lobe of C's session is not known, so that C has no level of `lobes`. Nobody at these sites
    delivers a later therapy: `new_therapy` is missing, not `no`.
    """
    check(
        settled_factors,
        {"anchors": ANCHORS, "sessions": SESSIONS},
        """
        | subject_id | factor      | factor_level | level_number | number | from_day |
        | A          | lobes       | both         | 1            |        | 40       |
        | A          | sessions    | >1           | 1            | 2      | 40       |
        | A          | retreatment | no           | 0            |        |          |
        | B          | lobes       | one          | 0            |        |          |
        | B          | sessions    | <=1          | 0            | 1      |          |
        | B          | retreatment | yes          | 1            |        | 200      |
        | C          | sessions    | <=1          | 0            | 1      |          |
        | C          | retreatment | no           | 0            |        |          |
        """,
    )


def test_two_sessions_of_one_day_are_one_day_of_treatment() -> None:
    """A's two sessions were both given on the day of T0, one to each lobe: nobody had to wait."""
    check(
        settled_factors,
        {
            "anchors": "| subject_id | site_id | t0_date |\n| A | x | d0 |",
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | covers_unknown | course |
                | A          | 1              | d0           | yes          | no          | no             | 1      |
                | A          | 2              | d0           | no           | yes         | no             | 1      |
            """,
        },
        """
        | subject_id | factor      | factor_level | level_number | number | from_day |
        | A          | lobes       | both         | 1            |        | 0        |
        | A          | sessions    | <=1          | 0            | 1      |          |
        | A          | retreatment | no           | 0            |        |          |
        """,
    )


def test_the_tumour_dose_is_parted_by_the_setting_exactly_and_recorded_comes_before_computed() -> (
    None
):
    """150 Gy belongs to the good level. B's dose is recorded as 149.999999, whatever was computed."""
    check(
        settled_factors,
        {
            "course_doses": """
                | subject_id | compartment  | device | dose_gy | dose_gy_recorded |
                | A          | tumour       | glass  | 150     |                  |
                | A          | normal_liver | glass  | 30      |                  |
                | B          | tumour       | resin  | 200     | 149.999999       |
                | C          | tumour       | resin  |         |                  |
            """
        },
        """
        | subject_id | factor      | factor_level | level_number | number     | from_day |
        | A          | tumour_dose | >=150        | 0            | 150        |          |
        | B          | tumour_dose | <150         | 1            | 149.999999 |          |
        """,
    )


def test_a_later_therapy_is_a_level_from_its_first_day_on() -> None:
    """The first of several decides. B had none, at a site that delivers them; C's site does not.

    A month before T0 in which only the month is known is moved to T0.
    """
    given = {
        "anchors": ANCHORS,
        "subsequent_therapies": """
            | subject_id | site_id | therapy_class | start_date | start_date_precision |
            | A          | x       | prrt          | d300       | day                  |
            | A          | x       | chemotherapy  | d90        | day                  |
        """,
    }
    check(
        settled_factors,
        given,
        """
        | subject_id | factor      | factor_level | level_number | from_day |
        | A          | retreatment | no           | 0            |          |
        | A          | new_therapy | yes          | 1            | 90       |
        | B          | retreatment | no           | 0            |          |
        | B          | new_therapy | no           | 0            |          |
        | C          | retreatment | no           | 0            |          |
        """,
    )


@pytest.mark.parametrize("code", ["lobes", "sessions", "tumour_dose", "retreatment", "new_therapy"])
def test_asked_for_as_a_level_at_t0_it_is_refused(code: str) -> None:
    """Whoever came to a second session has lived until then."""
    with pytest.raises(ValidationError, match=rf"{code} is settled only after T0"):
        PrognosisSettings(factors=(code,))
    with pytest.raises(ValidationError, match=r"no factor ki_76. Name some of ecog0, burden25"):
        PrognosisSettings(factors=("ki_76",))
