"""Prefect's database as it is before the first run, made once a machine and version of Prefect.

Prefect makes a new database by every migration that it ever had, which takes longer than all else
of a server's start. A new store gets a copy of one that was made at set-up. It holds tables and no
row of a run.

    <user cache>/prefect/<version>.db
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

from warehouse.store import lock_file, make_private, user_cache

NAME = "prefect.db"
"""What Prefect calls its database in its home."""
MIGRATE_SECONDS = 180
CANNOT = (OSError, sqlite3.Error, subprocess.SubprocessError)
"""Why there may be none here: the cache cannot be written, or Prefect did not make it."""
QUIET: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_CLI_PROMPT": "false",
}
"""No reports to its makers, no log of its own on our terminal, no pickled results."""


def lay(home: Path) -> None:
    """Put a copy into Prefect's home, if it has no database.

    Where none can be had, Prefect's server makes its own.
    """
    place = home / NAME
    if place.exists() or os.environ.get("PREFECT_API_DATABASE_CONNECTION_URL"):
        return
    with suppress(*CANNOT):
        fresh = ready()
        descriptor, part = tempfile.mkstemp(prefix=".fresh-", dir=home)
        os.close(descriptor)
        shutil.copyfile(fresh, part)
        Path(part).replace(place)


def ready() -> Path:
    """The database of this version of Prefect, made where nobody has done so before.

    Raises:
        OSError, sqlite3.Error, subprocess.SubprocessError: it cannot be made here.
    """
    folder = user_cache() / "prefect"
    make_private(folder)
    place = folder / f"{version('prefect')}.db"
    with lock_file(folder / "lock", wait=True):
        if not place.exists():
            _make(place)
    return place


def _make(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".fresh-", dir=place.parent) as home:
        subprocess.run(
            [sys.executable, "-P", "-m", "prefect", "server", "database", "upgrade", "-y"],
            env={**os.environ, **QUIET, "PREFECT_HOME": home},
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=MIGRATE_SECONDS,
        )
        whole = Path(home, "whole.db")
        with closing(sqlite3.connect(Path(home, NAME))) as con:
            con.execute("VACUUM INTO ?", (str(whole),))
        whole.chmod(0o600)
        whole.replace(place)


if __name__ == "__main__":
    with suppress(*CANNOT):
        ready()
