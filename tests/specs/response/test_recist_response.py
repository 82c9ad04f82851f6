"""Response by RECIST 1.1 and mRECIST: the sum of the targets' diameters.

Source: RECIST 1.1 as tabulated in PMC2755245 Table 3 and PMC5392484 Table 3; mRECIST: PMC5771991
Table 4 and Radiol Oncol 2018, PMC6287184, Table 4.
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_classes, only, subject_classes


def test_a_decrease_of_thirty_percent_is_a_partial_response() -> None:
    """33 to 23.1 mm is exactly 30 %, which binary fractions make -29.999999999999993 %."""
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm |
                | below      | L1        | d-10      | 33         |
                | below      | L1        | d30       | 23.0       |
                | at         | L1        | d-10      | 33         |
                | at         | L1        | d30       | 23.1       |
                | above      | L1        | d-10      | 33         |
                | above      | L1        | d30       | 23.2       |
            """
        },
        """
        | subject_id | baseline | value | response |
        | below      | 33       | 23    | PR       |
        | at         | 33       | 23.1  | PR       |
        | above      | 33       | 23.2  | SD       |
        """,
    )


def test_progression_needs_twenty_percent_and_five_millimetres() -> None:
    """20 to 24 mm grew by 20 % but by 4 mm only; 25 to 30 mm by 20 % and 5 mm.

    30 to 35.9 mm grew by more than 5 mm but by less than 20 %.
    """
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "measurements": """
                | subject_id  | lesion_id | scan_date | longest_mm |
                | short       | L1        | d-10      | 20         |
                | short       | L1        | d30       | 24         |
                | below_5_mm  | L1        | d-10      | 20         |
                | below_5_mm  | L1        | d30       | 24.9       |
                | at_5_mm     | L1        | d-10      | 20         |
                | at_5_mm     | L1        | d30       | 25         |
                | at_20_pct   | L1        | d-10      | 25         |
                | at_20_pct   | L1        | d30       | 30         |
                | below_20    | L1        | d-10      | 30         |
                | below_20    | L1        | d30       | 35.9       |
                | above_20    | L1        | d-10      | 30         |
                | above_20    | L1        | d30       | 36.1       |
            """
        },
        """
        | subject_id | value | response |
        | short      | 24    | SD       |
        | below_5_mm | 24.9  | SD       |
        | at_5_mm    | 25    | PD       |
        | at_20_pct  | 30    | PD       |
        | below_20   | 35.9  | SD       |
        | above_20   | 36.1  | PD       |
        """,
    )


def test_a_target_measures_ten_millimetres_and_a_node_fifteen_in_its_short_axis() -> None:
    """Smaller lesions are not targets: they are left out of the sum."""
    check(
        only(lesion_classes, "RECIST 1.1"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
                | A          | 3             | L3        | node  | yes          | yes           |
                | A          | 4             | L4        | node  | yes          | yes           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | A          | L1        | d-10      | 9.9        | 9.9              |
                | A          | L1        | d30       | 9.9        | 9.9              |
                | A          | L2        | d-10      | 10         | 9.9              |
                | A          | L2        | d30       | 10         | 9.9              |
                | A          | L3        | d-10      | 30         | 14.9             |
                | A          | L3        | d30       | 30         | 14.9             |
                | A          | L4        | d-10      | 30         | 15               |
                | A          | L4        | d30       | 30         | 15               |
            """,
        },
        """
        | lesion_number | baseline | value | response | rule           |
        | 1             | 9.9      | 9.9   | NE       | not_measurable |
        | 2             | 10       | 10    | SD       | neither        |
        | 3             | 14.9     | 14.9  | NE       | not_measurable |
        | 4             | 15       | 15    | SD       | neither        |
        """,
    )
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm |
                | A          | L1        | d-10      | 9.9        |
                | A          | L1        | d30       | 40         |
                | A          | L2        | d-10      | 20         |
                | A          | L2        | d30       | 10         |
                | B          | L1        | d-10      | 9.9        |
                | B          | L1        | d30       | 9.9        |
            """,
        },
        """
        | subject_id | n_lesions | baseline | value | response | rule                   |
        | A          | 1         | 20       | 10    | PR       | decrease_from_baseline |
        | B          | 0         |          |       | NE       | not_measurable         |
        """,
    )


def test_a_node_below_ten_millimetres_is_normal_and_completes_a_response() -> None:
    """With nodes as targets the sum stays above zero in complete response."""
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
                | below      | 2             | L2        | node  | yes          | yes           |
                | at         | 2             | L2        | node  | yes          | yes           |
                | left       | 2             | L2        | node  | yes          | yes           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm | status   |
                | below      | L1        | d-10      | 20         | 20               | measured |
                | below      | L2        | d-10      | 30         | 16               | measured |
                | below      | L1        | d30       |            |                  | absent   |
                | below      | L2        | d30       | 20         | 9.9              | measured |
                | at         | L1        | d-10      | 20         | 20               | measured |
                | at         | L2        | d-10      | 30         | 16               | measured |
                | at         | L1        | d30       |            |                  | absent   |
                | at         | L2        | d30       | 20         | 10               | measured |
                | left       | L1        | d-10      | 20         | 20               | measured |
                | left       | L2        | d-10      | 30         | 16               | measured |
                | left       | L1        | d30       | 5          | 5                | measured |
                | left       | L2        | d30       | 20         | 9.9              | measured |
            """,
        },
        """
        | subject_id | baseline | value | response |
        | below      | 36       | 9.9   | CR       |
        | at         | 36       | 10    | PR       |
        | left       | 36       | 14.9  | PR       |
        """,
    )


def test_more_targets_than_allowed_are_named_in_the_rule() -> None:
    """At most 5 in all and 2 per organ; the liver is one organ, all nodes are one.

    Source: EORTC, RECIST questions and clarifications (organs).
    """
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
                | five       | 3             | L3        | node  | yes          | yes           |
                | five       | 4             | L4        | node  | yes          | yes           |
                | five       | 5             | L5        | other | yes          | yes           |
                | untargeted | 3             | L3        | liver | yes          | no            |
                | six        | 3             | L3        | other | yes          | yes           |
                | six        | 4             | L4        | other | yes          | yes           |
                | six        | 5             | L5        | other | yes          | yes           |
                | six        | 6             | L6        | other | yes          | yes           |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | five       | L1        | d-10      | 20         | 20               |
                | five       | L2        | d-10      | 20         | 20               |
                | five       | L3        | d-10      | 20         | 20               |
                | five       | L4        | d-10      | 20         | 20               |
                | five       | L5        | d-10      | 20         | 20               |
                | five       | L1        | d30       | 20         | 20               |
                | untargeted | L1        | d-10      | 20         | 20               |
                | untargeted | L2        | d-10      | 20         | 20               |
                | untargeted | L3        | d-10      | 20         | 20               |
                | untargeted | L1        | d30       | 20         | 20               |
                | untargeted | L2        | d30       | 20         | 20               |
                | three      | L1        | d-10      | 20         | 20               |
                | three      | L2        | d-10      | 20         | 20               |
                | three      | L3        | d-10      | 20         | 20               |
                | three      | L1        | d30       | 20         | 20               |
                | three      | L2        | d30       | 20         | 20               |
                | three      | L3        | d30       | 20         | 20               |
                | six        | L1        | d-10      | 20         | 20               |
                | six        | L2        | d-10      | 20         | 20               |
                | six        | L3        | d-10      | 20         | 20               |
                | six        | L4        | d-10      | 20         | 20               |
                | six        | L5        | d-10      | 20         | 20               |
                | six        | L6        | d-10      | 20         | 20               |
                | six        | L1        | d30       | 20         | 20               |
            """,
        },
        """
        | subject_id | n_lesions | response | rule                                                              |
        | five       | 5         | NE       | lesions_not_evaluable                                             |
        | untargeted | 2         | SD       | neither                                                           |
        | three      | 3         | SD       | neither (more than 5 targets, or 2 in an organ)                   |
        | six        | 6         | NE       | lesions_not_evaluable (more than 5 targets, or 2 in an organ)     |
        """,
    )


def test_the_time_point_joins_targets_non_targets_and_new_lesions() -> None:
    """The table of RECIST 1.1: what the patient is, from the three parts."""
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "measurements": _TARGETS,
            "scans": """
                | subject_id | scan_date | new_lesion  | non_target        |
                | cr_cr      | d30       | none        | complete_response |
                | cr_none    | d30       | none        | none              |
                | cr_blank   | d30       |             |                   |
                | cr_non     | d30       | none        | non_cr_non_pd     |
                | cr_ne      | d30       | none        | not_evaluated     |
                | pr_non     | d30       | none        | non_cr_non_pd     |
                | pr_ne      | d30       | none        | not_evaluated     |
                | sd_non     | d30       | none        | non_cr_non_pd     |
                | sd_ne      | d30       | none        | not_evaluated     |
                | pd_cr      | d30       | none        | complete_response |
                | pr_pd      | d30       | none        | progression       |
                | cr_new     | d30       | hepatic     | complete_response |
                | ne_non     | d30       | none        | non_cr_non_pd     |
                | ne_pd      | d30       | none        | progression       |
                | ne_new     | d30       | extrahepatic | none             |
            """,
        },
        """
        | subject_id | new_lesion   | non_target        | response | rule                   |
        | cr_cr      | none         | complete_response | CR       | gone                   |
        | cr_none    | none         | none              | CR       | gone                   |
        | cr_blank   |              |                   | CR       | gone                   |
        | cr_non     | none         | non_cr_non_pd     | PR       | non_target_remains     |
        | cr_ne      | none         | not_evaluated     | PR       | non_target_remains     |
        | pr_non     | none         | non_cr_non_pd     | PR       | decrease_from_baseline |
        | pr_ne      | none         | not_evaluated     | PR       | decrease_from_baseline |
        | sd_non     | none         | non_cr_non_pd     | SD       | neither                |
        | sd_ne      | none         | not_evaluated     | SD       | neither                |
        | pd_cr      | none         | complete_response | PD       | growth_over_nadir      |
        | pr_pd      | none         | progression       | PD       | non_target_progression |
        | cr_new     | hepatic      | complete_response | PD       | new_lesion             |
        | ne_non     | none         | non_cr_non_pd     | NE       | lesions_not_evaluable  |
        | ne_pd      | none         | progression       | PD       | non_target_progression |
        | ne_new     | extrahepatic | none              | PD       | new_lesion             |
        """,
    )


def _pair(subject: str, value: str, status: str = "measured") -> str:
    return f"""
        | {subject} | L1 | d-10 | 30 | measured |
        | {subject} | L1 | d30 | {value} | {status} |"""


_TARGETS = "| subject_id | lesion_id | scan_date | longest_mm | status |" + "".join(
    [_pair(s, "", "absent") for s in ("cr_cr", "cr_none", "cr_blank", "cr_non", "cr_ne", "cr_new")]
    + [_pair(s, "15") for s in ("pr_non", "pr_ne", "pr_pd")]
    + [_pair(s, "30") for s in ("sd_non", "sd_ne")]
    + [_pair("pd_cr", "40")]
    + [_pair(s, "", "not_imaged") for s in ("ne_non", "ne_pd", "ne_new")]
)


def test_without_targets_non_target_disease_decides() -> None:
    """A patient with non-target disease only is never PR or SD.

    Source: RECIST 1.1, patients without targets; our secondary tables do not print these rows.
    """
    check(
        only(subject_classes, "RECIST 1.1"),
        {
            "subject_lesions": """
                | subject_id | lesion_number | lesion_id | organ | index_lesion | recist_target |
                | A          | 1             | L1        | liver | yes          | no            |
            """,
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm |
                | A          | L1        | d-10      | 30         |
            """,
            "scans": """
                | subject_id | scan_date | non_target        |
                | A          | d30       | non_cr_non_pd     |
                | A          | d60       | complete_response |
                | A          | d90       | not_evaluated     |
                | A          | d120      |                   |
                | A          | d150      | progression       |
            """,
        },
        """
        | rel_day | n_lesions | response      | rule                   |
        | 30      | 0         | NON-CR/NON-PD | non_target_persists    |
        | 60      | 0         | CR            | non_target_gone        |
        | 90      | 0         | NE            | no_target              |
        | 120     | 0         | NE            | no_target              |
        | 150     | 0         | PD            | non_target_progression |
        """,
    )


def test_mrecist_measures_the_enhancing_part() -> None:
    """Thirty percent less enhancing diameter is PR, none is CR; size alone decides nothing."""
    check(
        only(lesion_classes, "mRECIST"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | enhancing_longest_mm |
                | below      | L1        | d-10      | 40         | 30                   |
                | below      | L1        | d30       | 40         | 20.9                 |
                | at         | L1        | d-10      | 40         | 30                   |
                | at         | L1        | d30       | 40         | 21                   |
                | above      | L1        | d-10      | 40         | 30                   |
                | above      | L1        | d30       | 40         | 21.1                 |
                | none       | L1        | d-10      | 40         | 30                   |
                | none       | L1        | d30       | 40         | 0                    |
                | small      | L1        | d-10      | 40         | 9.9                  |
                | small      | L1        | d30       | 40         | 9.9                  |
            """
        },
        """
        | subject_id | baseline | value | response |
        | below      | 30       | 20.9  | PR       |
        | at         | 30       | 21    | PR       |
        | above      | 30       | 21.1  | SD       |
        | none       | 30       | 0     | CR       |
        | small      | 9.9      | 9.9   | NE       |
        """,
    )


def test_mrecist_progression_is_twenty_percent_without_a_least_growth() -> None:
    """At least 20 % by default, coherent with RECIST; "> 20 %" is the setting's other reading."""
    measured = """
        | subject_id | lesion_id | scan_date | enhancing_longest_mm |
        | below      | L1        | d-10      | 10                   |
        | below      | L1        | d30       | 11.9                 |
        | at         | L1        | d-10      | 10                   |
        | at         | L1        | d30       | 12                   |
        | above      | L1        | d-10      | 10                   |
        | above      | L1        | d30       | 12.1                 |
    """
    check(
        only(lesion_classes, "mRECIST"),
        {"measurements": measured},
        """
        | subject_id | response |
        | below      | SD       |
        | at         | PD       |
        | above      | PD       |
        """,
    )
    check(
        only(lesion_classes, "mRECIST"),
        {"measurements": measured},
        """
        | subject_id | response |
        | below      | SD       |
        | at         | SD       |
        | above      | PD       |
        """,
        ResponseSettings(mrecist_pd_operator=">"),
    )
