"""Baseline, nadir and response window of a lesion.

Source: RECIST 1.1 (baseline not older than 4 weeks); the registry's choices are settings.
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_best, lesion_classes, only, subject_classes


def test_a_scan_on_the_day_of_treatment_is_the_baseline() -> None:
    """It is assumed to precede the session; the last evaluable scan up to then counts."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | A          | L1        | d-20      | 10         | 10               | measured      |
                | A          | L1        | d0        | 20         | 10               | measured      |
                | A          | L1        | d30       | 20         | 10               | measured      |
                | B          | L1        | d-20      | 20         | 10               | measured      |
                | B          | L1        | d0        |            |                  | not_evaluable |
                | B          | L1        | d30       | 20         | 10               | measured      |
            """
        },
        """
        | subject_id | rel_day | baseline_day | baseline | response |
        | A          | 30      | 0            | 200      | SD       |
        | B          | 30      | -20          | 200      | SD       |
        """,
    )


def test_an_old_baseline_is_flagged_after_28_days_and_refused_after_90() -> None:
    """Stale baselines are used and say so; older ones leave the lesion not evaluable."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | d28        | L1        | d-28      | 20         | 10               |
                | d28        | L1        | d30       | 20         | 10               |
                | d29        | L1        | d-29      | 20         | 10               |
                | d29        | L1        | d30       | 20         | 10               |
                | d90        | L1        | d-90      | 20         | 10               |
                | d90        | L1        | d30       | 20         | 10               |
                | d91        | L1        | d-91      | 20         | 10               |
                | d91        | L1        | d30       | 20         | 10               |
            """
        },
        """
        | subject_id | baseline_day | baseline_stale | baseline | response | rule             |
        | d28        | -28          | no             | 200      | SD       | neither          |
        | d29        | -29          | yes            | 200      | SD       | neither          |
        | d90        | -90          | yes            | 200      | SD       | neither          |
        | d91        | -91          | yes            |          | NE       | baseline_too_old |
        """,
    )


def test_the_second_lobe_has_its_baseline_before_its_own_treatment() -> None:
    """In staged treatment a lesion of the other lobe starts when that lobe is perfused.

    With the setting `baseline_anchor` at T0 both lobes start together.
    """
    tables = {
        "subject_lesions": """
            | subject_id | lesion_number | lesion_id | lobe  | index_lesion | recist_target | lobe_date |
            | A          | 1             | L1        | right | yes          | yes           | d0        |
            | A          | 2             | L2        | left  | yes          | yes           | d40       |
        """,
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
            | A          | L1        | d-10      | 20         | 10               |
            | A          | L2        | d-10      | 20         | 10               |
            | A          | L1        | d30       | 10         | 10               |
            | A          | L2        | d30       | 30         | 10               |
            | A          | L1        | d90       | 10         | 10               |
            | A          | L2        | d90       | 15         | 10               |
        """,
    }
    check(
        only(lesion_classes, "WHO"),
        tables,
        """
        | lesion_number | rel_day | baseline_day | baseline | response |
        | 1             | 30      | -10          | 200      | PR       |
        | 1             | 90      | -10          | 200      | PR       |
        | 2             | 90      | 30           | 300      | PR       |
        """,
    )
    check(
        only(lesion_classes, "WHO"),
        tables,
        """
        | lesion_number | rel_day | baseline_day | baseline | response |
        | 1             | 30      | -10          | 200      | PR       |
        | 1             | 90      | -10          | 200      | PR       |
        | 2             | 30      | -10          | 200      | PD       |
        | 2             | 90      | -10          | 200      | SD       |
        """,
        ResponseSettings(baseline_anchor="T0"),
    )


def test_two_readers_are_never_compared_with_each_other() -> None:
    """Each reader has a baseline of his own; only the registry's reader makes the best response."""
    measured = """
        | subject_id | lesion_id | scan_date | reader  | longest_mm | perpendicular_mm |
        | A          | L1        | d-10      | local   | 20         | 10               |
        | A          | L1        | d-10      | central | 10         | 10               |
        | A          | L1        | d30       | local   | 10         | 10               |
        | A          | L1        | d30       | central | 10         | 10               |
        | A          | L1        | d90       | expert  | 10         | 10               |
    """
    check(
        only(lesion_classes, "WHO"),
        {"measurements": measured},
        """
        | reader  | rel_day | baseline | value | response | rule                   |
        | local   | 30      | 200      | 100   | PR       | decrease_from_baseline |
        | central | 30      | 100      | 100   | SD       | neither                |
        | expert  | 90      |          | 100   | NE       | no_baseline            |
        """,
    )
    check(
        only(lesion_best, "WHO", confirmation="unconfirmed"),
        {"measurements": measured},
        """
        | best_response |
        | SD            |
        """,
        ResponseSettings(reader="central"),
    )


def test_two_modalities_are_compared_each_with_its_own_baseline() -> None:
    """One modality counts in an assessment: of equals, that of the baseline.

    A modality without a baseline of its own is compared with the last baseline, flagged, and with
    what it showed itself before: growth must not be due to a change of technique.
    """
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm |
                | own        | L1        | d-10      | CT       | 20         | 10               |
                | own        | L1        | d-5       | MRI      | 30         | 10               |
                | own        | L1        | d30       | CT       | 10         | 10               |
                | own        | L1        | d30       | MRI      | 20         | 10               |
                | own        | L1        | d90       | MRI      | 21         | 10               |
                | change     | L1        | d-10      | CT       | 20         | 10               |
                | change     | L1        | d30       | CT       | 10         | 10               |
                | change     | L1        | d90       | MRI      | 12.6       | 10               |
                | change     | L1        | d150      | MRI      | 15.8       | 10               |
                | change     | L1        | d210      | CT       | 12.6       | 10               |
            """
        },
        """
        | subject_id | rel_day | modality | modality_changed | baseline | nadir | value | response |
        | own        | 30      | MRI      | no               | 300      | 300   | 200   | SD       |
        | own        | 90      | MRI      | no               | 300      | 200   | 210   | SD       |
        | change     | 30      | CT       | no               | 200      | 200   | 100   | PR       |
        | change     | 90      | MRI      | yes              | 200      | 200   | 126   | SD       |
        | change     | 150     | MRI      | yes              | 200      | 126   | 158   | PD       |
        | change     | 210     | CT       | no               | 200      | 100   | 126   | PD       |
        """,
    )


THREE_PATIENTS = """
    | subject_id | lesion_id | scan_date | modality | longest_mm |
    | turn       | L1        | d-20      | CT       | 20         |
    | turn       | L1        | d-15      | MRI      | 25         |
    | turn       | L1        | d90       | CT       | 16         |
    | four       | L1        | d-20      | CT       | 40         |
    | four       | L1        | d-15      | MRI      | 38         |
    | four       | L1        | d90       | MRI      | 20         |
    | four       | L1        | d180      | CT       | 27         |
    | one        | L1        | d-20      | CT       | 40         |
    | one        | L1        | d90       | CT       | 30         |
    | one        | L1        | d97       | MRI      | 27         |
"""


def test_a_lesion_and_its_patient_are_judged_by_the_same_reading() -> None:
    """A patient with one lesion has one class, whichever way it is asked for.

    CT 20 then 16 mm beside MRI 25: stable, as CT is compared with CT. MRI 38 to 20 and CT 40 to 27:
    partial responses both, and no growth from the smaller size that MRI had shown. CT 30 and MRI 27
    within a week: CT counts, as the baseline was read by it.
    """
    check(
        only(lesion_classes, "RECIST 1.1"),
        {"measurements": THREE_PATIENTS},
        """
        | subject_id | rel_day | modality | baseline | nadir | value | response |
        | turn       | 90      | CT       | 20       | 20    | 16    | SD       |
        | four       | 90      | MRI      | 38       | 38    | 20    | PR       |
        | four       | 180     | CT       | 40       | 40    | 27    | PR       |
        | one        | 90      | CT       | 40       | 40    | 30    | SD       |
        """,
    )
    check(
        only(subject_classes, "RECIST 1.1"),
        {"measurements": THREE_PATIENTS},
        """
        | subject_id | rel_day | baseline | nadir | value | response |
        | turn       | 90      | 20       | 20    | 16    | SD       |
        | four       | 90      | 38       | 38    | 20    | PR       |
        | four       | 180     | 40       | 40    | 27    | PR       |
        | one        | 97      | 40       | 40    | 30    | SD       |
        """,
    )


def test_what_cannot_be_evaluated_does_not_lower_the_nadir() -> None:
    """The nadir runs over evaluable scans strictly before; a scan never is its own nadir."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | A          | L1        | d-10      | 20         | 10               | measured      |
                | A          | L1        | d30       | 1          | 1                | not_evaluable |
                | A          | L1        | d90       | 18         | 10               | measured      |
                | A          | L1        | d150      | 18         | 10               | measured      |
            """
        },
        """
        | rel_day | nadir | value | response |
        | 30      | 200   |       | NE       |
        | 90      | 200   | 180   | SD       |
        | 150     | 180   | 180   | SD       |
        """,
    )


def test_the_window_closes_with_progression_and_with_other_treatment() -> None:
    """The day itself still counts; the planned second lobe does not close it, re-treatment does."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | growth     | L1        | d-10      | 20         | 10               |
                | growth     | L1        | d30       | 30         | 10               |
                | growth     | L1        | d90       | 10         | 10               |
                | therapy    | L1        | d-10      | 20         | 10               |
                | therapy    | L1        | d90       | 20         | 10               |
                | therapy    | L1        | d91       | 10         | 10               |
                | lobe       | L1        | d-10      | 20         | 10               |
                | lobe       | L1        | d91       | 10         | 10               |
                | again      | L1        | d-10      | 20         | 10               |
                | again      | L1        | d90       | 20         | 10               |
                | again      | L1        | d91       | 10         | 10               |
            """,
            "subsequent_therapies": """
                | subject_id | therapy_class | start_date |
                | therapy    | prrt          | d90        |
                | therapy    | chemotherapy  | d120       |
                | growth     | chemotherapy  | d-30       |
            """,
            "sessions": """
                | subject_id | session_number | session_date | course |
                | lobe       | 1              | d0           | 1      |
                | lobe       | 2              | d40          | 1      |
                | again      | 1              | d0           | 1      |
                | again      | 2              | d90          | 2      |
            """,
        },
        """
        | subject_id | rel_day | response | in_window |
        | growth     | 30      | PD       | yes       |
        | growth     | 90      | PR       | no        |
        | therapy    | 90      | SD       | yes       |
        | therapy    | 91      | PR       | no        |
        | lobe       | 91      | PR       | yes       |
        | again      | 90      | SD       | yes       |
        | again      | 91      | PR       | no        |
        """,
    )


def test_sizes_are_compared_as_delivered_to_a_thousandth_of_a_millimetre() -> None:
    """33.04 to 23.14 mm is -29.96 %: rounded to 0.1 mm first it would be a response.

    In the same way 25.04 to 30.04 mm grows by 19.97 %, and 9.96 mm is no target of 10 mm.
    """
    check(
        only(lesion_classes, "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm |
                | shrinks    | L1        | d-10      | 33.04      |
                | shrinks    | L1        | d30       | 23.14      |
                | at         | L1        | d-10      | 33.04      |
                | at         | L1        | d30       | 23.128     |
                | above      | L1        | d-10      | 33.04      |
                | above      | L1        | d30       | 23.129     |
                | grows      | L1        | d-10      | 25.04      |
                | grows      | L1        | d30       | 30.04      |
                | to_limit   | L1        | d-10      | 25.04      |
                | to_limit   | L1        | d30       | 30.048     |
                | small      | L1        | d-10      | 9.96       |
                | small      | L1        | d30       | 5          |
                | finer      | L1        | d-10      | 33         |
                | finer      | L1        | d30       | 23.1004    |
            """
        },
        """
        | subject_id | baseline | value  | response | rule                   |
        | shrinks    | 33.04    | 23.14  | SD       | neither                |
        | at         | 33.04    | 23.128 | PR       | decrease_from_baseline |
        | above      | 33.04    | 23.129 | SD       | neither                |
        | grows      | 25.04    | 30.04  | SD       | neither                |
        | to_limit   | 25.04    | 30.048 | PD       | growth_over_nadir      |
        | small      | 9.96     | 5      | NE       | not_measurable         |
        | finer      | 33       | 23.1   | PR       | decrease_from_baseline |
        """,
    )


def test_products_are_compared_as_delivered() -> None:
    """10.004 mm by 10.004 mm after 20.008 mm by 10.004 mm is exactly half; a hair more is not."""
    check(
        only(lesion_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | at         | L1        | d-10      | 20.008     | 10.004           |
                | at         | L1        | d30       | 10.004     | 10.004           |
                | above      | L1        | d-10      | 20.008     | 10.004           |
                | above      | L1        | d30       | 10.005     | 10.004           |
            """
        },
        """
        | subject_id | baseline   | value      | response |
        | at         | 200.160032 | 100.080016 | PR       |
        | above      | 200.160032 | 100.09002  | SD       |
        """,
    )


def test_a_lesion_without_a_later_scan_keeps_its_row_with_the_reason() -> None:
    """Every index lesion stays in the denominator: never measured, or not after treatment."""
    check(
        only(lesion_best, "WHO", "RECIST 1.1", confirmation="unconfirmed"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
                | A          | 1             | L1        | liver | yes          | yes           |
                | A          | 2             | L2        | liver | yes          | yes           |
                | A          | 3             | L3        | liver | yes          | no            |
                | A          | 4             | L4        | liver | no           | yes           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               |
                | A          | L3        | d-10      | 20         | 10               |
                | A          | L3        | d30       | 20         | 10               |
                | A          | L4        | d30       | 20         | 10               |
            """,
        },
        """
        | lesion_number | criterion  | best_response | evaluable | reason                  |
        | 1             | WHO        | NE            | no        | no_scan_after_treatment |
        | 2             | WHO        | NE            | no        | never_measured          |
        | 3             | WHO        | SD            | yes       |                         |
        | 1             | RECIST 1.1 | NE            | no        | no_scan_after_treatment |
        | 2             | RECIST 1.1 | NE            | no        | never_measured          |
        | 3             | RECIST 1.1 | NE            | no        | not_a_recist_target     |
        """,
    )
