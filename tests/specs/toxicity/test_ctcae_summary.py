"""Toxicity as it is published: counts, exact intervals, shifts, who moves between versions.

Limits are those of R 4.2.2, binom.test: 1 of 4 is 25 % (0.63-80.59), 2 of 4 is 50 % (6.76-93.24).
"""

import ibis

from analytics.outcomes.toxicity import (
    toxicity_shift,
    toxicity_shift_sets,
    toxicity_summary,
    toxicity_summary_sets,
)
from schemas.settings import ToxicitySettings
from schemas.tables.marts import LabGrades
from tests.support.pipe_tables import check, run, table
from transforms.toxicity.regrade import regrade

V3 = ToxicitySettings(ctcae_versions=("3.0",))
COHORT = {
    "population_members": """
        | population | subject_id |
        | all        | A          |
        | all        | B          |
        | all        | C          |
        | all        | D          |
        | all        | reported   |
    """,
    "anchors": """
        | subject_id | site_id | t0_date |
        | A          | north   | d0      |
        | B          | north   | d0      |
        | C          | north   | d0      |
        | D          | south   | d0      |
    """,
}


def rows_of(found: list[dict[str, object]], *names: str, **of: object) -> list[tuple[object, ...]]:
    """The named columns of the rows with the given values."""
    kept = [r for r in found if all(r[k] == v for k, v in of.items())]
    return [tuple(r[n] for n in names) for r in kept]


def test_laboratory_toxicity_is_a_share_of_the_patients_with_a_gradable_result() -> None:
    """Three of four treated have bilirubin; grade 3 or worse in one of the three.

    One has albumin, of grade 3: it counts as grade 3 or worse.

    A subject without T0 (reported endpoints only) is in no denominator.
    """
    found = run(
        toxicity_summary,
        COHORT
        | {
            "toxicity": """
            | subject_id | source | term      | ctcae_version | time_window | worst_grade |
            | A          | lab    | bilirubin | 3.0           | late        | 0           |
            | B          | lab    | bilirubin | 3.0           | late        | 2           |
            | C          | lab    | bilirubin | 3.0           | late        | 4           |
            | A          | lab    | albumin   | 3.0           | late        | 3           |
            """
        },
        V3,
    )
    shown = ("grade", "n", "total", "n_treated", "reason")
    assert rows_of(found, *shown, term="albumin", time_window="late", grade="ge3") == [
        ("ge3", 1, 1, 4, None)
    ]
    assert rows_of(found, *shown, term="bilirubin", time_window="late") == [
        ("1", 0, 3, 4, None),
        ("2", 1, 3, 4, None),
        ("3", 0, 3, 4, None),
        ("4", 1, 3, 4, None),
        ("any", 2, 3, 4, None),
        ("ge3", 1, 3, 4, None),
    ]
    no_result = "no gradable result in the window"
    assert rows_of(found, *shown, "pct", term="bilirubin", time_window="acute", grade="ge3") == [
        ("ge3", None, 0, 4, no_result, None)
    ]


def test_intervals_are_exact() -> None:
    """Clopper-Pearson, in percent, as R's binom.test; and the share of all treated beside it."""
    found = run(
        toxicity_summary,
        COHORT
        | {
            "toxicity": """
            | subject_id | source | term | ctcae_version | time_window | worst_grade |
            | A          | lab    | ast  | 3.0           | any         | 1           |
            | B          | lab    | ast  | 3.0           | any         | 3           |
            | C          | lab    | ast  | 3.0           | any         | 0           |
            | D          | lab    | ast  | 3.0           | any         | 0           |
            """
        },
        V3,
    )
    limits = rows_of(found, "pct", "lower", "upper", "pct_treated", term="ast", time_window="any")
    rounded = [tuple(round(float(str(x)), 2) for x in row) for row in limits]
    assert rounded[0] == (25.0, 0.63, 80.59, 25.0)
    assert rounded[4] == (50.0, 6.76, 93.24, 50.0)
    assert rounded[1] == (0.0, 0.0, 60.24, 0.0)


def test_an_analyte_that_nobody_has_is_not_derivable() -> None:
    """Its rows have a reason and no number; an absent table is not zero toxicity.

    A centre that draws blood and has no creatinine says so; one that delivers no laboratory values
    at all says that, whatever is asked of it.
    """
    drawn = {"labs": "| site_id | subject_id | analyte |\n| north | A | bilirubin |"}
    found = run(toxicity_summary, COHORT | drawn, V3)
    shown = ("grade", "n", "total", "pct", "reason")
    assert rows_of(found, *shown, term="creatinine") == [
        ("any", None, 0, None, "no gradable result"),
        ("ge3", None, 0, None, "no gradable result"),
    ]
    no_events = "no site of the population records adverse events"
    assert rows_of(found, *shown, term="fatigue") == [("any", None, 0, None, no_events)]


def test_a_centre_without_laboratory_values_has_no_laboratory_toxicity() -> None:
    """The north delivers blood values, the south none: its toxicity is not known, and not zero."""
    found = run(
        toxicity_summary,
        COHORT
        | {
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | all        | D          |
                | site:south | D          |
            """,
            "labs": "| site_id | subject_id | analyte |\n| north | A | bilirubin |",
            "toxicity": """
                | subject_id | source | term      | ctcae_version | time_window | worst_grade |
                | A          | lab    | bilirubin | 3.0           | primary     | 3           |
            """,
        },
        V3,
    )
    shown = ("grade", "n", "total", "n_treated", "pct", "reason")
    no_labs = "no site of the population delivers laboratory values"
    assert rows_of(found, *shown, term="bilirubin", population="site:south") == [
        ("any", None, 0, 1, None, no_labs),
        ("ge3", None, 0, 1, None, no_labs),
    ]
    severe = {"term": "bilirubin", "time_window": "primary", "grade": "ge3"}
    assert rows_of(found, *shown, population="all", **severe) == [("ge3", 1, 1, 2, 100.0, None)]


def test_an_event_that_perhaps_preceded_treatment_leaves_its_term_without_a_number() -> None:
    """Its onset cannot be read: neither somebody with the event nor somebody without it."""
    found = run(
        toxicity_summary,
        COHORT
        | {
            "adverse_events": """
            | site_id | subject_id | term    |
            | north   | A          | fatigue |
            """,
            "toxicity": """
            | subject_id | source | term    | ctcae_version | time_window | reason     |
            | A          | event  | fatigue | 3.0           | primary     | unreadable |
            """,
        },
        V3,
    )
    shown = ("n", "pct", "reason")
    why = "of 1 it cannot be read whether the event followed treatment"
    for grade in ("any", "2", "ge3"):
        assert rows_of(found, *shown, term="fatigue", time_window="primary", grade=grade) == [
            (None, None, why)
        ]


def test_events_are_a_share_of_the_treated_patients_of_sites_that_record_events() -> None:
    """The southern site delivers none: its patient is not a patient without fatigue."""
    found = run(
        toxicity_summary,
        COHORT
        | {
            "adverse_events": """
            | site_id | subject_id | term    |
            | north   | A          | fatigue |
            """,
            "toxicity": """
            | subject_id | source | term    | ctcae_version | time_window | worst_grade |
            | A          | event  | fatigue | 3.0           | primary     | 2           |
            """,
        },
        V3,
    )
    shown = ("n", "total", "n_treated")
    assert rows_of(found, *shown, term="fatigue", time_window="primary", grade="any") == [(1, 3, 4)]
    assert rows_of(found, *shown, term="nausea", time_window="primary", grade="any") == [(0, 3, 4)]


def test_events_without_a_grade_in_the_version_count_as_any_and_never_as_a_grade() -> None:
    """Versions are not pooled: where one grade is missing, no grade has a percentage."""
    found = run(
        toxicity_summary,
        COHORT
        | {
            "adverse_events": """
            | site_id | subject_id | term    |
            | north   | A          | fatigue |
            | south   | D          | fatigue |
            """,
            "toxicity": """
            | subject_id | source | term    | ctcae_version | time_window | worst_grade |
            | A          | event  | fatigue | 3.0           | primary     | 2           |
            | B          | event  | fatigue | 3.0           | primary     |             |
            """,
        },
        V3,
    )
    shown = ("grade", "n", "total", "reason")
    reason = "1 with the event have no grade in this version"
    assert rows_of(found, *shown, term="fatigue", time_window="primary") == [
        ("1", None, 4, reason),
        ("2", None, 4, reason),
        ("3", None, 4, reason),
        ("4", None, 4, reason),
        ("5", None, 4, reason),
        ("any", 2, 4, None),
        ("ge3", None, 4, reason),
    ]


def test_late_windows_are_of_those_observed_into_them() -> None:
    """Of two observed for more than a year one had fatigue; C's, dated after its death, is no late one.

    Late windows tell any grade and 3 or worse. Nobody was observed for two years. Of laboratory
    results those who have one in the window are observed.
    """
    inputs = COHORT | {
        "adverse_events": "| site_id | subject_id | term |\n| north | A | fatigue |",
        "subject_events": """
            | subject_id | time_window |
            | A          | late_1_year |
            | B          | late_1_year |
            | A          | any         |
        """,
        "toxicity": """
            | subject_id | source | term    | ctcae_version | time_window | worst_grade |
            | A          | event  | fatigue | 3.0           | late_1_year | 3           |
            | C          | event  | fatigue | 3.0           | late_1_year | 2           |
            | D          | lab    | ast     | 3.0           | late_1_year | 1           |
        """,
    }
    found = run(toxicity_summary, inputs, V3)
    shown = ("grade", "n", "total", "n_treated", "reason")
    late = {"term": "fatigue", "time_window": "late_1_year"}
    assert rows_of(found, *shown, **late) == [("any", 1, 2, 4, None), ("ge3", 1, 2, 4, None)]
    nobody = "nobody of a site that records adverse events was observed so long"
    assert rows_of(found, *shown, term="fatigue", time_window="late_2_years") == [
        ("any", None, 0, 4, nobody),
        ("ge3", None, 0, 4, nobody),
    ]
    late = {"term": "ast", "time_window": "late_1_year"}
    assert rows_of(found, *shown, **late) == [("any", 1, 1, 4, None), ("ge3", 0, 1, 4, None)]
    check(
        toxicity_summary_sets,
        {name: inputs[name] for name in ("toxicity", "subject_events")},
        """
        | set_id                                           | subject_id |
        | toxicity_summary.event.fatigue.3_0.late_1_year.3 | A          |
        | toxicity_summary.lab.ast.3_0.late_1_year.1       | D          |
        """,
    )


def test_who_is_counted_is_named() -> None:
    """A patient is in the set of the worst grade; any grade, and 3 or worse, are unions of these.

    An event without a grade in the version has happened all the same, and counts as any grade.
    """
    check(
        toxicity_summary_sets,
        {
            "toxicity": """
            | subject_id | source | term    | ctcae_version | time_window | worst_grade |
            | A          | lab    | ast     | 3.0           | any         | 0           |
            | B          | lab    | ast     | 3.0           | any         | 3           |
            | C          | event  | fatigue | 3.0           | any         | 1           |
            | D          | event  | fatigue | 3.0           | any         |             |
            """
        },
        """
        | set_id                                          | subject_id | lesion_number |
        | toxicity_summary.lab.ast.3_0.any.3              | B          | 0             |
        | toxicity_summary.event.fatigue.3_0.any.1        | C          | 0             |
        | toxicity_summary.event.fatigue.3_0.any.ungraded | D          | 0             |
        """,
    )


SHIFTED = {
    "anchors": COHORT["anchors"],
    "lab_grades": """
        | subject_id | analyte | ctcae_version | rel_day | is_baseline | grade |
        | A          | ast     | 3.0           | -1      | yes         | 1     |
        | C          | ast     | 3.0           | -1      | yes         | 0     |
    """,
    "toxicity": """
        | subject_id | source | term | ctcae_version | time_window | baseline_grade | worst_grade |
        | A          | lab    | ast  | 3.0           | any         | 1              | 3           |
        | A          | lab    | ast  | 3.0           | acute       | 1              | 2           |
        | B          | lab    | ast  | 3.0           | any         |                | 0           |
    """,
}


def test_the_shift_table_keeps_who_has_no_baseline_or_no_result() -> None:
    """A from 1 to 3; B without baseline; C without a later result; D with neither."""
    found = run(toxicity_shift, SHIFTED | {"population_members": COHORT["population_members"]})
    cells = {(r["baseline_grade"], r["worst_grade"]): r["n"] for r in found}
    assert len(cells) == 36
    assert {cell: n for cell, n in cells.items() if n} == {
        ("1", "3"): 1,
        ("missing", "0"): 1,
        ("0", "missing"): 1,
        ("missing", "missing"): 1,
    }


def test_the_members_of_the_shift_table_are_its_cells() -> None:
    """Every treated subject is in exactly one cell of each analyte measured."""
    check(
        toxicity_shift_sets,
        SHIFTED,
        """
        | set_id                                 | subject_id |
        | toxicity_shift.ast.3_0.1.3             | A          |
        | toxicity_shift.ast.3_0.missing.0       | B          |
        | toxicity_shift.ast.3_0.0.missing       | C          |
        | toxicity_shift.ast.3_0.missing.missing | D          |
        """,
    )


def test_regrading_lists_who_moves_and_why() -> None:
    """AST 2.8 x ULN is grade 2 in version 3.0 and 1 in 4.03; who stays is not listed.

    A subject gradable in one version only moves too.
    """
    graded = table(
        LabGrades,
        """
        | subject_id | analyte | ctcae_version | rel_day | sequence | grade | rule        |
        | A          | ast     | 3.0           | 5       | 1        | 2     | > 2.5 x ULN |
        | A          | ast     | 4.03          | 5       | 1        | 1     | > 1 x ULN   |
        | A          | ast     | 4.03          | -5      | 1        | 4     | > 20 x ULN  |
        | B          | ast     | 3.0           | 5       | 1        | 1     | > 1 x ULN   |
        | B          | ast     | 4.03          | 5       | 1        | 1     | > 1 x ULN   |
        | C          | ast     | 3.0           | 5       | 1        | 0     | <= 1 x ULN  |
        """,
    )
    moved = regrade(graded, from_version="3.0", to_version="4.03")
    records = ibis.duckdb.connect().to_pyarrow(moved).to_pylist()
    shown = ("subject_id", "worst_grade_from", "rule_from", "worst_grade_to", "rule_to")
    assert [tuple(r[n] for n in shown) for r in records] == [
        ("A", 2, "> 2.5 x ULN", 1, "> 1 x ULN"),
        ("C", 0, "<= 1 x ULN", None, None),
    ]


def test_what_a_version_does_not_define_has_no_number_and_never_a_zero() -> None:
    """Lymphocytes left version 6.0, whose clinical terms are not held here; bilirubin stays.

    Source: CTCAE v6.0 as transcribed in admiral: laboratory terms, among them no lymphopenia.
    """
    found = run(
        toxicity_summary,
        COHORT
        | {
            "adverse_events": """
            | subject_id | site_id | term    |
            | A          | north   | fatigue |
            """,
            "toxicity": """
            | subject_id | source | term        | ctcae_version | time_window | worst_grade |
            | A          | lab    | bilirubin   | 6.0           | primary     | 2           |
            | A          | lab    | lymphocytes | 5.0           | primary     | 3           |
            | A          | lab    | lymphocytes | 6.0           | primary     |             |
            | A          | event  | fatigue     | 6.0           | primary     | 2           |
            """,
        },
        ToxicitySettings(ctcae_versions=("5.0", "6.0")),
    )
    shown = ("grade", "n", "pct", "reason")
    of = {"time_window": "primary", "ctcae_version": "6.0"}
    gone = "not defined in CTCAE 6.0"
    assert rows_of(found, *shown, term="lymphocytes", **of) == [
        ("any", None, None, gone),
        ("ge3", None, None, gone),
    ]
    assert rows_of(found, *shown, term="fatigue", **of) == [
        ("any", None, None, "no clinical terms are held here of CTCAE 6.0")
    ]
    assert ("2", 1, 100.0, None) in rows_of(found, *shown, term="bilirubin", **of)
    before = rows_of(found, "grade", "n", term="lymphocytes", ctcae_version="5.0")
    assert ("3", 1) in before
    assert not [
        r for r in found if r["ctcae_version"] == "6.0" and r["source"] == "event" and r["n"]
    ]


def test_nobody_shifts_between_grades_that_a_version_does_not_define() -> None:
    """Lymphocytes of version 6.0 have no cell, not even with 0; those of 5.0 have all of theirs."""
    found = run(
        toxicity_shift,
        COHORT
        | {
            "lab_grades": """
            | subject_id | analyte     | ctcae_version | rel_day | grade | is_baseline | source_row_id |
            | A          | lymphocytes | 5.0           | -1      | 0     | yes         | r1            |
            | A          | lymphocytes | 6.0           | -1      |       | yes         | r1            |
            """,
            "toxicity": """
            | subject_id | source | term        | ctcae_version | time_window | baseline_grade | worst_grade |
            | A          | lab    | lymphocytes | 5.0           | any         | 0              | 3           |
            | A          | lab    | lymphocytes | 6.0           | any         |                |             |
            """,
        },
    )  # fmt: skip
    assert {r["ctcae_version"] for r in found} == {"5.0"}
    assert rows_of(found, "n", baseline_grade="0", worst_grade="3") == [(1,)]
