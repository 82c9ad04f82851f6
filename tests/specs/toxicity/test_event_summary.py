"""Any event, none, one of grade 3, serious and related ones, by window; worked by hand."""

from analytics.classes.events import event_summary, event_summary_sets
from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import Row, check, run
from transforms.toxicity.subject_events import subject_events

PEOPLE = {
    "anchors": """
        | subject_id | site_id | t0_date | last_session_date |
        | A          | s1      | d0      | d40               |
        | B          | s1      | d0      | d0                |
        | C          | s1      | d0      | d0                |
        | D          | s2      | d0      | d0                |
    """,
    "last_alive": """
        | subject_id | last_alive_date | source_table | source_column  | source_row_id |
        | A          | d500            | contacts     | contact_date   | c1            |
        | B          | d183            | contacts     | contact_date   | c2            |
        | C          | d900            | contacts     | contact_date   | c3            |
        | D          | d900            | contacts     | contact_date   | c4            |
    """,
}
EVENTS = """
    | subject_id | site_id | term    | onset_date | grade | serious | related   |
    | A          | s1      | fatigue | d-3        | 4     | yes     | definite  |
    | A          | s1      | nausea  | d30        | 2     | no      | probable  |
    | A          | s1      | nausea  | d70        | 3     | no      | unrelated |
    | A          | s1      | nausea  | d71        | 3     | no      | unrelated |
    | A          | s1      | nausea  | d224       | 1     | no      | unrelated |
    | C          | s1      | fatigue |            | 2     |         |           |
"""


def _rolled(window: str) -> dict[str, tuple[object, ...]]:
    found = run(subject_events, {**PEOPLE, "adverse_events": EVENTS})
    names = ("n_events", "worst_grade", "any_event", "grade_3", "serious", "related")
    return {
        r["subject_id"]: tuple(r[n] for n in names) for r in found if r["time_window"] == window
    }


def test_events_of_any_term_are_rolled_up_by_window() -> None:
    """Up to day 30 A has one related event of grade 2; that of day 70 is within 30 days of day 40.

    The event of day -3 ended nowhere and began before treatment: it is not emergent. B has none.
    C's has no day: it followed treatment, and stands in every window from T0; whether it was
    serious or related is not recorded. D's site delivers no events.
    """
    none = (0, None, False, False, False, False)
    undated = (1, 2, True, False, None, None)
    assert _rolled("d30") == {"A": (1, 2, True, False, False, True), "B": none, "C": undated}
    assert _rolled("acute") == {"A": (2, 3, True, True, False, True), "B": none, "C": undated}
    assert _rolled("m3") == {"A": (3, 3, True, True, False, True), "B": none, "C": undated}
    assert _rolled("any") == {"A": (4, 3, True, True, False, True), "B": none, "C": undated}


def test_a_late_window_is_about_those_observed_into_it() -> None:
    """From day 184 after the last session: A's is day 224, on which an event began.

    B was last seen a day before. An event without a day is in no late window. Beyond two years only C was observed.
    """
    none = (0, None, False, False, False, False)
    assert _rolled("late_6_to_12_months") == {"A": (1, 1, True, False, False, False), "C": none}
    assert _rolled("late_1_year") == {"A": none, "C": none}
    assert _rolled("late_2_years") == {"C": none}


def test_a_missing_grade_leaves_open_whether_it_was_3() -> None:
    check(
        subject_events,
        {
            **PEOPLE,
            "adverse_events": """
                | subject_id | site_id | term    | onset_date | grade | unreadable |
                | A          | s1      | fatigue | d3         |       |            |
                | B          | s1      | fatigue |            | 3     | \\|onset_date\\| |
            """.replace("\\|onset_date\\|", ""),
        },
        """
        | subject_id | time_window | any_event | grade_3 |
        | A          | d30         | yes       |         |
        | A          | acute       | yes       |         |
        | A          | m3          | yes       |         |
        | A          | m6          | yes       |         |
        | A          | m12         | yes       |         |
        | A          | any         | yes       |         |
        | A          | late_6_to_12_months | no | no      |
        | A          | late_1_year | no        | no      |
        | B          | d30         | yes       | yes     |
        | B          | acute       | yes       | yes     |
        | B          | m3          | yes       | yes     |
        | B          | m6          | yes       | yes     |
        | B          | m12         | yes       | yes     |
        | B          | any         | yes       | yes     |
        | C          | d30         | no        | no      |
        | C          | acute       | no        | no      |
        | C          | m3          | no        | no      |
        | C          | m6          | no        | no      |
        | C          | m12         | no        | no      |
        | C          | any         | no        | no      |
        | C          | late_6_to_12_months | no | no      |
        | C          | late_1_year | no        | no      |
        | C          | late_2_years | no       | no      |
        """,
        ToxicitySettings(),
    )


ROLLED = """
    | subject_id | time_window | any_event | grade_3 | serious | related |
    | A          | d30         | yes       | yes     |         | no      |
    | B          | d30         | no        | no      | no      | no      |
    | C          | d30         | yes       | no      | yes     |         |
    | D          | d30         |           |         |         |         |
"""
MEMBERS = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCDE")])


def test_whoever_is_not_known_is_counted_as_not_and_told() -> None:
    """Of four at sites with events: two had one, one had none, of one it is not known."""
    found = run(event_summary, {"subject_events": ROLLED, "population_members": MEMBERS})
    told = {r["category"]: _told(r) for r in found if r["time_window"] == "d30"}
    assert told == {
        "any_event": (2, 4, 1, 50),
        "none": (1, 4, 1, 25),
        "grade_3": (1, 4, 1, 25),
        "serious": (1, 4, 2, 25),
        "related": (0, 4, 2, 0),
    }
    (empty,) = {r["reason"] for r in found if r["time_window"] == "any"}
    assert empty == "no adverse events delivered, or nobody observed so long"


def _told(row: Row) -> tuple[object, ...]:
    return tuple(row[n] for n in ("n", "total", "n_unknown", "pct"))


def test_members_are_those_of_whom_it_is_certain() -> None:
    check(
        event_summary_sets,
        {"subject_events": ROLLED},
        """
        | set_id                      | subject_id | lesion_number |
        | event_summary.d30.any_event | A          | 0             |
        | event_summary.d30.any_event | C          | 0             |
        | event_summary.d30.none      | B          | 0             |
        | event_summary.d30.grade_3   | A          | 0             |
        | event_summary.d30.serious   | C          | 0             |
        """,
    )
