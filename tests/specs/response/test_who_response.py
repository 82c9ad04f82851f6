"""Response by WHO: the product of a lesion's longest diameter and its perpendicular.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; WHO 1979 as tabulated in PMC2755245 Table 3.
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_best, lesion_classes, only, subject_classes

AT_LEAST = ResponseSettings(who_pd_operator=">=")


def test_half_the_product_is_a_partial_response_and_a_hair_more_is_not() -> None:
    """PR is a decrease of at least 50 % from baseline: 99 and 100 of 200 mm2 are, 101 is not."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | below      | L1        | d-10      | 20         | 10               |
                | below      | L1        | d30       | 10         | 9.9              |
                | at         | L1        | d-10      | 20         | 10               |
                | at         | L1        | d30       | 10         | 10               |
                | above      | L1        | d-10      | 20         | 10               |
                | above      | L1        | d30       | 10.1       | 10               |
            """
        },
        """
        | subject_id | criterion | baseline | value | change_from_baseline_pct | response | rule                   |
        | below      | WHO       | 200      | 99    | -50.5                    | PR       | decrease_from_baseline |
        | at         | WHO       | 200      | 100   | -50                      | PR       | decrease_from_baseline |
        | above      | WHO       | 200      | 101   | -49.5                    | SD       | neither                |
        """,
    )


def test_growth_of_more_than_a_quarter_over_the_nadir_is_progression() -> None:
    """The group that reported the series wrote "> 25 %": exactly 25 % is still stable."""
    check(
        only(lesion_classes, "WHO"),
        {"measurements": _QUARTER},
        """
        | subject_id | criterion | value | change_from_nadir_pct | response | rule              |
        | below      | WHO       | 249   | 24.5                  | SD       | neither           |
        | at         | WHO       | 250   | 25                    | SD       | neither           |
        | above      | WHO       | 251   | 25.5                  | PD       | growth_over_nadir |
        """,
    )


def test_the_classical_reading_takes_growth_of_exactly_a_quarter_as_progression() -> None:
    """WHO 1979 wrote ">= 25 %": the setting `who_pd_operator` chooses it."""
    check(
        only(lesion_classes, "WHO"),
        {"measurements": _QUARTER},
        """
        | subject_id | criterion | value | change_from_nadir_pct | response |
        | below      | WHO       | 249   | 24.5                  | SD       |
        | at         | WHO       | 250   | 25                    | PD       |
        | above      | WHO       | 251   | 25.5                  | PD       |
        """,
        AT_LEAST,
    )


_QUARTER = """
    | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
    | below      | L1        | d-10      | 20         | 10               |
    | below      | L1        | d30       | 24.9       | 10               |
    | at         | L1        | d-10      | 20         | 10               |
    | at         | L1        | d30       | 25         | 10               |
    | above      | L1        | d-10      | 20         | 10               |
    | above      | L1        | d30       | 25.1       | 10               |
"""


def test_growth_counts_from_the_smallest_value_and_shrinkage_from_baseline() -> None:
    """A lesion 75 % below its baseline is progressive when it has grown 26 % over its nadir.

    Source: EORTC, RECIST questions and clarifications (the two references are not the same).
    """
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 40         | 25               |
                | A          | L1        | d30       | 20         | 10               |
                | A          | L1        | d90       | 25         | 10.1             |
            """
        },
        """
        | criterion | rel_day | baseline | nadir | value | change_from_baseline_pct | change_from_nadir_pct | response |
        | WHO       | 30      | 1000     | 1000  | 200   | -80                      | -80                   | PR       |
        | WHO       | 90      | 1000     | 200   | 252.5 | -74.75                   | 26.25                 | PD       |
        """,
    )


def test_an_absent_lesion_is_a_complete_response() -> None:
    """Absent stands for 0 mm; without size there is no enhancing tissue either."""
    check(
        lesion_classes,
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm | status   |
                | A          | L1        | d-10      | 20         | 10               | 20                   | 10                         | measured |
                | A          | L1        | d30       |            |                  |                      |                            | absent   |
            """
        },
        """
        | criterion  | value | response | rule |
        | WHO        | 0     | CR       | gone |
        | EASL       | 0     | CR       | gone |
        | RECIST 1.1 | 0     | CR       | gone |
        | mRECIST    | 0     | CR       | gone |
        """,
    )


def test_a_lesion_too_small_to_measure_counts_as_5_mm_unless_it_was_measured() -> None:
    """Seen but not measurable is not gone; a real measurement below 5 mm is kept.

    Source: EORTC, RECIST questions and clarifications.
    """
    check(
        only(lesion_classes, "WHO", "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status    |
                | A          | L1        | d-10      | 20         | 10               | measured  |
                | A          | L1        | d30       |            |                  | too_small |
                | A          | L1        | d90       | 3          | 2                | too_small |
                | A          | L1        | d150      | 4          | 4                | measured  |
                | B          | L1        | d-10      | 20         | 10               | measured  |
                | B          | L1        | d30       | 0          | 0                | too_small |
            """
        },
        """
        | subject_id | criterion  | rel_day | value | response |
        | A          | WHO        | 30      | 25    | PR       |
        | A          | WHO        | 90      | 6     | PR       |
        | A          | WHO        | 150     | 16    | PD       |
        | B          | WHO        | 30      | 25    | PR       |
        | A          | RECIST 1.1 | 30      | 5     | PR       |
        | A          | RECIST 1.1 | 90      | 3     | PR       |
        | A          | RECIST 1.1 | 150     | 4     | PR       |
        | B          | RECIST 1.1 | 30      | 5     | PR       |
        """,
    )


def test_a_lesion_that_comes_back_after_it_was_gone_is_progressive() -> None:
    """After a nadir of zero no ratio exists: any size is progression, called reappearance.

    Source: EORTC, RECIST questions and clarifications, for the patient who was in complete
    response; for a single lesion this is the registry's choice.
    """
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
                | A          | L1        | d-10      | 20         | 10               | measured |
                | A          | L1        | d30       |            |                  | absent   |
                | A          | L1        | d90       | 1          | 1                | measured |
                | A          | L1        | d150      |            |                  | absent   |
            """
        },
        """
        | criterion | rel_day | nadir | value | response | rule         | in_window |
        | WHO       | 30      | 200   | 0     | CR       | gone         | yes       |
        | WHO       | 90      | 0     | 1     | PD       | reappearance | yes       |
        | WHO       | 150     | 0     | 0     | CR       | gone         | no        |
        """,
    )


def test_a_perpendicular_longer_than_the_longest_is_taken_the_other_way_round() -> None:
    """The longer of two diameters is the longest; validation reports the swap as a finding."""
    check(
        only(lesion_classes, "WHO", "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 10         | 20               |
                | A          | L1        | d30       | 12         | 14               |
            """
        },
        """
        | criterion  | baseline | value | response |
        | WHO        | 200      | 168   | SD       |
        | RECIST 1.1 | 20       | 14    | PR       |
        """,
    )


def test_what_was_not_measured_is_not_evaluable_with_its_reason() -> None:
    """Null never becomes stable disease: each reason for a missing size has its name."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | A          | L1        | d-10      | 20         | 10               | measured      |
                | A          | L1        | d30       |            |                  | not_imaged    |
                | A          | L1        | d60       | 10         | 10               | not_evaluable |
                | A          | L1        | d90       |            |                  | measured      |
                | A          | L1        | d120      | 20         |                  | measured      |
                | A          | L1        | d150      | 20         | 0                | measured      |
                | A          | L1        | d180      | 10         | 10               | measured      |
            """,
            "scans": """
                | subject_id | scan_date | evaluable |
                | A          | d180      | no        |
            """,
        },
        """
        | criterion | rel_day | value | response | rule               |
        | WHO       | 30      |       | NE       | not_imaged         |
        | WHO       | 60      |       | NE       | not_evaluable      |
        | WHO       | 90      |       | NE       | not_measured       |
        | WHO       | 120     |       | NE       | not_measured       |
        | WHO       | 150     |       | NE       | not_measured       |
        | WHO       | 180     |       | NE       | scan_not_evaluable |
        """,
    )


def test_a_lesion_of_no_size_at_baseline_is_not_evaluable() -> None:
    """No ratio to a baseline of zero exists: not evaluable, never a division by zero."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
                | A          | L1        | d-10      | 0          | 0                | measured |
                | A          | L1        | d30       | 20         | 10               | measured |
            """
        },
        """
        | criterion | baseline | value | change_from_baseline_pct | response | rule          |
        | WHO       | 0        | 200   |                          | NE       | baseline_zero |
        """,
    )


def test_any_lesion_may_make_the_patient_progressive_in_the_classical_reading() -> None:
    """WHO 1979: growth of one or more lesions is progression; by default their sum decides.

    Source: WHO 1979 as tabulated in PMC2755245 Table 3; setting `who_pd_any_lesion`.
    """
    measured = """
        | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
        | A          | L1        | d-10      | 40         | 40               |
        | A          | L2        | d-10      | 10         | 10               |
        | A          | L1        | d30       | 40         | 40               |
        | A          | L2        | d30       | 14         | 10               |
    """
    check(
        only(subject_classes, "WHO"),
        {"measurements": measured},
        """
        | criterion | value | response | rule    |
        | WHO       | 1740  | SD       | neither |
        """,
    )
    check(
        only(subject_classes, "WHO"),
        {"measurements": measured},
        """
        | criterion | value | response | rule               |
        | WHO       | 1740  | PD       | growth_of_a_lesion |
        """,
        ResponseSettings(who_pd_any_lesion=True),
    )


def test_a_lesion_at_exactly_half_its_size_has_not_fallen_by_more_than_half() -> None:
    """PR is at least 50 %; "more than 50 %" is counted apart, and any decrease too."""
    check(
        only(lesion_best, "WHO", confirmation="unconfirmed"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | half       | L1        | d-10      | 20         | 10               |
                | half       | L1        | d30       | 10         | 10               |
                | more       | L1        | d-10      | 20         | 10               |
                | more       | L1        | d30       | 10         | 9.9              |
                | same       | L1        | d-10      | 20         | 10               |
                | same       | L1        | d30       | 20         | 10               |
                | less       | L1        | d-10      | 20         | 10               |
                | less       | L1        | d30       | 20         | 9.9              |
            """
        },
        """
        | subject_id | criterion | confirmation | best_response | best_change_pct | any_decrease | over_50_decrease |
        | half       | WHO       | unconfirmed  | PR            | -50             | yes          | no               |
        | more       | WHO       | unconfirmed  | PR            | -50.5           | yes          | yes              |
        | same       | WHO       | unconfirmed  | SD            | 0               | no           | no               |
        | less       | WHO       | unconfirmed  | SD            | -1              | yes          | no               |
        """,
    )
