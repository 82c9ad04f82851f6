"""Shares of patients by recorded class, and how far recorded classes agree with derived ones.

A recorded class is counted beside the derived one and never mixed with it. Both denominators are
published, as with derived responses: all treated patients of sites that recorded the criterion,
where those not evaluable count as non-responders, and those evaluable. Agreement takes the best
response of patients who have both, unconfirmed: the joint table counts every class, the
coefficients those placed in CR, PR, SD or PD by both. A class without a criterion has no derived
one beside it.

Source: Frilling et al. 2019 (ORR and DCR); agreement as in `analytics.estimators.kappa`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from analytics.classes.readers import ANALYTIC, CLASSES
from analytics.estimators.event_counts import populations
from analytics.estimators.kappa import linear_weights, of_independent
from analytics.estimators.shares import cut, share
from analytics.fetched import fetched, fetched_records
from analytics.outcomes.response import MEMBERSHIP
from schemas.contract import Table, conform, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.class_marts import (
    RECORDED_CRITERIA,
    RecordedResponse,
    RecordedResponseAtWindow,
)
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import SubjectResponse
from schemas.tables.outcomes import AT_WINDOW_CATEGORIES, MemberSets
from schemas.tables.outcomes.recorded import (
    RecordedAgreement,
    RecordedKappa,
    RecordedResponseSummary,
)

NOT_RECORDED = "no recorded response delivered"
NOTHING_BESIDE = "no derived response beside a recorded one"
WEIGHTS = {"cohen": np.eye(len(CLASSES)), "cohen_linear": linear_weights(len(CLASSES))}
_UNIT = ("organ", "criterion", "at_days")
_GROUP = ("population", *_UNIT)
_PAIR = ("criterion", "organ")
_CELL = (*_PAIR, "recorded", "derived")


def recorded_response_summary(
    recorded_response: Table[RecordedResponse],
    recorded_response_at_window: Table[RecordedResponseAtWindow],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[RecordedResponseSummary]:
    """Count every recorded class, best and at every time point, in every population."""
    tables = (recorded_response, recorded_response_at_window, population_members)
    found = dict(cut(fetched(_profiles, *tables), _GROUP, AT_WINDOW_CATEGORIES))
    organs = {key[1] for key in found} | {"all"}
    records: list[dict[str, Any]] = []
    for population in populations(population_members):
        for organ, criterion, at in _keys(organs, settings):
            key = dict(zip(_GROUP, (population, organ, criterion, at), strict=True))
            profiles = found.get((population, organ, criterion, at))
            for category in AT_WINDOW_CATEGORIES:
                record = key | {"category": category}
                name = {"statistic_id": statistic_id(RecordedResponseSummary, record)}
                said = (
                    share(profiles, category, None, settings, of_evaluable=category != "NE")
                    if profiles is not None
                    else _NOTHING
                )
                records.append(record | name | said)
    return rows(records, RecordedResponseSummary)


_NOTHING = {"n": 0, "total": 0, "n_evaluable": 0, "method": "none", "reason": NOT_RECORDED}


def _keys(organs: Iterable[str], settings: ResponseSettings) -> Iterator[tuple[str, str, int]]:
    for organ in sorted(organs):
        for criterion in RECORDED_CRITERIA:
            for at in (0, *(at for _, at, _ in settings.windows)):
                yield organ, criterion, at


def recorded_response_summary_sets(
    recorded_response: Table[RecordedResponse],
    recorded_response_at_window: Table[RecordedResponseAtWindow],
) -> Table[MemberSets]:
    """The patients of each recorded class; unions are declared, not listed."""
    units = _units(recorded_response, recorded_response_at_window)
    named = ("criterion", "organ", "at_days", "response")
    parts = (units[name].cast("string") for name in named)
    name = set_id_column("recorded_response_summary", *parts)
    return conform(units.mutate(set_id=name, lesion_number=ibis.literal(0, "int64")), MemberSets)


def recorded_agreement(
    recorded_response: Table[RecordedResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
) -> Table[RecordedAgreement]:
    """Count the patients in each cell of recorded by derived best response."""
    counted = _cells(recorded_response, subject_response, population_members)
    for record in counted:
        record["statistic_id"] = statistic_id(RecordedAgreement, record)
    return rows(sorted(counted, key=lambda r: str(r["statistic_id"])), RecordedAgreement)


def recorded_agreement_sets(
    recorded_response: Table[RecordedResponse], subject_response: Table[SubjectResponse]
) -> Table[MemberSets]:
    """The patients in each cell."""
    both = _both(recorded_response, subject_response)
    name = set_id_column("recorded_agreement", *(both[n] for n in _CELL))
    return conform(both.mutate(set_id=name, lesion_number=ibis.literal(0, "int64")), MemberSets)


def recorded_kappa(
    recorded_response: Table[RecordedResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
) -> Table[RecordedKappa]:
    """Give the coefficients of recorded and derived best response."""
    cells = _cells(recorded_response, subject_response, population_members)
    delivered = {
        (r["population"], r["criterion"])
        for r in fetched_records(_recorded_in, recorded_response, population_members)
    }
    organs = sorted({r["organ"] for r in cells} | {"all"})
    records = []
    for population in populations(population_members):
        for criterion in CRITERIA:
            absent = NOTHING_BESIDE if (population, criterion) in delivered else NOT_RECORDED
            for organ in organs:
                key = {"population": population, "criterion": criterion, "organ": organ}
                own = [c for c in cells if all(c[name] == code for name, code in key.items())]
                records += [key | said for said in _coefficients(own, absent)]
    for record in records:
        record["statistic_id"] = statistic_id(RecordedKappa, record)
    return rows(records, RecordedKappa)


def recorded_kappa_sets(
    recorded_response: Table[RecordedResponse], subject_response: Table[SubjectResponse]
) -> Table[MemberSets]:
    """The patients whose recorded and derived best responses are the same."""
    both = _both(recorded_response, subject_response)
    same = both.filter(both.recorded == both.derived, both.recorded.isin(CLASSES))
    name = set_id_column("recorded_kappa", *(same[n] for n in _PAIR))
    return conform(same.mutate(set_id=name, lesion_number=ibis.literal(0, "int64")), MemberSets)


def _coefficients(cells: list[dict[str, Any]], absent: str) -> Iterator[dict[str, Any]]:
    table = np.zeros((len(CLASSES), len(CLASSES)))
    for cell in cells:
        if {cell["recorded"], cell["derived"]} <= set(CLASSES):
            table[CLASSES.index(cell["recorded"]), CLASSES.index(cell["derived"])] += cell["n"]
    counted = {"n": int(table.sum()), "agreed": int(np.trace(table))}
    for coefficient, weights in WEIGHTS.items():
        kappa = of_independent(table, weights)
        yield counted | {
            "coefficient": coefficient,
            "kappa": kappa.value,
            "lower": kappa.lower,
            "upper": kappa.upper,
            "method": ANALYTIC if cells else "none",
            "reason": kappa.reason if cells else absent,
        }


def _units(best: ir.Table, at_window: ir.Table) -> ir.Table:
    """Patients by their best recorded class, at day 0, and below them by those at time points."""
    columns = ("subject_id", *_UNIT, "response", "evaluable")
    first = best.mutate(at_days=ibis.literal(0, "int64"), response=best.best_response)
    return first.select(*columns).union(at_window.select(*columns))


def _profiles(best: ir.Table, at_window: ir.Table, population_members: ir.Table) -> ir.Table:
    """One row per population, key and distinct profile of a patient: how many have it."""
    units = _units(best, at_window)
    members = population_members.select("population", "subject_id")
    joined = units.inner_join(members, "subject_id")
    counted = joined.group_by(*_GROUP, "response", "evaluable").agg(clusters=joined.count())
    flags = {c: counted.response.isin(MEMBERSHIP[c]) for c in AT_WINDOW_CATEGORIES}
    return counted.select(
        *_GROUP,
        "clusters",
        total=ibis.literal(1, "int64"),
        evaluable=counted.evaluable.cast("int64"),
        **{f"n_{c}": flag.cast("int64") for c, flag in flags.items()},
        **{f"e_{c}": (flag & counted.evaluable).cast("int64") for c, flag in flags.items()},
    )


def _both(recorded: ir.Table, derived: ir.Table) -> ir.Table:
    """Patients with a recorded and a derived best response under the same criterion."""
    theirs = recorded.select("subject_id", *_PAIR, recorded="best_response")
    unconfirmed = derived.filter(derived.confirmation == "unconfirmed")
    ours = unconfirmed.select("subject_id", *_PAIR, derived="best_response")
    return theirs.inner_join(ours, ["subject_id", *_PAIR])


def _cells(
    recorded: ir.Table, derived: ir.Table, population_members: ir.Table
) -> list[dict[str, Any]]:
    return fetched_records(_joint, recorded, derived, population_members)


def _joint(recorded: ir.Table, derived: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    joined = _both(recorded, derived).inner_join(members, "subject_id")
    return joined.group_by("population", *_CELL).agg(n=joined.count())


def _recorded_in(recorded: ir.Table, population_members: ir.Table) -> ir.Table:
    """The criteria that were recorded in each population."""
    members = population_members.select("population", "subject_id")
    joined = recorded.inner_join(members, "subject_id")
    return joined.select("population", "criterion").distinct()
