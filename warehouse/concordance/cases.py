"""The cases of the certificate: one record an estimator, with its conventions and its witnesses.

Every case yields pairs of numbers, ours and theirs. What R and we define differently on purpose is
a convention, stands in the record, and is not compared.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from analytics.estimators import clustered as of_clusters
from analytics.estimators import cox, firth, kappa, two_groups
from analytics.estimators.association import logistic, roc
from analytics.estimators.association.signed_rank import Ranked, signed_rank
from analytics.estimators.competing_risks import aalen_johansen, cause_table
from analytics.estimators.kaplan_meier import (
    Curve,
    event_table,
    kaplan_meier,
    median,
    quantile,
    restricted_mean,
    reverse,
    survival_at,
    tabulate,
)
from analytics.estimators.logrank import logrank, stratified_logrank
from analytics.estimators.proportions import exact
from warehouse.concordance import row_models
from warehouse.concordance.answers import Rows, answers, column, numbers, rows

Numbers: TypeAlias = npt.NDArray[np.float64]
Pairs: TypeAlias = Iterator[tuple[Any, Any]]
BANDS: tuple[Literal["log-log", "log", "plain"], ...] = ("log-log", "log", "plain")
ALONE = ("ecog", "burden", "albumin", "bilirubin")
LUNG_TERMS = ("age", "sex", "ph.ecog")


@dataclass(frozen=True, slots=True)
class Case:
    """One estimator: what R answered, what a second implementation answers, and how near both are.

    `tolerance` is of the relative difference; numbers below 1e-5 are compared absolutely.
    """

    estimator: str
    of_r: str
    r: Callable[[], Pairs]
    tolerance: float
    conventions: str
    second: str = ""
    by_second: Callable[[], Pairs] | None = None
    no_second: str = ""
    second_tolerance: float = 1e-9


def _survival_rows(name: str) -> Rows:
    if name == "lung_men":
        return rows("lung", sex="1")
    return rows(name) if name in ("lung", "cohort") else rows("small", case=name)


def _of(given: Rows, conf_type: Any = "log-log") -> Curve:
    return kaplan_meier(event_table(column(given, "time"), column(given, "event") == 1), conf_type)


def _curves() -> Iterator[tuple[Rows, Mapping[str, Any]]]:
    """The cases of survival.R whose rows lie beside it; digitised trials lie elsewhere."""
    for name, expected in answers("survival")["estimates"].items():
        if given := _survival_rows(name):
            yield given, expected


def _kaplan_meier() -> Pairs:
    for given, expected in _curves():
        curve, wanted = _of(given), expected["curve"]
        for part in ("time", "at_risk", "events", "censored", "survival", "std_err"):
            yield getattr(curve, part), numbers(wanted[part])
        for conf_type, band in expected["bands"].items():
            own = _of(given, conf_type)
            begun = np.cumsum(own.events) > 0
            yield own.lower[begun], numbers(band["lower"])[begun]
            yield own.upper[begun], numbers(band["upper"])[begun]


def _landmarks() -> Pairs:
    for given, expected in _curves():
        curve, wanted = _of(given), expected["landmarks"]
        for k, t in enumerate(wanted["times"]):
            found = survival_at(curve, t)
            if found.at_risk and found.value is not None:
                yield [found.value], numbers([wanted["survival"][k]])
                if found.value < 1:
                    limits = [wanted["lower"][k], wanted["upper"][k]]
                    yield numbers([found.lower, found.upper]), numbers(limits)


def _quantiles() -> Pairs:
    for given, expected in _curves():
        for conf_type, band in expected["bands"].items():
            found = [quantile(_of(given, conf_type), p) for p in (0.25, 0.5, 0.75)]
            yield numbers(q.value for q in found), numbers(band["quantile"])
            yield numbers(q.lower for q in found), numbers(band["quantile_lower"])
            yield numbers(q.upper for q in found), numbers(band["quantile_upper"])


def _follow_up() -> Pairs:
    for given, expected in _curves():
        table = event_table(column(given, "time"), column(given, "event") == 1)
        for conf_type, wanted in expected["reverse_median"].items():
            found = median(kaplan_meier(reverse(table), conf_type))
            yield numbers([found.value, found.lower, found.upper]), numbers(wanted)


def _restricted_means() -> Pairs:
    for given, expected in _curves():
        wanted = expected["restricted_means"]
        found = [restricted_mean(_of(given), tau) for tau in wanted["tau"]]
        yield numbers(m.value for m in found), numbers(wanted["mean"])
        yield numbers(m.std_err for m in found), numbers(wanted["std_err"])


def _lifelines_curve() -> Pairs:
    from lifelines import KaplanMeierFitter

    given = rows("lung")
    curve, fitter = _of(given), KaplanMeierFitter()
    fitter.fit(column(given, "time"), column(given, "event"))
    band = fitter.confidence_interval_.iloc[1:]
    yield curve.survival, fitter.survival_function_at_times(curve.time).to_numpy()
    yield curve.lower, band.iloc[:, 0].to_numpy()
    yield curve.upper, band.iloc[:, 1].to_numpy()


def _lifelines_median() -> Pairs:
    from lifelines import KaplanMeierFitter

    given = rows("lung")
    fitter = KaplanMeierFitter().fit(column(given, "time"), column(given, "event"))
    yield numbers([median(_of(given)).value]), numbers([fitter.median_survival_time_])


def _lifelines_restricted_mean() -> Pairs:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    given = rows("lung")
    fitter = KaplanMeierFitter().fit(column(given, "time"), column(given, "event"))
    for tau in (180.0, 365.25, 730.5):
        theirs = restricted_mean_survival_time(fitter, t=tau)
        yield numbers([restricted_mean(_of(given), tau).value]), numbers([theirs])


def _grouped(given: Rows, name: str) -> list[Any]:
    parts = [[r for r in given if r[name] == level] for level in sorted({r[name] for r in given})]
    return [event_table(column(p, "time"), column(p, "event") == 1) for p in parts]


def _log_rank() -> Pairs:
    expected = answers("survival")["tests"]
    asked = {"lung by sex": [_grouped(rows("lung"), "sex")]} | {
        f"cohort by {name}": [_grouped(rows("cohort"), name)] for name in ALONE
    }
    for name, strata in asked.items():
        found, wanted = stratified_logrank(strata), expected[name]
        yield numbers([found.chi2, found.p]), numbers([wanted["chi2"][0], wanted["p"][0]])
        yield found.expected, numbers(wanted["expected"])


def _lifelines_log_rank() -> Pairs:
    from lifelines.statistics import multivariate_logrank_test

    given = rows("lung")
    found = logrank(_grouped(given, "sex"))
    theirs = multivariate_logrank_test(
        column(given, "time"), column(given, "sex"), column(given, "event")
    )
    yield numbers([found.chi2, found.p]), numbers([theirs.test_statistic, theirs.p_value])


def _aalen_johansen() -> Pairs:
    for name, expected in answers("survival")["incidences"].items():
        given = rows("mgus2") if name == "mgus2" else rows("causes", case=name)
        cause = column(given, "cause").astype(int)
        table = cause_table(column(given, "time"), cause, int(cause.max()))
        for conf_type in BANDS:
            curve, wanted = aalen_johansen(table, conf_type), expected[conf_type]
            begun = np.cumsum(curve.events, axis=0) > 0
            yield curve.incidence, _matrix(wanted["incidence"])
            yield curve.std_err, _matrix(wanted["std_err"])
            yield curve.lower[begun], _matrix(wanted["lower"])[begun]
            yield curve.upper[begun], _matrix(wanted["upper"])[begun]


def _matrix(values: list[list[Any]]) -> Numbers:
    return np.array([numbers(row) for row in values])


def _patterns(given: Rows, *terms: str) -> cox.Patterns:
    x = np.column_stack([column(given, term) for term in terms])
    covariates, pattern = np.unique(x, axis=0, return_inverse=True)
    size = len(covariates)
    codes = pattern.reshape(-1) + size * column(given, "event").astype(int)
    time, table = tabulate(column(given, "time"), codes, 2 * size)
    return cox.Patterns(covariates, time, events=table[:, size:], censored=table[:, :size])


def _models() -> Iterator[tuple[cox.Patterns, tuple[str, ...], Mapping[str, Any]]]:
    expected, cohort = answers("prognosis"), rows("cohort")
    for name in ALONE:
        yield _patterns(cohort, name), (name,), expected["alone"][name]["cox"]
    yield _patterns(cohort, *ALONE), ALONE, expected["together"]
    yield _patterns(rows("lung_cox"), *LUNG_TERMS), LUNG_TERMS, expected["lung"]


def _cox() -> Pairs:
    for patterns, _, wanted in _models():
        found = cox.fit(patterns)
        tested = cox.proportional_hazards(patterns, found.coef)
        yield found.coef, numbers(wanted["coef"])
        yield found.se, numbers(wanted["se"])
        yield [found.log_likelihood], numbers(wanted["log_likelihood"][1:])
        yield [cox.concordance(patterns, found.coef)], numbers(wanted["concordance"])
        yield [*tested.chi2, tested.chi2_global], numbers(wanted["zph_chi2"])
        yield [*tested.p, tested.p_global], numbers(wanted["zph_p"])


def _lifelines_cox() -> Pairs:
    from analytics.prognosis.series import fit_lifelines

    for patterns, terms, _ in _models():
        found, theirs = cox.fit(patterns), fit_lifelines(patterns, terms)
        yield found.coef, theirs.coef
        yield found.se, theirs.se


def _transplants() -> Iterator[tuple[float, bool, float | None]]:
    """Stanford's patients in half days: end, death, transplant, as by_response.R moves them."""
    for r in rows("jasa"):
        end = max(1.0, 2 * float(r["futime"]))
        joined = 2 * float(r["wait"]) if r["wait"] else None
        yield end, r["fustat"] == "1", end - 1 if joined == end else joined


def _joining() -> Pairs:
    given = list(_transplants())
    days, n = np.unique([w for _, _, w in given if w is not None], return_counts=True)
    reference = event_table(
        [end if w is None else w for end, _, w in given],
        [died and w is None for _, died, w in given],
    )
    group = event_table(
        [end for end, _, w in given if w is not None],
        [died for _, died, w in given if w is not None],
    )
    found = two_groups.compared(reference, group, 0.95, two_groups.Switched(days, n))
    wanted = answers("by_response")["time_dependent"]
    for ours, theirs in {"hr": "hr", "hr_lower": "lower", "hr_upper": "upper", "hr_p": "p"}.items():
        yield [found[ours]], numbers(wanted[theirs])


def _lifelines_joining() -> Pairs:
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    parts: list[tuple[int, float, float, bool, int]] = []
    for number, (end, died, w) in enumerate(_transplants()):
        if w != 0:
            parts.append((number, 0.0, end if w is None else w, died and w is None, 0))
        if w is not None:
            parts.append((number, w, end, died, 1))
    frame = pd.DataFrame(parts, columns=["id", "start", "stop", "event", "joined"])
    fitter = CoxTimeVaryingFitter()
    columns = {"id_col": "id", "event_col": "event", "start_col": "start", "stop_col": "stop"}
    fitter.fit(frame, **columns, fit_options={"precision": 1e-12})
    ratio, _ = next(_joining())
    yield ratio, [float(np.exp(fitter.params_["joined"]))]


def _firth() -> Pairs:
    for name, terms in {"alone": ("level",), "together": ("level", "marker", "stage")}.items():
        wanted = answers("firth")[name]
        found = firth.fit_penalised(_patterns(rows("separated"), *terms))
        for part in ("coef", "se", "lower", "upper", "p"):
            yield (getattr(found, part) if found else [np.nan]), numbers(wanted[part])


def _clustered() -> Pairs:
    given = rows("lesions")
    same = [(a, b) for a in given for b in given if a["patient"] == b["patient"]]
    first, second = ([pair[k] for pair in same] for k in (0, 1))
    pairs = of_clusters.Pairs(
        column(first, "time"),
        column(first, "event").astype(np.int64),
        column(second, "time"),
        column(second, "event").astype(np.int64),
        np.ones(len(same), np.int64),
    )
    for conf_type in BANDS:
        wanted = answers("clustered")[conf_type]
        found = of_clusters.clustered(_of(given, conf_type), pairs)
        known = (np.cumsum(found.events) > 0) & ~np.isnan(numbers(wanted["lower"]))
        for part in ("std_err", "lower", "upper"):
            yield getattr(found, part)[known], numbers(wanted[part])[known]


def _kappa() -> Pairs:
    for name, size in {"diagnoses": 3, "readers": 4}.items():
        wanted = answers("kappa")[name]
        table = np.array(wanted["table"], float).reshape(size, size)
        for weights, value, error in (
            (np.eye(size), "kappa", "se"),
            (kappa.linear_weights(size), "linear", "linear_se"),
        ):
            yield [float(kappa.cohen(table, weights))], numbers(wanted[value])
            yield [kappa.cohen_error(table, weights)], numbers(wanted[error])
    wanted = answers("kappa")["psychiatrists"]
    table = np.array(wanted["table"], float).reshape(10, 5)
    found = kappa.fleiss(table.sum(axis=0), np.asarray((table**2).sum()), 14)
    yield [float(found)], numbers(wanted["kappa"])


def _signed_rank() -> Pairs:
    for wanted in answers("signed_rank").values():
        found = signed_rank(_ranked(numbers(wanted["difference"])))
        assert found is not None
        yield [found.v, found.p], [*wanted["v"], *wanted["p"]]


def _ranked(difference: Numbers) -> Ranked:
    there = difference[difference != 0]
    _, place, tied = np.unique(np.abs(there), return_inverse=True, return_counts=True)
    twice = 2 * (np.cumsum(tied) - tied) + tied + 1
    return Ranked(
        n=there.size,
        n_zero=difference.size - there.size,
        twice_v=int(twice[place][there > 0].sum()),
        ties=int((tied**3 - tied).sum()),
    )


def _scipy_signed_rank() -> Pairs:
    from scipy.stats import wilcoxon

    for wanted in answers("signed_rank").values():
        difference = numbers(wanted["difference"])
        exact = wanted["exact"] == [1]
        theirs = wilcoxon(difference, correction=True, method="exact" if exact else "approx")
        found = signed_rank(_ranked(difference))
        yield [found.p if found else np.nan], [theirs.pvalue]


def _dosed() -> Iterator[tuple[Mapping[str, Any], Numbers, Numbers, Any]]:
    """Doses, outcomes and, of lesions, patients."""
    for wanted in answers("dose_response").values():
        cluster = np.array(wanted["cluster"], dtype=np.int64)
        yield (
            wanted,
            numbers(wanted["dose"]),
            numbers(wanted["happened"]),
            cluster if cluster.size else None,
        )


def _logistic() -> Pairs:
    for wanted, dose, happened, cluster in _dosed():
        found = logistic.logistic(dose, happened, cluster)
        assert isinstance(found, logistic.Slope)
        yield [found.intercept, found.coef], [*wanted["intercept"], *wanted["coef"]]
        yield [found.se, found.p], [*wanted["se"], *wanted["p"]]
        yield found.limits(0.95), [*wanted["lower"], *wanted["upper"]]


def _roc() -> Pairs:
    for wanted, dose, happened, cluster in _dosed():
        found = roc.area(dose, happened, cluster)
        yield [found.value, found.variance], [*wanted["area"], *wanted["variance"]]
        if cluster is None:
            limits = [*wanted["area_lower"], *wanted["area_upper"]]
            yield found.limits(0.95) or [np.nan], limits
        cut = roc.youden(dose, happened)
        shown = [cut.dose, cut.sensitivity, cut.specificity] if cut else [np.nan]
        yield shown, [*wanted["cutoff"], *wanted["sensitivity"], *wanted["specificity"]]


def _scipy_area() -> Pairs:
    from scipy.stats import mannwhitneyu

    for _, dose, happened, _ in _dosed():
        with_it, without = dose[happened == 1], dose[happened == 0]
        theirs = mannwhitneyu(with_it, without).statistic / (with_it.size * without.size)
        yield [roc.area(dose, happened).value], [theirs]


def _proportions() -> Pairs:
    wanted = answers("proportions")
    for n, total, lower, upper in zip(*wanted.values(), strict=True):
        found = exact(int(n), int(total))
        yield [found.lower, found.upper], [100 * lower, 100 * upper]


def _scipy_proportions() -> Pairs:
    from scipy.stats import binomtest

    wanted = answers("proportions")
    for n, total in zip(wanted["n"], wanted["total"], strict=True):
        found, theirs = exact(int(n), int(total)), binomtest(int(n), int(total)).proportion_ci()
        yield [found.lower, found.upper], [100 * theirs.low, 100 * theirs.high]


CASES: tuple[Case, ...] = (
    Case("Kaplan-Meier curve", "survfit", _kaplan_meier, 1e-9,
         "Greenwood's error; the band is 1 before the first event, where R has none.",
         "lifelines", _lifelines_curve),
    Case("survival at a time", "summary(survfit)", _landmarks, 1e-9,
         "With nobody left at risk there is no value.",
         no_second="read from the curve above"),
    Case("quantiles", "quantile(survfit)", _quantiles, 1e-9,
         "A plateau at the level gives its middle.",
         "lifelines", _lifelines_median),
    Case("median follow-up", "survfit, reversed", _follow_up, 1e-9,
         "Censoring is the event.", no_second="lifelines reverses no curve"),
    Case("restricted mean", "print(survfit, rmean)", _restricted_means, 1e-9,
         "Past the last time the last level is carried on, and said so.",
         "lifelines", _lifelines_restricted_mean),
    Case("log-rank test", "survdiff", _log_rank, 1e-9,
         "A group with nobody takes no degree of freedom.",
         "lifelines", _lifelines_log_rank),
    Case("cumulative incidence", "survfit with causes", _aalen_johansen, 1e-9,
         "The band is 0 before the cause's first event.",
         no_second="lifelines moves tied events by chance"),
    Case("Cox model", "coxph, cox.zph", _cox, 1e-7,
         "Efron's ties; Kaplan-Meier's transformation of time in the test of proportional hazards.",
         "lifelines", _lifelines_cox, second_tolerance=1e-7),
    Case("Cox model of numbers, strata and levels that come with time",
         "coxph of Surv(start, stop, event) with strata, cox.zph, residuals",
         row_models.against_r, 1e-9,
         "Efron's ties; the test of a term takes all its levels together.",
         "lifelines", row_models.against_lifelines, second_tolerance=1e-6),
    Case("groups that are joined with time", "coxph of Surv(start, stop, event)", _joining, 1e-6,
         "Who joins on a day is at risk in the second group after it.",
         "lifelines", _lifelines_joining, second_tolerance=1e-6),
    Case("Firth's Cox model", "coxph, penalised and maximised by optim", _firth, 1e-7,
         "Efron's ties; limits by profile of the penalised likelihood.",
         no_second="lifelines has no such penalty"),
    Case("curve of lesions in patients", "survfit with cluster", _clustered, 1e-9,
         "Infinitesimal jackknife, grouped by patient.",
         no_second="lifelines has no clustered curve"),
    Case("kappa", "vcd::Kappa", _kappa, 1e-9,
         "Cohen's with linear weights, Fleiss's for many readers.",
         no_second="no installed package has it"),
    Case("Wilcoxon's signed rank", "wilcox.test, paired", _signed_rank, 1e-9,
         "Exact below 50 without zeros and ties, else normal with continuity correction.",
         "scipy", _scipy_signed_rank),
    Case("logistic regression on dose", "glm, vcovCL of sandwich", _logistic, 1e-9,
         "Of lesions in patients the sandwich, HC0, times G/(G - 1); separation has no estimate.",
         no_second="no installed package has it"),
    Case("ROC curve of a dose", "pROC; Obuchowski's formulas", _roc, 1e-9,
         "More dose, more outcome; DeLong's variance, of lesions Obuchowski's; lowest cut-off.",
         "scipy", _scipy_area),
    Case("exact proportion", "binom.test", _proportions, 1e-9,
         "Clopper and Pearson.", "scipy", _scipy_proportions,
         second_tolerance=1e-6),  # scipy's search for the limit ends at 2e-12 of a share
)  # fmt: skip
