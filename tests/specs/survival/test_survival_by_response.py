"""Survival by response: who is in which group from when, and what R finds.

Expected values of the Stanford heart transplants (R's `jasa`, a transplant standing for a response)
are those of R 4.2.2, survival 3.5-3: warehouse/concordance/r/by_response.R made by_response.json.

Source: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719; Crowley and Hu, J Am Stat Assoc
1977;72:27-36.
"""

import csv
import json
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.classes.survival_by_response import (
    CAUTION,
    survival_by_response,
    survival_by_response_sets,
)
from schemas.contract import Table, empty
from schemas.settings import ResponseSettings, SurvivalSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import SubjectAssessments, SubjectResponse, TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.by_response import SurvivalByResponse
from tests.support.pipe_tables import check, run
from warehouse.concordance.answers import R_ANSWERS as FROM_R

R = json.loads((FROM_R / "by_response.json").read_text())
DAYS_PER_MONTH = 30.4375
AT_91 = SurvivalSettings(response_landmarks_days=(91,))


def of_who(
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    time_to_event: Table[TimeToEvent],
    population_members: Table[PopulationMembers],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
) -> Table[SurvivalByResponse]:
    """Survival by response under WHO, in groups of somebody."""
    found = survival_by_response(
        subject_assessments,
        subject_response,
        time_to_event,
        population_members,
        counted_readers,
        settings=settings,
        response=response,
    )
    return found.filter((found.criterion == "WHO") & (found.n > 0))


ASSESSED = """
    | subject_id | criterion | organ | reader  | rel_day | response | in_window |
    | A          | WHO       | all   | local   | 30      | SD       | yes       |
    | A          | WHO       | all   | local   | 91      | PR       | yes       |
    | A          | WHO       | all   | local   | 92      | CR       | yes       |
    | B          | WHO       | all   | local   | 30      | SD       | yes       |
    | B          | WHO       | all   | local   | 92      | PR       | yes       |
    | C          | WHO       | all   | local   | 30      | PR       | yes       |
    | C          | WHO       | all   | local   | 60      | PD       | yes       |
    | D          | WHO       | all   | local   | 30      | NE       | yes       |
    | D          | WHO       | all   | central | 30      | CR       | yes       |
    | E          | WHO       | all   | local   | 30      | PR       | yes       |
    | F          | WHO       | all   | local   | 30      | SD       | yes       |
    | G          | WHO       | all   | local   | 30      | PR       | no        |
"""
BEST = """
    | subject_id | criterion | confirmation | organ | best_response | first_response_day |
    | A          | WHO       | unconfirmed  | all   | CR            | 91                 |
    | B          | WHO       | unconfirmed  | all   | PR            | 92                 |
    | C          | WHO       | unconfirmed  | all   | PR            | 30                 |
    | D          | WHO       | unconfirmed  | all   | NE            |                    |
    | E          | WHO       | unconfirmed  | all   | PR            | 30                 |
    | F          | WHO       | unconfirmed  | all   | SD            |                    |
    | G          | WHO       | unconfirmed  | all   | NE            |                    |
"""
TIMES = """
    | subject_id | lesion_number | endpoint | time_days | event |
    | A          | 0             | OS       | 400       | yes   |
    | B          | 0             | OS       | 300       | yes   |
    | C          | 0             | OS       | 200       | no    |
    | D          | 0             | OS       | 150       | yes   |
    | E          | 0             | OS       | 91        | yes   |
    | F          | 0             | OS       | 91        | no    |
    | G          | 0             | OS       | 92        | yes   |
    | A          | 0             | PFS      | 10        | yes   |
"""
EVERYONE = "| population | subject_id |" + "".join(f"\n| all | {n} |" for n in "ABCDEFG")


def test_a_landmark_parts_by_the_response_up_to_its_day_those_observed_beyond_it() -> None:
    """Who died or was last seen on its day is left out; a response of the day after comes too late.

    A patient who progressed after a response stays a responder. From the landmark A lived 309 days,
    B 209, C was followed for 109, D lived 59 and G 1.
    """
    check(
        of_who,
        {
            "subject_assessments": ASSESSED,
            "subject_response": BEST,
            "time_to_event": TIMES,
            "population_members": EVERYONE,
        },
        f"""
        | method         | at_days | category   | n | events | median_months | left_out_dead | left_out_censored | caution   |
        | landmark       | 91      | PR         | 2 | 1      | {309 / DAYS_PER_MONTH} | 1    | 1                 |           |
        | landmark       | 91      | SD         | 1 | 1      | {209 / DAYS_PER_MONTH} | 1    | 1                 |           |
        | landmark       | 91      | NE         | 2 | 2      | {30 / DAYS_PER_MONTH}  | 1    | 1                 |           |
        | landmark       | 91      | responders | 2 | 1      | {309 / DAYS_PER_MONTH} | 1    | 1                 |           |
        | landmark       | 91      | others     | 1 | 1      | {209 / DAYS_PER_MONTH} | 1    | 1                 |           |
        | time_dependent | 0       | responders | 4 | 3      |               | 0             | 0                 |           |
        | time_dependent | 0       | others     | 7 | 2      |               | 0             | 0                 |           |
        | immortal_time  | 0       | CR         | 1 | 1      | {400 / DAYS_PER_MONTH} | 0    | 0                 | {CAUTION} |
        | immortal_time  | 0       | PR         | 3 | 2      | {300 / DAYS_PER_MONTH} | 0    | 0                 | {CAUTION} |
        | immortal_time  | 0       | SD         | 1 | 0      |               | 0             | 0                 | {CAUTION} |
        | immortal_time  | 0       | NE         | 2 | 2      | {121 / DAYS_PER_MONTH} | 0    | 0                 | {CAUTION} |
        | immortal_time  | 0       | responders | 4 | 3      | {300 / DAYS_PER_MONTH} | 0    | 0                 | {CAUTION} |
        | immortal_time  | 0       | others     | 1 | 0      |               | 0             | 0                 | {CAUTION} |
        """,
        AT_91,
    )


def at_landmarks(
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    time_to_event: Table[TimeToEvent],
    population_members: Table[PopulationMembers],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
) -> Table[SurvivalByResponse]:
    """The rows of landmarks alone."""
    tables = (subject_assessments, subject_response, time_to_event, population_members)
    found = of_who(*tables, counted_readers, settings=settings, response=response)
    return found.filter(found.method == "landmark")


def test_the_reading_of_the_counted_reader_parts_the_patients() -> None:
    """D was seen by both, and the central reading counts; whom nobody is named for has the other's.

    D lived 59 days from the landmark, A 309, and C was followed for 109.
    """
    check(
        at_landmarks,
        {
            "subject_assessments": ASSESSED,
            "subject_response": BEST,
            "time_to_event": TIMES,
            "population_members": EVERYONE,
            "counted_readers": """
                | subject_id | reader  | chosen |
                | A          | local   | first  |
                | D          | central | first  |
            """,
        },
        f"""
        | category   | n | events | median_months          |
        | CR         | 1 | 1      | {59 / DAYS_PER_MONTH}  |
        | PR         | 2 | 1      | {309 / DAYS_PER_MONTH} |
        | SD         | 1 | 1      | {209 / DAYS_PER_MONTH} |
        | NE         | 1 | 1      | {1 / DAYS_PER_MONTH}   |
        | responders | 3 | 2      | {309 / DAYS_PER_MONTH} |
        | others     | 1 | 1      | {209 / DAYS_PER_MONTH} |
        """,
        AT_91,
    )


def sets(
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    time_to_event: Table[TimeToEvent],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
) -> Table[MemberSets]:
    """The members of the groups that a patient reaches without dying on the way."""
    found = survival_by_response_sets(
        subject_assessments,
        subject_response,
        time_to_event,
        empty(CountedReaders),
        settings=settings,
        response=response,
    )
    return found.filter(~found.set_id.contains("immortal"))


def test_each_group_names_its_members() -> None:
    """With time a patient stands once, in the group in which observation ends."""
    check(
        sets,
        {"subject_assessments": ASSESSED, "subject_response": BEST, "time_to_event": TIMES},
        """
        | set_id                                                | subject_id | lesion_number |
        | survival_by_response.os.who.landmark.91.pr            | A          | 0             |
        | survival_by_response.os.who.landmark.91.sd            | B          | 0             |
        | survival_by_response.os.who.landmark.91.pr            | C          | 0             |
        | survival_by_response.os.who.landmark.91.ne            | D          | 0             |
        | survival_by_response.os.who.landmark.91.ne            | G          | 0             |
        | survival_by_response.os.who.time_dependent.0.responders | A        | 0             |
        | survival_by_response.os.who.time_dependent.0.responders | B        | 0             |
        | survival_by_response.os.who.time_dependent.0.responders | C        | 0             |
        | survival_by_response.os.who.time_dependent.0.responders | E        | 0             |
        | survival_by_response.os.who.time_dependent.0.others   | D          | 0             |
        | survival_by_response.os.who.time_dependent.0.others   | F          | 0             |
        | survival_by_response.os.who.time_dependent.0.others   | G          | 0             |
        """,
        AT_91,
    )


def _of_jasa(scale: int, halves: int) -> dict[str, list[list[Any]]]:
    """The transplants as patients: stable from day 0 on, responding on the day of the transplant.

    Args:
        scale: units of time in a day.
        halves: how many of them half a day is; 0 leaves the days as they were.
    """
    found: dict[str, list[list[Any]]] = {"assessed": [], "best": [], "times": []}
    with (FROM_R / "jasa.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            time = scale * int(row["futime"])
            wait = scale * int(row["wait"]) if row["wait"] else None
            if halves:
                time = max(halves, time)
                wait = wait - halves if wait == time and wait is not None else wait
            found["assessed"].append([row["id"], 0, "SD"])
            if wait is not None:
                found["assessed"].append([row["id"], wait, "PR"])
            found["best"].append([row["id"], "SD" if wait is None else "PR", wait])
            found["times"].append([row["id"], time, "yes" if row["fustat"] == "1" else "no"])
    return found


def _pipes(head: str, body: list[list[Any]], *constant: str) -> str:
    lines = (" | ".join(["" if c is None else str(c) for c in (*row, *constant)]) for row in body)
    return "\n".join([head, *(f"| {line} |" for line in lines)])


def _asked(scale: int = 1, halves: int = 0) -> dict[tuple[str, int, str], dict[str, Any]]:
    jasa = _of_jasa(scale, halves)
    rows = run(
        survival_by_response,
        {
            "subject_assessments": _pipes(
                "| subject_id | rel_day | response | criterion | organ | reader | in_window |",
                jasa["assessed"],
                *("WHO", "all", "local", "yes"),
            ),
            "subject_response": _pipes(
                "| subject_id | best_response | first_response_day | criterion | organ | "
                "confirmation |",
                jasa["best"],
                *("WHO", "all", "unconfirmed"),
            ),
            "time_to_event": _pipes(
                "| subject_id | time_days | event | lesion_number | endpoint |",
                jasa["times"],
                *("0", "OS"),
            ),
            "population_members": _pipes(
                "| subject_id | population |", [[r[0]] for r in jasa["times"]], "all"
            ),
        },
    )
    return {(r["method"], r["at_days"], r["category"]): r for r in rows if r["criterion"] == "WHO"}


@pytest.fixture(scope="module")
def transplants() -> dict[tuple[str, int, str], dict[str, Any]]:
    """Survival of the transplanted and of the others, in days."""
    return _asked()


@pytest.mark.parametrize("at", [91, 183])
def test_landmarks_are_those_of_r(
    transplants: dict[tuple[str, int, str], dict[str, Any]], at: int
) -> None:
    """At 91 days 51 of 103 remain; 49 had died and 3 were censored before."""
    wanted = R[f"landmark_{at}"]
    for number, group in enumerate(("others", "responders")):
        row = transplants["landmark", at, group]
        assert (row["n"], row["events"]) == (wanted["n"][number], wanted["events"][number])
        assert [row["left_out_dead"]] == wanted["dead_before"]
        assert [row["left_out_censored"]] == wanted["censored_before"]
        _same_median(row, wanted["curve"], number)
    _same_ratio(transplants["landmark", at, "responders"], wanted["cox"])


def test_the_naive_comparison_is_that_of_r_and_says_that_it_is_wrong(
    transplants: dict[tuple[str, int, str], dict[str, Any]],
) -> None:
    """Transplanted from day 0 on they seem to die a quarter as often: nobody dies while waiting."""
    for number, group in enumerate(("others", "responders")):
        row = transplants["immortal_time", 0, group]
        _same_median(row, R["naive"]["curve"], number)
        assert row["caution"] == CAUTION
    _same_ratio(transplants["immortal_time", 0, "responders"], R["naive"]["cox"])


def test_a_response_that_comes_with_time_is_that_of_r() -> None:
    """In half days, as the vignette moves a transplant on the day of death half a day before it.

    Cox's model asks for the order of times alone, so that the unit does not matter.
    """
    found = _asked(scale=2, halves=1)
    assert found["time_dependent", 0, "responders"]["n"] == 69
    assert found["time_dependent", 0, "others"]["n"] == 103
    _same_ratio(found["time_dependent", 0, "responders"], R["time_dependent"])


def _same_median(row: dict[str, Any], wanted: dict[str, list[Any]], number: int) -> None:
    for name, column in (("median", "median_months"), ("lower", "lower"), ("upper", "upper")):
        days = wanted[name][number]
        if days is None:
            assert row[column] is None
        else:
            assert row[column] * DAYS_PER_MONTH == pytest.approx(days, rel=1e-9)


def _same_ratio(row: dict[str, Any], wanted: dict[str, list[float]]) -> None:
    for name, column in (("hr", "hr"), ("lower", "hr_lower"), ("upper", "hr_upper")):
        assert row[column] == pytest.approx(wanted[name][0], rel=1e-6)
    assert row["hr_p"] == pytest.approx(wanted["p"][0], rel=1e-6)


def test_where_nothing_can_be_compared_the_row_says_why() -> None:
    """Lesions, anything evaluable, responders, events, or events of one group."""
    best = "| subject_id | criterion | organ | confirmation | best_response |\n"
    for body, times, reason in _nothing():
        rows = run(
            survival_by_response,
            {
                "subject_response": best + body,
                "time_to_event": "| subject_id | lesion_number | endpoint | time_days | event |\n"
                + times,
                "population_members": "| population | subject_id |\n| all | A |\n| all | B |",
            },
            AT_91,
        )
        (row,) = (
            r
            for r in rows
            if (r["criterion"], r["method"], r["category"])
            == ("WHO", "immortal_time", "responders")
        )
        assert (row["hr"], row["reason"]) == (None, reason)


def _nothing() -> Iterator[tuple[str, str, str]]:
    a, b = ("| {} | WHO | all | unconfirmed | {} |".format(n, "{}") for n in "AB")
    alive = "| A | 0 | OS | 100 | no |\n| B | 0 | OS | 200 | no |"
    dead = alive.replace("no", "yes")
    yield "", dead, "no lesions delivered"
    yield a.format("NE"), dead, "nothing evaluable under this criterion"
    yield f"{a.format('SD')}\n{b.format('NE')}", dead, "one group only"
    yield f"{a.format('SD')}\n{b.format('PR')}", alive, "no events"
    yield (
        f"{a.format('SD')}\n{b.format('PR')}",
        "| A | 0 | OS | 100 | yes |\n| B | 0 | OS | 200 | no |",
        "separation: a level without events",
    )
