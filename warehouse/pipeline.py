"""The steps of a run: plain functions over names and paths; flows/ only say when.

    receive (per site) -> plan -> load_site (per site) -> build -> estimate -> audit -> report ->
    publish

Between steps everything lies under work/<run_id>/, so a step needs nothing but the plan. The
planning half imports neither engine nor contract: a night with nothing to do costs hashing and
comparing.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from schemas.settings import Registry
from warehouse import fingerprints
from warehouse.building.plan import Plan, Published, nothing_visible
from warehouse.concordance import certificate
from warehouse.engine import pseudonyms as identity
from warehouse.engine.connections import Resources, of_registry
from warehouse.intake.receipts import Receipt, before, degraded, in_force
from warehouse.receiving import inbox
from warehouse.releases import consent, decisions, integrity, ledger, releases
from warehouse.store import Store, make_private, write_atomically


def receive(
    store: Store,
    registry: Registry,
    site_id: str,
    now: datetime,
    *,
    key: bytes = identity.DEMONSTRATION_KEY,
    settle_s: float = 0,
) -> Any:
    """Take what is new in a site's inbox; a refused arrival is recorded and the run goes on.

    Args:
        store: the store.
        registry: the registry.
        site_id: one of its sites.
        now: the moment of arrival.
        key: the registry's key.
        settle_s: for how many seconds the files must have rested.
    """
    terms = inbox.Terms(
        key, of_registry(registry).as_options(), settle_s, registry.file.held_below_pct
    )
    with store.lock(wait=True):
        return inbox.receive(store, registry.sites[site_id], now=now, terms=terms)


def plan(
    store: Store,
    registry: Registry,
    key: bytes,
    as_of: date,
    data_cutoff: date,
    without: Mapping[Receipt, str] | None = None,
    problems: tuple[str, ...] = (),
) -> Plan:
    """Decide what a night is made from.

    Args:
        store: the store.
        registry: its sites and settings.
        key: the registry's key.
        as_of: the night: later deliveries are not seen.
        data_cutoff: what happened to patients later is not seen.
        without: receipts of which a delivery could not be loaded, with the reason: each site's last
            one before is taken in its place.
        problems: what was not received.

    Raises:
        Refused: no site has a delivery that is visible at the night; with the reasons of those that
            were refused or are held, and the `problems` of what was not received.
    """
    faulty = without or {}
    seen = {
        s: next((r for r in in_force(store, s, as_of) if r not in faulty), None)
        for s in sorted(registry.sites)
    }
    found = tuple(r for r in seen.values() if r is not None)
    if not found:
        reasons = [*degraded(store, sorted(registry.sites), as_of).values(), *problems]
        raise Refused("\n".join([nothing_visible(store, as_of, some=bool(reasons)), *reasons]))
    earlier = {r.site_id: before(store, r) for r in found}
    purged = consent.fingerprints_of(store, registry.sites)
    ingredients = _ingredients(registry, key, found, earlier, purged, data_cutoff)
    inputs_key = fingerprints.sha256_of(ingredients)
    run_key = fingerprints.sha256_of([inputs_key, as_of, data_cutoff])
    same = _made_before(store, run_key, inputs_key, as_of)
    return Plan(
        run_id=f"{as_of:%Y%m%d}-{run_key[:8]}-{secrets.token_hex(3)}",
        run_key=run_key,
        inputs_key=inputs_key,
        as_of=as_of,
        data_cutoff=data_cutoff,
        receipts=found,
        degraded=degraded(store, [r.site_id for r in found], as_of)
        | {r.site_id: reason for r, reason in faulty.items() if seen[r.site_id]},
        absent=tuple(s for s, r in seen.items() if r is None),
        already=same.release_id if same else None,
        held=bool(same and same.status != "published"),
        ingredients=ingredients,
        earlier=earlier,
    )


def start(store: Store, plan: Plan) -> Path:
    """Make the run's work directory; those of dead runs are cleared away."""
    folder = store.run(plan.run_id)
    with store.lock(wait=True):  # a folder without its process would look dead to another run
        _clear_dead(store)
        make_private(folder)
        (folder / "pid").write_text(str(os.getpid()))
    return folder


def load_site(store: Store, registry: Registry, key: bytes, plan: Plan, site_id: str) -> str:
    """Harmonise and validate one site's delivery; returns a digest without a patient in it."""
    from warehouse.loading import delivery_cache as loaded
    from warehouse.loading import history
    from warehouse.loading.unused import note

    receipt = next(r for r in plan.receipts if r.site_id == site_id)
    site, options = registry.sites[site_id], of_registry(registry).as_options()
    folder = store.run(plan.run_id) / "sites" / site_id
    chain = list(loaded.chain(store, site, plan.earlier.get(site_id, ()), key, options))
    chain.append((receipt, loaded.ready(store, site, receipt, key, options)))
    loaded.linked(chain[-1][1], folder)
    past = [history.Past(r.extraction_date, f) for r, f in chain]
    note([f for _, f in chain], folder)
    with _engine(registry, plan, folder / "scratch.duckdb") as con:
        history.write(con, site_id, past, folder / "quality")
    accepted, aside = loaded.counted(folder)
    return f"{site_id}: {accepted} rows accepted, {aside} quarantined"


def build(store: Store, registry: Registry, plan: Plan) -> None:
    """Derive the marts and write them."""
    from warehouse.audit import judge as auditing
    from warehouse.building import build as tables
    from warehouse.engine.lineage_facts import reach

    auditing.prepare()
    reach(store)
    work = store.run(plan.run_id)
    loaded = _loaded(store, plan)
    with _engine(registry, plan, work / "scratch.duckdb") as con:
        known = tables.registry_tables(con, loaded, plan.data_cutoff)
        made = tables.by_contract(
            tables.derive(con, known, registry.outcome_settings, "transforms")
        )
        tables.gates(con, made.items())
        written = tables.write(con, made | tables.quality_tables(con, loaded), work / "parquet")
    _note(work / "built.json", {n: asdict(w) for n, w in written.items()})


def estimate(store: Store, registry: Registry, plan: Plan) -> None:
    """Estimate the outcomes, the statistics and their members, and write them."""
    from warehouse.building import build as tables
    from warehouse.building.bounds import bounds
    from warehouse.building.sensitivity import sensitivity

    work = store.run(plan.run_id)
    with _engine(registry, plan, work / "scratch.duckdb") as con:
        made = tables.estimates(con, tables.kept(con), registry.outcome_settings)
        known, folders = tables.kept(con), {s.site_id: s.folder for s in _loaded(store, plan)}
        con.insert("sensitivity", sensitivity(con, known, registry.outcome_settings))
        made |= bounds(con, known, registry.outcome_settings, folders, plan.data_cutoff)
        tables.gates(con, made.items())
        written = tables.write(con, made, work / "parquet")
    done = json.loads((work / "built.json").read_text())
    _note(work / "estimated.json", done | {n: asdict(w) for n, w in written.items()})


def audit(store: Store, registry: Registry, plan: Plan) -> str:
    """Ask the whole candidate, and compare it with the release before: passed or held."""
    from warehouse.audit import judge as auditing
    from warehouse.releases.database import write_database

    work = store.run(plan.run_id)
    tables = json.loads((work / "estimated.json").read_text())
    resources = _resources(registry, plan)
    tables["quality/audit"] = asdict(auditing.answer(work, resources))
    _note(work / "estimated.json", tables)
    write_database(work / "parquet", work / "release.duckdb", resources)
    before = releases.previous(store, "", plan.as_of)
    names = (before.release_id if before else None, releases.next_id(store, plan.as_of))
    path = before.path if before else None
    held = auditing.judge(work, path, names, registry.file.audit, plan.absent)
    return "held" if held else "passed"


def publish(
    store: Store,
    plan: Plan,
    now: datetime,
    note: Mapping[str, str] | None = None,
    *,
    lead: bool = True,
) -> Published:
    """Put the release in its place and let `current` point at it, unless it is held.

    Equal content of every table: no new release, only a later night at which it is still true.
    Content that was withdrawn is not published again: the night waits for a decision.

    Args:
        store: the store.
        plan: the run, built and audited.
        now: when.
        note: what else the manifest is to record of the run: a backfill's id and reason.
        lead: move `current`; it never moves backwards.
    """
    work = store.run(plan.run_id)
    tables = json.loads((work / "estimated.json").read_text())
    with store.lock(wait=True):
        same = _made_before(store, plan.run_key, plan.inputs_key, plan.as_of)
        before = releases.previous(store, "", plan.as_of)
        if same is None and before and _hashes(_content(before)) == _hashes(tables):
            same = before
        if same is None:
            same = _withdrawn(store, tables)
        if same is not None:
            result = _confirm(store, plan, same, now, lead=lead)
        else:
            result = _new_release(store, plan, work, tables, before, now, note or {}, lead=lead)
        ledger.record(store, plan, result, now)
    shutil.rmtree(work, ignore_errors=True)
    return result


def confirm(store: Store, plan: Plan, now: datetime, *, lead: bool = True) -> Published:
    """Record that a night has nothing new: the release it has is still true."""
    with store.lock(wait=True):
        same = next(r for r in releases.listing(store) if r.release_id == plan.already)
        result = _confirm(store, plan, same, now, lead=lead)
        ledger.record(store, plan, result, now)
        _clear_dead(store)
    return result


@contextmanager
def _engine(registry: Registry, plan: Plan, path: Path) -> Iterator[Any]:
    from warehouse.engine.embedded import engine

    with engine(path, **_resources(registry, plan).as_options()) as con:
        yield con


def _resources(registry: Registry, plan: Plan) -> Resources:
    """What the engine may use for the deliveries of one night."""
    return of_registry(registry, sum(r.size for r in plan.receipts))


def _ingredients(
    registry: Registry,
    key: bytes,
    found: tuple[Receipt, ...],
    earlier: Mapping[str, tuple[Receipt, ...]],
    purged: Mapping[str, str],
    data_cutoff: date,
) -> dict[str, Any]:
    """What a table can depend on; a cutoff after a site's extraction changes nothing there."""
    return {
        "registry": registry.file.registry,
        "settings": registry.outcome_settings.model_dump(mode="json"),
        "sites": {s: site.model_dump(mode="json") for s, site in sorted(registry.sites.items())},
        "excluded": identity.excluded(key, registry.sites),
        "purged": dict(purged),
        "receipts": [
            _facts(r) | {"cutoff": min(r.extraction_date, data_cutoff).isoformat()} for r in found
        ],
        "earlier": [_facts(r) for _, past in sorted(earlier.items()) for r in past],
        "code_sha256": fingerprints.code_sha256(),
        "engines": dict(fingerprints.engine_versions()),
        "key_fingerprint": identity.fingerprint(key),
    }


def _facts(receipt: Receipt) -> dict[str, str]:
    return {
        "site_id": receipt.site_id,
        "extraction_date": receipt.extraction_date.isoformat(),
        "delivery_id": receipt.delivery_id,
    }


def _made_before(
    store: Store, run_key: str, inputs_key: str, as_of: date
) -> releases.ReleaseInfo | None:
    """The release of this very run, or of an earlier night made from the same ingredients.

    That release may wait for approval: then the night has nothing to do and waits as well.
    Of a night's versions only the last counts: A, B, then A again means A, which is made again.
    """
    known = [r for r in releases.listing(store) if r.status != "withdrawn"]
    last = {(r.as_of, r.data_cutoff): r for r in known}
    for release in last.values():
        if release.run_key == run_key:
            return release
    before = releases.previous(store, "", as_of)
    if before and before.inputs_key == inputs_key:
        return before
    return _still_held(known, before, inputs_key, as_of) or _taken_back(store, inputs_key)


def _taken_back(store: Store, inputs_key: str) -> releases.ReleaseInfo | None:
    """The withdrawn release made from these ingredients, unless a published one is as well."""
    same = [r for r in releases.listing(store) if r.inputs_key == inputs_key]
    if any(r.status == "published" for r in same):
        return None
    return next((r for r in reversed(same) if r.status == "withdrawn"), None)


def _withdrawn(store: Store, tables: Mapping[str, Any]) -> releases.ReleaseInfo | None:
    """The withdrawn release with these numbers, unless a published one has them as well.

    A later export of the same patients differs in `quality` alone, in its date: that is no news.
    """
    known = releases.listing(store)
    if not any(r.status == "withdrawn" for r in known):
        return None
    same = [r for r in known if _numbers(_content(r)) == _numbers(tables)]
    if any(r.status == "published" for r in same):
        return None
    return next((r for r in reversed(same) if r.status == "withdrawn"), None)


def _still_held(
    known: list[releases.ReleaseInfo],
    before: releases.ReleaseInfo | None,
    inputs_key: str,
    as_of: date,
) -> releases.ReleaseInfo | None:
    """The held release of an earlier night that a later one without news would only make again.

    What it was compared with must still be what it would be compared with.
    """
    for release in reversed(known):
        if (release.status, release.inputs_key) == ("held", inputs_key) and release.as_of <= as_of:
            compared = releases.manifest(release.path)["record"].get("previous")
            if compared == (before.release_id if before else None):
                return release
    return None


def _loaded(store: Store, plan: Plan) -> list[Any]:
    from warehouse.building.build import Loaded
    from warehouse.loading.unused import noted

    return [
        Loaded(
            site_id=r.site_id,
            extraction_date=r.extraction_date,
            delivery_id=r.delivery_id,
            folder=store.run(plan.run_id) / "sites" / r.site_id,
            n_files=len(r.files),
            degraded=plan.degraded.get(r.site_id, ""),
            unused=noted(store.run(plan.run_id) / "sites" / r.site_id),
        )
        for r in plan.receipts
    ]


def _content(release: releases.ReleaseInfo) -> Mapping[str, Any]:
    return dict(releases.manifest(release.path)["content"]["tables"])


def _hashes(tables: Mapping[str, Any]) -> dict[str, str]:
    return {name: t["content_sha256"] for name, t in tables.items()}


def _numbers(tables: Mapping[str, Any]) -> dict[str, str]:
    return {n: sha256 for n, sha256 in _hashes(tables).items() if not n.startswith("quality/")}


def _confirm(
    store: Store, plan: Plan, release: releases.ReleaseInfo, now: datetime, *, lead: bool
) -> Published:
    """Still true; a run killed between placing and pointing is completed here."""
    if release.status == "published" and leads(store, release.order, lead=lead):
        releases.point(store, "current", release.release_id, now, plan.as_of)
    return Published(release.release_id, release.path, False, release.status != "published")


def _new_release(
    store: Store,
    plan: Plan,
    work: Path,
    tables: Mapping[str, Any],
    before: releases.ReleaseInfo | None,
    now: datetime,
    note: Mapping[str, str],
    *,
    lead: bool,
) -> Published:
    release_id = releases.next_id(store, plan.as_of)
    audited = _judged(work, before, release_id, plan)
    content = dict(plan.ingredients) | {
        "as_of": plan.as_of.isoformat(),
        "data_cutoff": plan.data_cutoff.isoformat(),
        "run_key": plan.run_key,
        "inputs_key": plan.inputs_key,
        "degraded": dict(plan.degraded),
        "absent": list(plan.absent),
        "tables": tables,
    }
    record: dict[str, Any] = dict(note) | {
        "release_id": release_id,
        "published_at": now.isoformat(),
        "published_by": decisions.user(),
        "run_id": plan.run_id,
        "commit": fingerprints.commit(),
        "held": audited["held"],
        "certificate": certificate.for_record(),
        "previous": before.release_id if before else None,
        "previous_manifest_sha256": (
            fingerprints.file_sha256(before.path / "manifest.json") if before else None
        ),
    }
    built = work / "release"
    _assemble(work, built)
    record["files"] = _besides_tables(built)
    record["database"] = integrity.seen(next(built.glob("*.duckdb")))
    path = releases.place(store, release_id, built, {"content": content, "record": record})
    if not audited["held"] and leads(store, releases.order(plan.as_of, release_id), lead=lead):
        releases.point(store, "current", release_id, now, plan.as_of)
    return Published(release_id, path, True, bool(audited["held"]))


def _assemble(work: Path, built: Path) -> None:
    """The folder of a release, but for the manifest: copies, since a link shares its damage."""
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir()
    for part in ("parquet", "report", "audit"):
        if (work / part).is_dir():
            shutil.copytree(work / part, built / part)
    for part in ("release.duckdb", "changes.json", "CHANGES.md"):
        if (work / part).exists():
            shutil.copy2(work / part, built / part)


def _besides_tables(built: Path) -> dict[str, str]:
    """Hash of every file but the tables, whose hashes stand beside their content's."""
    names = (p.relative_to(built) for p in sorted(built.rglob("*")) if p.is_file())
    return {
        n.as_posix(): fingerprints.file_sha256(built / n) for n in names if n.parts[0] != "parquet"
    }


def _judged(
    work: Path, before: releases.ReleaseInfo | None, release_id: str, plan: Plan
) -> dict[str, Any]:
    """The audit's account; judged again where another release was published since."""
    from schemas.settings import AuditSettings
    from warehouse.audit.judge import judge

    known = json.loads((work / "audit.json").read_text())
    names = (before.release_id if before else None, release_id)
    if (known["compared_with"], known["release"]) == names:
        return dict(known)
    settings = AuditSettings.model_validate(known["tolerances"])
    judge(work, before.path if before else None, names, settings, plan.absent)
    return dict(json.loads((work / "audit.json").read_text()))


def leads(store: Store, order: tuple[date, int], *, lead: bool = True) -> bool:
    """`current` never moves backwards: only what is not before its release takes it."""
    pointer = releases.channel(store, "current")
    if pointer is None:
        return lead
    name = pointer["release_id"]
    known = releases.manifest(store.release(name))["content"]["as_of"]
    now = releases.order(date.fromisoformat(known), name)
    return now == order or (lead and now < order)


def _clear_dead(store: Store) -> None:
    for folder in store.work.iterdir() if store.work.is_dir() else []:
        try:
            os.kill(int((folder / "pid").read_text()), 0)
        except (ProcessLookupError, ValueError, FileNotFoundError):
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue


def _note(path: Path, facts: Any) -> None:
    write_atomically(path, json.dumps(facts, indent=1, sort_keys=True).encode())
