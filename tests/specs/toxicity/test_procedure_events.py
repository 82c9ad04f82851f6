"""Adverse events by session: which session an event belongs to, and of how many; by hand."""

import pytest

from analytics.classes.procedure_events import procedure_events, procedure_events_sets
from schemas.settings import ResponseSettings, ToxicitySettings
from tests.support.pipe_tables import Row, check, run
from transforms.toxicity.session_events import session_events
from transforms.toxicity.subject_events import subject_events

PEOPLE = {
    "anchors": """
        | subject_id | site_id | t0_date | last_session_date |
        | A          | s1      | d0      | d40               |
        | B          | s1      | d0      | d0                |
        | C          | s2      | d0      | d0                |
    """,
    "sessions": """
        | subject_id | session_number | session_id | session_date | course |
        | A          | 1              | x          | d0           | 1      |
        | A          | 2              | y          | d40          | 1      |
        | B          | 1              | x          | d0           | 1      |
        | C          | 1              | x          | d0           | 1      |
    """,
}


def _of(events: str, window: str) -> dict[tuple[str, int], tuple[object, ...]]:
    head = "| subject_id | site_id | term | onset_date | grade | serious | related |\n"
    found = run(session_events, {**PEOPLE, "adverse_events": head + events})
    names = ("n_events", "worst_grade", "any_event", "grade_3", "serious", "related")
    return {
        (r["subject_id"], r["session_number"]): tuple(r[n] for n in names)
        for r in found
        if r["time_window"] == window
    }


NONE = (0, None, False, False, False, False)


@pytest.mark.parametrize(
    ("day", "window", "session"),
    [
        (0, "s30", 1),
        (30, "s30", 1),
        (31, "s30", None),
        (31, "s91", 1),
        (39, "until_next", 1),
        (40, "s30", 2),
        (70, "s30", 2),
        (71, "s30", None),
        (131, "s91", 2),
        (132, "s91", None),
        (132, "until_next", 2),
        (900, "until_next", 2),
    ],
)
def test_an_event_belongs_to_the_last_session_on_or_before_it(
    day: int, window: str, session: int | None
) -> None:
    """A was treated on day 0 and day 40; that of day 40 is the second session's."""
    found = _of(f"| A | s1 | nausea | d{day} | 3 | yes | probable |", window)
    had = (1, 3, True, True, True, True)
    assert found == {
        ("A", 1): had if session == 1 else NONE,
        ("A", 2): had if session == 2 else NONE,
        ("B", 1): NONE,
    }


def test_what_began_before_treatment_belongs_to_no_session() -> None:
    """C's site delivers no events: C's session is in no denominator."""
    found = _of("| A | s1 | nausea | d-3 | 4 | yes | definite |", "until_next")
    assert found == {("A", 1): NONE, ("A", 2): NONE, ("B", 1): NONE}


def test_an_event_without_a_day_is_the_only_session_s_or_leaves_each_open() -> None:
    """B has one session, so that B's is that one's in every window; A's may be either's."""
    events = (
        "| A | s1 | fatigue | | 2 | no | unrelated |\n| B | s1 | fatigue | | 2 | no | unrelated |"
    )
    for window in ("s30", "s91", "until_next"):
        assert _of(events, window) == {
            ("A", 1): (0, None, None, None, None, None),
            ("A", 2): (0, None, None, None, None, None),
            ("B", 1): (1, 2, True, False, False, False),
        }


def test_a_certain_event_stands_beside_one_that_is_open() -> None:
    events = (
        "| A | s1 | fatigue | | 2 | no | unrelated |\n| A | s1 | nausea | d3 | 1 | no | possible |"
    )
    found = _of(events, "s30")
    assert found["A", 1] == (1, 1, True, None, None, True)
    assert found["A", 2] == (0, None, None, None, None, None)


def test_of_who_was_treated_once_sessions_and_patients_say_the_same() -> None:
    """In the first 30 days the session of B is B; the last event has no day."""
    events = """
        | subject_id | site_id | term    | onset_date | grade | serious | related  |
        | B          | s1      | nausea  | d30        | 3     |         | possible |
        | B          | s1      | fatigue | d31        | 4     | yes     | unlikely |
        | B          | s1      | fever   |            |       | no      |          |
    """
    names = ("n_events", "worst_grade", "any_event", "grade_3", "serious", "related")
    by_session = run(session_events, {**PEOPLE, "adverse_events": events})
    treated = {"anchors": PEOPLE["anchors"], "adverse_events": events}
    by_subject = run(subject_events, treated)
    for mine, theirs in (("s30", "d30"), ("s91", "m3"), ("until_next", "any")):
        (one,) = (r for r in by_session if (r["subject_id"], r["time_window"]) == ("B", mine))
        (two,) = (r for r in by_subject if (r["subject_id"], r["time_window"]) == ("B", theirs))
        assert [one[n] for n in names] == [two[n] for n in names]


def test_every_session_has_a_row_for_every_window() -> None:
    """Also of a re-treatment, with its day and its course."""
    check(
        session_events,
        {
            "anchors": "| subject_id | site_id | t0_date | last_session_date |\n| A | s1 | d0 | d0 |",
            "sessions": """
                | subject_id | session_number | session_id | session_date | course |
                | A          | 1              | x          | d0           | 1      |
                | A          | 2              | y          | d400         | 2      |
            """,
            "adverse_events": """
                | subject_id | site_id | term    | onset_date | grade | serious | related  |
                | A          | s1      | fatigue | d410       | 2     | no      | definite |
            """,
        },
        """
        | subject_id | session_number | time_window | session_day | course | n_events | any_event | related |
        | A          | 1              | s30         | 0           | 1      | 0        | no        | no      |
        | A          | 1              | s91         | 0           | 1      | 0        | no        | no      |
        | A          | 1              | until_next  | 0           | 1      | 0        | no        | no      |
        | A          | 2              | s30         | 400         | 2      | 1        | yes       | yes     |
        | A          | 2              | s91         | 400         | 2      | 1        | yes       | yes     |
        | A          | 2              | until_next  | 400         | 2      | 1        | yes       | yes     |
        """,
        ToxicitySettings(),
    )


ROLLED = """
    | subject_id | session_number | time_window | n_events | any_event | grade_3 | serious | related |
    | A          | 1              | s30         | 2        | yes       | yes     |         | no      |
    | A          | 2              | s30         | 1        | yes       | no      | no      | yes     |
    | B          | 1              | s30         | 0        | no        | no      | no      | no      |
    | C          | 1              | s30         | 0        |           |         |         |         |
    | A          | 1              | s91         | 2        | yes       | yes     |         | no      |
    | B          | 1              | s91         | 0        | no        | no      | no      | no      |
"""
MEMBERS = "| population | subject_id |\n| all | A |\n| all | B |\n| all | C |\n| all | D |"
FEW = ResponseSettings(bootstrap_samples=100)


def _told(row: Row) -> tuple[object, ...]:
    return tuple(row[n] for n in ("n", "total", "n_patients", "n_unknown", "n_events", "pct"))


def test_sessions_are_the_denominator() -> None:
    """Four sessions of three patients, two of them with an event; of one it is not known."""
    tables = {"session_events": ROLLED, "population_members": MEMBERS}
    found = run(procedure_events, tables, FEW)
    told = {r["category"]: _told(r) for r in found if r["time_window"] == "s30"}
    assert told == {
        "any_event": (2, 4, 3, 1, 3, 50),
        "none": (1, 4, 3, 1, 3, 25),
        "grade_3": (1, 4, 3, 1, 3, 25),
        "serious": (0, 4, 3, 2, 3, 0),
        "related": (1, 4, 3, 1, 3, 25),
    }
    methods = {r["time_window"]: r["method"] for r in found if r["category"] == "any_event"}
    assert methods["s30"].startswith("cluster bootstrap over subjects")
    assert methods["s91"] == "Clopper-Pearson"
    (empty,) = {r["reason"] for r in found if r["time_window"] == "until_next"}
    assert empty == "no adverse events delivered"


def test_members_are_the_patients_of_those_sessions() -> None:
    check(
        procedure_events_sets,
        {"session_events": ROLLED},
        """
        | set_id                         | subject_id | lesion_number |
        | procedure_events.s30.any_event | A          | 0             |
        | procedure_events.s30.none      | B          | 0             |
        | procedure_events.s30.grade_3   | A          | 0             |
        | procedure_events.s30.related   | A          | 0             |
        | procedure_events.s91.any_event | A          | 0             |
        | procedure_events.s91.none      | B          | 0             |
        | procedure_events.s91.grade_3   | A          | 0             |
        """,
    )
