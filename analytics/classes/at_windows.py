"""Shares of lesions and of patients in each class at fixed times after treatment.

Both denominators are published, as with best response: all units of treated subjects, where those
not evaluable count as non-responders, and those evaluable at the time point. ORR is CR + PR, DCR is
CR + PR + SD.

Source: Frilling et al. 2019 (ORR and DCR); RECIST 1.1, Eisenhauer et al., Eur J Cancer
2009;45:228-247, section 4.4 (the response at a time point).
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.shares import Profiles, cut, share, weights_of
from analytics.fetched import fetched
from analytics.outcomes.response import KINDS, MEMBERSHIP, why_absent
from schemas.contract import Table, conform, rows
from schemas.records.criteria import CRITERIA
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.class_marts import LesionResponseAtWindow, SubjectResponseAtWindow
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes import AT_WINDOW_CATEGORIES, MemberSets, ResponseAtWindow

_UNIT = ("level", "organ", "lesions", "criterion", "at_days")
_GROUP = ("population", *_UNIT)
Key = tuple[str, str, str, str, str, int]


def response_at_window(
    lesion_response_at_window: Table[LesionResponseAtWindow],
    subject_response_at_window: Table[SubjectResponseAtWindow],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ResponseAtWindow]:
    """Count every class at every time point in every population, and give each share its limits."""
    tables = (lesion_response_at_window, subject_response_at_window, population_members)
    found = dict(cut(fetched(_profiles, *tables), _GROUP, AT_WINDOW_CATEGORIES))
    derivable = {(key[0], key[1]) for key in found}
    records = []
    for population in populations(population_members):
        for key in _keys(population, settings):
            absent = why_absent(key[1], (key[0], key[1]) in derivable)
            records += _shares(key, found.get(key), absent, settings)
    return rows(records, ResponseAtWindow)


def response_at_window_sets(
    lesion_response_at_window: Table[LesionResponseAtWindow],
    subject_response_at_window: Table[SubjectResponseAtWindow],
) -> Table[MemberSets]:
    """The units of each class at each time point; unions are declared, not listed."""
    units = _units(lesion_response_at_window, subject_response_at_window)
    single = [c for c, classes in MEMBERSHIP.items() if classes == (c,)]
    members = units.filter(units.response.isin(single))
    named = ("criterion", "level", "organ", "lesions", "at_days", "response")
    parts = (members[name].cast("string") for name in named)
    return conform(members.mutate(set_id=set_id_column("response_at_window", *parts)), MemberSets)


def _keys(population: str, settings: ResponseSettings) -> Iterator[Key]:
    for level, organ, lesions in KINDS:
        for criterion in CRITERIA:
            for _, at, _ in settings.windows:
                yield population, level, organ, lesions, criterion, at


def _shares(
    key: Key, found: Profiles | None, absent: str, settings: ResponseSettings
) -> list[dict[str, Any]]:
    nothing = {"n": 0, "total": 0, "n_evaluable": 0, "method": "none", "reason": absent}
    weights = weights_of(found, settings) if found is not None and key[1] == "lesion" else None
    records = []
    for category in AT_WINDOW_CATEGORIES:
        said = (
            share(found, category, weights, settings, of_evaluable=category != "NE")
            if found is not None
            else nothing
        )
        record: dict[str, Any] = dict(zip(_GROUP, key, strict=True)) | {"category": category}
        records.append(record | {"statistic_id": statistic_id(ResponseAtWindow, record)} | said)
    return records


def _units(lesions: ir.Table, subjects: ir.Table) -> ir.Table:
    """Lesions of treated and of untreated territory and, below them, subjects by organ."""
    shared = ("subject_id", "lesion_number", *_UNIT, "response", "evaluable")
    by_lesion = lesions.mutate(
        level=ibis.literal("lesion"),
        organ=ibis.literal("all"),
        lesions=lesions.treated.ifelse("treated", "untreated"),
    )
    by_subject = subjects.mutate(
        level=ibis.literal("subject"),
        lesions=ibis.literal("all"),
        lesion_number=ibis.literal(0, "int64"),
    )
    return by_lesion.select(*shared).union(by_subject.select(*shared))


def _profiles(lesions: ir.Table, subjects: ir.Table, population_members: ir.Table) -> ir.Table:
    """One row per population, key and distinct profile: how many subjects have it."""
    apart = _units(lesions, subjects)
    whole = apart.filter(apart.level == "lesion").mutate(lesions=ibis.literal("all"))
    units = apart.union(whole)
    flags = {c: units.response.isin(MEMBERSHIP[c]) for c in AT_WINDOW_CATEGORIES}
    per_subject = units.group_by(*_UNIT, "subject_id").agg(
        total=units.count(),
        evaluable=units.evaluable.sum(),
        **{f"n_{c}": flag.sum() for c, flag in flags.items()},
        **{f"e_{c}": (flag & units.evaluable).sum() for c, flag in flags.items()},
    )
    members = population_members.select("population", "subject_id")
    joined = per_subject.inner_join(members, "subject_id").drop("subject_id")
    return joined.group_by([*joined.columns]).agg(clusters=joined.count())
