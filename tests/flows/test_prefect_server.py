"""A night runs on Prefect cleanly, and leaves nothing behind.

The steps are invented (`invented_night.py`), the server and the flow are real. One store serves all
tests, so that its database is made once.
"""

import base64
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from flows import settings
from flows.prefect import fresh_database
from warehouse.store import user_cache

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "support" / "invented_night.py"
SECRET = "SECRETPATIENT"
STEPS = ["receive", "plan", "start", "build", "estimate", "audit", "report", "publish"]
START_SECONDS = 200
GONE_SECONDS = 20
CACHES = {"XDG_CACHE_HOME": str(user_cache().parent)}
"""Homes are empty, and Prefect's fresh database is made once for all of them."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect") / "store"


def start(store: Path, home: Path, kind: str = "") -> "subprocess.Popen[str]":
    """Begin a night in a process of its own, with an empty home and nothing of Prefect's set."""
    foreign = settings.foreign_variables("PREFECT_") | settings.foreign_variables("Y90_")
    environment = {n: v for n, v in os.environ.items() if n not in foreign}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(store), kind],
        env={**environment, **CACHES, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def night(store: Path, home: Path, kind: str = "") -> dict[str, object]:
    """Run a night to its end: it says nothing but what happened."""
    with start(store, home, kind) as process:
        out, err = process.communicate(timeout=400)
    assert (process.returncode, err) == (0, "")
    assert not lives(store)
    return dict(json.loads(out))


def lives(store: Path) -> bool:
    """Return whether the store's server holds its lock."""
    with (store / "prefect" / "server").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def recorded(store: Path) -> tuple[str, str, dict[str, str]]:
    """Name and state of the last flow run, and the states of its tasks."""
    with closing(sqlite3.connect(store / "prefect" / "prefect.db")) as con:
        key, name, state = con.execute(
            "SELECT id, name, state_name FROM flow_run ORDER BY created DESC LIMIT 1"
        ).fetchone()
        tasks = con.execute("SELECT name, state_name FROM task_run WHERE flow_run_id = ?", [key])
        return name, state, dict(tasks.fetchall())


def test_a_night_is_recorded_task_by_task_and_named_by_its_date(store: Path, home: Path) -> None:
    found = night(store, home)
    assert (found["called"], found["raised"]) == (STEPS, "")
    name, state, tasks = recorded(store)
    assert (name, state) == ("2011-03-31", "Completed")
    assert tasks == dict.fromkeys(["receive memon2012", *STEPS[1:]], "Completed")
    assert list(home.iterdir()) == [], "Prefect writes nothing into the home directory"


def test_a_fresh_database_has_prefects_tables_and_no_run(tmp_path: Path) -> None:
    fresh_database.lay(tmp_path)
    place = tmp_path / "prefect.db"
    assert place.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(place)) as con:
        runs = con.execute("SELECT count(*) FROM flow_run").fetchone()
        (revision,) = con.execute("SELECT version_num FROM alembic_version").fetchone()
    assert (runs, bool(revision)) == ((0,), True)
    assert [p.name for p in tmp_path.iterdir()] == ["prefect.db"]


def test_a_database_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "prefect.db").write_bytes(b"runs of years")
    fresh_database.lay(tmp_path)
    assert (tmp_path / "prefect.db").read_bytes() == b"runs of years"


def test_without_a_cache_prefect_makes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "home").mkdir()
    fresh_database.lay(tmp_path / "home")
    assert list((tmp_path / "home").iterdir()) == []


def test_receiving_is_tried_again_where_the_outside_failed(store: Path, home: Path) -> None:
    found = night(store, home, "retry")
    assert found["called"] == ["receive", "receive", *STEPS]
    assert recorded(store)[1] == "Completed"


def test_a_fault_arrives_as_it_was_and_prefect_is_told_only_its_kind(
    store: Path, home: Path
) -> None:
    """The words of a fault of ours could hold a row of the registry."""
    found = night(store, home, "bug")
    assert found["raised"] == f"ValueError('{SECRET}')"
    assert found["called"] == [*STEPS[:4], "record_failure"]
    assert recorded(store)[1:] == (
        "Failed",
        {"receive memon2012": "Completed", "plan": "Completed", "start": "Completed",
         "build": "Failed"},
    )  # fmt: skip
    assert all(SECRET.encode() not in p.read_bytes() for p in files(store / "prefect"))


def test_a_refusal_arrives_as_a_refusal(store: Path, home: Path) -> None:
    found = night(store, home, "refuse")
    assert str(found["raised"]).startswith("Refused(")
    assert found["called"] == STEPS[:2]


def test_a_held_night_is_named_held(store: Path, home: Path) -> None:
    night(store, home, "held")
    assert recorded(store)[1] == "Held"


def test_the_server_of_a_run_asks_for_the_credential(store: Path, home: Path) -> None:
    """It lives for a minute, and anybody on the machine could reach it."""
    before = running(store)
    with start(store, home, "wait") as process:
        wait_for_running(store, before + 1)
        url = json.loads((store / "prefect" / "server").read_text())["url"]
        body = {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{url}/flow_runs/filter", b"{}", body, method="POST")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(asked)
        own = (store / "prefect" / "credential").read_text().strip()
        asked.add_header("Authorization", f"Basic {base64.b64encode(own.encode()).decode()}")
        with urllib.request.urlopen(asked) as answer:
            assert len(json.loads(answer.read())) >= 1
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_two_runs_share_a_server_that_outlives_the_first_and_dies_with_the_last(
    store: Path, home: Path
) -> None:
    """The second waits for the first, which is killed: neither a lock nor a server is left."""
    before = running(store)
    with start(store, home, "wait") as first:
        wait_for_running(store, before + 1)
        url = json.loads((store / "prefect" / "server").read_text())["url"]
        with start(store, home) as second:
            wait_for_running(store, before + 2)
            assert second.poll() is None, "a second night waits for the first"
            first.send_signal(signal.SIGKILL)
            out, err = second.communicate(timeout=400)
            first.communicate()
    assert (second.returncode, err) == (0, "")
    assert json.loads(out)["url"] == url
    assert not lives(store)


def test_no_server_outlives_a_killed_run(store: Path, home: Path) -> None:
    before = running(store)
    with start(store, home, "wait") as process:
        wait_for_running(store, before + 1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    until = time.monotonic() + GONE_SECONDS
    while lives(store) and time.monotonic() < until:
        time.sleep(0.2)
    assert not lives(store)


def test_the_next_night_says_of_a_killed_one_that_it_crashed(store: Path, home: Path) -> None:
    with closing(sqlite3.connect(store / "prefect" / "prefect.db")) as con, con:
        left = "FROM flow_run WHERE state_name = 'Running'"
        assert con.execute(f"SELECT count(*) {left}").fetchone() > (0,)
        con.execute(
            f"UPDATE flow_run SET start_time = '2020-01-01 00:00:00' WHERE id IN (SELECT id {left})"
        )
    night(store, home)
    with closing(sqlite3.connect(store / "prefect" / "prefect.db")) as con:
        assert con.execute(f"SELECT count(*) {left}").fetchone() == (0,)
    assert recorded(store)[1] == "Completed"


def running(store: Path) -> int:
    """Flow runs that run, or ran when they were killed."""
    with closing(sqlite3.connect(store / "prefect" / "prefect.db")) as con:
        (found,) = con.execute(
            "SELECT count(*) FROM flow_run WHERE state_name IN ('Running', 'Crashed')"
        ).fetchone()
    return int(found)


def wait_for_running(store: Path, wanted: int) -> None:
    """Wait until so many flow runs run."""
    until = time.monotonic() + START_SECONDS
    while running(store) < wanted:
        assert time.monotonic() < until, "the flow did not start"
        time.sleep(0.2)


def files(folder: Path) -> list[Path]:
    """Every file below."""
    return [p for p in folder.rglob("*") if p.is_file()]


def test_while_the_server_starts_nothing_is_imported_that_a_quiet_night_does_not_need() -> None:
    heavy = ("lifelines", "scipy", "great_expectations", "warehouse.building.build")
    asked = (
        "import sys\nfrom flows.commands.nights.run import _imported\n_imported()\n"
        f"print([n for n in {heavy} if n in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
