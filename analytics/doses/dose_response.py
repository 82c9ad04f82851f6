"""How response and liver toxicity go with dose: by thirds and thresholds, in a model, as a test.

More dose where more was responded is no proof of cause: who gets how much is decided by liver,
tumour and shunt. Doses of two devices are never pooled, computed doses never mixed with recorded
ones. Lesions of one patient are not independent: their limits come from resampled patients, from
the sandwich over patients, and from Obuchowski's variance.

Source: `analytics.estimators.association.logistic` and `analytics.estimators.association.roc`;
exact limits by Clopper and Pearson, Biometrika 1934;26:404.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from analytics.doses.compartments import ALWAYS
from analytics.estimators.association.logistic import ONE_OUTCOME, Slope, logistic
from analytics.estimators.association.roc import area, optimism, youden
from analytics.estimators.event_counts import populations
from analytics.estimators.shares import cut, share, weights_of
from analytics.fetched import fetched, fetched_records
from analytics.outcomes.survival import not_judged
from schemas.contract import Table, conform, rows
from schemas.records.field.dose_questions import RECORDS, RESPONSE, TERTILES, thresholds
from schemas.settings import DosimetrySettings, ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.dose_marts import DEVICES, DoseOutcomes
from schemas.tables.intermediate import EndpointCriterion, PopulationMembers
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.doses import DoseGroups, DoseResponse

PER_GY = 10
LEVEL = 0.95
NO_DOSE = "no such dose was delivered, or can be computed from what was"
NOT_KNOWN = "it is known of nobody with such a dose"
NOBODY = "nobody in the group"
NO_SPREAD = "no limits: the doses part the outcomes, or too few patients have one of them"
_ASKED = ("device", "measure", "outcome", "level")
_KEY = ("population", *_ASKED)
_GROUP = (*_KEY, "dose_group")
_WITH_IT = "with_it"


def dose_groups(
    dose_outcomes: Table[DoseOutcomes],
    population_members: Table[PopulationMembers],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: ResponseSettings,
) -> Table[DoseGroups]:
    """Count the outcome in every third of the doses, and on both sides of every threshold."""
    found = dict(cut(fetched(_profiles, dose_outcomes, population_members), _GROUP, (_WITH_IT,)))
    spans = {
        tuple(r[k] for k in _GROUP): r
        for r in fetched_records(_spans, dose_outcomes, population_members)
    }
    unjudged = _unjudged(endpoint_criterion)
    records = []
    for key in _keys(population_members, dose_outcomes):
        for group in _groups(*key[1:4]):
            record = dict(zip(_GROUP, (*key, group), strict=True))
            record["statistic_id"] = statistic_id(DoseGroups, record)
            profiles = found.get((*key, group))
            if profiles is None:
                why = unjudged.get(key[3], NOBODY)
                records.append(record | {"total": 0, "method": "none", "reason": why})
                continue
            weights = weights_of(profiles, settings) if key[-1] == "lesion" else None
            told = share(profiles, _WITH_IT, weights, settings, of_evaluable=False)
            records.append(record | told | _span(spans[(*key, group)]))
    return rows(records, DoseGroups)


def dose_groups_sets(dose_outcomes: Table[DoseOutcomes]) -> Table[MemberSets]:
    """The units with the outcome in each group."""
    grouped = _grouped(dose_outcomes)
    told = grouped.filter(grouped.happened)
    name = set_id_column("dose_groups", *(told[n] for n in (*_ASKED, "dose_group")))
    return conform(told.mutate(set_id=name), MemberSets)


def dose_response(
    dose_outcomes: Table[DoseOutcomes],
    population_members: Table[PopulationMembers],
    endpoint_criterion: Table[EndpointCriterion],
    *,
    settings: DosimetrySettings,
) -> Table[DoseResponse]:
    """Model every outcome by every dose, and judge the dose as a test of it."""
    units = fetched(_units, dose_outcomes, population_members)
    found = {key: _arrays(part) for key, part in _parts(units)}
    unjudged = _unjudged(endpoint_criterion)
    records = []
    for key in _keys(population_members, dose_outcomes):
        record = dict(zip(_KEY, key, strict=True))
        record["statistic_id"] = statistic_id(DoseResponse, record)
        absent = _nothing(unjudged.get(key[3], NO_DOSE))
        told = _modelled(*found[key], key[-1], settings) if key in found else absent
        records.append(record | told)
    return rows(records, DoseResponse)


def dose_response_sets(dose_outcomes: Table[DoseOutcomes]) -> Table[MemberSets]:
    """The units with the outcome."""
    told = dose_outcomes.filter(dose_outcomes.happened)
    name = set_id_column("dose_response", *(told[n] for n in _ASKED))
    return conform(told.mutate(set_id=name), MemberSets)


def _nothing(why: str) -> dict[str, Any]:
    counts = dict.fromkeys(("n", "n_unknown", "subjects", "events"), 0)
    return counts | {"reason": why, "auc_reason": why}


def _unjudged(endpoint_criterion: ir.Table) -> dict[str, str]:
    """Why there is no response, where the criterion of the endpoints judges too few."""
    why = not_judged(endpoint_criterion)
    return {RESPONSE: f"not derivable: {why}"} if why else {}


def _keys(population_members: ir.Table, dose_outcomes: ir.Table) -> Iterator[tuple[str, ...]]:
    """Every population, device, dose, outcome and level that has rows."""
    used = {r["device"] for r in fetched_records(_devices, dose_outcomes)}
    devices = [d for d in DEVICES if d in ALWAYS or d in used]
    for population in populations(population_members):
        for device in devices:
            for asked in RECORDS:
                for measure in asked.measures:
                    for level in asked.levels:
                        yield population, device, measure, asked.code, level


def _devices(dose_outcomes: ir.Table) -> ir.Table:
    return dose_outcomes.select("device").distinct()


def _groups(device: str, measure: str, outcome: str) -> tuple[str, ...]:
    asked = thresholds(outcome, device, measure)
    return (*TERTILES, *(f"{side}_{t.code}" for t in asked for side in ("below", "from")))


def _grouped(dose_outcomes: ir.Table) -> ir.Table:
    """One row per unit whose outcome is known and group that it lies in."""
    known = dose_outcomes.filter(dose_outcomes.happened.notnull())
    named = known.mutate(dose_group=ibis.literal("tertile_") + known.tertile.cast("string"))
    parts = [named]
    for asked in RECORDS:
        for device in DEVICES:
            for measure in asked.measures:
                for t in thresholds(asked.code, device, measure):
                    own = known.filter(
                        known.outcome == asked.code,
                        known.device == device,
                        known.measure == measure,
                    )
                    side = (own.dose_gy >= t.gy).ifelse(f"from_{t.code}", f"below_{t.code}")
                    parts.append(own.mutate(dose_group=side))
    return ibis.union(*parts)


def _profiles(dose_outcomes: ir.Table, population_members: ir.Table) -> ir.Table:
    """How many patients have so many units in a group, of which so many with the outcome."""
    members = population_members.select("population", "subject_id")
    joined = _grouped(dose_outcomes).inner_join(members, "subject_id")
    own = joined.group_by(*_GROUP, "subject_id").agg(
        total=joined.count(), with_it=joined.happened.sum()
    )
    counted = own.group_by(*_GROUP, "total", "with_it").agg(clusters=own.count())
    return counted.select(
        *_GROUP,
        "clusters",
        "total",
        evaluable="total",
        n_with_it=counted.with_it.cast("int64"),
        e_with_it=counted.with_it.cast("int64"),
    )


def _spans(dose_outcomes: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    joined = _grouped(dose_outcomes).inner_join(members, "subject_id")
    return joined.group_by(_GROUP).agg(
        minimum_gy=joined.dose_gy.min(), maximum_gy=joined.dose_gy.max()
    )


def _span(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("minimum_gy", "maximum_gy")}


def _units(dose_outcomes: ir.Table, population_members: ir.Table) -> ir.Table:
    """Dose and outcome of every unit in every population, in an order of their own."""
    members = population_members.select("population", "subject_id")
    joined = dose_outcomes.inner_join(members, "subject_id")
    told = joined.select(
        *_KEY,
        "dose_gy",
        "subject_id",
        happened=joined.happened.cast("int64").fill_null(-1),
    )
    return told.order_by(*_KEY, "subject_id", "dose_gy", "happened")


def _parts(units: pa.Table) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    """The rows of each key: they follow each other."""
    codes = np.column_stack(
        [units[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in _KEY]
    )
    if not len(codes):
        return
    starts = [0, *(np.flatnonzero((codes[1:] != codes[:-1]).any(axis=1)) + 1), len(codes)]
    for start, end in pairwise(starts):
        part = units.slice(int(start), int(end - start))
        yield tuple(part[name][0].as_py() for name in _KEY), part


def _arrays(part: pa.Table) -> tuple[Any, Any, Any, int]:
    """Dose, outcome and patient's number of the units whose outcome is known; how many are not."""
    happened = part["happened"].to_numpy()
    known = happened >= 0
    names = part["subject_id"].to_numpy()[known]
    _, numbers = np.unique(names, return_inverse=True) if known.any() else ((), names)
    dose = part["dose_gy"].to_numpy()[known]
    return dose, happened[known].astype(float), numbers, int((~known).sum())


def _modelled(
    dose: Any, happened: Any, subject: Any, n_unknown: int, level: str, settings: DosimetrySettings
) -> dict[str, Any]:
    counts = {
        "n": dose.size,
        "n_unknown": n_unknown,
        "subjects": np.unique(subject).size,
        "events": int(happened.sum()),
    }
    if not dose.size:
        return counts | {"reason": NOT_KNOWN, "auc_reason": NOT_KNOWN}
    cluster = subject if level == "lesion" else None
    told = counts | _odds(logistic(dose / PER_GY, happened, cluster))
    if not 0 < happened.sum() < happened.size:
        return told | {"auc_reason": ONE_OUTCOME}
    found = area(dose, happened, cluster)
    limits = found.limits(LEVEL)
    told |= {"auc": found.value, "auc_reason": None if limits else NO_SPREAD}
    told |= dict(zip(("auc_lower", "auc_upper"), limits or (None, None), strict=True))
    return told | _cutoff(dose, happened, subject, settings)


def _odds(found: Slope | str) -> dict[str, Any]:
    if isinstance(found, str):
        return {"reason": found}
    lower, upper = found.limits(LEVEL)
    return {
        "odds_ratio": math.exp(found.coef),
        "lower": math.exp(lower),
        "upper": math.exp(upper),
        "p": found.p,
    }


def _cutoff(dose: Any, happened: Any, subject: Any, settings: DosimetrySettings) -> dict[str, Any]:
    best = youden(dose, happened)
    if best is None:
        return {}
    told = {
        "cutoff_gy": best.dose,
        "sensitivity": best.sensitivity,
        "specificity": best.specificity,
        "youden": best.youden,
    }
    too_much = optimism(
        dose, happened, subject, seed=settings.cutoff_seed, samples=settings.cutoff_samples
    )
    if too_much is None:
        return told
    return told | {"optimism": too_much, "youden_corrected": best.youden - too_much}
