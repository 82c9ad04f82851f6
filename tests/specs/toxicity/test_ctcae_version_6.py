"""Version 6.0: what changed, what left, and what it does not say here.

Every bound is written out from the printed text in pharmaverse/admiral's transcription, with a
result just below, at and just above it. A bound belongs to the milder grade, unless the criterion
prints it as reached.

Source: CTCAE v6.0 (NCI 2025), as transcribed in admiral, data-raw/adlb_grading/ncictcaev6.json.
"""

from schemas.settings import ToxicitySettings
from tests.support.grading import graded, straddled
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades

V6 = ("6.0",)


def test_version_6_by_the_limits_of_the_laboratory() -> None:
    """Neutrophils reach grade 4 below 0.1 and platelets below 10 x 10^9/L; neutrophils need no LLN.

    Source: CTCAE v6.0: neutrophils < 1.5, 1.0, 0.5, 0.1; platelets < LLN, 75, 50, 10; white cells
    < LLN, 3, 2, 1 x 10^9/L; haemoglobin < LLN, 10, 8, albumin < LLN, 3, 2 g/dL.
    """
    rising = """
        | bilirubin  | mg/dL | 1.2 | 1.2 | 1.8 | 3.6 | 12   |
        | ast        | U/L   | 35  | 35  | 105 | 175 | 700  |
        | alt        | U/L   | 40  | 40  | 120 | 200 | 800  |
        | ggt        | U/L   | 60  | 60  | 150 | 300 | 1200 |
        | creatinine | mg/dL | 1.2 | 1.2 | 1.8 | 3.6 | 7.2  |
        | inr        | 1     | 1.1 | 1.2 | 1.5 | 2.5 |      |
    """
    falling = """
        | neutrophils | 10*9/L | 2   | 1.5 | 1  | 0.5 | 0.1 |
        | platelets   | 10*9/L | 150 | 150 | 75 | 50  | 10  |
        | wbc         | 10*9/L | 4   | 4   | 3  | 2   | 1   |
        | haemoglobin | g/dL   | 12  | 12  | 10 | 8   |     |
        | albumin     | g/dL   | 3.5 | 3.5 | 3  | 2   |     |
    """
    straddled("6.0", rising, falling)


def test_version_6_after_a_baseline_above_the_limit() -> None:
    """Grade 1 begins at the baseline itself; grade 4 of the transaminases above 4 x baseline.

    The text of grade 3 of AST and ALT adds "up to 5 x ULN"; no such end is coded in admiral, nor
    here.

    Source: CTCAE v6.0: bilirubin from 1.0, > 1.5, 2.5, 10; AST and ALT from 1.0, > 1.5, 2, 4; GGT
    from 1.0, > 1.5, 3, 10 x baseline.
    """
    baselines = """
        | subject_id | analyte   | rel_day | value | unit  | upper_limit |
        | A          | bilirubin | -1      | 2     | mg/dL | 1.2         |
        | A          | ast       | -1      | 80    | U/L   | 40          |
        | A          | alt       | -1      | 60    | U/L   | 40          |
        | A          | ggt       | -1      | 80    | U/L   | 60          |
    """
    rising = """
        | bilirubin | mg/dL | 1.2 | >= 2  | 3   | 5   | 20  |
        | ast       | U/L   | 40  | >= 80 | 120 | 160 | 320 |
        | alt       | U/L   | 40  | >= 60 | 90  | 120 | 240 |
        | ggt       | U/L   | 60  | >= 80 | 120 | 240 | 800 |
    """
    straddled("6.0", rising, "", baseline_labs=baselines)


def test_alkaline_phosphatase_has_one_grade_above_both_baseline_and_limit() -> None:
    """A at a normal baseline of 100; B at 150, above ULN 120; C at 130 under a higher ULN then.

    Above ULN without a baseline it has no grade; within ULN none is needed. Up to T0 ULN alone
    counts. Source: CTCAE v6.0, grade 1: > baseline and ULN; admiral for a missing baseline.
    """
    check(
        lab_grades,
        {
            "labs": """
                | subject_id | lab_date | analyte | value  | unit | upper_limit |
                | A          | d1       | alp     | 120    | U/L  | 120         |
                | A          | d1       | alp     | 120.01 | U/L  | 120         |
                | A          | d1       | alp     | 9000   | U/L  | 120         |
                | B          | d1       | alp     | 149    | U/L  | 120         |
                | B          | d1       | alp     | 150    | U/L  | 120         |
                | B          | d1       | alp     | 150.01 | U/L  | 120         |
                | C          | d1       | alp     | 135    | U/L  | 120         |
                | C          | d1       | alp     | 135    | U/L  | 140         |
                | D          | d1       | alp     | 120    | U/L  | 120         |
                | D          | d1       | alp     | 121    | U/L  | 120         |
                | B          | d0       | alp     | 150    | U/L  | 120         |
            """,
            "anchors": "| subject_id | t0_date |\n" + "\n".join(f"| {w} | d0 |" for w in "ABCD"),
            "baseline_labs": """
                | subject_id | analyte | rel_day | value | unit | upper_limit |
                | A          | alp     | -1      | 100   | U/L  | 120         |
                | B          | alp     | 0       | 150   | U/L  | 120         |
                | C          | alp     | -1      | 130   | U/L  | 140         |
            """,
        },
        """
        | subject_id | rel_day | value  | upper_limit | grade | rule        | reason                 |
        | A          | 1       | 120    | 120         | 0     | <= 1 x ULN  |                        |
        | A          | 1       | 120.01 | 120         | 1     | > 1 x ULN   |                        |
        | A          | 1       | 9000   | 120         | 1     | > 1 x ULN   |                        |
        | B          | 0       | 150    | 120         | 1     | > 1 x ULN   |                        |
        | B          | 1       | 149    | 120         | 0     | <= baseline |                        |
        | B          | 1       | 150    | 120         | 0     | <= baseline |                        |
        | B          | 1       | 150.01 | 120         | 1     | > 1 x ULN   |                        |
        | C          | 1       | 135    | 120         | 1     | > 1 x ULN   |                        |
        | C          | 1       | 135    | 140         | 0     | <= 1 x ULN  |                        |
        | D          | 1       | 120    | 120         | 0     | <= 1 x ULN  |                        |
        | D          | 1       | 121    | 120         |       |             | no comparable baseline |
        """,
        ToxicitySettings(ctcae_versions=V6),
    )


def test_creatinine_is_held_against_a_baseline_below_the_lower_limit_alone() -> None:
    """A at 0.4, below LLN 0.5: grades 2 and 3 by multiples of the baseline, 1 and 4 of ULN.

    At LLN, and without one, the baseline does not count. Source: CTCAE v6.0: > 1.5 and > 3.0 x if
    baseline is below LLN; > 1, 1.5, 3, 6 x ULN; which of both then counts, as in admiral.
    """
    low = """
        | subject_id | analyte    | rel_day | value | unit  | lower_limit | upper_limit |
        | A          | creatinine | -1      | 0.4   | mg/dL | 0.5         | 1.2         |
    """
    straddled("6.0", "| creatinine | mg/dL | 1.2 | | 0.6 | 1.2 | 7.2 |", "", low)
    usual = "| creatinine | mg/dL | 1.2 | 1.2 | 1.8 | 3.6 | 7.2 |"
    straddled("6.0", usual, "", low.replace("| 0.4 ", "| 0.5 "))
    straddled("6.0", usual, "", low.replace("| 0.5 ", "|     "))


def test_an_analyte_without_a_term_is_not_defined_and_never_grade_0() -> None:
    """The transcription has no decrease of lymphocytes in version 6.0: neither 0.1 nor 3 is graded.

    Source: CTCAE v6.0 as in admiral, which lists CD4 lymphocytes decreased and lymphocyte count
    increased alone.
    """
    graded(
        V6,
        """
        | subject_id | lab_date | analyte     | value | unit   | lower_limit |
        | A          | d1       | lymphocytes | 0.1   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 3     | 10*9/L | 1           |
        """,
        """
        | value | grade | rule | reason                   |
        | 0.1   |       |      | not defined in CTCAE 6.0 |
        | 3     |       |      | not defined in CTCAE 6.0 |
        """,
    )


def test_a_censored_result_has_the_worst_grade_of_the_version_or_none() -> None:
    """Platelets < 10 are grade 4, < 25 may be 3 or 4; ALP > 500 is grade 1, its worst.

    More than the limit without a baseline is not known to be above that; B's ALP of more than its
    own baseline of 150 is.

    Source: CTCAE v6.0; a censored result is graded where every value it allows has that grade.
    """
    check(
        lab_grades,
        {
            "labs": """
                | subject_id | lab_date | analyte   | value | value_comparator | unit   | lower_limit | upper_limit |
                | A          | d1       | platelets | 10    | <                | 10*9/L | 150         |             |
                | A          | d1       | platelets | 25    | <                | 10*9/L | 150         |             |
                | A          | d1       | alp       | 500   | >                | U/L    |             | 120         |
                | A          | d1       | alp       | 100   | <                | U/L    |             | 120         |
                | B          | d1       | alp       | 150   | >                | U/L    |             | 120         |
                | C          | d1       | alp       | 120   | >                | U/L    |             | 120         |
            """,
            "anchors": "| subject_id | t0_date |\n" + "\n".join(f"| {w} | d0 |" for w in "ABC"),
            "baseline_labs": """
                | subject_id | analyte | rel_day | value | unit | upper_limit |
                | A          | alp     | -1      | 100   | U/L  | 120         |
                | B          | alp     | -1      | 150   | U/L  | 120         |
            """,
        },
        """
        | analyte   | value | grade | reason                 |
        | platelets | 10    | 4     |                        |
        | platelets | 25    |       | censored               |
        | alp       | 500   | 1     |                        |
        | alp       | 100   | 0     |                        |
        | alp       | 150   | 1     |                        |
        | alp       | 120   |       | no comparable baseline |
        """,
        ToxicitySettings(ctcae_versions=V6),
    )
