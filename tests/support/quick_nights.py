"""Nights that are received, planned and published for real, with tables that cost nothing.

What a release holds is one small table that follows from the visible delivery, so that a test of
schedules, backfills, crashes and locks needs milliseconds for a night instead of seconds.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows import settings, steps
from schemas.settings import AuditSettings, Registry
from simulation import registry_folder, simulate
from warehouse import pipeline
from warehouse.audit import judge as audit
from warehouse.building.plan import Plan
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.fingerprints import file_sha256
from warehouse.releases import releases
from warehouse.store import Store, write_atomically

SITE = "radiant4_os"
FIRST = date(2015, 12, 31)
REGISTRY = registry_folder(SITE, "csv") / "registry.toml"


def registry() -> Registry:
    """The smallest registry there is: a time, a status and an arm.

    Its deliveries grow and shrink at will, to differ; none is held for that.
    """
    return settings.load_registry(REGISTRY, {"held_below_pct": 0})


def job(store: Store, night: date, **given: Any) -> steps.Job:
    """One night of it."""
    return steps.Job(store, registry(), DEMONSTRATION_KEY, night, night, **given)


def deliver(store: Store, day: date, patients: int) -> Path:
    """Put an export with so many patients into the inbox."""
    folder = store.site_inbox(SITE) / day.isoformat()
    whole = store.root / "whole"
    if not whole.exists():
        simulate(SITE, "csv", FIRST, whole)
    lines = (whole / f"{SITE}.csv").read_text().splitlines(keepends=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{SITE}.csv").write_text("".join(lines[: patients + 1]))
    return folder


def invent(
    replace: Callable[[Any, str, Any], None],
    held: Callable[[date], bool] = lambda _: False,
    build: Callable[[date], None] = lambda _: None,
) -> None:
    """Replace what computes.

    Args:
        replace: sets an attribute, for instance pytest's monkeypatch.setattr.
        held: the nights that the audit holds.
        build: called when a night is built; may wait, raise or kill.
    """

    def load_site(store: Store, *_: Any) -> str:
        return "loaded"

    def built(store: Store, _: Registry, plan: Plan) -> None:
        build(plan.as_of)
        time.sleep(float(os.environ.get("QUICK_SECONDS", "0")))

    def estimate(store: Store, _: Registry, plan: Plan) -> None:
        content = _content(plan)
        work = store.run(plan.run_id)
        path = work / "parquet" / "outcomes" / "statistics.parquet"
        path.parent.mkdir(parents=True)
        with duckdb.connect(str(work / "release.duckdb")) as con:
            con.execute("CREATE SCHEMA outcomes")
            con.execute("CREATE TABLE outcomes.statistics AS SELECT ? AS content", [content])
            con.execute(f"COPY outcomes.statistics TO '{path}'")
        hashes = {"content_sha256": content, "bytes_sha256": file_sha256(path)}
        tables = {"outcomes/statistics": {"rows": 1} | hashes}
        write_atomically(work / "estimated.json", json.dumps(tables).encode())

    def audited(store: Store, _: Registry, plan: Plan) -> str:
        before = releases.previous(store, "", plan.as_of)
        names = (before.release_id if before else None, releases.next_id(store, plan.as_of))
        _account(store.run(plan.run_id), names, held=held(plan.as_of))
        return "held" if held(plan.as_of) else "passed"

    def judge(work: Path, _: Any, names: tuple[str | None, str], *__: Any) -> bool:
        known = json.loads((work / "audit.json").read_text())
        _account(work, names, held=known["held"])
        return bool(known["held"])

    for name, step in {
        "load_site": load_site, "build": built, "estimate": estimate, "audit": audited,
    }.items():  # fmt: skip
        replace(pipeline, name, step)
    replace(audit, "judge", judge)
    replace(steps, "report", lambda *_: None)


def _content(plan: Plan) -> str:
    made_from = "\n".join(r.delivery_id for r in plan.receipts)
    return hashlib.sha256(made_from.encode()).hexdigest()


def _account(work: Path, names: tuple[str | None, str], *, held: bool) -> None:
    account: Mapping[str, Any] = {
        "compared_with": names[0],
        "release": names[1],
        "held": held,
        "reasons": ["invented"] if held else [],
        "tolerances": AuditSettings().model_dump(mode="json"),
    }
    (work / "audit").mkdir(exist_ok=True)
    for path in (work / "audit.json", work / "audit" / "audit.json"):
        write_atomically(path, json.dumps(account).encode())
