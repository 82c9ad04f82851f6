"""The limits of a night's movement: beyond them a release is held.

A number is judged against the release that `current` named at the same night. One patient moves a
percentage of forty by 2.5 points, so nothing that a few patients explain is outside, nor an
estimate that stays inside the limits published with it, nor a median or a hazard ratio of a group
so small that any patient moves it. What was no number and is none has not moved. Counts and
accepted rows may grow freely, but not fall: that is how a halved file shows.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from math import inf, isclose
from pathlib import Path
from typing import Any

import duckdb

from analytics.estimators.proportions import exact
from schemas.settings import AuditSettings
from schemas.tables.changes import Changes, StatisticChange
from warehouse.audit import telling
from warehouse.engine.connections import connection
from warehouse.engine.quoting import read_parquet

ROUNDING = 1e-12
"""Of a value: what the order in which doubles are added may change."""

CLASSES = (
    ("eligibility", "status"),
    ("factor_levels", "factor_level"),
    ("lesion_response", "best_response"),
    ("subject_response", "best_response"),
    ("subjects", "per_criteria"),
    ("subjects", "treated"),
    ("time_to_event", "event"),
    ("toxicity", "worst_grade"),
)
"""Columns of the marts that place a subject in a class: what `reclassified` means."""


def outside(changes: Changes, settings: AuditSettings) -> list[tuple[StatisticChange, str]]:
    """The statistics that moved too far, each with the rule that it breaks."""
    judged = ((s, why_outside(s, settings)) for s in changes.statistics)
    return [(s, why) for s, why in judged if why]


def why_outside(moved: StatisticChange, settings: AuditSettings) -> str | None:
    """The rule that a statistic breaks by moving, or None."""
    declared = _declared(moved.statistic_id, settings.statistics)
    if declared is not None:
        far = moved.change is None or abs(moved.change) > declared
        return f"more than its own tolerance of {declared:g}" if far else None
    if moved.kind == "added" or (moved.old is None and moved.new is None):
        return None
    if moved.redefined and not _equal(moved.old, moved.new) and settings.hold_redefined:
        named = ": " + ", ".join(moved.redefined_by) if moved.redefined_by else ""
        return f"a setting that defines it changed{named}"
    return _fall(moved, settings) or _shift(moved, settings)


def _equal(old: float | None, new: float | None) -> bool:
    """Whether two values differ by no more than the order of a sum does."""
    if old is None or new is None:
        return old is new
    return isclose(old, new, rel_tol=ROUNDING)


def _declared(statistic_id: str, declared: Mapping[str, float]) -> float | None:
    """The tolerance of a statistic's own; of several the most particular, which is the longest."""
    patterns = [p for p in declared if fnmatchcase(statistic_id, p)]
    return declared[max(patterns, key=lambda p: (len(p), p))] if patterns else None


def _fall(moved: StatisticChange, settings: AuditSettings) -> str | None:
    """Fewer patients or events than before; lesions come and go with their patient."""
    if ".lesion." in moved.statistic_id:
        return None
    counts = [("patients or units", moved.old_total, moved.new_total)]
    if moved.unit in ("months", "p"):
        counts.append(("events", moved.old_n, moved.new_n))
    if moved.unit in ("patients", "units"):
        counts.append((moved.unit, moved.old_n, moved.new_n))
    for name, old, new in counts:
        if old and _falls(old, new or 0, settings):
            return f"{name} fall from {old} to {new or 0}, by more than {settings.fall_pct:g} %"
    return None


def _falls(old: int, new: int, settings: AuditSettings) -> bool:
    return old - new > max(settings.patients, old * settings.fall_pct / 100)


def _shift(moved: StatisticChange, settings: AuditSettings) -> str | None:
    """The value itself moves: by unit, by patients, and out of its limits."""
    if moved.change is None or moved.old is None or _within_limits(moved):
        return None
    tolerance, words = _tolerance(moved, settings)
    if abs(moved.change) <= tolerance:
        return None
    if _few(moved, settings):
        return None
    return f"more than {words}, and outside the limits published before"


def _few(moved: StatisticChange, settings: AuditSettings) -> bool:
    """A few patients explain it: so large a share of so many, or an estimate of so few at all."""
    totals = [t for t in (moved.old_total, moved.new_total) if t is not None]
    share = {"%": 100.0, "1": 1.0}.get(moved.unit)
    if share and moved.change is not None:
        return abs(moved.change) / share * max(totals, default=0) <= settings.patients
    return bool(totals) and min(totals) < settings.units_from


def _tolerance(moved: StatisticChange, settings: AuditSettings) -> tuple[float, str]:
    match moved.unit:
        case "%":
            return settings.pct_points, f"{settings.pct_points:g} points"
        case "1":
            return settings.probability, f"{settings.probability:g}"
        case "months":
            return settings.months, f"{settings.months:g} months"
        case "p" | "patients" | "units":
            return inf, ""
        case _:
            relative = abs(moved.old or 0) * settings.relative_pct / 100
            return relative, f"{settings.relative_pct:g} % of itself"


def _within_limits(moved: StatisticChange) -> bool:
    """Inside the limits of the old value; a proportion without any has its exact ones.

    So has a survival of one or of nothing, whose own limits have no width.
    """
    lower, upper = moved.old_lower, moved.old_upper
    n, total = moved.old_n, moved.old_total
    if moved.unit == "1" and moved.old in (0, 1) and total:
        lower, upper = (v / 100 for v in exact(total * int(moved.old), total)[1:])
    if lower is None and upper is None and moved.unit == "%" and n is not None and total:
        _, lower, upper = exact(min(n, total), total)
    if lower is None and upper is None:
        return False
    new = moved.new if moved.new is not None else inf
    return (-inf if lower is None else lower) <= new <= (inf if upper is None else upper)


def impact(changes: Changes, left: Path | None, right: Path) -> dict[str, Any]:
    """What the night does to patients and rows: pseudonyms and counts, never a patient's id."""
    with connection() as con:
        movements: dict[str, Any] = {"sites": _sites(con, left, right)}
        if left is None:
            return movements | {"subjects": {}, "reclassified": [], "rows": [], "set_aside": []}
        return movements | {
            "subjects": _subjects(con, left, right),
            "reclassified": list(_reclassified(con, changes, left, right)),
            "rows": _rows(con, left, right),
            "set_aside": _set_aside(con, left, right),
            "vanished": telling.vanished(left, right),
            "units": telling.units(left, right),
        }


def fallen(rows: list[dict[str, Any]], settings: AuditSettings) -> list[str]:
    """Tables of a site whose accepted rows fell too far, in words."""
    return [
        f"{r['site_id']}: accepted rows of {r['table']} fall from {r['old']} to {r['new']}"
        for r in rows
        if r["old"] >= settings.rows_from and r["new"] < r["old"] * (1 - settings.fall_pct / 100)
    ]


def _subjects(con: duckdb.DuckDBPyConnection, left: Path, right: Path) -> dict[str, list[str]]:
    def only(one: Path, other: Path) -> list[str]:
        rows = con.execute(
            f"SELECT subject_id FROM {_file(one, 'marts/subjects')} EXCEPT "
            f"SELECT subject_id FROM {_file(other, 'marts/subjects')} ORDER BY 1"
        ).fetchall()
        return [row[0] for row in rows]

    return {"added": only(right, left), "vanished": only(left, right)}


def _reclassified(
    con: duckdb.DuckDBPyConnection, changes: Changes, left: Path, right: Path
) -> Iterator[dict[str, Any]]:
    from warehouse.releases.changes import KEYS

    for table, column in CLASSES:
        changed = changes.table(f"marts.{table}")
        if changed is None or column not in changed.columns:
            continue
        using = ", ".join(f'"{n}"' for n in KEYS[f"marts/{table}"])
        place = f"marts/{table}"
        rows = con.execute(
            f"SELECT DISTINCT subject_id FROM {_file(left, place)} l JOIN {_file(right, place)} r "
            f"USING ({using}) WHERE l.{column} IS DISTINCT FROM r.{column} ORDER BY 1"
        ).fetchall()
        subjects = [row[0] for row in rows]
        yield {"table": table, "column": column, "n": len(subjects), "subjects": subjects}


def _rows(con: duckdb.DuckDBPyConnection, left: Path, right: Path) -> list[dict[str, Any]]:
    """Accepted rows per site and table, where they differ."""
    return _records(
        con,
        f"""
        SELECT site_id, table_name AS "table", coalesce(l.accepted, 0) AS old,
               coalesce(r.accepted, 0) AS new
        FROM {_file(left, "quality/row_counts")} l
        FULL JOIN {_file(right, "quality/row_counts")} r USING (site_id, table_name)
        WHERE l.accepted IS DISTINCT FROM r.accepted ORDER BY ALL
        """,
    )


def _set_aside(con: duckdb.DuckDBPyConnection, left: Path, right: Path) -> list[dict[str, Any]]:
    """Rows newly quarantined or released, per site, table and rule."""
    return _records(
        con,
        f"""
        SELECT site_id, table_name AS "table", rule_id, coalesce(l.n, 0) AS old,
               coalesce(r.n, 0) AS new
        FROM ({_quarantined(left)}) l
        FULL JOIN ({_quarantined(right)}) r
        USING (site_id, table_name, rule_id) WHERE l.n IS DISTINCT FROM r.n ORDER BY ALL
        """,
    )


def _quarantined(release: Path) -> str:
    """SQL for the number of quarantined rows of a release, per site, table and rule."""
    quarantine = _file(release, "quality/quarantine")
    return f"SELECT site_id, table_name, rule_id, count(*) AS n FROM {quarantine} GROUP BY ALL"


def _sites(con: duckdb.DuckDBPyConnection, left: Path | None, right: Path) -> list[dict[str, Any]]:
    """Which export of each site is in force, and which was."""
    here = f"SELECT site_id, extraction_date, degraded FROM {_file(right, 'quality/deliveries')}"
    if left is None:
        before = "SELECT NULL::VARCHAR AS site_id, NULL::DATE AS extraction_date"
    else:
        before = f"SELECT site_id, extraction_date FROM {_file(left, 'quality/deliveries')}"
    return _records(
        con,
        f"""
        SELECT coalesce(r.site_id, l.site_id) AS site_id, l.extraction_date::VARCHAR AS old,
               r.extraction_date::VARCHAR AS new, coalesce(r.degraded, false) AS degraded
        FROM ({before}) l FULL JOIN ({here}) r USING (site_id)
        WHERE coalesce(r.site_id, l.site_id) IS NOT NULL ORDER BY 1
        """,
    )


def _records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [d[0] for d in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _file(release: Path, place: str) -> str:
    return read_parquet(release / "parquet" / f"{place}.parquet")
