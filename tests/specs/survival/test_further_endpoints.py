"""Treatment failure, the first of several events.

Each table shows the rows of the endpoint that the rule is about; the others are left out.
"""

import functools
from typing import Any

import ibis.expr.types as ir

from tests.support.pipe_tables import check
from transforms.time.endpoints import time_to_event

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


def test_the_first_of_progression_next_therapy_and_death_is_treatment_failure() -> None:
    """On one day the progression is named; without any the last assessment censors.

    D has neither and was last assessed on day 180; E was never assessed, and censored on T0.
    Source: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, 2018.
    """
    check(
        only("TTF"),
        {
            "milestones": """
                | subject_id | progression_day | new_therapy_day | new_therapy_row_id | last_assessment_day | death_day | last_alive_day |
                | A          | 150             | 100             | st:1               | 150                 |           | 400            |
                | B          | 150             | 150             | st:2               | 150                 | 300       | 290            |
                | C          |                 |                 |                    | 90                  | 300       | 290            |
                | D          |                 |                 |                    | 180                 |           | 400            |
                | E          |                 |                 |                    |                     |           | 400            |
            """,
            "contacts": CONTACTS,
            "endpoint_criterion": JUDGED,
            "scans": SCANS,
            "subsequent_therapies": "| subject_id | start_date |\n| Z | d0 |",
        },
        """
        | subject_id | time_days | event | cause           | source_table         | source_row_id |
        | A          | 100       | yes   | new_therapy     | subsequent_therapies | st:1          |
        | B          | 150       | yes   | progression     | scans                |               |
        | C          | 300       | yes   | death           | contacts             |               |
        | D          | 180       | no    | last_assessment | scans                |               |
        | E          | 0         | no    | no_assessment   | treatments           |               |
        """,
    )
