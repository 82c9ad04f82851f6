"""Candidates for REILD as a share of those who were seen in its days; worked by hand."""

from analytics.classes.deaths import reild_summary, reild_summary_sets
from schemas.settings import ToxicitySettings
from tests.support.pipe_tables import check, run
from transforms.toxicity.reild import subject_reild


def test_only_who_had_a_bilirubin_in_the_days_of_reild_is_observed() -> None:
    """A on day 14 and B on day 122 after a session; C a day too late; D another analyte.

    E's second session makes day 150 one of its days. F's site delivers no results.
    """
    check(
        subject_reild,
        {
            "anchors": """
                | subject_id | site_id | t0_date | last_session_date |
                | A          | s1      | d0      | d0                |
                | B          | s1      | d0      | d0                |
                | C          | s1      | d0      | d0                |
                | D          | s1      | d0      | d0                |
                | E          | s1      | d0      | d40               |
                | F          | s2      | d0      | d0                |
            """,
            "sessions": """
                | subject_id | session_number | course | session_id | session_date |
                | A          | 1              | 1      | x          | d0           |
                | B          | 1              | 1      | x          | d0           |
                | C          | 1              | 1      | x          | d0           |
                | D          | 1              | 1      | x          | d0           |
                | E          | 1              | 1      | x          | d0           |
                | E          | 2              | 1      | y          | d40          |
                | F          | 1              | 1      | x          | d0           |
            """,
            "labs": """
                | subject_id | site_id | analyte   | lab_date | value | unit  |
                | A          | s1      | bilirubin | d14      | 4     | mg/dL |
                | B          | s1      | bilirubin | d122     | 1     | mg/dL |
                | C          | s1      | bilirubin | d123     | 4     | mg/dL |
                | D          | s1      | albumin   | d30      | 35    | g/L   |
                | E          | s1      | bilirubin | d150     | 4     | mg/dL |
            """,
            "reild_candidates": """
                | subject_id | course | session_number | rel_day | status    | braat_grade |
                | A          | 1      | 1              | 14      | candidate | 3           |
                | A          | 2      | 2              | 300     | candidate | 5           |
                | E          | 1      | 2              | 150     | excluded  |             |
            """,
        },
        """
        | subject_id | observed | candidate | excluded | braat_grade |
        | A          | yes      | yes       | no       | 5           |
        | B          | yes      | no        | no       |             |
        | C          | no       |           |          |             |
        | D          | no       |           |          |             |
        | E          | yes      | no        | yes      |             |
        """,
        ToxicitySettings(),
    )


SEEN = """
    | subject_id | observed | candidate | excluded | braat_grade |
    | A          | yes      | yes       | no       | 5           |
    | B          | yes      | no        | no       |             |
    | C          | no       |           |          |             |
    | E          | yes      | no        | yes      |             |
    | G          | yes      | yes       | no       | 3           |
"""


def test_shares_are_of_those_observed() -> None:
    members = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCEG")])
    found = run(reild_summary, {"subject_reild": SEEN, "population_members": members})
    told = {r["category"]: (r["n"], r["total"], r["n_not_observed"], r["pct"]) for r in found}
    assert told == {
        "candidate": (2, 4, 1, 50),
        "grade_3": (1, 4, 1, 25),
        "grade_4": (0, 4, 1, 0),
        "grade_5": (1, 4, 1, 25),
        "excluded": (1, 4, 1, 25),
    }


def test_without_results_there_is_a_reason() -> None:
    members = "| population | subject_id |\n| all | A |"
    found = run(reild_summary, {"subject_reild": "", "population_members": members})
    assert {(r["n"], r["total"], r["pct"]) for r in found} == {(0, 0, None)}
    assert {r["reason"] for r in found} == {
        "no laboratory results delivered, or no bilirubin in the days of REILD"
    }


def test_members_are_those_counted() -> None:
    check(
        reild_summary_sets,
        {"subject_reild": SEEN},
        """
        | set_id                  | subject_id | lesion_number |
        | reild_summary.candidate | A          | 0             |
        | reild_summary.candidate | G          | 0             |
        | reild_summary.grade_3   | G          | 0             |
        | reild_summary.grade_5   | A          | 0             |
        | reild_summary.excluded  | E          | 0             |
        """,
    )
