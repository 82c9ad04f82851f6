"""Responses as recorded: which classes count, the best one, those at fixed times, and agreement.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.4 (best response is
the best one up to progression); Cohen 1960, Educ Psychol Meas 20:37; exact limits by Clopper and
Pearson 1934.
"""

import pytest

from analytics.classes.recorded import (
    recorded_agreement,
    recorded_agreement_sets,
    recorded_kappa,
    recorded_kappa_sets,
    recorded_response_summary,
    recorded_response_summary_sets,
)
from schemas.contract import Table
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import RecordedResponse, RecordedResponseAtWindow
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import SubjectResponse
from schemas.tables.outcomes.recorded import RecordedKappa, RecordedResponseSummary
from tests.support.pipe_tables import check, run
from transforms.classes.recorded import (
    recorded_assessments,
    recorded_response,
    recorded_response_at_window,
)


def _treated(names: str, site: str = "s1") -> str:
    return "\n".join(
        ["| subject_id | site_id | t0_date |", *(f"| {n} | {site} | d0 |" for n in names)]
    )


def test_a_class_counts_after_treatment_up_to_progression_and_other_treatment() -> None:
    """On the day of treatment it is no response; the liver has a row where its class is recorded.

    A's first recorded PD is on day 120, B's therapy began on day 100; each reader has a series of
    his own. A class recorded without a criterion stands under `unspecified`.
    """
    check(
        recorded_assessments,
        {
            "recorded_responses": """
                | subject_id | response_date | criterion   | reader  | response_class | liver_class | source  |
                | A          | d0            | RECIST 1.1  | local   | PR             |             | report  |
                | A          | d1            | RECIST 1.1  | local   | NE             |             | report  |
                | A          | d60           | RECIST 1.1  | local   | SD             | PR          | report  |
                | A          | d120          | RECIST 1.1  | local   | PD             | PR          | report  |
                | A          | d121          | RECIST 1.1  | local   | SD             | PR          | report  |
                | A          | d121          | RECIST 1.1  | central | SD             |             | central |
                | B          | d100          | unspecified | local   | SD             |             |         |
                | B          | d101          | unspecified | local   | CR             |             |         |
                | Z          | d60           | RECIST 1.1  | local   | PR             |             |         |
            """,
            "anchors": _treated("AB"),
            "subsequent_therapies": "| subject_id | start_date |\n| B | d100 |",
        },
        """
        | subject_id | criterion   | organ | reader  | rel_day | response | source  | rule           | in_window | source_row_id        |
        | A          | RECIST 1.1  | all   | local   | 1       | NE       | report  | recorded_as_ne | yes       | recorded_responses:2 |
        | A          | RECIST 1.1  | all   | local   | 60      | SD       | report  | recorded       | yes       | recorded_responses:3 |
        | A          | RECIST 1.1  | all   | local   | 120     | PD       | report  | recorded       | yes       | recorded_responses:4 |
        | A          | RECIST 1.1  | all   | local   | 121     | SD       | report  | recorded       | no        | recorded_responses:5 |
        | A          | RECIST 1.1  | all   | central | 121     | SD       | central | recorded       | yes       | recorded_responses:6 |
        | A          | RECIST 1.1  | liver | local   | 60      | PR       | report  | recorded       | yes       | recorded_responses:3 |
        | A          | RECIST 1.1  | liver | local   | 120     | PR       | report  | recorded       | yes       | recorded_responses:4 |
        | A          | RECIST 1.1  | liver | local   | 121     | PR       | report  | recorded       | yes       | recorded_responses:5 |
        | B          | unspecified | all   | local   | 100     | SD       |         | recorded       | yes       | recorded_responses:7 |
        | B          | unspecified | all   | local   | 101     | CR       |         | recorded       | no        | recorded_responses:8 |
        """,
    )


RECORDED = """
    | subject_id | criterion | reader  | rel_day | response | rule           | in_window |
    | A          | WHO       | local   | 30      | SD       | recorded       | yes       |
    | A          | WHO       | local   | 90      | PR       | recorded       | yes       |
    | A          | WHO       | local   | 200     | PD       | recorded       | yes       |
    | A          | WHO       | local   | 230     | CR       | recorded       | no        |
    | B          | WHO       | local   | 41      | SD       | recorded       | yes       |
    | C          | WHO       | local   | 90      | NE       | recorded_as_ne | yes       |
    | D          | WHO       | local   | 90      | PR       | recorded       | no        |
    | D          | WHO       | local   | 150     | PD       | recorded       | no        |
    | E          | WHO       | central | 90      | CR       | recorded       | yes       |
    | F          | WHO       | local   | 42      | SD       | recorded       | yes       |
    | G          | WHO       | local   | 40      | PD       | recorded       | yes       |
"""


def test_the_best_recorded_class_is_the_best_one_in_the_window() -> None:
    """Of the registry's reader; stable disease counts from the minimum day on, here day 42.

    E has classes of another reader only and is not evaluable, as is everyone treated at a site that
    records the criterion. H is treated where nothing is recorded and is in no denominator.
    Progression is dated whether it lies in the window or not.
    """
    check(
        recorded_response,
        {
            "recorded_assessments": RECORDED,
            "anchors": _treated("ABCDEFG") + "\n| H | s2 | d0 |",
        },
        """
        | subject_id | criterion | organ | best_response | best_response_day | first_response_day | progression_day | last_evaluable_day | evaluable | reason                      |
        | A          | WHO       | all   | PR            | 90                | 90                 | 200             | 200                | yes       |                             |
        | B          | WHO       | all   | NE            |                   |                    |                 | 41                 | yes       | only_before_the_minimum_day |
        | C          | WHO       | all   | NE            |                   |                    |                 |                    | no        | recorded_as_ne              |
        | D          | WHO       | all   | NE            |                   |                    | 150             |                    | no        | window_closed               |
        | E          | WHO       | all   | NE            |                   |                    |                 |                    | no        | no_class_recorded           |
        | F          | WHO       | all   | SD            | 42                |                    |                 | 42                 | yes       |                             |
        | G          | WHO       | all   | PD            | 40                |                    | 40              | 40                 | yes       |                             |
        """,
        ResponseSettings(sd_min_days=42),
    )


def test_another_reader_can_count() -> None:
    """The setting names who; E alone has a class of the central reader, A has none."""
    found = run(
        recorded_response,
        {"recorded_assessments": RECORDED, "anchors": _treated("AE")},
        ResponseSettings(recorded_reader="central"),
    )
    assert {(r["subject_id"], r["best_response"], r["reason"]) for r in found} == {
        ("A", "NE", "no_class_recorded"),
        ("E", "CR", None),
    }


def at_91_days(
    recorded_response: Table[RecordedResponse],
    recorded_response_at_window: Table[RecordedResponseAtWindow],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[RecordedResponseSummary]:
    """Shares of patients as a whole by WHO at 91 days."""
    found = recorded_response_summary(
        recorded_response, recorded_response_at_window, population_members, settings=settings
    )
    return found.filter((found.criterion == "WHO") & (found.at_days == 91))


def test_the_class_at_a_time_point_follows_the_rules_of_the_derived_one() -> None:
    """Nearest by days, of two as near the earlier; progression stays; else the reason of none.

    A: days 80 and 102 are 11 from 91. B was progressive on day 40. C's only class near is NE. D
    died on day 50, E had other therapy on day 30, F was last heard of on day 40, G lives on.
    """
    recorded = """
        | subject_id | criterion | reader | rel_day | response | rule           | in_window |
        | A          | WHO       | local  | 80      | PR       | recorded       | yes       |
        | A          | WHO       | local  | 102     | SD       | recorded       | yes       |
        | B          | WHO       | local  | 40      | PD       | recorded       | yes       |
        | C          | WHO       | local  | 91      | NE       | recorded_as_ne | yes       |
        | E          | WHO       | local  | 91      | PR       | recorded       | no        |
        | G          | WHO       | local  | 60      | SD       | recorded       | yes       |
        | G          | WHO       | local  | 123     | SD       | recorded       | yes       |
    """
    best = "| subject_id | criterion |\n" + "\n".join(f"| {n} | WHO |" for n in "ABCDEFG")
    check(
        recorded_response_at_window,
        {
            "recorded_response": best,
            "recorded_assessments": recorded,
            "anchors": _treated("ABCDEFG"),
            "subsequent_therapies": "| subject_id | start_date |\n| E | d30 |",
            "death_claims": "| subject_id | death_date |\n| D | d50 |",
            "last_alive": "| subject_id | last_alive_date |\n| F | d40 |\n| G | d400 |",
        },
        """
        | subject_id | criterion | organ | at_days | response | assessment_day | evaluable | reason                |
        | A          | WHO       | all   | 91      | PR       | 80             | yes       |                       |
        | B          | WHO       | all   | 91      | PD       | 40             | yes       |                       |
        | C          | WHO       | all   | 91      | NE       | 91             | no        | recorded_as_ne        |
        | D          | WHO       | all   | 91      | NE       |                | no        | died_before_it        |
        | E          | WHO       | all   | 91      | NE       |                | no        | window_closed         |
        | F          | WHO       | all   | 91      | NE       |                | no        | not_followed_to_it    |
        | G          | WHO       | all   | 91      | NE       |                | no        | no_assessment_near_it |
        """,
        ResponseSettings(windows=((61, 91, 122),)),
    )


CLASSES = """
    | subject_id | criterion | organ | at_days | response | evaluable |
    | A          | WHO       | all   | 91      | PR       | yes       |
    | B          | WHO       | all   | 91      | SD       | yes       |
    | C          | WHO       | all   | 91      | NE       | no        |
    | D          | WHO       | all   | 91      | PD       | yes       |
"""
FOUR = "| population | subject_id |" + "".join(f"\n| all | {n} |" for n in "ABCD")


def test_both_denominators_of_recorded_classes_are_published() -> None:
    """Of four, one is not evaluable: a quarter of all is a third of the evaluable."""
    check(
        at_91_days,
        {"recorded_response_at_window": CLASSES, "population_members": FOUR},
        """
        | category | n | total | n_evaluable | pct | lower       | upper      | pct_evaluable | reason |
        | CR       | 0 | 4     | 3           | 0   | 0           | 60.2364636 | 0             |        |
        | PR       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550 | 33.3333333    |        |
        | SD       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550 | 33.3333333    |        |
        | PD       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550 | 33.3333333    |        |
        | NE       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550 |               |        |
        | ORR      | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550 | 33.3333333    |        |
        | DCR      | 2 | 4     | 3           | 50  | 6.75859865  | 93.2414014 | 66.6666667    |        |
        """,
    )
    check(
        recorded_response_summary_sets,
        {
            "recorded_response_at_window": CLASSES,
            "recorded_response": "| subject_id | criterion | best_response |\n| B | WHO | PR |",
        },
        """
        | set_id                                  | subject_id | lesion_number |
        | recorded_response_summary.who.all.0.pr  | B          | 0             |
        | recorded_response_summary.who.all.91.pr | A          | 0             |
        | recorded_response_summary.who.all.91.sd | B          | 0             |
        | recorded_response_summary.who.all.91.ne | C          | 0             |
        | recorded_response_summary.who.all.91.pd | D          | 0             |
        """,
    )


def test_where_nothing_is_recorded_every_number_says_so() -> None:
    """No share is nought; agreement has no cell and no coefficient."""
    members = {"population_members": FOUR}
    shares = run(recorded_response_summary, members)
    assert len(shares) == 5 * 3 * 7  # criteria with `unspecified`, best and two times, categories
    kappas = run(recorded_kappa, members)
    assert len(kappas) == 4 * 2
    assert {(r["n"], r["reason"]) for r in (*shares, *kappas)} == {
        (0, "no recorded response delivered")
    }
    assert {r["pct"] for r in shares} | {r["kappa"] for r in kappas} == {None}
    assert run(recorded_agreement, members) == []


BOTH = {
    "recorded_response": """
        | subject_id | criterion   | best_response |
        | A          | WHO         | PR            |
        | B          | WHO         | SD            |
        | C          | WHO         | PD            |
        | D          | WHO         | NE            |
        | E          | WHO         | PD            |
        | F          | WHO         | PR            |
        | A          | unspecified | PR            |
    """,
    "subject_response": """
        | subject_id | criterion | organ | confirmation | best_response |
        | A          | WHO       | all   | unconfirmed  | PR            |
        | A          | WHO       | all   | confirmed    | SD            |
        | A          | WHO       | liver | unconfirmed  | CR            |
        | B          | WHO       | all   | unconfirmed  | SD            |
        | C          | WHO       | all   | unconfirmed  | SD            |
        | D          | WHO       | all   | unconfirmed  | PR            |
        | E          | WHO       | all   | unconfirmed  | NON-CR/NON-PD |
    """,
}


def by_who(
    recorded_response: Table[RecordedResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
) -> Table[RecordedKappa]:
    """Agreement under WHO."""
    found = recorded_kappa(recorded_response, subject_response, population_members)
    return found.filter(found.criterion == "WHO")


def test_recorded_and_derived_best_responses_agree_beyond_chance() -> None:
    """A and B agree, C does not, D and E are outside CR to PD by one of the two, F has no derived.

    Shares: PR, SD, PD are 1/3 each as recorded, 1/3 PR and 2/3 SD derived: po is 2/3, pe 1/3, kappa
    1/2. With linear weights neighbours count 2/3: po 8/9, pe 20/27, kappa 4/7.
    """
    six = {"population_members": FOUR + "\n| all | E |\n| all | F |"}
    check(
        by_who,
        BOTH | six,
        """
        | organ | coefficient  | n | agreed | kappa       | reason | method                         |
        | all   | cohen        | 3 | 2      | 0.5         |        | Fleiss, Cohen and Everitt 1969 |
        | all   | cohen_linear | 3 | 2      | 0.571428571 |        | Fleiss, Cohen and Everitt 1969 |
        """,
    )
    check(
        recorded_agreement,
        BOTH | six,
        """
        | population | criterion | organ | recorded | derived       | n |
        | all        | WHO       | all   | NE       | PR            | 1 |
        | all        | WHO       | all   | PD       | NON-CR/NON-PD | 1 |
        | all        | WHO       | all   | PD       | SD            | 1 |
        | all        | WHO       | all   | PR       | PR            | 1 |
        | all        | WHO       | all   | SD       | SD            | 1 |
        """,
    )
    check(
        recorded_kappa_sets,
        BOTH,
        """
        | set_id                 | subject_id | lesion_number |
        | recorded_kappa.who.all | A          | 0             |
        | recorded_kappa.who.all | B          | 0             |
        """,
    )
    check(
        recorded_agreement_sets,
        BOTH,
        """
        | set_id                                      | subject_id | lesion_number |
        | recorded_agreement.who.all.pr.pr            | A          | 0             |
        | recorded_agreement.who.all.sd.sd            | B          | 0             |
        | recorded_agreement.who.all.pd.sd            | C          | 0             |
        | recorded_agreement.who.all.ne.pr            | D          | 0             |
        | recorded_agreement.who.all.pd.non-cr_non-pd | E          | 0             |
        """,
    )


def test_a_recorded_criterion_without_a_derived_response_has_no_coefficient() -> None:
    """The centre records RECIST 1.1 and delivers no diameter."""
    recorded = "| subject_id | criterion | best_response |\n| A | RECIST 1.1 | PR |"
    found = run(recorded_kappa, {"recorded_response": recorded, "population_members": FOUR})
    assert {r["reason"] for r in found if r["criterion"] == "RECIST 1.1"} == {
        "no derived response beside a recorded one"
    }
    assert {r["reason"] for r in found if r["criterion"] == "WHO"} == {
        "no recorded response delivered"
    }


@pytest.mark.parametrize("category", ["ORR", "DCR"])
def test_a_union_of_recorded_classes_lists_nobody_twice(category: str) -> None:
    """Its members are those of its classes: it has no set of its own."""
    sets = run(recorded_response_summary_sets, {"recorded_response_at_window": CLASSES})
    assert not [s for s in sets if s["set_id"].endswith(category.lower())]
