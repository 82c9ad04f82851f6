"""Time to response, its duration, the next therapy, and times that a source only reports.

Each table shows the rows of the endpoint that the rule is about; the others are left out.
"""

import functools
from typing import Any

import ibis.expr.types as ir

from schemas.settings import ResponseSettings, SurvivalSettings
from tests.support.pipe_tables import check
from transforms.time.endpoints import time_to_event
from transforms.time.reported import reported_times

CONTACTS = "| subject_id | contact_date |\n| Z | d0 |"
SCANS = "| subject_id | scan_date |\n| Z | d0 |"
"""A row of another patient: the site has delivered the table."""
JUDGED = "| criterion | judged |\n| WHO | yes |"
"""Response can be judged by WHO in enough of the treated."""


def only(*endpoints: str) -> Any:
    """The derivation, showing some of its endpoints."""

    @functools.wraps(time_to_event)
    def chosen(**arguments: Any) -> ir.Table:
        table = time_to_event(**arguments)
        return table.filter(table.endpoint.isin(endpoints))

    return chosen


THERAPY_BEFORE_PROGRESSION = {
    "milestones": """
        | subject_id | progression_day | new_therapy_day | last_before_therapy_day | last_assessment_day | death_day | last_alive_day |
        | A          | 150             | 100             | 90                      | 150                 |           | 400            |
        | B          | 150             | 150             | 150                     | 150                 |           | 400            |
        | C          |                 | 100             |                         | 180                 |           | 400            |
        | D          |                 | 100             | 90                      | 90                  | 300       | 290            |
        | E          | 150             | 160             | 150                     | 150                 |           | 400            |
    """,
    "contacts": CONTACTS,
    "endpoint_criterion": JUDGED,
    "scans": SCANS,
}


def test_progression_after_a_new_therapy_counts_under_treatment_policy() -> None:
    """The primary rule of PFS looks at progression and death, whatever was given before."""
    check(
        only("PFS"),
        THERAPY_BEFORE_PROGRESSION,
        """
        | subject_id | endpoint | time_days | event | cause           | reason             |
        | A          | PFS      | 150       | yes   | progression     | subsequent therapy |
        | B          | PFS      | 150       | yes   | progression     |                    |
        | C          | PFS      | 180       | no    | last_assessment | subsequent therapy |
        | D          | PFS      | 300       | yes   | death           | subsequent therapy |
        | E          | PFS      | 150       | yes   | progression     |                    |
        """,
    )


def test_a_setting_censors_progression_free_survival_before_a_new_therapy() -> None:
    """Censored at the last evaluable assessment up to the therapy's first day, or on T0.

    Progression on the day the therapy starts was the reason for it: it counts.
    Source: admiralonco, PFSNACT.
    """
    check(
        only("PFS"),
        THERAPY_BEFORE_PROGRESSION,
        """
        | subject_id | endpoint | time_days | event | cause         |
        | A          | PFS      | 90        | no    | new_therapy   |
        | B          | PFS      | 150       | yes   | progression   |
        | C          | PFS      | 0         | no    | no_assessment |
        | D          | PFS      | 90        | no    | new_therapy   |
        | E          | PFS      | 150       | yes   | progression   |
        """,
        SurvivalSettings(pfs_new_therapy="censor"),
    )


GAPS = {
    "milestones": """
        | subject_id | progression_day | last_before_progression_day | last_assessment_day | death_day | last_alive_day |
        | A          | 293             | 80                          | 293                 |           | 400            |
        | B          | 292             | 80                          | 292                 |           | 400            |
        | C          |                 |                             | 100                 | 400       | 390            |
        | D          |                 |                             |                     | 300       | 290            |
        | E          | 200             |                             | 200                 |           | 400            |
        | F          |                 |                             | 500                 |           | 900            |
    """,
    "contacts": CONTACTS,
    "endpoint_criterion": JUDGED,
    "scans": SCANS,
}


def test_an_event_after_missed_assessments_is_an_event() -> None:
    """As recorded: how long nobody looked is not asked."""
    check(
        only("PFS"),
        GAPS,
        """
        | subject_id | time_days | event | cause           |
        | A          | 293       | yes   | progression     |
        | B          | 292       | yes   | progression     |
        | C          | 400       | yes   | death           |
        | D          | 300       | yes   | death           |
        | E          | 200       | yes   | progression     |
        | F          | 500       | no    | last_assessment |
        """,
    )


def test_a_setting_censors_progression_free_survival_before_two_missed_assessments() -> None:
    """Two are missed when more than twice the greatest gap between reviews (106 days) has passed.

    A: 213 days since the assessment before the progression, censored at it; B: 212 days, an event.
    C died 300 days after the last assessment, D was never assessed and is censored on day 0. E had
    progressed at the first assessment, in time. F had no event.
    Source: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, 2007.
    """
    check(
        only("PFS"),
        GAPS,
        """
        | subject_id | time_days | event | cause              | source_table |
        | A          | 80        | no    | missed_assessments | scans        |
        | B          | 292       | yes   | progression        | scans        |
        | C          | 100       | no    | missed_assessments | scans        |
        | D          | 0         | no    | no_assessment      | treatments   |
        | E          | 200       | yes   | progression        | scans        |
        | F          | 500       | no    | last_assessment    | scans        |
        """,
        SurvivalSettings(pfs_missed_visits="censor"),
    )


def test_the_next_therapy_or_death_ends_the_time_to_next_therapy() -> None:
    """On one day the therapy is named; who has neither is censored at the last day alive."""
    check(
        only("TTNT"),
        {
            "milestones": """
                | subject_id | new_therapy_day | new_therapy_imputed | new_therapy_row_id | death_day | last_alive_day |
                | A          | 70              | yes                 | st:1               | 400       | 390            |
                | B          | 400             | no                  | st:2               | 400       | 390            |
                | C          |                 |                     |                    | 200       | 190            |
                | D          |                 |                     |                    |           | 600            |
            """,
            "contacts": CONTACTS,
            "subsequent_therapies": "| subject_id | start_date |\n| Z | d0 |",
        },
        """
        | subject_id | time_days | event | cause       | reason               | source_table         | source_row_id |
        | A          | 70        | yes   | new_therapy | therapy date imputed | subsequent_therapies | st:1          |
        | B          | 400       | yes   | new_therapy |                      | subsequent_therapies | st:2          |
        | C          | 200       | yes   | death       |                      | contacts             |               |
        | D          | 600       | no    | alive       |                      |                      |               |
        """,
    )


def test_time_to_response_runs_for_all_treated_and_not_for_responders_only() -> None:
    """Without a response the last evaluable scan inside the window censors.

    Without any scan after baseline the time is 0: the patient is counted and contributes nothing.
    Progression or death without a response are marked as competing; the first of them is kept with
    its own day, for the share that responds first.
    Source: Memon 2012 (Kaplan-Meier of the time to response).
    """
    check(
        only("TTR"),
        {
            "anchors": "| subject_id | t0_date |\n| A | d0 |",
            "milestones": """
                | subject_id | response_day | last_in_window_day | progression_day | death_day | last_alive_day |
                | A          | 122          | 300                | 400             | 500       | 490            |
                | B          |              | 200                |                 |           | 490            |
                | C          |              |                    |                 |           | 490            |
                | D          |              | 200                | 200             | 500       | 490            |
                | E          |              | 200                |                 | 500       | 490            |
            """,
            "endpoint_criterion": JUDGED,
            "scans": """
                | subject_id | scan_date |
                | A          | d122      |
            """,
        },
        """
        | subject_id | start_day | time_days | event | cause             | competing | competing_event | competing_days | source_row_id |
        | A          | 0         | 122       | yes   | response          | no        | progression     | 400            | scans:1       |
        | B          | 0         | 200       | no    | last_assessment   | no        |                 |                |               |
        | C          | 0         | 0         | no    | no_assessment     | no        |                 |                |               |
        | D          | 0         | 200       | no    | progression_first | yes       | progression     | 200            |               |
        | E          | 0         | 200       | no    | death_first       | yes       | death           | 500            |               |
        """,
    )


LESIONS = {
    "anchors": "| subject_id | t0_date |\n| A | d0 |",
    "milestones": "| subject_id | last_alive_day | t0_row_id |\n| A | 500 | t:1 |",
    "subject_lesions": """
        | subject_id | lesion_number | lobe_date |
        | A          | 1             | d0        |
        | A          | 2             | d40       |
        | A          | 3             | d40       |
        | A          | 4             |           |
    """,
    "lesion_response": """
        | subject_id | lesion_number | criterion | confirmation | first_response_day | last_evaluable_day |
        | A          | 1             | WHO       | unconfirmed  | 90                 | 200                |
        | A          | 2             | WHO       | unconfirmed  | 90                 | 200                |
        | A          | 3             | WHO       | unconfirmed  |                    |                    |
        | A          | 4             | WHO       | unconfirmed  |                    | 200                |
        | A          | 1             | WHO       | confirmed    | 200                | 200                |
        | A          | 1             | EASL      | unconfirmed  | 30                 | 200                |
    """,
    "lesion_assessments": """
        | subject_id | lesion_number | criterion | reader | rel_day | source_row_ids |
        | A          | 1             | WHO       | local  | 90      | m:1            |
        | A          | 1             | EASL      | local  | 90      | m:2            |
        | A          | 1             | WHO       | core   | 90      | m:3            |
        | A          | 4             | WHO       | local  | 200     | m:4            |
    """,
    "endpoint_criterion": JUDGED,
    "scans": SCANS,
}


def test_a_lesion_has_a_clock_of_its_own_that_starts_on_the_day_of_treatment() -> None:
    """The unconfirmed response under the criterion of the endpoints, and its measurement."""
    check(
        only("TTRL"),
        LESIONS,
        """
        | subject_id | lesion_number | start_day | time_days | event | cause           | source_table | source_column  | source_row_id |
        | A          | 1             | 0         | 90        | yes   | response        | measurements | scan_date      | m:1           |
        | A          | 2             | 0         | 90        | yes   | response        | measurements | scan_date      |               |
        | A          | 3             | 0         | 0         | no    | no_assessment   | treatments   | treatment_date | t:1           |
        | A          | 4             | 0         | 200       | no    | last_assessment | measurements | scan_date      | m:4           |
        """,
    )


def test_a_setting_starts_the_lesions_clock_when_its_lobe_is_perfused() -> None:
    """In staged treatment the second lobe is treated weeks later; an unknown lobe starts at T0."""
    check(
        only("TTRL"),
        LESIONS,
        """
        | subject_id | lesion_number | start_day | time_days | event |
        | A          | 1             | 0         | 90        | yes   |
        | A          | 2             | 40        | 50        | yes   |
        | A          | 3             | 40        | 0         | no    |
        | A          | 4             | 0         | 200       | no    |
        """,
        ResponseSettings(lesion_start="lobe"),
    )


def test_only_responders_have_a_duration_of_response() -> None:
    """From the first response to progression or death, else to the last evaluable assessment."""
    check(
        only("DOR"),
        {
            "milestones": """
                | subject_id | response_day | progression_day | death_day | last_assessment_day | last_alive_day |
                | A          | 90           | 300             | 400       | 300                 | 390            |
                | B          | 90           |                 | 400       | 300                 | 390            |
                | C          | 90           |                 |           | 300                 | 390            |
                | D          | 90           |                 |           | 90                  | 390            |
                | E          |              | 300             | 400       | 300                 | 390            |
            """,
            "contacts": CONTACTS,
            "endpoint_criterion": JUDGED,
            "scans": SCANS,
        },
        """
        | subject_id | start_day | time_days | event | cause           |
        | A          | 90        | 210       | yes   | progression     |
        | B          | 90        | 310       | yes   | death           |
        | C          | 90        | 210       | no    | last_assessment |
        | D          | 90        | 0         | no    | last_assessment |
        """,
    )


def test_an_endpoint_is_not_derivable_where_a_site_lacks_a_table_it_needs() -> None:
    """No row, and so no denominator: without scans nobody has been seen free of progression."""
    check(
        time_to_event,
        {
            "milestones": """
                | subject_id | site_id | last_alive_day | last_assessment_day | last_in_window_day | death_day |
                | A          | north   | 500            | 200                 | 200                |           |
                | B          | south   | 500            |                     |                    | 600       |
                | C          | west    | 500            |                     |                    |           |
            """,
            "contacts": """
                | subject_id | site_id |
                | Z          | south   |
            """,
            "endpoint_criterion": JUDGED,
            "scans": """
                | subject_id | site_id |
                | Y          | north   |
            """,
        },
        """
        | subject_id | endpoint | time_days | event |
        | A          | TTP      | 200       | no    |
        | A          | HTTP     | 200       | no    |
        | A          | TTR      | 200       | no    |
        | B          | OS       | 600       | yes   |
        """,
    )


def test_reported_times_are_kept_exactly_and_days_stay_days() -> None:
    """A month is 30.4375 days, a year 365.25: 24 months are 730.5 days, as 2 years are.

    Rounded to whole days, 24 months would lie after the landmark at 24 months. Four decimals of a
    month are exact; of five (0.14735 months are 4.484965625 days) the eighth decimal is rounded.
    """
    check(
        time_to_event,
        {
            "reported_endpoints": """
                | subject_id | endpoint | time     | time_unit | event |
                | A          | OS       | 12       | months    | yes   |
                | B          | OS       | 2        | years     | no    |
                | I          | OS       | 24       | months    | no    |
                | C          | OS       | 2.5      | days      | yes   |
                | D          | OS       | 2.499999 | days      | yes   |
                | E          | PFS      | 0.016427 | months    | yes   |
                | F          | PFS      | 0.016428 | months    | no    |
                | G          | pfs      | 0        | months    | no    |
                | H          | OS       | 0.14735  | months    | no    |
            """
        },
        """
        | subject_id | endpoint | time_days | event | cause              | source_table       | source_row_id        |
        | A          | OS       | 365.25    | yes   | reported event     | reported_endpoints | reported_endpoints:1 |
        | B          | OS       | 730.5     | no    | reported censoring | reported_endpoints | reported_endpoints:2 |
        | I          | OS       | 730.5     | no    | reported censoring | reported_endpoints | reported_endpoints:3 |
        | C          | OS       | 2.5       | yes   | reported event     | reported_endpoints | reported_endpoints:4 |
        | D          | OS       | 2.499999  | yes   | reported event     | reported_endpoints | reported_endpoints:5 |
        | E          | PFS      | 0.49999681 | yes   | reported event     | reported_endpoints | reported_endpoints:6 |
        | F          | PFS      | 0.50002725 | no   | reported censoring | reported_endpoints | reported_endpoints:7 |
        | G          | PFS      | 0         | no    | reported censoring | reported_endpoints | reported_endpoints:8 |
        | H          | OS       | 4.48496563 | no   | reported censoring | reported_endpoints | reported_endpoints:9 |
        """,
    )


def test_a_patient_with_dates_of_treatment_does_not_need_reported_times() -> None:
    """Dates can be checked, a printed time cannot."""
    check(
        only("OS"),
        {
            "anchors": "| subject_id | t0_date |\n| A | d0 |",
            "milestones": "| subject_id | death_day | last_alive_day |\n| A | 400 | 390 |",
            "contacts": CONTACTS,
            "reported_endpoints": """
                | subject_id | endpoint | time | time_unit | event |
                | A          | OS       | 999  | days      | no    |
                | B          | OS       | 999  | days      | no    |
            """,
        },
        """
        | subject_id | time_days | event |
        | A          | 400       | yes   |
        | B          | 999       | no    |
        """,
    )


def test_a_reported_time_is_used_where_nothing_is_derivable_and_it_starts_at_t0() -> None:
    """Not where the endpoint is derived and censored, and not where nobody says where it starts.

    Site north delivers contacts only: OS is derived, PFS is not derivable there. C has no T0.
    """
    check(
        time_to_event,
        {
            "anchors": """
                | subject_id | site_id | t0_date |
                | A          | north   | d0      |
                | B          | north   | d0      |
            """,
            "milestones": """
                | subject_id | site_id | last_alive_day |
                | A          | north   | 390            |
                | B          | north   | 500            |
            """,
            "contacts": "| subject_id | site_id |\n| A | north |",
            "reported_endpoints": """
                | subject_id | site_id | endpoint | time | time_unit | event | starts_at |
                | A          | north   | OS       | 999  | days      | yes   | T0        |
                | A          | north   | pfs      | 10   | months    | yes   | T0        |
                | A          | north   | LOCAL    | 77   | days      | yes   | T0        |
                | B          | north   | PFS      | 400  | days      | yes   |           |
                | C          | north   | OS       | 600  | days      | no    |           |
            """,
        },
        """
        | subject_id | endpoint | time_days | event | origin   |
        | A          | LOCAL    | 77        | yes   | reported |
        | A          | OS       | 390       | no    | derived  |
        | A          | PFS      | 304.375   | yes   | reported |
        | B          | OS       | 500       | no    | derived  |
        | C          | OS       | 600       | no    | reported |
        """,
    )


def test_a_registry_may_use_derived_times_only() -> None:
    """The setting leaves out every time that a source printed."""
    check(
        time_to_event,
        {
            "reported_endpoints": """
                | subject_id | endpoint | time | time_unit | event |
                | C          | OS       | 600  | days      | no    |
            """,
        },
        "| subject_id | endpoint | time_days |",
        SurvivalSettings(reported_times="derived_only"),
    )


def test_reported_times_are_compared_with_what_dates_give() -> None:
    """To the last place printed: 13 months are 12.5 to 13.5, or 380.46875 to 410.90625 days."""
    check(
        reported_times,
        {
            "anchors": """
                | subject_id | site_id | t0_date |
                | A          | north   | d0      |
                | B          | north   | d0      |
                | C          | north   | d0      |
                | D          | north   | d0      |
                | E          | north   | d0      |
                | F          | north   | d0      |
            """,
            "time_to_event": """
                | lesion_number | subject_id | endpoint | time_days | event | origin   |
                | 0             | A          | OS       | 381       | yes   | derived  |
                | 0             | B          | OS       | 380       | yes   | derived  |
                | 0             | C          | OS       | 400       | no    | derived  |
                | 0             | D          | OS       | 401       | no    | derived  |
                | 0             | E          | PFS      | 304       | yes   | reported |
            """,
            "reported_endpoints": """
                | subject_id | site_id | endpoint | time | time_unit | event |
                | A          | north   | OS       | 13   | months    | yes   |
                | B          | north   | OS       | 13   | months    | yes   |
                | C          | north   | os       | 400  | days      | yes   |
                | D          | north   | OS       | 400  | days      | no    |
                | E          | north   | PFS      | 10   | months    | yes   |
                | F          | north   | PFS      | 10   | months    | yes   |
                | Z          | north   | OS       | 1    | years     | yes   |
            """,
        },
        """
        | subject_id | endpoint | time_days | derived_days | derived_event | use     |
        | A          | OS       | 395.6875  | 381          | yes           | agrees  |
        | B          | OS       | 395.6875  | 380          | yes           | differs |
        | C          | OS       | 400       | 400          | no            | differs |
        | D          | OS       | 400       | 401          | no            | differs |
        | E          | PFS      | 304.375   |              |               | used    |
        | F          | PFS      | 304.375   |              |               | unused  |
        """,
    )
