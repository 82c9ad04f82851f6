"""When the clock starts, and which sessions and lesions belong together."""

from schemas.settings import BaselineSettings
from tests.support.pipe_tables import check
from transforms.baseline.anchors import anchors, sessions, subject_lesions


def test_a_second_session_to_the_other_lobe_within_90_days_is_the_same_course() -> None:
    """Staged lobar treatment is one planned course; day 90 still belongs to it, day 91 does not.

    Source: Memon 2012 (lobes treated one after the other); the 90 days are this registry's choice.
    """
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe  |
                | A          | s1         | t1        | d0             | right |
                | A          | s2         | t1        | d90            | left  |
                | B          | s1         | t1        | d0             | right |
                | B          | s2         | t1        | d91            | left  |
                | C          | s1         | t1        | d0             | right |
                | C          | s2         | t1        | d35            | right |
                | D          | s1         | t1        | d0             | right |
                | D          | s2         | t1        | d35            | whole |
            """
        },
        """
        | subject_id | session_number | session_date | covers_right | covers_left | course |
        | A          | 1              | d0           | yes          | no          | 1      |
        | A          | 2              | d90          | no           | yes         | 1      |
        | B          | 1              | d0           | yes          | no          | 1      |
        | B          | 2              | d91          | no           | yes         | 2      |
        | C          | 1              | d0           | yes          | no          | 1      |
        | C          | 2              | d35          | yes          | no          | 2      |
        | D          | 1              | d0           | yes          | no          | 1      |
        | D          | 2              | d35          | yes          | yes         | 2      |
        """,
    )


def test_a_course_treats_each_lobe_once() -> None:
    """A third session within the interval repeats a lobe, so it opens a course of its own."""
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe  |
                | A          | s1         | t1        | d0             | right |
                | A          | s2         | t1        | d40            | left  |
                | A          | s3         | t1        | d80            | right |
                | A          | s4         | t1        | d120           | left  |
                | A          | s5         | t1        | d160           | whole |
            """
        },
        """
        | subject_id | session_number | course |
        | A          | 1              | 1      |
        | A          | 2              | 1      |
        | A          | 3              | 2      |
        | A          | 4              | 2      |
        | A          | 5              | 3      |
        """,
    )


def test_the_interval_between_the_sessions_of_a_course_is_a_setting() -> None:
    """A registry that plans its second session later says so."""
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe  |
                | A          | s1         | t1        | d0             | right |
                | A          | s2         | t1        | d91            | left  |
            """
        },
        """
        | subject_id | session_number | course |
        | A          | 1              | 1      |
        | A          | 2              | 1      |
        """,
        BaselineSettings(unilobar_second_session_days=120),
    )


def test_two_targets_of_one_session_are_one_session() -> None:
    """The session covers the union of its targets; sessions of one day are numbered by their id."""
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe  |
                | A          | s1         | t1        | d0             | right |
                | A          | s1         | t2        | d0             | left  |
                | B          | s2         | t1        | d0             | left  |
                | B          | s1         | t1        | d0             | right |
            """
        },
        """
        | subject_id | session_number | session_id | covers_right | covers_left | course |
        | A          | 1              | s1         | yes          | yes         | 1      |
        | B          | 1              | s1         | yes          | no          | 1      |
        | B          | 2              | s2         | no           | yes         | 1      |
        """,
    )


def test_a_session_whose_lobe_is_not_known_counts_and_is_a_course_of_its_own() -> None:
    """It is the first treatment of who has no earlier one.

    Nobody can say that it treats the other lobe: neither it nor a session after it continues a
    course.
    """
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe    |
                | A          | s1         | t1        | d0             | unknown |
                | A          | s2         | t1        | d40            | left    |
                | B          | s1         | t1        | d0             | right   |
                | B          | s2         | t1        | d40            |         |
                | C          | s1         | t1        | d0             | right   |
                | C          | s1         | t2        | d0             | unknown |
            """
        },
        """
        | subject_id | session_number | covers_right | covers_left | covers_unknown | course |
        | A          | 1              | no           | no          | yes            | 1      |
        | A          | 2              | no           | yes         | no             | 2      |
        | B          | 1              | yes          | no          | no             | 1      |
        | B          | 2              | no           | no          | yes            | 2      |
        | C          | 1              | yes          | no          | yes            | 1      |
        """,
    )


def test_a_lobe_waits_no_longer_than_to_a_session_that_may_have_treated_it() -> None:
    """Where the lobe of the first session is not known, nobody knows which one waits."""
    check(
        anchors,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe    | planned_lobes |
                | A          | s1         | t1        | d0             | right   | both          |
                | A          | s2         | t1        | d40            | unknown |               |
                | B          | s1         | t1        | d0             | unknown | both          |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | covers_unknown | course |
                | A          | 1              | d0           | yes          | no          | no             | 1      |
                | A          | 2              | d40          | no           | no          | yes            | 2      |
                | B          | 1              | d0           | no           | no          | yes            | 1      |
            """,
        },
        """
        | subject_id | t0_date | plan_known | right_waits_to | left_waits_to |
        | A          | d0      | yes        |                | d40           |
        | B          | d0      | no         |                |               |
        """,
    )


def test_a_session_in_which_nothing_was_injected_is_not_a_treatment() -> None:
    """The analysis set needs one administered session; an activity of zero is none."""
    check(
        sessions,
        {
            "treatments": """
                | subject_id | session_id | treatment_date | lobe  | activity_administered_gbq |
                | A          | s1         | d0             | right | 0                         |
                | A          | s2         | d14            | right | 2.1                       |
                | B          | s1         | d0             | right | 0                         |
                | C          | s1         | d3             | right |                           |
            """
        },
        """
        | subject_id | session_number | session_date |
        | A          | 1              | d14          |
        | C          | 1              | d3           |
        """,
    )


def test_t0_is_the_first_session_and_retreatment_does_not_prolong_the_first_course() -> None:
    """Survival is counted from the first 90Y treatment. Source: Dunfee 2010."""
    check(
        anchors,
        {
            "treatments": """
                | subject_id | session_id | target_id | treatment_date | lobe  |
                | A          | s2         | t1        | d0             | right |
                | A          | s1         | t1        | d35            | left  |
                | A          | s3         | t1        | d400           | left  |
            """,
            "sessions": """
                | subject_id | session_number | session_date | course |
                | A          | 1              | d0           | 1      |
                | A          | 2              | d35          | 1      |
                | A          | 3              | d400         | 2      |
            """,
        },
        """
        | subject_id | site_id | t0_date | last_session_date |
        | A          | s1      | d0      | d35               |
        """,
    )


def test_a_lesions_day_is_the_first_session_that_perfuses_its_lobe() -> None:
    """The second lobe's lesions are untreated until its session; caudate and unknown start at T0.

    A lobe that was never treated also starts at T0.
    """
    check(
        subject_lesions,
        {
            "lesions": """
                | subject_id | lesion_id | organ | lobe    | index_lesion | recist_target |
                | A          | L1        | liver | right   |              |               |
                | A          | L2        | liver | left    | no           | yes           |
                | A          | L3        | liver | caudate | yes          | no            |
                | A          | L4        | node  |         | yes          | no            |
                | B          | L1        | liver | left    | yes          | no            |
                | C          | L1        | liver | left    | yes          | no            |
            """,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d5      |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | course |
                | A          | 1              | d0           | yes          | no          | 1      |
                | A          | 2              | d35          | no           | yes         | 1      |
                | A          | 3              | d300         | yes          | yes         | 2      |
                | B          | 1              | d5           | yes          | no          | 1      |
            """,
        },
        """
        | subject_id | lesion_id | index_lesion | recist_target | lobe_date |
        | A          | L1        | yes          | no            | d0        |
        | A          | L2        | no           | yes           | d35       |
        | A          | L3        | yes          | no            | d0        |
        | A          | L4        | yes          | no            | d0        |
        | B          | L1        | yes          | no            | d5        |
        | C          | L1        | yes          | no            |           |
        """,
    )


def test_a_session_whose_lobe_is_not_known_may_have_treated_any_lesion() -> None:
    """As of a lesion whose own lobe is not known, any session counts. L1 has a session of its own.

    Without a session of an unknown lobe, a lesion of the other lobe was not treated (B).
    """
    check(
        subject_lesions,
        {
            "lesions": """
                | subject_id | lesion_id | lobe  |
                | A          | L1        | right |
                | A          | L2        | left  |
                | B          | L1        | left  |
            """,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d0      |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | covers_unknown | course |
                | A          | 1              | d0           | no           | no          | yes            | 1      |
                | A          | 2              | d35          | yes          | no          | no             | 2      |
                | B          | 1              | d0           | yes          | no          | no             | 1      |
            """,
        },
        """
        | subject_id | lesion_id | treated | first_session_number | lobe_date |
        | A          | L1        | yes     | 2                    | d35       |
        | A          | L2        | yes     | 1                    | d0        |
        | B          | L1        | no      |                      | d0        |
        """,
    )


def test_a_session_to_the_whole_liver_perfuses_both_lobes() -> None:
    """Whole-liver administration starts the clock of the lesions of either lobe."""
    check(
        subject_lesions,
        {
            "lesions": """
                | subject_id | lesion_id | lobe  |
                | A          | L1        | right |
                | A          | L2        | left  |
            """,
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | course |
                | A          | 1              | d0           | yes          | yes         | 1      |
            """,
        },
        """
        | subject_id | lesion_id | lobe_date |
        | A          | L1        | d0        |
        | A          | L2        | d0        |
        """,
    )


def test_lesions_are_numbered_by_first_measurement_then_id() -> None:
    """A lesion never measured keeps its place in the denominator, behind those that were."""
    check(
        subject_lesions,
        {
            "lesions": """
                | subject_id | lesion_id |
                | A          | L1        |
                | A          | L2        |
                | A          | L3        |
                | A          | L4        |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date |
                | A          | L4        | d-10      |
                | A          | L3        | d-10      |
                | A          | L3        | d28       |
                | A          | L2        | d28       |
            """,
        },
        """
        | subject_id | lesion_id | lesion_number |
        | A          | L3        | 1             |
        | A          | L4        | 2             |
        | A          | L2        | 3             |
        | A          | L1        | 4             |
        """,
    )
