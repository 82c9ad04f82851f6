"""A baseline that was set aside, or never delivered, and what is graded against it."""

import pytest

from schemas.settings import ToxicitySettings
from tests.support.grading import T0
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades

ABNORMAL = """
    | subject_id | analyte | lab_date | value | unit | upper_limit |
    | A          | alp     | d30      | 12000 | U/L  | 120         |
"""
ASIDE = """
    | subject_id | table_name | analyte | row_date   | sequence |
    | A          | labs       | alp     | 2019-12-30 | 1        |
"""


def test_a_baseline_set_aside_is_not_taken_as_normal() -> None:
    """12,000 U/L is 100 x ULN: grade 4 of a normal baseline, grade 0 of an equal one.

    Version 3.0 and 4.03 do not look at the baseline.
    Source: CTCAE v5.0 (NCI 2017), alkaline phosphatase increased, if baseline was abnormal.
    """
    check(
        lab_grades,
        {"labs": ABNORMAL, "anchors": T0, "rows_set_aside": ASIDE},
        """
        | ctcae_version | grade | rule        | reason             |
        | 3.0           | 4     | > 20 x ULN  |                    |
        | 4.03          | 4     | > 20 x ULN  |                    |
        | 5.0           |       |             | baseline_set_aside |
        | 6.0           |       |             | baseline_set_aside |
        """,
    )


def test_only_what_would_have_been_the_baseline_counts() -> None:
    """Set aside before an accepted one, after T0, of another analyte: nothing is missing.

    After the accepted one, or with a later number on its day: the baseline is not known. A result
    whose date cannot be read could be the baseline only where there is no other.
    """
    check(
        lab_grades,
        {
            "labs": """
                | subject_id | analyte | lab_date | value | unit | upper_limit |
                | A          | alp     | d30      | 250   | U/L  | 120         |
                | B          | alp     | d30      | 250   | U/L  | 120         |
                | C          | alp     | d30      | 250   | U/L  | 120         |
                | D          | alp     | d30      | 250   | U/L  | 120         |
                | E          | alp     | d30      | 250   | U/L  | 120         |
                | F          | alp     | d30      | 250   | U/L  | 120         |
                | G          | alp     | d30      | 250   | U/L  | 120         |
                | H          | alp     | d30      | 250   | U/L  | 120         |
            """,
            "anchors": "| subject_id | t0_date |\n"
            + "\n".join(f"| {who} | d0 |" for who in "ABCDEFGH"),
            "baseline_labs": "| subject_id | analyte | rel_day | sequence | value | unit "
            "| upper_limit |\n"
            + "\n".join(f"| {who} | alp | -2 | 1 | 100 | U/L | 120 |" for who in "ABCDEFG"),
            "rows_set_aside": """
                | subject_id | table_name | analyte | row_date   | sequence |
                | A          | labs       | alp     | 2019-12-29 | 1        |
                | B          | labs       | alp     | d1         | 1        |
                | C          | labs       | ast     | 2019-12-31 | 1        |
                | D          | labs       | alp     | 2019-12-31 | 1        |
                | E          | labs       | alp     | 2019-12-30 | 2        |
                | F          | labs       | alp     | 2019-12-30 | 1        |
                | G          | labs       | alp     |            | 1        |
                | H          | labs       | alp     |            | 1        |
            """,
        },
        """
        | subject_id | grade | reason             | baseline_value |
        | A          | 1     |                    | 100            |
        | B          | 1     |                    | 100            |
        | C          | 1     |                    | 100            |
        | D          |       | baseline_set_aside |                |
        | E          |       | baseline_set_aside |                |
        | F          | 1     |                    | 100            |
        | G          | 1     |                    | 100            |
        | H          |       | baseline_set_aside |                |
        """,
        ToxicitySettings(ctcae_versions=("5.0",)),
    )


@pytest.mark.parametrize(("version", "graded"), [("3.0", "2"), ("4.03", ""), ("5.0", "")])
def test_creatinine_is_held_against_the_baseline_from_4_03_on(version: str, graded: str) -> None:
    """2.0 mg/dL at ULN 1.2 is 1.67 x ULN. Source: CTCAE v3.0, v4.03 and v5.0."""
    check(
        lab_grades,
        {
            "labs": "| subject_id | analyte | lab_date | value | unit | upper_limit |\n"
            "| A | creatinine | d30 | 2.0 | mg/dL | 1.2 |",
            "anchors": T0,
            "rows_set_aside": ASIDE.replace("alp", "creatinine"),
        },
        f"""
        | grade    | reason |
        | {graded} | {"" if graded else "baseline_set_aside"} |
        """,
        ToxicitySettings(ctcae_versions=(version,)),
    )


def test_an_inr_is_held_against_the_baseline_only_of_the_anticoagulated() -> None:
    """INR 2.0 is grade 2 of version 5.0 by its value. Source: CTCAE v5.0 (NCI 2017)."""
    inr = (
        "| subject_id | analyte | lab_date | value | unit | upper_limit |\n"
        "| A | inr | d30 | 2.0 | 1 | 1.1 |"
    )
    courses = "| subject_id | purpose | start_date |\n| A | anticoagulation | d0 |"
    for medications, expected in (("", "| 2 | |"), (courses, "| | baseline_set_aside |")):
        check(
            lab_grades,
            {
                "labs": inr,
                "anchors": T0,
                "rows_set_aside": ASIDE.replace("alp", "inr"),
                **({"medications": medications} if medications else {}),
            },
            f"| grade | reason |\n{expected}",
            ToxicitySettings(ctcae_versions=("5.0",)),
        )


def test_a_baseline_never_delivered_is_normal_unless_a_setting_says_otherwise() -> None:
    """As in admiral; the other reading gives no grade where a version looks at the baseline."""
    for missing, expected in (("normal", "| 4 | |"), ("not_gradable", "| | no baseline |")):
        check(
            lab_grades,
            {"labs": ABNORMAL, "anchors": T0},
            f"| grade | reason |\n{expected}",
            ToxicitySettings(ctcae_versions=("5.0",), missing_baseline=missing),
        )
        check(
            lab_grades,
            {"labs": ABNORMAL, "anchors": T0},
            "| grade | reason |\n| 4 | |",
            ToxicitySettings(ctcae_versions=("4.03",), missing_baseline=missing),
        )
