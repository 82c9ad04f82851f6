"""Kill nights at every step and at random moments, and check that nothing is lost or wrong.

    .venv/bin/python -m tests.crash.campaign [--boundaries] [--random N] [--quick] [--seed S]

Every trial begins with a copy of one store that has a release and a new delivery. A night is sent
SIGKILL, begun again in what the kill left, killed again, and at last left alone. Then the release
must have the hashes of an undisturbed run, every visible release must be whole, and nothing of the
killed runs may be left in work/. A reader queries `current` all the while, in another process.

--boundaries  one trial: a kill before the first step and after each one
--random N    N kills at random moments, at most three a trial; a moment that comes after the
              night has ended is no kill
--quick       tables that cost nothing (tests/support/quick_nights.py), for hundreds of kills;
receiving,
              planning, publishing, pointing and locking are the product's own
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows import steps
from tests.crash import runner
from tests.support import quick_nights as quick
from warehouse.fingerprints import file_sha256
from warehouse.releases import releases
from warehouse.releases.query import open_release
from warehouse.store import Store

BASE, NIGHT = quick.FIRST, quick.FIRST + timedelta(days=1)
STEPS = (
    "receive radiant4_os:before", "receive radiant4_os", "plan", "start", "load radiant4_os",
    "build", "estimate", "audit", "report", "publish",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
KILLS_A_TRIAL = 3
QUICKEST_OF = 3
Hashes = dict[str, str]
Kill = tuple[str, float]
"""A step, and how long after its end; at no time after it the night kills itself."""


@dataclass
class Account:
    """What a campaign saw."""

    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    trials: int = 0
    recoveries: int = 0
    mismatches: list[str] = field(default_factory=list)
    reads: int = 0
    failed_reads: list[str] = field(default_factory=list)


def main() -> int:
    """Run the campaign and print its account as JSON; 1 if anything is wrong."""
    given = _arguments()
    if given.read:
        return read(Store(given.read))
    if given.quick:
        quick.invent(setattr)
        os.environ["QUICK_SECONDS"] = "0.02"
    account, chance = Account(), random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="y90-crash-") as folder:
        room = Path(folder)
        base = _base(room)
        expected, seconds = _undisturbed(base, room, QUICKEST_OF if given.random else 1)
        if given.boundaries:
            trial(account, base, room, expected, [(step, 0.0) for step in STEPS])
        wanted = sum(account.kills.values()) + given.random
        while sum(account.kills.values()) < wanted:
            kills = [_moment(chance, seconds) for _ in range(KILLS_A_TRIAL)]
            trial(account, base, room, expected, kills)
    facts = {"seed": given.seed, "night_seconds": round(seconds, 2)} | _facts(account)
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    return 1 if account.mismatches or account.failed_reads else 0


def trial(account: Account, base: Path, room: Path, expected: Hashes, kills: list[Kill]) -> None:
    """Kill a night as told, then let it end, and look at what it left."""
    root = room / "trial"
    shutil.copytree(base, root)
    store = Store(root)
    with _reader(account, store):
        for step, seconds in kills:
            where, dead = _night(store, step, seconds)
            account.kills[where] += dead
            account.finished += not dead
            account.mismatches += [f"after {where}: {p}" for p in _broken(store)]
        _, dead = _night(store)
    problems = [*_broken(store), *_left(store), *_unequal(store, expected)]
    account.mismatches += ["the last run failed"] if dead else problems
    account.trials += 1
    account.recoveries += not dead and not problems
    shutil.rmtree(root)


def _moment(chance: random.Random, seconds: float) -> Kill:
    """A random time after a random step, so that short steps are hit as often as long ones."""
    return chance.choice(STEPS[1:]), chance.uniform(0, seconds / len(STEPS))


def read(store: Store) -> int:
    """Query `current` until told to stop; one line per query, with what went wrong."""
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    while going:
        try:
            with open_release(releases.resolve(store)) as con:
                con.execute("SELECT * FROM outcomes.statistics").fetchall()
            told = "read"
        except Exception as fault:
            told = f"{type(fault).__name__}: {fault}".replace("\n", " ")
        sys.stdout.write(told + "\n")
        sys.stdout.flush()
        time.sleep(0.02)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--boundaries", action="store_true")
    parser.add_argument("--random", type=int, default=0, metavar="N")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _base(room: Path) -> Path:
    """A store with one release and a delivery that waits."""
    store = Store.open(room / "base")
    quick.deliver(store, BASE, 230)
    steps.nightly(quick.job(store, BASE))
    quick.deliver(store, NIGHT, 231)
    return store.root


def _undisturbed(base: Path, room: Path, nights: int) -> tuple[Hashes, float]:
    """The hashes that every other run must have, and how long the quickest of the nights takes."""
    took: list[float] = []
    for n in range(nights):
        root = room / f"undisturbed{n}"
        shutil.copytree(base, root)
        begun = time.monotonic()
        _, dead = _night(Store(root))
        took.append(time.monotonic() - begun)
        if dead:
            raise SystemExit("the undisturbed run failed")
    return _hashes(releases.resolve(Store(root))), min(took)


def _night(store: Store, deadly: str = "", seconds: float = 0.0) -> tuple[str, bool]:
    """Run a night in a fork of this process, which has imported everything; kill it as told.

    Returns:
        The step it had last ended, and whether it was killed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 1)
        _run(store, "" if seconds else deadly)
    os.close(writing)
    ended = []
    with os.fdopen(reading) as pipe:
        for line in pipe:
            ended.append(line.strip())
            if seconds and ended[-1] == deadly:
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"a night ended with {os.WEXITSTATUS(status)} after {ended}")
    return (ended[-1] if ended else "nothing"), os.WIFSIGNALED(status)


def _run(store: Store, deadly: str) -> None:
    code = 1
    try:
        runner.main(store.root, quick.REGISTRY, NIGHT, deadly)
        code = 0
    finally:
        os._exit(code)


@contextmanager
def _reader(account: Account, store: Store) -> Iterator[None]:
    words = [sys.executable, "-m", "tests.crash.campaign", "--read", str(store.root)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the reader was started without a pipe")
        process.stdout.readline()
        yield
        process.terminate()
        told = process.stdout.read().splitlines()
    account.reads += len(told)
    account.failed_reads += [line for line in told if line != "read"]


def _broken(store: Store) -> list[str]:
    """Every visible release has the files that its manifest names, and `current` names one."""
    found = []
    for release in releases.listing(store):
        for name, sha256 in _promised(release.path).items():
            path = release.path / name
            if not path.exists() or file_sha256(path) != sha256:
                found.append(f"{release.release_id}/{name} is not what its manifest says")
    return found if releases.resolve(store).is_dir() else [*found, "current names nothing"]


def _promised(path: Path) -> Hashes:
    found = releases.manifest(path)
    tables = {
        f"parquet/{n}.parquet": t["bytes_sha256"]
        for n, t in found["content"]["tables"].items()
        if "bytes_sha256" in t
    }
    return tables | dict(found["record"]["files"])


def _left(store: Store) -> list[str]:
    return [f"work/{p.name} is left" for p in store.work.iterdir()] if store.work.is_dir() else []


def _unequal(store: Store, expected: Hashes) -> list[str]:
    known = [r.release_id for r in releases.listing(store)]
    wanted = [f"{day:%Y.%m.%d}" for day in (BASE, NIGHT)]
    problems = [] if known == wanted else [f"releases {known}, not {wanted}"]
    current = releases.resolve(store)
    if current.name != wanted[-1]:
        return [*problems, f"current is {current.name}"]
    found = _hashes(current)
    return [*problems, *(f"{n} differs" for n in expected if found.get(n) != expected[n])]


def _hashes(path: Path) -> Hashes:
    """Content of every table, and what it was made from."""
    content = releases.manifest(path)["content"]
    tables = {n: t["content_sha256"] for n, t in content["tables"].items()}
    return tables | {"inputs_key": content["inputs_key"], "run_key": content["run_key"]}


def _facts(account: Account) -> dict[str, Any]:
    return {
        "kills": sum(account.kills.values()),
        "killed_after": dict(sorted(account.kills.items())),
        "ended_before_the_kill": account.finished,
        "trials": account.trials,
        "recoveries": account.recoveries,
        "mismatches": account.mismatches,
        "reads": account.reads,
        "failed_reads": account.failed_reads,
    }


if __name__ == "__main__":
    sys.exit(main())
