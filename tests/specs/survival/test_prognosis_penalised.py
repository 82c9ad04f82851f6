"""A level without events: no finite hazard ratio, and a penalised one beside it.

Where nobody at one level had the event, the likelihood rises for ever. Firth's penalty gives it a
greatest value; what was fitted so is named so, and never stands where the ordinary ratio would.
Expected values of the larger case are those of R 4.2.2 in warehouse/concordance/r/firth.json: coxph's own
likelihood and information, penalised and maximised by general optimisers (firth.R beside it).
"""

import json

import numpy as np
import pytest

from analytics.estimators.cox import Patterns, derivatives
from analytics.estimators.firth import fit_penalised, penalised
from tests.support.pipe_tables import check
from tests.support.prognosis import FROM_R, alone, of_model, patients, patterns, read

R = json.loads((FROM_R / "firth.json").read_text())
TERMS = {"alone": ("level",), "together": ("level", "marker", "stage")}


def test_a_level_without_events_has_a_penalised_hazard_ratio_beside_the_empty_one() -> None:
    """Two bad patients die, two good ones are censored between: r / (2 + 2r) * r / (1 + r) rises.

    By hand: the information is 2r / (1 + r)^2, so the penalised likelihood is, but for a constant,
    r^2.5 / (1 + r)^3, greatest at r = 5. Its ratio to r = 1 gives chi-square 1.4555 and p 0.2276.
    Source: Heinze and Schemper 2001.
    """
    check(
        alone,
        patients("10 yes 1", "20 no 0", "30 yes 1", "40 no 0"),
        """
        | factor_level | hr | firth_hr | firth_p     | reason                             |
        | good         |    |          |             | separation: a level without events |
        | bad          |    | 5        | 0.227644949 | separation: a level without events |
        """,
    )


def test_a_bad_level_without_events_is_penalised_as_well() -> None:
    """The mirror image: one fifth, with the same p."""
    check(
        alone,
        patients("10 yes 0", "20 no 1", "30 yes 0", "40 no 1"),
        """
        | factor_level | hr | firth_hr | firth_p     | reason                             |
        | good         |    |          |             | reference                          |
        | bad          |    | 0.2      | 0.227644949 | separation: a level without events |
        """,
    )


def test_an_ordinary_hazard_ratio_is_not_penalised() -> None:
    """Both levels have events: the penalised columns are empty, and there is no penalised model."""
    given = patients("10 yes 1", "20 yes 0", "30 yes 1", "40 yes 0")
    check(
        alone,
        given,
        """
        | factor_level | hr         | firth_hr | firth_lower | firth_upper | firth_p |
        | good         |            |          |             |             |         |
        | bad          | 2.56155281 |          |             |             |         |
        """,
    )
    check(of_model("firth"), given, "| term | hr |")


def test_levels_that_no_event_compares_have_no_ratio() -> None:
    """The good are followed up for five days, the bad die later: the information is zero."""
    reason = "fewer_than_two_groups_at_risk; separation: a level without events"
    check(
        alone,
        patients("5 no 0", "5 no 0", "10 yes 1", "20 yes 1"),
        f"""
        | factor_level | hr | firth_hr | firth_p | reason   |
        | good         |    |          |         | {reason} |
        | bad          |    |          |         | {reason} |
        """,
    )


def test_without_any_event_there_is_nothing_to_penalise() -> None:
    """No event, no likelihood."""
    given = patients("10 no 1", "20 no 0")
    check(
        alone,
        given,
        """
        | factor_level | firth_hr | firth_p |
        | good         |          |         |
        | bad          |          |         |
        """,
    )
    check(of_model("firth"), given, "| term | hr |")


def test_a_model_that_met_separation_is_offered_penalised_under_its_own_name() -> None:
    """The ordinary rules leave the factor out and say why; `firth` keeps it and says what it is."""
    given = patients("10 yes 1", "20 no 0", "30 yes 1", "40 no 0")
    check(
        of_model("all"),
        given,
        """
        | term     | method | hr | p | reason                             |
        | ecog0    | Cox    |    |   | separation: a level without events |
        | burden25 | Cox    |    |   | nobody has it                      |
        | alb35    | Cox    |    |   | nobody has it                      |
        | bili12   | Cox    |    |   | nobody has it                      |
        """,
    )
    check(
        of_model("firth"),
        given,
        """
        | term     | method | hr | p           | n | events | events_per_variable | reason                                                                     |
        | ecog0    | Firth  | 5  | 0.227644949 | 4 | 2      | 2                   | penalised, as there is separation; fewer than 10 events per variable |
        | burden25 | Firth  |    |             | 4 | 2      |                     | nobody has it                                                              |
        | alb35    | Firth  |    |             | 4 | 2      |                     | nobody has it                                                              |
        | bili12   | Firth  |    |             | 4 | 2      |                     | nobody has it                                                              |
        """,  # a table is read better whole
    )


def test_two_factors_that_order_the_deaths_between_them_are_penalised_too() -> None:
    """No single level lacks events, yet the likelihood of both rises for ever."""
    check(
        of_model("firth"),
        patients("10 yes 1 1", "20 yes 1 0", "30 yes 0 0", "40 no 0 0", terms=("ecog0", "alb35")),
        """
        | term     | method | n | events | missing |
        | ecog0    | Firth  | 4 | 3      | 0       |
        | alb35    | Firth  | 4 | 3      | 0       |
        | burden25 | Firth  | 4 | 3      | 0       |
        | bili12   | Firth  | 4 | 3      | 0       |
        """,
    )


# The penalised likelihood itself, held to R.


def counted(case: str) -> Patterns:
    return patterns(read("separated.csv"), *TERMS[case])


@pytest.mark.parametrize("case", list(TERMS))
def test_the_penalised_likelihood_is_greatest_where_r_finds_it(case: str) -> None:
    """Twenty patients with ties, one level without events, one covariate on a scale."""
    found = fit_penalised(counted(case))
    assert found is not None
    assert found.log_likelihood == pytest.approx(R[case]["log_likelihood"][0], rel=1e-9)
    for name in ("coef", "se", "lower", "upper", "p"):
        assert list(getattr(found, name)) == pytest.approx(R[case][name], rel=1e-7), name


def test_the_interval_leaves_out_no_difference_exactly_where_p_is_small() -> None:
    """The limits and p are read off one profile: at the level 1 - p a limit is 0."""
    found = fit_penalised(counted("alone"))
    assert found is not None
    (p,) = found.p
    at_p = fit_penalised(counted("alone"), 1 - p)
    assert at_p is not None
    assert at_p.lower[0] == pytest.approx(0, abs=1e-8)


def test_the_penalty_is_half_the_logarithm_of_the_information() -> None:
    """And its slope is that of differences: R's optimisers need no slope, ours does."""
    case, coef, step = counted("together"), np.array([1.0, -0.4, 0.3]), 1e-6
    value, score, information = penalised(case, coef)
    plain = derivatives(case, coef)[0]
    assert value - plain == pytest.approx(np.log(np.linalg.det(information)) / 2, rel=1e-12)
    slopes = [
        (penalised(case, coef + step * e)[0] - penalised(case, coef - step * e)[0]) / (2 * step)
        for e in np.eye(3)
    ]
    assert score.tolist() == pytest.approx(slopes, rel=1e-6)
