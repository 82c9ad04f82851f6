"""ALBI grade and Child-Pugh class after each session, compared with those before its course.

Source: Johnson et al., J Clin Oncol 2015;33:550-558 (ALBI, grades end at -2.60 and -1.39); Pugh et al.,
Br J Surg 1973;60:646-649.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.outcomes.follow_up import liver_function_summary, liver_function_summary_sets
from schemas.contract import Table
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.registry import Assessments, Labs
from tests.support.pipe_tables import check
from transforms.toxicity.liver_function_changes import liver_function_changes

ANCHORS = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
"""
ONCE = """
    | subject_id | session_number | session_date | course |
    | A          | 1              | d0           | 1      |
    | B          | 1              | d0           | 1      |
    | C          | 1              | d0           | 1      |
    | D          | 1              | d0           | 1      |
    | E          | 1              | d0           | 1      |
"""
WELL = """
    | subject_id | analyte   | value | unit   |
    | A          | bilirubin | 10    | umol/L |
    | A          | albumin   | 40    | g/L    |
    | B          | bilirubin | 10    | umol/L |
    | B          | albumin   | 40    | g/L    |
    | C          | bilirubin | 10    | umol/L |
    | C          | albumin   | 40    | g/L    |
    | D          | bilirubin | 10    | umol/L |
    | D          | albumin   | 40    | g/L    |
"""


def albi(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[LiverFunctionChanges]:
    """The rows of ALBI."""
    return _of("ALBI", labs, baseline_labs, assessments, anchors, sessions, settings)


def child_pugh(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[LiverFunctionChanges]:
    """The rows of Child-Pugh; the ascites of a row from the file `unread` cannot be read."""
    unread = assessments.source_file == "unread"
    marked = assessments.mutate(unreadable=unread.ifelse("|ascites|", ibis.null("string")))
    return _of("Child-Pugh", labs, baseline_labs, marked, anchors, sessions, settings)


def _of(score: str, *tables: Any) -> ir.Table:
    *given, settings = tables
    found = liver_function_changes(*given, settings=settings, baseline=BaselineSettings())
    return found.filter(found.score == score)


def test_a_score_belongs_to_the_latest_session_fourteen_to_122_days_before_it() -> None:
    """0.66 log10(10) - 0.085 x 40 = -2.74 before; A, staged on days 0 and 40, falls twice.

    Day 50 is 10 days after the second session and belongs to the first: albumin 38.35 g/L is
    -2.59975. Day 60 belongs to the second: bilirubin 100 umol/L and albumin 30 g/L are -1.23. In a
    staged course both are compared with T0. B's days 13 and 123 belong to no session.
    """
    check(
        albi,
        {
            "anchors": ANCHORS,
            "sessions": """
            | subject_id | session_number | session_date | course |
            | A          | 1              | d0           | 1      |
            | A          | 2              | d40          | 1      |
            | B          | 1              | d0           | 1      |
            """,
            "baseline_labs": WELL,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit   |
            | A          | d50      | bilirubin | 10    | umol/L |
            | A          | d50      | albumin   | 38.35 | g/L    |
            | A          | d60      | bilirubin | 100   | umol/L |
            | A          | d60      | albumin   | 30    | g/L    |
            | B          | d13      | bilirubin | 100   | umol/L |
            | B          | d13      | albumin   | 30    | g/L    |
            | B          | d123     | bilirubin | 100   | umol/L |
            | B          | d123     | albumin   | 30    | g/L    |
            """,
        },
        """
        | subject_id | session_number | course | baseline_value | baseline_class | worst_value | worst_class | worst_day | worse | reason         |
        | A          | 1              | 1      | -2.74          | 1              | -2.59975    | 2           | 50        | yes   |                |
        | A          | 2              | 1      | -2.74          | 1              | -1.23       | 3           | 60        | yes   |                |
        | B          | 1              | 1      | -2.74          | 1              |             |             |           |       | no_later_score |
        """,
    )


def test_a_re_treatment_is_compared_with_the_last_values_up_to_it() -> None:
    """A had 100 umol/L (-2.08, grade 2) on day 290 and the same on day 345: no worse than before.

    B had 10 umol/L on day 300, the day of the re-treatment, and 100 after it; the albumin of day 250
    is the last that there is. E has no baseline.
    """
    check(
        albi,
        {
            "anchors": ANCHORS,
            "sessions": """
            | subject_id | session_number | session_date | course |
            | A          | 1              | d0           | 1      |
            | A          | 2              | d300         | 2      |
            | B          | 1              | d0           | 1      |
            | B          | 2              | d300         | 2      |
            | E          | 1              | d0           | 1      |
            """,
            "baseline_labs": WELL,
            "labs": """
            | subject_id | lab_date | analyte   | value | unit   |
            | A          | d290     | bilirubin | 100   | umol/L |
            | A          | d290     | albumin   | 40    | g/L    |
            | A          | d345     | bilirubin | 100   | umol/L |
            | A          | d345     | albumin   | 40    | g/L    |
            | B          | d200     | bilirubin | 100   | umol/L |
            | B          | d250     | albumin   | 40    | g/L    |
            | B          | d300     | bilirubin | 10    | umol/L |
            | B          | d345     | bilirubin | 100   | umol/L |
            | B          | d345     | albumin   | 40    | g/L    |
            | E          | d60      | bilirubin | 100   | umol/L |
            | E          | d60      | albumin   | 40    | g/L    |
            """,
        },
        """
        | subject_id | session_number | course | baseline_value | baseline_class | worst_value | worst_class | worst_day | worse | reason         |
        | A          | 1              | 1      | -2.74          | 1              |             |             |           |       | no_later_score |
        | A          | 2              | 2      | -2.08          | 2              | -2.08       | 2           | 345       | no    |                |
        | B          | 1              | 1      | -2.74          | 1              |             |             |           |       | no_later_score |
        | B          | 2              | 2      | -2.74          | 1              | -2.08       | 2           | 345       | yes   |                |
        | E          | 1              | 1      |                |                | -2.08       | 2           | 60        |       | no_baseline    |
        """,
    )


def test_the_items_of_a_score_are_of_one_review_and_of_one_session() -> None:
    """A's albumin is 14 days older than the bilirubin, B's 15, C's is of day 10, before day 14.

    D's score is as bad on day 30 as on day 20: the earlier counts. By the strict reading all items
    are of one day.
    """
    tables = {
        "anchors": ANCHORS,
        "sessions": ONCE,
        "baseline_labs": WELL,
        "labs": """
            | subject_id | lab_date | analyte   | value | unit   |
            | A          | d30      | albumin   | 40    | g/L    |
            | A          | d44      | bilirubin | 100   | umol/L |
            | B          | d30      | albumin   | 40    | g/L    |
            | B          | d45      | bilirubin | 100   | umol/L |
            | C          | d10      | albumin   | 40    | g/L    |
            | C          | d14      | bilirubin | 100   | umol/L |
            | D          | d20      | bilirubin | 100   | umol/L |
            | D          | d20      | albumin   | 40    | g/L    |
            | D          | d30      | bilirubin | 100   | umol/L |
            | D          | d30      | albumin   | 40    | g/L    |
            """,
    }
    check(
        albi,
        tables,
        """
        | subject_id | worst_value | worst_day |
        | A          | -2.08       | 44        |
        | B          |             |           |
        | C          |             |           |
        | D          | -2.08       | 20        |
        | E          |             |           |
        """,
    )
    check(
        albi,
        tables,
        """
        | subject_id | worst_value | worst_day |
        | A          |             |           |
        | B          |             |           |
        | C          |             |           |
        | D          | -2.08       | 20        |
        | E          |             |           |
        """,
        ToxicitySettings(liver_function_days=0),
    )


def test_child_pugh_adds_five_items_and_a_missing_one_gives_none() -> None:
    """5 points before; bilirubin 2.5, albumin 3.0, INR 1.7 and slight ascites are 2 each: 9, class B.

    Of B the encephalopathy was not asked after treatment, of C no ascites before it; of D ascites
    was filled in on day 60 and cannot be read, and the day before does not stand for it.
    """
    well = "".join(
        f"| {who} | bilirubin | 1 | mg/dL |\\n| {who} | albumin | 4 | g/dL |\\n| {who} | inr | 1 | 1 |\\n"
        for who in "ABCD"
    ).replace("\\n", "\n")
    ill = "".join(
        f"| {who} | d60 | bilirubin | 2.5 | mg/dL |\n| {who} | d60 | albumin | 3.0 | g/dL |\n"
        f"| {who} | d60 | inr | 1.7 | 1 |\n"
        for who in "ABCD"
    )
    check(
        child_pugh,
        {
            "anchors": ANCHORS,
            "sessions": ONCE,
            "baseline_labs": f"| subject_id | analyte | value | unit |\n{well}",
            "labs": f"| subject_id | lab_date | analyte | value | unit |\n{ill}",
            "assessments": """
            | subject_id | assessment_date | ascites | encephalopathy_grade | source_file |
            | A          | d-1             | none    | 0                    |             |
            | A          | d55             | slight  | 0                    |             |
            | B          | d-1             | none    | 0                    |             |
            | B          | d55             | slight  |                      |             |
            | C          | d-1             |         | 0                    |             |
            | C          | d55             | slight  | 0                    |             |
            | D          | d-1             | none    | 0                    |             |
            | D          | d59             | slight  | 0                    |             |
            | D          | d60             |         |                      | unread      |
            """,
        },
        """
        | subject_id | baseline_value | baseline_class | worst_value | worst_class | worst_day | worse | reason         |
        | A          | 5              | A              | 9           | B           | 60        | yes   |                |
        | B          | 5              | A              |             |             |           |       | no_later_score |
        | C          |                |                | 9           | B           | 60        |       | no_baseline    |
        | D          | 5              | A              |             |             |           |       | no_later_score |
        | E          |                |                |             |             |           |       | no_baseline    |
        """,
    )


CHANGES = """
    | subject_id | session_number | score      | course | baseline_value | worst_value | worse |
    | A          | 1              | ALBI       | 1      | -2.74          | -2.59975    | yes   |
    | A          | 2              | ALBI       | 2      | -2.08          | -2.08       | no    |
    | B          | 1              | ALBI       | 1      | -2.74          | -2.74       | no    |
    | C          | 1              | ALBI       | 1      | -2.74          |             |       |
    | A          | 1              | Child-Pugh | 1      | 5              | 9           | yes   |
    | B          | 1              | Child-Pugh | 1      |                | 9           |       |
"""


def test_a_patient_is_worse_after_any_session_of_those_with_known_values() -> None:
    """Of A and B one got worse; C, never measured again, is in no total.

    A's score rose by 0.14025 at most and B's by 0: the median is 0.070125.
    """
    check(
        liver_function_summary,
        {
            "liver_function_changes": CHANGES,
            "population_members": "| population | subject_id |\n| all | A |\n| all | B |\n| all | C |",
        },
        """
        | measure                      | n | total | value    | unit   | reason                                                                                                         |
        | albi_grade_worse             | 1 | 2     | 50       | %      |                                                                                                                |
        | meld_band_worse              |   |       |          | %      | known of no patient: MELD in a worse band (6 to 9, 10 to 19, 20 to 29, 30 to 39, 40) after any session |
        | meld_band_worse_again        |   |       |          | %      | known of no patient: MELD in a worse band after a re-treatment, of those with known values around one |
        | meld_change                  |   |       |          | points | known of no patient: greatest rise of MELD after a session |
        | child_pugh_class_worse       | 1 | 1     | 100      | %      |                                                                                                                |
        | albi_grade_worse_again       | 0 | 1     | 0        | %      |                                                                                                                |
        | child_pugh_class_worse_again |   |       |          | %      | known of no patient: Child-Pugh class worse after a re-treatment, of those with known values around one |
        | albi_change                  | 2 | 2     | 0.070125 | points |                                                                                                                |
        | child_pugh_change            | 1 | 1     | 4        | points |                                                                                                                |
        """,
    )
    check(
        liver_function_summary_sets,
        {"liver_function_changes": CHANGES},
        """
        | set_id                                        | subject_id | lesion_number |
        | liver_function_summary.albi_grade_worse       | A          | 0             |
        | liver_function_summary.child_pugh_class_worse | A          | 0             |
        | liver_function_summary.albi_change            | A          | 0             |
        | liver_function_summary.albi_change            | B          | 0             |
        | liver_function_summary.child_pugh_change      | A          | 0             |
        """,
    )
