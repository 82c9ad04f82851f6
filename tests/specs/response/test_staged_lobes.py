"""Lobes that are treated one after the other: when a lesion's and a patient's window opens and closes.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (lobar, staged treatment).
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_classes, only, subject_classes

_LESIONS = """
    | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
    | A          | 1             | L1        | liver | right | yes          | yes           | d0        |
    | A          | 2             | L2        | liver | left  | yes          | yes           | d40       |
"""
_SIZES = """
    | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
    | A          | L1        | d-10      | 20         | 10               |
    | A          | L2        | d-10      | 20         | 10               |
    | A          | L1        | d30       | 20         | 10               |
    | A          | L2        | d30       | 40         | 10               |
    | A          | L1        | d90       | 10         | 10               |
    | A          | L2        | d90       | 20         | 10               |
"""


def test_growth_in_a_lobe_not_yet_treated_is_the_patients_progression_by_default() -> None:
    """The patient is progressive at d30 while both lesions respond later: the levels differ.

    Judged by the planned course the lobe that waits counts as at baseline, and from its session on as
    compared with the reading before it. Where nobody recorded the plan, nothing can be said.
    """
    tables = {"subject_lesions": _LESIONS, "measurements": _SIZES}
    check(
        only(lesion_classes, "WHO"),
        tables,
        """
        | lesion_number | rel_day | baseline | value | response |
        | 1             | 30      | 200      | 200   | SD       |
        | 1             | 90      | 200      | 100   | PR       |
        | 2             | 90      | 400      | 200   | PR       |
        """,
    )
    check(
        only(subject_classes, "WHO"),
        tables,
        """
        | rel_day | baseline | value | response | in_window |
        | 30      | 400      | 600   | PD       | yes       |
        | 90      | 400      | 300   | SD       | no        |
        """,
    )
    planned = {
        **tables,
        "anchors": """
            | subject_id | t0_date | last_session_date | plan_known | left_waits_to |
            | A          | d0      | d40               | yes        | d40           |
        """,
    }
    course = ResponseSettings(patient_window="planned_course")
    check(
        only(subject_classes, "WHO"),
        planned,
        """
        | rel_day | baseline | value | response | in_window |
        | 30      | 400      | 400   | SD       | yes       |
        | 90      | 600      | 300   | PR       | yes       |
        """,
        course,
    )
    check(
        only(subject_classes, "WHO"),
        tables,
        """
        | rel_day | response | rule              |
        | 30      | NE       | plan_not_recorded |
        | 90      | NE       | plan_not_recorded |
        """,
        course,
    )


def test_a_window_does_not_close_before_it_opens() -> None:
    """DECISION. Therapy began on day 39, the left lobe was treated on day 42: its lesions are followed.

    The patient's window, and that of the lesions treated before, closed with the therapy. No
    guideline says so: it is a judgement that a therapy begun before a lobe's own treatment is not a
    later one for its lesions, although it may help them shrink.
    """
    tables = {
        "subject_lesions": """
            | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
            | A          | 1             | L1        | liver | right | yes          | yes           | d0        |
            | A          | 2             | L2        | liver | left  | yes          | yes           | d42       |
        """,
        "sessions": """
            | subject_id | session_number | session_date | covers_right | covers_left | course |
            | A          | 1              | d0           | yes          | no          | 1      |
            | A          | 2              | d42          | no           | yes         | 1      |
        """,
        "subsequent_therapies": """
            | subject_id | therapy_class | start_date |
            | A          | prrt          | d39        |
            | B          | prrt          | d39        |
        """,
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
            | A          | L1        | d-10      | 20         | 10               |
            | A          | L2        | d-10      | 20         | 10               |
            | A          | L1        | d128      | 10         | 10               |
            | A          | L2        | d128      | 10         | 10               |
        """,
    }
    check(
        only(lesion_classes, "WHO"),
        tables,
        """
        | lesion_number | rel_day | response | in_window |
        | 1             | 128     | PR       | no        |
        | 2             | 128     | PR       | yes       |
        """,
    )
    check(
        only(subject_classes, "WHO"),
        tables,
        """
        | rel_day | response | in_window |
        | 128     | PR       | no        |
        """,
    )


def test_a_lesions_window_closes_with_the_second_treatment_of_its_lobe() -> None:
    """A lobe first treated on day 95 is a new course for the patient, not for its lesion."""
    check(
        only(lesion_classes, "WHO"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
                | A          | 1             | L1        | liver | right | yes          | yes           | d0        |
                | A          | 2             | L2        | liver | left  | yes          | yes           | d95       |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | course |
                | A          | 1              | d0           | yes          | no          | 1      |
                | A          | 2              | d95          | no           | yes         | 2      |
                | A          | 3              | d300         | yes          | yes         | 3      |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               |
                | A          | L2        | d90       | 20         | 10               |
                | A          | L1        | d180      | 10         | 10               |
                | A          | L2        | d180      | 10         | 10               |
                | A          | L1        | d301      | 10         | 10               |
                | A          | L2        | d301      | 10         | 10               |
            """,
        },
        """
        | lesion_number | rel_day | response | in_window |
        | 1             | 180     | PR       | yes       |
        | 1             | 301     | PR       | no        |
        | 2             | 180     | PR       | yes       |
        | 2             | 301     | PR       | no        |
        """,
    )


def test_a_session_that_may_have_treated_a_lobe_again_closes_its_window() -> None:
    """Of a lobe with a session of its own only later ones count.

    On day 0 it may not have been treated, and its window opens with its own session on day 40.
    """
    check(
        only(lesion_classes, "WHO"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
                | A          | 1             | L1        | liver | right | yes          | yes           | d40       |
                | B          | 1             | L1        | liver | right | yes          | yes           | d0        |
            """,
            "sessions": """
                | subject_id | session_number | session_date | covers_right | covers_left | covers_unknown | course |
                | A          | 1              | d0           | no           | no          | yes            | 1      |
                | A          | 2              | d40          | yes          | no          | no             | 2      |
                | A          | 3              | d200         | no           | no          | yes            | 3      |
                | B          | 1              | d0           | yes          | no          | no             | 1      |
                | B          | 2              | d300         | no           | yes         | no             | 2      |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               |
                | A          | L1        | d180      | 10         | 10               |
                | A          | L1        | d301      | 10         | 10               |
                | B          | L1        | d-10      | 20         | 10               |
                | B          | L1        | d180      | 10         | 10               |
                | B          | L1        | d301      | 10         | 10               |
            """,
        },
        """
        | subject_id | rel_day | response | in_window |
        | A          | 180     | PR       | yes       |
        | A          | 301     | PR       | no        |
        | B          | 180     | PR       | yes       |
        | B          | 301     | PR       | yes       |
        """,
    )


_PLANNED = """
    | subject_id | t0_date | last_session_date | plan_known | left_waits_to |
    | A          | d0      | d40               | yes        | d40           |
    | B          | d0      | d0                | yes        | d90           |
"""
_BOTH = """
    | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
    | A          | 1             | L1        | liver | right | yes          | yes           | d0        |
    | A          | 2             | L2        | liver | left  | yes          | yes           | d40       |
    | B          | 1             | L1        | liver | right | yes          | yes           | d0        |
    | B          | 2             | L2        | liver | left  | yes          | yes           | d0        |
"""
_COURSE = ResponseSettings(patient_window="planned_course")


def test_a_lobe_that_waits_is_held_at_its_baseline_and_stays_in_the_sum() -> None:
    """DECISION. Under the planned course a waiting lobe neither grows nor shrinks, nor is left out.

    On day 15 the waiting lesion of A has vanished and the treated one has halved: 200 to 100 beside
    200 that are held make 300 of 400, stable. Counted as measured, shrinkage that no treatment made
    would be a response of the patient while growth is excused. Left out, 100 of 200 would be a sum
    over some of the targets. The lobe was treated on day 40 and is compared with day 38 from then
    on: 100 and 200 are half of 200 and 400.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "anchors": _PLANNED,
            "subject_lesions": _BOTH,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
                | A          | L1        | d-10      | 20         | 10               | measured |
                | A          | L2        | d-10      | 20         | 10               | measured |
                | A          | L1        | d15       | 10         | 10               | measured |
                | A          | L2        | d15       |            |                  | absent   |
                | A          | L2        | d38       | 40         | 10               | measured |
                | A          | L1        | d38       | 10         | 10               | measured |
                | A          | L1        | d60       | 10         | 10               | measured |
                | A          | L2        | d60       | 20         | 10               | measured |
            """,
        },
        """
        | rel_day | baseline | nadir | value | response | rule                   |
        | 15      | 400      | 400   | 300   | SD       | neither                |
        | 38      | 400      | 300   | 300   | SD       | neither                |
        | 60      | 600      | 500   | 300   | PR       | decrease_from_baseline |
        """,
        _COURSE,
    )


def test_a_planned_lobe_waits_no_longer_than_a_course_may_last() -> None:
    """DECISION. B's left lobe was planned and never treated: it waits to day 90, the course's last.

    That it was never treated is not known on any day before. Waiting for ever, it could never
    progress. Its growth from 200 to 400 is excused on day 90 and is the patient's on day 120.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "anchors": _PLANNED,
            "subject_lesions": _BOTH,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | B          | L1        | d-10      | 20         | 10               |
                | B          | L2        | d-10      | 20         | 10               |
                | B          | L1        | d90       | 20         | 10               |
                | B          | L2        | d90       | 40         | 10               |
                | B          | L1        | d120      | 20         | 10               |
                | B          | L2        | d120      | 40         | 10               |
            """,
        },
        """
        | rel_day | baseline | value | response | rule              |
        | 90      | 400      | 400   | SD       | neither           |
        | 120     | 400      | 600   | PD       | growth_over_nadir |
        """,
        _COURSE,
    )


def test_a_new_hepatic_lesion_is_excused_in_a_waiting_lobe_and_nowhere_else() -> None:
    """In the left lobe, which waits on day 30; without a lobe; and in the lobe that was treated."""
    places = {"left": "left", "none": "", "right": "right"}
    check(
        only(subject_classes, "WHO"),
        {
            "anchors": "| subject_id | t0_date | last_session_date | plan_known | left_waits_to |\n"
            + "".join(f"| {who} | d0 | d40 | yes | d40 |\n" for who in places),
            "subject_lesions": "| subject_id | lesion_number | lesion_id | organ | lobe | index_lesion "
            "| recist_target | lobe_date |\n"
            + "".join(
                f"| {who} | 1 | L1 | liver | right | yes | yes | d0 |\n"
                f"| {who} | 2 | L2 | liver | {lobe} | no | no | {'d40' if lobe == 'left' else 'd0'} |\n"
                for who, lobe in places.items()
            ),
            "measurements": "| subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |\n"
            + "".join(
                f"| {who} | L1 | d-10 | 20 | 10 |\n| {who} | L1 | d30 | 20 | 10 |\n"
                f"| {who} | L2 | d30 | 25 | 25 |\n"
                for who in places
            ),
        },
        """
        | subject_id | rel_day | response | rule                |
        | left       | 30      | SD       | neither             |
        | none       | 30      | PD       | new_lesion_measured |
        | right      | 30      | PD       | new_lesion_measured |
        """,
        _COURSE,
    )


def test_a_session_within_an_assessment_parts_what_waits_from_what_is_followed() -> None:
    """DECISION. The left lobe is treated on day 40, between the scans of one assessment, days 30 and 44.

    Its lesion read on day 30 was read while it waited: it is held, and dates nothing. The growth of
    the other lesion, seen on day 44, is the progression of that day. Not read at all, the lesion is
    missing: the assessment goes on after its session.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "anchors": """
                | subject_id | t0_date | last_session_date | plan_known | left_waits_to |
                | held       | d0      | d40               | yes        | d40           |
                | missing    | d0      | d40               | yes        | d40           |
                | grew       | d0      | d40               | yes        | d40           |
            """,
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | lobe  | index_lesion | recist_target | lobe_date |
                | held       | 1             | L1        | liver | right | yes          | yes           | d0        |
                | held       | 2             | L2        | liver | left  | yes          | yes           | d40       |
                | missing    | 1             | L1        | liver | right | yes          | yes           | d0        |
                | missing    | 2             | L2        | liver | left  | yes          | yes           | d40       |
                | grew       | 1             | L1        | liver | right | yes          | yes           | d0        |
                | grew       | 2             | L2        | liver | left  | yes          | yes           | d40       |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | held       | L1        | d-10      | 20         | 10               |
                | held       | L2        | d-10      | 20         | 10               |
                | held       | L1        | d30       | 20         | 10               |
                | held       | L2        | d30       | 40         | 10               |
                | held       | L1        | d44       | 20         | 10               |
                | missing    | L1        | d-10      | 20         | 10               |
                | missing    | L2        | d-10      | 20         | 10               |
                | missing    | L1        | d30       | 20         | 10               |
                | missing    | L1        | d44       | 20         | 10               |
                | grew       | L1        | d-10      | 20         | 10               |
                | grew       | L2        | d-10      | 20         | 10               |
                | grew       | L1        | d30       | 20         | 10               |
                | grew       | L2        | d30       | 20         | 10               |
                | grew       | L1        | d44       | 36         | 10               |
            """,
        },
        """
        | subject_id | rel_day | baseline | value | response | rule                  |
        | held       | 44      | 400      | 400   | SD       | neither               |
        | missing    | 44      | 400      |       | NE       | lesions_not_evaluable |
        | grew       | 44      | 400      | 560   | PD       | growth_over_nadir     |
        """,
        _COURSE,
    )
