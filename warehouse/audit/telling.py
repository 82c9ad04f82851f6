"""Word why a night is held, in the order of what matters to whoever must decide.

First the cause, site by site: rows delivered, rows newly set aside by rule, results in another
unit, patients who vanished. Then what the release fails to answer for itself, then the headline
statistics, old and new. All other statistics are counted by table; the page and audit.json have
them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.statistic_ids import table_of
from schemas.tables.changes import StatisticChange
from warehouse.engine.connections import connection
from warehouse.engine.quoting import read_parquet
from warehouse.releases import change_pages as pages

SHOWN = 10
"""Statistics that the reasons name, headline statistics first."""
TIMES = 5
"""A site's typical result that is so many times what it was is told as a possible other unit."""
RESULTS = 10
"""Of so many results on both sides."""


def causes(shown: Mapping[str, Any], fallen: Sequence[str]) -> list[str]:
    """What happened at each site, one sentence for each kind.

    Args:
        shown: the night's impact.
        fallen: the sentences on tables whose accepted rows fell too far.
    """
    aside: dict[str, list[str]] = {}
    for r in shown["set_aside"]:
        if r["new"] > r["old"]:
            more = f"{r['new'] - r['old']} of {r['table']} by {r['rule_id']}"
            aside.setdefault(r["site_id"], []).append(more)
    told = [*fallen]
    told += [f"{site}: rows newly set aside: {', '.join(rows)}" for site, rows in aside.items()]
    told += [
        f"{u['site_id']}: the middle result of {u['analyte']} was {u['old']:g} and is "
        f"{u['new']:g} {u['unit']}; perhaps it is in another unit"
        for u in shown.get("units", ())
    ]
    told += [
        f"{v['site_id']}: {v['vanished']} of {v['patients']} patients vanished"
        for v in shown.get("vanished", ())
    ]
    sites = [line.partition(":")[0] for line in told]
    return [line for _, line in sorted(zip(sites, told, strict=True), key=lambda pair: pair[0])]


def moves(moved: Sequence[tuple[StatisticChange, str]]) -> list[str]:
    """The statistics outside their tolerances: those that matter most by name, the rest counted."""
    ordered = sorted(moved, key=lambda pair: pages.importance(pair[0]))
    named, rest = ordered[:SHOWN], ordered[SHOWN:]
    lines = [f"{s.label} ({s.statistic_id}) {_moves(s)}: {why}" for s, why in named]
    if rest:
        counted = Counter(table_of(s.statistic_id) for s, _ in rest)
        tables = ", ".join(f"{name} {n}" for name, n in counted.most_common())
        lines.append(f"{len(rest)} more statistics are outside their tolerances: {tables}")
    return lines


def _moves(changed: StatisticChange) -> str:
    """A value may stay, and its patients go: then only these are told, by the rule's words."""
    old, new = pages.old_and_new(changed)
    unit = "" if changed.unit in ("1", "p") else f" {changed.unit}"
    return f"stays at {old}{unit}" if old == new else f"moves from {old} to {new}{unit}"


def vanished(left: Path, right: Path) -> list[dict[str, Any]]:
    """How many of a site's patients are no longer there, where some are not."""
    return _records(
        f"SELECT site_id, count(*) FILTER (r.subject_id IS NULL) AS vanished, "
        f"count(*) AS patients FROM {_file(left, 'marts/subjects')} l "
        f"LEFT JOIN (SELECT subject_id FROM {_file(right, 'marts/subjects')}) r USING (subject_id) "
        "GROUP BY site_id HAVING vanished > 0 ORDER BY site_id"
    )


def units(left: Path, right: Path) -> list[dict[str, Any]]:
    """Sites whose typical result of an analyte is many times, or a fraction of, what it was."""
    graded = [side / "parquet" / "marts" / "lab_grades.parquet" for side in (left, right)]
    if not all(path.exists() for path in graded):
        return []
    return _records(
        f"""
        SELECT l.site_id, l.analyte, l.unit, l.middle AS old, r.middle AS new
        FROM ({_middle(left)}) l JOIN ({_middle(right)}) r USING (site_id, analyte, unit)
        WHERE least(l.n, r.n) >= {RESULTS} AND least(l.middle, r.middle) > 0
          AND greatest(l.middle / r.middle, r.middle / l.middle) >= {TIMES}
        ORDER BY ALL
        """
    )


def _middle(release: Path) -> str:
    """The middle result of each site, analyte and unit; each result once, not once a version."""
    return f"""
        SELECT site_id, analyte, unit, count(*) AS n, median(value)::DOUBLE AS middle FROM (
            SELECT DISTINCT subject_id, analyte, unit, rel_day, value
            FROM {_file(release, "marts/lab_grades")} WHERE value IS NOT NULL)
        JOIN (SELECT subject_id, site_id FROM {_file(release, "marts/subjects")}) USING (subject_id)
        GROUP BY ALL
    """


def _records(query: str) -> list[dict[str, Any]]:
    with connection() as con:
        result = con.execute(query)
        names = [d[0] for d in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _file(release: Path, place: str) -> str:
    return read_parquet(release / "parquet" / f"{place}.parquet")
