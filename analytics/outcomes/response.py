"""Shares of lesions and of patients that responded, over all and over the evaluable.

Both denominators are published: all units of treated subjects, where those not evaluable count as
non-responders, and the evaluable ones. ORR is CR + PR, DCR is CR + PR + SD. Depth is counted apart:
any decrease, and a decrease of more than half (a lesion at exactly half is PR and not "more than").

Lesions are counted as all, and as those of treated and of untreated territory. Patients are counted
as a whole and by organ. Where no unit can be evaluated under a criterion, nothing is known of its
classes: they are null, and only the share that is not evaluable is a number.

The engine counts profiles: how many subjects have so many lesions, of which so many in each class.
What reaches Python is as long as the number of distinct profiles.

Source: Memon et al. 2012, Int J Radiat Oncol Biol Phys 83:887 (categories); Frilling et al. 2019
(ORR and DCR).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.shares import Profiles, cut, share, weights_of
from analytics.fetched import fetched
from schemas.contract import Table, conform, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.mart_table import CONFIRMATIONS, ORGANS
from schemas.tables.marts import LesionResponse, SubjectResponse
from schemas.tables.outcomes import (
    LESIONS,
    OF_PATIENTS_ONLY,
    RESPONSE_CATEGORIES,
    CriterionAgreement,
    MemberSets,
    ResponseSummary,
)

MEMBERSHIP: Mapping[str, tuple[str, ...]] = {
    "CR": ("CR",),
    "PR": ("PR",),
    "SD": ("SD",),
    "PD": ("PD",),
    "NE": ("NE",),
    "ORR": ("CR", "PR"),
    "DCR": ("CR", "PR", "SD"),
}
"""Best responses that make a category; the other categories are columns of the marts."""
NOT_DERIVABLE = "no lesions delivered"
NO_SUCH_LESION = "no lesion of such territory"
NONE_ELSEWHERE = "no disease outside the liver is known"
KINDS: tuple[tuple[str, str, str], ...] = (
    *(("lesion", "all", part) for part in LESIONS),
    *(("subject", organ, "all") for organ in ORGANS),
)
"""Level, organ and kind of lesions of the published shares."""
_GROUP = ("population", "level", "organ", "lesions", "criterion", "confirmation")
Key = tuple[str, str, str, str, str, str]


def response_summary(
    lesion_response: Table[LesionResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ResponseSummary]:
    """Count every category in every population and give each share its limits."""
    counted = fetched(_profiles, lesion_response, subject_response, population_members)
    found = dict(cut(counted, _GROUP, RESPONSE_CATEGORIES))
    derivable = {(key[0], key[1]) for key in found}
    records = []
    for population in populations(population_members):
        for key in _keys(population):
            absent = why_absent(key[1], (key[0], key[1]) in derivable)
            records += _summaries(key, found.get(key), absent, settings)
    return rows(records, ResponseSummary)


def _keys(population: str) -> Iterator[Key]:
    for level, organ, lesions in KINDS:
        for criterion in CRITERIA:
            for confirmation in CONFIRMATIONS:
                yield population, level, organ, lesions, criterion, confirmation


def why_absent(level: str, derivable: bool) -> str:
    """Why a population has no such units."""
    if not derivable:
        return NOT_DERIVABLE
    return NO_SUCH_LESION if level == "lesion" else NONE_ELSEWHERE


def _units(lesion_response: ir.Table, subject_response: ir.Table) -> ir.Table:
    """Lesions and subjects below each other, with the columns that are counted.

    A lesion is of treated or of untreated territory; a subject is counted once for each organ.
    """
    shared = ("subject_id", "criterion", "confirmation", "best_response", "lesion_number")
    counted = (*shared, *(c for c in RESPONSE_CATEGORIES if c not in MEMBERSHIP), "evaluable")
    lesions = lesion_response.mutate(
        level=ibis.literal("lesion"),
        organ=ibis.literal("all"),
        lesions=lesion_response.treated.ifelse("treated", "untreated"),
        pd_before_course_end=ibis.null("boolean"),
    )
    subjects = subject_response.mutate(
        level=ibis.literal("subject"),
        lesions=ibis.literal("all"),
        lesion_number=ibis.literal(0, "int64"),
    )
    kind = ("level", "organ", "lesions")
    return lesions.select(*kind, *counted).union(subjects.select(*kind, *counted))


def _counted(lesion_response: ir.Table, subject_response: ir.Table) -> ir.Table:
    """The same, with every lesion once more among all lesions."""
    units = _units(lesion_response, subject_response)
    lesions = units.filter(units.level == "lesion").mutate(lesions=ibis.literal("all"))
    return units.union(lesions)


def _whole(units: ir.Table) -> ir.Table:
    """Every lesion, and every subject as a whole."""
    return units.filter(units.organ == "all")


def _profiles(
    lesion_response: ir.Table, subject_response: ir.Table, population_members: ir.Table
) -> ir.Table:
    """One row per population, key and distinct profile: how many subjects have it."""
    units = _counted(lesion_response, subject_response)
    flags = {c: _belongs(units, c) for c in RESPONSE_CATEGORIES}
    counts = {f"n_{c}": flag.sum() for c, flag in flags.items()}
    evaluable = {f"e_{c}": (flag & units.evaluable).sum() for c, flag in flags.items()}
    per_subject = units.group_by(*_GROUP[1:], "subject_id").agg(
        total=units.count(), evaluable=units.evaluable.sum(), **counts, **evaluable
    )
    members = population_members.select("population", "subject_id")
    joined = per_subject.inner_join(members, "subject_id").drop("subject_id")
    return joined.group_by([*joined.columns]).agg(clusters=joined.count())


def _belongs(units: ir.Table, category: str) -> ir.BooleanValue:
    if category in MEMBERSHIP:
        return units.best_response.isin(MEMBERSHIP[category])
    return units[category].fill_null(False)


def _categories(key: Key) -> tuple[str, ...]:
    of_lesions = tuple(c for c in RESPONSE_CATEGORIES if c not in OF_PATIENTS_ONLY)
    return of_lesions if key[1] == "lesion" else RESPONSE_CATEGORIES


def _summaries(
    key: Key, found: Profiles | None, absent: str, settings: ResponseSettings
) -> list[dict[str, Any]]:
    if found is None:
        return [_absent(key, category, absent) for category in _categories(key)]
    weights = weights_of(found, settings) if key[1] == "lesion" else None
    return [
        _identified(key, c) | share(found, c, weights, settings, of_evaluable=c != "NE")
        for c in _categories(key)
    ]


def _absent(key: Key, category: str, reason: str) -> dict[str, Any]:
    nothing = {"n": 0, "total": 0, "n_evaluable": 0, "method": "none", "reason": reason}
    return _identified(key, category) | nothing


def _identified(key: Key, category: str) -> dict[str, Any]:
    record: dict[str, Any] = dict(zip(_GROUP, key, strict=True)) | {"category": category}
    return record | {"statistic_id": statistic_id(ResponseSummary, record)}


def response_summary_sets(
    lesion_response: Table[LesionResponse], subject_response: Table[SubjectResponse]
) -> Table[MemberSets]:
    """The units of each best response, and those that shrank; unions are declared, not listed."""
    units = _units(lesion_response, subject_response)
    single = [c for c, responses in MEMBERSHIP.items() if responses == (c,)]
    classed = units.filter(units.best_response.isin(single))
    parts = [classed.select(*_SET_PARTS, category="best_response")]
    unconfirmed = units.filter(units.confirmation == "unconfirmed")
    for category in (c for c in RESPONSE_CATEGORIES if c not in MEMBERSHIP):
        members = unconfirmed.filter(unconfirmed[category].fill_null(False))
        named_so = members.mutate(category=ibis.literal(category))
        parts.append(named_so.select(*_SET_PARTS, "category"))
    members = ibis.union(*parts)
    named = ("criterion", "level", "organ", "lesions", "confirmation", "category")
    return conform(
        members.mutate(
            set_id=set_id_column("response_summary", *(members[name] for name in named))
        ),
        MemberSets,
    )


_SET_PARTS = (
    "subject_id",
    "lesion_number",
    "criterion",
    "level",
    "organ",
    "lesions",
    "confirmation",
)


def criterion_agreement(
    lesion_response: Table[LesionResponse],
    subject_response: Table[SubjectResponse],
    population_members: Table[PopulationMembers],
) -> Table[CriterionAgreement]:
    """Count the same units under each pair of criteria, unconfirmed."""
    counted = fetched(_agreed, lesion_response, subject_response, population_members).to_pylist()
    for record in counted:
        record["statistic_id"] = statistic_id(CriterionAgreement, record)
    return rows(sorted(counted, key=lambda r: str(r["statistic_id"])), CriterionAgreement)


def _agreed(
    lesion_response: ir.Table, subject_response: ir.Table, population_members: ir.Table
) -> ir.Table:
    pairs = _pairs(_whole(_units(lesion_response, subject_response)))
    members = population_members.select("population", "subject_id")
    joined = pairs.inner_join(members, "subject_id")
    return joined.group_by("population", *_AGREEMENT).agg(n=joined.count())


_AGREEMENT = ("criterion_a", "criterion_b", "level", "category_a", "category_b")


def _pairs(units: ir.Table) -> ir.Table:
    """One row per unit and pair of criteria, in the criteria's order."""
    unconfirmed = units.filter(units.confirmation == "unconfirmed")
    unit = ("level", "subject_id", "lesion_number")
    by_unit = unconfirmed.group_by(*unit).agg(
        **{c: unconfirmed.best_response.max(where=unconfirmed.criterion == c) for c in CRITERIA}
    )
    parts = [
        by_unit.select(
            *unit,
            criterion_a=ibis.literal(a),
            criterion_b=ibis.literal(b),
            category_a=by_unit[a],
            category_b=by_unit[b],
        )
        for i, a in enumerate(CRITERIA)
        for b in CRITERIA[i + 1 :]
    ]
    return ibis.union(*parts)


def criterion_agreement_sets(
    lesion_response: Table[LesionResponse], subject_response: Table[SubjectResponse]
) -> Table[MemberSets]:
    """The units in each cell of the agreement tables."""
    pairs = _pairs(_whole(_units(lesion_response, subject_response)))
    return conform(
        pairs.mutate(set_id=set_id_column("criterion_agreement", *(pairs[n] for n in _AGREEMENT))),
        MemberSets,
    )
