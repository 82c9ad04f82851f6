"""Log-rank test and hazard ratios of each baseline factor alone.

Each factor alone: log-rank test, and the hazard ratio of each level against the good one. A missing
baseline leaves a patient out of that factor and is counted. The tests and ratios of one factor come
from the counts per distinct time; the models of several are in `analytics.prognosis.series`. Where
a level has no events the ratio is not finite, and a penalised one stands beside it under its own
name.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (the four factors); R 4.2.2,
survival 3.5-3 (survdiff, coxph with Efron's ties).
"""

import math
from collections.abc import Sequence
from itertools import groupby
from statistics import NormalDist
from typing import Any

import numpy as np

from analytics.estimators.cox import SEPARATED, Patterns, faults, fit
from analytics.estimators.event_counts import Group, groups
from analytics.estimators.firth import Penalised, fit_penalised
from analytics.estimators.kaplan_meier import merge
from analytics.estimators.logrank import LogRank, logrank
from schemas.contract import Table, rows
from schemas.records.factors import BY_ENDPOINT
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import EventCounts
from schemas.tables.outcomes import PrognosisUnivariate

NOT_NAMED = "reference: none of reference_groups is there"


def prognosis_univariate(
    event_counts: Table[EventCounts], *, settings: SurvivalSettings
) -> Table[PrognosisUnivariate]:
    """Compare the levels of each factor, with the reference level first."""
    return rows(univariate(groups(event_counts), settings), PrognosisUnivariate)


def univariate(fitted: Sequence[Group], settings: SurvivalSettings) -> list[dict[str, Any]]:
    """One record per population, endpoint, factor and level."""
    totals = {
        (g.key.population, g.key.endpoint): g.table.n
        for g in fitted
        if g.key.factor == "" and g.key.level == "subject"
    }
    records = []
    for (population, endpoint, factor), members in groupby(fitted, _comparison):
        if factor:
            levels = sorted(members, key=lambda g: g.level_number)
            total = totals[population, endpoint]
            records += compared_levels(levels, total, settings)
    return [r | {"statistic_id": statistic_id(PrognosisUnivariate, r)} for r in records]


def limits(coef: float, se: float, level: float) -> tuple[float, float]:
    """The interval of a hazard ratio: exp(coef -+ z se); z is 1.959964 at 95 %."""
    z = NormalDist().inv_cdf(1 - (1 - level) / 2)
    return math.exp(coef - z * se), math.exp(coef + z * se)


def _comparison(group: Group) -> tuple[str, str, str]:
    return group.key.population, group.key.endpoint, group.key.factor


def compared_levels(
    levels: list[Group], total: int, settings: SurvivalSettings
) -> list[dict[str, Any]]:
    """One record per level of one factor, the first level being the reference.

    Args:
        levels: in the order of their numbers.
        total: patients, those without the factor too.
        settings: of survival.
    """
    missing = total - sum(g.table.n for g in levels)
    test = logrank([g.table for g in levels]) if len(levels) > 1 else None
    ratios = [
        ratio | (_penalised(levels[0], group, settings.conf_level) if _apart(ratio) else {})
        for group, ratio in zip(levels, _ratios(levels, settings), strict=True)
    ]
    return [
        {
            "population": group.key.population,
            "endpoint": group.key.endpoint,
            "factor": group.key.factor,
            "factor_level": group.key.factor_level,
            "n": group.table.n,
            "events": int(group.table.events.sum()),
            "missing": missing,
        }
        | _tested(test, ratio)
        for group, ratio in zip(levels, ratios, strict=True)
    ]


def _tested(test: LogRank | None, ratio: dict[str, Any]) -> dict[str, Any]:
    if test is None:
        return ratio
    reason = "; ".join(r for r in (test.reason, ratio.get("reason")) if r) or None
    return {"chi2": test.chi2, "df": test.df, "p": test.p} | ratio | {"reason": reason}


def _ratios(levels: list[Group], settings: SurvivalSettings) -> list[dict[str, Any]]:
    """Per level the hazard ratio against the first, or why there is none.

    A level without events is left out of the fit: that is the limit of its coefficient at minus
    infinity, so that the other ratios are those of the full model.
    """
    if len(levels) < 2:
        return [{"reason": "one level only"}]
    if not levels[0].table.events.any():
        return [{"reason": SEPARATED if any(g.table.events.any() for g in levels) else "no events"}
                for _ in levels]  # fmt: skip
    names = [g.key.factor_level for g in levels[1:]]
    reference = _reference(levels, settings.reference_groups)
    wrong = faults(_patterns(levels), names)
    fitted = [levels[0], *(g for g in levels[1:] if g.key.factor_level not in wrong)]
    ratios = _fitted(fitted, settings.conf_level) if len(fitted) > 1 else {}
    alone = {name: {"reason": reason} for name, reason in wrong.items()}
    return [{"reason": reference}, *((ratios | alone)[name] for name in names)]


def _reference(levels: list[Group], named: Sequence[str]) -> str:
    """The note beside the level that the others are compared with."""
    by_choice = levels[0].key.factor in BY_ENDPOINT and named
    if by_choice and not {g.key.factor_level for g in levels} & set(named):
        return NOT_NAMED
    return "reference"


def _fitted(levels: list[Group], conf_level: float) -> dict[str, dict[str, Any]]:
    model = fit(_patterns(levels))
    names = [g.key.factor_level for g in levels[1:]]
    if not model.converged:
        return {name: {"reason": SEPARATED} for name in names}
    estimates = {}
    for name, coef, se in zip(names, model.coef.tolist(), model.se.tolist(), strict=True):
        lower, upper = limits(coef, se, conf_level)
        estimates[name] = {"hr": math.exp(coef), "lower": lower, "upper": upper}
    return estimates


def _apart(ratio: dict[str, Any]) -> bool:
    return ratio.get("reason") == SEPARATED


def _penalised(reference: Group, level: Group, conf_level: float) -> dict[str, Any]:
    """The ratio of two levels of which one has no events; none for the reference itself."""
    if level is reference or not (reference.table.events.any() or level.table.events.any()):
        return {}
    penalised = fit_penalised(_patterns([reference, level]), conf_level)
    if penalised is None:
        return {}
    lower, upper = penalised_limits(penalised, 0)
    hr = math.exp(penalised.coef[0])
    return {"firth_hr": hr, "firth_lower": lower, "firth_upper": upper, "firth_p": penalised.p[0]}


def penalised_limits(penalised: Penalised, k: int) -> tuple[float | None, float | None]:
    """The limits of a hazard ratio; None where it is 0 or infinite."""
    lower, upper = penalised.lower[k], penalised.upper[k]
    return (
        math.exp(lower) if math.isfinite(lower) else None,
        math.exp(upper) if math.isfinite(upper) else None,
    )


def _patterns(levels: list[Group]) -> Patterns:
    """Indicator variables of all levels but the first, over the pooled distinct times."""
    pooled = merge([g.table for g in levels])
    events = np.zeros((pooled.time.size, len(levels)), np.int64)
    censored = np.zeros_like(events)
    for column, group in enumerate(levels):
        at = np.searchsorted(pooled.time, group.table.time)
        events[at, column] = group.table.events
        censored[at, column] = group.table.censored
    return Patterns(np.eye(len(levels))[:, 1:], pooled.time, events, censored)
