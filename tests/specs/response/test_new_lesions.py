"""Lesions that appear, split, merge or come back, and where in the body they do.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.3; EORTC, RECIST questions
and clarifications.
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import (
    lesion_best,
    lesion_classes,
    lesions_listed,
    only,
    organ_classes,
    subject_classes,
)

_APPEARS = """
    | subject_id | lesion_id | scan_date | modality | longest_mm | perpendicular_mm | status        |
    | blank      | L1        | d-10      | CT       | 40         | 40               | measured      |
    | blank      | L1        | d90       | CT       | 20         | 20               | measured      |
    | blank      | L2        | d90       | CT       | 25         | 25               | measured      |
    | denied     | L1        | d-10      | CT       | 40         | 40               | measured      |
    | denied     | L1        | d90       | CT       | 20         | 20               | measured      |
    | denied     | L2        | d90       | CT       | 25         | 25               | measured      |
    | there      | L1        | d-10      | CT       | 40         | 40               | measured      |
    | there      | L2        | d-10      | CT       |            |                  | not_evaluable |
    | there      | L1        | d90       | CT       | 20         | 20               | measured      |
    | there      | L2        | d90       | CT       | 25         | 25               | measured      |
    | absent     | L1        | d-10      | CT       | 40         | 40               | measured      |
    | absent     | L2        | d-10      | CT       |            |                  | absent        |
    | absent     | L1        | d90       | CT       | 20         | 20               | measured      |
    | absent     | L2        | d90       | CT       | 25         | 25               | measured      |
    | technique  | L1        | d-10      | CT       | 40         | 40               | measured      |
    | technique  | L1        | d90       | CT       | 20         | 20               | measured      |
    | technique  | L2        | d90       | MRI      | 25         | 25               | measured      |
"""
_DENIES = """
    | subject_id | scan_date | new_lesion |
    | denied     | d90       | none       |
"""


def test_a_lesion_first_measured_after_treatment_is_progression() -> None:
    """Unless its scan denies it, it was seen before, or another technique alone shows it."""
    check(
        only(subject_classes, "WHO"),
        {"measurements": _APPEARS, "scans": _DENIES},
        """
        | subject_id | rel_day | baseline | value | response | rule                   |
        | blank      | 90      | 1600     | 400   | PD       | new_lesion_measured    |
        | denied     | 90      | 1600     | 400   | PR       | decrease_from_baseline |
        | there      | 90      |          | 1025  | NE       | baseline_not_evaluable |
        | absent     | 90      | 1600     | 400   | PD       | new_lesion_measured    |
        | technique  | 90      | 1600     | 400   | PR       | decrease_from_baseline |
        """,
    )
    for choice, denied, blank in (("always", "PD", "PD"), ("never", "PR", "PR")):
        check(
            only(subject_classes, "WHO"),
            {"measurements": _APPEARS, "scans": _DENIES},
            f"""
            | subject_id | response |
            | blank      | {blank}  |
            | denied     | {denied} |
            | there      | NE       |
            | absent     | {blank}  |
            | technique  | PR       |
            """,
            ResponseSettings(new_lesion_from_measurements=choice),
        )


def test_a_new_lesion_is_progression_by_every_criterion_and_dilutes_none() -> None:
    """N1, 25 by 25 mm, first seen on day 90 beside a lesion that shrank to a quarter.

    Without it the patient would respond by all four criteria; the one lesion that is counted does.
    """
    tables = {
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | enhancing_longest_mm | enhancing_perpendicular_mm |
            | A          | L1        | d-10      | 40         | 40               | 40                   | 40                         |
            | A          | L1        | d90       | 20         | 20               | 20                   | 20                         |
            | A          | N2        | d90       | 25         | 25               | 25                   | 25                         |
        """,
        "scans": """
            | subject_id | scan_date | arterial_phase | evaluable |
            | A          | d-10      | yes            | yes       |
            | A          | d90       | yes            | yes       |
        """,
    }
    check(
        only(subject_classes, "WHO", "EASL", "RECIST 1.1", "mRECIST"),
        tables,
        """
        | subject_id | criterion  | rel_day | response | rule                |
        | A          | WHO        | 90      | PD       | new_lesion_measured |
        | A          | EASL       | 90      | PD       | new_lesion_measured |
        | A          | RECIST 1.1 | 90      | PD       | new_lesion_measured |
        | A          | mRECIST    | 90      | PD       | new_lesion_measured |
        """,
    )
    check(
        only(lesion_best, "WHO", "EASL", "RECIST 1.1", "mRECIST", confirmation="unconfirmed"),
        tables,
        """
        | subject_id | lesion_number | criterion  | best_response |
        | A          | 1             | WHO        | PR            |
        | A          | 1             | EASL       | PR            |
        | A          | 1             | RECIST 1.1 | PR            |
        | A          | 1             | mRECIST    | PR            |
        """,
    )


def test_what_was_there_before_treatment_is_no_new_lesion_however_it_was_recorded() -> None:
    """Too small, not imaged, marked present, a fragment: each is first measured on day 90.

    The same lesion without any of it is new.
    """
    known = ("small", "unseen", "marked", "fragment", "merged", "nothing")
    first = "".join(
        f"| {who} | L1 | d-10 | 40 | 40 | measured |\n| {who} | L1 | d90 | 40 | 40 | measured |\n"
        f"| {who} | L2 | d90 | 25 | 25 | measured |\n"
        for who in known
    )
    listed = "".join(
        f"| {who} | 1 | L1 | liver | yes | yes | | | |\n"
        f"| {who} | 2 | L2 | liver | no | no | {'yes' if who == 'marked' else ''} "
        f"| {1 if who == 'merged' else ''} | {1 if who == 'fragment' else ''} |\n"
        for who in known
    )
    check(
        only(subject_classes, "WHO"),
        {
            "measurements": f"""
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status |
                {first}
                | small  | L2 | d-10 | | | too_small |
                | unseen | L2 | d-10 | | | not_imaged |
            """,
            "subject_lesions": f"""
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target | baseline_present | merged_into | split_from |
                {listed}
            """,
        },
        """
        | subject_id | rel_day | response | rule                |
        | small      | 90      | SD       | neither             |
        | unseen     | 90      | SD       | neither             |
        | marked     | 90      | SD       | neither             |
        | fragment   | 90      | PD       | growth_over_nadir   |
        | merged     | 90      | SD       | neither             |
        | nothing    | 90      | PD       | new_lesion_measured |
        """,
    )


def test_a_new_lesion_is_in_no_denominator() -> None:
    """It has nothing to be compared with: it is listed with the reason, denied or not."""
    check(
        only(lesion_best, "WHO", confirmation="unconfirmed"),
        {"measurements": _APPEARS, "scans": _DENIES},
        """
        | subject_id | lesion_number | best_response | reason                 |
        | blank      | 1             | PR            |                        |
        | denied     | 1             | PR            |                        |
        | there      | 1             | PR            |                        |
        | there      | 2             | NE            | baseline_not_evaluable |
        | absent     | 1             | PR            |                        |
        | technique  | 1             | PR            |                        |
        | technique  | 2             | NE            | no_baseline            |
        """,
    )
    check(
        lesions_listed,
        {"measurements": _APPEARS, "scans": _DENIES},
        """
        | subject_id | lesion_number | counted | reason              |
        | blank      | 1             | yes     |                     |
        | blank      | 2             | no      | new_after_treatment |
        | denied     | 1             | yes     |                     |
        | denied     | 2             | no      | new_after_treatment |
        | there      | 1             | yes     |                     |
        | there      | 2             | yes     |                     |
        | absent     | 1             | yes     |                     |
        | absent     | 2             | no      | new_after_treatment |
        | technique  | 1             | yes     |                     |
        | technique  | 2             | yes     |                     |
        """,
    )


def test_a_segment_is_a_code_or_nothing() -> None:
    """A segment of Couinaud however it is written; any other text may name somebody."""
    check(
        lesions_listed,
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | segment     | index_lesion | recist_target |
                | number     | 1             | L1        | liver | 8           | yes          | yes           |
                | roman      | 1             | L1        | liver | Seg. IVa    | yes          | yes           |
                | letters    | 1             | L1        | liver | s 4 b       | yes          | yes           |
                | several    | 1             | L1        | liver | 5/6         | yes          | yes           |
                | text       | 1             | L1        | liver | read by Kim | yes          | yes           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | number     | L1        | d-10      | 20         | 20               |
                | roman      | L1        | d-10      | 20         | 20               |
                | letters    | L1        | d-10      | 20         | 20               |
                | several    | L1        | d-10      | 20         | 20               |
                | text       | L1        | d-10      | 20         | 20               |
            """,
        },
        """
        | subject_id | segment |
        | number     | 8       |
        | roman      | 4a      |
        | letters    | 4b      |
        | several    |         |
        | text       |         |
        """,
    )


def test_the_liver_progresses_by_its_own_lesions() -> None:
    """A node that grows makes the patient progressive, not the liver.

    Non-target progression without a place is the liver's where no disease elsewhere is known; where
    it is, nothing says so (setting `non_target_progression`).
    """
    tables = {
        "patients": """
            | subject_id | extrahepatic_disease |
            | elsewhere  | minimal              |
        """,
        "subject_lesions": """
            | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
            | node       | 2             | L2        | node  | yes          | yes           |
        """,
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
            | node       | L1        | d-10      | 40         | 10               |
            | node       | L2        | d-10      | 20         | 20               |
            | node       | L1        | d90       | 20         | 10               |
            | node       | L2        | d90       | 40         | 30               |
            | status     | L1        | d-10      | 20         | 10               |
            | status     | L1        | d90       | 20         | 10               |
            | elsewhere  | L1        | d-10      | 20         | 10               |
            | elsewhere  | L1        | d90       | 20         | 10               |
            | placed     | L1        | d-10      | 20         | 10               |
            | placed     | L1        | d90       | 20         | 10               |
        """,
        "scans": """
            | subject_id | scan_date | non_target  | non_target_liver | non_target_elsewhere |
            | status     | d90       | progression |                  |                      |
            | elsewhere  | d90       | progression |                  |                      |
            | placed     | d90       | progression | progression      | non_cr_non_pd        |
        """,
    }
    expected = """
        | subject_id | organ        | value | response | rule                   |
        | node       | all          | 1400  | PD       | growth_over_nadir      |
        | node       | liver        | 200   | PR       | decrease_from_baseline |
        | node       | extrahepatic | 1200  | PD       | growth_over_nadir      |
        | status     | all          | 200   | PD       | non_target_progression |
        | status     | liver        | 200   | PD       | non_target_progression |
        | status     | extrahepatic |       | NE       | no_target              |
        | elsewhere  | all          | 200   | PD       | non_target_progression |
        | elsewhere  | liver        | 200   | SD       | neither                |
        | elsewhere  | extrahepatic |       | PD       | non_target_progression |
        | placed     | all          | 200   | PD       | non_target_progression |
        | placed     | liver        | 200   | PD       | non_target_progression |
        | placed     | extrahepatic |       | NE       | no_target              |
        """
    check(only(organ_classes, "WHO"), tables, expected)
    other = expected.replace(
        "liver        | 200   | SD       | neither                |",
        "liver        | 200   | PD       | non_target_progression |",
    ).replace(
        "| elsewhere  | extrahepatic |       | PD       | non_target_progression |",
        "| elsewhere  | extrahepatic |       | NE       | no_target              |",
    )
    check(
        only(organ_classes, "WHO"),
        tables,
        other,
        ResponseSettings(non_target_progression="hepatic"),
    )


def test_disease_that_remains_without_a_place_remains_in_no_organ_for_certain() -> None:
    """With known disease elsewhere nobody can tell where it remains: no class by organ rests on it.

    Where its place is written down, or where the liver is the only place, it has one.
    """
    check(
        only(organ_classes, "RECIST 1.1"),
        {
            "patients": """
                | subject_id | extrahepatic_disease |
                | somewhere  | minimal              |
                | placed     | minimal              |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm |
                | somewhere  | L1        | d-10      | 20         |
                | somewhere  | L1        | d90       | 20         |
                | placed     | L1        | d-10      | 20         |
                | placed     | L1        | d90       | 20         |
            """,
            "scans": """
                | subject_id | scan_date | non_target    | non_target_elsewhere |
                | somewhere  | d90       | non_cr_non_pd |                      |
                | placed     | d90       | non_cr_non_pd | non_cr_non_pd        |
            """,
        },
        """
        | subject_id | organ        | response      | rule                |
        | somewhere  | all          | SD            | neither             |
        | somewhere  | liver        | SD            | neither             |
        | somewhere  | extrahepatic | NE            | no_target           |
        | placed     | all          | SD            | neither             |
        | placed     | liver        | SD            | neither             |
        | placed     | extrahepatic | NON-CR/NON-PD | non_target_persists |
        """,
    )


def test_a_split_lesion_is_the_sum_of_its_fragments() -> None:
    """Diameters are added; products likewise, as an extension. A fragment missed leaves no sum."""
    tables = {
        "subject_lesions": """
            | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target | split_from |
            | A          | 1             | L1        | liver | yes          | yes           |            |
            | A          | 2             | L2        | liver | yes          | yes           | 1          |
            | A          | 3             | L3        | liver | yes          | yes           | 1          |
        """,
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
            | A          | L1        | d-10      | 40         | 30               |
            | A          | L2        | d90       | 15         | 10               |
            | A          | L3        | d90       | 10         | 10               |
            | A          | L2        | d150      | 15         | 10               |
        """,
    }
    expected = """
        | criterion  | rel_day | baseline | value | response |
        | RECIST 1.1 | 90      | 40       | 25    | PR       |
        | RECIST 1.1 | 150     | 40       |       | NE       |
        | WHO        | 90      | 1200     | 250   | PR       |
        | WHO        | 150     | 1200     |       | NE       |
        """
    for derivation in (lesion_classes, subject_classes):
        check(only(derivation, "WHO", "RECIST 1.1"), tables, expected)


def test_what_lesions_merged_into_stands_for_both() -> None:
    """40 mm of what were 30 and 30 is no progression; each has the class of what they are together."""
    tables = {
        "subject_lesions": """
            | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target | merged_into | merged_from |
            | A          | 1             | L1        | liver | yes          | yes           | 3           |             |
            | A          | 2             | L2        | liver | yes          | yes           | 3           |             |
            | A          | 3             | L3        | liver | yes          | yes           |             | yes         |
        """,
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
            | A          | L1        | d-10      | 30         | 20               | measured |
            | A          | L2        | d-10      | 30         | 20               | measured |
            | A          | L3        | d90       | 40         | 25               | measured |
            | A          | L1        | d90       |            |                  | absent   |
        """,
    }
    check(
        only(subject_classes, "WHO", "RECIST 1.1"),
        tables,
        """
        | criterion  | rel_day | baseline | value | response | rule                   |
        | RECIST 1.1 | 90      | 60       | 40    | PR       | decrease_from_baseline |
        | WHO        | 90      | 1200     | 1000  | SD       | neither                |
        """,
    )
    check(
        only(lesion_classes, "WHO"),
        tables,
        """
        | lesion_number | rel_day | value | response | rule        |
        | 1             | 90      | 1000  | SD       | neither     |
        | 2             | 90      | 1000  | SD       | neither     |
        | 3             | 90      | 1000  | NE       | no_baseline |
        """,
    )


def test_a_lesion_that_could_not_be_evaluated_has_not_merged_yet() -> None:
    """What is missing would look like shrinkage: 800 of the one beside 1200 of both.

    On day 30 the second lesion could not be evaluated: the first grew from 600 to 800. On day 90 it
    is absent, and the first stands for both.
    """
    check(
        only(lesion_classes, "WHO"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target | merged_into |
                | A          | 1             | L1        | liver | yes          | yes           |             |
                | A          | 2             | L2        | liver | yes          | yes           | 1           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status        |
                | A          | L1        | d-10      | 30         | 20               | measured      |
                | A          | L2        | d-10      | 30         | 20               | measured      |
                | A          | L1        | d30       | 40         | 20               | measured      |
                | A          | L2        | d30       |            |                  | not_evaluable |
                | A          | L1        | d90       | 40         | 20               | measured      |
                | A          | L2        | d90       |            |                  | absent        |
            """,
        },
        """
        | lesion_number | rel_day | baseline | value | response | rule              | in_window |
        | 1             | 30      | 600      | 800   | PD       | growth_over_nadir | yes       |
        | 1             | 90      | 1200     | 800   | SD       | neither           | no        |
        | 2             | 30      | 600      |       | NE       | not_evaluable     | yes       |
        | 2             | 90      | 1200     | 800   | SD       | neither           | yes       |
        """,
    )


def test_targets_that_are_back_are_progression_after_complete_response_only() -> None:
    """Gone with non-target disease left is PR: back at 4 mm is less than RECIST's 5 mm of growth.

    WHO and EASL have no least growth: after a sum of zero any size is growth. A single lesion that
    is back is progressive by every criterion.
    """
    tables = {
        "measurements": """
            | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
            | complete   | L1        | d-10      | 20         | 10               | measured |
            | complete   | L1        | d90       |            |                  | absent   |
            | complete   | L1        | d180      | 4          | 4                | measured |
            | remains    | L1        | d-10      | 20         | 10               | measured |
            | remains    | L1        | d90       |            |                  | absent   |
            | remains    | L1        | d180      | 4          | 4                | measured |
            | remains    | L1        | d270      | 5          | 5                | measured |
        """,
        "scans": """
            | subject_id | scan_date | non_target    |
            | remains    | d-10      | non_cr_non_pd |
            | remains    | d90       | non_cr_non_pd |
            | remains    | d180      | non_cr_non_pd |
            | remains    | d270      | non_cr_non_pd |
        """,
    }
    check(
        only(subject_classes, "WHO", "RECIST 1.1"),
        tables,
        """
        | subject_id | criterion  | rel_day | response | rule                   |
        | complete   | WHO        | 90      | CR       | gone                   |
        | complete   | WHO        | 180     | PD       | reappearance           |
        | complete   | RECIST 1.1 | 90      | CR       | gone                   |
        | complete   | RECIST 1.1 | 180     | PD       | reappearance           |
        | remains    | WHO        | 90      | PR       | non_target_remains     |
        | remains    | WHO        | 180     | PD       | growth_over_nadir      |
        | remains    | WHO        | 270     | PD       | growth_over_nadir      |
        | remains    | RECIST 1.1 | 90      | PR       | non_target_remains     |
        | remains    | RECIST 1.1 | 180     | PR       | decrease_from_baseline |
        | remains    | RECIST 1.1 | 270     | PD       | growth_over_nadir      |
        """,
    )
    check(
        only(lesion_classes, "RECIST 1.1"),
        tables,
        """
        | subject_id | rel_day | response | rule         |
        | complete   | 90      | CR       | gone         |
        | complete   | 180     | PD       | reappearance |
        | remains    | 90      | CR       | gone         |
        | remains    | 180     | PD       | reappearance |
        | remains    | 270     | PD       | reappearance |
        """,
    )
