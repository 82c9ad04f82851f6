"""Which runs ended how? A cache of receipts, manifests and decisions; it can be rebuilt."""

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warehouse.store import Store

if TYPE_CHECKING:
    from warehouse.pipeline import Plan, Published

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


def record(store: Store, plan: "Plan", result: "Published", now: datetime) -> None:
    """Note how a run ended: published, unchanged or held."""
    outcome = "held" if result.held else "published" if result.created else "unchanged"
    _write(store, plan, result.release_id, outcome, now)


def record_failure(store: Store, plan: "Plan", now: datetime) -> None:
    """Note that a run failed."""
    _write(store, plan, None, "failed", now)


def runs(store: Store) -> list[dict[str, Any]]:
    """Every run known, oldest first."""
    if not store.ledger.exists():
        return []
    with closing(_open(store)) as con:
        con.row_factory = sqlite3.Row
        return [dict(r) for r in con.execute("SELECT * FROM runs ORDER BY ended_at, run_id")]


def rebuild(store: Store) -> int:
    """Make the ledger again from the manifests; returns the number of runs."""
    from warehouse import releases

    store.ledger.unlink(missing_ok=True)
    with closing(_open(store)) as con, con:
        for release in releases.listing(store):
            found = releases.manifest(release.path)
            held = "held" if found["record"]["held"] else "published"
            con.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    found["record"]["run_id"],
                    found["content"]["as_of"],
                    found["content"]["data_cutoff"],
                    release.run_key,
                    release.release_id,
                    held,
                    found["record"]["published_at"],
                ),
            )
    return len(runs(store))


def _write(store: Store, plan: "Plan", release_id: str | None, outcome: str, now: datetime) -> None:
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
    store.state.mkdir(parents=True, exist_ok=True)
    con = sqlite3.connect(store.ledger, timeout=30)
    con.execute("PRAGMA journal_mode=WAL")
    con.execute(TABLE)
    return con
