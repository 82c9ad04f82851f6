"""Cox models of several of the series' factors, by three rules of selection.

The publication does not say how its model was chosen, so that three rules stand side by side:

    univariate_p   every factor whose log-rank p is below the setting, together
    all            every factor
    backward       from all, the factor with the greatest p is removed until none is above it

Complete cases only: who lacks a factor of the model is counted. What cannot be estimated is found
before fitting (constant or collinear factors, a level without events) and reported, not fitted.
Where a level without events kept a factor out, or a likelihood rises for ever, a fourth model,
`firth`, fits all factors by a penalised likelihood: it is no selection, and says what it is.

lifelines fits the published models, with Efron's ties and a precision that R's digits need; its
default stops earlier. The proportional-hazards test is R's, which lifelines does not have, and the
concordance counts pairs of patterns, not of patients.

Source: Kanani on Memon et al. 2012; R 4.2.2, survival 3.5-3 (coxph, cox.zph); lifelines 0.30.3;
Peduzzi et al. 1995 (events per variable).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from analytics.estimators.cox import (
    PH_METHOD,
    SEPARATED,
    Fit,
    Patterns,
    ProportionalHazards,
    concordance,
    faults,
    fit,
    proportional_hazards,
)
from analytics.estimators.firth import Penalised, fit_penalised
from analytics.estimators.kaplan_meier import FloatArray
from analytics.fetched import fetched, fetched_records, whole
from analytics.prognosis.alone import limits, penalised_limits
from schemas.contract import Table, rows
from schemas.records.endpoints import COMPARED
from schemas.records.factors import PROGNOSTIC
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent
from schemas.tables.outcomes import PrognosisMultivariable, PrognosisUnivariate

if TYPE_CHECKING:
    import pandas as pd

Tried = dict[tuple[str, ...], tuple["Patterns", "Fit"]]
"""Models already fitted from counts, by their terms: selection and checks share them."""
TERMS = tuple(factor.factor for factor in PROGNOSTIC)
FIRTH = "firth"
"""The model that is offered where a level has no events."""
PENALISED = "penalised, as there is separation"
GLOBAL = "global"
"""The row that carries the test of proportional hazards for all terms together."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Counts of one population and endpoint: one row per time, status and levels of the factors.

    Attributes:
        time: Shape (N,).
        event: Shape (N,).
        levels: Shape (N, factors), 0 good, 1 bad, nan missing.
        n: Shape (N,), patients.
    """

    time: FloatArray
    event: FloatArray
    levels: FloatArray
    n: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What lifelines found; `se` and the others as it defines them."""

    coef: FloatArray
    se: FloatArray
    p: FloatArray


def prognosis_multivariable(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    prognosis_univariate: Table[PrognosisUnivariate],
    *,
    settings: SurvivalSettings,
) -> Table[PrognosisMultivariable]:
    """Fit the factors of the series together, by each rule of selection."""
    cells = cells_of(fetched(counted_cells, population_members, time_to_event, factor_levels))
    alone = fetched_records(whole, prognosis_univariate)
    return rows(multivariable(cells, alone, settings), PrognosisMultivariable)


def cells_of(counted: pa.Table) -> dict[tuple[str, str], Cells]:
    """The counts of `counted_cells`, one entry per population and endpoint.

    Returns:
        (population, endpoint) -> its cells, in order.
    """
    names = list(
        zip(counted["population"].to_pylist(), counted["endpoint"].to_pylist(), strict=True)
    )
    columns = [counted[name].to_numpy().astype(float) for name in ("time_days", "event", *TERMS)]
    count = counted["n"].to_numpy().astype(float)
    chosen = {name: np.array([n == name for n in names]) for name in dict.fromkeys(names)}
    return {
        name: Cells(
            columns[0][row],
            columns[1][row],
            np.column_stack([c[row] for c in columns[2:]]),
            count[row],
        )
        for name, row in chosen.items()
    }


def counted_cells(
    population_members: ir.Table, time_to_event: ir.Table, factor_levels: ir.Table
) -> ir.Table:
    """Patients by population, endpoint, time, status and levels."""
    level = factor_levels.level_number
    wide = factor_levels.group_by("subject_id").agg(
        **{term: level.max(where=factor_levels.factor == term) for term in TERMS}
    )
    clocks = time_to_event.filter(time_to_event.endpoint.isin(COMPARED))
    placed = clocks.left_join(wide, "subject_id").drop("subject_id_right")
    members = placed.inner_join(population_members, "subject_id")
    keys = ["population", "endpoint", "time_days", "event", *TERMS]
    return members.group_by(*keys).agg(n=members.count()).order_by(keys)


def multivariable(
    cells: Mapping[tuple[str, str], Cells],
    alone: Sequence[Mapping[str, Any]],
    settings: SurvivalSettings,
) -> list[dict[str, Any]]:
    """One record per population, endpoint, model and term, and one for all terms together."""
    records = []
    for (population, endpoint), own in cells.items():
        p = {
            r["factor"]: r.get("p")
            for r in alone
            if (r["population"], r["endpoint"]) == (population, endpoint)
        }
        fitted: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        tried: Tried = {}
        key = {"population": population, "endpoint": endpoint}
        coefficients: list[dict[str, Any]] = []
        for model, (terms, excluded) in _selections(own, p, settings, tried).items():
            if terms not in fitted:
                fitted[terms] = _fitted(own, terms, settings, tried)
            counts = _counts(own, terms)
            left = [counts | {"term": term, "reason": why} for term, why in excluded.items()]
            coefficients += [{"model": model, "method": "Cox"} | r for r in [*fitted[terms], *left]]
        if any(r["reason"] == SEPARATED for r in coefficients):
            coefficients += [
                {"model": FIRTH, "method": "Firth"} | r for r in _penalised(own, settings)
            ]
        records += [key | record for record in coefficients]
    return [r | {"statistic_id": statistic_id(PrognosisMultivariable, r)} for r in records]


def patterns_of(cells: Cells, terms: tuple[str, ...]) -> Patterns:
    """The complete cases of a model, as counts per distinct time and pattern of its terms."""
    x = cells.levels[:, [TERMS.index(term) for term in terms]]
    complete = ~np.isnan(x).any(axis=1)
    covariates, pattern = np.unique(x[complete], axis=0, return_inverse=True)
    time, row = np.unique(cells.time[complete], return_inverse=True)
    table = np.zeros((2, time.size, len(covariates)), np.int64)
    at = (cells.event[complete].astype(int), row, pattern.reshape(-1))
    np.add.at(table, at, cells.n[complete].astype(int))
    return Patterns(covariates, time, events=table[1], censored=table[0])


def fit_lifelines(patterns: Patterns, terms: tuple[str, ...]) -> Model:
    """Fit by lifelines, one row per patient, in an order that does not depend on the source's."""
    from lifelines import CoxPHFitter

    fitter = CoxPHFitter()
    fitter.fit(_frame(patterns, terms), "time", "event", fit_options={"precision": 1e-12})
    coef = fitter.params_.to_numpy()
    se = fitter.standard_errors_.to_numpy()
    p = np.array([math.erfc(abs(z) / math.sqrt(2)) for z in coef / se])
    return Model(coef, se, p)


def _frame(patterns: Patterns, terms: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd

    table = np.stack([patterns.censored, patterns.events])
    event, row, pattern = np.nonzero(table)
    n = table[event, row, pattern]
    columns = {"time": patterns.time[row], "event": event} | {
        term: patterns.covariates[pattern, k] for k, term in enumerate(terms)
    }
    return pd.DataFrame({name: np.repeat(column, n) for name, column in columns.items()})


def _selections(
    cells: Cells, p: Mapping[str, float | None], settings: SurvivalSettings, tried: Tried
) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """Model -> its terms, and why the others are not in it."""
    entering = settings.model_p_enter
    significant = [t for t in TERMS if (alone := p.get(t)) is not None and alone < entering]
    weak = dict.fromkeys(TERMS, f"not selected: log-rank p not below {entering}")
    chosen = {"univariate_p": _estimable(cells, significant), "all": _estimable(cells, list(TERMS))}
    terms, excluded = chosen["univariate_p"]
    chosen["univariate_p"] = (
        terms,
        {t: excluded.get(t, weak[t]) for t in TERMS if t not in terms},
    )
    chosen["backward"] = _backward(cells, *chosen["all"], entering, tried)
    return chosen


def _estimable(
    cells: Cells, terms: list[str], *, finite: bool = True
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The terms with a coefficient of their own, finite if asked, and what ails the others."""
    absent = {t: "nobody has it" for t in terms if np.isnan(_level(cells, t)).all()}
    kept = tuple(t for t in terms if t not in absent)
    if not kept:
        return (), absent
    wrong = faults(patterns_of(cells, kept), list(kept))
    if not finite:
        wrong = {term: why for term, why in wrong.items() if why != SEPARATED}
    return tuple(t for t in kept if t not in wrong), absent | wrong


def _level(cells: Cells, term: str) -> FloatArray:
    return cells.levels[:, TERMS.index(term)]


def _backward(
    cells: Cells, terms: tuple[str, ...], excluded: dict[str, str], leaving: float, tried: Tried
) -> tuple[tuple[str, ...], dict[str, str]]:
    excluded = dict(excluded)
    while terms:
        _, model = _try(cells, terms, tried)
        if not model.converged:
            break
        p = np.array([math.erfc(abs(z) / math.sqrt(2)) for z in model.coef / model.se])
        worst = int(np.argmax(p))
        if p[worst] <= leaving:
            break
        excluded[terms[worst]] = f"removed: p above {leaving}"
        terms = tuple(t for k, t in enumerate(terms) if k != worst)
    return terms, excluded


def _try(cells: Cells, terms: tuple[str, ...], tried: Tried) -> tuple[Patterns, Fit]:
    if terms not in tried:
        patterns = patterns_of(cells, terms)
        tried[terms] = patterns, fit(patterns)
    return tried[terms]


def _counts(cells: Cells, terms: tuple[str, ...]) -> dict[str, int]:
    columns = [_level(cells, t) for t in terms]
    complete = ~np.isnan(np.column_stack(columns)).any(axis=1) if columns else cells.n > 0
    return {
        "n": int(cells.n[complete].sum()),
        "events": int((cells.n * cells.event)[complete].sum()),
        "missing": int(cells.n[~complete].sum()),
    }


def _fitted(
    cells: Cells, terms: tuple[str, ...], settings: SurvivalSettings, tried: Tried
) -> list[dict[str, Any]]:
    if not terms:
        return []
    counts = _counts(cells, terms)
    per_variable = counts["events"] / len(terms)
    patterns, checked = _try(cells, terms, tried)
    if not checked.converged:
        return [counts | {"term": term, "reason": SEPARATED} for term in terms]
    model = fit_lifelines(patterns, terms)
    ph = proportional_hazards(patterns, model.coef)
    few = per_variable < settings.events_per_variable_warn
    shared = counts | {
        "events_per_variable": per_variable,
        "concordance": concordance(patterns, model.coef),
        "ph_method": PH_METHOD,
        "reason": _few(settings) if few else None,
    }
    own = [shared | _term(model, ph, k, term, settings.conf_level) for k, term in enumerate(terms)]
    return [*own, shared | {"term": GLOBAL, "ph_p": ph.p_global}]


def _penalised(cells: Cells, settings: SurvivalSettings) -> list[dict[str, Any]]:
    """All factors that have a unique coefficient, whether or not each level has events."""
    terms, excluded = _estimable(cells, list(TERMS), finite=False)
    counts = _counts(cells, terms)
    left = [counts | {"term": term, "reason": why} for term, why in excluded.items()]
    patterns = patterns_of(cells, terms)
    model = fit_penalised(patterns, settings.conf_level)
    if model is None:
        return [*left, *(counts | {"term": t, "reason": f"{SEPARATED}; no fit"} for t in terms)]
    per_variable = counts["events"] / len(terms)
    few = [_few(settings)] if per_variable < settings.events_per_variable_warn else []
    shared = counts | {
        "events_per_variable": per_variable,
        "concordance": concordance(patterns, model.coef),
        "reason": "; ".join([PENALISED, *few]),
    }
    return [*(shared | _penalised_term(model, k, t) for k, t in enumerate(terms)), *left]


def _penalised_term(model: Penalised, k: int, term: str) -> dict[str, Any]:
    coef, se = float(model.coef[k]), float(model.se[k])
    lower, upper = penalised_limits(model, k)
    limits_of = {"lower": lower, "upper": upper}
    return {"term": term, "coef": coef, "se": se, "hr": math.exp(coef), "p": model.p[k]} | limits_of


def _few(settings: SurvivalSettings) -> str:
    return f"fewer than {settings.events_per_variable_warn} events per variable"


def _term(
    model: Model, ph: ProportionalHazards, k: int, term: str, conf_level: float
) -> dict[str, Any]:
    coef, se = float(model.coef[k]), float(model.se[k])
    lower, upper = limits(coef, se, conf_level)
    return {
        "term": term,
        "coef": coef,
        "se": se,
        "hr": math.exp(coef),
        "lower": lower,
        "upper": upper,
        "p": float(model.p[k]),
        "ph_p": ph.p[k],
    }
