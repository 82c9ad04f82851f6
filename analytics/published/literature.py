"""Set our statistics beside the published figures.

Each published figure is set beside our statistic of the same definition, for every population: our
estimate with its interval, theirs as printed, and a note on what exactly they counted. A figure
whose statistic a registry does not have keeps its row, without a value of ours.

Source: the records in `analytics.published.literature_figures`.
"""

from typing import Any

import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.fetched import among, fetched_records
from analytics.published.literature_figures import FIGURES, Figure
from schemas.contract import Contract, Statistic, Table, options, rows
from schemas.statistic_ids import statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes import (
    Attrition,
    BaselineCharacteristics,
    DosimetrySummary,
    EarlyMortality,
    FollowUp,
    LiteratureComparison,
    PrognosisMultivariable,
    PrognosisUnivariate,
    ResponseAtWindow,
    ResponseSummary,
    SurvivalLandmarks,
    SurvivalMedians,
    SymptomSummary,
    ToxicitySummary,
)


def literature_comparison(
    population_members: Table[PopulationMembers],
    attrition: Table[Attrition],
    baseline_characteristics: Table[BaselineCharacteristics],
    response_summary: Table[ResponseSummary],
    toxicity_summary: Table[ToxicitySummary],
    survival_landmarks: Table[SurvivalLandmarks],
    survival_medians: Table[SurvivalMedians],
    follow_up: Table[FollowUp],
    prognosis_univariate: Table[PrognosisUnivariate],
    prognosis_multivariable: Table[PrognosisMultivariable],
    dosimetry_summary: Table[DosimetrySummary],
    symptom_summary: Table[SymptomSummary],
    early_mortality: Table[EarlyMortality],
    response_at_window: Table[ResponseAtWindow],
) -> Table[LiteratureComparison]:
    """Set each published figure beside our statistic of the same definition."""
    names = populations(population_members)
    wanted = {figure.own.format(p=name).lower() for figure in FIGURES for name in names}
    own: dict[str, dict[str, Any]] = {}
    for table, contract in (
        (attrition, Attrition),
        (baseline_characteristics, BaselineCharacteristics),
        (response_summary, ResponseSummary),
        (toxicity_summary, ToxicitySummary),
        (survival_landmarks, SurvivalLandmarks),
        (survival_medians, SurvivalMedians),
        (follow_up, FollowUp),
        (prognosis_univariate, PrognosisUnivariate),
        (prognosis_multivariable, PrognosisMultivariable),
        (dosimetry_summary, DosimetrySummary),
        (symptom_summary, SymptomSummary),
        (early_mortality, EarlyMortality),
        (response_at_window, ResponseAtWindow),
    ):
        own |= _statistics(table, contract, wanted)
    records = [_beside(figure, name, own) for name in names for figure in FIGURES]
    return rows(records, LiteratureComparison)


def _statistics(
    table: ir.Table, contract: type[Contract], wanted: set[str]
) -> dict[str, dict[str, Any]]:
    """Value and limits of the wanted statistics of one table, by its first declared statistic."""
    declared = options(contract).statistics[0]
    published = fetched_records(among, table, wanted=tuple(sorted(wanted)))
    return {record["statistic_id"]: _estimate(record, declared) for record in published}


def _estimate(record: dict[str, Any], declared: Statistic) -> dict[str, Any]:
    names = {"value": declared.value, "lower": declared.lower, "upper": declared.upper}
    if declared.unit == "p":
        # The limits beside a p-value are those of a hazard ratio.
        names |= {"lower": None, "upper": None}
    return {part: record[name] if name else None for part, name in names.items()}


def _beside(figure: Figure, population: str, own: dict[str, dict[str, Any]]) -> dict[str, Any]:
    own_id = figure.own.format(p=population).lower()
    key = {"population": population, "figure_id": figure.figure_id}
    scaled = {
        f"own_{part}": None if value is None else value * figure.scale
        for part, value in own.get(own_id, {}).items()
    }
    return (
        key
        | {
            "statistic_id": statistic_id(LiteratureComparison, key),
            "series": figure.series,
            "quantity": figure.quantity,
            "published": figure.published,
            "published_n": figure.n,
            "published_total": figure.total,
            "unit": figure.unit,
            "method": figure.method,
            "own_statistic_id": own_id,
            "note": figure.note or None,
        }
        | scaled
    )
