"""Find the conclusions that another reading of the sources would change.

One setting is changed at a time and the affected statistics are computed again. A p-value flips
when it crosses 0.05; an estimate flips when its interval takes in, or no longer takes in, the
published figure. Here stand the settings that act on the marts; those that act before them are
`schemas.records.alternatives`, and the build derives again what they lead to.

Source: Kanani on Memon et al. 2012: bilirubin of at most 1.2 mg/dL in the synopsis, below 1.2 in
the last line of the text; the rules of median, interval and selection are not printed.
"""

from collections.abc import Iterable
from typing import Any, get_args

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from analytics.estimators.event_counts import Group, cut, event_counts, groups, in_doubles
from analytics.estimators.kaplan_meier import (
    ConfType,
    QuantileRule,
    kaplan_meier,
    median,
    survival_at,
)
from analytics.fetched import fetched
from analytics.outcomes.survival import DAYS_PER_MONTH, in_months
from analytics.prognosis.alone import univariate
from analytics.prognosis.series import cells_of, counted_cells, multivariable
from analytics.published.literature_figures import SURVIVAL_AT_MONTHS
from schemas.contract import Table, rows
from schemas.records.factors import BILIRUBIN, BILIRUBIN_BELOW, Factor
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import EventCounts, PopulationMembers
from schemas.tables.marts import FactorLevels, Subjects, TimeToEvent
from schemas.tables.outcomes import (
    PrognosisMultivariable,
    PrognosisUnivariate,
    Sensitivity,
    SurvivalLandmarks,
    SurvivalMedians,
)

SIGNIFICANT = 0.05
Record = dict[str, Any]
BY_FACTOR = ("population", "endpoint", "factor")
BY_TERM = ("population", "endpoint", "model", "term")


def sensitivity(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    subjects: Table[Subjects],
    event_counts: Table[EventCounts],
    *,
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> Table[Sensitivity]:
    """Change each setting that acts on the marts, and compare."""
    read = (population_members, time_to_event, factor_levels)
    counted_groups = [g for g in groups(event_counts) if g.key.endpoint == "OS"]
    overall = [g for g in counted_groups if g.key.factor == "" and g.key.level == "subject"]
    base = _models(fetched(counted_cells, *read), counted_groups, settings)
    records = [
        *_bilirubin((*read, subjects), base, settings, prognosis),
        *_selection(base[1], settings),
        *_median_rule(overall, settings),
        *_interval(overall, settings),
    ]
    return rows([r | {"statistic_id": statistic_id(Sensitivity, r)} for r in records], Sensitivity)


def crosses(p: float | None, base: float | None) -> bool:
    """One of two p-values is below 0.05 and the other is not; False where one is missing."""
    return p is not None and base is not None and (p < SIGNIFICANT) != (base < SIGNIFICANT)


def _models(
    counted: pa.Table, counted_groups: list[Group], settings: SurvivalSettings
) -> tuple[list[Record], list[Record]]:
    """Overall survival by each factor alone, and by all together."""
    alone = univariate(counted_groups, settings)
    cells = {key: own for key, own in cells_of(counted).items() if key[1] == "OS"}
    return alone, multivariable(cells, alone, settings)


def _other_limit(factor_levels: ir.Table, subjects: ir.Table, included: bool) -> ir.Table:
    """Levels of all factors, with the limit of bilirubin on the other side."""
    other = _other_factor(included)
    good = subjects[other.column]
    classed = subjects.filter(good.notnull())
    moved = classed.select(
        "subject_id",
        endpoint=ibis.literal(""),
        factor=ibis.literal(other.factor),
        factor_level=classed[other.column].ifelse(*(level.label for level in other.levels)),
        level_number=(~classed[other.column]).cast("int64"),
        bad=~classed[other.column],
    )
    kept = factor_levels.filter(factor_levels.factor != other.factor)
    return kept.select(*moved.columns).union(moved)


def _other_factor(included: bool) -> Factor:
    return BILIRUBIN_BELOW if included else BILIRUBIN


def _other_counts(
    population_members: ir.Table,
    time_to_event: ir.Table,
    factor_levels: ir.Table,
    subjects: ir.Table,
    *,
    included: bool,
    prognosis: PrognosisSettings,
) -> ir.Table:
    survival = time_to_event.filter(time_to_event.endpoint == "OS")
    levels = _other_limit(factor_levels, subjects, included)
    counted = event_counts(population_members, survival, levels, prognosis=prognosis)
    return in_doubles(counted)


def _other_cells(
    population_members: ir.Table,
    time_to_event: ir.Table,
    factor_levels: ir.Table,
    subjects: ir.Table,
    *,
    included: bool,
) -> ir.Table:
    levels = _other_limit(factor_levels, subjects, included)
    return counted_cells(population_members, time_to_event, levels)


def _bilirubin(
    read: tuple[ir.Table, ...],
    base: tuple[list[Record], list[Record]],
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> list[Record]:
    """The limit of bilirubin changes sides; the other factors keep their levels."""
    included = settings.bilirubin_good_includes_limit
    other = _other_factor(included)
    counted = fetched(_other_counts, *read, included=included, prognosis=prognosis)
    by_bilirubin = cut(counted)
    again = _models(fetched(_other_cells, *read, included=included), by_bilirubin, settings)
    setting = {
        "setting": "survival.bilirubin_good_includes_limit",
        "alternative": str(not included).lower(),
    }
    ratios = [
        [r for r in records if r["factor"] == other.factor and r.get("hr") is not None]
        for records in (base[0], again[0])
    ]
    alone = _p_values(ratios[0], ratios[1], BY_FACTOR, PrognosisUnivariate)
    together = _p_values(base[1], again[1], BY_TERM, PrognosisMultivariable)
    return [setting | record for record in (*alone, *together)]


def _p_values(
    base: Iterable[Record], again: Iterable[Record], key: tuple[str, ...], contract: Any
) -> list[Record]:
    """Pair the p-values of two runs; a term that left a model has none."""
    other = {tuple(r[k] for k in key): r for r in again}
    records = []
    for record in base:
        if record.get("p") is None:
            continue
        alternative = other.get(tuple(record[k] for k in key), {})
        p = alternative.get("p")
        records.append(
            {
                "population": record["population"],
                "base_statistic_id": statistic_id(contract, record),
                "value": p,
                "base_value": record["p"],
                "flips": crosses(p, record["p"]),
                "reason": None if p is not None else alternative.get("reason") or "no such term",
            }
        )
    return records


def _selection(models: list[Record], settings: SurvivalSettings) -> list[Record]:
    base = [r for r in models if r["model"] == settings.model_selection]
    records = []
    for name in ("univariate_p", "all", "backward"):
        if name != settings.model_selection:
            again = [r for r in models if r["model"] == name]
            setting = {"setting": "survival.model_selection", "alternative": name}
            key = ("population", "endpoint", "term")
            pairs = _p_values(base, again, key, PrognosisMultivariable)
            records += [setting | r for r in pairs]
    return records


def _median_rule(overall: list[Group], settings: SurvivalSettings) -> list[Record]:
    records = []
    for group in overall:
        curve = kaplan_meier(group.table, settings.conf_type, settings.conf_level)
        base = median(curve, settings.median_rule).value
        key = group.key.record() | {"rule": settings.median_rule}
        records += [
            {
                "population": group.key.population,
                "base_statistic_id": statistic_id(SurvivalMedians, key),
                "setting": "survival.median_rule",
                "alternative": rule,
                "value": in_months(median(curve, rule).value),
                "base_value": in_months(base),
                "flips": False,
                "reason": "not reached" if base is None else None,
            }
            for rule in get_args(QuantileRule)
            if rule != settings.median_rule
        ]
    return records


def _interval(overall: list[Group], settings: SurvivalSettings) -> list[Record]:
    """Whether the published survival lies in the interval, by another transformation."""
    records = []
    for group in overall:
        for months, published in SURVIVAL_AT_MONTHS.items():
            if months not in settings.landmarks_months:
                continue
            estimates = {
                kind: survival_at(
                    kaplan_meier(group.table, kind, settings.conf_level), months * DAYS_PER_MONTH
                )
                for kind in get_args(ConfType)
            }
            key = group.key.record() | {"months": months}
            base = estimates.pop(settings.conf_type)
            records += [
                {
                    "population": group.key.population,
                    "base_statistic_id": statistic_id(SurvivalLandmarks, key),
                    "setting": "survival.conf_type",
                    "alternative": kind,
                    "value": estimate.value,
                    "base_value": base.value,
                    "flips": contains(base, published) != contains(estimate, published),
                    "reason": base.reason,
                }
                for kind, estimate in estimates.items()
            ]
    return records


def contains(estimate: Any, published: float) -> bool:
    """Whether an interval takes in a published figure; False where it has no limits."""
    if estimate.lower is None or estimate.upper is None:
        return False
    return bool(estimate.lower <= published <= estimate.upper)
