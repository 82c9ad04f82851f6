"""Count patients whose symptoms improved, whose liver got worse, and who were reviewed when due.

Proportions of patients with exact intervals, and medians over patients with quartiles (type 7, the
default of R). A question that was not asked of a patient, such as a gap after a single review,
leaves that patient out of its total; a question asked of nobody is published as not derivable.

Source: Kanani on Memon 2012 (21 of 25 symptomatic patients improved; the follow-up schedule).
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from analytics.outcomes.measures import (
    ADHERENCE_MEASURES,
    BASELINE_MEASURES,
    LIVER_MEASURES,
    SYMPTOM_MEASURES,
    Measure,
)
from schemas.contract import Table, conform, rows
from schemas.statistic_ids import set_id, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.liver_function import LiverFunctionChanges
from schemas.tables.marts import FollowUpAdherence, Subjects, SymptomResponse
from schemas.tables.outcomes import (
    AdherenceSummary,
    LiverFunctionSummary,
    MemberSets,
    ProportionSummary,
    SymptomSummary,
)

Asked = Mapping[tuple[Measure, ...], ir.Table]


def symptom_summary(
    symptom_response: Table[SymptomResponse],
    subjects: Table[Subjects],
    population_members: Table[PopulationMembers],
) -> Table[SymptomSummary]:
    """Count the symptomatic and those who improved, in each population."""
    asked: Asked = {BASELINE_MEASURES: subjects, SYMPTOM_MEASURES: symptom_response}
    summed = fetched_records(_symptoms, symptom_response, subjects, population_members)
    return rows(_summary(asked, summed, population_members, SymptomSummary), SymptomSummary)


def symptom_summary_sets(
    symptom_response: Table[SymptomResponse], subjects: Table[Subjects]
) -> Table[MemberSets]:
    """List the patients that each measure of symptoms counts."""
    asked: Asked = {BASELINE_MEASURES: subjects, SYMPTOM_MEASURES: symptom_response}
    return _sets(asked, SymptomSummary)


def adherence_summary(
    follow_up_adherence: Table[FollowUpAdherence],
    population_members: Table[PopulationMembers],
) -> Table[AdherenceSummary]:
    """Count the reviews on time, the gaps and the overdue, in each population."""
    asked: Asked = {ADHERENCE_MEASURES: follow_up_adherence}
    summed = fetched_records(_adherence, follow_up_adherence, population_members)
    return rows(_summary(asked, summed, population_members, AdherenceSummary), AdherenceSummary)


def adherence_summary_sets(
    follow_up_adherence: Table[FollowUpAdherence],
) -> Table[MemberSets]:
    """List the patients that each measure of adherence counts."""
    return _sets({ADHERENCE_MEASURES: follow_up_adherence}, AdherenceSummary)


def liver_function_summary(
    liver_function_changes: Table[LiverFunctionChanges],
    population_members: Table[PopulationMembers],
) -> Table[LiverFunctionSummary]:
    """Count the patients whose ALBI grade, Child-Pugh class or MELD got worse after a session."""
    asked: Asked = {LIVER_MEASURES: _of_patients(liver_function_changes)}
    summed = fetched_records(_liver, liver_function_changes, population_members)
    return rows(
        _summary(asked, summed, population_members, LiverFunctionSummary), LiverFunctionSummary
    )


def liver_function_summary_sets(
    liver_function_changes: Table[LiverFunctionChanges],
) -> Table[MemberSets]:
    """List the patients that each measure of the liver's function counts."""
    return _sets({LIVER_MEASURES: _of_patients(liver_function_changes)}, LiverFunctionSummary)


def _of_patients(changes: ir.Table) -> ir.Table:
    """One row per patient: whether any session was followed by worse, and the greatest rise."""
    rise = changes.worst_value - changes.baseline_value
    again = changes.course > 1
    told: dict[str, ir.Value] = {}
    for name, score in {"albi": "ALBI", "child_pugh": "Child-Pugh", "meld": "MELD"}.items():
        own = changes.score == score
        told |= {
            f"{name}_worse": changes.worse.any(where=own),
            f"{name}_worse_again": changes.worse.any(where=own & again),
            f"{name}_change": rise.max(where=own),
        }
    return changes.group_by("subject_id").agg(**told)


def _answers(asked: Asked) -> ir.Table:
    """One row per patient and question asked: a number, 1 for yes, 0 for no."""
    parts = [
        table.select(
            "subject_id", measure=ibis.literal(m.name), answer=m.answer(table).cast("float64")
        )
        for measures, table in asked.items()
        for m in measures
    ]
    every = reduce(lambda a, b: a.union(b), parts)
    return every.filter(every.answer.notnull())


def _symptoms(
    symptom_response: ir.Table, subjects: ir.Table, population_members: ir.Table
) -> ir.Table:
    asked: Asked = {BASELINE_MEASURES: subjects, SYMPTOM_MEASURES: symptom_response}
    return _summed(asked, population_members)


def _adherence(follow_up_adherence: ir.Table, population_members: ir.Table) -> ir.Table:
    return _summed({ADHERENCE_MEASURES: follow_up_adherence}, population_members)


def _liver(liver_function_changes: ir.Table, population_members: ir.Table) -> ir.Table:
    return _summed({LIVER_MEASURES: _of_patients(liver_function_changes)}, population_members)


def _summed(asked: Asked, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    answers = _answers(asked).inner_join(members, "subject_id")
    return answers.group_by(["population", "measure"]).agg(
        yes=answers.answer.cast("int64").sum(where=answers.answer.isin([0.0, 1.0])),
        asked=answers.count(),
        q1=answers.answer.quantile(0.25),
        median=answers.answer.quantile(0.5),
        q3=answers.answer.quantile(0.75),
    )


def _summary(
    asked: Asked,
    summed: list[dict[str, Any]],
    population_members: ir.Table,
    contract: type[ProportionSummary],
) -> list[dict[str, Any]]:
    by_key = {(r["population"], r["measure"]): r for r in summed}
    return [
        _record(contract, name, measure, by_key.get((name, measure.name)))
        for name in populations(population_members)
        for measures in asked
        for measure in measures
    ]


def _record(
    contract: type[ProportionSummary],
    population: str,
    measure: Measure,
    summed: Mapping[str, Any] | None,
) -> dict[str, Any]:
    record = {"population": population, "measure": measure.name, "unit": measure.unit}
    record |= {"statistic_id": statistic_id(contract, record)}
    if summed is None:
        return record | {"reason": f"known of no patient: {measure.meaning}"}
    if measure.proportion:
        pct, lower, upper = exact(summed["yes"], summed["asked"])
        return record | {
            "n": summed["yes"], "total": summed["asked"],
            "value": pct, "lower": lower, "upper": upper,
        }  # fmt: skip
    return record | {
        "n": summed["asked"], "total": summed["asked"],
        "value": summed["median"], "lower": summed["q1"], "upper": summed["q3"],
    }  # fmt: skip


def _sets(asked: Asked, contract: type[ProportionSummary]) -> ir.Table:
    """A proportion counts those who answer yes, a median those who answer."""
    parts = []
    for measures, table in asked.items():
        for m in measures:
            answer = m.answer(table)
            counted = table.filter(answer.fill_null(False) if m.proportion else answer.notnull())
            parts.append(
                counted.select(
                    "subject_id",
                    set_id=ibis.literal(set_id(contract, {"measure": m.name})),
                    lesion_number=ibis.literal(0),
                )
            )
    return conform(reduce(lambda a, b: a.union(b), parts), MemberSets)
