"""Shares of patients with any adverse event, none, one of grade 3, a serious or a related one.

Whoever is not known to have had one is counted as not, and their number stands beside. A recorded
event that names no grade or relation leaves it open.

Source: exact limits by Clopper and Pearson, Biometrika 1934;26:404.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.records.field.event_windows import EVENT_WINDOWS
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.event_marts import SubjectEvents
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.events import EVENT_CATEGORIES, EventSummary

NOBODY = "no adverse events delivered, or nobody observed so long"


def event_summary(
    subject_events: Table[SubjectEvents], population_members: Table[PopulationMembers]
) -> Table[EventSummary]:
    """Count the patients of every kind in every window."""
    counted = fetched_records(_counted, subject_events, population_members)
    by_key = {(r["population"], r["time_window"]): r for r in counted}
    records: list[dict[str, Any]] = [
        {"population": population, "time_window": window, "category": category}
        | _share(by_key.get((population, window), {}), category)
        for population in populations(population_members)
        for window in EVENT_WINDOWS
        for category in EVENT_CATEGORIES
    ]
    for record in records:
        record["statistic_id"] = statistic_id(EventSummary, record)
    return rows(records, EventSummary)


def event_summary_sets(subject_events: Table[SubjectEvents]) -> Table[MemberSets]:
    """The patients of every kind in every window."""
    return conform(members_of_kinds("event_summary", subject_events), MemberSets)


def members_of_kinds(table: str, events: ir.Table) -> ir.Table:
    """Who had an event of each kind in each window.

    Args:
        table: whose sets they are.
        events: a row per unit and window, each kind a column; none is no event at all.
    """
    parts = [
        events.filter(is_kind(events, category)).select(
            "subject_id",
            lesion_number=ibis.literal(0, "int64"),
            set_id=set_id_column(table, events.time_window, ibis.literal(category)),
        )
        for category in EVENT_CATEGORIES
    ]
    return ibis.union(*parts)


def is_kind(t: ir.Table, category: str) -> ir.BooleanValue:
    """Whether there was an event of a kind in the window; null where that is not known."""
    return t.any_event == ibis.literal(False) if category == "none" else t[category]


def _counted(subject_events: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    joined = subject_events.inner_join(members, "subject_id")
    told = {
        f"{what}_{category}": value.sum()
        for category in EVENT_CATEGORIES
        for what, value in (
            ("n", is_kind(joined, category).fill_null(False)),
            ("open", is_kind(joined, category).isnull()),
        )
    }
    return joined.group_by("population", "time_window").agg(total=joined.count(), **told)


def _share(found: dict[str, Any], category: str) -> dict[str, Any]:
    if not found:
        return {"n": 0, "total": 0, "n_unknown": 0, "reason": NOBODY}
    n, total = found[f"n_{category}"], found["total"]
    share = exact(n, total)
    return {
        "n": n,
        "total": total,
        "n_unknown": found[f"open_{category}"],
        "pct": share.pct,
        "lower": share.lower,
        "upper": share.upper,
    }
