"""Clinical adverse events: terms, versions, treatment-emergence, attribution, unions."""

from schemas.contract import Table
from schemas.settings import ToxicitySettings
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import LabGrades, Toxicity
from schemas.tables.registry import AdverseEvents
from tests.support.pipe_tables import check
from transforms.toxicity.toxicity import toxicity

ANCHORS = """
    | subject_id | t0_date | last_session_date |
    | A          | d0      | d35               |
    | B          | d0      | d0                |
    | C          | d0      | d0                |
"""
V3 = ToxicitySettings(ctcae_versions=("3.0",))


def events(text: str) -> dict[str, str]:
    """The events, of patients treated on day 0, A also on day 35."""
    return {"anchors": ANCHORS, "adverse_events": text}


def at_any_time(
    lab_grades: Table[LabGrades],
    adverse_events: Table[AdverseEvents],
    anchors: Table[Anchors],
    *,
    settings: ToxicitySettings,
) -> Table[Toxicity]:
    """The rows of the window without an end."""
    found = toxicity(lab_grades, adverse_events, anchors, settings=settings)
    return found.filter(found.time_window == "any")


def test_words_of_a_registry_are_mapped_to_ctcae_terms() -> None:
    """MedDRA preferred terms, British spelling and the long names of version 3.0 mean the same.

    A word that is not known passes under its own name.

    Source: names and codes that CTCAE v3.0 and v4 print.
    """
    check(
        toxicity,
        events("""
        | subject_id | term                                  | onset_date | grade |
        | A          | Pyrexia                               | d200       | 1     |
        | A          | Diarrhoea                             | d200       | 1     |
        | A          | Fatigue (asthenia, lethargy, malaise) | d200       | 1     |
        | A          |  Pain - Abdomen NOS                   | d200       | 1     |
        | B          | Weight decreased                      | d300       | 1     |
        | B          | Rigors/chills                         | d300       | 1     |
        | B          | Hiccups                               | d300       | 2     |
        """),
        """
        | subject_id | term                    | time_window | worst_grade |
        | A          | fever                   | any         | 1           |
        | A          | fever                   | late        | 1           |
        | A          | fever or chills         | any         | 1           |
        | A          | fever or chills         | late        | 1           |
        | A          | diarrhea                | any         | 1           |
        | A          | diarrhea                | late        | 1           |
        | A          | diarrhea or weight loss | any         | 1           |
        | A          | diarrhea or weight loss | late        | 1           |
        | A          | fatigue                 | any         | 1           |
        | A          | fatigue                 | late        | 1           |
        | A          | abdominal pain          | any         | 1           |
        | A          | abdominal pain          | late        | 1           |
        | B          | weight loss             | any         | 1           |
        | B          | diarrhea or weight loss | any         | 1           |
        | B          | chills                  | any         | 1           |
        | B          | fever or chills         | any         | 1           |
        | B          | hiccups                 | any         | 2           |
        | A          | post-embolisation syndrome | any         | 1           |
        | A          | post-embolisation syndrome | late        | 1           |
        | B          | chills                  | late_6_to_12_months | 1           |
        | B          | diarrhea or weight loss | late_6_to_12_months | 1           |
        | B          | fever or chills         | late_6_to_12_months | 1           |
        | B          | hiccups                 | late_6_to_12_months | 2           |
        | B          | weight loss             | late_6_to_12_months | 1           |
        """,
        V3,
    )


def test_liver_stomach_and_lung_after_radioembolization_have_ctcae_terms() -> None:
    """The organs that 90Y can reach by mistake: their words in version 3.0 and in radiology.

    Source: names and codes that CTCAE v3.0 and v4 print.
    """
    check(
        toxicity,
        events("""
        | subject_id | term                                 | onset_date | grade |
        | B          | REILD                                | d300       | 3     |
        | B          | Pain - Liver                         | d300       | 2     |
        | B          | Ulcer, GI - Stomach                  | d300       | 2     |
        | B          | Ulcer, GI - Duodenum                 | d300       | 3     |
        | B          | Radiation pneumonitis                | d300       | 1     |
        | C          | Liver dysfunction/failure (clinical) | d300       | 4     |
        """),
        """
        | subject_id | term            | time_window | worst_grade |
        | B          | hepatic failure | any         | 3           |
        | B          | hepatic pain    | any         | 2           |
        | B          | gastric ulcer   | any         | 2           |
        | B          | duodenal ulcer  | any         | 3           |
        | B          | pneumonitis     | any         | 1           |
        | C          | hepatic failure | any         | 4           |
        | B          | duodenal ulcer  | late_6_to_12_months | 3           |
        | B          | gastric ulcer   | late_6_to_12_months | 2           |
        | B          | hepatic failure | late_6_to_12_months | 3           |
        | B          | hepatic pain    | late_6_to_12_months | 2           |
        | B          | pneumonitis     | late_6_to_12_months | 1           |
        | C          | hepatic failure | late_6_to_12_months | 4           |
        """,
        V3,
    )


def test_an_event_counts_whatever_language_its_centre_writes() -> None:
    """Nausea in German, French, Italian, Spanish and Dutch is nausea, in any case.

    A had a second session, so that day 100 lies within 90 days of the last.
    """
    words = (
        ("A", "Übelkeit", "nausées"),
        ("B", "misselijkheid", "Náuseas"),
        ("C", "NAUSEA", "nausée"),
    )
    given = "".join(
        f"| {who} | {one} | d100 | 2 |\n| {who} | {other} | d5 | 1 |\n" for who, one, other in words
    )
    check(
        toxicity,
        events(f"| subject_id | term | onset_date | grade |\n{given}"),
        """
        | subject_id | term               | time_window | worst_grade | worst_day |
        | A          | nausea             | acute       | 1           | 5         |
        | A          | nausea             | primary     | 2           | 100       |
        | A          | nausea             | any         | 2           | 100       |
        | A          | nausea or vomiting | acute       | 1           | 5         |
        | A          | nausea or vomiting | primary     | 2           | 100       |
        | A          | nausea or vomiting | any         | 2           | 100       |
        | B          | nausea             | acute       | 1           | 5         |
        | B          | nausea             | primary     | 1           | 5         |
        | B          | nausea             | late        | 2           | 100       |
        | B          | nausea             | any         | 2           | 100       |
        | B          | nausea or vomiting | acute       | 1           | 5         |
        | B          | nausea or vomiting | primary     | 1           | 5         |
        | B          | nausea or vomiting | late        | 2           | 100       |
        | B          | nausea or vomiting | any         | 2           | 100       |
        | C          | nausea             | acute       | 1           | 5         |
        | C          | nausea             | primary     | 1           | 5         |
        | C          | nausea             | late        | 2           | 100       |
        | C          | nausea             | any         | 2           | 100       |
        | C          | nausea or vomiting | acute       | 1           | 5         |
        | C          | nausea or vomiting | primary     | 1           | 5         |
        | C          | nausea or vomiting | late        | 2           | 100       |
        | C          | nausea or vomiting | any         | 2           | 100       |
        | A          | post-embolisation syndrome | acute       | 1           | 5         |
        | A          | post-embolisation syndrome | any         | 2           | 100       |
        | A          | post-embolisation syndrome | primary     | 2           | 100       |
        | B          | post-embolisation syndrome | acute       | 1           | 5         |
        | B          | post-embolisation syndrome | any         | 2           | 100       |
        | B          | post-embolisation syndrome | late        | 2           | 100       |
        | B          | post-embolisation syndrome | primary     | 1           | 5         |
        | C          | post-embolisation syndrome | acute       | 1           | 5         |
        | C          | post-embolisation syndrome | any         | 2           | 100       |
        | C          | post-embolisation syndrome | late        | 2           | 100       |
        | C          | post-embolisation syndrome | primary     | 1           | 5         |
        """,
        V3,
    )


def test_events_count_from_the_day_of_treatment() -> None:
    """Nausea on the day of a session belongs to it; a laboratory result of that day does not."""
    check(
        toxicity,
        events("""
        | subject_id | term    | onset_date | grade |
        | A          | fatigue | d0         | 1     |
        | B          | fatigue | d31        | 1     |
        | C          | fatigue | d91        | 1     |
        """),
        """
        | subject_id | time_window | worst_day |
        | A          | acute       | 0         |
        | A          | primary     | 0         |
        | A          | any         | 0         |
        | B          | primary     | 31        |
        | B          | any         | 31        |
        | C          | late        | 91        |
        | C          | any         | 91        |
        | A          | acute       | 0         |
        | A          | any         | 0         |
        | A          | primary     | 0         |
        | B          | any         | 31        |
        | B          | primary     | 31        |
        | C          | any         | 91        |
        | C          | late        | 91        |
        """,
        V3,
    )


def test_only_treatment_emergent_events_count() -> None:
    """Begun on or after T0, or of unknown start; never what ended before, or merely went on.

    An event that was running at T0 and was fatal worsened after it: whoever was treated was alive.

    Source: admiral derive_var_trtemfl.
    """
    check(
        toxicity,
        events("""
        | subject_id | term      | onset_date | end_date | grade | outcome |
        | A          | fatigue   | d-9        | d-1      | 3     |         |
        | A          | hiccups   | d-9        |          | 2     | ongoing |
        | A          | ascites   | d-9        | d300     | 5     | fatal   |
        | A          | flushing  |            | d-1      | 1     |         |
        | B          | fatigue   |            |          | 2     |         |
        | B          | anorexia  | d-9        | d300     | 1     |         |
        | B          | anorexia  | d300       |          | 2     |         |
        | untreated  | fatigue   | d9         |          | 2     |         |
        """),
        """
        | subject_id | term     | time_window | baseline_grade | worst_grade | worst_day | emergent |
        | A          | ascites  | any         | 5              | 5           | 300       | yes      |
        | B          | fatigue  | acute       |                | 2           |           | yes      |
        | B          | fatigue  | primary     |                | 2           |           | yes      |
        | B          | fatigue  | any         |                | 2           |           | yes      |
        | B          | anorexia | any         | 1              | 2           | 300       | yes      |
        | B          | post-embolisation syndrome | acute       | 1              | 2           |           | yes      |
        | B          | post-embolisation syndrome | any         | 1              | 2           | 300       | yes      |
        | B          | post-embolisation syndrome | primary     | 1              | 2           |           | yes      |
        | A          | ascites  | late_6_to_12_months | 5              | 5           | 300       | yes      |
        | B          | anorexia | late_6_to_12_months | 1              | 2           | 300       | yes      |
        | B          | post-embolisation syndrome | late_6_to_12_months | 1              | 2           | 300       | yes      |
        """,
        V3,
    )


def test_a_start_known_to_the_month_of_treatment_is_not_before_it() -> None:
    """T0 is 20 January; "January" was imputed as the 15th, and may be the 21st."""
    check(
        toxicity,
        {
            "anchors": """
            | subject_id | t0_date    | last_session_date |
            | A          | 2020-01-20 | 2020-01-20        |
            """,
            "adverse_events": """
            | subject_id | term    | onset_date | onset_date_precision | grade |
            | A          | fatigue | 2020-01-15 | month                | 1     |
            | A          | nausea  | 2020-01-15 | day                  | 1     |
            | A          | hiccups | 2019-12-15 | month                | 1     |
            """,
        },
        """
        | term    | time_window | worst_day |
        | fatigue | acute       | 0         |
        | fatigue | primary     | 0         |
        | fatigue | any         | 0         |
        | post-embolisation syndrome | acute       | 0         |
        | post-embolisation syndrome | any         | 0         |
        | post-embolisation syndrome | primary     | 0         |
        """,
        V3,
    )


def test_a_grade_is_known_in_the_version_in_which_it_was_given() -> None:
    """The event itself happened, whatever the version; without a version the grade is any's.

    A fatigue of grade 4 exists in version 3.0 only, cholecystitis of grade 1 too.
    """
    check(
        at_any_time,
        events("""
        | subject_id | term          | onset_date | grade | ctcae_version |
        | A          | fatigue       | d300       | 2     | 4.03          |
        | B          | fatigue       | d300       | 4     |               |
        | C          | cholecystitis | d300       | 1     |               |
        | C          | fatigue       | d300       |       | 3.0           |
        """),
        """
        | subject_id | term          | ctcae_version | worst_grade | reason                       |
        | A          | fatigue       | 3.0           |             | graded in CTCAE 4.03         |
        | A          | fatigue       | 4.03          | 2           |                              |
        | A          | fatigue       | 5.0           |             | graded in CTCAE 4.03         |
        | B          | fatigue       | 3.0           | 4           |                              |
        | B          | fatigue       | 4.03          |             | grade 4 is not in CTCAE 4.03 |
        | B          | fatigue       | 5.0           |             | grade 4 is not in CTCAE 5.0  |
        | C          | cholecystitis | 3.0           | 1           |                              |
        | C          | cholecystitis | 4.03          |             | grade 1 is not in CTCAE 4.03 |
        | C          | cholecystitis | 5.0           |             | grade 1 is not in CTCAE 5.0  |
        | C          | fatigue       | 3.0           |             | no grade recorded            |
        | C          | fatigue       | 4.03          |             | graded in CTCAE 3.0          |
        | C          | fatigue       | 5.0           |             | graded in CTCAE 3.0          |
        | A          | post-embolisation syndrome | 3.0           |             | graded in CTCAE 4.03         |
        | A          | post-embolisation syndrome | 4.03          | 2           |                              |
        | A          | post-embolisation syndrome | 5.0           |             | graded in CTCAE 4.03         |
        | B          | post-embolisation syndrome | 3.0           | 4           |                              |
        | B          | post-embolisation syndrome | 4.03          |             | grade 4 is not in CTCAE 4.03 |
        | B          | post-embolisation syndrome | 5.0           |             | grade 4 is not in CTCAE 5.0  |
        | C          | post-embolisation syndrome | 3.0           |             | no grade recorded            |
        | C          | post-embolisation syndrome | 4.03          |             | graded in CTCAE 3.0          |
        | C          | post-embolisation syndrome | 5.0           |             | graded in CTCAE 3.0          |
        """,
    )


def test_no_clinical_term_has_a_grade_in_version_6_but_what_was_graded_in_it() -> None:
    """Its clinical terms are not held here: an event of another version or of none is no event of 6.0.

    Source: admiral transcribes the laboratory terms of CTCAE v6.0 alone.
    """
    check(
        at_any_time,
        events("""
        | subject_id | term          | onset_date | grade | ctcae_version |
        | A          | fatigue       | d300       | 2     | 6.0           |
        | B          | fatigue       | d300       | 2     |               |
        | C          | fatigue       | d300       | 2     | 5.0           |
        """),
        """
        | subject_id | term    | ctcae_version | worst_grade | reason              |
        | A          | fatigue | 3.0           |             | graded in CTCAE 6.0 |
        | A          | fatigue | 4.03          |             | graded in CTCAE 6.0 |
        | A          | fatigue | 5.0           |             | graded in CTCAE 6.0 |
        | A          | fatigue | 6.0           | 2           |                     |
        | B          | fatigue | 3.0           | 2           |                     |
        | B          | fatigue | 4.03          | 2           |                     |
        | B          | fatigue | 5.0           | 2           |                     |
        | C          | fatigue | 3.0           |             | graded in CTCAE 5.0 |
        | C          | fatigue | 4.03          |             | graded in CTCAE 5.0 |
        | C          | fatigue | 5.0           | 2           |                     |
        | A          | post-embolisation syndrome | 3.0           |             | graded in CTCAE 6.0 |
        | A          | post-embolisation syndrome | 4.03          |             | graded in CTCAE 6.0 |
        | A          | post-embolisation syndrome | 5.0           |             | graded in CTCAE 6.0 |
        | A          | post-embolisation syndrome | 6.0           | 2           |                     |
        | B          | post-embolisation syndrome | 3.0           | 2           |                     |
        | B          | post-embolisation syndrome | 4.03          | 2           |                     |
        | B          | post-embolisation syndrome | 5.0           | 2           |                     |
        | C          | post-embolisation syndrome | 3.0           |             | graded in CTCAE 5.0 |
        | C          | post-embolisation syndrome | 4.03          |             | graded in CTCAE 5.0 |
        | C          | post-embolisation syndrome | 5.0           | 2           |                     |
        """,
    )


def test_cholecystitis_that_needed_cholecystectomy_is_at_least_grade_3() -> None:
    """Operative treatment is grade 3 in every version. The raised grade says what was recorded.

    Source: CTCAE v3.0 and v4.03, cholecystitis; Kanani on Memon 2012 (one such patient).
    """
    check(
        at_any_time,
        events("""
        | subject_id | term                    | onset_date | grade | procedure               |
        | A          | radiation cholecystitis | d300       | 2     | elective Cholecystectomy |
        | B          | cholecystitis           | d300       | 4     | urgent cholecystectomy  |
        | C          | cholecystitis           | d300       | 2     | antibiotics             |
        """),
        """
        | subject_id | worst_grade | reason                                       |
        | A          | 3           | recorded grade 2, raised to 3: cholecystectomy |
        | B          | 4           |                                              |
        | C          | 2           |                                              |
        """,
        V3,
    )


def test_unions_count_patients_and_not_events() -> None:
    """Nausea and vomiting of one patient are one patient, with the worse grade.

    "Diarrhea and weight loss" is printed for two patients; both readings are published: either, and
    both in the same window.

    Source: Kanani on Memon 2012, toxicity paragraph.
    """
    check(
        toxicity,
        events("""
        | row_id | subject_id | term        | onset_date | grade |
        | n      | A          | nausea      | d300       | 1     |
        | v      | A          | vomiting    | d310       | 2     |
        | d      | B          | diarrhea    | d200       | 2     |
        | w      | B          | weight loss | d150       | 1     |
        | x      | C          | diarrhea    | d200       | 1     |
        """),
        """
        | subject_id | term                     | time_window | worst_grade | worst_day | source_row_id |
        | A          | nausea                   | any         | 1           | 300       | n             |
        | A          | vomiting                 | any         | 2           | 310       | v             |
        | A          | nausea or vomiting       | any         | 2           | 310       | v             |
        | B          | diarrhea                 | any         | 2           | 200       | d             |
        | B          | weight loss              | any         | 1           | 150       | w             |
        | B          | weight loss              | late        | 1           | 150       | w             |
        | B          | diarrhea or weight loss  | any         | 2           | 200       | d             |
        | B          | diarrhea or weight loss  | late        | 1           | 150       | w             |
        | B          | diarrhea and weight loss | any         | 2           | 200       | d             |
        | C          | diarrhea                 | any         | 1           | 200       | x             |
        | C          | diarrhea or weight loss  | any         | 1           | 200       | x             |
        | A          | post-embolisation syndrome | any         | 2           | 310       | v             |
        | A          | nausea or vomiting       | late_6_to_12_months | 2           | 310       | v             |
        | A          | nausea                   | late_6_to_12_months | 1           | 300       | n             |
        | A          | post-embolisation syndrome | late_6_to_12_months | 2           | 310       | v             |
        | A          | vomiting                 | late_6_to_12_months | 2           | 310       | v             |
        | B          | diarrhea or weight loss  | late_6_to_12_months | 2           | 200       | d             |
        | B          | diarrhea                 | late_6_to_12_months | 2           | 200       | d             |
        | C          | diarrhea or weight loss  | late_6_to_12_months | 1           | 200       | x             |
        | C          | diarrhea                 | late_6_to_12_months | 1           | 200       | x             |
        """,
        V3,
    )


def test_related_is_possible_or_stronger_unless_the_registry_says_otherwise() -> None:
    """One related event suffices; an unknown relation is not "unrelated"."""
    text = """
        | subject_id | term     | onset_date | grade | related   |
        | A          | fatigue  | d300       | 1     | unlikely  |
        | A          | anorexia | d300       | 1     | possible  |
        | B          | fatigue  | d300       | 2     | unrelated |
        | B          | fatigue  | d310       | 1     | definite  |
        | B          | anorexia | d300       | 1     |           |
        | C          | fatigue  | d300       | 2     | unlikely  |
        | C          | fatigue  | d310       | 1     | unknown   |
    """
    check(
        at_any_time,
        events(text),
        """
        | subject_id | term     | related |
        | A          | fatigue  | no      |
        | A          | anorexia | yes     |
        | B          | fatigue  | yes     |
        | B          | anorexia |         |
        | C          | fatigue  |         |
        | A          | post-embolisation syndrome | yes     |
        | B          | post-embolisation syndrome | yes     |
        | C          | post-embolisation syndrome |         |
        """,
        V3,
    )
    check(
        at_any_time,
        events(text),
        """
        | subject_id | term     | related |
        | A          | fatigue  | no      |
        | A          | anorexia | no      |
        | B          | fatigue  | yes     |
        | B          | anorexia |         |
        | C          | fatigue  |         |
        | A          | post-embolisation syndrome | no      |
        | B          | post-embolisation syndrome | yes     |
        | C          | post-embolisation syndrome |         |
        """,
        ToxicitySettings(ctcae_versions=("3.0",), related_from="probable"),
    )
