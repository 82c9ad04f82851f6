"""When a clock starts, what stops it, and which row of the registry says so."""

from schemas.settings import SurvivalSettings
from tests.support.pipe_tables import check
from transforms.time.endpoints import time_to_event
from transforms.time.milestones import last_alive, milestones

CONTACTS = "| subject_id | contact_date |\n| Z | d0 |"
"""A row of another patient: the site has delivered the table."""
JUDGED = "| criterion | judged |\n| WHO | yes |"
"""Response can be judged by WHO in enough of the treated."""

TREATED = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
"""


def test_whoever_left_a_dated_trace_was_alive_on_that_day() -> None:
    """The last day alive is the latest date in any table, never the date of the export.

    A death, and the end of a fatal event, are no evidence of life.
    Source: admiralonco, vignette Creating ADTTE (last known alive date).
    """
    check(
        last_alive,
        {
            "contacts": """
                | subject_id | contact_date | contact_type | vital_status |
                | A          | d100         | visit        | alive        |
                | A          | d400         | death        | dead         |
                | B          | d10          | phone        | alive        |
                | C          | d10          | phone        | alive        |
            """,
            "treatments": """
                | subject_id | treatment_date |
                | A          | d0             |
                | D          | d0             |
            """,
            "labs": """
                | subject_id | lab_date |
                | A          | d120     |
            """,
            "scans": """
                | subject_id | scan_date |
                | A          | d90       |
            """,
            "adverse_events": """
                | subject_id | onset_date | end_date | outcome  |
                | B          | d11        | d30      | resolved |
                | C          | d12        | d40      | fatal    |
            """,
            "recorded_responses": """
                | subject_id | response_date | response_class |
                | A          | d119          | SD             |
                | E          | d60           | SD             |
            """,
        },
        """
        | subject_id | last_alive_date | source_table   | source_column  | source_row_id    | imputed |
        | A          | d120            | labs           | lab_date       | labs:1           | no      |
        | B          | d30             | adverse_events | end_date       | adverse_events:1 | no      |
        | C          | d12             | adverse_events | onset_date     | adverse_events:2 | no      |
        | D          | d0              | treatments     | treatment_date | treatments:2     | no      |
        | E          | d60             | recorded_responses | response_date | recorded_responses:2 | no |
        """,
    )


def test_a_year_is_no_evidence_of_life_and_a_month_is_flagged() -> None:
    """A day imputed from the month counts; a date of which only the year is known does not.

    On the same day an exact date is preferred to an imputed one.
    """
    check(
        last_alive,
        {
            "contacts": """
                | subject_id | contact_date | contact_date_precision | vital_status |
                | A          | d50          | month                  | alive        |
                | B          | d50          | month                  | alive        |
                | C          | d50          | day                    | alive        |
            """,
            "medications": """
                | subject_id | start_date | start_date_precision |
                | A          | d900       | year                 |
                | B          | d50        | day                  |
            """,
        },
        """
        | subject_id | last_alive_date | imputed | source_row_id |
        | A          | d50             | yes     | contacts:1    |
        | B          | d50             | no      | medications:2 |
        | C          | d50             | no      | contacts:3    |
        """,
    )


def test_an_imputed_death_lies_never_before_the_last_day_alive_nor_before_treatment() -> None:
    """Only a death whose day was imputed from the month is moved; an exact one never is."""
    check(
        milestones,
        {
            "anchors": TREATED,
            "death_claims": """
                | subject_id | death_date | imputed | row_id     |
                | A          | d40        | yes     | contacts:1 |
                | B          | 2019-12-15 | yes     | contacts:2 |
                | C          | d40        | no      | contacts:3 |
            """,
            "last_alive": """
                | subject_id | last_alive_date |
                | A          | d47             |
                | B          | d0              |
                | C          | d0              |
            """,
        },
        """
        | subject_id | death_day | death_imputed | death_row_id |
        | A          | 47        | yes           | contacts:1   |
        | B          | 0         | yes           | contacts:2   |
        | C          | 40        | no            | contacts:3   |
        """,
    )


def test_who_is_silent_for_longer_than_the_setting_is_lost() -> None:
    """Silence is counted up to the last news of the same site, for no clock is read.

    The dead are not lost. Lost patients stay censored at their last news.
    """
    check(
        milestones,
        {
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d0      |
                | C          | d0      |
                | D          | d0      |
            """,
            "death_claims": """
                | subject_id | death_date | imputed |
                | D          | d20        | no      |
            """,
            "last_alive": """
                | subject_id | last_alive_date |
                | A          | d500            |
                | B          | d135            |
                | C          | d134            |
                | D          | d10             |
            """,
        },
        """
        | subject_id | last_alive_day | lost |
        | A          | 500            | no   |
        | B          | 135            | no   |
        | C          | 134            | yes  |
        | D          | 10             | no   |
        """,
        SurvivalSettings(lost_to_follow_up_days=365),
    )


def test_progression_is_hepatic_where_the_liver_is_progressive_by_itself() -> None:
    """The liver has a class of its own: growth of a node, or a new lesion elsewhere, is not in it.

    Source: Zuckerman 2019, PMC6351300 (hepatic progression reported apart).
    """
    check(
        milestones,
        {
            "anchors": """
                | subject_id | t0_date |
                | A          | d0      |
                | B          | d0      |
                | C          | d0      |
            """,
            "endpoint_criterion": JUDGED,
            "subject_assessments": """
                | subject_id | organ        | criterion | reader | rel_day | response |
                | A          | all          | WHO       | local  | 60      | PD       |
                | A          | liver        | WHO       | local  | 60      | SD       |
                | A          | extrahepatic | WHO       | local  | 60      | PD       |
                | A          | all          | WHO       | local  | 150     | PD       |
                | A          | liver        | WHO       | local  | 150     | PD       |
                | B          | all          | WHO       | local  | 60      | PD       |
                | B          | liver        | WHO       | local  | 60      | PD       |
                | C          | all          | WHO       | local  | 60      | PD       |
                | C          | liver        | WHO       | local  | 60      | PR       |
                | C          | liver        | EASL      | local  | 30      | PD       |
                | C          | liver        | WHO       | core   | 40      | PD       |
            """,
        },
        """
        | subject_id | progression_day | hepatic_progression_day |
        | A          | 60              | 150                     |
        | B          | 60              | 60                      |
        | C          | 60              |                         |
        """,
    )


def test_the_last_assessment_is_the_last_that_could_be_evaluated() -> None:
    """A scan that cannot be evaluated proves nothing; the last before a therapy includes its day."""
    check(
        milestones,
        {
            "anchors": TREATED,
            "subsequent_therapies": """
                | subject_id | therapy_class | start_date | start_date_precision |
                | A          | chemotherapy  | d90        | day                  |
                | A          | transplant    | d200       | day                  |
                | A          | other         | 2019-12-01 | day                  |
                | B          | prrt          | 2019-12-15 | month                |
            """,
            "endpoint_criterion": JUDGED,
            "subject_assessments": """
                | subject_id | criterion | reader | rel_day | response |
                | A          | WHO       | local  | 30      | SD       |
                | A          | WHO       | local  | 90      | SD       |
                | A          | WHO       | local  | 150     | PR       |
                | A          | WHO       | local  | 210     | NE       |
                | C          | WHO       | local  | 30      | NE       |
            """,
        },
        """
        | subject_id | last_assessment_day | last_before_therapy_day | new_therapy_day | new_therapy_imputed | transplant_day |
        | A          | 150                 | 90                      | 90              | no                  | 200            |
        | B          |                     |                         | 0               | yes                 |                |
        | C          |                     |                         |                 |                     |                |
        """,
    )


def test_the_assessment_before_a_progression_is_the_last_that_could_be_evaluated() -> None:
    """Day 60 could not be evaluated; on day 90 the disease grew outside the liver, on 180 inside."""
    check(
        milestones,
        {
            "anchors": "| subject_id | site_id | t0_date |\n| A | s1 | d0 |\n| B | s1 | d0 |",
            "endpoint_criterion": JUDGED,
            "subject_assessments": """
                | subject_id | organ | criterion | reader | rel_day | response |
                | A          | all   | WHO       | local  | 30      | SD       |
                | A          | liver | WHO       | local  | 30      | SD       |
                | A          | all   | WHO       | local  | 60      | NE       |
                | A          | liver | WHO       | local  | 60      | NE       |
                | A          | all   | WHO       | local  | 90      | PD       |
                | A          | liver | WHO       | local  | 90      | SD       |
                | A          | all   | WHO       | local  | 180     | PD       |
                | A          | liver | WHO       | local  | 180     | PD       |
                | B          | all   | WHO       | local  | 30      | PD       |
                | B          | liver | WHO       | local  | 30      | PD       |
            """,
        },
        """
        | subject_id | progression_day | last_before_progression_day | hepatic_progression_day | last_before_hepatic_progression_day |
        | A          | 90              | 30                          | 180                     | 90                                  |
        | B          | 30              |                             | 30                      |                                     |
        """,
    )


def test_overall_survival_ends_with_death_or_is_censored_at_the_last_day_alive() -> None:
    """Death of any cause, later therapy ignored; on the day of treatment the time is 0.

    Every row names the table, column and row that decided.
    Source: Memon 2012; plain differences, where admiral's default adds a day.
    """
    check(
        time_to_event,
        {
            "milestones": """
                | subject_id | death_day | death_row_id | last_alive_day | last_alive_table | last_alive_column | last_alive_row_id | new_therapy_day | lost |
                | A          | 400       | contacts:7   | 390            | labs             | lab_date          | labs:3            | 200             | no   |
                | B          |           |              | 500            | labs             | lab_date          | labs:4            |                 | yes  |
                | C          | 0         | contacts:8   | 0              | treatments       | treatment_date    | treatments:1      |                 | no   |
            """,
            "contacts": CONTACTS,
        },
        """
        | subject_id | endpoint | time_days | event | cause | reason             | source_table | source_column | source_row_id |
        | A          | OS       | 400       | yes   | death | subsequent therapy | contacts     | contact_date  | contacts:7    |
        | B          | OS       | 500       | no    | alive | lost to follow-up  | labs         | lab_date      | labs:4        |
        | C          | OS       | 0         | yes   | death | death on T0        | contacts     | contact_date  | contacts:8    |
        """,
    )


def test_imputed_dates_are_flagged_on_the_row_that_they_decide() -> None:
    """CDISC's imputation flag, in words."""
    check(
        time_to_event,
        {
            "milestones": """
                | subject_id | death_day | death_imputed | last_alive_day | last_alive_imputed |
                | A          | 0         | yes           | 0              | no                 |
                | B          |           |               | 50             | yes                |
                | C          | 40        | no            | 39             | yes                |
            """,
            "contacts": CONTACTS,
        },
        """
        | subject_id | endpoint | time_days | event | reason                          |
        | A          | OS       | 0         | yes   | death date imputed; death on T0 |
        | B          | OS       | 50        | no    | contact date imputed            |
        | C          | OS       | 40        | yes   |                                 |
        """,
    )


TRANSPLANTED = {
    "milestones": """
        | subject_id | death_day | last_alive_day | transplant_day | transplant_row_id | new_therapy_day |
        | A          | 400       | 390            | 100            | st:1              | 100             |
        | B          |           | 300            | 100            | st:2              | 100             |
        | C          | 100       | 90             | 100            | st:3              | 100             |
    """,
    "contacts": CONTACTS,
}


def test_a_transplant_is_flagged_and_otherwise_ignored() -> None:
    """Treatment policy: what happened after a transplant counts. On the last day it is flagged."""
    check(
        time_to_event,
        TRANSPLANTED,
        """
        | subject_id | endpoint | time_days | event | cause | reason                         |
        | A          | OS       | 400       | yes   | death | transplant; subsequent therapy |
        | B          | OS       | 300       | no    | alive | transplant; subsequent therapy |
        | C          | OS       | 100       | yes   | death | transplant                     |
        """,
    )


def test_a_setting_censors_survival_at_the_transplant() -> None:
    """A death on the day of the transplant remains a death."""
    check(
        time_to_event,
        TRANSPLANTED,
        """
        | subject_id | endpoint | time_days | event | cause      | source_table         | source_row_id |
        | A          | OS       | 100       | no    | transplant | subsequent_therapies | st:1          |
        | B          | OS       | 100       | no    | transplant | subsequent_therapies | st:2          |
        | C          | OS       | 100       | yes   | death      | contacts             |               |
        """,
        SurvivalSettings(os_transplant="censor"),
    )


def test_progression_or_death_whichever_is_first_ends_progression_free_survival() -> None:
    """On one day progression is named. Without either, the last evaluable assessment censors.

    Nobody is followed past the last assessment; without any, the time is 0. For the time to
    progression a death without it is censored there too, and marked as competing.
    Source: admiralonco, vignette Creating ADTTE.
    """
    check(
        time_to_event,
        {
            "anchors": TREATED,
            "milestones": """
                | subject_id | progression_day | hepatic_progression_day | death_day | last_assessment_day | last_in_window_day | last_alive_day | t0_row_id |
                | A          | 60              | 60                      | 400       | 60                  | 60                 | 390            | t:1       |
                | B          | 90              |                         | 90        | 90                  | 90                 | 90             | t:2       |
                | C          |                 |                         | 300       | 150                 | 150                | 290            | t:3       |
                | D          |                 |                         |           | 180                 | 180                | 500            | t:4       |
                | E          |                 |                         |           |                     |                    | 20             | t:5       |
            """,
            "contacts": CONTACTS,
            "endpoint_criterion": JUDGED,
            "scans": """
                | subject_id | scan_date | new_lesion |
                | A          | d60       | hepatic    |
                | B          | d90       | none       |
                | C          | d150      | none       |
            """,
        },
        """
        | subject_id | endpoint | time_days | event | cause             | competing | source_table | source_column  | source_row_id |
        | A          | OS       | 400       | yes   | death             | no        | contacts     | contact_date   |               |
        | A          | PFS      | 60        | yes   | progression       | no        | scans        | new_lesion     | scans:1       |
        | A          | HPFS     | 60        | yes   | hepatic_progression | no      | scans        | new_lesion     | scans:1       |
        | A          | TTP      | 60        | yes   | progression       | no        | scans        | new_lesion     | scans:1       |
        | A          | HTTP     | 60        | yes   | hepatic_progression | no      | scans        | new_lesion     | scans:1       |
        | A          | TTR      | 60        | no    | progression_first | yes       | scans        | scan_date      | scans:1       |
        | B          | OS       | 90        | yes   | death             | no        | contacts     | contact_date   |               |
        | B          | PFS      | 90        | yes   | progression       | no        | scans        | scan_date      | scans:2       |
        | B          | HPFS     | 90        | yes   | death             | no        | contacts     | contact_date   |               |
        | B          | TTP      | 90        | yes   | progression       | no        | scans        | scan_date      | scans:2       |
        | B          | HTTP     | 90        | no    | death_first       | yes       | scans        | scan_date      | scans:2       |
        | B          | TTR      | 90        | no    | progression_first | yes       | scans        | scan_date      | scans:2       |
        | C          | OS       | 300       | yes   | death             | no        | contacts     | contact_date   |               |
        | C          | PFS      | 300       | yes   | death             | no        | contacts     | contact_date   |               |
        | C          | HPFS     | 300       | yes   | death             | no        | contacts     | contact_date   |               |
        | C          | TTP      | 150       | no    | death_first       | yes       | scans        | scan_date      | scans:3       |
        | C          | HTTP     | 150       | no    | death_first       | yes       | scans        | scan_date      | scans:3       |
        | C          | TTR      | 150       | no    | death_first       | yes       | scans        | scan_date      | scans:3       |
        | D          | OS       | 500       | no    | alive             | no        |              |                |               |
        | D          | PFS      | 180       | no    | last_assessment   | no        | scans        | scan_date      |               |
        | D          | HPFS     | 180       | no    | last_assessment   | no        | scans        | scan_date      |               |
        | D          | TTP      | 180       | no    | last_assessment   | no        | scans        | scan_date      |               |
        | D          | HTTP     | 180       | no    | last_assessment   | no        | scans        | scan_date      |               |
        | D          | TTR      | 180       | no    | last_assessment   | no        | scans        | scan_date      |               |
        | E          | OS       | 20        | no    | alive             | no        |              |                |               |
        | E          | PFS      | 0         | no    | no_assessment     | no        | treatments   | treatment_date | t:5           |
        | E          | HPFS     | 0         | no    | no_assessment     | no        | treatments   | treatment_date | t:5           |
        | E          | TTP      | 0         | no    | no_assessment     | no        | treatments   | treatment_date | t:5           |
        | E          | HTTP     | 0         | no    | no_assessment     | no        | treatments   | treatment_date | t:5           |
        | E          | TTR      | 0         | no    | no_assessment     | no        | treatments   | treatment_date | t:5           |
        """,
    )
