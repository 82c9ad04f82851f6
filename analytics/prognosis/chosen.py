"""The registry's own model of survival: terms, clock and strata as the settings name them.

The candidates are those named, or every compared factor; those enter whose likelihood-ratio p alone
is below a limit, if there is one, and those that are forced. Complete cases of what entered are
fitted by Cox's partial likelihood with Efron's ties; whoever lacks a covariate is counted. What
cannot be estimated is found before fitting, left out, and said. A number enters per unit, linear;
its martingale residuals, in the model without it, are given by fifths of its values.

Source: Cox 1972; Therneau and Grambsch, Modeling Survival Data, 2000, chapters 3 to 5; Peduzzi et
al. 1995 (events per variable); R 4.2.2, survival 3.5-3 (coxph, anova, cox.zph, residuals).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.special import chdtrc  # type: ignore[import-untyped, unused-ignore]

from analytics.estimators.cox import SEPARATED, Fit
from analytics.estimators.cox_rows import (
    Rows,
    TermTests,
    fit_rows,
    likelihood,
    martingale,
    term_tests,
)
from analytics.estimators.kaplan_meier import FloatArray
from analytics.fetched import fetched, fetched_records
from analytics.prognosis.alone import limits
from analytics.prognosis.design import (
    Design,
    Sample,
    Term,
    counted_at,
    design,
    faults,
    unusable,
    value_of,
)
from schemas.contract import Table, columns, rows
from schemas.records.factors import BY_CODE
from schemas.sections.prognosis import PrognosisSettings, candidates
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FactorLevels, SettledFactors, Subjects, TimeToEvent
from schemas.tables.outcomes.prognosis import PrognosisModels, PrognosisResiduals

FEW = "fewer events than coefficients: not fitted"
NO_MAXIMUM = "not fitted: the likelihood has no maximum (separation by several terms together)"
NOT_SELECTED = "not selected: p alone not below {}"
STRATUM = "stratum: a baseline hazard of its own"
AT_EMPTY = SEPARATED + "; its patients are left out of the model"
GLOBAL = "global"
FIFTHS = 5
Names = Mapping[str, Mapping[int, str]]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A model as it was built.

    Attributes:
        design: What was fitted, or would have been; None where no term is left.
        alone: Term -> its p alone, if it has one.
        excluded: Term -> why it is not in the model.
        fitted: The fit; None where there is none.
        tests: Of proportional hazards, term by term.
        reason: Why there is no fit.
    """

    design: Design | None
    alone: Mapping[str, float | None]
    excluded: Mapping[str, str]
    fitted: Fit | None = None
    tests: TermTests | None = None
    reason: str | None = None


def prognosis_models(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    settled_factors: Table[SettledFactors],
    subjects: Table[Subjects],
    *,
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> Table[PrognosisModels]:
    """Fit the registry's own model, of each population and endpoint."""
    if not candidates(prognosis):
        return rows([], PrognosisModels)
    read = (population_members, time_to_event, factor_levels, settled_factors, subjects)
    names = _names(fetched_records(_levels, factor_levels, settled_factors))
    records: list[Record] = []
    for key, sample in _samples(read, prognosis):
        found = built(sample, prognosis)
        records += [key | r for r in _rows(found, sample, names, settings, prognosis)]
    told = [r | {"statistic_id": statistic_id(PrognosisModels, r)} for r in records]
    return rows(told, PrognosisModels)


def prognosis_residuals(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    settled_factors: Table[SettledFactors],
    subjects: Table[Subjects],
    *,
    prognosis: PrognosisSettings,
) -> Table[PrognosisResiduals]:
    """Show of each number in the registry's own model whether its effect is linear."""
    if not candidates(prognosis) or not prognosis.continuous:
        return rows([], PrognosisResiduals)
    read = (population_members, time_to_event, factor_levels, settled_factors, subjects)
    records = []
    for key, sample in _samples(read, prognosis):
        found = built(sample, prognosis)
        if found.fitted and found.design:
            for term in found.design.terms:
                if term.per_unit:
                    records += [
                        key | {"term": term.factor} | fifth for fifth in _fifths(found.design, term)
                    ]
    return rows(records, PrognosisResiduals)


def built(sample: Sample, prognosis: PrognosisSettings) -> Chosen:
    """The model of a sample: terms chosen, faults taken out one by one, fitted, tested."""
    with_time = set(prognosis.time_dependent)
    tried = [
        Term(code, code in prognosis.continuous, code in with_time)
        for code in candidates(prognosis)
    ]
    excluded = {t.factor: why for t in tried if (why := unusable(sample, t))}
    usable = [t for t in tried if t.factor not in excluded]
    alone = {t.factor: p_alone(sample, t, prognosis.strata) for t in usable}
    terms = []
    for term in usable:
        p = alone[term.factor]
        weak = prognosis.p_enter is not None and (p is None or p >= prognosis.p_enter)
        if weak and term.factor not in prognosis.forced:
            excluded[term.factor] = NOT_SELECTED.format(prognosis.p_enter)
        else:
            terms.append(term)
    while terms:
        made = design(sample, terms, prognosis.strata)
        wrong = faults(made)
        if not wrong:
            return _fitted(made, alone, excluded)
        excluded |= wrong
        terms = [t for t in terms if t.factor not in wrong]
    return Chosen(None, alone, excluded)


def p_alone(sample: Sample, term: Term, strata: Sequence[str]) -> float | None:
    """The likelihood-ratio p of a term in a model of its own; none where it has no fit.

    A level without an event counts for the likelihood that its coefficient tends to.
    """
    made = design(sample, [term], strata)
    if faults(made) or not made.rows.events:
        return None
    fitted = fit_rows(made.rows)
    if not fitted.converged:
        return None
    chi2 = 2 * (fitted.log_likelihood - likelihood(_everybody(sample, term, strata)))
    df = len(made.columns[0]) + len(made.empty[0])
    return float(chdtrc(df, max(chi2, 0.0)))


def _everybody(sample: Sample, term: Term, strata: Sequence[str]) -> Rows:
    """The rows of all who have a term, those at a level without an event too."""
    value = value_of(sample, term)
    known = Sample(
        sample.time,
        sample.event,
        sample.n,
        {**sample.level, term.factor: np.where(np.isnan(value), np.nan, 0.0)},
        sample.number,
        {},
    )
    return design(known, [Term(term.factor)], strata).rows


def _fitted(made: Design, alone: Mapping[str, float | None], excluded: Mapping[str, str]) -> Chosen:
    if made.rows.events < made.rows.x.shape[1]:
        return Chosen(made, alone, excluded, reason=FEW)
    fitted = fit_rows(made.rows)
    if not fitted.converged:
        return Chosen(made, alone, excluded, reason=NO_MAXIMUM)
    tests = term_tests(made.rows, fitted.coef, made.columns)
    return Chosen(made, alone, excluded, fitted, tests)


def _rows(
    found: Chosen,
    sample: Sample,
    names: Names,
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> Iterator[Record]:
    """Every term with its levels, the model as a whole, strata, and what is left out."""
    shared = _shared(found, sample, settings, prognosis)
    made = found.design
    if made:
        for k, term in enumerate(made.terms):
            own = {"term": term.factor, "p_alone": found.alone.get(term.factor)}
            tested = _tested(found.tests, k)
            for r in _levels_of(found, k, names.get(term.factor, {}), settings.conf_level):
                yield shared | own | tested | r
        whole = {"term": GLOBAL, "factor_level": "", "entered": "whole"}
        yield shared | whole | _tested(found.tests, None)
    for code in prognosis.strata:
        yield shared | {
            "term": code, "factor_level": "", "entered": "stratum", "reason": STRATUM,
        }  # fmt: skip
    for code, why in found.excluded.items():
        yield shared | {
            "term": code,
            "factor_level": "",
            "entered": "left_out",
            "p_alone": found.alone.get(code),
            "reason": why,
        }


def _shared(
    found: Chosen, sample: Sample, settings: SurvivalSettings, prognosis: PrognosisSettings
) -> Record:
    made = found.design
    size = made.rows.x.shape[1] if made else 0
    events = made.rows.events if made else int((sample.n * sample.event).sum())
    per_variable = events / size if size else None
    few = per_variable is not None and per_variable < settings.events_per_variable_warn
    warned = f"fewer than {settings.events_per_variable_warn} events per variable"
    return {
        "start": prognosis.start,
        "n": made.patients if made else int(sample.n.sum()),
        "events": events,
        "missing": made.missing if made else 0,
        "left_out_dead": sample.left_out_dead,
        "left_out_censored": sample.left_out_censored,
        "coefficients": size,
        "events_per_variable": per_variable,
        "reason": found.reason or (warned if few else None),
    }


def _tested(tests: TermTests | None, k: int | None) -> Record:
    if tests is None:
        return {}
    if k is None:
        return {"ph_chi2": tests.chi2_global, "ph_df": sum(tests.df), "ph_p": tests.p_global}
    return {"ph_chi2": tests.chi2[k], "ph_df": tests.df[k], "ph_p": tests.p[k]}


def _levels_of(
    found: Chosen, k: int, names: Mapping[int, str], conf_level: float
) -> Iterator[Record]:
    made = found.design
    assert made is not None
    term = made.terms[k]
    if term.per_unit:
        unit = f"per {_unit(term.factor)}"
        own = _estimate(found.fitted, made.columns[k][0], conf_level)
        yield {"factor_level": "", "entered": "per_unit", "reference": unit} | own
        return
    entered = "time_dependent" if term.with_time else "levels"
    reference = names.get(made.reference[k], str(made.reference[k]))
    numbers = sorted({made.reference[k], *made.levels[k], *made.empty[k]})
    for number in numbers:
        label = names.get(number, str(number))
        n, events = counted_at(made, k, number)
        row = {"factor_level": label, "entered": entered, "n_level": n, "events_level": events}
        if number == made.reference[k]:
            yield row | {"reason": "reference"}
        elif number in made.empty[k]:
            yield row | {"reference": reference, "reason": AT_EMPTY}
        else:
            column = made.columns[k][made.levels[k].index(number)]
            yield row | {"reference": reference} | _estimate(found.fitted, column, conf_level)


def _estimate(fitted: Fit | None, column: int, conf_level: float) -> Record:
    if fitted is None:
        return {}
    coef, se = float(fitted.coef[column]), float(fitted.se[column])
    lower, upper = limits(coef, se, conf_level)
    return {
        "coef": coef,
        "se": se,
        "hr": math.exp(coef),
        "lower": lower,
        "upper": upper,
        "p": math.erfc(abs(coef / se) / math.sqrt(2)),
    }


def _unit(code: str) -> str:
    """The unit of a factor's number: that of its column."""
    record = BY_CODE[code]
    if record.known != "t0":
        return {"tumour_dose": "Gy", "sessions": "session"}[code]
    held = {column.name: column.unit for column in columns(Subjects)}
    unit = held.get(record.number or "") or "point"
    return "year" if unit == "years" else unit


def _fifths(made: Design, term: Term) -> Iterator[Record]:
    """Mean martingale residual by fifths of a number, in the model without it."""
    k = made.terms.index(term)
    others = [c for j, own in enumerate(made.columns) if j != k for c in own]
    without = made.rows.with_columns(made.rows.x[:, others])
    coef = fit_rows(without).coef
    residual = martingale(without, coef)
    first = np.unique(made.rows.unit, return_index=True)[1]
    value, n = made.at[k][first], made.rows.n[first]
    fifth = fifths(value, n)
    for number in range(1, FIFTHS + 1):
        own = fifth == number
        size = int(n[own].sum())
        if size:
            yield {
                "fifth": number,
                "n": size,
                "mean_value": float((value[own] * n[own]).sum() / size),
                "mean_residual": float((residual[own] * n[own]).sum() / size),
            }


def fifths(value: FloatArray, n: Any) -> Any:
    """Shape (N,): the fifth of each value, from the share of patients below it; ties together."""
    distinct, place = np.unique(value, return_inverse=True)
    sizes = np.bincount(place.reshape(-1), n, minlength=distinct.size)
    below = np.cumsum(sizes) - sizes
    return (np.floor(FIFTHS * below / sizes.sum()).astype(int) + 1)[place.reshape(-1)]


def _names(found: Sequence[Mapping[str, Any]]) -> Names:
    names: dict[str, dict[int, str]] = {}
    for r in found:
        names.setdefault(r["factor"], {})[int(r["level_number"])] = r["factor_level"]
    return names


def _levels(factor_levels: ir.Table, settled_factors: ir.Table) -> ir.Table:
    """The name of each level's number."""
    named = ("factor", "level_number", "factor_level")
    of_t0 = factor_levels.filter(factor_levels.endpoint == "").select(*named)
    later = settled_factors.filter(settled_factors.factor_level.notnull()).select(*named)
    return of_t0.union(later).distinct().order_by(named)


def _samples(
    read: tuple[ir.Table, ...], prognosis: PrognosisSettings
) -> Iterator[tuple[Record, Sample]]:
    """Each population and endpoint, with its patients."""
    codes = tuple(dict.fromkeys((*candidates(prognosis), *prognosis.strata)))
    counted = fetched(
        _counted,
        *read,
        codes=codes,
        numbers=tuple(c for c in codes if c in prognosis.continuous),
        with_time=prognosis.time_dependent,
        endpoints=prognosis.endpoints,
    )
    pairs = list(
        zip(counted["population"].to_pylist(), counted["endpoint"].to_pylist(), strict=True)
    )
    for population, endpoint in dict.fromkeys(pairs):
        own = np.array([pair == (population, endpoint) for pair in pairs])
        sample = sampled(counted.filter(pa.array(own)), codes, prognosis)
        yield {"population": population, "endpoint": endpoint}, sample


def sampled(counted: pa.Table, codes: Sequence[str], prognosis: PrognosisSettings) -> Sample:
    """The patients of a table of counts, on the clock that the settings ask for."""

    def column(name: str) -> FloatArray:
        return counted[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)

    time, event, n = column("time_days"), column("event").astype(int), column("n").astype(int)
    since = column("course_end_day") if prognosis.start == "course_end" else np.zeros(time.size)
    inside = np.ones(time.size, bool)
    if prognosis.start == "course_end":
        inside = np.nan_to_num(time - since, nan=-1.0) > 0
    dead = ~inside & (event == 1) & ~np.isnan(since)
    return Sample(
        time=(time - since)[inside],
        event=event[inside],
        n=n[inside],
        level={c: column(f"level_{c}")[inside] for c in codes},
        number={c: column(f"number_{c}")[inside] for c in codes if c in prognosis.continuous},
        day={c: (column(f"day_{c}") - since)[inside] for c in prognosis.time_dependent},
        left_out_dead=int(n[dead].sum()),
        left_out_censored=int(n[~inside & ~dead].sum()),
    )


def _counted(
    population_members: ir.Table,
    time_to_event: ir.Table,
    factor_levels: ir.Table,
    settled_factors: ir.Table,
    subjects: ir.Table,
    *,
    codes: tuple[str, ...],
    numbers: tuple[str, ...],
    with_time: tuple[str, ...],
    endpoints: tuple[str, ...],
) -> ir.Table:
    """Patients by population, endpoint, time, status and what the model needs of them."""
    of_t0 = factor_levels.filter(factor_levels.endpoint == "")
    clocks = time_to_event.filter(
        time_to_event.endpoint.isin(endpoints), time_to_event.lesion_number == 0
    )
    known = clocks.select(
        "subject_id", "endpoint", "start_day", "event",
        time_days=clocks.time_days.cast("float64"),
    )  # fmt: skip
    later = [c for c in codes if BY_CODE[c].known != "t0"]
    early = [c for c in codes if c not in later]
    known = _joined(known, _own(subjects, [c for c in numbers if c in early]))
    known = _joined(known, _wide(of_t0, early, (), ()))
    known = _joined(known, _wide(settled_factors, later, numbers, with_time))
    moved = {f"day_{c}": known[f"day_{c}"] - known.start_day for c in with_time}
    known = known.mutate(course_end_day=known.course_end_day - known.start_day, **moved)
    members = population_members.select("population", "subject_id")
    placed = known.inner_join(members, "subject_id").drop("subject_id", "start_day")
    keys = ["population", "endpoint", *(c for c in placed.columns if c not in _FIRST)]
    return placed.group_by(keys).agg(n=placed.count()).order_by(keys)


_FIRST = ("population", "endpoint")


def _joined(known: ir.Table, found: ir.Table) -> ir.Table:
    joined = known.left_join(found, "subject_id")
    return joined.drop(*(c for c in joined.columns if c == "subject_id_right"))


def _own(subjects: ir.Table, numbers: list[str]) -> ir.Table:
    """The end of the planned course, and numbers that are known at T0."""
    chosen = {f"number_{c}": subjects[BY_CODE[c].number or ""].cast("float64") for c in numbers}
    return subjects.select("subject_id", "course_end_day", **chosen)


def _wide(
    levels: ir.Table, codes: list[str], numbers: tuple[str, ...], with_time: tuple[str, ...]
) -> ir.Table:
    """One row a subject: the level of each factor, and its number and its day where asked."""
    parts = {
        f"level_{c}": levels.level_number.max(where=levels.factor == c).cast("float64")
        for c in codes
    }
    parts |= {
        f"number_{c}": levels.number.max(where=levels.factor == c) for c in codes if c in numbers
    }
    parts |= {
        f"day_{c}": levels.from_day.max(where=levels.factor == c).cast("float64")
        for c in codes
        if c in with_time
    }
    if not parts:
        return levels.select("subject_id").distinct()
    return levels.group_by("subject_id").agg(**parts)
