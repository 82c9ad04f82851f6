"""Response by EASL: how much enhancing, viable tissue is left.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1; Radiol Oncol 2018, PMC6287184, Table 4.
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_classes, only, subject_classes

ESTIMATED = ResponseSettings(easl_quantity="estimated")


def test_no_enhancing_tissue_is_a_complete_response_whatever_the_size() -> None:
    """A lesion of unchanged size without enhancement: stable by WHO, complete by EASL."""
    check(
        only(lesion_classes, "WHO", "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 30         | 20               | 30                   | 20                         |
                | A          | L1        | d30       | 30         | 20               | 0                    | 0                          |
            """
        },
        """
        | criterion | baseline | value | response |
        | WHO       | 600      | 600   | SD       |
        | EASL      | 600      | 0     | CR       |
        """,
    )


def test_half_of_the_enhancing_tissue_is_a_partial_response_and_a_hair_more_is_not() -> None:
    """PR is at most half of the baseline's enhancing product."""
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | enhancing_longest_mm | enhancing_perpendicular_mm |
                | below      | L1        | d-10      | 20                   | 10                         |
                | below      | L1        | d30       | 10                   | 9.9                        |
                | at         | L1        | d-10      | 20                   | 10                         |
                | at         | L1        | d30       | 10                   | 10                         |
                | above      | L1        | d-10      | 20                   | 10                         |
                | above      | L1        | d30       | 10.1                 | 10                         |
            """
        },
        """
        | subject_id | value | response |
        | below      | 99    | PR       |
        | at         | 100   | PR       |
        | above      | 101   | SD       |
        """,
    )


def test_enhancing_tissue_more_than_a_quarter_over_its_nadir_is_progression() -> None:
    """Growth of exactly 25 % is stable; the nadir is the reference, as for WHO."""
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | enhancing_longest_mm | enhancing_perpendicular_mm |
                | below      | L1        | d-10      | 40                   | 40                         |
                | below      | L1        | d30       | 20                   | 10                         |
                | below      | L1        | d90       | 24.9                 | 10                         |
                | at         | L1        | d-10      | 40                   | 40                         |
                | at         | L1        | d30       | 20                   | 10                         |
                | at         | L1        | d90       | 25                   | 10                         |
                | above      | L1        | d-10      | 40                   | 40                         |
                | above      | L1        | d30       | 20                   | 10                         |
                | above      | L1        | d90       | 25.1                 | 10                         |
            """
        },
        """
        | subject_id | rel_day | nadir | value | response |
        | below      | 30      | 1600  | 200   | PR       |
        | below      | 90      | 200   | 249   | PR       |
        | at         | 30      | 1600  | 200   | PR       |
        | at         | 90      | 200   | 250   | PR       |
        | above      | 30      | 1600  | 200   | PR       |
        | above      | 90      | 200   | 251   | PD       |
        """,
    )


def test_new_enhancement_of_a_treated_lesion_is_progression() -> None:
    """Tissue that enhances again after none did."""
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 20                   | 10                         |
                | A          | L1        | d30       | 0                    | 0                          |
                | A          | L1        | d90       | 1                    | 1                          |
            """
        },
        """
        | rel_day | value | response | rule         |
        | 30      | 0     | CR       | gone         |
        | 90      | 1     | PD       | reappearance |
        """,
    )


def test_estimated_tissue_is_the_product_times_the_viable_share() -> None:
    """60 or 70 % necrosis in a lesion that doubled is growth: necrosis alone decides nothing.

    Source: Radiol Oncol 2018, PMC6287184, Table 4 (EASL estimated); setting `easl_quantity`.
    """
    measured = """
        | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | necrosis_pct |
        | A          | L1        | d-10      | 30         | 20               | 50           |
        | A          | L1        | d30       | 40         | 30               | 70           |
        | B          | L1        | d-10      | 30         | 20               | 0            |
        | B          | L1        | d30       | 30         | 20               | 100          |
    """
    check(
        only(lesion_classes, "WHO", "EASL"),
        {"measurements": measured},
        """
        | subject_id | criterion | baseline | value | change_from_baseline_pct | response |
        | A          | WHO       | 600      | 1200  | 100                      | PD       |
        | A          | EASL      | 300      | 360   | 20                       | SD       |
        | B          | WHO       | 600      | 600   | 0                        | SD       |
        | B          | EASL      | 600      | 0     | -100                     | CR       |
        """,
        ESTIMATED,
    )


def test_an_estimate_is_compared_exactly() -> None:
    """From 20 % necrosis to none, of one size, tissue grows by exactly a quarter: still stable.

    The viable share of 592.794704 mm2 has more than six decimals; nothing is rounded before it is
    compared. One hundredth of a percent more necrosis before, and it is progression.
    """
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | necrosis_pct |
                | at         | L1        | d-10      | 27.568     | 21.503           | 20           |
                | at         | L1        | d30       | 27.568     | 21.503           | 0            |
                | above      | L1        | d-10      | 27.568     | 21.503           | 20.01        |
                | above      | L1        | d30       | 27.568     | 21.503           | 0            |
            """
        },
        """
        | subject_id | baseline   | value      | response |
        | at         | 474.235763 | 592.794704 | SD       |
        | above      | 474.176484 | 592.794704 | PD       |
        """,
        ESTIMATED,
    )


def test_necrosis_is_not_taken_for_a_measurement_unless_the_registry_says_so() -> None:
    """By default enhancing diameters are needed."""
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | necrosis_pct |
                | A          | L1        | d-10      | 30         | 20               | 50           |
                | A          | L1        | d30       | 40         | 30               | 70           |
            """
        },
        """
        | response | rule                   |
        | NE       | baseline_not_evaluable |
        """,
    )


def test_measured_diameters_go_before_the_estimate() -> None:
    """Where both were recorded the diameters count."""
    check(
        only(lesion_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm | necrosis_pct |
                | A          | L1        | d-10      | 30         | 20               | 30                   | 20                         | 0            |
                | A          | L1        | d30       | 30         | 20               | 20                   | 10                         | 50           |
            """
        },
        """
        | value | response |
        | 200   | PR       |
        """,
        ESTIMATED,
    )


def test_a_lesion_that_never_enhanced_cannot_be_evaluated() -> None:
    """EASL does not apply to a metastasis without enhancement at baseline."""
    check(
        only(lesion_classes, "EASL", "mRECIST"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 30         | 20               | 0                    | 0                          |
                | A          | L1        | d30       | 30         | 20               | 0                    | 0                          |
                | A          | L1        | d90       | 30         | 20               | 9                    | 9                          |
            """
        },
        """
        | criterion | rel_day | response | rule                    |
        | EASL      | 30      | NE       | no_baseline_enhancement |
        | EASL      | 90      | NE       | no_baseline_enhancement |
        | mRECIST   | 30      | NE       | no_baseline_enhancement |
        | mRECIST   | 90      | NE       | no_baseline_enhancement |
        """,
    )


def test_a_scan_without_arterial_phase_counts_for_size_only() -> None:
    """Enhancement cannot be judged without an arterial phase, nor where nobody said there was."""
    check(
        lesion_classes,
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 30         | 20               | 30                   | 20                         |
                | A          | L1        | d30       | 30         | 20               | 0                    | 0                          |
                | A          | L1        | d90       | 30         | 20               | 0                    | 0                          |
            """,
            "scans": """
                | subject_id | scan_date | arterial_phase |
                | A          | d30       | no             |
                | A          | d90       |                |
            """,
        },
        """
        | criterion  | rel_day | response | rule                   |
        | WHO        | 30      | SD       | neither                |
        | WHO        | 90      | SD       | neither                |
        | RECIST 1.1 | 30      | SD       | neither                |
        | RECIST 1.1 | 90      | SD       | neither                |
        | EASL       | 30      | NE       | no_arterial_phase      |
        | EASL       | 90      | NE       | arterial_phase_unknown |
        | mRECIST    | 30      | NE       | no_arterial_phase      |
        | mRECIST    | 90      | NE       | arterial_phase_unknown |
        """,
    )


def test_a_baseline_without_arterial_phase_leaves_the_earlier_one_to_easl() -> None:
    """Each criterion has the last baseline that it can evaluate."""
    check(
        only(lesion_classes, "WHO", "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-40      | 30         | 20               | 30                   | 20                         |
                | A          | L1        | d-5       | 40         | 20               | 40                   | 20                         |
                | A          | L1        | d30       | 30         | 20               | 10                   | 10                         |
            """,
            "scans": """
                | subject_id | scan_date | arterial_phase |
                | A          | d-5       | no             |
            """,
        },
        """
        | criterion | baseline_day | baseline | baseline_stale | response |
        | WHO       | -5           | 800      | no             | SD       |
        | EASL      | -40          | 600      | yes            | PR       |
        """,
    )


def test_the_patient_responds_completely_only_if_no_lesion_enhances() -> None:
    """The patient's quantity is the sum over all index lesions, by analogy with WHO."""
    check(
        only(subject_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 20                   | 10                         |
                | A          | L2        | d-10      | 20                   | 10                         |
                | A          | L1        | d30       | 0                    | 0                          |
                | A          | L2        | d30       | 1                    | 1                          |
                | B          | L1        | d-10      | 20                   | 10                         |
                | B          | L2        | d-10      | 20                   | 10                         |
                | B          | L1        | d30       | 0                    | 0                          |
                | B          | L2        | d30       | 0                    | 0                          |
            """
        },
        """
        | subject_id | baseline | value | response |
        | A          | 400      | 1     | PR       |
        | B          | 400      | 0     | CR       |
        """,
    )


def test_a_lesion_without_enhancement_adds_nothing_to_the_patient_sum() -> None:
    """It was measured, and measures nothing: the sum is whole, and counts it if it enhances."""
    check(
        only(subject_classes, "EASL"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | enhancing_longest_mm | enhancing_perpendicular_mm |
                | A          | L1        | d-10      | 20                   | 10                         |
                | A          | L2        | d-10      | 0                    | 0                          |
                | A          | L1        | d30       | 10                   | 10                         |
                | A          | L2        | d30       | 0                    | 0                          |
                | A          | L1        | d90       | 10                   | 10                         |
                | A          | L2        | d90       | 10                   | 10                         |
            """
        },
        """
        | rel_day | baseline | value | response |
        | 30      | 200      | 100   | PR       |
        | 90      | 200      | 200   | PD       |
        """,
    )
