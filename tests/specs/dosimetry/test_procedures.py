"""Doses of sessions, and how sessions were delivered, by session and by patient; worked by hand."""

import pytest

from analytics.doses.technical import technical_summary, technical_summary_sets
from schemas.settings import DosimetrySettings, ResponseSettings
from tests.support.pipe_tables import Row, check, run
from transforms.dosimetry.compartments import session_doses
from transforms.dosimetry.procedures import procedures

WATER = DosimetrySettings(liver_density_g_ml="1")

DOSES = """
    | subject_id | session_number | target_number | rel_day | course | device | lobe  | compartment  | mass_kg | dose_gy | dose_gy_recorded | activity_pct_of_planned | source_row_id |
    | A          | 1              | 1             | 0       | 1      | glass  | right | target       | 1       | 100     | 110              | 90                      | treatments:1  |
    | A          | 1              | 2             | 0       | 1      | glass  | left  | target       | 0.5     | 60      | 50               | 100                     | treatments:2  |
    | A          | 2              | 1             | 200     | 2      | glass  | right | target       | 1       | 40      |                  | 80                      | treatments:3  |
    | A          | 2              | 1             | 200     | 2      | glass  | right | normal_liver | 0.8     | 30      |                  | 80                      | treatments:3  |
    | B          | 1              | 1             | 0       | 1      | resin  | right | target       | 1       | 50      |                  |                         | treatments:4  |
    | B          | 2              | 1             | 40      | 1      | glass  | left  | target       | 0.5     | 30      |                  | 89.9                    | treatments:5  |
"""
GIVEN = """
    | subject_id | session_id | target_id | activity_planned_gbq | normal_liver_volume_ml | delivery      |
    | A          | s1         | t1        | 3                    |                        | complete      |
    | A          | s1         | t2        | 1                    |                        | complete      |
    | A          | s2         | t1        | 2                    | 1200                   | stopped_early |
    | B          | s1         | t1        |                      |                        |               |
    | B          | s2         | t1        | 1                    |                        | complete      |
"""


def test_a_session_has_the_doses_of_its_targets_over_one_volume() -> None:
    """A's first: (100 x 1 + 60 x 0.5) / 1.5 = 86.667 Gy, and 92.5 % of 4 GBq planned.

    Its second, a re-treatment, is one target; 30 Gy in 0.8 kg are 20 in the 1.2 kg of all normal
    liver. B's two sessions stand apart, each of one target.
    """
    check(
        session_doses,
        {"compartment_doses": DOSES, "treatments": GIVEN},
        """
        | subject_id | session_number | compartment  | rel_day | course | device | n_targets | reference_volume   | mass_kg | dose_gy       | dose_gy_recorded | activity_pct_of_planned |
        | A          | 1              | target       | 0       | 1      | glass  | 2         | both lobes         | 1.5     | 86.6666666667 | 90               | 92.5                    |
        | A          | 2              | target       | 200     | 2      | glass  | 1         | one target         | 1       | 40            |                  | 80                      |
        | A          | 2              | normal_liver | 200     | 2      | glass  | 1         | whole normal liver | 1.2     | 20            |                  | 80                      |
        | B          | 1              | target       | 0       | 1      | resin  | 1         | one target         | 1       | 50            |                  |                         |
        | B          | 2              | target       | 40      | 1      | glass  | 1         | one target         | 0.5     | 30            |                  | 89.9                    |
        """,
        WATER,
    )


SESSIONS = """
    | subject_id | session_number | compartment  | rel_day | course | device | n_targets | activity_pct_of_planned |
    | A          | 1              | target       | 0       | 1      | glass  | 2         | 90                      |
    | A          | 2              | target       | 200     | 2      | glass  | 1         | 80                      |
    | A          | 2              | normal_liver | 200     | 2      | glass  | 1         | 95                      |
    | B          | 1              | target       | 0       | 1      | resin  | 1         |                         |
    | B          | 2              | target       | 40      | 1      | glass  | 1         | 89.9                    |
"""


@pytest.mark.parametrize(
    ("second", "complete", "stopped"),
    [
        ("complete", "yes", "no"),
        ("stopped_early", "no", "yes"),
        ("", "", ""),
    ],
)
def test_a_session_is_complete_if_every_target_of_it_is(
    second: str, complete: str, stopped: str
) -> None:
    """A's first session has two targets, of which the first is complete: the second decides.

    From 90 % of the activity planned on it was given as planned; 89.9 % are not enough. Where that
    is not known of B's first, nothing is said.
    """
    given = GIVEN.replace(
        "| A          | s1         | t2        | 1                    |                        | complete      |",
        f"| A | s1 | t2 | 1 | | {second} |",
    )
    check(
        procedures,
        {"session_doses": SESSIONS, "compartment_doses": DOSES, "treatments": given},
        f"""
        | subject_id | session_number | rel_day | course | device | n_targets | complete   | stopped_early | activity_pct_of_planned | as_planned |
        | A          | 1              | 0       | 1      | glass  | 2         | {complete} | {stopped}     | 90                      | yes        |
        | A          | 2              | 200     | 2      | glass  | 1         | no         | yes           | 80                      | no         |
        | B          | 1              | 0       | 1      | resin  | 1         |            |               |                         |            |
        | B          | 2              | 40      | 1      | glass  | 1         | yes        | no            | 89.9                    | no         |
        """,
        DosimetrySettings(),
    )


def test_one_target_that_was_stopped_decides_beside_one_of_which_nothing_is_recorded() -> None:
    given = GIVEN.replace(
        "| A          | s1         | t1        | 3                    |                        | complete      |",
        "| A | s1 | t1 | 3 | | |",
    ).replace(
        "| A          | s1         | t2        | 1                    |                        | complete      |",
        "| A | s1 | t2 | 1 | | stopped_early |",
    )
    tables = {"session_doses": SESSIONS, "compartment_doses": DOSES, "treatments": given}
    (first,) = (
        r for r in run(procedures, tables) if (r["subject_id"], r["session_number"]) == ("A", 1)
    )
    assert (first["complete"], first["stopped_early"]) == (False, True)


WENT = """
    | subject_id | session_number | device | complete | stopped_early | as_planned |
    | A          | 1              | glass  | yes      | no            | yes        |
    | A          | 2              | glass  | no       | yes           | no         |
    | B          | 1              | resin  | yes      | no            |            |
    | C          | 1              | resin  |          |               | yes        |
    | C          | 2              | glass  | no       | yes           | yes        |
    | D          | 1              | resin  |          |               | yes        |
    | D          | 2              | resin  | yes      | no            | no         |
"""
MEMBERS = "| population | subject_id |\n| all | A |\n| all | B |\n| all | C |\n| all | D |"


def _summarised() -> dict[tuple[str, str, str], Row]:
    found = run(
        technical_summary,
        {"procedures": WENT, "population_members": MEMBERS},
        ResponseSettings(bootstrap_samples=100),
    )
    return {(r["device"], r["measure"], r["grain"]): r for r in found}


def _told(row: Row) -> tuple[object, ...]:
    return tuple(row[n] for n in ("n", "total", "n_unknown", "pct"))


def test_sessions_and_patients_are_both_denominators() -> None:
    """Of seven sessions five say how they ended, three of them complete; two were stopped.

    Of patients: A and C had a session that was stopped, so neither is complete; B is. D's second
    was complete, of the first nothing is recorded: of D nothing is known. As planned: six sessions
    of which it is known, four so; of patients C alone, A and D are not, of B it is not known.
    """
    found = _summarised()
    assert _told(found["any", "complete", "session"]) == (3, 5, 2, 60)
    assert _told(found["any", "stopped_early", "session"]) == (2, 5, 2, 40)
    assert _told(found["any", "as_planned", "session"]) == (4, 6, 1, 200 / 3)
    assert _told(found["any", "complete", "subject"]) == (1, 3, 1, 100 / 3)
    assert _told(found["any", "stopped_early", "subject"]) == (2, 3, 1, 200 / 3)
    assert _told(found["any", "as_planned", "subject"]) == (1, 3, 1, 100 / 3)


def test_devices_stand_apart() -> None:
    """C had both devices: a patient of `mixed`, whose sessions are one of each."""
    found = _summarised()
    assert _told(found["glass", "stopped_early", "session"]) == (2, 3, 0, 200 / 3)
    assert _told(found["resin", "complete", "session"]) == (2, 2, 2, 100)
    assert _told(found["mixed", "stopped_early", "subject"]) == (1, 1, 0, 100)
    assert _told(found["glass", "complete", "subject"]) == (0, 1, 0, 0)


def test_limits_are_exact_where_each_patient_is_one_unit() -> None:
    """1 of 3 by Clopper and Pearson: 0.84 to 90.57 %, as R's binom.test(1, 3) gives it."""
    found = _summarised()
    assert found["any", "complete", "subject"]["method"] == "Clopper-Pearson"
    assert found["any", "complete", "subject"]["lower"] == pytest.approx(0.840375, abs=1e-5)
    assert found["any", "complete", "subject"]["upper"] == pytest.approx(90.57007, abs=1e-4)
    assert found["any", "complete", "session"]["method"].startswith("cluster bootstrap")


def test_what_nobody_delivers_is_not_derivable() -> None:
    found = run(technical_summary, {"procedures": "", "population_members": MEMBERS})
    (row,) = (
        r
        for r in found
        if (r["device"], r["measure"], r["grain"]) == ("any", "complete", "session")
    )
    assert (*_told(row), row["reason"]) == (0, 0, 0, None, "delivered of no session")


def test_members_are_the_patients_who_have_it() -> None:
    found = {
        (r["set_id"], r["subject_id"]) for r in run(technical_summary_sets, {"procedures": WENT})
    }
    stopped = "technical_summary.any.stopped_early"
    assert {s for name, s in found if name == f"{stopped}.session"} == {"A", "C"}
    assert {s for name, s in found if name == f"{stopped}.subject"} == {"A", "C"}
    assert {s for name, s in found if name == "technical_summary.any.complete.session"} == {
        "A",
        "B",
        "D",
    }
