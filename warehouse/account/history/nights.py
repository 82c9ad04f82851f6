"""The history of a number: what was published of it, and what each night would have said.

Three series over the nights. Known then by the rules then: what was published. Known then by the
rules now: the deliveries of the night under today's settings, site files and code. Known now cut at
then: the newest deliveries up to the night's data cutoff. Their differences divide what separates a
published number from today's, exactly: the rules changed, what had happened by then was reported or
corrected later, and time went on.

A patient who was delivered later and has no dated row by the cutoff is not in the third series; one
who has is, with today's undated facts about him, and those that were edited since are counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from schemas.contract import options, table_name
from schemas.errors import Refused
from schemas.settings import Registry
from schemas.statistic_ids import table_of
from schemas.tables.registry import TABLES
from warehouse import fingerprints
from warehouse.account import scenarios as worlds
from warehouse.account import trace
from warehouse.account.history import reports
from warehouse.account.history.kept import Kept, Rebuilt
from warehouse.account.patients import PatientShares, patients
from warehouse.account.scenarios import Answer, Delivered, Known, Workshop, World
from warehouse.engine import pseudonyms as identity
from warehouse.engine.connections import connection, of_registry
from warehouse.engine.protocol import one_row
from warehouse.loading import delivery_cache
from warehouse.loading import row_index as rows
from warehouse.releases import releases
from warehouse.releases.releases import ReleaseInfo
from warehouse.store import Store

MATURE = Fraction(9, 10)
"""Share of the events up to a night that must have been known then."""
WITHDRAWN = "patients withdrew consent since; they are in no rebuilt number"
ABSENT = "the release has no such number"
UNDATED = tuple(table_name(c) for c in TABLES if not options(c).dated_by)
DATED = {table_name(c): str(options(c).dated_by) for c in TABLES if options(c).dated_by}


@dataclass(frozen=True, slots=True)
class Night:
    """One release in the history of a number; `rules + lag + accrual` is now less published."""

    night: date
    release: str
    status: str
    then_then: Answer | None
    then_now: Answer | None
    now_cut: Answer | None
    rules: Fraction | None
    lag: Fraction | None
    accrual: Fraction | None
    known: Fraction | None
    """Share of what the number counts up to the night, as known today, that was counted then."""
    undated_edits: int
    """Cells without a date that were edited since, of patients whom the night knew."""
    reasons: tuple[str, ...] = ()

    @property
    def immature(self) -> bool:
        """Whether less than nine tenths of the events up to the night were known then."""
        return self.known is not None and self.known < MATURE


@dataclass(frozen=True, slots=True)
class History:
    """The history of one number, and how fast its sites report deaths."""

    statistic: Mapping[str, Any]
    newest: str
    now: Answer | None
    nights: tuple[Night, ...]
    sites: tuple[reports.SiteReports, ...]

    def mature_before(self, night: Night) -> str | None:
        """The last release before this one at which nine tenths of the events were known."""
        earlier = [n for n in self.nights if n.night < night.night]
        return next((n.release for n in reversed(earlier) if n.known and not n.immature), None)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one history is made with."""

    shop: Workshop
    registry: Registry
    statistic: str
    now: World
    kept: Kept
    ways: dict[Delivered, str] = field(default_factory=dict)
    """Each delivery as its site file reads it, by name: asked for every night."""

    def rebuilt(self, world: World, then: World | None = None) -> Rebuilt:
        """A number in a world, computed once; with `then`, as that night would be cut today."""
        recipe = _recipe(self, world, then)
        if recipe not in self.kept.rows:
            self.kept.rows[recipe] = self._computed(world, then)
        self.kept.used.add(recipe)
        return self.kept.rows[recipe]

    def _computed(self, world: World, then: World | None) -> Rebuilt:
        edits = 0
        try:
            if then is not None:
                left_out, edits = _later_known(self.shop, world, then)
                world = replace(world, without=left_out)
            answer = worlds.answer(self.shop, world, self.statistic)
        except Refused as fault:
            return Rebuilt(None, str(fault).splitlines()[0], edits)
        return Rebuilt(answer, "" if answer else "the rows give no such number", edits)


def history(
    store: Store,
    registry: Registry,
    key: bytes,
    statistic: str,
    first: date | None = None,
    last: date | None = None,
) -> History:
    """The history of a number over the releases of a store.

    Args:
        store: the store with the releases and their deliveries.
        registry: today's registry: the rules now.
        key: the registry's key.
        statistic: its id.
        first: nights before are left out.
        last: nights after are left out; the number now is that of the newest release anyway.

    Raises:
        Refused: nothing is published, no release is of those nights, or the newest has no such
            number.
    """
    statistic = statistic.lower()
    newest, seen = _releases(store, first, last)
    with connection() as con:
        row = trace.statistic_row(con, newest.path, statistic)
    content = releases.manifest(newest.path)["content"]
    options_ = of_registry(registry).as_options()
    kept = Kept.read(store, statistic)
    with worlds.workshop(store, key, options_) as shop:
        desk = _Desk(shop, registry, statistic, _world_now(content, registry), kept)
        now = desk.rebuilt(desk.now)
        nights = tuple(_night(desk, r, now.answer) for r in seen)
        kept.write()
        sites = tuple(reports.of_sites(shop, desk.now))
    return History(row, newest.release_id, now.answer, nights, sites)


def late(
    store: Store, registry: Registry, key: bytes, statistic: str, release: Path
) -> PatientShares | None:
    """Whose late or corrected rows are the lag of one night; None where there is no such number."""
    newest, _ = _releases(store, None, None)
    content = releases.manifest(newest.path)["content"]
    with worlds.workshop(store, key, of_registry(registry).as_options()) as shop:
        now = _world_now(content, registry)
        then = _world_then(releases.manifest(release)["content"], registry, now)
        cut = replace(now, data_cutoff=then.data_cutoff)
        left_out, _ = _later_known(shop, cut, then)
        with connection() as con:
            row = trace.statistic_row(con, newest.path, statistic.lower())
        return patients(shop, then, replace(cut, without=left_out), row)


def _releases(
    store: Store, first: date | None, last: date | None
) -> tuple[ReleaseInfo, list[ReleaseInfo]]:
    """The newest published release, and the releases up to it that are asked for."""
    every = [r for r in releases.listing(store) if r.status != "withdrawn"]
    published = [r for r in every if r.status == "published"]
    if not published:
        raise Refused("No release is published: there is no history yet. Run `y90 run`.")
    newest = published[-1]
    seen = [
        r
        for r in every
        if r.order <= newest.order and (first or r.as_of) <= r.as_of <= (last or r.as_of)
    ]
    if not seen:
        raise Refused(
            f"No release is of these nights. There are {every[0].as_of} to {newest.as_of}."
        )
    return newest, seen


def _world_now(content: Mapping[str, Any], registry: Registry) -> World:
    """Today's rules over the deliveries of the newest release."""
    world = worlds.of_release(content, registry)
    sites = dict(registry.sites)
    delivered = {s: d for s, d in world.deliveries.items() if s in sites}
    return World(delivered, sites, registry.outcome_settings, world.data_cutoff)


def _world_then(content: Mapping[str, Any], registry: Registry, now: World) -> World:
    """Today's rules over the deliveries of a night."""
    then = worlds.of_release(content, registry)
    delivered = {s: d for s, d in then.deliveries.items() if s in now.sites}
    return replace(now, deliveries=delivered, data_cutoff=then.data_cutoff)


def _night(desk: _Desk, release: ReleaseInfo, now: Answer | None) -> Night:
    content = releases.manifest(release.path)["content"]
    then = _world_then(content, desk.registry, desk.now)
    published, absent = _published(release, desk.statistic)
    then_now = desk.rebuilt(then)
    now_cut = desk.rebuilt(replace(desk.now, data_cutoff=then.data_cutoff), then)
    reasons = [absent, then_now.reason, now_cut.reason]
    if content.get("excluded", {}) != identity.excluded(desk.shop.key, desk.registry.sites):
        reasons.append(WITHDRAWN)
    return Night(
        night=release.as_of,
        release=release.release_id,
        status=release.status,
        then_then=published,
        then_now=then_now.answer,
        now_cut=now_cut.answer,
        rules=_less(then_now.answer, published),
        lag=_less(now_cut.answer, then_now.answer),
        accrual=_less(now, now_cut.answer),
        known=_share(then_now.answer, now_cut.answer),
        undated_edits=now_cut.undated_edits,
        reasons=tuple(dict.fromkeys(r for r in reasons if r)),
    )


def _published(release: ReleaseInfo, statistic: str) -> tuple[Answer | None, str]:
    """The number as the release says it, or why it does not."""
    with connection() as con:
        try:
            row = trace.statistic_row(con, release.path, statistic)
        except Refused:
            return None, ABSENT
    return Answer(*(row[part] for part in ("value", "n", "total", "lower", "upper"))), ""


def _less(one: Answer | None, other: Answer | None) -> Fraction | None:
    if one is None or other is None or one.value is None or other.value is None:
        return None
    return Fraction(one.value) - Fraction(other.value)


def _share(then: Answer | None, now: Answer | None) -> Fraction | None:
    if then is None or now is None or then.n is None or not now.n:
        return None
    return Fraction(then.n, now.n)


def _later_known(shop: Workshop, cut: World, then: World) -> tuple[frozenset[str], int]:
    """Patients of today whom nothing dates by the cutoff, and cells without a date edited since.

    A patient whom the night knew stays, dated or not.
    """
    old, new = worlds.accepted(shop, then), worlds.accepted(shop, cut)
    dated = " UNION ".join(
        f'SELECT subject_id FROM {_place(new, name)} WHERE "{day}" IS NOT NULL'
        for name, day in DATED.items()
    )
    found = shop.con.raw_sql(
        f"SELECT subject_id FROM {_place(new, 'patients')} WHERE subject_id NOT IN ({dated}) "
        f"AND subject_id NOT IN (SELECT subject_id FROM {_place(old, 'patients')})"
    )
    left_out = frozenset(str(s) for (s,) in found.fetchall())
    return left_out, sum(_edited(shop, old, new, name) for name in UNDATED)


def _edited(shop: Workshop, old: Known, new: Known, name: str) -> int:
    """Cells of a table that differ, in rows of one key."""
    if old[name].digest == new[name].digest:
        return 0
    cells = [
        f'(a."{c}" IS DISTINCT FROM b."{c}")::INTEGER'
        for c in old[name].table.columns
        if c not in worlds.PROVENANCE
    ]
    (edited,) = one_row(
        shop.con,
        f"SELECT coalesce(sum({' + '.join(cells)}), 0) FROM {_place(old, name)} a "
        f"JOIN {_place(new, name)} b USING (row_id)",
    )
    return int(edited)


def _place(tables: Known, name: str) -> str:
    return f'"{tables[name].table.get_name()}"'


def _recipe(desk: _Desk, world: World, then: World | None) -> str:
    """The name of everything that a rebuilt number follows from."""
    return fingerprints.sha256_of(
        [
            desk.statistic,
            table_of(desk.statistic),
            fingerprints.code_sha256(),
            dict(fingerprints.engine_versions()),
            world.settings.model_dump(mode="json"),
            world.data_cutoff,
            sorted(_ways(desk, world)),
            sorted(_ways(desk, then)) if then else [],
        ]
    )


def _ways(desk: _Desk, world: World) -> Iterator[str]:
    for delivery in world.deliveries.values():
        if delivery not in desk.ways:
            desk.ways[delivery] = _way(desk, world, delivery)
        yield desk.ways[delivery]


def _way(desk: _Desk, world: World, delivery: Delivered) -> str:
    try:
        receipt = rows.receipt_of(desk.shop.store, asdict(delivery))
    except Refused:
        return f"{delivery} gone"
    site = world.sites[delivery.site_id]
    where = delivery_cache.place(desk.shop.store, site, receipt, desk.shop.key)
    return f"{delivery.site_id} {where.relative_to(desk.shop.store.root)}"
