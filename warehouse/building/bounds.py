"""Bound every published number over what held rows may be.

Patients do not meet before they are counted, so that each patient with held rows has a few things
that he can add to a number, whichever world is true; the estimators in `analytics.bounds` choose
between them. What is not derived, since nobody knows it, is bounded by everything that a patient
can add. A night without held rows copies its numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from schemas.contract import Contract, key, options, rows, schema
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import read, slug, table_of
from schemas.tables.outcomes import Bounds, Outcome
from schemas.tables.quality import Held
from warehouse.building import held, scratch_subjects
from warehouse.building.bounded import Bounded, Mover, Published, bounded
from warehouse.building.held_options import AS_NOW, HeldRow, Worlds, worlds_of
from warehouse.building.scratch_subjects import Copies
from warehouse.engine import kept_tables
from warehouse.engine.lineage import derivations, upstream
from warehouse.engine.protocol import Engine, Query, one_row

ROWS_AT_MOST = 2_000_000
"""Rows of the registry beyond which no world is derived: what a patient may add is then anything.
Rows, not seconds: what a release says must not depend on the machine."""
WIDTH_ZERO = """
    SELECT statistic_id, value, value AS lower, value AS upper, value AS excluded,
           'exact' AS method, 0::BIGINT AS held_rows, 0::BIGINT AS patients,
           NULL::DOUBLE AS ci_lower, NULL::DOUBLE AS ci_upper, NULL::VARCHAR AS reason
    FROM main.statistics"""


NOT_DERIVED = "rows are held; bounds.worlds is off"
UNKNOWN = f"""
    SELECT statistic_id, value, NULL::DOUBLE AS lower, NULL::DOUBLE AS upper,
           value AS excluded, 'none' AS method, ?::BIGINT AS held_rows, ?::BIGINT AS patients,
           NULL::DOUBLE AS ci_lower, NULL::DOUBLE AS ci_upper, '{NOT_DERIVED}' AS reason
    FROM main.statistics"""


@dataclass(frozen=True, slots=True)
class Everybody:
    """The patients with held rows, sorted by what is known of them."""

    accepted: Mapping[str, Worlds]
    strangers: Mapping[str, Mover]
    """Patients who were not accepted, by name: nothing is known of them but their lesions."""
    nameless: tuple[HeldRow, ...]
    """Rows that name no patient."""
    of: Mapping[str, tuple[HeldRow, ...]]
    copies: Copies = field(default_factory=lambda: Copies({}, {}, {}))


def bounds(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    folders: Mapping[str, Path],
    data_cutoff: date,
) -> dict[type[Contract], ir.Table]:
    """The tables outcomes.bounds and quality.held.

    Args:
        con: the engine.
        tables: every table as the night has made it.
        settings: the registry's.
        folders: site -> its accepted rows of the night.
        data_cutoff: the night's.
    """
    kept_tables.keep(con, "bounds", Query(WIDTH_ZERO, schema(Bounds), {}))
    if settings.bounds.worlds:
        found = held.held_rows(con, folders, data_cutoff)
        moved = _moved(con, tables, settings, found) if found else []
        told = _held(found, moved)
    else:
        told = _counted(con, folders, data_cutoff)
    kept_tables.keep_rows(con, "held", told)
    return {
        Bounds: kept_tables.named(con, "bounds", schema(Bounds)),
        Held: kept_tables.named(con, "held", schema(Held)),
    }


def _counted(con: Engine, folders: Mapping[str, Path], data_cutoff: date) -> ir.Table:
    """Held rows are counted and no more: any number may be reached, by what was not derived."""
    groups, held_rows, patients = held.counted(con, folders, data_cutoff)
    if held_rows:
        con.raw_sql("DELETE FROM bounds")
        con.con.execute(f"INSERT INTO bounds BY NAME {UNKNOWN}", [held_rows, patients])
    return rows(groups, Held)


def _moved(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    found: Sequence[HeldRow],
) -> list[Bounded]:
    """The numbers that held rows can reach, written over those that stand by themselves."""
    everybody = _everybody(con, tables, settings, found)
    moved = list(_bounded(con, tables, settings, everybody))
    _replace(con, moved)
    return moved


def _everybody(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    found: Sequence[HeldRow],
) -> Everybody:
    of: dict[str, list[HeldRow]] = {}
    nameless: list[HeldRow] = []
    for number, row in enumerate(found):
        if row.subject_id is None and row.table == "patients":
            of.setdefault(f"nameless-{number}", []).append(row)
        elif row.subject_id is None:
            nameless.append(row)
        else:
            of.setdefault(row.subject_id, []).append(row)
    around = held.around(con, found)
    accepted = {s: worlds_of(of[s], around[s]) for s in sorted(around)}
    if _too_large(con):
        accepted = {s: Worlds((AS_NOW,), True, _tables(of[s])) for s in accepted}
    strangers = {s: _stranger(rows) for s, rows in sorted(of.items()) if s not in around}
    everybody = Everybody(
        accepted, strangers, tuple(nameless), {s: tuple(rows) for s, rows in of.items()}
    )
    wanted = _reached(everybody)
    if not accepted:
        return everybody
    copies = scratch_subjects.derive(con, tables, settings, accepted, wanted)
    return Everybody(accepted, strangers, everybody.nameless, everybody.of, copies)


def _stranger(held_rows: Sequence[HeldRow]) -> Mover:
    """A patient of whom nothing is known: in every population of the site or in none."""
    site = held_rows[0].site_id
    lesions = {r.natural_key for r in held_rows if r.table == "lesions"}
    return Mover(
        held=tuple(held_rows),
        populations=frozenset({"all", "per_criteria", slug(f"site:{site}")}),
        lesions=len(lesions),
    )


def _tables(held_rows: Iterable[HeldRow]) -> frozenset[str]:
    return frozenset(r.table for r in held_rows)


def _too_large(con: Engine) -> bool:
    (n,) = one_row(
        con,
        "SELECT coalesce(sum(estimated_size), 0) FROM duckdb_tables() WHERE schema_name = 'main'",
    )
    return int(n) > ROWS_AT_MOST


def _reached(everybody: Everybody) -> list[str]:
    """Outcome tables that a held row can reach."""
    touched = {t for rows in everybody.of.values() for t in _tables(rows)}
    if everybody.strangers:
        touched.add("patients")
    touched |= _tables(everybody.nameless) | {scratch_subjects.ASIDE}
    return [
        name
        for name, d in derivations().items()
        if issubclass(d.contract, Outcome)
        and options(d.contract).statistics
        and (everybody.strangers or upstream(name) & touched)
    ]


def _bounded(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    everybody: Everybody,
) -> Iterable[Bounded]:
    """The numbers that held rows can reach, with their bounds."""
    by_name = derivations()
    reached = set(_reached(everybody))
    keys = {name: key(by_name[name].contract) for name in reached}
    published: dict[str, list[Published]] = {}
    for record in _statistics(con, reached):
        name = read(record["statistic_id"], keys)
        published.setdefault(name.table, []).append(Published(name=name, **record))
    for table, listed in published.items():
        movers = list(_movers(everybody, table))
        yield from bounded(con, tables, settings, table, listed, movers, everybody.nameless)


def _statistics(con: Engine, reached: set[str]) -> list[dict[str, Any]]:
    found = con.raw_sql(
        "SELECT statistic_id, value, n, total, unit FROM main.statistics ORDER BY statistic_id"
    )
    names = ("statistic_id", "value", "n", "total", "unit")
    return [dict(zip(names, r, strict=True)) for r in found.fetchall() if table_of(r[0]) in reached]


def _movers(everybody: Everybody, table: str) -> Iterable[Mover]:
    """The patients who may move a table's numbers, and what each may add."""
    above = upstream(table)
    yield from everybody.strangers.values()
    for subject, worlds in everybody.accepted.items():
        names = [f"{subject}-{n}" for n in range(len(worlds.worlds))]
        moving = table in scratch_subjects.OF_CURVES or names[0] in everybody.copies.counted[table]
        if not moving:
            continue
        yield Mover(
            held=everybody.of[subject],
            names=tuple(names),
            copies=everybody.copies,
            closed=worlds.closed,
            unknown=bool(worlds.unknown & above),
            lesions=_lesions(everybody, subject),
        )


def _lesions(everybody: Everybody, subject: str) -> int:
    """Held lesions of an accepted patient: one more each, if it is accepted."""
    return len({r.natural_key for r in everybody.of[subject] if r.table == "lesions"})


def _replace(con: Engine, moved: Sequence[Bounded]) -> None:
    kept_tables.keep_rows(con, "bounds_moved", rows([m.record() for m in moved], Bounds))
    con.raw_sql("DELETE FROM bounds WHERE statistic_id IN (SELECT statistic_id FROM bounds_moved)")
    con.raw_sql("INSERT INTO bounds BY NAME FROM bounds_moved")
    con.raw_sql("DROP TABLE bounds_moved")


def _held(found: Sequence[HeldRow], moved: Sequence[Bounded]) -> ir.Table:
    """Held rows by site, table and rule, with what they move."""
    groups: dict[tuple[str, str, str], list[HeldRow]] = {}
    for row in found:
        for rule in row.rules:
            groups.setdefault((row.site_id, row.table, rule), []).append(row)
    reached: dict[tuple[str, str, str], list[Bounded]] = {}
    for number in moved:
        for group in {(r.site_id, r.table, rule) for r in number.held for rule in r.rules}:
            reached.setdefault(group, []).append(number)
    return rows([_group(g, held_, reached.get(g, [])) for g, held_ in sorted(groups.items())], Held)


def _group(
    group: tuple[str, str, str], held_: Sequence[HeldRow], moved: Sequence[Bounded]
) -> dict[str, Any]:
    shares = [m for m in moved if m.published.unit == "%" and m.width]
    widest = max(shares, key=lambda m: (m.width, m.published.statistic_id), default=None)
    return {
        "site_id": group[0],
        "table_name": group[1],
        "rule_id": group[2],
        "held_rows": len(held_),
        "patients": len({r.subject_id for r in held_ if r.subject_id}),
        "statistics": len(moved),
        "widest": widest.published.statistic_id if widest else None,
    }
