"""Run nights on Prefect with every core busy, and stop at the first that is not clean.

    .venv/bin/python -m tests.crash.prefect_soak [RUNS]

Runs the invented night RUNS times (default 20) one after the other in one fresh store, while a
process per core computes; prints each run's time, and exits 1 at the first that is not clean.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TASKS = 8


def main(runs: int) -> int:
    """Soak, and tell."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        with tempfile.TemporaryDirectory() as folder:
            return 0 if all(_clean(Path(folder), n) for n in range(1, runs + 1)) else 1
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _clean(folder: Path, number: int) -> bool:
    home, store = folder / "home", folder / "store"
    home.mkdir(exist_ok=True)
    begun = time.monotonic()
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT_", "Y90_"))}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "invented_night.py"), str(store)],
        env={**environment, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begun
    with closing(sqlite3.connect(store / "prefect" / "prefect.db")) as con:
        (tasks,) = con.execute(
            "SELECT count(*) FROM task_run WHERE state_name = 'Completed'"
        ).fetchone()
    clean = (
        ended.returncode == 0
        and ended.stderr == ""
        and json.loads(ended.stdout)["raised"] == ""
        and tasks == TASKS * number
        and not list(home.iterdir())
    )
    told = "clean" if clean else f"NOT CLEAN: {ended.returncode} {ended.stderr} {tasks} tasks"
    sys.stdout.write(f"run {number:>3}  {seconds:6.1f} s  {told}\n")
    sys.stdout.flush()
    return clean


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
