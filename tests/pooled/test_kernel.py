"""The pooling kernel gives R's numbers, and hand-worked ones where R has none."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from analytics.estimators.competing_risks import aalen_johansen, cause_table, incidence_at
from analytics.estimators.cox import Patterns, derivatives, fit
from analytics.estimators.kaplan_meier import event_table, kaplan_meier, restricted_mean
from analytics.estimators.kaplan_meier import survival_at as level_at
from analytics.pooled import averages, effects, ratios, shares
from warehouse.concordance.answers import answers, column, rows

R: Any = answers("pooled")
PBC: Any = R["pbc5"]
REGISTRIES = "ABCDE"
NEAR = 1e-8
TERMS = ("edema", "bilirubin", "albumin", "age")


@pytest.mark.parametrize("name", ["shares", "rare"])
def test_the_model_whose_intercept_varies_is_that_of_r(name: str) -> None:
    expected = R[name]
    model = shares.intercepts(expected["n"], expected["total"])
    assert model is not None
    assert model.new is not None
    assert (model.mu, model.se, model.tau2) == pytest.approx(
        (expected["mu"], expected["se"], expected["tau2"]), abs=NEAR
    )
    assert (model.share, *model.limits) == pytest.approx(expected["limits"], abs=NEAR)
    assert model.new == pytest.approx(expected["prediction"], abs=NEAR)
    likelihood = shares.log_likelihood(
        np.array([[model.mu, math.sqrt(model.tau2)]]),
        np.array(expected["n"], float),
        np.array(expected["total"], float),
    )
    assert likelihood[0] == pytest.approx(expected["log_likelihood"], abs=NEAR)


@pytest.mark.parametrize("name", ["shares", "rare"])
def test_it_is_what_metafor_stops_near(name: str) -> None:
    """The fit is left to lme4, which stops a few millionths before the maximum."""
    mu, se, tau2, _, q, i2 = R[name]["of_metafor"]
    model = shares.intercepts(R[name]["n"], R[name]["total"])
    assert model is not None
    assert (model.mu, model.se, model.tau2) == pytest.approx((mu, se, tau2), abs=1e-5)
    assert model.q == pytest.approx(q, abs=NEAR)
    assert model.i2_pct == pytest.approx(i2, abs=1e-3)


@pytest.mark.parametrize("name", ["shares", "rare", "none"])
def test_together_is_the_exact_interval_of_all_patients(name: str) -> None:
    found = shares.together(R[name]["n"], R[name]["total"])
    assert np.array(found) / 100 == pytest.approx(R[name]["together"], abs=1e-12)


def test_a_share_without_each_registry_in_turn() -> None:
    found = np.array(shares.left_out(R["shares"]["n"], R["shares"]["total"])) / 100
    assert found == pytest.approx(np.array(R["left_out"]), abs=1e-12)


@pytest.mark.parametrize(
    ("n", "total"),
    [([0, 0, 0], [40, 61, 31]), ([9, 4], [9, 4]), ([3], [7]), ([0, 20], [20, 20])],
)
def test_there_is_no_model_where_its_likelihood_has_no_maximum(
    n: list[int], total: list[int]
) -> None:
    assert shares.intercepts(n, total) is None


def test_equal_shares_have_no_variance_between_registries() -> None:
    """10 of 40 everywhere: the log odds of one quarter, with the error of 120 patients."""
    model = shares.intercepts([10, 10, 10], [40, 40, 40])
    assert model is not None
    assert model.tau2 == 0
    assert (model.share, model.q) == pytest.approx((0.25, 0), abs=1e-12)
    assert model.se == pytest.approx(1 / math.sqrt(120 * 0.25 * 0.75), rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_fit_is_a_maximum(seed: int) -> None:
    """No neighbour has a higher likelihood, whatever the registries are like."""
    draw = np.random.default_rng(seed)
    total = draw.integers(10, 300, draw.integers(3, 8)).astype(float)
    x = draw.binomial(total.astype(int), draw.uniform(0.02, 0.6, total.size)).astype(float)
    model = shares.intercepts([int(v) for v in x], [int(v) for v in total])
    assert model is not None
    at = np.array([[model.mu, math.sqrt(model.tau2)]])
    near = at + np.array(list(itertools.product((-1e-3, 0, 1e-3), repeat=2)))
    assert shares.log_likelihood(near, x, total).max() <= (
        shares.log_likelihood(at, x, total)[0] + 1e-12
    )


@pytest.mark.parametrize("given", [R["ratios"], R["apart"], R["two"], PBC["cloglog_36"]])
def test_common_and_varying_effects_are_those_of_metafor(given: dict[str, Any]) -> None:
    one = effects.common(given["y"], given["se"])
    assert (one.mu, one.se) == pytest.approx(given["fixed"], abs=NEAR)
    assert (one.q, one.p) == pytest.approx(given["q"], abs=NEAR)
    assert one.i2_pct == pytest.approx(given["i2_of_q"], abs=NEAR)
    several = effects.varying(given["y"], given["se"])
    assert (several.mu, several.tau2) == pytest.approx(
        (given["random"][0], given["tau2"]), abs=NEAR
    )
    assert several.tau2_limits == pytest.approx(given["tau2_limits"], rel=NEAR, abs=NEAR)
    assert several.limits == pytest.approx(given["limits"], abs=NEAR)
    if given["prediction"][0] is None:
        assert several.new is None
    else:
        assert several.new == pytest.approx(given["prediction"], abs=NEAR)


def test_one_registry_has_no_variance_and_predicts_nothing() -> None:
    only = effects.varying([0.4], [0.2])
    assert (only.mu, only.se) == (0.4, 0.2)
    assert (only.limits, only.tau2_limits, only.new) == (None, None, None)
    assert effects.common([0.4], [0.2]).p is None


def test_equal_numbers_do_not_vary() -> None:
    several = effects.varying([0.4, 0.4, 0.4], [0.2, 0.3, 0.1])
    assert several.tau2 == 0
    assert several.tau2_limits == (0, 0)


@pytest.mark.parametrize(("y", "se"), [([], []), ([1.0], [0.0]), ([math.nan], [1.0]), ([1.0], [])])
def test_numbers_without_errors_are_refused(y: list[float], se: list[float]) -> None:
    with pytest.raises(ValueError, match="effects"):
        effects.common(y, se)


def pbc(registry: str) -> dict[str, Any]:
    own = rows("pbc5", registry=registry)
    return {name: column(own, name) for name in ("days", "cause", *TERMS)}


def test_the_stratified_log_rank_is_that_of_r() -> None:
    found = ratios.stratified(PBC["u"], PBC["v"])
    assert found.chi2 == pytest.approx(PBC["chi2"], abs=NEAR)
    assert (found.least, found.greatest) == pytest.approx((found.chi2, found.chi2))


def test_rounding_leaves_the_log_rank_an_interval_that_holds_it() -> None:
    """By hand: U 10.0 and -2.0, V 4.0 and 1.0, each to one decimal: 7.9^2 / 5.1 to 8.1^2 / 4.9."""
    found = ratios.stratified([10.0, -2.0], [4.0, 1.0], 0.05)
    assert (found.chi2, found.least, found.greatest) == pytest.approx(
        (64 / 5, 7.9**2 / 5.1, 8.1**2 / 4.9)
    )
    rounded = ratios.stratified(
        [round(x, 1) for x in PBC["u"]], [round(x, 1) for x in PBC["v"]], 0.05
    )
    assert rounded.greatest is not None
    assert rounded.least <= PBC["chi2"] <= rounded.greatest
    assert rounded.p_limits[0] <= ratios.stratified(PBC["u"], PBC["v"]).p <= rounded.p_limits[1]  # type: ignore[operator]


def test_a_variance_that_may_be_nothing_has_no_greatest_value() -> None:
    found = ratios.stratified([0.3], [0.0], 0.05)
    assert (found.chi2, found.greatest) == (None, None)


def fits() -> list[ratios.Coefficients]:
    return [
        ratios.Coefficients(np.array(b), np.array(c))
        for b, c in zip(PBC["coef"], PBC["cov"], strict=True)
    ]


def test_coefficients_of_one_file_and_of_a_second_round() -> None:
    first = ratios.one_file(fits())
    assert first.b == pytest.approx(PBC["first"], abs=NEAR)
    second = ratios.next_round(
        PBC["first"],
        [np.array(u) for u in PBC["score"]],
        [np.array(i) for i in PBC["information"]],
    )
    assert second.b == pytest.approx(PBC["second"], abs=NEAR)


def test_a_second_round_comes_near_to_the_stratified_fit() -> None:
    errors = np.array(PBC["stratified_se"])
    far = np.abs(np.array(PBC["first"]) - PBC["stratified"]) / errors
    near = np.abs(np.array(PBC["second"]) - PBC["stratified"]) / errors
    assert far.max() > 0.1
    assert near.max() < 0.02


def test_our_own_fits_give_the_same_files() -> None:
    """Coefficients, score and information of each registry, by the estimator of releases."""
    for place, registry in enumerate(REGISTRIES):
        own = pbc(registry)
        covariates, pattern = np.unique(
            np.column_stack([own[t] for t in TERMS]), axis=0, return_inverse=True
        )
        time, row = np.unique(own["days"], return_inverse=True)
        table = np.zeros((2, time.size, len(covariates)), np.int64)
        np.add.at(table, ((own["cause"] == 2).astype(int), row, pattern.reshape(-1)), 1)
        patterns = Patterns(covariates, time, events=table[1], censored=table[0])
        assert fit(patterns).coef == pytest.approx(PBC["coef"][place], abs=1e-7)
        _, score, information = derivatives(patterns, np.array(PBC["first"]))
        assert score == pytest.approx(PBC["score"][place], abs=NEAR)
        assert information == pytest.approx(np.array(PBC["information"][place]), abs=NEAR)


def test_a_covariance_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="positive definite"):
        ratios.one_file([ratios.Coefficients(np.array([1.0]), np.array([[0.0]]))])


def test_weighted_levels_means_and_incidences() -> None:
    survival, means, incidences = [], [], []
    for registry in REGISTRIES:
        own = pbc(registry)
        months = own["days"] / 30.4375
        curve = kaplan_meier(event_table(months, own["cause"] == 2))
        survival.append(level_at(curve, 36).value)
        mean = restricted_mean(curve, 60)
        means.append((mean.value, mean.std_err))
        causes = aalen_johansen(cause_table(months, own["cause"].astype(int), 2))
        incidences.append([x.value for x in incidence_at(causes, 60)])
    assert survival == pytest.approx([r[0] for r in PBC["survival_36"]], abs=1e-12)
    levels = [r[0] for r in PBC["survival_36"]], [r[1] for r in PBC["survival_36"]]
    n = PBC["n"]
    assert averages.weighted(n, *levels) == pytest.approx(PBC["together_36"], abs=NEAR)
    assert averages.weighted(n, *np.array(means, float).T) == pytest.approx(
        PBC["together_mean_60"], abs=NEAR
    )
    for cause in (0, 1):
        values = [r[cause] for r in incidences]
        assert averages.weighted(n, values, np.zeros(5))[0] == pytest.approx(
            PBC["together_incidence_60"][cause], abs=NEAR
        )


def test_levels_are_compared_on_the_log_log_scale() -> None:
    given = PBC["cloglog_36"]
    for (survival, se, _), y, error in zip(
        PBC["survival_36"], given["y"], given["se"], strict=True
    ):
        assert averages.log_log(survival, se) == pytest.approx((y, error), abs=1e-12)
        assert averages.from_log_log(y) == pytest.approx(survival, abs=1e-12)
    assert averages.log_log(1.0, 0.1) is None


def test_moments_of_all_patients_follow_from_those_of_registries() -> None:
    given = R["moments"]
    parts = [
        averages.Moments(n, mean, sd)
        for n, mean, sd in zip(given["n"], given["mean"], given["sd"], strict=True)
    ]
    found = averages.all_moments(parts)
    assert (found.mean, found.sd) == pytest.approx(given["together"], abs=NEAR)
    assert averages.all_moments([averages.Moments(1, 3.0, None)]).sd is None


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[2, 1, 0], [0, 2, 0]], (1, 1)),
        ([[2, 0, 0], [0, 0, 2]], (0, 2)),
        ([[1, 1, 1]], (1, 1)),
        ([[0, 0]], None),
    ],
)
def test_a_median_is_the_class_that_holds_it(
    counts: list[list[int]], expected: tuple[int, int] | None
) -> None:
    assert averages.class_of_median(counts) == expected
