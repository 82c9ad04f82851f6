"""The worst toxicity of each window, its day, and whether it began with treatment: laboratory."""

from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import check, run
from transforms.toxicity.lab_grades import lab_grades
from transforms.toxicity.toxicity import toxicity

STAGED = """
    | subject_id | t0_date | last_session_date |
    | A          | d0      | d35               |
"""


def test_windows_open_after_a_session_and_close_on_their_last_day() -> None:
    """Sessions on days 0 and 35: acute is 1 to 30 and 36 to 65, primary 1 to 125, late 126 to 218.

    Later windows count from day 35, too: 219 to 400, from 401 and from 766 without an end.

    A result of the day of treatment is not after it.
    """
    for day, windows in (
        (0, ()),
        (1, ("acute", "primary", "any")),
        (30, ("acute", "primary", "any")),
        (31, ("primary", "any")),
        (35, ("primary", "any")),
        (36, ("acute", "primary", "any")),
        (65, ("acute", "primary", "any")),
        (66, ("primary", "any")),
        (125, ("primary", "any")),
        (126, ("late", "any")),
        (218, ("late", "any")),
        (219, ("late_6_to_12_months", "any")),
        (400, ("late_6_to_12_months", "any")),
        (401, ("late_1_year", "any")),
        (765, ("late_1_year", "any")),
        (766, ("late_1_year", "late_2_years", "any")),
    ):
        check(
            toxicity,
            {
                "anchors": STAGED,
                "lab_grades": f"""
                | subject_id | analyte   | ctcae_version | rel_day | is_baseline | grade |
                | A          | bilirubin | 3.0           | {day}   | no          | 2     |
                """,
            },
            "| time_window | worst_grade | worst_day |\n"
            + "\n".join(f"| {window} | 2 | {day} |" for window in windows),
        )


def test_the_worst_grade_counts_on_its_earliest_day() -> None:
    """Of equal grades the first draw of the first day is kept, with its row."""
    check(
        toxicity,
        {
            "anchors": STAGED,
            "lab_grades": """
            | source_row_id | subject_id | analyte | ctcae_version | rel_day | sequence | grade |
            | one           | A          | ast     | 3.0           | 5       | 1        | 1     |
            | three         | A          | ast     | 3.0           | 20      | 2        | 3     |
            | two           | A          | ast     | 3.0           | 20      | 1        | 3     |
            | four          | A          | ast     | 3.0           | 29      | 1        | 3     |
            | late          | A          | ast     | 3.0           | 200     | 1        | 4     |
            | none          | A          | ast     | 3.0           | 3       | 1        |       |
            """,
        },
        """
        | time_window | worst_grade | worst_day | source_row_id |
        | acute       | 3           | 20        | two           |
        | primary     | 3           | 20        | two           |
        | late        | 4           | 200       | late          |
        | any         | 4           | 200       | late          |
        """,
    )


def test_emergent_is_worse_than_the_baseline_of_the_same_version() -> None:
    """Grade 2 after a baseline of grade 2 is not emergent.

    Without a baseline grade it is unknown, except for grade 0, which is worse than nothing.

    Source: admiral template ad_adlb, baseline and worst toxicity grade.
    """
    check(
        toxicity,
        {
            "anchors": STAGED,
            "lab_grades": """
            | subject_id | analyte   | ctcae_version | rel_day | sequence | is_baseline | grade |
            | A          | bilirubin | 3.0           | -1      | 1        | yes         | 2     |
            | A          | bilirubin | 3.0           | 500     | 1        | no          | 2     |
            | A          | bilirubin | 5.0           | -1      | 1        | yes         | 1     |
            | A          | bilirubin | 5.0           | 500     | 1        | no          | 2     |
            | A          | albumin   | 3.0           | -1      | 1        | yes         |       |
            | A          | albumin   | 3.0           | 500     | 1        | no          | 1     |
            | A          | platelets | 3.0           | 500     | 1        | no          | 0     |
            """,
        },
        """
        | term      | ctcae_version | time_window | baseline_grade | worst_grade | emergent |
        | bilirubin | 3.0           | any         | 2              | 2           | no       |
        | bilirubin | 3.0           | late_1_year | 2              | 2           | no       |
        | bilirubin | 5.0           | any         | 1              | 2           | yes      |
        | bilirubin | 5.0           | late_1_year | 1              | 2           | yes      |
        | albumin   | 3.0           | any         |                | 1           |          |
        | albumin   | 3.0           | late_1_year |                | 1           |          |
        | platelets | 3.0           | any         |                | 0           | no       |
        | platelets | 3.0           | late_1_year |                | 0           | no       |
        """,
    )


def test_without_a_gradable_result_after_treatment_there_is_no_worst_grade() -> None:
    """A baseline alone, or a result that cannot be graded, puts nobody into a denominator."""
    check(
        toxicity,
        {
            "anchors": STAGED,
            "lab_grades": """
            | subject_id | analyte   | ctcae_version | rel_day | sequence | is_baseline | grade |
            | A          | bilirubin | 3.0           | -1      | 1        | yes         | 2     |
            | A          | albumin   | 3.0           | 9       | 1        | no          |       |
            """,
        },
        """
        | term | worst_grade |
        """,
    )


def test_retreatment_neither_opens_nor_closes_the_windows_of_the_first_course() -> None:
    """Windows hang on the first course's last session; what follows re-treatment opens none.

    The anchor's last session is that of the first course, so a session on day 200 changes nothing.
    """
    check(
        toxicity,
        {
            "anchors": """
            | subject_id | t0_date | last_session_date |
            | A          | d0      | d0                |
            """,
            "lab_grades": """
            | subject_id | analyte   | ctcae_version | rel_day | sequence | is_baseline | grade |
            | A          | bilirubin | 3.0           | 210     | 1        | no          | 3     |
            """,
        },
        """
        | time_window         | worst_grade |
        | any                 | 3           |
        | late_6_to_12_months | 3           |
        """,
    )


def test_the_windows_are_settings() -> None:
    """A registry may choose 0 to 60 days."""
    check(
        toxicity,
        {
            "anchors": STAGED,
            "lab_grades": """
            | subject_id | analyte   | ctcae_version | rel_day | sequence | is_baseline | grade |
            | A          | bilirubin | 3.0           | 96      | 1        | no          | 3     |
            """,
        },
        """
        | time_window | worst_grade |
        | any         | 3           |
        | late        | 3           |
        """,
        ToxicitySettings(primary_days=60),
    )


def test_no_grade_is_derived_from_a_registry_without_laboratory_results() -> None:
    """An absent table is not a patient without toxicity."""
    assert run(toxicity, {"anchors": STAGED}) == []
    assert run(lab_grades, {"anchors": STAGED}) == []
