"""By which criterion the endpoints judge response, and what is published where it judges too few."""

import functools
from typing import Any

import ibis.expr.types as ir
import pytest

from analytics.doses.dosimetry import dosimetry_summary
from analytics.outcomes.incidence import cumulative_incidence
from analytics.outcomes.survival import survival_medians
from analytics.summary import as_chosen, statistics
from schemas.contract import rows
from schemas.settings import OutcomeSettings, SurvivalSettings
from schemas.tables.outcomes import SurvivalMedians
from tests.support.pipe_tables import check
from transforms.time.endpoint_criterion import endpoint_criterion
from transforms.time.endpoints import time_to_event
from warehouse.building.definitions import Defining
from warehouse.engine.lineage import derivations, upstream
from warehouse.engine.setting_reads import reads_of

FOUR = """
    | subject_id | site_id | t0_date |
    | A          | north   | d0      |
    | B          | north   | d0      |
    | C          | north   | d0      |
    | D          | north   | d0      |
"""
SCANNED = "| subject_id | site_id | scan_date |\n| A | north | d90 |"
LONGEST_DIAMETERS = """
    | subject_id | criterion  | confirmation | evaluable |
    | A          | WHO        | unconfirmed  | no        |
    | B          | WHO        | unconfirmed  | no        |
    | C          | WHO        | unconfirmed  | no        |
    | D          | WHO        | unconfirmed  | no        |
    | A          | RECIST 1.1 | unconfirmed  | yes       |
    | A          | RECIST 1.1 | confirmed    | yes       |
    | B          | RECIST 1.1 | unconfirmed  | yes       |
    | C          | RECIST 1.1 | unconfirmed  | yes       |
    | D          | RECIST 1.1 | unconfirmed  | no        |
"""
NOBODY = "| criterion | n_treated | n_evaluable | judged |\n| WHO | 4 | 0 | no |"


def only(derivation: Any, **values: str) -> Any:
    """The derivation, showing the rows with these values."""

    @functools.wraps(derivation)
    def chosen(**arguments: Any) -> ir.Table:
        table = derivation(**arguments)
        return table.filter(*(table[name] == value for name, value in values.items()))

    return chosen


def test_who_cannot_judge_a_registry_with_longest_diameters_only() -> None:
    """No product of diameters, nobody evaluable: the endpoints by WHO are not derivable."""
    check(
        endpoint_criterion,
        {"anchors": FOUR, "scans": SCANNED, "subject_response": LONGEST_DIAMETERS},
        """
        | criterion | n_treated | n_evaluable | judged |
        | WHO       | 4         | 0           | no     |
        """,
    )


def test_auto_takes_the_first_criterion_of_the_list_that_judges_enough() -> None:
    """WHO judges nobody, RECIST 1.1 three of four: it is taken, for this release."""
    check(
        endpoint_criterion,
        {"anchors": FOUR, "scans": SCANNED, "subject_response": LONGEST_DIAMETERS},
        """
        | criterion  | n_treated | n_evaluable | judged |
        | RECIST 1.1 | 4         | 3           | yes    |
        """,
        SurvivalSettings(endpoint_criterion="auto"),
    )


def test_auto_asks_in_the_order_of_the_registry() -> None:
    """Both judge enough: the first named is taken, and not the one that judges more."""
    check(
        endpoint_criterion,
        {
            "anchors": FOUR,
            "scans": SCANNED,
            "subject_response": """
                | subject_id | criterion | confirmation | evaluable |
                | A          | WHO       | unconfirmed  | yes       |
                | B          | WHO       | unconfirmed  | yes       |
                | C          | WHO       | unconfirmed  | yes       |
                | A          | EASL      | unconfirmed  | yes       |
                | B          | EASL      | unconfirmed  | yes       |
            """,
        },
        """
        | criterion | n_treated | n_evaluable | judged |
        | EASL      | 4         | 2           | yes    |
        """,
        SurvivalSettings(endpoint_criterion="auto", endpoint_criteria=("EASL", "WHO")),
    )


def test_exactly_the_least_share_of_the_treated_is_enough() -> None:
    """Two of four reach one half. Outside the liver and confirmed, nobody is counted twice."""
    check(
        endpoint_criterion,
        {
            "anchors": FOUR,
            "scans": SCANNED,
            "subject_response": """
                | subject_id | organ        | criterion | confirmation | evaluable |
                | A          | all          | WHO       | unconfirmed  | yes       |
                | A          | liver        | WHO       | unconfirmed  | yes       |
                | A          | extrahepatic | WHO       | unconfirmed  | yes       |
                | B          | all          | WHO       | unconfirmed  | yes       |
                | B          | all          | WHO       | confirmed    | yes       |
                | C          | all          | WHO       | unconfirmed  | no        |
                | C          | liver        | WHO       | unconfirmed  | yes       |
            """,
        },
        """
        | criterion | n_treated | n_evaluable | judged |
        | WHO       | 4         | 2           | yes    |
        """,
    )


@pytest.mark.parametrize(("share", "judged"), [(0.6, "no"), (0.4, "yes")])
def test_shares_are_compared_in_whole_numbers(share: float, judged: str) -> None:
    """Two of five are 0.4 of them, though five times 0.4 need not be 2 in floating point."""
    check(
        endpoint_criterion,
        {
            "anchors": FOUR + "    | E | north | d0 |\n",
            "scans": SCANNED,
            "subject_response": """
                | subject_id | criterion | confirmation | evaluable |
                | A          | WHO       | unconfirmed  | yes       |
                | B          | WHO       | unconfirmed  | yes       |
            """,
        },
        f"""
        | criterion | n_treated | n_evaluable | judged   |
        | WHO       | 5         | 2           | {judged} |
        """,
        SurvivalSettings(endpoint_min_evaluable=share),
    )


def test_where_no_criterion_judges_enough_the_first_is_named() -> None:
    """One of four by mRECIST is too few: nothing that rests on response is derivable."""
    check(
        endpoint_criterion,
        {
            "anchors": FOUR,
            "scans": SCANNED,
            "subject_response": """
                | subject_id | criterion | confirmation | evaluable |
                | A          | mRECIST   | unconfirmed  | yes       |
            """,
        },
        """
        | criterion | n_treated | n_evaluable | judged |
        | WHO       | 4         | 0           | no     |
        """,
        SurvivalSettings(endpoint_criterion="auto"),
    )


def test_sites_without_scans_do_not_count_and_without_any_nothing_is_judged() -> None:
    """The south delivers survival alone: its patients are in no endpoint that needs scans."""
    treated = FOUR + "    | S | south | d0 |\n    | T | south | d0 |\n"
    evaluable = """
        | subject_id | criterion | confirmation | evaluable |
        | A          | WHO       | unconfirmed  | yes       |
        | B          | WHO       | unconfirmed  | yes       |
    """
    check(
        endpoint_criterion,
        {"anchors": treated, "scans": SCANNED, "subject_response": evaluable},
        """
        | criterion | n_treated | n_evaluable | judged |
        | WHO       | 4         | 2           | yes    |
        """,
    )
    check(
        endpoint_criterion,
        {"anchors": treated},
        """
        | criterion | n_treated | n_evaluable | judged |
        | WHO       | 0         | 0           | no     |
        """,
    )


UNJUDGED = {
    "anchors": "| subject_id | site_id | t0_date |\n| A | north | d0 |\n| B | north | d0 |",
    "milestones": """
        | subject_id | site_id | death_day | last_alive_day | last_assessment_day |
        | A          | north   | 400       | 390            |                     |
        | B          | north   |           | 500            |                     |
    """,
    "contacts": "| subject_id | site_id | contact_date |\n| A | north | d0 |",
    "scans": SCANNED,
    "endpoint_criterion": NOBODY,
    "reported_endpoints": """
        | subject_id | site_id | endpoint | time | time_unit | event | starts_at |
        | B          | north   | PFS      | 10   | months    | yes   | T0        |
    """,
}


def test_deaths_alone_make_no_progression_free_survival() -> None:
    """Where response cannot be judged only survival is left: no patient is censored on day 0.

    A printed time that starts at T0 is used, for the endpoint is not derivable.
    """
    check(
        time_to_event,
        UNJUDGED,
        """
        | subject_id | endpoint | time_days | event | origin   |
        | A          | OS       | 400       | yes   | derived  |
        | B          | OS       | 500       | no    | derived  |
        | B          | PFS      | 304.375   | yes   | reported |
        """,
    )


def test_the_endpoints_follow_the_criterion_that_was_chosen() -> None:
    """By RECIST 1.1 the lesion responds on day 90; what WHO says of it is not read."""
    check(
        only(time_to_event, endpoint="TTRL"),
        {
            "anchors": "| subject_id | site_id | t0_date |\n| A | north | d0 |",
            "milestones": "| subject_id | site_id | last_alive_day |\n| A | north | 500 |",
            "subject_lesions": "| subject_id | lesion_number |\n| A | 1 |",
            "scans": SCANNED,
            "endpoint_criterion": "| criterion | judged |\n| RECIST 1.1 | yes |",
            "lesion_response": """
                | subject_id | lesion_number | criterion  | confirmation | first_response_day |
                | A          | 1             | WHO        | unconfirmed  | 30                 |
                | A          | 1             | RECIST 1.1 | unconfirmed  | 90                 |
            """,
            "lesion_assessments": """
                | subject_id | lesion_number | criterion  | reader | rel_day | source_row_ids |
                | A          | 1             | WHO        | local  | 90      | m:1            |
                | A          | 1             | RECIST 1.1 | local  | 90      | m:2            |
            """,
        },
        """
        | subject_id | lesion_number | time_days | event | source_row_id |
        | A          | 1             | 90        | yes   | m:2           |
        """,
    )


EVERYONE = "| population | subject_id |\n| all | A |"
REASON = "not derivable: too few evaluable by WHO: 0 of 4 treated, 4 not evaluable"


def test_what_rests_on_response_is_published_with_the_reason() -> None:
    """Survival needs no response; the next therapy needs a table that was not delivered."""
    check(
        only(survival_medians, rule="midpoint"),
        {
            "population_members": EVERYONE,
            "endpoint_criterion": NOBODY,
            "event_counts": """
                | population | endpoint | level   | time_days | events | censored |
                | all        | OS       | subject | 61        | 1      | 0        |
            """,
        },
        f"""
        | endpoint | level   | n | median_months | reason                                                 |
        | OS       | subject | 1 | 2.00410677618 |                                                        |
        | PFS      | subject | 0 |               | {REASON} |
        | HPFS     | subject | 0 |               | {REASON} |
        | TTP      | subject | 0 |               | {REASON} |
        | HTTP     | subject | 0 |               | {REASON} |
        | TTR      | subject | 0 |               | {REASON} |
        | TTRL     | lesion  | 0 |               | {REASON} |
        | DOR      | subject | 0 |               | {REASON} |
        | TTNT     | subject | 0 |               | not derivable: needs contacts and subsequent_therapies |
        | TTF      | subject | 0 |               | {REASON} |
        | PFSREC   | subject | 0 |               | not derivable: needs contacts and recorded_responses |
        | TTPREC   | subject | 0 |               | not derivable: needs recorded_responses |
        | TTPNT    | subject | 0 |               | {REASON} |
        """,
    )
    check(
        only(cumulative_incidence, endpoint="TTR", cause="response"),
        {"population_members": EVERYONE, "endpoint_criterion": NOBODY},
        f"""
        | endpoint | months | n | incidence | reason   |
        | TTR      | 12     | 0 |           | {REASON} |
        """,
        SurvivalSettings(landmarks_months=(12,)),
    )


def test_doses_by_response_are_by_the_same_criterion_or_not_derivable() -> None:
    """By RECIST 1.1 the groups say so; where nobody can be judged nobody is called a responder."""
    given = {
        "population_members": EVERYONE,
        "treatment_targets": """
            | subject_id | session_number | target_number | activity_gbq |
            | A          | 1              | 1             | 3            |
        """,
        "subject_response": """
            | subject_id | criterion  | confirmation | best_response | evaluable |
            | A          | WHO        | unconfirmed  | NE            | no        |
            | A          | RECIST 1.1 | unconfirmed  | PR            | yes       |
        """,
    }
    chosen = "| criterion | n_treated | n_evaluable | judged |\n| RECIST 1.1 | 1 | 1 | yes |"
    by_response = only(dosimetry_summary, measure="activity_gbq", grain="subject")
    graded = """
        |                          | 1 | 3 |  |
        | bilirubin:grade_0_to_2   | 0 |   | no subject with a known value |
        | bilirubin:grade_3_or_4   | 0 |   | no subject with a known value |
        | bilirubin:not_graded     | 1 | 3 |  |
    """
    check(
        by_response,
        given | {"endpoint_criterion": chosen},
        f"""
        | patient_group            | n | median | reason |
        | recist_1_1:responder     | 1 | 3 |  |
        | recist_1_1:non_responder | 0 |   | no subject with a known value |
        | recist_1_1:not_evaluable | 0 |   | no subject with a known value |
        {graded.strip()}
        """,
    )
    check(
        by_response,
        given | {"endpoint_criterion": NOBODY},
        f"""
        | patient_group     | n | median | reason |
        | who:responder     | 0 |   | {REASON} |
        | who:non_responder | 0 |   | {REASON} |
        | who:not_evaluable | 0 |   | {REASON} |
        {graded.strip()}
        """,
    )


def test_another_choice_defines_the_numbers_anew_and_stands_in_their_method() -> None:
    """Under `auto` two releases can choose differently: the same number is then another one."""
    median = {
        "statistic_id": "survival_medians.all.pfs.subject.overall.overall.midpoint",
        "population": "all",
        "level": "subject",
        "factor": "",
        "factor_level": "",
        "rule": "midpoint",
        "n": 4,
        "n_reported": 0,
        "events": 2,
        "median_months": 12.0,
        "not_reached": False,
    }
    table = rows([median | {"endpoint": e} for e in ("PFS", "OS")], SurvivalMedians)
    auto = OutcomeSettings(survival=SurvivalSettings(endpoint_criterion="auto"))
    reads = {
        name: reads_of(derivations()[name].function)
        for name in upstream("survival_medians")
        if name in derivations()
    }
    named = {
        criterion: statistics(
            {SurvivalMedians: table}, Defining(as_chosen(auto, criterion), reads), criterion
        )
        .to_pyarrow()
        .to_pylist()
        for criterion in ("WHO", "RECIST 1.1")
    }
    (who, survival), (recist, same) = named["WHO"], named["RECIST 1.1"]
    assert who["definition"] != recist["definition"]
    assert survival["definition"] == same["definition"]
    assert who["method"] == "Kaplan-Meier, response by WHO"
    assert recist["method"] == "Kaplan-Meier, response by RECIST 1.1"
    assert survival["method"] == "Kaplan-Meier"
