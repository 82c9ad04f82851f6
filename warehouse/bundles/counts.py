"""Proportions and levels by the existing suppression, and moments of numeric characteristics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from analytics.outcomes.baseline_characteristics import NUMBERS
from warehouse.bundles.draft import Member, Row, Unit
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import EVERYONE, Source
from warehouse.sharing import public

COUNTED = (
    "response_summary",
    "toxicity_summary",
    "baseline_characteristics",
    "symptom_summary",
    "adherence_summary",
)
BELOW = frozenset({"site_id"})
"""Characteristics that tell of a site below the registry."""


def units(source: Source, threshold: int, version: str) -> Iterator[tuple[str, Unit]]:
    """Every proportion that the public tables show, by its statistic; withheld ones without counts.

    Args:
        source: the release.
        threshold: fewer patients than this are few.
        version: the CTCAE version that is counted.
    """
    tables = public.tables(source.release, threshold, version)
    rows = [r for table in COUNTED for r in tables[table] if _is_count(r)]
    members = _members(source, [r["statistic_id"] for r in rows])
    for row in rows:
        yield row["statistic_id"], _unit(row, members)


def moments(source: Source) -> Iterator[tuple[str, Unit]]:
    """Mean and standard deviation of each numeric characteristic of enough patients."""
    for row in source.outcome("baseline_characteristics"):
        variable = row["variable"]
        if variable not in NUMBERS:
            continue
        told = source.rows(
            f'SELECT avg("{variable}"::DOUBLE) AS mean, stddev_samp("{variable}"::DOUBLE) AS sd, '
            f'count("{variable}") AS n, list(subject_id ORDER BY subject_id) AS those '
            f"FROM read_parquet($path) SEMI JOIN {EVERYONE} USING (subject_id) "
            f'WHERE "{variable}" IS NOT NULL',
            path=source.path("marts", "subjects"),
            members=source.path("members", "member_sets"),
        )[0]
        n = int(told["n"])
        if n < POLICY.level_patients.value or 0 < source.size - n < POLICY.small_cell.value:
            continue
        told_row: Row = {"statistic_id": f"{row['statistic_id']}.median", "n": n}
        told_row |= {part: to_digits(told[part], POLICY.digits.value) for part in ("mean", "sd")}
        members = frozenset((s, 0) for s in told["those"])
        yield told_row["statistic_id"], Unit({"moments": [told_row]}, {"n": n}, {"valued": members})


def to_digits(value: float, digits: int) -> float:
    """A number in significant digits."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def step_of(value: float, digits: int) -> float:
    """The step to which a number in significant digits is told."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1) if value else 10.0**-digits


def _is_count(row: Row) -> bool:
    if "variable" not in row:
        return True
    return bool(row["level"]) and row["variable"] not in BELOW


def _unit(row: Row, members: dict[str, frozenset[Member]]) -> Unit:
    n, total, missing = row["n"], row["total"], row.get("missing")
    told: Row = {"statistic_id": row["statistic_id"], "suppressed": bool(row["suppressed"])}
    told |= {"n": n, "total": total, "missing": missing}
    if row["suppressed"] or n is None or total is None:
        hidden = told | {"n": None, "total": None, "missing": None, "suppressed": True}
        return Unit({"counts": [hidden]})
    numbers = {"with": n, "without": total - n, "asked": total}
    numbers |= {} if missing is None else {"missing": missing}
    parts = {"with": members.get(row["statistic_id"], frozenset())}
    return Unit({"counts": [told]}, numbers, parts)


def _members(source: Source, statistics: list[str]) -> dict[str, frozenset[Member]]:
    """Whom each statistic counts."""
    told = source.rows(
        f"""
        WITH shown AS (
            SELECT statistic_id, unnest(string_split(numerator_set, ' | ')) AS set_id
            FROM read_parquet($statistics) WHERE statistic_id IN (SELECT unnest($shown))
        )
        SELECT statistic_id, list(DISTINCT (subject_id, lesion_number)) AS those
        FROM shown JOIN read_parquet($members) USING (set_id)
        SEMI JOIN {EVERYONE} USING (subject_id) GROUP BY statistic_id
        """,
        statistics=source.path("outcomes", "statistics"),
        members=source.path("members", "member_sets"),
        shown=statistics,
    )
    return {r["statistic_id"]: frozenset(_pairs(r["those"])) for r in told}


def _pairs(those: list[Any]) -> Iterator[Member]:
    for one in those:
        subject, lesion = one.values() if isinstance(one, dict) else one
        yield subject, lesion
