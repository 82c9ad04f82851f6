"""Shares of sessions, and of patients, in which delivery went as planned.

A patient is complete, or as planned, if every session is, and stopped early if one was; where that
is not known of a session, and no other decides, it is not known of the patient. Sessions of one
patient are not independent: where a patient has several, their limits come from resampling
patients. Units of which it is not known are in no count and told beside.

Source: `analytics.estimators.shares`; Kennedy et al., Am J Clin Oncol 2008;31:271-279.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.classes.procedure_events import limits_by
from analytics.estimators.event_counts import populations
from analytics.estimators.shares import Profiles, cut, share
from analytics.fetched import fetched, fetched_records
from schemas.contract import Table, conform, rows
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.dose_marts import DEVICES, Procedures
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.compartments import TECHNICAL, TechnicalSummary

GRAINS = ("session", "subject")
ALWAYS = ("any", "glass", "resin")
"""What has rows where nobody was treated so."""
NOT_KNOWN = "delivered of no {grain}"
_KEY = ("population", "device", "measure", "grain")
_HAS = "has"


def technical_summary(
    procedures: Table[Procedures],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[TechnicalSummary]:
    """Count every technical outcome of every device, by session and by patient."""
    profiles = fetched(_profiles, procedures, population_members)
    found = dict(cut(profiles, _KEY, (_HAS,)))
    counted = fetched_records(_not_known, procedures, population_members)
    unknown = {tuple(r[name] for name in _KEY): r["n_unknown"] for r in counted}
    there = {key[1] for key in (*found, *unknown)}
    devices = [d for d in ("any", *DEVICES) if d in ALWAYS or d in there]
    records = [
        _told((population, device, measure, grain), found, unknown, settings)
        for population in populations(population_members)
        for device in devices
        for measure in TECHNICAL
        for grain in GRAINS
    ]
    return rows(records, TechnicalSummary)


def technical_summary_sets(procedures: Table[Procedures]) -> Table[MemberSets]:
    """The patients with a session, or as patients, of every technical outcome."""
    units = _units(procedures)
    told = units.filter(units.has)
    named = told.select(
        "subject_id",
        lesion_number=ibis.literal(0, "int64"),
        set_id=set_id_column("technical_summary", told.device, told.measure, told.grain),
    )
    return conform(named.distinct(), MemberSets)


def _told(
    key: tuple[str, str, str, str],
    found: dict[Any, Profiles],
    unknown: dict[Any, int],
    settings: ResponseSettings,
) -> dict[str, Any]:
    record: dict[str, Any] = dict(zip(_KEY, key, strict=True))
    record |= {
        "statistic_id": statistic_id(TechnicalSummary, record),
        "n_unknown": unknown.get(key, 0),
    }
    if key not in found:
        reason = NOT_KNOWN.format(grain=key[3])
        return record | {"n": 0, "total": 0, "method": "none", "reason": reason}
    weights = limits_by(found[key], settings)
    return record | share(found[key], _HAS, weights, settings, of_evaluable=False)


def _units(procedures: ir.Table) -> ir.Table:
    """One row per unit, device and measure: whether the unit has it."""
    by_session = procedures.select(
        "subject_id", "device", *TECHNICAL, grain=ibis.literal("session")
    )
    every = {
        m: ibis.cases(
            ((~procedures[m]).any().fill_null(False), False),
            (procedures[m].count() == procedures.count(), True),
            else_=ibis.null("boolean"),
        )
        for m in TECHNICAL
        if m != "stopped_early"
    }
    p = procedures
    by_subject = p.group_by("subject_id").agg(
        device=ibis.cases(
            ((p.device == "unknown").any(), "unknown"),
            (p.device.nunique() > 1, "mixed"),
            else_=p.device.max(),
        ),
        stopped_early=ibis.cases(
            (p.stopped_early.any().fill_null(False), True),
            (p.stopped_early.count() == p.count(), False),
            else_=ibis.null("boolean"),
        ),
        **every,
    )
    whole = by_subject.mutate(grain=ibis.literal("subject")).select(*by_session.columns)
    units = by_session.union(whole)
    either = units.union(units.mutate(device=ibis.literal("any")))
    parts = (
        either.select("subject_id", "device", "grain", measure=ibis.literal(m), has=either[m])
        for m in TECHNICAL
    )
    return ibis.union(*parts)


def _inside(procedures: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    return _units(procedures).inner_join(members, "subject_id")


def _profiles(procedures: ir.Table, population_members: ir.Table) -> ir.Table:
    """How many patients of a population have so many known units, of which so many have it."""
    joined = _inside(procedures, population_members)
    known = joined.filter(joined.has.notnull())
    own = known.group_by(*_KEY, "subject_id").agg(
        total=known.count(), evaluable=known.count(), n_has=known.has.sum(), e_has=known.has.sum()
    )
    profiles = own.drop("subject_id")
    return profiles.group_by([*profiles.columns]).agg(clusters=profiles.count())


def _not_known(procedures: ir.Table, population_members: ir.Table) -> ir.Table:
    joined = _inside(procedures, population_members)
    return joined.group_by(_KEY).agg(n_unknown=joined.has.isnull().sum())
