"""Plan a backfill: which nights are made again, why, and which tables are expected to move.

    missing       no release, and a delivery that no earlier release has
    new inputs    a release, but another delivery is visible now: one came late; a restatement
    failed        its last run failed
    redefined     made with other settings, site files, code, engines or key
    unchanged     what it has, or the night before has, is made from the same
    held          waits for approval
    withdrawn     what it would have was withdrawn: it waits for approval as well
    no delivery   the night lies before the first delivery: there is nothing to make it from

A night is planned as if those before it were made.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

from schemas.errors import Refused
from schemas.settings import Registry
from warehouse import pipeline
from warehouse.building.plan import Plan
from warehouse.intake.receipts import receipts, visible
from warehouse.releases import ledger, releases
from warehouse.store import Store

Reprocess = Literal["none", "failed", "completed"]
Reason = Literal[
    "missing",
    "new inputs",
    "failed",
    "redefined",
    "unchanged",
    "held",
    "withdrawn",
    "no delivery",
]
WANTED: Mapping[Reprocess, frozenset[Reason]] = {
    "none": frozenset({"missing", "new inputs"}),
    "failed": frozenset({"missing", "new inputs", "failed"}),
    "completed": frozenset({"missing", "new inputs", "failed", "redefined"}),
}
DELIVERED = frozenset({"receipts", "earlier"})
"""Ingredients that a delivery changes; all others are ours."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night of a range."""

    night: date
    reason: Reason
    wanted: bool
    """To be made in the mode asked for."""
    changed: tuple[str, ...]
    """The ingredients that differ from the release before."""
    files: tuple[tuple[str, str], ...]
    """Site and file of what was delivered otherwise."""

    def facts(self) -> dict[str, Any]:
        """As kept with the backfill."""
        return asdict(self) | {"night": self.night.isoformat()}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a night is compared with."""

    inputs_key: str
    ingredients: Mapping[str, Any]


def nights(
    store: Store, registry: Registry, key: bytes, first: date, last: date, reprocess: Reprocess
) -> list[Night]:
    """Plan every night from the first to the last, inclusive."""
    released = {r.as_of: r for r in releases.listing(store) if r.status != "withdrawn"}
    ended = {run["as_of"]: run for run in ledger.runs(store)}
    earlier = [r for r in released.values() if r.as_of < first and r.status == "published"]
    known = _of(earlier[-1]) if earlier else None
    found = []
    waiting = not_received(store, registry)
    for night in _range(first, last):
        if not _delivered(store, night):
            found.append(Night(night, "no delivery", False, (), ()))
            continue
        own = released.get(night)
        if night in waiting or (waiting and known is None and not _visible(store, registry, night)):
            reason: Reason = "new inputs" if own else "missing"
            found.append(Night(night, reason, True, ("receipts",), ()))
            continue
        plan = pipeline.plan(store, registry, key, night, night)
        run = ended.get(night.isoformat())
        one = _judged(store, plan, own, run, known, reprocess)
        found.append(one)
        if one.wanted or (plan.already and one.reason != "withdrawn"):
            known = _Known(plan.inputs_key, plan.ingredients)
        elif own and own.status == "published":
            known = _of(own)
    return found


def tables(registry: Registry, planned: list[Night]) -> list[str]:
    """The outcome tables that the wanted nights can move, by lineage.

    A delivery moves what is made from the files that differ, everything of ours moves everything.
    """
    from warehouse.engine.lineage import PROVIDED, derivations, downstream

    wanted = [n for n in planned if n.wanted]
    ours = any(set(n.changed) - DELIVERED or n.reason == "failed" for n in wanted)
    touched = set(PROVIDED) if ours else {t for n in wanted for t in _fed(registry, n)}
    known = derivations()
    return sorted(n for n in downstream(touched) if known[n].room == "analytics")


def not_received(store: Store, registry: Registry) -> set[date]:
    """Dates of exports that lie in an inbox without a receipt."""
    found = set()
    for site_id in registry.sites:
        known = {r.extraction_date for r in receipts(store, site_id)}
        for folder in store.site_inbox(site_id).glob("????-??-??"):
            with suppress(ValueError):
                found |= {date.fromisoformat(folder.name)} - known
    return found


def _visible(store: Store, registry: Registry, night: date) -> bool:
    return any(visible(store, s, night) for s in registry.sites)


def _range(first: date, last: date) -> Iterator[date]:
    for day in range((last - first).days + 1):
        yield first + timedelta(days=day)


def _of(release: releases.ReleaseInfo) -> _Known:
    return _Known(release.inputs_key, releases.manifest(release.path)["content"])


def _judged(
    store: Store,
    plan: Plan,
    own: releases.ReleaseInfo | None,
    run: Mapping[str, Any] | None,
    known: _Known | None,
    reprocess: Reprocess,
) -> Night:
    against = _of(own) if own else known
    changed = _changed(plan, against)
    reason: Reason
    if plan.held and _is_withdrawn(store, plan):
        reason = "withdrawn"
    elif own and own.status == "held" and own.run_key == plan.run_key:
        reason = "held"
    elif own and not changed:
        reason = "unchanged"
    elif run and run["outcome"] == "failed":
        reason = "failed"
    elif not changed or (run and run["run_key"] == plan.run_key):
        reason = "unchanged"
    elif not set(changed) & DELIVERED and against is not None:
        reason = "redefined"
    else:
        reason = "new inputs" if own else "missing"
    files = _differing(store, plan, against) if set(changed) & DELIVERED else ()
    return Night(plan.as_of, reason, reason in WANTED[reprocess], changed, files)


def _is_withdrawn(store: Store, plan: Plan) -> bool:
    return any(
        r.release_id == plan.already and r.status == "withdrawn" for r in releases.listing(store)
    )


def _changed(plan: Plan, against: _Known | None) -> tuple[str, ...]:
    if against is None:
        return ("receipts",)
    if against.inputs_key == plan.inputs_key:
        return ()
    return tuple(
        n for n, now in plan.ingredients.items() if _plain(now) != against.ingredients.get(n)
    )


def _plain(value: Any) -> Any:
    """As it would stand in a manifest."""
    return json.loads(json.dumps(value, default=str))


def _differing(store: Store, plan: Plan, against: _Known | None) -> tuple[tuple[str, str], ...]:
    """Files of the visible deliveries that the release before was not made from."""
    made_from = against.ingredients["receipts"] if against else []
    old = {(r["site_id"], r["delivery_id"]) for r in made_from}
    before = {
        (r.site_id, f.name, f.sha256)
        for site_id, delivery_id in old
        for r in receipts(store, site_id)
        if r.delivery_id == delivery_id
        for f in r.files
    }
    return tuple(
        (r.site_id, f.name)
        for r in plan.receipts
        for f in r.files
        if (r.site_id, f.name, f.sha256) not in before
    )


def _fed(registry: Registry, night: Night) -> Iterator[str]:
    """The registry tables that a night's differing files feed."""
    from schemas.contract import table_name
    from schemas.tables.intermediate import GIVEN
    from warehouse.engine.lineage import PROVIDED

    yield from map(table_name, GIVEN)
    for site_id, file in night.files:
        site, stem = registry.sites[site_id], file.rsplit("/", 1)[-1].split(".")[0]
        if site.format != "tables":
            yield from PROVIDED
        elif stem in PROVIDED:
            yield stem
        for table, parts in site.tables.items():
            if any((p.file or f"{table}.csv").split(".")[0] == stem for p in parts):
                yield table


def check(store: Store, first: date, last: date, today: date) -> None:
    """Refuse a range that is none.

    Raises:
        Refused: it is in reverse, in the future, or over before the first delivery.
    """
    if last < first:
        raise Refused(f"--from-date {first}: after --to-date {last}. Name the earlier night first.")
    if last > today:
        raise Refused(f"--to-date {last}: in the future. Name a night up to {today}.")
    if not _delivered(store, last):
        raise Refused(
            f"{last}: nothing is visible. Put an export into {store.inbox}/<site>/<YYYY-MM-DD>/ "
            "with a date not after the night, or end with a later --to-date."
        )


def _delivered(store: Store, night: date) -> bool:
    """Whether anything lies in an inbox, or was received, with a date up to a night."""
    waiting = store.inbox.glob("*/????-??-??")
    received = store.raw.glob("*/receipts/????-??-??-*.json")
    return any(p.name[:10] <= night.isoformat() for room in (waiting, received) for p in room)
