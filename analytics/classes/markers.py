"""Shares of patients whose elevated tumour marker fell, and whose marker is normal again.

Of those above the upper limit of normal before treatment: all of them, where whoever is not known
to have responded has not, and those of whom it is known. A baseline without an upper limit, or a
censored one, is in neither and is counted beside them.

Source: exact limits by Clopper and Pearson, Biometrika 1934;26:404. Which share is a fall is a
setting; no source read fixes it.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.records.field.markers import MARKERS
from schemas.settings import ResponseSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.lab_marts import MarkerResponse
from schemas.tables.outcomes.base import MemberSets
from schemas.tables.outcomes.markers import MARKER_CATEGORIES, MarkerSummary

NOT_DELIVERED = "no baseline of the marker delivered"
NOBODY = "nobody's baseline is known to lie above its upper limit"
COLUMN = {"fall": "fell", "normalised": "normalised"}


def marker_summary(
    marker_response: Table[MarkerResponse],
    population_members: Table[PopulationMembers],
    *,
    settings: ResponseSettings,
) -> Table[MarkerSummary]:
    """Count falls and normal results of every marker, at best and at every time point."""
    counted = fetched_records(_counted, marker_response, population_members)
    by_key = {(r["population"], r["marker"], r["at_days"]): r for r in counted}
    records = []
    for population in populations(population_members):
        for marker in MARKERS:
            for at in (0, *(at for _, at, _ in settings.windows)):
                found = by_key.get((population, marker, at), {})
                key = {"population": population, "marker": marker, "at_days": at}
                records += [key | _share(found, c) | {"category": c} for c in MARKER_CATEGORIES]
    for record in records:
        record["statistic_id"] = statistic_id(MarkerSummary, record)
    return rows(records, MarkerSummary)


def marker_summary_sets(marker_response: Table[MarkerResponse]) -> Table[MemberSets]:
    """The patients of each category."""
    elevated = marker_response.filter(marker_response.elevated)
    parts = [
        elevated.filter(elevated[name]).select(
            subject_id="subject_id",
            lesion_number=ibis.literal(0, "int64"),
            set_id=set_id_column(
                "marker_summary",
                elevated.marker,
                elevated.at_days.cast("string"),
                ibis.literal(category),
            ),
        )
        for category, name in COLUMN.items()
    ]
    return conform(ibis.union(*parts), MemberSets)


def _counted(marker_response: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    joined = marker_response.inner_join(members, "subject_id")
    elevated = joined.elevated.fill_null(False)
    told = {
        f"{what}_{category}": (elevated & value).sum()
        for category, name in COLUMN.items()
        for what, value in (
            ("n", joined[name].fill_null(False)),
            ("known", joined[name].notnull()),
        )
    }
    return joined.group_by("population", "marker", "at_days").agg(
        total=elevated.sum(),
        n_baseline=joined.count(),
        n_without_limit=joined.elevated.isnull().sum(),
        **told,
    )


def _share(found: dict[str, Any], category: str) -> dict[str, Any]:
    known = {name: found.get(name, 0) for name in ("total", "n_baseline", "n_without_limit")}
    n, evaluable = found.get(f"n_{category}", 0), found.get(f"known_{category}", 0)
    record = known | {"n": n, "n_evaluable": evaluable}
    if not known["total"]:
        return record | {"reason": NOBODY if found else NOT_DELIVERED}
    of_all = exact(n, known["total"])
    record |= {"pct": of_all.pct, "lower": of_all.lower, "upper": of_all.upper}
    if not evaluable:
        return record
    known_share = exact(n, evaluable)
    return record | {
        "pct_evaluable": known_share.pct,
        "lower_evaluable": known_share.lower,
        "upper_evaluable": known_share.upper,
    }
