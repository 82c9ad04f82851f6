"""Whose reading counts: named, the first who read, or two readers with an adjudicator; by hand."""

import pytest
from pydantic import ValidationError

from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check, run
from transforms.classes.counted_readers import counted_readers
from transforms.response.best_response import subject_response
from transforms.time.milestones import milestones

TREATED = "| subject_id |\n" + "\n".join(f"| {name} |" for name in "ABCDEFGH")
READ = """
    | subject_id | organ | criterion  | reader | rel_day | in_window | response |
    | A          | all   | RECIST 1.1 | one    | 90      | yes       | PR       |
    | A          | all   | RECIST 1.1 | one    | 180     | yes       | PD       |
    | A          | all   | RECIST 1.1 | two    | 60      | yes       | PR       |
    | A          | all   | RECIST 1.1 | two    | 180     | yes       | PD       |
    | A          | all   | RECIST 1.1 | three  | 90      | yes       | SD       |
    | B          | all   | RECIST 1.1 | one    | 90      | yes       | PR       |
    | B          | all   | RECIST 1.1 | two    | 90      | yes       | SD       |
    | B          | all   | RECIST 1.1 | three  | 90      | yes       | SD       |
    | C          | all   | RECIST 1.1 | one    | 90      | yes       | SD       |
    | C          | all   | RECIST 1.1 | one    | 180     | yes       | PD       |
    | C          | all   | RECIST 1.1 | two    | 90      | yes       | SD       |
    | C          | all   | RECIST 1.1 | two    | 270     | yes       | PD       |
    | D          | all   | RECIST 1.1 | two    | 90      | yes       | SD       |
    | E          | all   | RECIST 1.1 | three  | 90      | yes       | SD       |
    | F          | all   | RECIST 1.1 | one    | 90      | yes       | SD       |
    | F          | all   | RECIST 1.1 | two    | 90      | yes       | SD       |
    | F          | all   | WHO        | one    | 90      | yes       | PR       |
    | F          | liver | RECIST 1.1 | two    | 90      | yes       | PR       |
    | G          | all   | RECIST 1.1 | one    | 90      | yes       | NE       |
    | G          | all   | RECIST 1.1 | two    | 90      | yes       | NE       |
"""
TWO = ReadingSettings(rule="adjudicated", readers=("one", "two"), adjudicator="three")


def test_the_adjudicator_decides_where_two_readers_differ() -> None:
    """A: the same best class and day of progression, though the first response lies apart: agreed.

    B's classes differ: the third reader's stands. C's progression is of another day, and nobody
    adjudicated: the first reader's stands, marked. D has one of the two, E the third alone. F's
    differ by WHO and in the liver, which are not asked. G is NE for both. H nobody read.
    """
    check(
        counted_readers,
        {"subject_assessments": READ, "anchors": TREATED},
        """
        | subject_id | reader | chosen          |
        | A          | one    | agreed          |
        | B          | three  | adjudicated     |
        | C          | one    | not_adjudicated |
        | D          | two    | one_reader      |
        | E          | three  | one_reader      |
        | F          | one    | agreed          |
        | G          | one    | agreed          |
        """,
        TWO,
    )


@pytest.mark.parametrize(("minimum", "chosen"), [(0, "adjudicated"), (91, "agreed")])
def test_stable_disease_before_its_minimum_day_is_no_class(minimum: int, chosen: str) -> None:
    """Both progress on day 180; what one alone calls stable on day 90 counts from that day on."""
    read = """
        | subject_id | organ | criterion  | reader | rel_day | in_window | response |
        | A          | all   | RECIST 1.1 | one    | 90      | yes       | SD       |
        | A          | all   | RECIST 1.1 | one    | 180     | yes       | PD       |
        | A          | all   | RECIST 1.1 | two    | 180     | yes       | PD       |
        | A          | all   | RECIST 1.1 | three  | 180     | yes       | PD       |
    """
    tables = {"subject_assessments": read, "anchors": TREATED}
    (row,) = run(counted_readers, tables, TWO, ResponseSettings(sd_min_days=minimum))
    assert row["chosen"] == chosen


def test_the_first_who_read_counts() -> None:
    """Three is asked first, then one; D and H have neither: the reader of `response.reader` stands."""
    check(
        counted_readers,
        {"subject_assessments": READ, "anchors": TREATED},
        """
        | subject_id | reader | chosen |
        | A          | three  | first  |
        | B          | three  | first  |
        | C          | one    | first  |
        | E          | three  | first  |
        | F          | one    | first  |
        | G          | one    | first  |
        """,
        ReadingSettings(rule="first", readers=("three", "one")),
    )


def test_without_a_rule_the_named_reader_counts() -> None:
    check(
        counted_readers,
        {"subject_assessments": READ, "anchors": "| subject_id |\n| A |\n| H |"},
        """
        | subject_id | reader | chosen |
        | A          | two    | named  |
        | H          | two    | named  |
        """,
        ResponseSettings(reader="two"),
    )


def test_best_response_is_of_the_counted_reader_alone() -> None:
    """B's is the adjudicator's SD, not the first reader's PR; A's is the first one's.

    H was read by nobody that is asked: the reader of `response.reader` stands.
    """
    read = READ + "    | H | all | RECIST 1.1 | local | 90 | yes | CR |\n"
    found = run(
        subject_response,
        {
            "subject_assessments": read,
            "counted_readers": """
                | subject_id | reader | chosen      |
                | A          | one    | agreed      |
                | B          | three  | adjudicated |
            """,
            "anchors": "| subject_id | site_id | t0_date | last_session_date |\n"
            + "\n".join(f"| {name} | s1 | d0 | d0 |" for name in "ABH"),
            "subject_lesions": "| subject_id |\n| A |",
        },
        TWO,
    )
    best = {
        r["subject_id"]: (r["best_response"], r["best_response_day"])
        for r in found
        if (r["criterion"], r["organ"], r["confirmation"]) == ("RECIST 1.1", "all", "unconfirmed")
    }
    assert best == {"A": ("PR", 90), "B": ("SD", 90), "H": ("CR", 90)}


def test_the_clock_of_progression_stops_by_the_counted_reader() -> None:
    """A's first reader saw it on day 180, the second, who counts, on day 270."""
    read = """
        | subject_id | organ | criterion  | reader | rel_day | in_window | response |
        | A          | all   | RECIST 1.1 | one    | 180     | yes       | PD       |
        | A          | all   | RECIST 1.1 | two    | 270     | yes       | PD       |
    """
    (row,) = run(
        milestones,
        {
            "subject_assessments": read,
            "counted_readers": "| subject_id | reader | chosen |\n| A | two | one_reader |",
            "anchors": "| subject_id | site_id | t0_date |\n| A | s1 | d0 |",
            "endpoint_criterion": "| criterion | judged |\n| RECIST 1.1 | yes |",
        },
        TWO,
    )
    assert row["progression_day"] == 270


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rule": "first"}, "none is named"),
        ({"rule": "adjudicated", "readers": ("one", "two")}, "the `adjudicator` beside them"),
        ({"rule": "adjudicated", "readers": ("one",), "adjudicator": "two"}, "two `readers`"),
        ({"readers": ("one", "one")}, "one stands twice"),
        (
            {"rule": "adjudicated", "readers": ("one", "two"), "adjudicator": "two"},
            "one stands twice",
        ),
        ({"criterion": "of ours"}, "no of ours"),
    ],
)
def test_a_rule_without_its_readers_is_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ReadingSettings.model_validate(given)
    assert ReadingSettings.model_validate({"criterion": "recist11"}).criterion == "RECIST 1.1"
