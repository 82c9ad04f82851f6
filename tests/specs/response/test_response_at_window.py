"""The class at fixed times after treatment: whose assessment it is, and when there is none.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.4 (the response at a
time point). The days, 91 (61 to 122) and 183 (153 to 213), are the registry's convention.
"""

import ibis
import pytest
from pydantic import ValidationError

from analytics.classes.at_windows import response_at_window, response_at_window_sets
from schemas.contract import Table, empty
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import (
    CountedReaders,
    LesionResponseAtWindow,
    SubjectResponseAtWindow,
)
from schemas.tables.intermediate import (
    Anchors,
    DeathClaims,
    LastAlive,
    PopulationMembers,
    Sessions,
)
from schemas.tables.marts import (
    FollowedLesions,
    LesionAssessments,
    LesionResponse,
    SubjectAssessments,
    SubjectResponse,
)
from schemas.tables.outcomes import ResponseAtWindow
from schemas.tables.registry import SubsequentTherapies
from tests.support.pipe_tables import check, run
from transforms.classes.at_windows import lesion_response_at_window, subject_response_at_window

BEST = {"criterion": ibis.literal("WHO"), "confirmation": ibis.literal("unconfirmed")}
READ = {"criterion": ibis.literal("WHO"), "reader": ibis.literal("local")}


def _best(names: str, *columns: str) -> str:
    """Best responses of subjects, of whom nothing but their being there matters."""
    head = ["subject_id", *(c.split("=")[0] for c in columns)]
    lines = [[n, *(c.split("=")[1] for c in columns)] for n in names]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, *lines])


def _treated(names: str) -> str:
    return "\n".join(["| subject_id | t0_date |", *(f"| {n} | d0 |" for n in names)])


def by_patient(
    subject_response: Table[SubjectResponse],
    subject_assessments: Table[SubjectAssessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    *,
    settings: ResponseSettings,
) -> Table[SubjectResponseAtWindow]:
    """The classes by WHO of patients as a whole, whose assessments the local reader read."""
    best = subject_response.mutate(**BEST)
    read = subject_assessments.mutate(**READ)
    read = read.mutate(in_window=read.in_window.fill_null(True))
    return subject_response_at_window(
        best,
        read.mutate(rule=read.rule.fill_null("neither")),
        anchors,
        sessions,
        subsequent_therapies,
        death_claims,
        last_alive,
        empty(CountedReaders),
        settings=settings,
        reading=ReadingSettings(),
    )


def test_the_assessment_nearest_to_the_day_decides_of_two_as_near_the_earlier() -> None:
    """The class is that assessment's own: a response that was lost again is none."""
    check(
        by_patient,
        {
            "subject_response": _best("ABCDEF"),
            "anchors": _treated("ABCDEF"),
            "subject_assessments": """
                | subject_id | rel_day | response |
                | A          | 60      | CR       |
                | A          | 61      | PR       |
                | B          | 122     | PR       |
                | B          | 123     | CR       |
                | C          | 81      | PR       |
                | C          | 101     | SD       |
                | D          | 82      | SD       |
                | D          | 99      | PR       |
                | E          | 80      | CR       |
                | E          | 91      | NE       |
                | F          | 90      | CR       |
                | F          | 153     | SD       |
                | F          | 213     | SD       |
            """,
        },
        """
        | subject_id | at_days | response | assessment_day | evaluable | reason                |
        | A          | 91      | PR       | 61             | yes       |                       |
        | B          | 91      | PR       | 122            | yes       |                       |
        | C          | 91      | PR       | 81             | yes       |                       |
        | D          | 91      | PR       | 99             | yes       |                       |
        | E          | 91      | NE       | 91             | no        | neither               |
        | F          | 91      | CR       | 90             | yes       |                       |
        | A          | 183     | NE       |                | no        | no_assessment_near_it |
        | B          | 183     | NE       |                | no        | no_assessment_near_it |
        | C          | 183     | NE       |                | no        | no_assessment_near_it |
        | D          | 183     | NE       |                | no        | no_assessment_near_it |
        | E          | 183     | NE       |                | no        | no_assessment_near_it |
        | F          | 183     | SD       | 153            | yes       |                       |
        """,
    )


def test_who_progressed_up_to_the_last_day_is_progressive_then_and_later() -> None:
    """Also where a nearer assessment still showed disease control, and where the patient died."""
    check(
        by_patient,
        {
            "subject_response": _best("ABCD"),
            "anchors": _treated("ABCD"),
            "subject_assessments": """
                | subject_id | rel_day | response | in_window |
                | A          | 30      | PD       | yes       |
                | A          | 95      | SD       | no        |
                | B          | 91      | PR       | yes       |
                | B          | 122     | PD       | yes       |
                | C          | 91      | PR       | yes       |
                | C          | 123     | PD       | yes       |
                | D          | 60      | PD       | yes       |
            """,
            "death_claims": "| subject_id | death_date |\n| D | d80 |",
        },
        """
        | subject_id | at_days | response | assessment_day | reason |
        | A          | 91      | PD       | 30             |        |
        | A          | 183     | PD       | 30             |        |
        | B          | 91      | PD       | 122            |        |
        | B          | 183     | PD       | 122            |        |
        | C          | 91      | PR       | 91             |        |
        | C          | 183     | PD       | 123            |        |
        | D          | 91      | PD       | 60             |        |
        | D          | 183     | PD       | 60             |        |
        """,
    )


def test_who_died_or_had_other_treatment_before_it_is_not_evaluable_with_the_reason() -> None:
    """An assessment after new therapy says nothing of 90Y; one before it still does."""
    check(
        by_patient,
        {
            "subject_response": _best("ABCDEF"),
            "anchors": _treated("ABCDEF"),
            "subject_assessments": """
                | subject_id | rel_day | response | in_window |
                | A          | 30      | SD       | yes       |
                | B          | 30      | SD       | yes       |
                | B          | 91      | SD       | no        |
                | C          | 70      | SD       | yes       |
                | C          | 91      | PR       | no        |
                | D          | 30      | SD       | yes       |
                | E          | 30      | SD       | yes       |
                | F          | 40      | SD       | yes       |
                | F          | 45      | PD       | no        |
            """,
            "death_claims": "| subject_id | death_date |\n| A | d122 |",
            "subsequent_therapies": """
                | subject_id | start_date |
                | B          | d31        |
                | C          | d80        |
                | D          | d123       |
                | F          | d42        |
            """,
            "last_alive": """
                | subject_id | last_alive_date |
                | D          | d200            |
                | E          | d60             |
            """,
        },
        """
        | subject_id | at_days | response | assessment_day | reason                |
        | A          | 91      | NE       |                | died_before_it        |
        | A          | 183     | NE       |                | died_before_it        |
        | B          | 91      | NE       |                | window_closed         |
        | B          | 183     | NE       |                | window_closed         |
        | C          | 91      | SD       | 70             |                       |
        | C          | 183     | NE       |                | window_closed         |
        | D          | 91      | NE       |                | no_assessment_near_it |
        | D          | 183     | NE       |                | window_closed         |
        | E          | 91      | NE       |                | not_followed_to_it    |
        | E          | 183     | NE       |                | not_followed_to_it    |
        | F          | 91      | NE       |                | window_closed         |
        | F          | 183     | NE       |                | window_closed         |
        """,
    )


def by_lesion(
    lesion_response: Table[LesionResponse],
    lesion_assessments: Table[LesionAssessments],
    followed_lesions: Table[FollowedLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    *,
    settings: ResponseSettings,
) -> Table[LesionResponseAtWindow]:
    """The classes by WHO at 91 days of lesions."""
    read = lesion_assessments.mutate(**READ, rule=ibis.literal("neither"))
    found = lesion_response_at_window(
        lesion_response.mutate(**BEST),
        read,
        followed_lesions,
        anchors,
        sessions,
        subsequent_therapies,
        death_claims,
        last_alive,
        settings=settings,
    )
    return found.filter(found.at_days == 91)


def test_a_lesion_has_the_window_of_its_own_lobe() -> None:
    """The second session to the right lobe closes its lesions' window, not those of the left."""
    check(
        by_lesion,
        {
            "lesion_response": """
                | subject_id | lesion_number | reason         |
                | A          | 1             |                |
                | A          | 2             |                |
                | A          | 3             | never_measured |
            """,
            "followed_lesions": """
                | subject_id | lesion_number | organ | lobe  |
                | A          | 1             | liver | right |
                | A          | 2             | liver | left  |
                | A          | 3             | liver | left  |
            """,
            "lesion_assessments": """
                | subject_id | lesion_number | rel_day | response | in_window |
                | A          | 1             | 91      | PR       | no        |
                | A          | 2             | 91      | PR       | yes       |
            """,
            "anchors": _treated("A"),
            "sessions": """
                | subject_id | session_date | covers_right | covers_left | course |
                | A          | d0           | yes          | yes         | 1      |
                | A          | d60          | yes          | no          | 1      |
            """,
        },
        """
        | subject_id | lesion_number | response | assessment_day | reason         |
        | A          | 1             | NE       |                | window_closed  |
        | A          | 2             | PR       | 91             |                |
        | A          | 3             | NE       |                | never_measured |
        """,
    )


CLASSES = """
    | subject_id | criterion | organ | at_days | response      | evaluable |
    | A          | WHO       | all   | 91      | PR            | yes       |
    | B          | WHO       | all   | 91      | SD            | yes       |
    | C          | WHO       | all   | 91      | NE            | no        |
    | D          | WHO       | all   | 91      | NON-CR/NON-PD | yes       |
"""


def whole_patients_by_who(
    lesion_response_at_window: Table[LesionResponseAtWindow],
    subject_response_at_window: Table[SubjectResponseAtWindow],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ResponseAtWindow]:
    """Shares of patients by WHO at 91 days."""
    found = response_at_window(
        lesion_response_at_window,
        subject_response_at_window,
        population_members,
        settings=settings,
    )
    return found.filter(
        (found.criterion == "WHO") & (found.level == "subject") & (found.organ == "all")
    ).filter(lambda t: t.at_days == 91)


def test_both_denominators_are_published_and_unions_are_of_the_same_time_point() -> None:
    """Of four, one is not evaluable; one has no measurable disease and is in no class of size."""
    check(
        whole_patients_by_who,
        {
            "subject_response_at_window": CLASSES,
            "population_members": "| population | subject_id |"
            + "".join(f"\n| all | {n} |" for n in "ABCD"),
        },
        """
        | at_days | category | n | total | n_evaluable | pct | lower       | upper       | pct_evaluable |
        | 91      | CR       | 0 | 4     | 3           | 0   | 0           | 60.2364636  | 0             |
        | 91      | PR       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550  | 33.3333333    |
        | 91      | SD       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550  | 33.3333333    |
        | 91      | PD       | 0 | 4     | 3           | 0   | 0           | 60.2364636  | 0             |
        | 91      | NE       | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550  |               |
        | 91      | ORR      | 1 | 4     | 3           | 25  | 0.630946321 | 80.5879550  | 33.3333333    |
        | 91      | DCR      | 2 | 4     | 3           | 50  | 6.75859865  | 93.2414014  | 66.6666667    |
        """,
    )
    check(
        response_at_window_sets,
        {"subject_response_at_window": CLASSES},
        """
        | set_id                                     | subject_id | lesion_number |
        | response_at_window.who.subject.all.all.91.pr | A        | 0             |
        | response_at_window.who.subject.all.all.91.sd | B        | 0             |
        | response_at_window.who.subject.all.all.91.ne | C        | 0             |
        """,
    )


def test_a_population_without_lesions_has_no_class_at_any_time_point() -> None:
    """No share, and the reason; a time point of the settings is there all the same."""
    members = "| population | subject_id |\n| all | A |\n| site:s2 | E |"
    found = run(
        response_at_window,
        {"subject_response_at_window": CLASSES, "population_members": members},
        ResponseSettings(windows=((20, 28, 40),)),
    )
    absent = [r for r in found if r["population"] == "site:s2"]
    assert len(absent) == 6 * 4 * 7  # units, criteria, categories
    assert {(r["at_days"], r["n"], r["pct"], r["reason"]) for r in absent} == {
        (28, 0, None, "no lesions delivered")
    }


def test_a_time_point_names_its_days_in_order() -> None:
    """First day, day aimed at, last day."""
    with pytest.raises(ValidationError, match="in this order"):
        ResponseSettings(windows=((91, 61, 122),))
