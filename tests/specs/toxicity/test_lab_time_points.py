"""Laboratory values and liver scores over time: which result counts, and the paired changes.

MELD: Kamath et al., Hepatology 2001;33:464-470, with the limits of UNOS, computed in R. p: R 4.2.2,
wilcox.test(paired = TRUE).
"""

import pytest

from analytics.classes.lab_changes import lab_changes, lab_changes_sets
from schemas.contract import Table
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, PopulationMembers, Sessions
from schemas.tables.lab_marts import LabTimePoints
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.outcomes.labs import LabChanges
from schemas.tables.registry import Assessments, Labs
from tests.specs.toxicity.test_liver_function_changes import ANCHORS, ONCE
from tests.support.pipe_tables import check, run
from transforms.toxicity.lab_time_points import lab_time_points
from transforms.toxicity.liver_function_changes import liver_function_changes
from warehouse.concordance.answers import answers

ONE_POINT = ToxicitySettings(lab_windows=((61, 91, 122),))
LABS = "| subject_id | lab_date | analyte | sequence | value | value_comparator | unit |\n"
BEFORE = "| subject_id | analyte | value | value_comparator | unit |\n"


def meld(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[LiverFunctionChanges]:
    """The rows of MELD."""
    tables = (labs, baseline_labs, assessments, anchors, sessions)
    found = liver_function_changes(*tables, settings=settings, baseline=BaselineSettings())
    return found.filter(found.score == "MELD")


def albi_points(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[LabTimePoints]:
    """The rows of ALBI."""
    tables = (labs, baseline_labs, assessments, anchors, sessions)
    found = lab_time_points(*tables, settings=settings, baseline=BaselineSettings())
    return found.filter(found.quantity == "ALBI")


def test_the_result_nearest_to_the_day_counts_in_the_analyte_s_own_unit() -> None:
    """A: day 88 is as near as day 94 and earlier; its last draw. B: 34.2 umol/L are 2 mg/dL.

    C's window holds its first and last day and no more; D's result of the day of treatment and the
    one of day 123 are at no time point.
    """
    check(
        lab_time_points,
        {
            "anchors": ANCHORS,
            "baseline_labs": BEFORE
            + "| A | bilirubin | 1.0 | | mg/dL |\n| B | bilirubin | 17.1 | | umol/L |\n",
            "labs": LABS
            + """
            | A | d94  | bilirubin | 1 | 9.0  | | mg/dL  |
            | A | d88  | bilirubin | 1 | 8.0  | | mg/dL  |
            | A | d88  | bilirubin | 2 | 0.7  | | mg/dL  |
            | B | d61  | bilirubin | 1 | 34.2 | | umol/L |
            | C | d122 | bilirubin | 1 | 3.0  | | mg/dL  |
            | C | d60  | bilirubin | 1 | 4.0  | | mg/dL  |
            | D | d0   | bilirubin | 1 | 4.0  | | mg/dL  |
            | D | d123 | bilirubin | 1 | 4.0  | | mg/dL  |
            """,
        },
        """
        | subject_id | quantity  | at_days | value | value_day | baseline_value | change | source_row_id |
        | A          | bilirubin | 0       | 1.0   |           | 1.0            |        | baseline_labs:1 |
        | A          | bilirubin | 91      | 0.7   | 88        | 1.0            | -0.3   | labs:3        |
        | B          | bilirubin | 0       | 1.0   |           | 1.0            |        | baseline_labs:2 |
        | B          | bilirubin | 91      | 2.0   | 61        | 1.0            | 1.0    | labs:4        |
        | C          | bilirubin | 91      | 3.0   | 122       |                |        | labs:5        |
        """,
        ONE_POINT,
    )


def test_a_result_without_a_value_counts_only_where_there_is_no_other() -> None:
    """A's `<0.2` of day 91 gives way to day 70; B has nothing else; C's unit is none of ours."""
    check(
        lab_time_points,
        {
            "anchors": ANCHORS,
            "baseline_labs": BEFORE + "| B | bilirubin | 0.2 | < | mg/dL |",
            "labs": LABS
            + """
            | A | d91 | bilirubin | 1 | 0.2 | < | mg/dL |
            | A | d70 | bilirubin | 1 | 0.5 |   | mg/dL |
            | B | d91 | bilirubin | 1 | 0.2 | < | mg/dL |
            | C | d91 | bilirubin | 1 | 0.2 |   | stone |
            | D | d91 | magnesium | 1 | 0.8 |   | mmol/L |
            """,
        },
        """
        | subject_id | quantity  | at_days | value | value_day | reason                   |
        | A          | bilirubin | 91      | 0.5   | 70        |                          |
        | B          | bilirubin | 0       |       |           | censored_or_unknown_unit |
        | B          | bilirubin | 91      |       | 91        | censored_or_unknown_unit |
        | C          | bilirubin | 91      |       | 91        | censored_or_unknown_unit |
        """,
        ONE_POINT,
    )


def test_scores_stand_at_time_points_beside_the_analytes() -> None:
    """ALBI -2.74 before and -2.08 at three months; albumin of day 80 and bilirubin of day 90.

    B's albumin is 15 days older than the bilirubin: no score. C's was drawn before the re-treatment
    of day 85, its bilirubin after it.
    """
    each = "".join(
        f"| {who} | bilirubin | 10 | | umol/L |\n| {who} | albumin | 40 | | g/L |\n"
        for who in "ABC"
    )
    check(
        albi_points,
        {
            "anchors": ANCHORS,
            "sessions": ONCE + "    | C          | 2              | d85          | 2      |\n",
            "baseline_labs": BEFORE + each,
            "labs": LABS
            + """
            | A | d80 | albumin   | 1 | 40  | | g/L    |
            | A | d90 | bilirubin | 1 | 100 | | umol/L |
            | B | d75 | albumin   | 1 | 40  | | g/L    |
            | B | d90 | bilirubin | 1 | 100 | | umol/L |
            | C | d80 | albumin   | 1 | 40  | | g/L    |
            | C | d90 | bilirubin | 1 | 100 | | umol/L |
            """,
        },
        """
        | subject_id | quantity | at_days | value | value_day | baseline_value | change |
        | A          | ALBI     | 0       | -2.74 |           | -2.74          |        |
        | A          | ALBI     | 91      | -2.08 | 90        | -2.74          | 0.66   |
        | B          | ALBI     | 0       | -2.74 |           | -2.74          |        |
        | C          | ALBI     | 0       | -2.74 |           | -2.74          |        |
        """,
        ONE_POINT,
    )


def test_meld_keeps_the_limits_of_unos() -> None:
    """A: all at or below 1 is 6.43, the least. B: 2, 1.5 and 1.5 are 17.47, C: 20, 6 and 3 are 40.

    `<0.2` mg/dL of bilirubin is 1 for certain; creatinine `>5` is 4 for certain, `>3` nothing that
    is known. Creatinine of 132.6 umol/L is 1.5 mg/dL.
    """
    well = "".join(
        f"| {who} | bilirubin | 0.5 | | mg/dL |\n| {who} | creatinine | 0.7 | | mg/dL |\n"
        f"| {who} | inr | 0.9 | | 1 |\n"
        for who in "ABCDE"
    )
    check(
        meld,
        {
            "anchors": ANCHORS,
            "sessions": ONCE,
            "baseline_labs": BEFORE + well,
            "labs": LABS
            + """
            | A | d60 | bilirubin  | 1 | 0.2   | < | mg/dL  |
            | A | d60 | creatinine | 1 | 1.0   |   | mg/dL  |
            | A | d60 | inr        | 1 | 1.0   |   | 1      |
            | B | d60 | bilirubin  | 1 | 2.0   |   | mg/dL  |
            | B | d60 | creatinine | 1 | 132.6 |   | umol/L |
            | B | d60 | inr        | 1 | 1.5   |   | 1      |
            | C | d60 | bilirubin  | 1 | 20    |   | mg/dL  |
            | C | d60 | creatinine | 1 | 5     | > | mg/dL  |
            | C | d60 | inr        | 1 | 3     |   | 1      |
            | D | d60 | bilirubin  | 1 | 2     |   | mg/dL  |
            | D | d60 | creatinine | 1 | 3     | > | mg/dL  |
            | D | d60 | inr        | 1 | 3     |   | 1      |
            | E | d60 | bilirubin  | 1 | 2     |   | mg/dL  |
            | E | d60 | inr        | 1 | 3     |   | 1      |
            """,
        },
        """
        | subject_id | baseline_value | baseline_class | worst_value       | worst_class | worse | reason         |
        | A          | 6.43           | 06-09          | 6.43              | 06-09       | no    |                |
        | B          | 6.43           | 06-09          | 17.47160664       | 10-19       | yes   |                |
        | C          | 6.43           | 06-09          | 40                | 40          | yes   |                |
        | D          | 6.43           | 06-09          |                   |             |       | no_later_score |
        | E          | 6.43           | 06-09          |                   |             |       | no_later_score |
        """,
    )


POINTS = """
    | subject_id | quantity  | at_days | value | change |
    | A          | bilirubin | 0       | 1.0   |        |
    | B          | bilirubin | 0       | 1.0   |        |
    | C          | bilirubin | 0       | 1.0   |        |
    | D          | bilirubin | 0       | 3.0   |        |
    | A          | bilirubin | 91      | 1.5   | 0.5    |
    | B          | bilirubin | 91      | 0.75  | -0.25  |
    | C          | bilirubin | 91      | 2.0   | 1.0    |
    | D          | bilirubin | 91      |       |        |
    | E          | bilirubin | 91      | 9.0   |        |
    | A          | albumin   | 0       | 4.0   |        |
    | A          | albumin   | 91      | 4.0   | 0.0    |
    | A          | alp       | 91      | 100   |        |
    | A          | alt       | 91      |       |        |
"""
MEMBERS = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCDEF")])
ONLY = ("bilirubin", "albumin", "alp", "alt", "ast")


def few(
    lab_time_points: Table[LabTimePoints],
    population_members: Table[PopulationMembers],
    *,
    settings: ToxicitySettings,
) -> Table[LabChanges]:
    """The rows of five analytes."""
    found = lab_changes(lab_time_points, population_members, settings=settings)
    return found.filter(found.quantity.isin(ONLY))


def test_medians_are_of_who_has_a_value_and_changes_of_who_has_two() -> None:
    """Changes of 0.5, -0.25 and 1: ranks 2, 1 and 3, V is 5 and p 0.5.

    E has no baseline, D no value at three months. A's albumin did not change: nothing to test.
    """
    check(
        few,
        {"lab_time_points": POINTS, "population_members": MEMBERS},
        """
        | population | quantity  | at_days | n | total | median | q1   | q3   | n_pairs | n_equal | median_change | q1_change | q3_change | v | p   | method | unit  | reason                                                              |
        | all        | bilirubin | 0       | 4 | 4     | 1.0    | 1.0  | 1.5  | 0       | 0       |               |           |           |   |     |        | mg/dL |                                                                     |
        | all        | bilirubin | 91      | 4 | 5     | 1.75   | 1.3125 | 3.75 | 3     | 0       | 0.5           | 0.125     | 0.75      | 5 | 0.5 | exact  | mg/dL |                                                                     |
        | all        | albumin   | 0       | 1 | 1     | 4.0    | 4.0  | 4.0  | 0       | 0       |               |           |           |   |     |        | g/dL  |                                                                     |
        | all        | albumin   | 91      | 1 | 1     | 4.0    | 4.0  | 4.0  | 1       | 1       | 0             | 0         | 0         |   |     |        | g/dL  | all differences are zero                                            |
        | all        | alp       | 0       | 0 | 0     |        |      |      | 0       | 0       |               |           |           |   |     |        | U/L   | no result near the time point                                       |
        | all        | alp       | 91      | 1 | 1     | 100    | 100  | 100  | 0       | 0       |               |           |           |   |     |        | U/L   | nobody has a value before treatment as well                         |
        | all        | alt       | 0       | 0 | 0     |        |      |      | 0       | 0       |               |           |           |   |     |        | U/L   | no result near the time point                                       |
        | all        | alt       | 91      | 0 | 1     |        |      |      | 0       | 0       |               |           |           |   |     |        | U/L   | every result near the time point is censored or of an unknown unit |
        | all        | ast       | 0       | 0 | 0     |        |      |      | 0       | 0       |               |           |           |   |     |        | U/L   | no result near the time point                                       |
        | all        | ast       | 91      | 0 | 0     |        |      |      | 0       | 0       |               |           |           |   |     |        | U/L   | no result near the time point                                       |
        """,
        ONE_POINT,
    )


@pytest.mark.parametrize("case", list(answers("signed_rank")))
def test_the_ranks_of_the_engine_give_the_test_of_r(case: str) -> None:
    """Zeros are dropped and equal sizes share their mean rank, as R does it."""
    wanted = answers("signed_rank")[case]
    differences = [round(d, 9) for d in wanted["difference"]]
    points = "".join(f"| {n} | ggt | 91 | 1 | {d!r} |\n" for n, d in enumerate(differences))
    members = "".join(f"| all | {n} |\n" for n in range(len(differences)))
    found = run(
        lab_changes,
        {
            "lab_time_points": f"| subject_id | quantity | at_days | value | change |\n{points}",
            "population_members": f"| population | subject_id |\n{members}",
        },
        ONE_POINT,
    )
    row = next(r for r in found if (r["quantity"], r["at_days"]) == ("ggt", 91))
    assert row["n_pairs"] == len(differences)
    assert row["v"] == wanted["v"][0]
    assert row["p"] == pytest.approx(wanted["p"][0], rel=1e-12)
    assert (row["method"] == "exact") == (wanted["exact"] == [1])


def test_the_members_are_those_with_a_value_and_those_with_two() -> None:
    check(
        lab_changes_sets,
        {"lab_time_points": POINTS},
        """
        | set_id                          | subject_id |
        | lab_changes.albumin.0           | A          |
        | lab_changes.albumin.91          | A          |
        | lab_changes.albumin.91.paired   | A          |
        | lab_changes.alp.91              | A          |
        | lab_changes.bilirubin.0         | A          |
        | lab_changes.bilirubin.0         | B          |
        | lab_changes.bilirubin.0         | C          |
        | lab_changes.bilirubin.0         | D          |
        | lab_changes.bilirubin.91        | A          |
        | lab_changes.bilirubin.91        | B          |
        | lab_changes.bilirubin.91        | C          |
        | lab_changes.bilirubin.91        | E          |
        | lab_changes.bilirubin.91.paired | A          |
        | lab_changes.bilirubin.91.paired | B          |
        | lab_changes.bilirubin.91.paired | C          |
        """,
    )
