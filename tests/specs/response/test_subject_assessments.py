"""The class of a patient at one assessment: sums, missing lesions, new lesions, dates.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; RECIST 1.1 as tabulated in PMC2755245 Table 3;
pharmaverse admiralonco, vignette adtr (a sum needs the baseline's set of lesions).
"""

from tests.support.pipe_tables import check
from tests.support.tumours import only, organ_classes, subject_best, subject_classes


def test_a_missing_lesion_leaves_the_patient_not_evaluable() -> None:
    """A sum over some of the lesions would look like shrinkage."""
    check(
        only(subject_classes, "WHO", "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | absent_row | L1        | d-10      | 20         | 10               | measured      |
                | absent_row | L2        | d-10      | 20         | 10               | measured      |
                | absent_row | L1        | d30       | 10         | 10               | measured      |
                | not_seen   | L1        | d-10      | 20         | 10               | measured      |
                | not_seen   | L2        | d-10      | 20         | 10               | measured      |
                | not_seen   | L1        | d30       | 10         | 10               | measured      |
                | not_seen   | L2        | d30       |            |                  | not_evaluable |
                | whole      | L1        | d-10      | 20         | 10               | measured      |
                | whole      | L2        | d-10      | 20         | 10               | measured      |
                | whole      | L1        | d30       | 10         | 10               | measured      |
                | whole      | L2        | d30       |            |                  | absent        |
            """
        },
        """
        | subject_id | criterion  | baseline | value | response | rule                   |
        | absent_row | WHO        | 400      |       | NE       | lesions_not_evaluable  |
        | absent_row | RECIST 1.1 | 40       |       | NE       | lesions_not_evaluable  |
        | not_seen   | WHO        | 400      |       | NE       | lesions_not_evaluable  |
        | not_seen   | RECIST 1.1 | 40       |       | NE       | lesions_not_evaluable  |
        | whole      | WHO        | 400      | 100   | PR       | decrease_from_baseline |
        | whole      | RECIST 1.1 | 40       | 10    | PR       | decrease_from_baseline |
        """,
    )


def test_an_assessment_takes_the_scans_of_fourteen_days_from_its_first() -> None:
    """Days 1, 11, 21 and 33: the third is more than 14 days after the first and opens the next.

    The fourth lies 12 days after the third and belongs with it, wherever the first chain began. A
    lesion read on each of two days of an assessment counts with its last reading.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               |
                | A          | L2        | d-10      | 20         | 10               |
                | A          | L1        | d1        | 20         | 10               |
                | A          | L2        | d11       | 20         | 10               |
                | A          | L1        | d21       | 10         | 10               |
                | A          | L2        | d33       | 10         | 10               |
            """
        },
        """
        | subject_id | rel_day | value | response |
        | A          | 11      | 400   | SD       |
        | A          | 33      | 200   | PR       |
        """,
    )


def test_lesions_that_exceed_the_limit_by_themselves_prove_progression() -> None:
    """What was not seen can only add: 500 mm2 are not more than a quarter over 400, 501 are."""
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | at         | L1        | d-10      | 20         | 10               |
                | at         | L2        | d-10      | 20         | 10               |
                | at         | L1        | d30       | 50         | 10               |
                | above      | L1        | d-10      | 20         | 10               |
                | above      | L2        | d-10      | 20         | 10               |
                | above      | L1        | d30       | 50.1       | 10               |
            """
        },
        """
        | subject_id | value | response | rule                  |
        | at         |       | NE       | lesions_not_evaluable |
        | above      |       | PD       | growth_over_nadir     |
        """,
    )


def test_partial_sums_do_not_lower_the_nadir() -> None:
    """The nadir runs over complete sums only."""
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               |
                | A          | L2        | d-10      | 20         | 10               |
                | A          | L1        | d30       | 20         | 10               |
                | A          | L1        | d90       | 20         | 10               |
                | A          | L2        | d90       | 20         | 10               |
            """
        },
        """
        | rel_day | nadir | value | response |
        | 30      | 400   |       | NE       |
        | 90      | 400   | 400   | SD       |
        """,
    )


def test_a_new_lesion_is_progression_of_the_patient_not_of_the_lesion() -> None:
    """The lesions may shrink by 60 %: the patient is progressive all the same."""
    check(
        only(subject_classes, "WHO", "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 20         | 10               | 20                   | 10                         |
                | A          | L1        | d30       | 8          | 10               | 8                    | 10                         |
            """,
            "scans": """
                | subject_id | scan_date | new_lesion | arterial_phase |
                | A          | d30       | hepatic    | yes            |
            """,
        },
        """
        | criterion | value | change_from_baseline_pct | response | rule       |
        | WHO       | 80    | -60                      | PD       | new_lesion |
        | EASL      | 80    | -60                      | PD       | new_lesion |
        """,
    )


def test_scans_within_14_days_are_one_assessment() -> None:
    """Lesions imaged on several days make one sum; day 15 opens another.

    The response dates from the last of them; no chain of scans makes an assessment longer. A lesion
    that is read in another modality than the one that counts is missing, unless it was never
    followed in that one: the liver by CT and the chest by MRI make one sum.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm |
                | within     | L1        | d-10      | CT       | 20         | 10               |
                | within     | L2        | d-10      | CT       | 20         | 10               |
                | within     | L1        | d30       | CT       | 10         | 10               |
                | within     | L2        | d44       | CT       | 10         | 10               |
                | other      | L1        | d-10      | CT       | 20         | 10               |
                | other      | L2        | d-10      | CT       | 20         | 10               |
                | other      | L1        | d30       | CT       | 10         | 10               |
                | other      | L2        | d44       | MRI      | 10         | 10               |
                | own        | L1        | d-10      | CT       | 20         | 10               |
                | own        | L2        | d-10      | MRI      | 20         | 10               |
                | own        | L1        | d30       | CT       | 10         | 10               |
                | own        | L2        | d44       | MRI      | 10         | 10               |
                | beyond     | L1        | d-10      | CT       | 20         | 10               |
                | beyond     | L2        | d-10      | CT       | 20         | 10               |
                | beyond     | L1        | d30       | CT       | 10         | 10               |
                | beyond     | L2        | d45       | CT       | 10         | 10               |
                | chain      | L1        | d-10      | CT       | 20         | 10               |
                | chain      | L1        | d30       | CT       | 18         | 10               |
                | chain      | L1        | d40       | CT       | 16         | 10               |
                | chain      | L1        | d50       | CT       | 14         | 10               |
                | later      | L1        | d-10      | CT       | 20         | 10               |
                | later      | L2        | d-10      | CT       | 20         | 10               |
                | later      | L1        | d28       | CT       | 10         | 10               |
                | later      | L2        | d42       | CT       | 10         | 10               |
                | later      | L1        | d174      | CT       | 10         | 10               |
                | later      | L2        | d174      | CT       | 10         | 10               |
            """
        },
        """
        | subject_id | rel_day | modality | modality_changed | value | response |
        | within     | 44      | CT       | no               | 200   | PR       |
        | other      | 44      | mixed    | no               |       | NE       |
        | own        | 44      | mixed    | yes              | 200   | PR       |
        | beyond     | 30      | CT       | no               |       | NE       |
        | beyond     | 45      | CT       | no               |       | NE       |
        | chain      | 40      | CT       | no               | 160   | SD       |
        | chain      | 50      | CT       | no               | 140   | SD       |
        | later      | 42      | CT       | no               | 200   | PR       |
        | later      | 174     | CT       | no               | 200   | PR       |
        """,
    )


def test_progression_dates_from_the_first_scan_that_shows_it() -> None:
    """Growth from the first measurement of the assessment, a new lesion from its own scan."""
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | growth     | L1        | d-10      | 20         | 10               |
                | growth     | L2        | d-10      | 20         | 10               |
                | growth     | L1        | d90       | 30         | 10               |
                | growth     | L2        | d95       | 30         | 10               |
                | new        | L1        | d-10      | 20         | 10               |
                | new        | L1        | d90       | 20         | 10               |
                | both       | L1        | d-10      | 20         | 10               |
                | both       | L1        | d90       | 30         | 10               |
                | status     | L1        | d-10      | 20         | 10               |
                | status     | L1        | d90       | 20         | 10               |
            """,
            "scans": """
                | subject_id | scan_date | new_lesion   | non_target  |
                | new        | d95       | extrahepatic | none        |
                | both       | d95       | hepatic      | none        |
                | status     | d95       | none         | progression |
            """,
        },
        """
        | subject_id | rel_day | response | rule                   |
        | growth     | 90      | PD       | growth_over_nadir      |
        | new        | 95      | PD       | new_lesion             |
        | both       | 90      | PD       | new_lesion             |
        | status     | 95      | PD       | non_target_progression |
        """,
    )


def test_a_lesion_read_twice_in_an_assessment_counts_once() -> None:
    """By the modality of its baseline, then the latest evaluable: two readings are never added."""
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm | status        |
                | modality   | L1        | d-10      | CT       | 20         | 10               | measured      |
                | modality   | L1        | d30       | CT       | 10         | 10               | measured      |
                | modality   | L1        | d35       | MRI      | 19         | 10               | measured      |
                | latest     | L1        | d-10      | CT       | 20         | 10               | measured      |
                | latest     | L1        | d30       | CT       | 19         | 10               | measured      |
                | latest     | L1        | d35       | CT       | 10         | 10               | measured      |
                | evaluable  | L1        | d-10      | CT       | 20         | 10               | measured      |
                | evaluable  | L1        | d30       | CT       | 10         | 10               | measured      |
                | evaluable  | L1        | d35       | CT       |            |                  | not_evaluable |
            """
        },
        """
        | subject_id | rel_day | value | response |
        | modality   | 35      | 100   | PR       |
        | latest     | 35      | 100   | PR       |
        | evaluable  | 35      | 100   | PR       |
        """,
    )


def test_two_readers_of_a_patient_are_never_added() -> None:
    """Summing both readers would double every lesion."""
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | reader  | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | local   | 20         | 10               |
                | A          | L1        | d-10      | central | 20         | 10               |
                | A          | L1        | d30       | local   | 10         | 10               |
                | A          | L1        | d30       | central | 19         | 10               |
            """
        },
        """
        | reader  | baseline | value | response |
        | local   | 200      | 100   | PR       |
        | central | 200      | 190   | SD       |
        """,
    )


def test_a_patient_needs_an_evaluable_baseline_of_every_lesion() -> None:
    """A lesion first measured after treatment is not part of the sum: it is new.

    Without a scan before treatment nothing says so.
    """
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | unread     | L1        | d-10      | 20         | 10               | measured      |
                | unread     | L2        | d-10      |            |                  | not_evaluable |
                | unread     | L1        | d30       | 10         | 10               | measured      |
                | unread     | L2        | d30       | 10         | 10               | measured      |
                | old        | L1        | d-10      | 20         | 10               | measured      |
                | old        | L2        | d-91      | 20         | 10               | measured      |
                | old        | L1        | d30       | 10         | 10               | measured      |
                | old        | L2        | d30       | 10         | 10               | measured      |
                | later      | L1        | d-10      | 20         | 10               | measured      |
                | later      | L1        | d30       | 10         | 10               | measured      |
                | later      | L2        | d30       | 10         | 10               | measured      |
                | none       | L1        | d30       | 10         | 10               | measured      |
                | zero       | L1        | d-10      |            |                  | absent        |
                | zero       | L1        | d30       | 10         | 10               | measured      |
            """
        },
        """
        | subject_id | n_lesions | baseline | value | response | rule                   |
        | unread     | 2         |          | 200   | NE       | baseline_not_evaluable |
        | old        | 2         |          | 200   | NE       | baseline_too_old       |
        | later      | 1         | 200      | 100   | PD       | new_lesion_measured    |
        | none       | 0         |          |       | NE       | no_baseline            |
        | zero       | 0         |          |       | PD       | new_lesion_measured    |
        """,
    )


def test_every_treated_patient_has_a_best_response() -> None:
    """A patient never scanned after treatment is not evaluable, and stays in the denominator."""
    check(
        only(subject_best, "WHO", confirmation="unconfirmed"),
        {
            "anchors": """
                | subject_id | t0_date | last_session_date |
                | unscanned  | d0      | d0                |
                | unmeasured | d0      | d0                |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status     |
                | unscanned  | L1        | d-10      | 20         | 10               | measured   |
                | unread     | L1        | d-10      | 20         | 10               | measured   |
                | unread     | L1        | d30       |            |                  | not_imaged |
                | read       | L1        | d-10      | 20         | 10               | measured   |
                | read       | L1        | d30       | 20         | 10               | measured   |
            """,
        },
        """
        | subject_id | best_response | evaluable | reason                  |
        | unscanned  | NE            | no        | no_scan_after_treatment |
        | unmeasured | NE            | no        | no_scan_after_treatment |
        | unread     | NE            | no        | lesions_not_evaluable   |
        | read       | SD            | yes       |                         |
        """,
    )


def test_a_site_without_lesions_has_no_best_responses() -> None:
    """Its patients are not "not evaluable": nothing can be derived."""
    check(
        subject_best,
        {
            "anchors": """
                | subject_id | t0_date | last_session_date |
                | A          | d0      | d0                |
            """
        },
        """
        | subject_id | criterion | best_response |
        """,
    )


def test_an_organ_is_back_after_complete_response_of_the_patient_only() -> None:
    """The liver was clear on day 90 while disease elsewhere remained: 4 mm there are no progression.

    In the other patient nothing remained anywhere.
    """
    check(
        only(organ_classes, "RECIST 1.1", organ="liver"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | status   |
                | remains    | L1        | d-10      | 20         | measured |
                | remains    | L1        | d90       |            | absent   |
                | remains    | L1        | d180      | 4          | measured |
                | complete   | L1        | d-10      | 20         | measured |
                | complete   | L1        | d90       |            | absent   |
                | complete   | L1        | d180      | 4          | measured |
            """,
            "scans": """
                | subject_id | scan_date | non_target    | non_target_elsewhere |
                | remains    | d90       | non_cr_non_pd | non_cr_non_pd        |
                | remains    | d180      | non_cr_non_pd | non_cr_non_pd        |
            """,
        },
        """
        | subject_id | rel_day | response | rule                   |
        | remains    | 90      | CR       | gone                   |
        | remains    | 180     | PR       | decrease_from_baseline |
        | complete   | 90      | CR       | gone                   |
        | complete   | 180     | PD       | reappearance           |
        """,
    )
