"""Treatment failure, progression by recorded dates, and next therapy that competes or censors.

Each table shows the rows of the endpoint that the rule is about; the others are left out.
"""

import functools
from typing import Any

import ibis.expr.types as ir

from analytics.classes.recorded_progression import (
    recorded_progression,
    recorded_progression_sets,
)
from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check
from transforms.classes.recorded_progression import progression_differences
from transforms.time.endpoints import time_to_event
from transforms.time.milestones import milestones

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
    Source: the composite as quoted in PMC4611069 (2015), Table 1.
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


RECORDED = "| subject_id | response_date |\n| Z | d0 |"
MILESTONES = """
    | subject_id | recorded_progression_day | recorded_progression_row_id | last_recorded_day | last_recorded_row_id | last_recorded_before_therapy_day | last_recorded_before_therapy_row_id | new_therapy_day | death_day | last_alive_day |
    | A          | 120                      | rr:1                        | 200               | rr:2                 | 60                               | rr:0                                | 90              |           | 400            |
    | B          |                          |                             | 180               | rr:3                 |                                  |                                     |                 | 300       | 290            |
    | C          |                          |                             | 180               | rr:4                 |                                  |                                     |                 |           | 400            |
    | D          |                          |                             |                   |                      |                                  |                                     |                 |           | 400            |
    | E          | 300                      | rr:5                        | 300               | rr:5                 |                                  |                                     |                 | 300       | 300            |
"""


def test_recorded_progression_or_death_ends_progression_free_survival_by_recorded_dates() -> None:
    """On one day the progression is named; otherwise the last recorded class censors.

    D has no recorded class and is censored on T0. Time to progression by the same dates takes no
    death for an event: B is censored, and death competes.
    """
    tables = {"milestones": MILESTONES, "contacts": CONTACTS, "recorded_responses": RECORDED}
    check(
        only("PFSREC", "TTPREC"),
        tables,
        """
        | subject_id | endpoint | time_days | event | cause                | source_table       | source_row_id | competing_event |
        | A          | PFSREC   | 120       | yes   | recorded_progression | recorded_responses | rr:1          |                 |
        | B          | PFSREC   | 300       | yes   | death                | contacts           |               |                 |
        | C          | PFSREC   | 180       | no    | last_assessment      | recorded_responses | rr:4          |                 |
        | D          | PFSREC   | 0         | no    | no_assessment        | treatments         |               |                 |
        | E          | PFSREC   | 300       | yes   | recorded_progression | recorded_responses | rr:5          |                 |
        | A          | TTPREC   | 120       | yes   | recorded_progression | recorded_responses | rr:1          |                 |
        | B          | TTPREC   | 180       | no    | death_first          | recorded_responses | rr:3          | death           |
        | C          | TTPREC   | 180       | no    | last_assessment      | recorded_responses | rr:4          |                 |
        | D          | TTPREC   | 0         | no    | no_assessment        | treatments         |               |                 |
        | E          | TTPREC   | 300       | yes   | recorded_progression | recorded_responses | rr:5          | death           |
        """,
    )


def test_a_new_therapy_censors_recorded_dates_at_the_last_class_before_it() -> None:
    """Where the setting says so for PFS, it says so for PFSREC: A is censored on day 60."""
    check(
        only("PFSREC"),
        {"milestones": MILESTONES, "contacts": CONTACTS, "recorded_responses": RECORDED},
        """
        | subject_id | time_days | event | cause                | source_row_id |
        | A          | 60        | no    | new_therapy          | rr:0          |
        | B          | 300       | yes   | death                |               |
        | C          | 180       | no    | last_assessment      | rr:4          |
        | D          | 0         | no    | no_assessment        |               |
        | E          | 300       | yes   | recorded_progression | rr:5          |
        """,
        SurvivalSettings(pfs_new_therapy="censor"),
    )


def test_the_first_recorded_progression_of_the_counted_reader_counts_under_any_criterion() -> None:
    """A: PD by RECIST on day 120 comes before PD by WHO on 150; NE and other readers do not count.

    Up to the next therapy on day 90 the last class is that of day 60.
    """
    check(
        milestones,
        {
            "anchors": "| subject_id | site_id | t0_date |\n| A | s1 | d0 |",
            "last_alive": "| subject_id | last_alive_date |\n| A | d400 |",
            "subsequent_therapies": "| subject_id | therapy_class | start_date |\n| A | prrt | d90 |",
            "recorded_assessments": """
                | subject_id | criterion  | organ | reader  | rel_day | response | source_row_id |
                | A          | WHO        | all   | local   | 60      | SD       | rr:1          |
                | A          | WHO        | all   | central | 80      | PD       | rr:2          |
                | A          | WHO        | liver | local   | 85      | PD       | rr:3          |
                | A          | RECIST 1.1 | all   | local   | 120     | PD       | rr:4          |
                | A          | WHO        | all   | local   | 150     | PD       | rr:5          |
                | A          | WHO        | all   | local   | 200     | NE       | rr:6          |
            """,
        },
        """
        | subject_id | recorded_progression_day | recorded_progression_row_id | last_recorded_day | last_recorded_row_id | last_recorded_before_therapy_day | last_recorded_before_therapy_row_id |
        | A          | 120                      | rr:4                        | 150               | rr:5                 | 60                               | rr:1                                |
        """,
    )


TIMES = """
    | subject_id | endpoint | time_days | event | source_table       | source_row_id | origin   |
    | A          | TTP      | 120       | yes   | scans              | sc:1          | derived  |
    | A          | TTPREC   | 120       | yes   | recorded_responses | rr:1          | derived  |
    | B          | TTP      | 120       | yes   | scans              | sc:2          | derived  |
    | B          | TTPREC   | 119       | yes   | recorded_responses | rr:2          | derived  |
    | C          | TTP      | 120       | yes   | scans              | sc:3          | derived  |
    | C          | TTPREC   | 121       | yes   | recorded_responses | rr:3          | derived  |
    | D          | TTP      | 120       | no    | scans              | sc:4          | derived  |
    | D          | TTPREC   | 90        | yes   | recorded_responses | rr:4          | derived  |
    | E          | TTP      | 120       | yes   | scans              | sc:5          | derived  |
    | E          | TTPREC   | 90        | no    | recorded_responses | rr:5          | derived  |
    | F          | TTP      | 120       | no    | scans              | sc:6          | derived  |
    | F          | TTPREC   | 0         | no    | treatments         | tr:6          | derived  |
    | G          | TTP      | 120       | yes   | scans              | sc:7          | derived  |
    | H          | TTP      | 120       | yes   | reported_endpoints | re:8          | reported |
    | H          | TTPREC   | 120       | yes   | recorded_responses | rr:8          | derived  |
"""


def test_recorded_progression_is_set_beside_the_derived_one() -> None:
    """A day earlier or later is a difference; of G nothing is recorded, of H nothing derived."""
    check(
        progression_differences,
        {"time_to_event": TIMES},
        """
        | subject_id | derived_day | recorded_day | days_apart | agreement        | derived_row_id | recorded_row_id |
        | A          | 120         | 120          | 0          | same_day         | sc:1           | rr:1            |
        | B          | 120         | 119          | -1         | recorded_earlier | sc:2           | rr:2            |
        | C          | 120         | 121          | 1          | recorded_later   | sc:3           | rr:3            |
        | D          |             | 90           |            | recorded_only    |                | rr:4            |
        | E          | 120         |              |            | derived_only     | sc:5           |                 |
        | F          |             |              |            | neither          |                |                 |
        """,
    )


DIFFERENCES = """
    | subject_id | days_apart | agreement        |
    | A          | 0          | same_day         |
    | B          | -1         | recorded_earlier |
    | C          | -30        | recorded_earlier |
    | D          |            | neither          |
"""


def test_agreement_of_progressions_is_counted_over_those_of_whom_both_are_derivable() -> None:
    """Two of four were recorded earlier, by 15.5 days in the median; E has nothing beside."""
    check(
        recorded_progression,
        {
            "progression_differences": DIFFERENCES,
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | B          |
                | all        | C          |
                | all        | D          |
                | all        | E          |
                | site:s2    | E          |
            """,
        },
        """
        | population | agreement        | n | total | pct | median_days_apart | reason                                                      |
        | all        | same_day         | 1 | 4     | 25  | 0                 |                                                             |
        | all        | recorded_earlier | 2 | 4     | 50  | -15.5             |                                                             |
        | all        | recorded_later   | 0 | 4     | 0   |                   |                                                             |
        | all        | recorded_only    | 0 | 4     | 0   |                   |                                                             |
        | all        | derived_only     | 0 | 4     | 0   |                   |                                                             |
        | all        | neither          | 1 | 4     | 25  |                   |                                                             |
        | site:s2    | same_day         | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        | site:s2    | recorded_earlier | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        | site:s2    | recorded_later   | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        | site:s2    | recorded_only    | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        | site:s2    | derived_only     | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        | site:s2    | neither          | 0 | 0     |     |                   | not derivable: no recorded progression beside a derived one |
        """,
    )
    check(
        recorded_progression_sets,
        {"progression_differences": DIFFERENCES},
        """
        | set_id                                | subject_id | lesion_number |
        | recorded_progression.same_day         | A          | 0             |
        | recorded_progression.recorded_earlier | B          | 0             |
        | recorded_progression.recorded_earlier | C          | 0             |
        | recorded_progression.neither          | D          | 0             |
        """,
    )


def test_a_next_therapy_before_progression_competes() -> None:
    """A progressed after the therapy of day 100: the therapy came first. B died without either."""
    check(
        only("TTPNT"),
        {
            "milestones": """
                | subject_id | progression_day | new_therapy_day | last_assessment_day | death_day | last_alive_day |
                | A          | 150             | 100             | 150                 |           | 400            |
                | B          |                 |                 | 90                  | 300       | 290            |
            """,
            "endpoint_criterion": JUDGED,
            "scans": SCANS,
            "subsequent_therapies": "| subject_id | start_date |\n| Z | d0 |",
        },
        """
        | subject_id | time_days | event | cause       | competing_event | competing_days |
        | A          | 150       | yes   | progression | new_therapy     | 100            |
        | B          | 90        | no    | death_first | death           | 300            |
        """,
    )


def test_a_next_therapy_can_censor_overall_survival() -> None:
    """A is censored at the therapy, B died on its day and counts; of C's two the earlier censors."""
    check(
        only("OS"),
        {
            "milestones": """
                | subject_id | new_therapy_day | new_therapy_row_id | transplant_day | transplant_row_id | death_day | last_alive_day |
                | A          | 100             | st:1               |                |                   | 300       | 290            |
                | B          | 300             | st:2               |                |                   | 300       | 290            |
                | C          | 100             | st:3               | 90             | st:4              | 300       | 290            |
                | D          |                 |                    |                |                   | 300       | 290            |
            """,
            "contacts": CONTACTS,
        },
        """
        | subject_id | time_days | event | cause       | source_row_id |
        | A          | 100       | no    | new_therapy | st:1          |
        | B          | 300       | yes   | death       |               |
        | C          | 90        | no    | transplant  | st:4          |
        | D          | 300       | yes   | death       |               |
        """,
        SurvivalSettings(os_new_therapy="censor", os_transplant="censor"),
    )
