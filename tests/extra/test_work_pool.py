"""A night runs where Prefect's work pools start it, from prefect.yaml alone."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows import settings
from flows.prefect import server
from tests.support import quick_nights as quick
from warehouse.releases import releases
from warehouse.store import Store

pytestmark = pytest.mark.extra
ROOT = Path(__file__).resolve().parent.parent.parent
Y90 = {"Y90_CONFIG": str(quick.REGISTRY), "Y90_CHECKOUT": str(ROOT)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one delivery."""
    made = Store.open(tmp_path / "store")
    quick.deliver(made, quick.FIRST, 302)
    return made


@pytest.fixture
def environment(store: Store, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Prefect's server is running; home directory and everything of Prefect's lie in tmp_path."""
    foreign = settings.foreign_variables("PREFECT_") | settings.foreign_variables("Y90_")
    with server.prefect_api(store, schedules=True):
        own = {n: v for n, v in os.environ.items() if n not in foreign or n in server.QUIET}
        urls = {n: os.environ[n] for n in ("PREFECT_API_URL", "PREFECT_HOME")}
        given = {"HOME": str(tmp_path), "Y90_STORE": str(store.root), "PYTHONPATH": str(ROOT)}
        yield own | urls | Y90 | given


def prefect(environment: dict[str, str], *words: str) -> str:
    """One command of Prefect's, from the checkout as prefect.yaml wants it."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ended(store: Store, name: str) -> tuple[str, str | None]:
    """The last state of a flow run, and what Prefect was told."""
    asked = (
        "SELECT s.name, s.message FROM flow_run_state s JOIN flow_run r ON s.id = r.state_id "
        "WHERE r.name = ?"
    )
    with closing(sqlite3.connect(store.prefect / "prefect.db")) as con:
        (found,) = con.execute(asked, (name,)).fetchall()
    return found[0], found[1]


def test_a_worker_makes_the_night_that_was_deployed(
    store: Store, environment: dict[str, str]
) -> None:
    prefect(environment, "work-pool", "create", "y90", "--type", "process")
    prefect(environment, "--no-prompt", "deploy", "--all")
    night = json.dumps({"as_of": quick.FIRST.isoformat()})
    prefect(environment, "deployment", "run", "nightly/y90", "--params", night)
    prefect(environment, "worker", "start", "--pool", "y90", "--run-once")
    assert ended(store, quick.FIRST.isoformat()) == ("Completed", None)
    (release,) = releases.listing(store)
    assert (release.as_of, release.status) == (quick.FIRST, "published")
