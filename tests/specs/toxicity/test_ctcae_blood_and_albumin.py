"""CTCAE grades of analytes that fall: albumin, haemoglobin and the blood counts.

Every threshold has a result just above it, at it and just below it. A threshold belongs to the
milder grade.
"""

from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
"""
ALL = ("3.0", "4.03", "5.0")


def graded(versions: tuple[str, ...], labs: str, expected: str) -> None:
    """Grade the results in each version; the same table is expected of each."""
    for version in versions:
        given = {"labs": labs, "anchors": T0}
        check(lab_grades, given, expected, ToxicitySettings(ctcae_versions=(version,)))


def test_lymphocytes_are_graded_by_fixed_counts_below_the_lower_limit() -> None:
    """0.5 is grade 2 and 0.2 grade 3: the lower end of a range belongs to the milder grade.

    Source: CTCAE v3.0, v4.03, v5.0: < LLN, < 0.8, < 0.5, < 0.2 x 10^9/L.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit   | lower_limit |
        | A          | d1       | lymphocytes | 1     | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.999 | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.8   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.799 | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.5   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.499 | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.2   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | 0.199 | 10*9/L | 1           |
        """,
        """
        | value | grade | rule         |
        | 1     | 0     | >= LLN       |
        | 0.999 | 1     | < LLN        |
        | 0.8   | 1     | < LLN        |
        | 0.799 | 2     | < 0.8 10*9/L |
        | 0.5   | 2     | < 0.8 10*9/L |
        | 0.499 | 3     | < 0.5 10*9/L |
        | 0.2   | 3     | < 0.5 10*9/L |
        | 0.199 | 4     | < 0.2 10*9/L |
        """,
    )


def test_a_count_below_the_threshold_of_grade_2_is_grade_2_even_above_the_lower_limit() -> None:
    """Where a laboratory's LLN is 0.8 or lower, grade 1 is empty: the worst grade is tested first.

    Source: order of tests in admiral.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit   | lower_limit |
        | A          | d1       | lymphocytes | 0.8   | 10*9/L | 0.8         |
        | A          | d1       | lymphocytes | 0.79  | 10*9/L | 0.8         |
        | A          | d1       | lymphocytes | 0.75  | 10*9/L | 0.7         |
        """,
        """
        | value | grade |
        | 0.8   | 0     |
        | 0.79  | 2     |
        | 0.75  | 2     |
        """,
    )


def test_neutrophils_and_white_cells_have_thresholds_of_their_own() -> None:
    """Neutrophils 1.5, 1.0, 0.5; white cells 3, 2, 1.

    Source: CTCAE v3.0, v4.03, v5.0.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit   | lower_limit |
        | A          | d1       | neutrophils | 2     | 10*9/L | 2           |
        | A          | d1       | neutrophils | 1.999 | 10*9/L | 2           |
        | A          | d1       | neutrophils | 1.5   | 10*9/L | 2           |
        | A          | d1       | neutrophils | 1.499 | 10*9/L | 2           |
        | A          | d1       | neutrophils | 1     | 10*9/L | 2           |
        | A          | d1       | neutrophils | 0.999 | 10*9/L | 2           |
        | A          | d1       | neutrophils | 0.5   | 10*9/L | 2           |
        | A          | d1       | neutrophils | 0.499 | 10*9/L | 2           |
        | A          | d1       | wbc         | 4     | 10*9/L | 4           |
        | A          | d1       | wbc         | 3.999 | 10*9/L | 4           |
        | A          | d1       | wbc         | 3     | 10*9/L | 4           |
        | A          | d1       | wbc         | 2.999 | 10*9/L | 4           |
        | A          | d1       | wbc         | 2     | 10*9/L | 4           |
        | A          | d1       | wbc         | 1.999 | 10*9/L | 4           |
        | A          | d1       | wbc         | 1     | 10*9/L | 4           |
        | A          | d1       | wbc         | 0.999 | 10*9/L | 4           |
        """,
        """
        | analyte     | value | grade |
        | neutrophils | 2     | 0     |
        | neutrophils | 1.999 | 1     |
        | neutrophils | 1.5   | 1     |
        | neutrophils | 1.499 | 2     |
        | neutrophils | 1     | 2     |
        | neutrophils | 0.999 | 3     |
        | neutrophils | 0.5   | 3     |
        | neutrophils | 0.499 | 4     |
        | wbc         | 4     | 0     |
        | wbc         | 3.999 | 1     |
        | wbc         | 3     | 1     |
        | wbc         | 2.999 | 2     |
        | wbc         | 2     | 2     |
        | wbc         | 1.999 | 3     |
        | wbc         | 1     | 3     |
        | wbc         | 0.999 | 4     |
        """,
    )


def test_platelets_are_graded_alike_in_every_version() -> None:
    """75, 50 and 25 x 10^9/L.

    Source: CTCAE v3.0, v4.03, v5.0.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte   | value | unit   | lower_limit |
        | A          | d1       | platelets | 150   | 10*9/L | 150         |
        | A          | d1       | platelets | 149   | 10*9/L | 150         |
        | A          | d1       | platelets | 75    | 10*9/L | 150         |
        | A          | d1       | platelets | 74.9  | 10*9/L | 150         |
        | A          | d1       | platelets | 50    | 10*9/L | 150         |
        | A          | d1       | platelets | 49.9  | 10*9/L | 150         |
        | A          | d1       | platelets | 25    | 10*9/L | 150         |
        | A          | d1       | platelets | 24.9  | 10*9/L | 150         |
        """,
        """
        | value | grade |
        | 150   | 0     |
        | 149   | 1     |
        | 75    | 1     |
        | 74.9  | 2     |
        | 50    | 2     |
        | 49.9  | 3     |
        | 25    | 3     |
        | 24.9  | 4     |
        """,
    )


def test_haemoglobin_has_a_numeric_grade_4_only_in_version_3() -> None:
    """6.4 g/dL is grade 4 in version 3.0; later grade 4 is a clinical state, and 6.4 is grade 3.

    Source: CTCAE v3.0: < LLN, < 10, < 8, < 6.5 g/dL; v4.03 and v5.0: < LLN, < 10, < 8 g/dL.
    """
    labs = """
        | subject_id | lab_date | analyte     | value | unit | lower_limit |
        | A          | d1       | haemoglobin | 12    | g/dL | 12          |
        | A          | d1       | haemoglobin | 11.9  | g/dL | 12          |
        | A          | d1       | haemoglobin | 10    | g/dL | 12          |
        | A          | d1       | haemoglobin | 9.99  | g/dL | 12          |
        | A          | d1       | haemoglobin | 8     | g/dL | 12          |
        | A          | d1       | haemoglobin | 7.99  | g/dL | 12          |
        | A          | d1       | haemoglobin | 6.5   | g/dL | 12          |
        | A          | d1       | haemoglobin | 6.4   | g/dL | 12          |
    """
    common = """
        | value | grade | rule       |
        | 12    | 0     | >= LLN     |
        | 11.9  | 1     | < LLN      |
        | 10    | 1     | < LLN      |
        | 9.99  | 2     | < 10 g/dL  |
        | 8     | 2     | < 10 g/dL  |
        | 7.99  | 3     | < 8 g/dL   |
        | 6.5   | 3     | < 8 g/dL   |
    """
    graded(("3.0",), labs, common + "| 6.4 | 4 | < 6.5 g/dL |")
    graded(("4.03", "5.0"), labs, common + "| 6.4 | 3 | < 8 g/dL |")


def test_albumin_stops_at_grade_3() -> None:
    """Grade 4 is life-threatening, not a number.

    Source: CTCAE v3.0, v4.03, v5.0, hypoalbuminaemia: < LLN, < 3, < 2 g/dL.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte | value | unit | lower_limit |
        | A          | d1       | albumin | 3.5   | g/dL | 3.5         |
        | A          | d1       | albumin | 3.49  | g/dL | 3.5         |
        | A          | d1       | albumin | 3     | g/dL | 3.5         |
        | A          | d1       | albumin | 2.99  | g/dL | 3.5         |
        | A          | d1       | albumin | 2     | g/dL | 3.5         |
        | A          | d1       | albumin | 1.99  | g/dL | 3.5         |
        | A          | d1       | albumin | 0.5   | g/dL | 3.5         |
        """,
        """
        | value | grade |
        | 3.5   | 0     |
        | 3.49  | 1     |
        | 3     | 1     |
        | 2.99  | 2     |
        | 2     | 2     |
        | 1.99  | 3     |
        | 0.5   | 3     |
        """,
    )


def test_fixed_thresholds_follow_the_unit_delivered() -> None:
    """10 g/dL of haemoglobin is 6.206 mmol/L, so 6.206 is grade 1 and 6.205 grade 2.

    The 6.2 that CTCAE prints beside it is rounded. 500 cells/uL are 0.5 x 10^9/L.

    Source: factors of the CDISC pilot's laboratory data (haemoglobin 0.6206, albumin 10).
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit     | lower_limit |
        | A          | d1       | haemoglobin | 6.206 | mmol/L   | 7.5         |
        | A          | d1       | haemoglobin | 6.205 | mmol/L   | 7.5         |
        | A          | d1       | haemoglobin | 100   | g/L      | 120         |
        | A          | d1       | haemoglobin | 99    | g/L      | 120         |
        | A          | d1       | albumin     | 30    | g/L      | 35          |
        | A          | d1       | albumin     | 29.9  | g/L      | 35          |
        | A          | d1       | albumin     | 19.9  | g/L      | 35          |
        | A          | d1       | lymphocytes | 500   | /uL      | 1000        |
        | A          | d1       | lymphocytes | 499   | /uL      | 1000        |
        | A          | d1       | platelets   | 50    | 10*3/uL  | 150         |
        | A          | d1       | platelets   | 49    | 10*3/uL  | 150         |
        | A          | d1       | platelets   | 49000 | 10*6/L   | 150000      |
        """,
        """
        | analyte     | value | grade |
        | haemoglobin | 6.206 | 1     |
        | haemoglobin | 6.205 | 2     |
        | haemoglobin | 100   | 1     |
        | haemoglobin | 99    | 2     |
        | albumin     | 30    | 1     |
        | albumin     | 29.9  | 2     |
        | albumin     | 19.9  | 3     |
        | lymphocytes | 500   | 2     |
        | lymphocytes | 499   | 3     |
        | platelets   | 50    | 2     |
        | platelets   | 49    | 3     |
        | platelets   | 49000 | 3     |
        """,
    )


def test_without_lower_limit_only_the_grades_from_2_are_known() -> None:
    """Platelets of 60 are grade 2 whatever the limit; 120 could be grade 0 or 1.

    Source: admiral, vignette Lab grading (grade 1 needs ANRLO).
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit   |
        | A          | d1       | platelets   | 60    | 10*9/L |
        | A          | d1       | platelets   | 75    | 10*9/L |
        | A          | d1       | platelets   | 120   | 10*9/L |
        | A          | d1       | haemoglobin | 7     | g/dL   |
        """,
        """
        | analyte     | value | grade | reason         |
        | platelets   | 60    | 2     |                |
        | platelets   | 75    |       | no lower limit |
        | platelets   | 120   |       | no lower limit |
        | haemoglobin | 7     | 3     |                |
        """,
    )


def test_a_percentage_or_an_unknown_unit_is_never_graded() -> None:
    """Lymphocytes are often exported as a share of white cells; 20 % is no count.

    A white cell count of 0.4 in an unknown unit may be anything.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value | unit   | lower_limit |
        | A          | d1       | lymphocytes | 20    | %      | 15          |
        | A          | d1       | wbc         | 0.4   | 10*2/L | 4           |
        | A          | d1       | sodium      | 140   | mmol/L | 135         |
        """,
        """
        | analyte     | value | grade | reason                            |
        | lymphocytes | 20    |       | percentage, not an absolute value |
        | wbc         | 0.4   |       | unknown unit                      |
        """,
    )


def test_a_censored_low_result_is_graded_only_where_no_other_grade_is_possible() -> None:
    """Below 0.2 is grade 4 for certain; below 0.5 may be grade 3 or 4.

    Above the lower limit is grade 0 for certain; above 0.6 may be anything from 0 to 2.
    """
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte     | value_comparator | value | unit   | lower_limit |
        | A          | d1       | lymphocytes | <                | 0.2   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | <=               | 0.2   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | <=               | 0.19  | 10*9/L | 1           |
        | A          | d1       | lymphocytes | <                | 0.5   | 10*9/L | 1           |
        | A          | d1       | lymphocytes | >                | 1     | 10*9/L | 1           |
        | A          | d1       | lymphocytes | >                | 0.6   | 10*9/L | 1           |
        | A          | d1       | albumin     | <                | 2     | g/dL   | 3.5         |
        | A          | d1       | albumin     | <                | 2.1   | g/dL   | 3.5         |
        """,
        """
        | analyte     | value_comparator | value | grade | reason   |
        | lymphocytes | <                | 0.2   | 4     |          |
        | lymphocytes | <=               | 0.2   |       | censored |
        | lymphocytes | <=               | 0.19  | 4     |          |
        | lymphocytes | <                | 0.5   |       | censored |
        | lymphocytes | >                | 1     | 0     |          |
        | lymphocytes | >                | 0.6   |       | censored |
        | albumin     | <                | 2     | 3     |          |
        | albumin     | <                | 2.1   |       | censored |
        """,
    )


def test_a_censored_high_result_is_graded_only_where_no_other_grade_is_possible() -> None:
    """For analytes that rise the sides are exchanged: below the upper limit is grade 0."""
    graded(
        ALL,
        """
        | subject_id | lab_date | analyte   | value_comparator | value | unit  | upper_limit |
        | A          | d1       | bilirubin | <                | 0.3   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | <=               | 1.2   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | <                | 1.3   | mg/dL | 1.2         |
        | A          | d1       | bilirubin | >                | 12    | mg/dL | 1.2         |
        | A          | d1       | bilirubin | >=               | 12    | mg/dL | 1.2         |
        | A          | d1       | bilirubin | >                | 10    | mg/dL | 1.2         |
        """,
        """
        | value_comparator | value | grade | reason   |
        | <                | 0.3   | 0     |          |
        | <=               | 1.2   | 0     |          |
        | <                | 1.3   |       | censored |
        | >                | 12    | 4     |          |
        | >=               | 12    |       | censored |
        | >                | 10    |       | censored |
        """,
    )


def test_only_treated_subjects_are_graded() -> None:
    """Without a first treatment there is no day to count from."""
    graded(
        ("3.0",),
        """
        | subject_id | lab_date | analyte   | value | unit   | lower_limit |
        | A          | d3       | platelets | 60    | 10*9/L | 150         |
        | untreated  | d3       | platelets | 20    | 10*9/L | 150         |
        """,
        """
        | subject_id | rel_day | grade |
        | A          | 3       | 2     |
        """,
    )
