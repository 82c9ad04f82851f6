"""`y90 serve` runs what is due, on its own server, and leaves nothing behind when stopped."""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows import settings, steps
from flows.prefect import server
from flows.telling import status
from tests.support import quick_nights as quick
from warehouse.releases import ledger
from warehouse.store import Store, lock_file, user_cache

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
    out_file = tmp_path / "said"
    with _serve(store, home, out_file) as process:
        database = store.prefect / "prefect.db"
        _until(lambda: _asked(database, "SELECT count(*) FROM deployment") == [(2,)], process)
        _until(lambda: due.isoformat() in {r["as_of"] for r in ledger.runs(store)}, process)
        ended = "SELECT state_name FROM flow_run WHERE name = ?"
        _until(
            lambda: _asked(database, ended, due.isoformat()) == [("Completed",)],
            process,
        )
        told = json.loads(_line(out_file, process))
        assert told["page"] == json.loads((store.prefect / "server").read_text())["url"][:-4]
        assert _page_finds_its_api(told["page"])
        _nobody_without_the_credential(store, told["page"])
        _no_other_place(store, told["page"], tmp_path / "elsewhere", process)
        planned = "SELECT 1 FROM flow_run WHERE state_name = 'Scheduled'"
        _until(lambda: _asked(database, planned) != [], process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    assert told["registry"] == quick.SITE
    with lock_file(store.prefect / "starting", wait=False):
        pass
    assert _asked(database, "SELECT count(*) FROM deployment WHERE paused") == [(2,)]
    assert list(home.iterdir()) == [], "nothing is written into the home directory"
    found = status.status(store, quick.registry(), datetime.now(UTC))
    assert found.missed_nights == [(due - timedelta(days=n)).isoformat() for n in (2, 1)], (
        "the nights between are listed"
    )


@contextmanager
def _serve(store: Store, home: Path, said: Path) -> "Iterator[subprocess.Popen[str]]":
    """Serve, as a service whose output is a file; a failed test leaves nothing running."""
    foreign = settings.foreign_variables("PREFECT_") | settings.foreign_variables("Y90_")
    environment = {n: v for n, v in os.environ.items() if n not in foreign}
    given = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    where = ["--store", str(store.root), "--config", str(quick.REGISTRY)]
    with (
        said.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "flows", "serve", "--json", *where],
            env={
                **environment,
                "HOME": str(home),
                "XDG_CACHE_HOME": str(user_cache().parent),
                "PYTHONPATH": os.pathsep.join([str(ROOT), *given]),
            },
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_as_in_the_background,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _line(said: Path, process: "subprocess.Popen[str]") -> str:
    """What it says while it serves: not only when it stops."""
    _until(lambda: said.read_text().rstrip().endswith("}"), process)
    return said.read_text()


def _page_finds_its_api(page: str) -> bool:
    with urllib.request.urlopen(f"{page}/ui-settings") as answer:
        told = json.loads(answer.read())
    return bool((told["api_url"], told["auth"]) == (f"{page}/api", "BASIC"))


def _call(page: str, path: str, body: object, credential: str = "") -> tuple[int, Any]:
    """Status and answer of one call of Prefect's API."""
    request = urllib.request.Request(
        f"{page}/api/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    if credential:
        request.add_header(
            "Authorization", f"Basic {base64.b64encode(credential.encode()).decode()}"
        )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, None


def _nobody_without_the_credential(store: Store, page: str) -> None:
    """Neither reading nor starting, changing or cancelling a run; nor with another store's."""
    with closing(sqlite3.connect(store.prefect / "prefect.db")) as con:
        ((run,),) = con.execute("SELECT id FROM flow_run WHERE state_name = 'Completed'").fetchall()
        ((deployment,),) = con.execute("SELECT id FROM deployment LIMIT 1").fetchall()
    asked: tuple[tuple[str, object], ...] = (
        ("flow_runs/filter", {}),
        (f"deployments/{deployment}/create_flow_run", {}),
        (f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLED"}, "force": True}),
        ("flow_runs/", {}),
    )
    for path, body in asked:
        assert _call(page, path, body) == (401, None)
        assert _call(page, path, body, "y90:of another store") == (401, None)
    assert _call(page, "flow_runs/filter", {}, server.credential(store))[0] == 200


def _no_other_place(
    store: Store, page: str, elsewhere: Path, process: "subprocess.Popen[str]"
) -> None:
    """A run that names a store or a registry is refused, is told, and writes nothing there."""
    own = server.credential(store)
    _, known = _call(page, "deployments/filter", {}, own)
    wrong = {"store": str(elsewhere), "config": str(quick.REGISTRY)}
    for one in known:
        path = f"deployments/{one['id']}/create_flow_run"
        for part in wrong:
            assert _call(page, path, {"parameters": {part: wrong[part]}}, own)[0] == 409
        unchecked = {"parameters": wrong, "enforce_parameter_schema": False}
        _, run = _call(page, path, unchecked, own)
        _until(partial(_failed, store, run["name"]), process)
    assert not elsewhere.exists()


def _failed(store: Store, name: str) -> bool:
    ended = "SELECT state_name FROM flow_run WHERE name = ?"
    return _asked(store.prefect / "prefect.db", ended, name) in ([("Failed",)], [("Crashed",)])


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
