"""Derive the worlds of patients with held rows in one run: each world is a patient of its own.

Every world of a patient becomes a copy of him under a scratch name, beside all patients as they
are, since some derivations ask what a site delivers at all. Only what reads a changed table is
derived again; of every other table the copy has the patient's rows as they stand. Then each copy is
a population of its own, so that the night's estimates give what it adds to every number. The tables
stand before the night's under the same names, so that its compiled queries serve, and are dropped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import ibis.expr.types as ir
import pyarrow as pa

from schemas.contract import options, schema, table_name
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import slug
from schemas.tables.registry import TABLES
from warehouse.building.build import computed
from warehouse.building.held_options import World, Worlds
from warehouse.engine import kept_tables
from warehouse.engine.lineage import derivations, upstream
from warehouse.engine.protocol import Engine

FRONT = "held_worlds"
OF_ALL = frozenset({"endpoint_criterion"})
"""Chosen over all patients: as the night chose it."""
ASIDE = "rows_set_aside"
SAMPLES = 100
"""Of the bootstrap, whose limits nobody reads here; the least that the setting allows."""
COUNTING = """
    SELECT DISTINCT split_part(statistic_id, '.', 1) FROM main.statistics
    WHERE value = n OR (unit = '%' AND value = 100 * n / total)"""
"""Tables with a share of a total, or a count."""
Exit = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class Copies:
    """What every scratch patient adds.

    Attributes:
        populations: Scratch name -> the populations that he is in, as slugs.
        counted: Outcome table -> scratch name -> id of a statistic without its population ->
            numerator and total. Patients whose worlds cannot differ there are left out.
        exits: Scratch name -> (endpoint, level, factor, factor level) -> times and states.
    """

    populations: Mapping[str, frozenset[str]]
    counted: Mapping[str, Mapping[str, Mapping[str, tuple[int | None, int | None]]]]
    exits: Mapping[str, Mapping[tuple[str, ...], tuple[Exit, ...]]]


@dataclass(frozen=True, slots=True)
class _Alike:
    """Which worlds are told apart by what.

    Attributes:
        worlds: Patient -> the names of his worlds.
        digests: Table -> scratch name -> what tells his rows apart.
        populations: Scratch name -> the populations that he is in.
        unknown: Patient -> the registry tables of which anything may be true of him.
    """

    worlds: Mapping[str, Sequence[str]]
    digests: Mapping[str, Mapping[str, str]]
    populations: Mapping[str, frozenset[str]]
    unknown: Mapping[str, frozenset[str]]

    def stands_for(self, table: str) -> dict[str, str]:
        """Scratch name -> the first world of the same patient that is alike for a table.

        Patients whose worlds are all alike are left out: nothing of theirs can move there.
        """
        reads = sorted(upstream(table) & self.digests.keys())
        found: dict[str, str] = {}
        for patient, names in self.worlds.items():
            firsts: dict[tuple[str | None, ...], str] = {}
            own = {n: firsts.setdefault(self._told(n, reads), n) for n in names}
            places = {self.populations.get(n, frozenset()) for n in names}
            if len(firsts) > 1 or len(places) > 1 or self.unknown[patient] & upstream(table):
                found |= own
        return found

    def _told(self, name: str, reads: Sequence[str]) -> tuple[str | None, ...]:
        return tuple(self.digests[t].get(name) for t in reads)


def derive(
    con: Engine,
    tables: Mapping[str, ir.Table],
    settings: OutcomeSettings,
    patients: Mapping[str, Worlds],
    wanted: Sequence[str],
) -> Copies:
    """What each world of each patient adds to the numbers of the outcome tables that are wanted.

    Args:
        con: the engine.
        tables: every table as the night has made it.
        settings: the registry's.
        patients: patient -> his worlds; world n has the scratch name <patient>-n.
        wanted: outcome tables.
    """
    worlds = {
        f"{who}-{n}": (who, world)
        for who, every in patients.items()
        for n, world in enumerate(every.worlds)
    }
    with _in_front(con, worlds):
        changed = _registry(con, worlds)
        now = _derived(con, dict(tables), settings, changed, wanted)
        alike = _Alike(
            {who: [f"{who}-{n}" for n in range(len(w.worlds))] for who, w in patients.items()},
            _digests(con, now, changed),
            _populations(con),
            {who: w.unknown for who, w in patients.items()},
        )
        counted = _counted(con, now, settings, wanted, alike)
        return Copies(alike.populations, counted, _exits(con, now, settings, alike))


@contextmanager
def _in_front(con: Engine, worlds: Mapping[str, tuple[str, World]]) -> Iterator[None]:
    with kept_tables.in_front(con, FRONT):
        names = pa.table({"scratch": list(worlds), "original": [s for s, _ in worlds.values()]})
        _insert(con, "scratch_names", names)
        yield


def _registry(con: Engine, worlds: Mapping[str, tuple[str, World]]) -> set[str]:
    """Registry tables of all patients and the copies; the names of those in which copies differ."""
    added, gone, settled = [], [], []
    for scratch, (_, world) in worlds.items():
        added += [(name, scratch, record) for name, record in world.added]
        gone += [{"scratch": scratch, "t": t, "row_id": row} for t, row in world.gone]
        settled += [
            dict(zip(("scratch", "site", "t", "f", "r"), (scratch, *p), strict=True))
            for p in world.settled
        ]
    _insert(con, "scratch_gone", pa.Table.from_pylist(gone, _TEXT(("scratch", "t", "row_id"))))
    kinds = _TEXT(("scratch", "site", "t", "f")).append(pa.field("r", pa.int64()))
    _insert(con, "scratch_settled", pa.Table.from_pylist(settled, kinds))
    for contract in TABLES:
        name = table_name(contract)
        _copied(
            con,
            name,
            "NOT EXISTS (FROM scratch_gone g WHERE g.scratch = o.scratch AND "
            f"g.t = '{name}' AND g.row_id = t.row_id)",
            "o.scratch AS subject_id, o.scratch AS patient_id",
        )
        rows = [dict(r) | {"subject_id": s, "patient_id": s} for n, s, r in added if n == name]
        if rows:
            kinds = schema(contract).to_pyarrow()
            _insert(con, f"scratch_more_{name}", pa.Table.from_pylist(rows, kinds))
            con.raw_sql(f'INSERT INTO {FRONT}."{name}" BY NAME FROM scratch_more_{name}')
    _copied(
        con,
        ASIDE,
        "NOT EXISTS (FROM scratch_settled g WHERE g.scratch = o.scratch AND g.site = t.site_id "
        "AND g.t = t.table_name AND g.f = t.source_file AND g.r = t.source_row)",
    )
    differing = {n for n, _, _ in added} | {str(g["t"]) for g in gone}
    return differing | ({ASIDE} if settled else set())


def _TEXT(names: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _insert(con: Engine, name: str, rows: pa.Table) -> None:
    con.con.register("held_rows_of_python", rows)
    try:
        con.raw_sql(f"CREATE OR REPLACE TABLE {FRONT}.{name} AS FROM held_rows_of_python")
    finally:
        con.con.unregister("held_rows_of_python")


def _copied(
    con: Engine, name: str, kept: str = "true", renamed: str = "o.scratch AS subject_id"
) -> None:
    """A table of the night with the rows of each copied patient once more for every copy."""
    night = f'{kept_tables.MAIN}."{name}"'
    con.raw_sql(
        f'CREATE TABLE {FRONT}."{name}" AS FROM {night} UNION ALL BY NAME SELECT t.* '
        f"REPLACE ({renamed}) FROM {night} t JOIN scratch_names o ON t.subject_id = o.original "
        f"WHERE {kept}"
    )


def _derived(
    con: Engine,
    now: dict[str, ir.Table],
    settings: OutcomeSettings,
    changed: set[str],
    wanted: Sequence[str],
) -> dict[str, ir.Table]:
    """Derive again what reads a changed table; of the rest, copy the rows."""
    needed = frozenset[str]().union(*(upstream(name) for name in wanted))
    for name, derivation in derivations().items():
        if derivation.room != "transforms" or name not in needed | {"population_members"}:
            continue
        if name in OF_ALL or "subject_id" not in now[name].columns:
            continue
        if changed & set(derivation.reads):
            now[name] = computed(con, derivation, now, settings)
            changed.add(name)
        else:
            _copied(con, name)
    return now


def _digests(
    con: Engine, now: Mapping[str, ir.Table], changed: set[str]
) -> dict[str, dict[str, str]]:
    """What tells the rows of each copy apart, of every derived table that outcomes read."""
    by_name = derivations()
    read = {n for d in by_name.values() if d.room == "analytics" for n in d.reads}
    found: dict[str, dict[str, str]] = {}
    for name in sorted(read & changed & by_name.keys()):
        if by_name[name].room == "transforms" and "subject_id" in now[name].columns:
            rows = con.raw_sql(
                "SELECT subject_id, md5(string_agg(told, '|' ORDER BY told)) FROM (SELECT "
                "subject_id, replace(CAST(t AS VARCHAR), subject_id, '') AS told "
                f'FROM "{name}" t WHERE subject_id IN (SELECT scratch FROM scratch_names)) '
                "GROUP BY subject_id"
            ).fetchall()
            found[name] = dict(rows)
    return found


def _populations(con: Engine) -> dict[str, frozenset[str]]:
    found = con.raw_sql(
        "SELECT o.scratch, list(population) FROM scratch_names o JOIN population_members m "
        "ON m.subject_id = o.scratch GROUP BY ALL"
    ).fetchall()
    return {scratch: frozenset(map(slug, populations)) for scratch, populations in found}


def _alone(con: Engine, names: Iterable[str]) -> None:
    """Let these copies be each a population of its own, and leave all others out."""
    _insert(con, "scratch_alone", pa.table({"scratch": pa.array(sorted(set(names)), pa.string())}))
    con.raw_sql(
        f"CREATE OR REPLACE TABLE {FRONT}.population_members AS SELECT DISTINCT m.* REPLACE "
        f"(m.subject_id AS population) FROM {FRONT}.scratch_members m "
        f"WHERE m.subject_id IN (SELECT scratch FROM {FRONT}.scratch_alone)"
    )


def _counted(
    con: Engine,
    now: dict[str, ir.Table],
    settings: OutcomeSettings,
    wanted: Sequence[str],
    alike: _Alike,
) -> dict[str, dict[str, dict[str, tuple[int | None, int | None]]]]:
    response = settings.response.model_copy(update={"bootstrap_samples": SAMPLES})
    quick = settings.model_copy(update={"response": response})
    con.raw_sql(f"CREATE TABLE {FRONT}.scratch_members AS FROM {FRONT}.population_members")
    counting = {name for (name,) in con.raw_sql(COUNTING).fetchall()}
    counted: dict[str, dict[str, dict[str, tuple[int | None, int | None]]]] = {}
    for name in wanted:
        derivation = derivations()[name]
        statistic = options(derivation.contract).statistics[0]
        stands_for = alike.stands_for(name)
        counted[name] = {world: {} for world in stands_for}
        if name not in counting or not stands_for:
            continue
        _alone(con, stands_for.values())
        table = computed(con, derivation, now, quick)
        rows = con.raw_sql(
            f"SELECT population, statistic_id, {statistic.n}, {statistic.total or 'NULL'} "
            f'FROM "{table.get_name()}"'
        ).fetchall()
        found: dict[str, dict[str, tuple[int | None, int | None]]] = {}
        for scratch, identity, n, of in rows:
            prefix, _, rest = identity.split(".", maxsplit=2)
            found.setdefault(scratch, {})[f"{prefix}.{rest}"] = (n, of)
        own = {first: found.get(first, {}) for first in set(stands_for.values())}
        counted[name] = {world: own[first] for world, first in stands_for.items()}
    return counted


OF_CURVES = frozenset({"survival_landmarks", "survival_medians", "restricted_means"})
"""Outcome tables whose numbers are read off a Kaplan-Meier curve."""


def _exits(
    con: Engine, now: dict[str, ir.Table], settings: OutcomeSettings, alike: _Alike
) -> dict[str, dict[tuple[str, ...], tuple[Exit, ...]]]:
    stands_for = alike.stands_for("event_counts")
    _alone(con, stands_for.values())
    table = computed(con, derivations()["event_counts"], now, settings)
    rows = con.raw_sql(
        "SELECT population, endpoint, level, factor, factor_level, CAST(time_days AS DOUBLE), "
        f'events, censored FROM "{table.get_name()}"'
    ).fetchall()
    found: dict[str, dict[tuple[str, ...], list[Exit]]] = {}
    for scratch, *curve, time, events, censored in rows:
        exits = found.setdefault(scratch, {}).setdefault(tuple(curve), [])
        exits += [(time, True)] * events + [(time, False)] * censored
    done = {s: {c: tuple(sorted(e)) for c, e in curves.items()} for s, curves in found.items()}
    own = {first: done.get(first, {}) for first in set(stands_for.values())}
    return {world: own[first] for world, first in stands_for.items()}
