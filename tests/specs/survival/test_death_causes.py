"""Deaths by recorded cause: who is counted under what, and over whom; worked by hand."""

from analytics.classes.deaths import death_causes, death_causes_sets
from schemas.settings import SurvivalSettings, ToxicitySettings
from tests.support.pipe_tables import Row, check, run
from transforms.time.causes_of_death import deaths

AT_30 = SurvivalSettings(early_mortality_days=(30,))


def test_the_cause_is_the_one_that_is_named_and_none_where_two_are() -> None:
    """A names one cause, B one beside `unknown`, C two, D says unknown, E says nothing.

    The date of E cannot be believed: the death stands without a day. A living contact says no cause.
    """
    check(
        deaths,
        {
            "anchors": """
                | subject_id | site_id | t0_date | last_session_date |
                | A          | s1      | d0      | d0                |
                | B          | s1      | d0      | d0                |
                | C          | s1      | d0      | d0                |
                | D          | s1      | d0      | d0                |
                | E          | s1      | d0      | d0                |
            """,
            "death_claims": """
                | subject_id | death_date | reason                           |
                | A          | d40        |                                  |
                | B          | d50        |                                  |
                | C          | d60        |                                  |
                | D          | d70        |                                  |
                | E          |            | no date of death can be read     |
            """,
            "contacts": """
                | subject_id | contact_date | contact_type | vital_status | cause_of_death |
                | A          | d40          | death        | dead         | liver_failure  |
                | B          | d50          | death        | dead         | unknown        |
                | B          | d55          | registry     | dead         | tumour         |
                | C          | d60          | death        | dead         | tumour         |
                | C          | d60          | registry     | dead         | treatment      |
                | D          | d70          | death        | dead         | unknown        |
                | E          | d1           | visit        | alive        | tumour         |
            """,
        },
        """
        | subject_id | rel_day | cause         | treatment_related | reason           |
        | A          | 40      | liver_failure | no                |                  |
        | B          | 50      | tumour        | no                |                  |
        | C          | 60      | unknown       |                   | conflicting      |
        | D          | 70      | unknown       |                   | recorded_unknown |
        | E          |         | unknown       |                   | not_recorded     |
        """,
        ToxicitySettings(),
    )


def test_a_fatal_event_attributed_to_treatment_is_a_death_by_it() -> None:
    """A by its cause, B by a fatal event, C by one of grade 5; D's relation is not recorded.

    E's fatal event is unrelated, F's related event was not fatal.
    """
    people = "ABCDEF"
    check(
        deaths,
        {
            "anchors": _lines("| subject_id | site_id | t0_date | last_session_date |",
                              (f"| {p} | s1 | d0 | d0 |" for p in people)),
            "death_claims": _lines("| subject_id | death_date |",
                                   (f"| {p} | d40 |" for p in people)),
            "contacts": _lines(
                "| subject_id | contact_date | contact_type | vital_status | cause_of_death |",
                (f"| {p} | d40 | death | dead | {c} |"
                 for p, c in zip(people, ("treatment", "", "tumour", "other", "other", "other"),
                                 strict=True))),
            "adverse_events": """
                | subject_id | term            | onset_date | grade | outcome  | related   |
                | B          | hepatic failure | d30        | 4     | fatal    | probable  |
                | C          | hepatic failure | d30        | 5     |          | definite  |
                | D          | hepatic failure | d30        | 5     |          |           |
                | E          | hepatic failure | d30        | 5     |          | unrelated |
                | F          | nausea          | d3         | 2     | resolved | definite  |
            """,
        },
        """
        | subject_id | rel_day | cause     | treatment_related | reason       |
        | A          | 40      | treatment | yes               |              |
        | B          | 40      | unknown   | yes               | not_recorded |
        | C          | 40      | tumour    | yes               |              |
        | D          | 40      | other     |                   |              |
        | E          | 40      | other     | no                |              |
        | F          | 40      | other     | no                |              |
        """,
        ToxicitySettings(),
    )  # fmt: skip


DEAD = """
    | subject_id | rel_day | cause         | treatment_related |
    | A          | 20      | treatment     | yes               |
    | B          | 40      | liver_failure | no                |
    | C          |         | unknown       |                   |
"""
LIVED = """
    | subject_id | lesion_number | endpoint | time_days | event |
    | A          | 0             | OS       | 20        | yes   |
    | B          | 0             | OS       | 40        | yes   |
    | C          | 0             | OS       | 10        | no    |
    | D          | 0             | OS       | 30        | no    |
    | E          | 0             | OS       | 29        | no    |
    | D          | 0             | PFS      | 3         | yes   |
"""
MEMBERS = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCDE")])


def test_up_to_a_day_over_those_dead_or_followed_and_at_any_time_over_all() -> None:
    """By day 30 A is dead, B and D were followed; C and E were lost before. In all three died."""
    found = run(
        death_causes,
        {"deaths": DEAD, "time_to_event": LIVED, "population_members": MEMBERS},
        AT_30,
    )
    told = {(r["time_window"], r["cause"]): _told(r) for r in found}
    assert told[("d30", "treatment")] == (1, 1, 3)
    assert told[("d30", "treatment_related")] == (1, 1, 3)
    assert told[("d30", "liver_failure")] == (0, 1, 3)
    assert told[("any", "liver_failure")] == (1, 3, 5)
    assert told[("any", "unknown")] == (1, 3, 5)
    assert told[("any", "treatment_related")] == (1, 3, 5)
    assert told[("any", "tumour")] == (0, 3, 5)
    share = next(r for r in found if (r["time_window"], r["cause"]) == ("any", "unknown"))
    assert share["pct"] == 20
    assert share["statistic_id"] == "death_causes.all.any.unknown"


def test_where_nobody_is_followed_so_far_there_is_a_reason() -> None:
    lost = "\n".join(LIVED.splitlines()[:2] + LIVED.splitlines()[4:5])
    alone = "| population | subject_id |\n| all | C |"
    found = run(
        death_causes, {"deaths": "", "time_to_event": lost, "population_members": alone}, AT_30
    )
    assert {(r["n"], r["total"], r["reason"]) for r in found if r["time_window"] == "d30"} == {
        (0, 0, "nobody dead by then or followed so far")
    }


def test_members_are_those_counted() -> None:
    check(
        death_causes_sets,
        {"deaths": DEAD, "time_to_event": LIVED},
        """
        | set_id                             | subject_id | lesion_number |
        | death_causes.d30.treatment         | A          | 0             |
        | death_causes.d30.treatment_related | A          | 0             |
        | death_causes.any.treatment         | A          | 0             |
        | death_causes.any.treatment_related | A          | 0             |
        | death_causes.any.liver_failure     | B          | 0             |
        | death_causes.any.unknown           | C          | 0             |
        """,
        AT_30,
    )


def _told(row: Row) -> tuple[int, int, int]:
    return row["n"], row["n_deaths"], row["total"]


def _lines(head: str, rows: object) -> str:
    return "\n".join([head, *rows])  # type: ignore[misc]
