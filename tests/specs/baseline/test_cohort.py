"""Where patients leave the series, and how Table 1 describes those who stay."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import wraps
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from analytics.outcomes.baseline_characteristics import (
    Moments,
    baseline_characteristics,
    baseline_characteristics_sets,
    standardised_difference,
)
from analytics.outcomes.cohort import (
    attrition,
    attrition_sets,
    factor_levels_sets,
    population_members_sets,
)
from schemas.records.eligibility import RULES
from tests.support.pipe_tables import check, run

FIVE = """
    | subject_id | site_id | treated |
    | A          | north   | yes     |
    | B          | north   | yes     |
    | C          | north   | yes     |
    | D          | south   | yes     |
    | E          | south   | no      |
"""
ANSWERS = """
    | subject_id | rule_id | status  | reason                  |
    | A          | E1      | pass    |                         |
    | A          | E4      | pass    |                         |
    | A          | E6      | unknown | not specified by source |
    | B          | E1      | pass    |                         |
    | B          | E4      | unknown | stale                   |
    | B          | E5      | fail    |                         |
    | B          | E6      | unknown | not specified by source |
    | C          | E1      | pass    |                         |
    | C          | E5      | fail    |                         |
    | C          | X1      | fail    |                         |
    | D          | E1      | fail    |                         |
    | D          | W1      | unknown | missing                 |
    | E          | E1      | fail    |                         |
    | E          | E4      | unknown | not_treated             |
"""


def test_a_patient_leaves_at_the_first_rule_that_is_not_passed() -> None:
    """Unknown is counted apart from excluded, and leaves too; a rule without limits removes nobody.

    B leaves at E4 as unknown, although E5 fails as well; the untreated leave before any rule.
    """
    check(
        attrition,
        {"subjects": FIVE, "eligibility": ANSWERS},
        """
        | population | step | rule_id   | n_in | n_excluded | n_unknown | n_out | note                    |
        | all        | 0    | delivered | 5    | 0          | 0         | 5     |                         |
        | all        | 1    | treated   | 5    | 1          | 0         | 4     |                         |
        | all        | 2    | E1        | 4    | 1          | 0         | 3     |                         |
        | all        | 3    | E2        | 3    | 0          | 0         | 3     |                         |
        | all        | 4    | E3        | 3    | 0          | 0         | 3     |                         |
        | all        | 5    | E4        | 3    | 0          | 1         | 2     |                         |
        | all        | 6    | E5        | 2    | 1          | 0         | 1     |                         |
        | all        | 7    | E6        | 1    | 0          | 0         | 1     | not specified by source |
        | all        | 8    | X1        | 1    | 0          | 0         | 1     |                         |
        | all        | 9    | X2        | 1    | 0          | 0         | 1     |                         |
        | all        | 10   | X3        | 1    | 0          | 0         | 1     |                         |
        | all        | 11   | X4        | 1    | 0          | 0         | 1     |                         |
        | all        | 12   | W1        | 1    | 0          | 0         | 1     |                         |
        | site:north | 0    | delivered | 3    | 0          | 0         | 3     |                         |
        | site:north | 1    | treated   | 3    | 0          | 0         | 3     |                         |
        | site:north | 2    | E1        | 3    | 0          | 0         | 3     |                         |
        | site:north | 3    | E2        | 3    | 0          | 0         | 3     |                         |
        | site:north | 4    | E3        | 3    | 0          | 0         | 3     |                         |
        | site:north | 5    | E4        | 3    | 0          | 1         | 2     |                         |
        | site:north | 6    | E5        | 2    | 1          | 0         | 1     |                         |
        | site:north | 7    | E6        | 1    | 0          | 0         | 1     | not specified by source |
        | site:north | 8    | X1        | 1    | 0          | 0         | 1     |                         |
        | site:north | 9    | X2        | 1    | 0          | 0         | 1     |                         |
        | site:north | 10   | X3        | 1    | 0          | 0         | 1     |                         |
        | site:north | 11   | X4        | 1    | 0          | 0         | 1     |                         |
        | site:north | 12   | W1        | 1    | 0          | 0         | 1     |                         |
        | site:south | 0    | delivered | 2    | 0          | 0         | 2     |                         |
        | site:south | 1    | treated   | 2    | 1          | 0         | 1     |                         |
        | site:south | 2    | E1        | 1    | 1          | 0         | 0     |                         |
        | site:south | 3    | E2        | 0    | 0          | 0         | 0     |                         |
        | site:south | 4    | E3        | 0    | 0          | 0         | 0     |                         |
        | site:south | 5    | E4        | 0    | 0          | 0         | 0     |                         |
        | site:south | 6    | E5        | 0    | 0          | 0         | 0     |                         |
        | site:south | 7    | E6        | 0    | 0          | 0         | 0     | not specified by source |
        | site:south | 8    | X1        | 0    | 0          | 0         | 0     |                         |
        | site:south | 9    | X2        | 0    | 0          | 0         | 0     |                         |
        | site:south | 10   | X3        | 0    | 0          | 0         | 0     |                         |
        | site:south | 11   | X4        | 0    | 0          | 0         | 0     |                         |
        | site:south | 12   | W1        | 0    | 0          | 0         | 0     |                         |
        """,
    )


def test_the_first_step_says_how_many_delivered_rows_were_set_aside() -> None:
    """Whose death broke a rule is counted as alive: the flow of patients says that it happened.

    Over all sites, and at each; where nothing was set aside there is no note.
    """
    people = "| subject_id | site_id | treated |\n| A | north | no |\n| B | south | no |"
    people += "\n| C | west | no |"
    counts = """
        | site_id | table_name | quarantined |
        | north   | contacts   | 5           |
        | south   | scans      | 1           |
        | south   | contacts   | 2           |
    """
    given = {"subjects": people, "set_aside": counts}
    notes = {r["population"]: r["note"] for r in run(attrition, given) if r["step"] == 0}
    assert notes == {
        "all": "rows set aside: 7 of contacts, 1 of scans",
        "site:north": "rows set aside: 5 of contacts",
        "site:south": "rows set aside: 2 of contacts, 1 of scans",
        "site:west": None,
    }


def test_the_rules_are_asked_in_the_order_of_the_source() -> None:
    """Inclusion, then exclusion, then the work-up: the order decides where a patient is counted."""
    order = "E1 E2 E3 E4 E5 E6 X1 X2 X3 X4 W1"
    assert [rule.rule_id for rule in RULES] == order.split()


def test_the_members_after_each_step_are_those_who_are_counted_out_of_it() -> None:
    """Every published count names who it counts."""
    found = run(attrition_sets, {"subjects": FIVE, "eligibility": ANSWERS})
    members: dict[str, str] = {}
    for row in sorted(found, key=lambda r: str(r["subject_id"])):
        members[row["set_id"]] = members.get(row["set_id"], "") + row["subject_id"]
    assert members == {
        "attrition.0": "ABCDE",
        "attrition.1": "ABCD",
        "attrition.2": "ABC",
        "attrition.3": "ABC",
        "attrition.4": "ABC",
        "attrition.5": "AC",
        **{f"attrition.{step}": "A" for step in range(6, 13)},
    }


def test_populations_and_factor_levels_are_member_sets() -> None:
    """Set ids are lower case, as the statistics name them."""
    check(
        population_members_sets,
        {
            "population_members": """
                | population | subject_id |
                | all        | A          |
                | site:north | A          |
            """
        },
        """
        | set_id                | subject_id | lesion_number |
        | population.all        | A          | 0             |
        | population.site:north | A          | 0             |
        """,
    )
    check(
        factor_levels_sets,
        {
            "factor_levels": """
                | subject_id | factor | factor_level |
                | A          | group  | Placebo      |
                | A          | bili12 | <=1.2        |
            """
        },
        """
        | set_id               | subject_id | lesion_number |
        | factor.group.placebo | A          | 0             |
        | factor.bili12.le1_2  | A          | 0             |
        """,
    )


@pytest.fixture(autouse=True, scope="module")
def literal_tables_join() -> None:
    """DuckDB 1.5 pushes a join's bloom filter into Arrow scans, which refuse it."""
    ibis.get_backend().raw_sql("SET disabled_optimizers = 'join_filter_pushdown'")


def table_1(*variables: str) -> Callable[..., ir.Table]:
    """Some variables of the derivation, under ids without its name."""

    @wraps(baseline_characteristics)
    def described(**tables: Any) -> ir.Table:
        found = baseline_characteristics(**tables)
        short = found.statistic_id.replace("baseline_characteristics.", "")
        return found.filter(found.variable.isin(variables)).mutate(statistic_id=short)

    return described


FOUR = {
    "subjects": """
        | subject_id | age_years | sex     | ki67_pct | bilobar |
        | A          | 50        | female  | 2        | yes     |
        | B          | 61        | male    |          | yes     |
        | C          | 64        | unknown | 2        | no      |
        | D          | 75        | male    | 9        |         |
    """,
    "factor_levels": """
        | subject_id | factor | factor_level | level_number |
        | A          | ecog0  | 0            | 0            |
        | B          | ecog0  | 0            | 0            |
        | C          | ecog0  | >=1          | 1            |
        | D          | ecog0  | >=1          | 1            |
        | A          | device | glass        | 0            |
        | B          | device | glass        | 0            |
    """,
    "population_members": """
        | population | subject_id |
        | all        | A          |
        | all        | B          |
        | all        | C          |
        | all        | D          |
        | site:s     | A          |
        | site:s     | C          |
    """,
}


@pytest.mark.parametrize("largest", [1950, 999_999_999_999])
def test_a_value_of_any_size_that_its_column_holds_is_described(largest: int) -> None:
    """A Ki-67 of 1950 once overflowed when it was squared; so would the largest that fits.

    Levels of two values each, L and L - 2 against 0 and 2: means L - 1 and 1, both variances 2, so
    that the standardised difference of the second level less the first is -(L - 2) / sqrt(2).
    """
    values = {"A": largest, "B": largest - 2, "C": 0, "D": 2}
    subjects = "".join(f"| {name} | {value} |\n" for name, value in values.items())
    found = run(table_1("ki67_pct"), FOUR | {"subjects": f"| subject_id | ki67_pct |\n{subjects}"})
    level = {r["statistic_id"]: r for r in found}["all.ki67_pct.overall.ecog0.0"]
    assert (level["median"], level["q1"], level["q3"]) == pytest.approx(
        (largest - 1, largest - 1.5, largest - 0.5)
    )
    assert level["smd"] == pytest.approx(-(largest - 2) / math.sqrt(2))


def test_a_number_has_a_median_with_quartiles_of_type_7() -> None:
    """50, 61, 64, 75: quartiles at 1/4 of the way between neighbours, as in R.

    Between the levels of ECOG: means 55.5 and 69.5, both variances 60.5: 14 / sqrt(60.5).
    A site's table is not split; a factor with one level splits nothing.
    Source: Hyndman and Fan 1996; Austin 2009.
    """
    check(
        table_1("age_years"),
        FOUR,
        """
        | statistic_id                             | n | total | missing | median | q1    | q3    | smd        |
        | all.age_years.overall.overall.overall    | 4 | 4     | 0       | 62.5   | 58.25 | 66.75 |            |
        | all.age_years.overall.ecog0.0            | 2 | 2     | 0       | 55.5   | 52.75 | 58.25 | 1.79990817 |
        | all.age_years.overall.ecog0.ge1          | 2 | 2     | 0       | 69.5   | 66.75 | 72.25 | 1.79990817 |
        | site:s.age_years.overall.overall.overall | 2 | 2     | 0       | 57     | 53.5  | 60.5  |            |
        """,
    )


def test_a_category_counts_those_with_a_value_and_says_how_many_have_none() -> None:
    """`unknown` is missing. A level seen in the population is shown at each factor level, with 0.

    Bilobar 2 of 2 against 0 of 1: no spread, so no standardised difference.
    Female 1 of 2 against 0 of 1: -0.5 / sqrt(0.25 / 2).
    """
    check(
        table_1("sex", "bilobar"),
        FOUR,
        """
        | statistic_id                         | n | total | missing | pct        | smd         |
        | all.bilobar.false.overall.overall    | 1 | 3     | 1       | 33.3333333 |             |
        | all.bilobar.false.ecog0.0            | 0 | 2     | 0       | 0          |             |
        | all.bilobar.false.ecog0.ge1          | 1 | 1     | 1       | 100        |             |
        | all.bilobar.true.overall.overall     | 2 | 3     | 1       | 66.6666667 |             |
        | all.bilobar.true.ecog0.0             | 2 | 2     | 0       | 100        |             |
        | all.bilobar.true.ecog0.ge1           | 0 | 1     | 1       | 0          |             |
        | all.sex.female.overall.overall       | 1 | 3     | 1       | 33.3333333 |             |
        | all.sex.female.ecog0.0               | 1 | 2     | 0       | 50         | -1.41421356 |
        | all.sex.female.ecog0.ge1             | 0 | 1     | 1       | 0          | -1.41421356 |
        | all.sex.male.overall.overall         | 2 | 3     | 1       | 66.6666667 |             |
        | all.sex.male.ecog0.0                 | 1 | 2     | 0       | 50         | 1.41421356  |
        | all.sex.male.ecog0.ge1               | 1 | 1     | 1       | 100        | 1.41421356  |
        | site:s.bilobar.false.overall.overall | 1 | 2     | 0       | 50         |             |
        | site:s.bilobar.true.overall.overall  | 1 | 2     | 0       | 50         |             |
        | site:s.sex.female.overall.overall    | 1 | 1     | 1       | 100        |             |
        """,
    )


def test_a_variable_that_nobody_has_is_all_missing_and_never_zero_of_some() -> None:
    """One row says so: no patient with a value, no percentage, no median."""
    check(
        table_1("inr", "ascites"),
        FOUR,
        """
        | statistic_id                           | n | total | missing | pct | median | q1 | q3 | smd |
        | all.ascites.overall.overall.overall    | 0 | 0     | 4       |     |        |    |    |     |
        | all.ascites.overall.ecog0.0            | 0 | 0     | 2       |     |        |    |    |     |
        | all.ascites.overall.ecog0.ge1          | 0 | 0     | 2       |     |        |    |    |     |
        | all.inr.overall.overall.overall        | 0 | 0     | 4       |     |        |    |    |     |
        | all.inr.overall.ecog0.0                | 0 | 0     | 2       |     |        |    |    |     |
        | all.inr.overall.ecog0.ge1              | 0 | 0     | 2       |     |        |    |    |     |
        | site:s.ascites.overall.overall.overall | 0 | 0     | 2       |     |        |    |    |     |
        | site:s.inr.overall.overall.overall     | 0 | 0     | 2       |     |        |    |    |     |
        """,
    )


def test_the_members_of_a_row_are_those_with_the_level_or_with_a_value() -> None:
    """The sets are those of the overall rows; a split row meets them with the factor's own set."""
    found = run(baseline_characteristics_sets, {n: FOUR[n] for n in ("subjects", "factor_levels")})
    members: dict[str, str] = {}
    for row in sorted(found, key=lambda r: str(r["subject_id"])):
        members[row["set_id"]] = members.get(row["set_id"], "") + row["subject_id"]
    prefix = "baseline_characteristics."
    assert members == {
        f"{prefix}age_years.overall.overall.overall": "ABCD",
        f"{prefix}ki67_pct.overall.overall.overall": "ACD",
        f"{prefix}sex.female.overall.overall": "A",
        f"{prefix}sex.male.overall.overall": "BD",
        f"{prefix}bilobar.true.overall.overall": "AB",
        f"{prefix}bilobar.false.overall.overall": "C",
        f"{prefix}site_id.s1.overall.overall": "ABCD",
        f"{prefix}ecog0.0.overall.overall": "AB",
        f"{prefix}ecog0.ge1.overall.overall": "CD",
    }


def test_the_standardised_difference_does_not_depend_on_the_number_of_patients() -> None:
    """Austin's formula for means and, with p (1 - p), for proportions; a single value has none.

    Means 10 and 12 with variances 4 and 16: 2 / sqrt(10). Proportions 0.4 and 0.2:
    0.2 / sqrt((0.24 + 0.16) / 2). Source: Austin 2009.
    """
    ten, twelve = Moments(Fraction(10), Fraction(4)), Moments(Fraction(12), Fraction(16))
    assert standardised_difference(twelve, ten) == pytest.approx(0.632455532, abs=1e-9)
    assert standardised_difference(ten, twelve) == pytest.approx(-0.632455532, abs=1e-9)
    often = Moments(Fraction(2, 5), Fraction(6, 25))
    seldom = Moments(Fraction(1, 5), Fraction(4, 25))
    assert standardised_difference(often, seldom) == pytest.approx(0.447213595, abs=1e-9)
    assert standardised_difference(ten, Moments(Fraction(10), None)) == 0
    assert standardised_difference(ten, Moments(Fraction(11), None)) is None
    assert standardised_difference(Moments(Fraction(1), Fraction(0)), often) is not None
