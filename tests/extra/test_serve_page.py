"""A finished run is seen on the page of `y90 serve`, on a free port, in a real browser."""

import base64
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from flows.prefect import server
from tests.support import quick_nights as quick
from warehouse.store import Store

pytestmark = pytest.mark.extra
NAME = "a-finished-run"
WINDOW = "--window-size=1600,2400"
"""The page draws the rows of its list that lie in the window, and no others."""
PATIENCE_SECONDS = 120
UNREACHABLE = "Can't connect to Server API"


@contextmanager
def browser(
    folder: Path, more: tuple[str, ...] = (), heard: list[dict[str, Any]] | None = None
) -> Iterator["Callable[..., Any]"]:
    """Chromium, told what to do over its own protocol; what it tells unasked goes into `heard`."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "chromium is missing: apt-get install chromium"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", WINDOW]
    with subprocess.Popen(
        [program, *flags, *more, f"--user-data-dir={folder}", "about:blank"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            found = (re.search(r"ws://\S+", line) for line in process.stderr)
            address = next(match[0] for match in found if match)
            with connect(address, max_size=None) as wire:
                yield _page(wire, [] if heard is None else heard)
        finally:
            process.kill()


def _page(wire: ClientConnection, heard: list[dict[str, Any]]) -> "Callable[..., Any]":
    """A tab, as a function of a command and its parameters."""
    counted = iter(range(1, 10**6))

    def call(method: str, session: str | None = None, **given: Any) -> Any:
        number = next(counted)
        asked = {"id": number, "method": method, "params": given}
        wire.send(json.dumps(asked | ({"sessionId": session} if session else {})))
        while True:
            told = json.loads(wire.recv(timeout=PATIENCE_SECONDS))
            if told.get("id") == number:
                return told["result"]
            heard.append(told)

    target = call("Target.createTarget", url="about:blank")["targetId"]
    tab = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    return lambda method, **given: call(method, tab, **given)


def text_of(tab: "Callable[..., Any]") -> str:
    """What a reader sees."""
    found = tab("Runtime.evaluate", expression="document.body ? document.body.innerText : ''")
    return str(found["result"].get("value", ""))


def opened(tab: "Callable[..., Any]", address: str, wanted: str) -> str:
    """What the page says, once it says what is wanted or patience ends."""
    tab("Page.navigate", url=address)
    until = time.monotonic() + PATIENCE_SECONDS
    while wanted not in text_of(tab) and time.monotonic() < until:
        time.sleep(0.5)
    return text_of(tab)


def test_the_page_on_a_free_port_shows_a_finished_run(tmp_path: Path) -> None:
    """It asks for the credential first; the API's address is not the one of port 4200."""
    store = Store.open(tmp_path / "store")
    quick.deliver(store, quick.FIRST, 3)
    with server.prefect_api(store, schedules=True) as url:
        assert ":4200" not in url
        _a_finished_run()
        page = url.removesuffix("/api")
        with browser(tmp_path / "browser") as tab:
            asked = opened(tab, f"{page}/runs", "Login")
            assert "Login" in asked
            assert NAME not in asked
            known = base64.b64encode(server.credential(store).encode()).decode()
            tab(
                "Runtime.evaluate",
                expression=f"localStorage.setItem('prefect-password', '{known}')",
            )
            seen = opened(tab, f"{page}/runs", NAME)
    assert NAME in seen, seen
    assert "Completed" in seen
    assert UNREACHABLE not in seen


def _a_finished_run() -> None:
    """In a process of its own, which reads Prefect's environment as it is now."""
    script = (
        f"from prefect import flow\nflow(lambda: None, name='nightly', flow_run_name='{NAME}')()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)
