"""The ledger of runs: a cache of receipts and manifests; lost or damaged, it is made again."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from warehouse.building.plan import Plan, Published
from warehouse.intake.receipts import visible
from warehouse.releases import releases
from warehouse.store import Store

TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    as_of TEXT NOT NULL,
    data_cutoff TEXT NOT NULL,
    run_key TEXT NOT NULL,
    release_id TEXT,
    outcome TEXT NOT NULL,
    ended_at TEXT NOT NULL
)
"""


def record(store: Store, plan: Plan, result: Published, now: datetime) -> None:
    """Note how a run ended: published, unchanged or held."""
    outcome = "held" if result.held else "published" if result.created else "unchanged"
    _write(store, plan, result.release_id, outcome, now)


def record_failure(store: Store, plan: Plan, now: datetime) -> None:
    """Note that a run failed."""
    _write(store, plan, None, "failed", now)


def runs(store: Store) -> list[dict[str, Any]]:
    """Every run known, oldest first; where the ledger is lost, what the store itself tells.

    Nothing is written: the next run makes a lost ledger again.
    """
    if store.ledger.exists():
        with (
            suppress(sqlite3.DatabaseError),  # damaged
            closing(
                sqlite3.connect(f"{store.ledger.absolute().as_uri()}?mode=ro", uri=True)
            ) as con,
        ):
            con.row_factory = sqlite3.Row
            return [dict(r) for r in con.execute("SELECT * FROM runs ORDER BY ended_at, run_id")]
    return sorted(recovered(store), key=lambda r: (r["ended_at"], r["run_id"]))


def recovered(store: Store) -> Iterator[dict[str, Any]]:
    """The runs that manifests, receipts and the pointer tell of; of failed ones nothing is left.

    A night after a release, at which the same receipts were visible and which `current` has been
    found true at, was a run that found nothing to do.
    """
    published = [r for r in releases.listing(store) if r.status != "withdrawn"]
    pointer = releases.channel(store, "current") or {}
    fresh = date.fromisoformat(pointer.get("fresh_as_of", date.min.isoformat()))
    for release, after in zip_longest(published, published[1:]):
        facts = releases.manifest(release.path)
        run = _run(facts, release.run_key, release.release_id)
        yield run
        until = after.as_of - timedelta(days=1) if after else fresh
        for night in _nights(release.as_of, until):
            if _seen(store, facts, night) == _facts(facts["content"]["receipts"]):
                yield run | {
                    "run_id": f"{night:%Y%m%d}-recovered",
                    "as_of": night.isoformat(),
                    "data_cutoff": night.isoformat(),
                    "outcome": "held" if release.status == "held" else "unchanged",
                }


def _run(manifest: Mapping[str, Any], run_key: str, release_id: str) -> dict[str, Any]:
    return {
        "run_id": manifest["record"]["run_id"],
        "as_of": manifest["content"]["as_of"],
        "data_cutoff": manifest["content"]["data_cutoff"],
        "run_key": run_key,
        "release_id": release_id,
        "outcome": "held" if manifest["record"]["held"] else "published",
        "ended_at": manifest["record"]["published_at"],
    }


def _nights(after: date, until: date) -> Iterator[date]:
    for day in range(1, (until - after).days + 1):
        yield after + timedelta(days=day)


def _seen(store: Store, manifest: Mapping[str, Any], night: date) -> set[tuple[str, str, str]]:
    """The deliveries in force at a night, of the sites that the release had or missed."""
    content = manifest["content"]
    sites = {r["site_id"] for r in content["receipts"]} | set(content["absent"])
    receipts = [r for r in (visible(store, s, night) for s in sorted(sites)) if r is not None]
    return {(r.site_id, r.extraction_date.isoformat(), r.delivery_id) for r in receipts}


def _facts(receipts: Iterable[Mapping[str, str]]) -> set[tuple[str, str, str]]:
    return {(r["site_id"], r["extraction_date"], r["delivery_id"]) for r in receipts}


def _write(store: Store, plan: Plan, release_id: str | None, outcome: str, now: datetime) -> None:
    values = (
        plan.run_id,
        plan.as_of.isoformat(),
        plan.data_cutoff.isoformat(),
        plan.run_key,
        release_id,
        outcome,
        now.isoformat(),
    )
    with closing(_open(store)) as con, con:
        con.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _open(store: Store) -> sqlite3.Connection:
    """The ledger; one that is lost or damaged is made again first."""
    store.state.mkdir(parents=True, exist_ok=True)
    told = runs(store) if _lost(store) else []
    con = sqlite3.connect(store.ledger, timeout=30)
    con.execute("PRAGMA journal_mode=WAL")
    with con:
        con.execute(TABLE)
        rows = [tuple(run.values()) for run in told]
        con.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return con


def _lost(store: Store) -> bool:
    """Return whether there is no ledger, after removing a file that is no database."""
    if not store.ledger.exists():
        return True
    try:
        with closing(sqlite3.connect(store.ledger, timeout=30)) as con:
            con.execute("SELECT count(*) FROM runs")
    except sqlite3.OperationalError:
        return False  # locked, or a table not yet made
    except sqlite3.DatabaseError:
        for ending in ("", "-wal", "-shm"):
            store.ledger.with_name(store.ledger.name + ending).unlink(missing_ok=True)
        return True
    return False
