"""`y90 serve` runs what is due, on its own server, and leaves nothing behind when stopped."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import settings, steps
from flows.telling import status
from tests.support import quick_nights as quick
from warehouse.releases import ledger
from warehouse.store import Store, lock_file

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300


def test_serve_catches_up_the_latest_night_and_stops_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a downtime: one nightly for the latest night that was due; the others are missed."""
    store = Store.open(tmp_path / "store")
    due = status.last_due(quick.registry(), datetime.now(UTC))
    assert due is not None
    with monkeypatch.context() as invented:
        quick.invent(invented.setattr)
        quick.deliver(store, quick.FIRST, 10)
        steps.nightly(quick.job(store, due - timedelta(days=3)))
    home = tmp_path / "home"
    home.mkdir()
    with _serve(store, home) as process:
        database = store.prefect / "prefect.db"
        _until(lambda: _asked(database, "SELECT count(*) FROM deployment") == [(2,)], process)
        _until(lambda: due.isoformat() in {r["as_of"] for r in ledger.runs(store)}, process)
        ended = "SELECT state_name FROM flow_run WHERE name = ?"
        _until(
            lambda: _asked(database, ended, due.isoformat()) == [("Completed",)],
            process,
        )
        planned = "SELECT 1 FROM flow_run WHERE state_name = 'Scheduled'"
        _until(lambda: _asked(database, planned) != [], process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    assert json.loads(out)["registry"] == quick.SITE
    with lock_file(store.prefect / "starting", wait=False):
        pass
    assert _asked(database, "SELECT count(*) FROM deployment WHERE paused") == [(2,)]
    assert list(home.iterdir()) == [], "nothing is written into the home directory"
    found = status.status(store, quick.registry(), datetime.now(UTC))
    assert found.missed_nights == [(due - timedelta(days=n)).isoformat() for n in (2, 1)], (
        "the nights between are listed"
    )


@contextmanager
def _serve(store: Store, home: Path) -> "Iterator[subprocess.Popen[str]]":
    """Serve; a failed test leaves nothing running and no pipe open, and does not wait for it."""
    foreign = settings.foreign_variables("PREFECT_") | settings.foreign_variables("Y90_")
    environment = {n: v for n, v in os.environ.items() if n not in foreign}
    given = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "serve", "--json", *where],
        env={**environment, "HOME": str(home), "PYTHONPATH": os.pathsep.join([str(ROOT), *given])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_in_the_background,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _as_in_the_background() -> None:
    """A shell without job control lets what it starts with `&` ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _asked(database: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    """Rows of Prefect's database; none while it is still being made."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as con:
        return con.execute(query, values).fetchall()
    return []


def _until(true: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.5)
