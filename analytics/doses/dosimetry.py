"""Median doses per target, per session and per patient, overall and by outcome.

The unit of the published median of 113 Gy is not stated, so all three are published. Doses of
different volumes are never added: a session or a patient has the mean of its targets' doses, plain
or weighted by mass. Activities and lung doses are sums. Groups of patients are by best response
under the criterion of the endpoints and by worst bilirubin grade; a difference between them is no
evidence of cause. Where that criterion judges too few patients, no dose by response is derivable.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (113 Gy, 29 to 299); quartiles
after Hyndman and Fan, Am Stat 1996;50:361-365, type 7.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.fetched import fetched_records, whole
from analytics.outcomes.survival import not_judged
from schemas.contract import DECIMAL, Table, conform, rows
from schemas.settings import ToxicitySettings
from schemas.statistic_ids import set_id_column, slug, slug_column, statistic_id
from schemas.tables.intermediate import EndpointCriterion, PopulationMembers
from schemas.tables.marts import SubjectResponse, Toxicity, TreatmentTargets
from schemas.tables.outcomes import DosimetrySummary, MemberSets

GRAIN_KEYS = {
    "target": ("subject_id", "session_number", "target_number"),
    "session": ("subject_id", "session_number"),
    "subject": ("subject_id",),
}
RESPONSES = ("responder", "non_responder", "not_evaluable")
GRADES = ("bilirubin:grade_0_to_2", "bilirubin:grade_3_or_4", "bilirubin:not_graded")
Take = Callable[[ir.Table], ir.Value]


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity of each unit, made from its targets; null where a target's is unknown."""

    name: str
    grains: tuple[str, ...]
    take: Take
    unit: str = "Gy"


def _complete(t: ir.Table, column: str, value: ir.Value) -> ir.Value:
    return ibis.ifelse(t[column].count() == t.count(), value, None)


def _exact_sum(value: ir.Value) -> ir.Value:
    # A sum of floats depends on the order in which threads meet; one of decimals does not.
    return value.cast(DECIMAL).sum().cast("float64")


def _mean(column: str) -> Take:
    return lambda t: _complete(t, column, _exact_sum(t[column]) / t.count())


def _weighted(column: str) -> Take:
    def mean(t: ir.Table) -> ir.Value:
        weighted = _exact_sum(t[column].cast("float64") * t.target_mass_kg)
        complete = _complete(t, column, weighted / _exact_sum(t.target_mass_kg))
        return _complete(t, "target_mass_kg", complete)

    return mean


def _total(column: str) -> Take:
    return lambda t: _complete(t, column, _exact_sum(t[column]))


def _largest(column: str) -> Take:
    return lambda t: _complete(t, column, t[column].cast("float64").max())


MEASURES = (
    Measure("dose_gy_recorded", ("target", "session", "subject"), _mean("dose_gy_recorded")),
    Measure("dose_gy", ("target", "session", "subject"), _mean("dose_gy")),
    Measure(
        "dose_gy_recorded_mass_weighted", ("session", "subject"), _weighted("dose_gy_recorded")
    ),
    Measure("dose_gy_mass_weighted", ("session", "subject"), _weighted("dose_gy")),
    Measure("lung_dose_gy_recorded", ("session",), _largest("lung_dose_gy_recorded")),
    Measure("lung_dose_gy", ("session",), _largest("lung_dose_gy")),
    Measure("cumulative_lung_dose_gy", ("subject",), _largest("cumulative_lung_dose_gy")),
    Measure("activity_gbq", ("target", "session", "subject"), _total("activity_gbq"), unit="GBq"),
    Measure("activity_bsa_gbq", ("target",), _total("activity_bsa_gbq"), unit="GBq"),
)


def dosimetry_summary(
    treatment_targets: Table[TreatmentTargets],
    subject_response: Table[SubjectResponse],
    toxicity: Table[Toxicity],
    population_members: Table[PopulationMembers],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: ToxicitySettings,
) -> Table[DosimetrySummary]:
    """Summarise doses, lung doses and activities of each population and group."""
    read = (treatment_targets, subject_response, toxicity, population_members, endpoint_criterion)
    by_key = {
        (r["population"], r["measure"], r["grain"], r["patient_group"]): r
        for r in fetched_records(_summed, *read, settings=settings)
    }
    responses = _response_names(endpoint_criterion)
    absent = dict.fromkeys(responses, not_judged(endpoint_criterion))
    return rows(
        [
            _record(by_key, name, measure, grain, group, absent.get(group))
            for name in populations(population_members)
            for measure in MEASURES
            for grain in measure.grains
            for group in ("", *((*responses, *GRADES) if grain == "subject" else ()))
        ],
        DosimetrySummary,
    )


def _summed(
    treatment_targets: ir.Table,
    subject_response: ir.Table,
    toxicity: ir.Table,
    population_members: ir.Table,
    endpoint_criterion: ir.Table,
    *,
    settings: ToxicitySettings,
) -> ir.Table:
    members = population_members.select("population", "subject_id")
    values = _grouped(treatment_targets, subject_response, toxicity, endpoint_criterion, settings)
    inside = values.inner_join(members, "subject_id")
    return inside.group_by(["population", "measure", "grain", "patient_group"]).agg(
        n=inside.count(),
        median=inside.value.quantile(0.5),
        q1=inside.value.quantile(0.25),
        q3=inside.value.quantile(0.75),
        minimum=inside.value.min(),
        maximum=inside.value.max(),
    )


def dosimetry_summary_sets(
    treatment_targets: Table[TreatmentTargets],
    subject_response: Table[SubjectResponse],
    toxicity: Table[Toxicity],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: ToxicitySettings,
) -> Table[MemberSets]:
    """List the patients with a value of each measure, grain and group."""
    values = _grouped(treatment_targets, subject_response, toxicity, endpoint_criterion, settings)
    named = values.select(
        "subject_id",
        set_id=set_id_column(
            "dosimetry_summary", values.measure, values.grain, values.patient_group
        ),
        lesion_number=ibis.literal(0),
    )
    return conform(named.distinct(), MemberSets)


def _response_names(endpoint_criterion: ir.Table) -> list[str]:
    """`who:responder` and so on: response is the patient's, so only patients are grouped by it."""
    chosen = fetched_records(whole, endpoint_criterion)
    return [f"{slug(row['criterion'])}:{name}" for row in chosen for name in RESPONSES]


def _record(
    by_key: Mapping[tuple[str, str, str, str], Mapping[str, Any]],
    population: str,
    measure: Measure,
    grain: str,
    group: str,
    unjudged: str | None,
) -> dict[str, Any]:
    key = {
        "population": population,
        "measure": measure.name,
        "grain": grain,
        "patient_group": group,
    }
    record = key | {"statistic_id": statistic_id(DosimetrySummary, key), "unit": measure.unit}
    summed = by_key.get((population, measure.name, grain, group))
    if summed is None:
        missing = f"not derivable: {unjudged}" if unjudged else f"no {grain} with a known value"
        return record | {"n": 0, "reason": missing}
    return dict(summed) | record


def _grouped(
    targets: ir.Table,
    responses: ir.Table,
    toxicity: ir.Table,
    endpoint_criterion: ir.Table,
    settings: ToxicitySettings,
) -> ir.Table:
    """One row per measure, unit and group of its patient; the empty group holds everyone."""
    values = _values(targets)
    treated = targets.select("subject_id").distinct()
    labels = _response_groups(treated, responses, endpoint_criterion).union(
        _bilirubin_groups(treated, toxicity, settings)
    )
    patients = values.filter(values.grain == "subject")
    named = ("subject_id", "measure", "grain", "value", "patient_group")
    by_group = patients.inner_join(labels, "subject_id").select(*named)
    return values.mutate(patient_group=ibis.literal("")).select(*named).union(by_group)


def _values(targets: ir.Table) -> ir.Table:
    parts = []
    for measure in MEASURES:
        for grain in measure.grains:
            units = targets.group_by(GRAIN_KEYS[grain]).agg(value=measure.take(targets))
            parts.append(
                units.select(
                    "subject_id",
                    measure=ibis.literal(measure.name),
                    grain=ibis.literal(grain),
                    value=units.value.cast("float64"),
                )
            )
    every = reduce(lambda a, b: a.union(b), parts)
    return every.filter(every.value.notnull())


def _response_groups(
    treated: ir.Table, responses: ir.Table, endpoint_criterion: ir.Table
) -> ir.Table:
    """Each patient's group by response; nobody has one where response is judged in too few."""
    judged = endpoint_criterion.filter(endpoint_criterion.judged).select("criterion")
    best = responses.filter(responses.confirmation == "unconfirmed", responses.organ == "all")
    known = best.select("subject_id", "criterion", "best_response", "evaluable")
    joined = treated.cross_join(judged).left_join(known, ["subject_id", "criterion"])
    group = ibis.cases(
        (~joined.evaluable.fill_null(False), "not_evaluable"),
        (joined.best_response.isin(["CR", "PR"]), "responder"),
        else_="non_responder",
    )
    named = slug_column(joined.criterion).concat(":", group)
    return joined.select("subject_id", patient_group=named)


def _bilirubin_groups(
    treated: ir.Table, toxicity: ir.Table, settings: ToxicitySettings
) -> ir.Table:
    graded = toxicity.filter(
        toxicity.source == "lab",
        toxicity.term == "bilirubin",
        toxicity.ctcae_version == settings.primary_version,
        toxicity.time_window == "primary",
    )
    joined = treated.left_join(graded.select("subject_id", "worst_grade"), "subject_id")
    group = ibis.cases(
        (joined.worst_grade.isnull(), "bilirubin:not_graded"),
        (joined.worst_grade >= 3, "bilirubin:grade_3_or_4"),
        else_="bilirubin:grade_0_to_2",
    )
    return joined.select("subject_id", patient_group=group)
