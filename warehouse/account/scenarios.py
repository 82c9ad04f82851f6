"""Compute a number again with one of its causes exchanged, in a scratch folder.

A world is everything that decides a table, but for the code: each site's delivery and site file,
the settings, and the data cutoff. Rebuilding it costs little, since only what lies upstream of the
statistic asked for is derived, and worlds that come to the same accepted rows are derived once.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from analytics.summary import statistics_of
from schemas.settings import OutcomeSettings, Registry
from schemas.site import Site
from schemas.statistic_ids import population_of, row_ids, slug_column, table_of
from schemas.tables.outcomes import Outcome
from warehouse.building.build import Loaded, computed, registry_tables
from warehouse.engine.embedded import content_digest, engine
from warehouse.engine.lineage import Derivation, derivations, upstream
from warehouse.engine.protocol import Engine
from warehouse.fingerprints import sha256_of
from warehouse.loading import delivery_cache as loaded
from warehouse.loading import row_index as rows
from warehouse.store import Store

PROVENANCE = frozenset({"receipt_id", "source_file", "source_row", "source_key", "patient_id"})
"""Columns of registry tables that no derivation reads: where a row came from."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A site's delivery in force, as a manifest names it."""

    site_id: str
    extraction_date: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class World:
    """What a release was made from."""

    deliveries: Mapping[str, Delivered]
    sites: Mapping[str, Site]
    settings: OutcomeSettings
    data_cutoff: date
    without: frozenset[str] = frozenset()
    """Pseudonyms of patients who are left out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A statistic in a world."""

    value: float | None
    n: int | None
    total: int | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A table in the workshop's engine, and what its content is called."""

    table: ir.Table
    digest: str


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where worlds are rebuilt, and what has been made there: nothing is made twice."""

    store: Store
    key: bytes
    folder: Path
    con: Engine
    options: Mapping[str, Any]
    made: dict[str, Made] = field(default_factory=dict)
    accepted: dict[str, dict[str, Made]] = field(default_factory=dict)


Known = dict[str, Made]


def of_release(content: Mapping[str, Any], registry: Registry) -> World:
    """The world of a release, from the content block of its manifest.

    Patients who have withdrawn their consent by today, in `registry`, are in no world.
    """
    names = ("site_id", "extraction_date", "delivery_id")
    delivered = [Delivered(*(str(r[n]) for n in names)) for r in content["receipts"]]
    return World(
        deliveries={d.site_id: d for d in delivered},
        sites=rows.sites_of(content, registry),
        settings=OutcomeSettings.model_validate(content["settings"]),
        data_cutoff=date.fromisoformat(content["data_cutoff"]),
    )


@contextmanager
def workshop(store: Store, key: bytes, options: Mapping[str, Any]) -> Iterator[Workshop]:
    """A scratch folder under work/ that is gone afterwards."""
    folder = store.run(f"worlds-{secrets.token_hex(6)}")
    folder.mkdir(parents=True, mode=0o700)
    (folder / "pid").write_text(str(os.getpid()))
    try:
        with engine(folder / "worlds.duckdb", **options) as con:
            yield Workshop(store, key, folder, con, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answer(shop: Workshop, world: World, statistic: str) -> Answer | None:
    """A statistic in a world, or None where the world has no such number."""
    tables = derived(shop, world, table_of(statistic))
    return estimate(shop, tables, world.settings, statistic)


def frontier(target: str) -> tuple[str, ...]:
    """Row-level tables that an outcome is estimated from, directly or by way of other outcomes."""
    by_name = derivations()
    estimates = {n for n in upstream(target) if n in by_name and by_name[n].room == "analytics"}
    return tuple(sorted({n for m in estimates for n in by_name[m].reads} - estimates))


def load(shop: Workshop, world: World) -> dict[str, Path]:
    """Folders with the accepted rows of each site that has delivered."""
    folders: dict[str, Path] = {}
    for site_id, delivery in world.deliveries.items():
        receipt = rows.receipt_of(shop.store, asdict(delivery))
        site = world.sites[site_id]
        folders[site_id] = loaded.ready(shop.store, site, receipt, shop.key, shop.options)
    return folders


def derived(shop: Workshop, world: World, target: str) -> Known:
    """The frontier of an outcome in a world."""
    wanted = upstream(target)
    tables = derive(shop, accepted(shop, world), world.settings, wanted, "transforms")
    return {n: tables[n] for n in frontier(target)}


def accepted(shop: Workshop, world: World) -> Known:
    """The registry tables of a world."""
    folders = load(shop, world)
    name = sha256_of(
        [world.data_cutoff, {s: str(f) for s, f in folders.items()}, sorted(world.without)]
    )
    if name not in shop.accepted:
        loaded = [
            Loaded(s, date.fromisoformat(world.deliveries[s].extraction_date), "", folder, 0)
            for s, folder in folders.items()
        ]
        everybody = registry(shop, loaded, world.data_cutoff)
        shop.accepted[name] = _left_out(shop, everybody, world.without)
    return shop.accepted[name]


def _left_out(shop: Workshop, tables: Known, without: frozenset[str]) -> Known:
    """The tables without the rows of some patients."""
    if not without:
        return tables
    return {
        name: kept(shop, name, made.table.filter(~made.table.subject_id.isin(sorted(without))))
        if "subject_id" in made.table.columns
        else made
        for name, made in tables.items()
    }


def registry(shop: Workshop, loaded: list[Loaded], data_cutoff: date) -> Known:
    """The registry tables of loaded sites."""
    seen = registry_tables(shop.con, loaded, data_cutoff)
    tables = {n: kept(shop, n, t) for n, t in seen.items()}
    for name in seen:
        shop.con.drop_table(name)  # the name is for views: see _made
    return tables


def estimate(
    shop: Workshop, tables: Known, settings: OutcomeSettings, statistic: str
) -> Answer | None:
    """A statistic, estimated from frontier tables."""
    tables = dict(tables)
    if "population_members" in tables:
        members = tables["population_members"].table
        same = slug_column(members.population) == population_of(statistic)
        tables["population_members"] = kept(shop, "population_members", members.filter(same))
    return _answer(outcome(shop, tables, settings, statistic), statistic)


def outcome(shop: Workshop, tables: Known, settings: OutcomeSettings, statistic: str) -> ir.Table:
    """The outcome table of a statistic, from frontier tables."""
    target = table_of(statistic)
    return derive(shop, tables, settings, upstream(target), "analytics")[target].table


def mixed(shop: Workshop, ours: Known, theirs: Known, subjects: tuple[str, ...]) -> Known:
    """Frontier tables with the rows of some subjects taken from another world."""
    tables: Known = {}
    for name, mine in ours.items():
        table, other = mine.table, theirs[name].table
        if "subject_id" in table.columns and mine.digest != theirs[name].digest:
            chosen = other.filter(other.subject_id.isin(subjects))
            rest = table.filter(~table.subject_id.isin(subjects))
            tables[name] = kept(shop, name, rest.union(chosen))
        else:
            tables[name] = mine
    return tables


def kept(shop: Workshop, name: str, table: ir.Table) -> Made:
    """A table under the name of its content; equal content is one table."""
    return _named(shop, name, shop.con.create_table(f"fresh_{name}", table, overwrite=True))


def _named(shop: Workshop, name: str, fresh: ir.Table) -> Made:
    digest = content_digest(shop.con, fresh, PROVENANCE)
    place = f"{name}_{digest}"
    if place not in shop.made:
        shop.con.raw_sql(f"ALTER TABLE fresh_{name} RENAME TO {place}")
        shop.made[place] = Made(shop.con.table(place), digest)
    return shop.made[place]


def derive(
    shop: Workshop, tables: Known, settings: OutcomeSettings, wanted: frozenset[str], room: str
) -> Known:
    """Add what one room derives; from the same tables and settings it is derived once."""
    tables = dict(tables)
    everything = settings.model_dump(mode="json")
    for name, derivation in derivations().items():
        if name not in wanted or derivation.room != room:
            continue
        sections = [n for n in everything if _sees(derivation, settings, n)]
        reads = [tables[n].digest for n in derivation.reads]
        recipe = f"{name} {sha256_of([reads, {n: everything[n] for n in sections}])}"
        if recipe not in shop.made:
            shop.made[recipe] = _made(shop, derivation, tables, settings)
        tables[name] = shop.made[recipe]
    return tables


def _made(
    shop: Workshop, derivation: Derivation, made_before: Known, settings: OutcomeSettings
) -> Made:
    """One derivation, asked under the names that a night gives its tables: its SQL is known."""
    fresh = replace(derivation, name=f"fresh_{derivation.name}")
    with _as_at_night(shop, {n: made_before[n] for n in derivation.reads}) as tables:
        return _named(shop, derivation.name, computed(shop.con, fresh, tables, settings))


@contextmanager
def _as_at_night(shop: Workshop, tables: Known) -> Iterator[dict[str, ir.Table]]:
    for name, kept_table in tables.items():
        shop.con.raw_sql(f'CREATE VIEW "{name}" AS FROM "{kept_table.table.get_name()}"')
    try:
        yield {name: shop.con.table(name) for name in tables}
    finally:
        for name in tables:
            shop.con.drop_view(name)


def _sees(derivation: Derivation, settings: OutcomeSettings, section: str) -> bool:
    kinds = set(derivation.settings.values())
    return OutcomeSettings in kinds or type(getattr(settings, section)) in kinds


def _answer(table: ir.Table, statistic: str) -> Answer | None:
    contract = derivations()[table_of(statistic)].contract
    assert issubclass(contract, Outcome)
    found = table.filter(table.statistic_id.isin(row_ids(statistic))).to_pyarrow().to_pylist()
    for row in statistics_of(contract, found):
        if row["statistic_id"] == statistic:
            return Answer(*(row[part] for part in ("value", "n", "total", "lower", "upper")))
    return None
