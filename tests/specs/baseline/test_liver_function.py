"""Liver function before treatment: ALBI and Child-Pugh."""

from schemas.settings import BaselineSettings
from tests.support.pipe_tables import check
from tests.support.seven import SEVEN, T0
from transforms.baseline.subjects import subjects


def test_albi_takes_umol_and_g_per_litre_whatever_was_delivered() -> None:
    """0.66 log10(10) - 0.085 x 40 = -2.74, in either unit; grades end at -2.60 and -1.39.

    C and D lie on either side of -2.60, E and F of -1.39. G: no logarithm of zero.
    Source: Johnson 2015.
    """
    check(
        subjects,
        {
            "patients": SEVEN,
            "anchors": T0,
            "baseline_labs": """
                | subject_id | analyte   | value    | unit   | stale |
                | A          | bilirubin | 10       | umol/L | no    |
                | A          | albumin   | 40       | g/L    | no    |
                | B          | bilirubin | 0.584795 | mg/dL  | no    |
                | B          | albumin   | 4.0      | g/dL   | no    |
                | C          | bilirubin | 10       | umol/L | no    |
                | C          | albumin   | 38.36    | g/L    | no    |
                | D          | bilirubin | 10       | umol/L | no    |
                | D          | albumin   | 38.35    | g/L    | no    |
                | E          | bilirubin | 10       | umol/L | no    |
                | E          | albumin   | 24.12    | g/L    | no    |
                | F          | bilirubin | 10       | umol/L | no    |
                | F          | albumin   | 24.11    | g/L    | no    |
                | G          | bilirubin | 0        | umol/L | no    |
                | G          | albumin   | 40       | g/L    | no    |
            """,
        },
        """
        | subject_id | albi_score     | albi_grade |
        | A          | -2.74          | 1          |
        | B          | -2.74000015765 | 1          |
        | C          | -2.6006        | 1          |
        | D          | -2.59975       | 2          |
        | E          | -1.3902        | 2          |
        | F          | -1.38935       | 3          |
        | G          |                |            |
        """,
    )


def test_albi_needs_both_values_and_a_bilirubin_that_is_not_censored() -> None:
    """A result below the limit of detection has no logarithm of its own."""
    check(
        subjects,
        {
            "patients": "| subject_id |\n| A |\n| B |\n| C |",
            "anchors": T0,
            "baseline_labs": """
                | subject_id | analyte   | value | value_comparator | unit  | stale |
                | A          | bilirubin | 0.2   | <                | mg/dL | no    |
                | A          | albumin   | 4.0   |                  | g/dL  | no    |
                | B          | bilirubin | 0.5   |                  | mg/dL | no    |
                | C          | albumin   | 4.0   |                  | g/dL  | no    |
            """,
        },
        """
        | subject_id | albi_score | albi_grade |
        | A          |            |            |
        | B          |            |            |
        | C          |            |            |
        """,
    )


def _child_pugh(
    labs: str, signs: str, expected: str, settings: BaselineSettings | None = None
) -> None:
    inputs = {"patients": SEVEN, "anchors": T0, "baseline_labs": labs, "assessments": signs}
    check(subjects, inputs, expected, settings or BaselineSettings())


WELL = """
    | subject_id | assessment_date | ascites | encephalopathy_grade |
    | A          | d0              | none    | 0                    |
    | B          | d0              | none    | 0                    |
    | C          | d0              | none    | 0                    |
    | D          | d0              | none    | 0                    |
    | E          | d0              | none    | 0                    |
    | F          | d0              | none    | 0                    |
"""


def test_child_pugh_scores_bilirubin_from_2_to_3_with_2_points() -> None:
    """1.99 one point, 2 and 3 two points, 3.01 three; the other four items score one each.

    E: 34.2 umol/L is 2 mg/dL. F: a result above 3 scores 3. Source: Pugh 1973.
    """
    _child_pugh(
        """
        | subject_id | analyte   | value | value_comparator | unit   | stale |
        | A          | bilirubin | 1.99  |                  | mg/dL  | no    |
        | B          | bilirubin | 2     |                  | mg/dL  | no    |
        | C          | bilirubin | 3     |                  | mg/dL  | no    |
        | D          | bilirubin | 3.01  |                  | mg/dL  | no    |
        | E          | bilirubin | 34.2  |                  | umol/L | no    |
        | F          | bilirubin | 3     | >                | mg/dL  | no    |
        | A          | albumin   | 4     |                  | g/dL   | no    |
        | B          | albumin   | 4     |                  | g/dL   | no    |
        | C          | albumin   | 4     |                  | g/dL   | no    |
        | D          | albumin   | 4     |                  | g/dL   | no    |
        | E          | albumin   | 4     |                  | g/dL   | no    |
        | F          | albumin   | 4     |                  | g/dL   | no    |
        | A          | inr       | 1     |                  | 1      | no    |
        | B          | inr       | 1     |                  | 1      | no    |
        | C          | inr       | 1     |                  | 1      | no    |
        | D          | inr       | 1     |                  | 1      | no    |
        | E          | inr       | 1     |                  | 1      | no    |
        | F          | inr       | 1     |                  | 1      | no    |
        """,
        WELL,
        """
        | subject_id | child_pugh_points | child_pugh_class |
        | A          | 5                 | A                |
        | B          | 6                 | A                |
        | C          | 6                 | A                |
        | D          | 7                 | B                |
        | E          | 6                 | A                |
        | F          | 7                 | B                |
        | G          |                   |                  |
        """,
    )


def test_child_pugh_scores_albumin_from_2_8_to_3_5_with_2_points() -> None:
    """3.51 one point, 3.5 and 2.8 two points, 2.79 three. Source: Pugh 1973."""
    _child_pugh(
        """
        | subject_id | analyte   | value | unit  | stale |
        | A          | albumin   | 3.51  | g/dL  | no    |
        | B          | albumin   | 3.5   | g/dL  | no    |
        | C          | albumin   | 28    | g/L   | no    |
        | D          | albumin   | 2.79  | g/dL  | no    |
        | A          | bilirubin | 1     | mg/dL | no    |
        | B          | bilirubin | 1     | mg/dL | no    |
        | C          | bilirubin | 1     | mg/dL | no    |
        | D          | bilirubin | 1     | mg/dL | no    |
        | A          | inr       | 1     | 1     | no    |
        | B          | inr       | 1     | 1     | no    |
        | C          | inr       | 1     | 1     | no    |
        | D          | inr       | 1     | 1     | no    |
        """,
        WELL,
        """
        | subject_id | child_pugh_points |
        | A          | 5                 |
        | B          | 6                 |
        | C          | 6                 |
        | D          | 7                 |
        | E          |                   |
        | F          |                   |
        | G          |                   |
        """,
    )


INR = """
    | subject_id | analyte   | value | unit  | stale |
    | A          | inr       | 1.69  | 1     | no    |
    | B          | inr       | 1.7   | 1     | no    |
    | C          | inr       | 2.2   | 1     | no    |
    | D          | inr       | 2.21  | 1     | no    |
    | E          | inr       | 2.3   | 1     | no    |
    | F          | inr       | 2.31  | 1     | no    |
    | A          | bilirubin | 1     | mg/dL | no    |
    | B          | bilirubin | 1     | mg/dL | no    |
    | C          | bilirubin | 1     | mg/dL | no    |
    | D          | bilirubin | 1     | mg/dL | no    |
    | E          | bilirubin | 1     | mg/dL | no    |
    | F          | bilirubin | 1     | mg/dL | no    |
    | A          | albumin   | 4     | g/dL  | no    |
    | B          | albumin   | 4     | g/dL  | no    |
    | C          | albumin   | 4     | g/dL  | no    |
    | D          | albumin   | 4     | g/dL  | no    |
    | E          | albumin   | 4     | g/dL  | no    |
    | F          | albumin   | 4     | g/dL  | no    |
"""


def test_child_pugh_scores_an_inr_from_1_7_to_2_3_with_2_points() -> None:
    """Implementations are split between 2.2 and 2.3; 2.3 is the registry's choice."""
    _child_pugh(
        INR,
        WELL,
        """
        | subject_id | child_pugh_points |
        | A          | 5                 |
        | B          | 6                 |
        | C          | 6                 |
        | D          | 6                 |
        | E          | 6                 |
        | F          | 7                 |
        | G          |                   |
        """,
    )


def test_the_upper_inr_of_child_pugh_is_a_setting() -> None:
    """With 2.2 an INR of 2.21 scores three."""
    _child_pugh(
        INR,
        WELL,
        """
        | subject_id | child_pugh_points |
        | A          | 5                 |
        | B          | 6                 |
        | C          | 6                 |
        | D          | 7                 |
        | E          | 7                 |
        | F          | 7                 |
        | G          |                   |
        """,
        BaselineSettings(child_pugh_inr_upper="2.2"),
    )


def test_child_pugh_scores_ascites_and_encephalopathy_and_ends_a_at_6_and_b_at_9() -> None:
    """None, slight, more; none, grade 1 or 2, grade 3 or 4. A missing item leaves no score.

    Source: Pugh 1973.
    """
    _child_pugh(
        INR.replace("1.69", "1").replace("2.31", "1"),
        """
        | subject_id | assessment_date | ascites         | encephalopathy_grade |
        | A          | d0              | slight          | 0                    |
        | B          | d0              | slight          | 0                    |
        | C          | d0              | moderate_severe | 2                    |
        | D          | d0              | moderate_severe | 3                    |
        | E          | d0              |                 | 0                    |
        | F          | d0              | none            | 1                    |
        """,
        """
        | subject_id | child_pugh_points | child_pugh_class |
        | A          | 6                 | A                |
        | B          | 7                 | B                |
        | C          | 9                 | B                |
        | D          | 10                | C                |
        | E          |                   |                  |
        | F          | 6                 | A                |
        | G          |                   |                  |
        """,
    )
