"""Tumour markers: which results count, when a fall is one, and what is counted of whom.

Worked by hand. No source read fixes the share of a fall; half is the setting's default.
"""

import pytest

from analytics.classes.markers import marker_summary, marker_summary_sets
from schemas.settings import ResponseSettings
from tests.support.pipe_tables import check
from transforms.classes.markers import lab_results, marker_response

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
"""


def test_every_accepted_result_stands_with_its_unit_and_limits() -> None:
    """Of any analyte, graded or not; a unit that is none of ours is never written out.

    X was not treated and has no day from T0.
    """
    check(
        lab_results,
        {
            "anchors": T0,
            "baseline_labs": "| subject_id | analyte | row_id |\n| A | magnesium | labs:1 |",
            "labs": """
                | subject_id | lab_date | analyte        | sequence | value | value_comparator | unit   | lower_limit | upper_limit |
                | A          | d-3      | magnesium      | 1        | 0.8   |                  | mmol/L | 0.7         | 1.0         |
                | A          | d9       | magnesium      | 2        | 0.9   |                  | mmol/L | 0.7         | 1.0         |
                | A          | d9       | chromogranin_a | 1        | 20    | <                | ug/L   |             | 100         |
                | B          | d9       | bilirubin      | 1        | 1.1   |                  | stone  |             |             |
                | X          | d9       | bilirubin      | 1        | 1.1   |                  | mg/dL  |             |             |
            """,
        },
        """
        | subject_id | analyte        | rel_day | sequence | value | value_comparator | unit    | lower_limit | upper_limit | is_baseline | source_row_id |
        | A          | chromogranin_a | 9       | 1        | 20    | <                | ug/L    |             | 100         | no          | labs:3        |
        | A          | magnesium      | -3      | 1        | 0.8   |                  | mmol/L  | 0.7         | 1.0         | yes         | labs:1        |
        | A          | magnesium      | 9       | 2        | 0.9   |                  | mmol/L  | 0.7         | 1.0         | no          | labs:2        |
        | B          | bilirubin      | 9       | 1        | 1.1   |                  | unknown |             |             | no          | labs:4        |
        """,
    )


def _one(baseline: str, results: str) -> dict[str, str]:
    return {
        "anchors": T0,
        "baseline_labs": "| subject_id | analyte | value | value_comparator | unit | upper_limit |\n"
        + baseline,
        "labs": "| subject_id | lab_date | analyte | sequence | value | value_comparator | unit "
        "| upper_limit |\n" + results,
    }


def test_a_fall_of_half_is_one_and_less_is_none() -> None:
    """From 400: 200 is a fall, 200.1 is none. Back to normal at the upper limit, not above it.

    C's baseline lies on its limit and is not elevated; D's has none. E has no later result.
    """
    check(
        marker_response,
        _one(
            """
            | A | chromogranin_a | 400   | | ug/L | 100 |
            | B | chromogranin_a | 400   | | ug/L | 100 |
            | C | chromogranin_a | 100   | | ug/L | 100 |
            | D | chromogranin_a | 400   | | ug/L |     |
            | E | chromogranin_a | 100.1 | | ug/L | 100 |
            """,
            """
            | A | d30 | chromogranin_a | 1 | 200   | | ug/L | 200   |
            | B | d30 | chromogranin_a | 1 | 200.1 | | ug/L | 200   |
            | C | d30 | chromogranin_a | 1 | 10    | | ug/L | 100   |
            | D | d30 | chromogranin_a | 1 | 10    | | ug/L | 100   |
            | E | d0  | chromogranin_a | 1 | 10    | | ug/L | 100   |
            """,
        ),
        """
        | subject_id | marker         | at_days | elevated | value | result_day | change_pct | fell | normalised | evaluable | reason                    |
        | A          | chromogranin_a | 0       | yes      | 200   | 30         | -50.0      | yes  | yes        | yes       |                           |
        | A          | chromogranin_a | 91      | yes      |       |            |            |      |            | no        | no_result                 |
        | B          | chromogranin_a | 0       | yes      | 200.1 | 30         | -49.975    | no   | no         | yes       |                           |
        | B          | chromogranin_a | 91      | yes      |       |            |            |      |            | no        | no_result                 |
        | C          | chromogranin_a | 0       | no       | 10    | 30         | -90.0      | yes  | yes        | no        | not_above_the_upper_limit |
        | C          | chromogranin_a | 91      | no       |       |            |            |      |            | no        | not_above_the_upper_limit |
        | D          | chromogranin_a | 0       |          | 10    | 30         | -97.5      | yes  | yes        | no        | no_upper_limit            |
        | D          | chromogranin_a | 91      |          |       |            |            |      |            | no        | no_upper_limit            |
        | E          | chromogranin_a | 0       | yes      |       |            |            |      |            | no        | no_result                 |
        | E          | chromogranin_a | 91      | yes      |       |            |            |      |            | no        | no_result                 |
        """,
        ResponseSettings(windows=((61, 91, 122),)),
    )


def test_another_share_is_another_fall() -> None:
    """From 50 to 35 is a fall of 30 %, and none of half."""
    check(
        marker_response,
        _one(
            "| A | 5_hiaa | 50 | | mg/d | 8 |\n| B | 5_hiaa | 50 | | mg/d | 8 |",
            "| A | d91 | 5_hiaa | 1 | 35 | | mg/d | 8 |\n| B | d91 | 5_hiaa | 1 | 35.1 | | mg/d | 8 |",
        ),
        """
        | subject_id | marker | at_days | fell |
        | A          | 5_hiaa | 0       | yes  |
        | A          | 5_hiaa | 91      | yes  |
        | B          | 5_hiaa | 0       | no   |
        | B          | 5_hiaa | 91      | no   |
        """,
        ResponseSettings(marker_fall_pct=30, windows=((61, 91, 122),)),
    )


def test_censored_results_and_other_units_answer_only_where_they_can() -> None:
    """A: `<200` after 400 is a fall. B: `<300` may be one or not. C: after `>400`, 200 is one.

    D: after `<400`, 200 is none that is known. E's urine was measured per litre later: another
    unit is not compared, though its result may be normal by its own limit.
    """
    check(
        marker_response,
        _one(
            """
            | A | 5_hiaa | 400 |   | umol/d | 50  |
            | B | 5_hiaa | 400 |   | umol/d | 50  |
            | C | 5_hiaa | 400 | > | umol/d | 50  |
            | D | 5_hiaa | 400 | < | umol/d | 500 |
            | E | 5_hiaa | 400 |   | umol/d | 50  |
            """,
            """
            | A | d90 | 5_hiaa | 1 | 200 | < | umol/d | 50 |
            | B | d90 | 5_hiaa | 1 | 300 | < | umol/d | 50 |
            | C | d90 | 5_hiaa | 1 | 200 |   | umol/d | 50 |
            | D | d90 | 5_hiaa | 1 | 200 |   | umol/d | 50 |
            | E | d90 | 5_hiaa | 1 | 20  |   | umol/L | 30 |
            """,
        ),
        """
        | subject_id | marker | at_days | elevated | fell | normalised | change_pct | evaluable | reason                    |
        | A          | 5_hiaa | 91      | yes      | yes  |            |            | yes       |                           |
        | A          | 5_hiaa | 0       | yes      | yes  |            |            | yes       |                           |
        | B          | 5_hiaa | 91      | yes      |      |            |            | no        | not_comparable            |
        | B          | 5_hiaa | 0       | yes      |      |            |            | no        | not_comparable            |
        | C          | 5_hiaa | 91      | yes      | yes  | no         |            | yes       |                           |
        | C          | 5_hiaa | 0       | yes      | yes  | no         |            | yes       |                           |
        | D          | 5_hiaa | 91      | no       |      | no         |            | no        | not_above_the_upper_limit |
        | D          | 5_hiaa | 0       | no       |      | no         |            | no        | not_above_the_upper_limit |
        | E          | 5_hiaa | 91      | yes      |      | yes        |            | no        | not_comparable            |
        | E          | 5_hiaa | 0       | yes      |      | yes        |            | no        | not_comparable            |
        """,
        ResponseSettings(windows=((61, 91, 122),)),
    )


def test_the_greatest_fall_and_the_nearest_result_up_to_other_treatment() -> None:
    """A: at best 90 of day 40; at 91 days day 88, as near as day 94; its last draw of that day.

    B's therapy began on day 100: the fall of day 101 is that treatment's.
    """
    check(
        marker_response,
        _one(
            "| A | chromogranin_a | 400 | | ug/L | 100 |\n| B | chromogranin_a | 400 | | ug/L | 100 |",
            """
            | A | d40  | chromogranin_a | 1 | 90  | | ug/L | 100 |
            | A | d88  | chromogranin_a | 1 | 250 | | ug/L | 100 |
            | A | d88  | chromogranin_a | 2 | 150 | | ug/L | 100 |
            | A | d94  | chromogranin_a | 1 | 300 | | ug/L | 100 |
            | B | d70  | chromogranin_a | 1 | 300 | | ug/L | 100 |
            | B | d101 | chromogranin_a | 1 | 50  | | ug/L | 100 |
            """,
        )
        | {"subsequent_therapies": "| subject_id | start_date |\n| B | d100 |"},
        """
        | subject_id | at_days | value | result_day | fell | normalised | source_row_id |
        | A          | 0       | 90    | 40         | yes  | yes        | labs:1        |
        | A          | 91      | 150   | 88         | yes  | no         | labs:3        |
        | B          | 0       | 300   | 70         | no   | no         | labs:5        |
        | B          | 91      | 300   | 70         | no   | no         | labs:5        |
        """,
        ResponseSettings(windows=((61, 91, 122),)),
    )


MARTS = """
    | subject_id | marker         | at_days | elevated | fell | normalised |
    | A          | chromogranin_a | 0       | yes      | yes  | yes        |
    | B          | chromogranin_a | 0       | yes      | yes  | no         |
    | C          | chromogranin_a | 0       | yes      | no   | no         |
    | D          | chromogranin_a | 0       | yes      |      |            |
    | E          | chromogranin_a | 0       | no       | yes  | yes        |
    | F          | chromogranin_a | 0       |          | yes  | yes        |
    | E          | chromogranin_a | 91      | no       | yes  | yes        |
"""
MEMBERS = "\n".join(["| population | subject_id |", *(f"| all | {n} |" for n in "ABCDEFG")])


def test_only_elevated_markers_are_counted_and_the_others_told() -> None:
    """Two of four elevated fell, of the three known two.

    E was normal before, F has no limit, G no baseline. At 91 days nobody elevated has a row.
    """
    check(
        marker_summary,
        {"marker_response": MARTS, "population_members": MEMBERS},
        """
        | population | marker         | at_days | category   | n | total | n_evaluable | n_baseline | n_without_limit | pct  | pct_evaluable      | reason                                                   |
        | all        | chromogranin_a | 0       | fall       | 2 | 4     | 3           | 6          | 1               | 50.0 | 66.66666666666667  |                                                          |
        | all        | chromogranin_a | 0       | normalised | 1 | 4     | 3           | 6          | 1               | 25.0 | 33.333333333333336 |                                                          |
        | all        | chromogranin_a | 91      | fall       | 0 | 0     | 0           | 1          | 0               |      |                    | nobody's baseline is known to lie above its upper limit  |
        | all        | chromogranin_a | 91      | normalised | 0 | 0     | 0           | 1          | 0               |      |                    | nobody's baseline is known to lie above its upper limit  |
        | all        | 5_hiaa         | 0       | fall       | 0 | 0     | 0           | 0          | 0               |      |                    | no baseline of the marker delivered                      |
        | all        | 5_hiaa         | 0       | normalised | 0 | 0     | 0           | 0          | 0               |      |                    | no baseline of the marker delivered                      |
        | all        | 5_hiaa         | 91      | fall       | 0 | 0     | 0           | 0          | 0               |      |                    | no baseline of the marker delivered                      |
        | all        | 5_hiaa         | 91      | normalised | 0 | 0     | 0           | 0          | 0               |      |                    | no baseline of the marker delivered                      |
        """,
        ResponseSettings(windows=((61, 91, 122),)),
    )


def test_the_members_of_a_share_are_those_counted() -> None:
    check(
        marker_summary_sets,
        {"marker_response": MARTS},
        """
        | set_id                                     | subject_id | lesion_number |
        | marker_summary.chromogranin_a.0.fall       | A          | 0             |
        | marker_summary.chromogranin_a.0.fall       | B          | 0             |
        | marker_summary.chromogranin_a.0.normalised | A          | 0             |
        """,
    )


@pytest.mark.parametrize("pct", [0, 100])
def test_no_fall_and_everything_gone_are_no_shares(pct: int) -> None:
    with pytest.raises(ValueError, match="marker_fall_pct"):
        ResponseSettings(marker_fall_pct=pct)
