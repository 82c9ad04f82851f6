"""Keep Prefect's record of runs on a server of the store's own, on loopback.

Prefect's in-process server misses its start under load and loses records, so a real one is started
where none is named by PREFECT_API_URL. Every run of a store shares it: a user of the server holds a
shared lock on `users`, and the server stops itself when nobody holds one. The kernel frees the lock
of a run that is killed, so no server is left behind.

    store/prefect/
      users        lock: shared by those who use the server
      starting     lock: one of them starts it
      server       lock of the server itself, and its address and process
      credential   what API and page ask for (basic authentication), readable by its owner alone
      prefect.db   Prefect's database: names, states, paths and hashes, never a row

A server takes seconds to answer. Whoever starts one names what it imports meanwhile.
"""

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flows.prefect import fresh_database
from flows.prefect.fresh_database import QUIET
from flows.settings import foreign_variables
from schemas.errors import Failed
from warehouse.store import Store, create_atomically, lock_file, make_private

Child = subprocess.Popen[bytes]
LOOPBACK = "127.0.0.1"
LOG = "server.log"
START_SECONDS = 180
"""A server takes about four seconds of an idle machine, and ten more where it makes its database;
many times that of a busy one."""
STOP_SECONDS = 10
POLL_SECONDS = 0.1


IDLE_SERVICES = (
    "SCHEDULER",
    "LATE_RUNS",
    "FOREMAN",
    "PAUSE_EXPIRATIONS",
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "REPOSSESSOR",
    "TRIGGERS",
    "EVENT_PERSISTER",
    "EVENT_LOGGER",
)
"""What a server of one run has no use for. It keeps the recorder of task runs: with Prefect's own
`--no-services` no task would ever be recorded."""


@contextmanager
def prefect_api(
    store: Store,
    *,
    schedules: bool = False,
    port: int = 0,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[str]:
    """Prefect's environment of this process, with a server that answers; yields the server's URL.

    To be entered before Prefect is imported, which reads its environment once; `meanwhile` may.

    Args:
        store: the store.
        schedules: the server also keeps schedules and shows Prefect's page.
        port: its port; 0 for a free one.
        meanwhile: what is done in that environment until the server answers.

    Raises:
        Failed: no server could be started, or one without schedules is running.
    """
    named = foreign_variables("PREFECT_").get("PREFECT_API_URL")
    if named:
        with _environment({**QUIET, "PREFECT_HOME": _home(store), "PREFECT_API_URL": named}):
            yield named
        return
    make_private(store.prefect)
    store.prefect.chmod(0o700)
    with _user(store.prefect / "users") as lock:
        url, started = _ensure(store, schedules=schedules, port=port, meanwhile=meanwhile)
        try:
            with _environment(_of_client(store, url)):
                yield url
        finally:
            _leave(store, lock, started)


def _home(store: Store) -> str:
    return foreign_variables("PREFECT_").get("PREFECT_HOME") or str(store.prefect)


def _of_client(store: Store, url: str) -> dict[str, str]:
    """The variables of a process that speaks to the store's server."""
    return {
        **QUIET,
        "PREFECT_HOME": _home(store),
        "PREFECT_API_URL": url,
        "PREFECT_API_AUTH_STRING": credential(store),
        **_no_proxy(),
    }


def credential_file(store: Store) -> Path:
    """Where the credential of the store's server lies."""
    return store.prefect / "credential"


def credential(store: Store) -> str:
    """What the store's server asks for; made once."""
    path = credential_file(store)
    if not path.exists():
        with suppress(FileExistsError):
            create_atomically(path, f"y90:{secrets.token_urlsafe(32)}\n".encode(), private=True)
    return path.read_text("utf-8").strip()


def healthy(url: str) -> bool:
    """Return whether a Prefect server answers at this address."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and put the old ones back."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old


def _no_proxy() -> dict[str, str]:
    """Loopback is never asked through a proxy."""
    names = [n for n in foreign_variables("NO_PROXY").get("NO_PROXY", "").split(",") if n]
    return {"NO_PROXY": ",".join([*names, LOOPBACK])}


@contextmanager
def _user(path: Path) -> Iterator[int]:
    """Be counted as a user; waits for a server that is just leaving."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield handle
    finally:
        os.close(handle)


def _ensure(
    store: Store, *, schedules: bool, port: int, meanwhile: Callable[[], None]
) -> tuple[str, Child | None]:
    """The URL of the store's server, and the process if it was we who started it."""
    with lock_file(store.prefect / "starting", wait=True):
        if schedules and _lives(store):
            raise Failed(
                f"{store.prefect}: a server of this store is running already, for `y90 run` or "
                "another `y90 serve`. Wait until it has ended, or stop it."
            )
        child = None
        if not _lives(store):
            port = port or _free_port()
            child = _spawn(store, schedules=schedules, port=port)
            with _environment(_of_client(store, _api(port))):
                meanwhile()
        if url := _answering(store, child):
            return url, child
    if child:
        child.kill()
        child.wait()
    raise Failed(
        f"{store.prefect / LOG}: Prefect's server did not answer within {START_SECONDS} s. "
        "Read the log, or run without Prefect: `y90 run --direct`."
    )


def _answering(store: Store, child: Child | None) -> str | None:
    """The URL of the store's server once it answers; None where it does not."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        url = _url(store)
        if url and healthy(url):
            return url
        if child and child.poll() is not None and not _lives(store):
            return None
        time.sleep(POLL_SECONDS)
    return None


def _api(port: int) -> str:
    return f"http://{LOOPBACK}:{port}/api"


def _lives(store: Store) -> bool:
    """Return whether a server holds its lock: a process id could be another program's by now."""
    handle = os.open(store.prefect / "server", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _spawn(store: Store, *, schedules: bool, port: int) -> Child:
    """Start the server in a session of its own: Ctrl-C is for us, and others may be using it."""
    home = _home(store)
    fresh_database.lay(Path(home))
    script = Path(__file__).with_name("server_process.py")
    place = [str(store.prefect), LOOPBACK, str(port)]
    services = {} if schedules else _few_services()
    services |= {
        "PREFECT_SERVER_API_AUTH_STRING": credential(store),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_API_URL": _api(port),
    }
    with (store.prefect / LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", str(script), *place],
            env={**os.environ, **QUIET, **services, "PREFECT_HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=store.prefect,
        )


def _few_services() -> dict[str, str]:
    idle = {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in IDLE_SERVICES}
    return idle | {"PREFECT_SERVER_UI_ENABLED": "false"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _facts(store: Store) -> dict[str, Any]:
    """What the living server wrote of itself; empty while it has not."""
    try:
        found = json.loads((store.prefect / "server").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _url(store: Store) -> str | None:
    return _facts(store).get("url")


def _leave(store: Store, lock: int, started: Child | None) -> None:
    """Stop being a user; the last one stops the server and waits until it is gone."""
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _others(lock):
                return
            time.sleep(POLL_SECONDS)  # nobody uses it: it is leaving by itself
            continue
        _stop(store, started)
        return


def _others(lock: int) -> bool:
    """Return whether others use the server: only then can the lock not be had alone."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop(store: Store, started: Child | None) -> None:
    """End the server: politely, then not."""
    pid = _facts(store)["pid"]
    for wish in (signal.SIGTERM, signal.SIGKILL):
        if not _lives(store):
            break
        with suppress(ProcessLookupError):
            os.kill(int(pid), wish)
        until = time.monotonic() + STOP_SECONDS
        while _lives(store) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
    if started:
        started.wait()
