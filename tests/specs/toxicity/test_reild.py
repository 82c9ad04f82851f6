"""Candidates for radioembolization-induced liver disease, for adjudication."""

from tests.support.pipe_tables import check
from transforms.toxicity.reild import reild_candidates

ANCHORS = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
    | F          | d0      |
"""
SESSIONS = """
    | subject_id | session_number | session_date | course |
    | A          | 1              | d0           | 1      |
    | B          | 1              | d0           | 1      |
    | C          | 1              | d0           | 1      |
    | D          | 1              | d0           | 1      |
    | E          | 1              | d0           | 1      |
    | F          | 1              | d0           | 1      |
"""
BASELINE = """
    | subject_id | analyte   | value | unit  |
    | A          | bilirubin | 1.0   | mg/dL |
    | B          | bilirubin | 1.0   | mg/dL |
    | C          | bilirubin | 1.0   | mg/dL |
    | D          | bilirubin | 1.0   | mg/dL |
    | E          | bilirubin | 3.5   | mg/dL |
"""
ASCITES = """
    | subject_id | assessment_date | ascites |
    | A          | d-1             | none    |
    | B          | d-1             | none    |
    | C          | d-1             | none    |
    | D          | d-1             | slight  |
    | E          | d-1             | none    |
    | A          | d60             | slight  |
    | B          | d60             | slight  |
    | C          | d60             | slight  |
    | D          | d60             | slight  |
    | E          | d60             | slight  |
    | F          | d60             | slight  |
"""


def test_a_candidate_has_high_bilirubin_and_ascites_or_falling_albumin() -> None:
    """Bilirubin must exceed 3.0 mg/dL, which is 51.3 umol/L, and its own baseline.

    A at 3.01; B at exactly 3.0; C at 51.4 umol/L; D without new ascites; E no higher than before;
    F without any baseline, for whom all is new.

    Source: Braat's definition of REILD, as cited by van Roekel 2020.
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": SESSIONS,
            "baseline_labs": BASELINE,
            "assessments": ASCITES,
            "labs": """
            | row_id | subject_id | lab_date | analyte   | value | unit   |
            | a1     | A          | d70      | bilirubin | 4     | mg/dL  |
            | a2     | A          | d40      | bilirubin | 3.01  | mg/dL  |
            | b      | B          | d40      | bilirubin | 3     | mg/dL  |
            | c      | C          | d40      | bilirubin | 51.4  | umol/L |
            | d      | D          | d40      | bilirubin | 9     | mg/dL  |
            | e      | E          | d40      | bilirubin | 3.5   | mg/dL  |
            | f      | F          | d40      | bilirubin | 3.5   | mg/dL  |
            """,
        },
        """
        | subject_id | rel_day | status    | reason_codes      | baseline_bilirubin | source_row_id |
        | A          | 40      | candidate | bilirubin ascites | 1                  | a2            |
        | C          | 40      | candidate | bilirubin ascites | 17.1               | c             |
        | F          | 40      | candidate | bilirubin ascites |                    | f             |
        """,
    )


def test_only_two_weeks_to_four_months_after_treatment_count() -> None:
    """Days 14 to 122; the bilirubin and what goes with it must both lie there."""
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": SESSIONS,
            "lab_grades": """
            | subject_id | analyte | ctcae_version | rel_day | is_baseline | grade |
            | A          | albumin | 3.0           | -1      | yes         | 0     |
            | A          | albumin | 3.0           | 14      | no          | 1     |
            | B          | albumin | 3.0           | -1      | yes         | 0     |
            | B          | albumin | 3.0           | 122     | no          | 1     |
            | C          | albumin | 3.0           | -1      | yes         | 1     |
            | C          | albumin | 3.0           | 60      | no          | 1     |
            | D          | albumin | 3.0           | -1      | yes         | 0     |
            | D          | albumin | 3.0           | 123     | no          | 2     |
            | E          | albumin | 3.0           | -1      | yes         | 0     |
            | E          | albumin | 3.0           | 60      | no          | 1     |
            | F          | albumin | 3.0           | -1      | yes         | 0     |
            | F          | albumin | 3.0           | 60      | no          | 1     |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d14      | bilirubin | 4     | mg/dL |
            | B          | d122     | bilirubin | 4     | mg/dL |
            | C          | d60      | bilirubin | 4     | mg/dL |
            | D          | d60      | bilirubin | 4     | mg/dL |
            | E          | d13      | bilirubin | 4     | mg/dL |
            | F          | d123     | bilirubin | 4     | mg/dL |
            """,
        },
        """
        | subject_id | rel_day | reason_codes      |
        | A          | 14      | bilirubin albumin |
        | B          | 122     | bilirubin albumin |
        """,
    )


def test_progression_in_the_liver_or_obstructed_ducts_exclude_a_candidate() -> None:
    """Up to 30 days after the onset; who is excluded stays visible, without a Braat grade.

    A by a grown liver lesion on day 70, B by one on day 71 too late, C by obstruction, D by a new
    liver lesion, E not by a new lesion elsewhere.
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": SESSIONS,
            "assessments": """
            | subject_id | assessment_date | ascites | biliary_obstruction |
            | A          | d60             | slight  |                     |
            | B          | d60             | slight  |                     |
            | C          | d60             | slight  | yes                 |
            | D          | d60             | slight  | no                  |
            | E          | d60             | slight  |                     |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d40      | bilirubin | 4     | mg/dL |
            | B          | d40      | bilirubin | 4     | mg/dL |
            | C          | d40      | bilirubin | 4     | mg/dL |
            | D          | d40      | bilirubin | 4     | mg/dL |
            | E          | d40      | bilirubin | 4     | mg/dL |
            """,
            "subject_lesions": """
            | subject_id | lesion_number | organ |
            | A          | 1             | liver |
            | B          | 1             | liver |
            """,
            "lesion_assessments": """
            | subject_id | lesion_number | criterion | rel_day | response |
            | A          | 1             | WHO       | 70      | PD       |
            | B          | 1             | WHO       | 71      | PD       |
            """,
            "subject_assessments": """
            | subject_id | criterion | rel_day | new_lesion   |
            | D          | WHO       | 60      | hepatic      |
            | E          | WHO       | 60      | extrahepatic |
            """,
        },
        """
        | subject_id | status    | excluded_by         | braat_grade |
        | A          | excluded  | hepatic_progression |             |
        | B          | candidate |                     | 3           |
        | C          | excluded  | biliary_obstruction |             |
        | D          | excluded  | hepatic_progression |             |
        | E          | candidate |                     | 3           |
        """,
    )


def test_the_braat_grade_is_the_least_that_the_records_support() -> None:
    """Invasive treatment is grade 4, death by liver failure or treatment grade 5.

    Source: Braat's hepatotoxicity grades, as cited by van Roekel 2020.
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": SESSIONS,
            "assessments": """
            | subject_id | assessment_date | ascites |
            | A          | d60             | slight  |
            | B          | d60             | slight  |
            | C          | d60             | slight  |
            | D          | d60             | slight  |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d40      | bilirubin | 4     | mg/dL |
            | B          | d40      | bilirubin | 4     | mg/dL |
            | C          | d40      | bilirubin | 4     | mg/dL |
            | D          | d40      | bilirubin | 4     | mg/dL |
            """,
            "adverse_events": """
            | subject_id | term    | onset_date | procedure    |
            | A          | ascites | d50        | diuretics    |
            | B          | ascites | d50        | Paracentesis |
            """,
            "contacts": """
            | subject_id | contact_date | contact_type | cause_of_death |
            | C          | d100         | death        | liver_failure  |
            | D          | d100         | death        | tumour         |
            """,
        },
        """
        | subject_id | braat_grade |
        | A          | 3           |
        | B          | 4           |
        | C          | 5           |
        | D          | 3           |
        """,
    )


STAGED = """
    | subject_id | session_number | session_date | course |
    | A          | 1              | d0           | 1      |
    | A          | 2              | d40          | 1      |
    | B          | 1              | d0           | 1      |
    | B          | 2              | d40          | 1      |
    | C          | 1              | d0           | 1      |
    | C          | 2              | d80          | 1      |
    | D          | 1              | d0           | 1      |
    | D          | 2              | d300         | 2      |
"""


def test_a_day_belongs_to_the_latest_session_fourteen_to_122_days_before_it() -> None:
    """Sessions on days 0 and 40: day 50 is 10 days after the second, so it belongs to the first.

    Day 60 belongs to the second. With a second session on day 80 the picture on day 140 counts,
    and with a re-treatment on day 300 that on day 345: neither lies 14 to 122 days after T0.
    Albumin of 2.4 g/dL is grade 2 (Source: CTCAE 3.0: 2 to below 3 g/dL).
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": STAGED,
            "baseline_labs": BASELINE,
            "assessments": """
            | subject_id | assessment_date | ascites |
            | A          | d-1             | none    |
            | A          | d50             | slight  |
            | B          | d-1             | none    |
            | B          | d60             | slight  |
            | C          | d-1             | none    |
            | C          | d140            | slight  |
            | D          | d-1             | none    |
            | D          | d345            | slight  |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d50      | bilirubin | 6.0   | mg/dL |
            | B          | d60      | bilirubin | 6.0   | mg/dL |
            | C          | d140     | bilirubin | 6.0   | mg/dL |
            | D          | d345     | bilirubin | 6.0   | mg/dL |
            """,
            "lab_grades": """
            | subject_id | analyte | ctcae_version | rel_day | sequence | is_baseline | value | unit | grade |
            | C          | albumin | 3.0           | -1      | 1        | yes         | 4.0   | g/dL | 0     |
            | C          | albumin | 3.0           | 140     | 1        | no          | 2.4   | g/dL | 2     |
            | D          | albumin | 3.0           | 299     | 1        | no          | 3.8   | g/dL | 0     |
            | D          | albumin | 3.0           | 345     | 1        | no          | 2.4   | g/dL | 2     |
            """,
        },
        """
        | subject_id | course | session_number | rel_day | reason_codes              |
        | A          | 1      | 1              | 50      | bilirubin ascites         |
        | B          | 1      | 2              | 60      | bilirubin ascites         |
        | C          | 1      | 2              | 140     | bilirubin ascites albumin |
        | D          | 2      | 2              | 345     | bilirubin ascites albumin |
        """,
    )


def test_the_baseline_is_the_last_value_up_to_the_first_session_of_the_course() -> None:
    """Re-treated on day 300. Of A all was worse already: bilirubin 4.0, ascites, albumin grade 2.

    B rises from 2.0, from no ascites to slight ascites; C's albumin falls from grade 1 to 2, and
    its planned course stays a row of its own. In a staged course the baseline is before T0, not
    before the second session: E's bilirubin of 3.5 on day 30 is no baseline.
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": """
            | subject_id | session_number | session_date | course |
            | A          | 1              | d0           | 1      |
            | A          | 2              | d300         | 2      |
            | B          | 1              | d0           | 1      |
            | B          | 2              | d300         | 2      |
            | C          | 1              | d0           | 1      |
            | C          | 2              | d300         | 2      |
            | E          | 1              | d0           | 1      |
            | E          | 2              | d40          | 1      |
            """,
            "baseline_labs": """
            | subject_id | analyte   | value | unit  |
            | A          | bilirubin | 1.0   | mg/dL |
            | B          | bilirubin | 1.0   | mg/dL |
            | C          | bilirubin | 1.0   | mg/dL |
            | E          | bilirubin | 1.0   | mg/dL |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d290     | bilirubin | 4.0   | mg/dL |
            | A          | d345     | bilirubin | 4.0   | mg/dL |
            | B          | d300     | bilirubin | 2.0   | mg/dL |
            | B          | d345     | bilirubin | 4.0   | mg/dL |
            | C          | d60      | bilirubin | 3.2   | mg/dL |
            | C          | d280     | bilirubin | 1.1   | mg/dL |
            | C          | d345     | bilirubin | 4.0   | mg/dL |
            | E          | d30      | bilirubin | 3.5   | mg/dL |
            | E          | d60      | bilirubin | 3.4   | mg/dL |
            """,
            "assessments": """
            | subject_id | assessment_date | ascites |
            | A          | d-1             | none    |
            | A          | d290            | slight  |
            | A          | d345            | slight  |
            | B          | d200            | slight  |
            | B          | d299            | none    |
            | B          | d345            | slight  |
            | E          | d60             | slight  |
            """,
            "lab_grades": """
            | subject_id | analyte | ctcae_version | rel_day | sequence | is_baseline | grade |
            | A          | albumin | 3.0           | -1      | 1        | yes         | 0     |
            | A          | albumin | 3.0           | 290     | 1        | no          | 2     |
            | A          | albumin | 3.0           | 345     | 1        | no          | 2     |
            | C          | albumin | 3.0           | -1      | 1        | yes         | 0     |
            | C          | albumin | 3.0           | 60      | 1        | no          | 1     |
            | C          | albumin | 3.0           | 290     | 1        | no          | 1     |
            | C          | albumin | 3.0           | 345     | 1        | no          | 2     |
            """,
        },
        """
        | subject_id | course | session_number | rel_day | reason_codes      | baseline_bilirubin |
        | B          | 2      | 2              | 345     | bilirubin ascites | 2                  |
        | C          | 1      | 1              | 60      | bilirubin albumin | 1                  |
        | C          | 2      | 2              | 345     | bilirubin albumin | 1.1                |
        | E          | 1      | 1              | 30      | bilirubin ascites | 1                  |
        """,
    )


def test_deaths_procedures_and_progression_belong_to_their_course_likewise() -> None:
    """Late is up to 183 days after the latest session; what came before a re-treatment is older.

    A dies on day 480, 180 days after the re-treatment; B on day 484, a day too late. C's drainage
    on day 350 belongs to the re-treatment and not to the candidate of the planned course. D's liver
    lesion grew on day 290, before the re-treatment, and again on day 360.
    """
    check(
        reild_candidates,
        {
            "anchors": ANCHORS,
            "sessions": """
            | subject_id | session_number | session_date | course |
            | A          | 1              | d0           | 1      |
            | A          | 2              | d300         | 2      |
            | B          | 1              | d0           | 1      |
            | B          | 2              | d300         | 2      |
            | C          | 1              | d0           | 1      |
            | C          | 2              | d340         | 2      |
            | D          | 1              | d0           | 1      |
            | D          | 2              | d300         | 2      |
            | E          | 1              | d0           | 1      |
            | E          | 2              | d300         | 2      |
            """,
            "assessments": """
            | subject_id | assessment_date | ascites |
            | A          | d345            | slight  |
            | B          | d345            | slight  |
            | C          | d60             | slight  |
            | D          | d345            | slight  |
            | E          | d345            | slight  |
            """,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit  |
            | A          | d345     | bilirubin | 4     | mg/dL |
            | B          | d345     | bilirubin | 4     | mg/dL |
            | C          | d60      | bilirubin | 4     | mg/dL |
            | D          | d345     | bilirubin | 4     | mg/dL |
            | E          | d345     | bilirubin | 4     | mg/dL |
            """,
            "adverse_events": """
            | subject_id | term    | onset_date | procedure    |
            | C          | ascites | d350       | Paracentesis |
            """,
            "contacts": """
            | subject_id | contact_date | contact_type | cause_of_death |
            | A          | d480         | death        | liver_failure  |
            | B          | d484         | death        | liver_failure  |
            """,
            "subject_lesions": """
            | subject_id | lesion_number | organ |
            | D          | 1             | liver |
            | E          | 1             | liver |
            """,
            "lesion_assessments": """
            | subject_id | lesion_number | criterion | rel_day | response |
            | D          | 1             | WHO       | 290     | PD       |
            | D          | 1             | WHO       | 360     | PD       |
            | E          | 1             | WHO       | 290     | PD       |
            """,
        },
        """
        | subject_id | course | status    | excluded_by         | braat_grade |
        | A          | 2      | candidate |                     | 5           |
        | B          | 2      | candidate |                     | 3           |
        | C          | 1      | candidate |                     | 3           |
        | D          | 2      | excluded  | hepatic_progression |             |
        | E          | 2      | candidate |                     | 3           |
        """,
    )
