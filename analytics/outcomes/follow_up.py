"""Count patients whose symptoms improved and patients who were reviewed when they were due.

Proportions of patients with exact intervals, and medians over patients with quartiles (type 7, the
default of R). A question that was not asked of a patient, such as a gap after a single review,
leaves that patient out of its total; a question asked of nobody is published as not derivable.

Source: Kanani on Memon 2012 (21 of 25 symptomatic patients improved; the follow-up schedule).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.statistic_ids import set_id, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import FollowUpAdherence, Subjects, SymptomResponse
from schemas.tables.outcomes import AdherenceSummary, MemberSets, ProportionSummary, SymptomSummary

Question = Callable[[ir.Table], ir.Value]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked of each patient; null where it is not asked."""

    name: str
    meaning: str
    answer: Question
    unit: str = "%"
    proportion: bool = True


Asked = Mapping[tuple[Measure, ...], ir.Table]

BASELINE_MEASURES = (
    Measure(
        "symptomatic",
        "carcinoid symptoms at baseline, of treated patients in whom it is known",
        lambda t: ibis.ifelse(t.treated, t.carcinoid_symptoms, None),
    ),
)

SYMPTOM_MEASURES = (
    Measure("improved", "improved, unknown counted as not improved", lambda t: t.improved),
    Measure(
        "improved_of_known",
        "improved, unknown left out",
        lambda t: ibis.ifelse(t.best_change == "unknown", None, t.improved),
    ),
    Measure("unchanged", "at best unchanged", lambda t: t.best_change == "unchanged"),
    Measure("worse", "only worse", lambda t: t.best_change == "worse"),
    Measure("unknown", "no change reported", lambda t: t.best_change == "unknown"),
    Measure(
        "days_to_improvement",
        "first day of improvement, of those who improved",
        lambda t: t.first_improved_day,
        unit="days",
        proportion=False,
    ),
)


def _of_expected(count: str) -> Question:
    def share(t: ir.Table) -> ir.Value:
        pct = 100.0 * t[count] / t.n_expected.nullif(0)
        return ibis.ifelse(pct > 100, 100.0, pct)

    return share


ADHERENCE_MEASURES = (
    Measure("first_visit_on_time", "first review in its window", lambda t: t.first_visit_on_time),
    Measure("all_reviews_held", "as many reviews as expected", lambda t: t.adherence >= 1),
    Measure(
        "every_gap_on_time",
        "every gap between reviews in its window, of patients with a gap",
        lambda t: ibis.ifelse(t.n_gaps > 0, t.n_gaps_on_time == t.n_gaps, None),
    ),
    Measure(
        "a_long_gap",
        "at least one gap longer than the setting, of patients with a gap",
        lambda t: ibis.ifelse(t.n_gaps > 0, t.n_gaps_long > 0, None),
    ),
    Measure("overdue", "next review overdue at the site's extraction", lambda t: t.overdue),
    Measure(
        "imaging_always_measured",
        "lesions measured on every day of imaging",
        lambda t: ibis.ifelse(t.n_imaging > 0, t.n_imaging_measured == t.n_imaging, None),
    ),
    Measure(
        "adherence",
        "reviews of those expected",
        lambda t: 100 * t.adherence,
        proportion=False,
    ),
    Measure("imaging", "imaging of reviews expected", _of_expected("n_imaging"), proportion=False),
    Measure("labs", "laboratory of reviews expected", _of_expected("n_labs"), proportion=False),
    Measure(
        "contacts",
        "clinical contact of reviews expected",
        _of_expected("n_contacts"),
        proportion=False,
    ),
    Measure(
        "imaging_measured",
        "days of imaging with a lesion measured",
        lambda t: 100.0 * t.n_imaging_measured / t.n_imaging.nullif(0),
        proportion=False,
    ),
    Measure(
        "first_review_day",
        "day of the first review",
        lambda t: t.first_review_day,
        unit="days",
        proportion=False,
    ),
    Measure(
        "median_gap",
        "median gap of a patient",
        lambda t: t.median_gap_days,
        unit="days",
        proportion=False,
    ),
    Measure(
        "max_gap",
        "greatest gap of a patient",
        lambda t: t.max_gap_days,
        unit="days",
        proportion=False,
    ),
)


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
