"""Laboratory toxicity of creatinine and INR: by the limit, by the baseline, and under anticoagulation."""

from tests.support.grading import T0, graded
from tests.support.pipe_tables import check
from transforms.toxicity.lab_grades import lab_grades


def test_creatinine_is_worse_of_the_limit_and_the_baseline_from_version_4() -> None:
    """Version 4.03 grades any rise over the baseline; 5.0 dropped that grade 1; 3.0 knows ULN only.

    Source: CTCAE v3.0: > 1, 1.5, 3, 6 x ULN; v4.03: or > 1, 1.5, 3 x baseline; v5.0: or > 1.5,
    3 x baseline.
    """
    labs = """
        | subject_id | lab_date | analyte    | value | unit  | upper_limit |
        | A          | d1       | creatinine | 0.6   | mg/dL | 1.2         |
        | A          | d1       | creatinine | 0.61  | mg/dL | 1.2         |
        | A          | d1       | creatinine | 0.9   | mg/dL | 1.2         |
        | A          | d1       | creatinine | 0.91  | mg/dL | 1.2         |
        | A          | d1       | creatinine | 1.8   | mg/dL | 1.2         |
        | A          | d1       | creatinine | 1.81  | mg/dL | 1.2         |
        | A          | d1       | creatinine | 7.2   | mg/dL | 1.2         |
        | A          | d1       | creatinine | 7.21  | mg/dL | 1.2         |
    """
    baseline = """
        | subject_id | analyte    | rel_day | value | unit  | upper_limit |
        | A          | creatinine | -1      | 0.6   | mg/dL | 1.2         |
    """
    graded(
        ("3.0",),
        labs,
        """
        | value | grade | rule        |
        | 0.6   | 0     | <= 1 x ULN  |
        | 0.61  | 0     | <= 1 x ULN  |
        | 0.9   | 0     | <= 1 x ULN  |
        | 0.91  | 0     | <= 1 x ULN  |
        | 1.8   | 1     | > 1 x ULN   |
        | 1.81  | 2     | > 1.5 x ULN |
        | 7.2   | 3     | > 3 x ULN   |
        | 7.21  | 4     | > 6 x ULN   |
        """,
        baseline_labs=baseline,
    )
    graded(
        ("4.03",),
        labs,
        """
        | value | grade | rule                            |
        | 0.6   | 0     | <= 1 x ULN and <= 1 x baseline  |
        | 0.61  | 1     | > 1 x baseline                  |
        | 0.9   | 1     | > 1 x baseline                  |
        | 0.91  | 2     | > 1.5 x baseline                |
        | 1.8   | 2     | > 1.5 x baseline                |
        | 1.81  | 3     | > 3 x baseline                  |
        | 7.2   | 3     | > 3 x ULN                       |
        | 7.21  | 4     | > 6 x ULN                       |
        """,
        baseline_labs=baseline,
    )
    graded(
        ("5.0",),
        labs,
        """
        | value | grade | rule             |
        | 0.6   | 0     | <= 1 x ULN       |
        | 0.61  | 0     | <= 1 x ULN       |
        | 0.9   | 0     | <= 1 x ULN       |
        | 0.91  | 2     | > 1.5 x baseline |
        | 1.8   | 2     | > 1.5 x baseline |
        | 1.81  | 3     | > 3 x baseline   |
        | 7.2   | 3     | > 3 x ULN        |
        | 7.21  | 4     | > 6 x ULN        |
        """,
        baseline_labs=baseline,
    )


def test_creatinine_without_baseline_is_never_grade_0_in_version_4() -> None:
    """Any rise would be grade 1 there, so a value within the limit cannot be called 0.

    Source: CTCAE v4.03; admiral, which returns no grade.
    """
    labs = """
        | subject_id | lab_date | analyte    | value | unit  | upper_limit |
        | A          | d1       | creatinine | 1     | mg/dL | 1.2         |
        | A          | d1       | creatinine | 1.3   | mg/dL | 1.2         |
    """
    graded(
        ("4.03",),
        labs,
        """
        | value | grade | reason                 |
        | 1     |       | no comparable baseline |
        | 1.3   | 1     |                        |
        """,
    )
    graded(
        ("3.0", "5.0"),
        labs,
        """
        | value | grade | reason |
        | 1     | 0     |        |
        | 1.3   | 1     |        |
        """,
    )


def test_inr_has_other_thresholds_in_each_version() -> None:
    """INR 1.15 at ULN 1.1 is grade 1 until version 4.03 and no toxicity from 5.0 on.

    Source: CTCAE v3.0: > 1, 1.5, 2 x ULN; v4.03: > 1, 1.5, 2.5 x ULN; v5.0 and
    v6.0: > 1.2, 1.5, 2.5.
    """
    labs = """
        | subject_id | lab_date | analyte | value | unit | upper_limit |
        | A          | d1       | inr     | 1.1   | 1    | 1.1         |
        | A          | d1       | inr     | 1.15  | 1    | 1.1         |
        | A          | d1       | inr     | 1.2   | 1    | 1.1         |
        | A          | d1       | inr     | 1.21  | 1    | 1.1         |
        | A          | d1       | inr     | 1.5   | 1    | 1.1         |
        | A          | d1       | inr     | 1.51  | 1    | 1.1         |
        | A          | d1       | inr     | 1.65  | 1    | 1.1         |
        | A          | d1       | inr     | 1.66  | 1    | 1.1         |
        | A          | d1       | inr     | 2.2   | 1    | 1.1         |
        | A          | d1       | inr     | 2.21  | 1    | 1.1         |
        | A          | d1       | inr     | 2.5   | 1    | 1.1         |
        | A          | d1       | inr     | 2.51  | 1    | 1.1         |
        | A          | d1       | inr     | 2.75  | 1    | 1.1         |
        | A          | d1       | inr     | 2.76  | 1    | 1.1         |
    """
    check(
        lab_grades,
        {"labs": labs, "anchors": T0},
        """
        | value | ctcae_version | grade | rule        |
        | 1.1   | 3.0           | 0     | <= 1 x ULN  |
        | 1.15  | 3.0           | 1     | > 1 x ULN   |
        | 1.2   | 3.0           | 1     | > 1 x ULN   |
        | 1.21  | 3.0           | 1     | > 1 x ULN   |
        | 1.5   | 3.0           | 1     | > 1 x ULN   |
        | 1.51  | 3.0           | 1     | > 1 x ULN   |
        | 1.65  | 3.0           | 1     | > 1 x ULN   |
        | 1.66  | 3.0           | 2     | > 1.5 x ULN |
        | 2.2   | 3.0           | 2     | > 1.5 x ULN |
        | 2.21  | 3.0           | 3     | > 2 x ULN   |
        | 2.5   | 3.0           | 3     | > 2 x ULN   |
        | 2.51  | 3.0           | 3     | > 2 x ULN   |
        | 2.75  | 3.0           | 3     | > 2 x ULN   |
        | 2.76  | 3.0           | 3     | > 2 x ULN   |
        | 1.1   | 4.03          | 0     | <= 1 x ULN  |
        | 1.15  | 4.03          | 1     | > 1 x ULN   |
        | 1.2   | 4.03          | 1     | > 1 x ULN   |
        | 1.21  | 4.03          | 1     | > 1 x ULN   |
        | 1.5   | 4.03          | 1     | > 1 x ULN   |
        | 1.51  | 4.03          | 1     | > 1 x ULN   |
        | 1.65  | 4.03          | 1     | > 1 x ULN   |
        | 1.66  | 4.03          | 2     | > 1.5 x ULN |
        | 2.2   | 4.03          | 2     | > 1.5 x ULN |
        | 2.21  | 4.03          | 2     | > 1.5 x ULN |
        | 2.5   | 4.03          | 2     | > 1.5 x ULN |
        | 2.51  | 4.03          | 2     | > 1.5 x ULN |
        | 2.75  | 4.03          | 2     | > 1.5 x ULN |
        | 2.76  | 4.03          | 3     | > 2.5 x ULN |
        | 1.1   | 5.0           | 0     | <= 1.2      |
        | 1.15  | 5.0           | 0     | <= 1.2      |
        | 1.2   | 5.0           | 0     | <= 1.2      |
        | 1.21  | 5.0           | 1     | > 1.2       |
        | 1.5   | 5.0           | 1     | > 1.2       |
        | 1.51  | 5.0           | 2     | > 1.5       |
        | 1.65  | 5.0           | 2     | > 1.5       |
        | 1.66  | 5.0           | 2     | > 1.5       |
        | 2.2   | 5.0           | 2     | > 1.5       |
        | 2.21  | 5.0           | 2     | > 1.5       |
        | 2.5   | 5.0           | 2     | > 1.5       |
        | 2.51  | 5.0           | 3     | > 2.5       |
        | 2.75  | 5.0           | 3     | > 2.5       |
        | 2.76  | 5.0           | 3     | > 2.5       |
        | 1.1   | 6.0           | 0     | <= 1.2      |
        | 1.15  | 6.0           | 0     | <= 1.2      |
        | 1.2   | 6.0           | 0     | <= 1.2      |
        | 1.21  | 6.0           | 1     | > 1.2       |
        | 1.5   | 6.0           | 1     | > 1.2       |
        | 1.51  | 6.0           | 2     | > 1.5       |
        | 1.65  | 6.0           | 2     | > 1.5       |
        | 1.66  | 6.0           | 2     | > 1.5       |
        | 2.2   | 6.0           | 2     | > 1.5       |
        | 2.21  | 6.0           | 2     | > 1.5       |
        | 2.5   | 6.0           | 2     | > 1.5       |
        | 2.51  | 6.0           | 3     | > 2.5       |
        | 2.75  | 6.0           | 3     | > 2.5       |
        | 2.76  | 6.0           | 3     | > 2.5       |
        """,
    )


def test_inr_under_anticoagulation_is_the_worse_of_limit_and_baseline() -> None:
    """The text could also mean the baseline alone; the worse of both is what admiral codes.

    Courses without start or end are running. Outside a course, and in version 3.0, the baseline
    does not count.

    Source: CTCAE v4.03 and v5.0, INR increased: > 1, 1.5, 2.5 x baseline if on anticoagulation.
    """
    labs = """
        | subject_id | lab_date | analyte | value | unit | upper_limit |
        | A          | d9       | inr     | 1.0   | 1    | 1.1         |
        | A          | d10      | inr     | 0.8   | 1    | 1.1         |
        | A          | d10      | inr     | 0.81  | 1    | 1.1         |
        | A          | d20      | inr     | 1.2   | 1    | 2           |
        | A          | d20      | inr     | 1.21  | 1    | 2           |
        | A          | d20      | inr     | 2     | 1    | 2           |
        | A          | d20      | inr     | 2.01  | 1    | 2           |
        | A          | d21      | inr     | 1.1   | 1    | 1.1         |
    """
    others = {
        "baseline_labs": """
        | subject_id | analyte | rel_day | value | unit | upper_limit |
        | A          | inr     | -1      | 0.8   | 1    | 1.1         |
        """,
        "medications": """
        | subject_id | drug     | purpose         | start_date | stop_date |
        | A          | heparin  | anticoagulation | d10        | d20       |
        | A          | warfarin | other           |            |           |
        """,
    }
    graded(
        ("4.03",),
        labs,
        """
        | rel_day | value | grade | rule                           |
        | 9       | 1     | 0     | <= 1 x ULN                     |
        | 10      | 0.8   | 0     | <= 1 x ULN and <= 1 x baseline |
        | 10      | 0.81  | 1     | > 1 x baseline                 |
        | 20      | 1.2   | 1     | > 1 x baseline                 |
        | 20      | 1.21  | 2     | > 1.5 x baseline               |
        | 20      | 2     | 2     | > 1.5 x baseline               |
        | 20      | 2.01  | 3     | > 2.5 x baseline               |
        | 21      | 1.1   | 0     | <= 1 x ULN                     |
        """,
        **others,
    )
    graded(
        ("5.0",),
        labs,
        """
        | rel_day | value | grade | rule                      |
        | 9       | 1     | 0     | <= 1.2                    |
        | 10      | 0.8   | 0     | <= 1.2 and <= 1 x baseline |
        | 10      | 0.81  | 1     | > 1 x baseline            |
        | 20      | 1.2   | 1     | > 1 x baseline            |
        | 20      | 1.21  | 2     | > 1.5 x baseline          |
        | 20      | 2     | 2     | > 1.5                     |
        | 20      | 2.01  | 3     | > 2.5 x baseline          |
        | 21      | 1.1   | 0     | <= 1.2                    |
        """,
        **others,
    )
    graded(
        ("3.0",),
        labs,
        """
        | rel_day | value | grade |
        | 9       | 1     | 0     |
        | 10      | 0.8   | 0     |
        | 10      | 0.81  | 0     |
        | 20      | 1.2   | 0     |
        | 20      | 1.21  | 0     |
        | 20      | 2     | 0     |
        | 20      | 2.01  | 1     |
        | 21      | 1.1   | 0     |
        """,
        **others,
    )
