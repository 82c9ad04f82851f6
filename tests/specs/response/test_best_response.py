"""The best response over time, unconfirmed and confirmed.

Source: pharmaverse admiralonco, derive_param_bor and derive_param_confirmed_bor; WHO 1979 as tabulated
in PMC2755245 Table 3 (confirmation after at least 4 weeks).
"""

from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from tests.support.tumours import lesion_best, lesion_best_of, only

FROM_DAY_42 = ResponseSettings(sd_min_days=42)
ACCEPT_SD = ResponseSettings(confirmation_accept_sd=True)


def test_the_best_response_goes_from_complete_to_not_evaluable_and_is_the_earliest() -> None:
    """CR, PR, SD, NON-CR/NON-PD, PD, NE in this order; of equal ones the first day counts."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id | rel_day | response      |
                | cr         | 30      | SD            |
                | cr         | 90      | PR            |
                | cr         | 150     | CR            |
                | cr         | 210     | CR            |
                | pr         | 30      | NE            |
                | pr         | 90      | PR            |
                | pr         | 150     | PR            |
                | sd         | 30      | SD            |
                | sd         | 90      | PD            |
                | non        | 30      | NON-CR/NON-PD |
                | non        | 90      | PD            |
                | pd         | 30      | NE            |
                | pd         | 90      | PD            |
                | ne         | 30      | NE            |
            """
        },
        """
        | subject_id | confirmation | best_response | best_response_day | first_response_day | progression_day | evaluable |
        | cr         | unconfirmed  | CR            | 150               | 90                 |                 | yes       |
        | pr         | unconfirmed  | PR            | 90                | 90                 |                 | yes       |
        | sd         | unconfirmed  | SD            | 30                |                    | 90              | yes       |
        | non        | unconfirmed  | NON-CR/NON-PD | 30                |                    | 90              | yes       |
        | pd         | unconfirmed  | PD            | 90                |                    | 90              | yes       |
        | ne         | unconfirmed  | NE            |                   |                    |                 | no        |
        | cr         | confirmed    | CR            | 150               | 90                 |                 | yes       |
        | pr         | confirmed    | PR            | 90                | 90                 |                 | yes       |
        | sd         | confirmed    | SD            | 30                |                    | 90              | yes       |
        | non        | confirmed    | NON-CR/NON-PD | 30                |                    | 90              | yes       |
        | pd         | confirmed    | PD            | 90                |                    | 90              | yes       |
        | ne         | confirmed    | NE            |                   |                    |                 | no        |
        """,
    )


def test_only_assessments_inside_the_window_count() -> None:
    """What follows the first progression or other treatment is not a response to 90Y."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id | rel_day | response | in_window |
                | A          | 30      | PD       | yes       |
                | A          | 90      | CR       | no        |
                | B          | 30      | CR       | no        |
            """
        },
        """
        | subject_id | confirmation | best_response | best_response_day | last_evaluable_day | reason        |
        | A          | unconfirmed  | PD            | 30                | 30                 |               |
        | A          | confirmed    | PD            | 30                | 30                 |               |
        | B          | unconfirmed  | NE            |                   |                    | window_closed |
        | B          | confirmed    | NE            |                   |                    | window_closed |
        """,
    )


def test_stable_disease_may_need_a_minimum_time() -> None:
    """With 0 days (WHO series) a lone scan on day 28 is stable; with 42 (RECIST) it is not."""
    lone = """
        | subject_id | rel_day | response |
        | d28        | 28      | SD       |
        | d41        | 41      | SD       |
        | d42        | 42      | SD       |
        | early_pr   | 28      | PR       |
    """
    check(
        lesion_best_of,
        {"lesion_assessments": lone},
        """
        | subject_id | confirmation | best_response | reason |
        | d28        | unconfirmed  | SD            |        |
        | d41        | unconfirmed  | SD            |        |
        | d42        | unconfirmed  | SD            |        |
        | early_pr   | unconfirmed  | PR            |        |
        | d28        | confirmed    | SD            |        |
        | d41        | confirmed    | SD            |        |
        | d42        | confirmed    | SD            |        |
        | early_pr   | confirmed    | SD            |        |
        """,
    )
    check(
        lesion_best_of,
        {"lesion_assessments": lone},
        """
        | subject_id | confirmation | best_response | reason                      |
        | d28        | unconfirmed  | NE            | only_before_the_minimum_day |
        | d41        | unconfirmed  | NE            | only_before_the_minimum_day |
        | d42        | unconfirmed  | SD            |                             |
        | early_pr   | unconfirmed  | PR            |                             |
        | d28        | confirmed    | NE            | only_before_the_minimum_day |
        | d41        | confirmed    | NE            | only_before_the_minimum_day |
        | d42        | confirmed    | SD            |                             |
        | early_pr   | confirmed    | NE            | only_before_the_minimum_day |
        """,
        FROM_DAY_42,
    )


def test_a_response_is_confirmed_after_at_least_28_days() -> None:
    """Day 27 is too early, day 28 is enough; an unconfirmed response falls to stable disease."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id | rel_day | response |
                | d27        | 90      | PR       |
                | d27        | 117     | PR       |
                | d28        | 90      | PR       |
                | d28        | 118     | PR       |
                | cr_d27     | 90      | CR       |
                | cr_d27     | 117     | CR       |
                | cr_d28     | 90      | CR       |
                | cr_d28     | 118     | CR       |
                | via        | 90      | PR       |
                | via        | 100     | PR       |
                | via        | 120     | PR       |
            """
        },
        """
        | subject_id | confirmation | best_response | best_response_day | first_response_day |
        | d27        | unconfirmed  | PR            | 90                | 90                 |
        | d27        | confirmed    | SD            | 90                |                    |
        | d28        | unconfirmed  | PR            | 90                | 90                 |
        | d28        | confirmed    | PR            | 90                | 90                 |
        | cr_d27     | unconfirmed  | CR            | 90                | 90                 |
        | cr_d27     | confirmed    | SD            | 90                |                    |
        | cr_d28     | unconfirmed  | CR            | 90                | 90                 |
        | cr_d28     | confirmed    | CR            | 90                | 90                 |
        | via        | unconfirmed  | PR            | 90                | 90                 |
        | via        | confirmed    | PR            | 90                | 90                 |
        """,
    )


def test_stable_disease_between_spoils_the_confirmation_of_a_partial_response() -> None:
    """PR, SD, PR is not confirmed, unless the settings accept one SD; two are too many."""
    sequences = """
        | subject_id | rel_day | response |
        | one_sd     | 90      | PR       |
        | one_sd     | 120     | SD       |
        | one_sd     | 150     | PR       |
        | two_sd     | 90      | PR       |
        | two_sd     | 110     | SD       |
        | two_sd     | 130     | SD       |
        | two_sd     | 150     | PR       |
        | cr_sd      | 90      | CR       |
        | cr_sd      | 120     | SD       |
        | cr_sd      | 150     | CR       |
    """
    check(
        lesion_best_of,
        {"lesion_assessments": sequences},
        """
        | subject_id | confirmation | best_response |
        | one_sd     | unconfirmed  | PR            |
        | two_sd     | unconfirmed  | PR            |
        | cr_sd      | unconfirmed  | CR            |
        | one_sd     | confirmed    | SD            |
        | two_sd     | confirmed    | SD            |
        | cr_sd      | confirmed    | SD            |
        """,
    )
    check(
        lesion_best_of,
        {"lesion_assessments": sequences},
        """
        | subject_id | confirmation | best_response |
        | one_sd     | unconfirmed  | PR            |
        | two_sd     | unconfirmed  | PR            |
        | cr_sd      | unconfirmed  | CR            |
        | one_sd     | confirmed    | PR            |
        | two_sd     | confirmed    | SD            |
        | cr_sd      | confirmed    | SD            |
        """,
        ACCEPT_SD,
    )


def test_one_assessment_between_may_be_not_evaluable() -> None:
    """Between a response and its confirmation at most one NE; progression never."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id | rel_day | response |
                | one_ne     | 90      | PR       |
                | one_ne     | 100     | NE       |
                | one_ne     | 150     | PR       |
                | two_ne     | 90      | PR       |
                | two_ne     | 100     | NE       |
                | two_ne     | 110     | NE       |
                | two_ne     | 150     | PR       |
                | cr_one_ne  | 90      | CR       |
                | cr_one_ne  | 100     | NE       |
                | cr_one_ne  | 150     | CR       |
                | earlier_ne | 30      | NE       |
                | earlier_ne | 60      | NE       |
                | earlier_ne | 90      | PR       |
                | earlier_ne | 150     | PR       |
                | pd_after   | 90      | PR       |
                | pd_after   | 150     | PD       |
            """
        },
        """
        | subject_id | confirmation | best_response |
        | one_ne     | unconfirmed  | PR            |
        | two_ne     | unconfirmed  | PR            |
        | cr_one_ne  | unconfirmed  | CR            |
        | earlier_ne | unconfirmed  | PR            |
        | pd_after   | unconfirmed  | PR            |
        | one_ne     | confirmed    | PR            |
        | two_ne     | confirmed    | SD            |
        | cr_one_ne  | confirmed    | CR            |
        | earlier_ne | confirmed    | PR            |
        | pd_after   | confirmed    | SD            |
        """,
    )


def test_a_complete_response_confirms_a_partial_one_but_not_the_reverse() -> None:
    """PR then CR is a confirmed PR; CR then PR confirms nothing; no PR may follow a CR between."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id   | rel_day | response |
                | pr_cr        | 90      | PR       |
                | pr_cr        | 150     | CR       |
                | cr_pr        | 90      | CR       |
                | cr_pr        | 150     | PR       |
                | pr_cr_pr     | 90      | PR       |
                | pr_cr_pr     | 100     | CR       |
                | pr_cr_pr     | 150     | PR       |
                | pr_cr_cr     | 90      | PR       |
                | pr_cr_cr     | 150     | CR       |
                | pr_cr_cr     | 200     | CR       |
                | cr_pr_pr     | 60      | CR       |
                | cr_pr_pr     | 90      | PR       |
                | cr_pr_pr     | 150     | PR       |
            """
        },
        """
        | subject_id   | confirmation | best_response | best_response_day | first_response_day |
        | pr_cr        | unconfirmed  | CR            | 150               | 90                 |
        | cr_pr        | unconfirmed  | CR            | 90                | 90                 |
        | pr_cr_pr     | unconfirmed  | CR            | 100               | 90                 |
        | pr_cr_cr     | unconfirmed  | CR            | 150               | 90                 |
        | cr_pr_pr     | unconfirmed  | CR            | 60                | 60                 |
        | pr_cr        | confirmed    | PR            | 90                | 90                 |
        | cr_pr        | confirmed    | SD            | 90                |                    |
        | pr_cr_pr     | confirmed    | SD            | 90                |                    |
        | pr_cr_cr     | confirmed    | CR            | 150               | 90                 |
        | cr_pr_pr     | confirmed    | PR            | 90                | 90                 |
        """,
    )


def test_a_unit_that_is_never_evaluable_tells_why() -> None:
    """The reason is that of the first assessment in the window."""
    check(
        lesion_best_of,
        {
            "lesion_assessments": """
                | subject_id | rel_day | response | rule             |
                | A          | 90      | NE       | not_imaged       |
                | A          | 30      | NE       | baseline_too_old |
            """
        },
        """
        | subject_id | confirmation | best_response | evaluable | reason           |
        | A          | unconfirmed  | NE            | no        | baseline_too_old |
        | A          | confirmed    | NE            | no        | baseline_too_old |
        """,
    )


def test_a_scan_without_a_row_of_the_lesion_lies_between_as_not_evaluable() -> None:
    """One such assessment may lie between a response and its confirmation, two may not, as for a patient.

    A lesion that nobody wrote down on a scan was not evaluated on it, recorded so or not.
    """
    check(
        only(lesion_best, "WHO"),
        {
            "measurements": """
                | subject_id | lesion_id | scan_date | longest_mm | perpendicular_mm |
                | one        | L1        | d-10      | 20         | 10               |
                | one        | L1        | d90       | 10         | 10               |
                | one        | L1        | d270      | 10         | 10               |
                | two        | L1        | d-10      | 20         | 10               |
                | two        | L1        | d90       | 10         | 10               |
                | two        | L1        | d270      | 10         | 10               |
            """,
            "scans": """
                | subject_id | scan_date | evaluable | arterial_phase |
                | one        | d150      | yes       | yes            |
                | two        | d150      | yes       | yes            |
                | two        | d210      | yes       | yes            |
            """,
        },
        """
        | subject_id | confirmation | best_response | best_response_day |
        | one        | unconfirmed  | PR            | 90                |
        | one        | confirmed    | PR            | 90                |
        | two        | unconfirmed  | PR            | 90                |
        | two        | confirmed    | SD            | 90                |
        """,
    )
