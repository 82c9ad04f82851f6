"""Doses per target, session and patient, and by the outcome of the patient."""

from analytics.doses.dosimetry import dosimetry_summary, dosimetry_summary_sets
from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import Row, check, run

TARGETS = """
    | subject_id | session_number | target_number | target_mass_kg | dose_gy | dose_gy_recorded | activity_gbq | lung_dose_gy | cumulative_lung_dose_gy |
    | A          | 1              | 1             | 1.5            | 100     | 101              | 3            | 4            | 4                       |
    | A          | 1              | 2             | 0.5            | 120     | 121              | 1.2          | 4            | 4                       |
    | A          | 2              | 1             | 1              | 80      | 81               | 1.6          | 2            | 6                       |
    | B          | 1              | 1             | 2              | 60      |                  | 2.4          | 3            | 3                       |
    | C          | 1              | 1             | 1              |         | 140              | 2.8          |              |                         |
    | C          | 2              | 1             | 1              | 150     | 150              | 3            | 5            |                         |
"""
MEMBERS = """
    | population | subject_id |
    | all        | A          |
    | all        | B          |
    | all        | C          |
    | site:s2    | B          |
"""
OUTCOMES = {
    "endpoint_criterion": "| criterion | judged |\n| WHO | yes |",
    "subject_response": """
        | subject_id | criterion | confirmation | best_response | evaluable |
        | A          | WHO       | unconfirmed  | PR            | yes       |
        | A          | WHO       | confirmed    | SD            | yes       |
        | A          | EASL      | unconfirmed  | PD            | yes       |
        | B          | WHO       | unconfirmed  | SD            | yes       |
        | C          | WHO       | unconfirmed  | NE            | no        |
    """,
    "toxicity": """
        | subject_id | source | term      | ctcae_version | time_window | worst_grade |
        | A          | lab    | bilirubin | 3.0           | primary     | 3           |
        | A          | lab    | bilirubin | 5.0           | primary     | 2           |
        | B          | lab    | bilirubin | 3.0           | primary     | 2           |
        | B          | lab    | bilirubin | 3.0           | any         | 4           |
        | B          | lab    | ast       | 3.0           | primary     | 4           |
    """,
}


def _rows(measure: str, *, population: str = "all", grouped: bool = False) -> list[Row]:
    found = run(
        dosimetry_summary,
        {"treatment_targets": TARGETS, "population_members": MEMBERS, **OUTCOMES},
    )
    return [
        row
        for row in found
        if row["measure"] == measure
        and row["population"] == population
        and bool(row["patient_group"]) == grouped
    ]


def _by(rows: list[Row], key: str, *values: str) -> dict[str, tuple[object, ...]]:
    return {row[key]: tuple(row[v] for v in values) for row in rows}


def test_the_dose_of_a_session_or_a_patient_is_the_mean_of_its_targets() -> None:
    """Gy of different volumes are not added: A has 110 Gy in session 1 and 100 Gy as a patient.

    C's first dose is unknown, so C has no mean as a patient; the second still counts by itself.
    Quartiles are type 7 (Hyndman and Fan 1996).
    """
    found = _by(_rows("dose_gy"), "grain", "n", "median", "q1", "q3", "minimum", "maximum")
    assert found == {
        "target": (5, 100.0, 80.0, 120.0, 60.0, 150.0),
        "session": (4, 95.0, 75.0, 120.0, 60.0, 150.0),
        "subject": (2, 80.0, 70.0, 90.0, 60.0, 100.0),
    }


def test_the_mean_may_be_weighted_by_mass() -> None:
    """(1.5 x 100 + 0.5 x 120) / 2 = 105 Gy in A's first session, 290 / 3 = 96.667 Gy in all."""
    found = _by(_rows("dose_gy_mass_weighted"), "grain", "n", "maximum", "median")
    assert found["session"] == (4, 150.0, 92.5)
    assert found["subject"] == (2, 290 / 3, (290 / 3 + 60) / 2)


def test_activities_are_summed_and_lung_doses_counted_once_a_session() -> None:
    """A received 5.8 GBq; its lungs 4 and 2 Gy, 6 together. C's cumulated lung dose is unknown."""
    activity = _by(_rows("activity_gbq"), "grain", "n", "maximum", "unit")
    assert activity == {
        "target": (6, 3.0, "GBq"),
        "session": (5, 4.2, "GBq"),
        "subject": (3, 5.8, "GBq"),
    }
    lungs = _by(_rows("lung_dose_gy"), "grain", "n", "median", "minimum", "maximum")
    assert lungs == {"session": (4, 3.5, 2.0, 5.0)}
    cumulated = _by(_rows("cumulative_lung_dose_gy"), "grain", "n", "minimum", "maximum")
    assert cumulated == {"subject": (2, 3.0, 6.0)}


def test_patients_are_grouped_by_who_response_and_by_bilirubin_grade() -> None:
    """Best unconfirmed WHO response, and worst grade of the report's version after treatment.

    A responded and had grade 3, B neither; C could not be evaluated and was never graded. Other
    criteria, versions, windows and analytes do not count.
    """
    found = _by(_rows("activity_gbq", grouped=True), "patient_group", "n", "median")
    assert found == {
        "who:responder": (1, 5.8),
        "who:non_responder": (1, 2.4),
        "who:not_evaluable": (1, 5.8),
        "bilirubin:grade_3_or_4": (1, 5.8),
        "bilirubin:grade_0_to_2": (1, 2.4),
        "bilirubin:not_graded": (1, 5.8),
    }
    five = run(
        dosimetry_summary,
        {"treatment_targets": TARGETS, "population_members": MEMBERS, **OUTCOMES},
        ToxicitySettings(primary_version="5.0"),
    )
    graded = [r for r in five if r["patient_group"] == "bilirubin:grade_3_or_4" and r["n"]]
    assert graded == []


def test_a_dose_is_counted_once_however_many_organs_respond() -> None:
    """Only the patient as a whole groups a dose: the liver may respond while a node grows."""
    by_organ = """
        | subject_id | organ        | criterion | confirmation | best_response | evaluable |
        | A          | all          | WHO       | unconfirmed  | PD            | yes       |
        | A          | liver        | WHO       | unconfirmed  | PR            | yes       |
        | A          | extrahepatic | WHO       | unconfirmed  | PD            | yes       |
    """
    found = run(
        dosimetry_summary,
        {
            "treatment_targets": TARGETS,
            "population_members": "| population | subject_id |\n| all | A |",
            "endpoint_criterion": OUTCOMES["endpoint_criterion"],
            "subject_response": by_organ,
        },
    )
    groups = [
        r for r in found if r["measure"] == "activity_gbq" and r["patient_group"].startswith("who:")
    ]
    assert _by(groups, "patient_group", "n", "median") == {
        "who:responder": (0, None),
        "who:non_responder": (1, 5.8),
        "who:not_evaluable": (0, None),
    }


def test_what_is_not_known_of_anyone_is_published_with_its_reason() -> None:
    """Site 2 recorded no dose: no median, never a zero. Recomputed, it has one patient's."""
    recorded = _rows("dose_gy_recorded", population="site:s2")
    assert _by(recorded, "grain", "n", "median", "reason") == {
        "target": (0, None, "no target with a known value"),
        "session": (0, None, "no session with a known value"),
        "subject": (0, None, "no subject with a known value"),
    }
    recomputed = _by(_rows("dose_gy", population="site:s2"), "grain", "median", "statistic_id")
    assert recomputed["subject"] == (60.0, "dosimetry_summary.site:s2.dose_gy.subject.overall")


def test_each_dose_lists_the_patients_that_have_it() -> None:
    """Two targets of one patient make one member; the sets are the same for every population."""
    check(
        dosimetry_summary_sets,
        {
            "endpoint_criterion": "| criterion | judged |\n| WHO | yes |",
            "treatment_targets": """
                | subject_id | session_number | target_number | dose_gy | target_mass_kg |
                | A          | 1              | 1             | 100     |                |
                | A          | 1              | 2             | 120     |                |
                | B          | 1              | 1             |         |                |
            """,
        },
        """
        | set_id                                                 | subject_id | lesion_number |
        | dosimetry_summary.dose_gy.target.overall               | A          | 0             |
        | dosimetry_summary.dose_gy.session.overall              | A          | 0             |
        | dosimetry_summary.dose_gy.subject.overall              | A          | 0             |
        | dosimetry_summary.dose_gy.subject.who:not_evaluable    | A          | 0             |
        | dosimetry_summary.dose_gy.subject.bilirubin:not_graded | A          | 0             |
        """,
    )
