"""Prefect's own server, which leaves when nobody uses it any more.

Started by `flows.prefect.server` as a process of its own: FOLDER HOST PORT. It imports nothing of
ours.
"""

import fcntl
import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

LOOK_SECONDS = 0.5
LAST_WORDS_SECONDS = 10


def main(folder: Path, host: str, port: str) -> None:
    """Hold the server's lock, say where it is, and serve until the last user has gone."""
    own = os.open(folder / "server", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    facts = json.dumps({"url": f"http://{host}:{port}/api", "pid": os.getpid()}).encode()
    os.ftruncate(own, 0)
    os.pwrite(own, facts, 0)
    threading.Thread(target=_leave_when_unused, args=(folder / "users",), daemon=True).start()
    sys.argv = ["prefect", "server", "start", "--host", host, "--port", port]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def _leave_when_unused(users: Path) -> None:
    """Ask for the users' lock until it is granted; newcomers wait until we are gone."""
    handle = os.open(users, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOOK_SECONDS)
            continue
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_WORDS_SECONDS)
        os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
