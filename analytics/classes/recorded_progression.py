"""How often recorded and derived progression agree, over patients of whom both are derivable.

Source: exact limits by Clopper and Pearson, Biometrika 1934;26:404.
"""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

from analytics.estimators.event_counts import populations
from analytics.estimators.proportions import exact
from analytics.fetched import fetched_records
from schemas.contract import Table, conform, rows
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.class_marts import PROGRESSION_AGREEMENTS, ProgressionDifferences
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.recorded import RecordedProgression

NOTHING_BESIDE = "not derivable: no recorded progression beside a derived one"


def recorded_progression(
    progression_differences: Table[ProgressionDifferences],
    population_members: Table[PopulationMembers],
) -> Table[RecordedProgression]:
    """Count the patients of each kind of agreement."""
    counted = fetched_records(_counted, progression_differences, population_members)
    found = {(r["population"], r["agreement"]): r for r in counted}
    records: list[dict[str, Any]] = []
    for population in populations(population_members):
        total = sum(r["n"] for r in counted if r["population"] == population)
        for agreement in PROGRESSION_AGREEMENTS:
            key = {"population": population, "agreement": agreement}
            name = {"statistic_id": statistic_id(RecordedProgression, key)}
            said = _share(found.get((population, agreement), {}), total)
            records.append(key | name | said)
    return rows(records, RecordedProgression)


def recorded_progression_sets(
    progression_differences: Table[ProgressionDifferences],
) -> Table[MemberSets]:
    """Name the patients of each kind of agreement."""
    name = set_id_column("recorded_progression", progression_differences.agreement)
    zero = ibis.literal(0, "int64")
    return conform(progression_differences.mutate(set_id=name, lesion_number=zero), MemberSets)


def _counted(differences: ir.Table, population_members: ir.Table) -> ir.Table:
    members = population_members.select("population", "subject_id")
    joined = differences.inner_join(members, "subject_id")
    return joined.group_by("population", "agreement").agg(
        n=joined.count(), median_days_apart=joined.days_apart.quantile(0.5).cast("float64")
    )


def _share(found: Mapping[str, Any], total: int) -> dict[str, Any]:
    if not total:
        return {"n": 0, "total": 0, "reason": NOTHING_BESIDE}
    share = exact(found.get("n", 0), total)
    return {
        "n": found.get("n", 0),
        "total": total,
        "pct": share.pct,
        "lower": share.lower,
        "upper": share.upper,
        "median_days_apart": found.get("median_days_apart"),
    }
