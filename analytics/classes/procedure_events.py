"""Shares of sessions that were followed by any adverse event, none, or one of a kind.

The unit is the session, as in series that count procedures. Sessions of one patient are not
independent: where a patient has several, the limits come from resampling patients; where each has
one, they are exact. A session that is not known to have been followed by one is counted as not.

Source: `analytics.estimators.shares`; Kennedy et al., Am J Clin Oncol 2008;31:271-279.
"""

from typing import Any

import ibis.expr.types as ir
import numpy as np

from analytics.classes.events import is_kind, members_of_kinds
from analytics.estimators.event_counts import populations
from analytics.estimators.shares import Profiles, cut, share, weights_of
from analytics.fetched import fetched, fetched_records
from schemas.contract import Table, conform, rows
from schemas.records.field.event_windows import PROCEDURE_WINDOWS
from schemas.settings import ResponseSettings
from schemas.statistic_ids import statistic_id
from schemas.tables.event_marts import SessionEvents
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.events import EVENT_CATEGORIES, ProcedureEvents

NO_SESSION = "no adverse events delivered"
_KEY = ("population", "time_window")


def procedure_events(
    session_events: Table[SessionEvents],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[ProcedureEvents]:
    """Count the sessions of every kind in every window."""
    profiles = fetched(_profiles, session_events, population_members)
    found = dict(cut(profiles, _KEY, EVENT_CATEGORIES))
    counted = fetched_records(_counted, session_events, population_members)
    beside = {tuple(r[name] for name in _KEY): r for r in counted}
    records: list[dict[str, Any]] = []
    for population in populations(population_members):
        for window in PROCEDURE_WINDOWS:
            key = (population, window)
            records += _told(key, found.get(key), beside.get(key, {}), settings)
    return rows(records, ProcedureEvents)


def procedure_events_sets(session_events: Table[SessionEvents]) -> Table[MemberSets]:
    """The patients with a session of every kind in every window."""
    return conform(members_of_kinds("procedure_events", session_events).distinct(), MemberSets)


def limits_by(found: Profiles, settings: ResponseSettings) -> Any:
    """Weights of resampled patients, or None where no patient has two units: exact limits."""
    return weights_of(found, settings) if bool(np.any(found.total > 1)) else None


def _inside(session_events: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    return session_events.inner_join(members, "subject_id")


def _profiles(session_events: ir.Table, population_members: ir.Table) -> ir.Table:
    """How many patients of a population have so many sessions, of which so many of each kind."""
    joined = _inside(session_events, population_members)
    n = {c: is_kind(joined, c).fill_null(False).sum() for c in EVENT_CATEGORIES}
    own = joined.group_by(*_KEY, "subject_id").agg(
        total=joined.count(),
        evaluable=joined.count(),
        **{f"n_{c}": value for c, value in n.items()},
        **{f"e_{c}": value for c, value in n.items()},
    )
    profiles = own.drop("subject_id")
    return profiles.group_by([*profiles.columns]).agg(clusters=profiles.count())


def _counted(session_events: ir.Table, population_members: ir.Table) -> ir.Table:
    joined = _inside(session_events, population_members)
    return joined.group_by(_KEY).agg(
        n_patients=joined.subject_id.nunique(),
        n_events=joined.n_events.sum(),
        **{f"open_{c}": is_kind(joined, c).isnull().sum() for c in EVENT_CATEGORIES},
    )


def _told(
    key: tuple[str, str],
    found: Profiles | None,
    beside: dict[str, Any],
    settings: ResponseSettings,
) -> list[dict[str, Any]]:
    weights = limits_by(found, settings) if found else None
    records = []
    for category in EVENT_CATEGORIES:
        record = dict(zip(_KEY, key, strict=True)) | {"category": category}
        record |= {
            "statistic_id": statistic_id(ProcedureEvents, record),
            "n_patients": beside.get("n_patients", 0),
            "n_events": beside.get("n_events", 0),
            "n_unknown": beside.get(f"open_{category}", 0),
        }
        nothing = {"n": 0, "total": 0, "method": "none", "reason": NO_SESSION}
        of = share(found, category, weights, settings, of_evaluable=False) if found else nothing
        records.append(record | of)
    return records
