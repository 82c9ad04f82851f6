"""Measure a backfill against the nights' own work, with one worker and with two.

    python -m benchmarks backfill [--nights 365] [--every 14]

The reference registry with an export every so many days. The same nights are made three times, each
in a store of its own: one after the other in this process, which is their pure work; by
`y90 backfill`; and by it with two workers. The releases must be the same.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from benchmarks.measure import against, arguments, say
from flows import settings, steps
from simulation import registry_folder, simulate
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.releases import releases
from warehouse.store import Store

SITE = "memon2012"
LAST = date(2011, 3, 31)
CONFIG = registry_folder(SITE, "redcap") / "registry.toml"


def main() -> None:
    """Make the nights three times and print what each took."""
    given = arguments(__doc__, nights=365, every=14)
    nights = [LAST - timedelta(days=n) for n in reversed(range(given.nights))]
    with tempfile.TemporaryDirectory() as name:
        stores = [Store.open(Path(name) / kind) for kind in ("direct", "one", "two")]
        for store in stores:
            for night in nights[:: given.every]:
                simulate(SITE, "redcap", night, store.site_inbox(SITE) / night.isoformat())
        pure = _timed(lambda: _directly(stores[0], nights))
        one = _timed(lambda: _backfilled(stores[1], nights, 1))
        two = _timed(lambda: _backfilled(stores[2], nights, 2))
        made = [_content(store) for store in stores]
    if made[0] != made[1] or made[1] != made[2]:
        raise SystemExit(f"the three ways do not agree: {_different(made)}")
    say(
        f"{len(nights)} nights, {len(made[0])} of them with a release",
        against("a backfill, and the nights' pure work", one, pure, 1.2),
        against("a backfill with one worker, and with two", one, two),
    )


def _timed(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _directly(store: Store, nights: list[date]) -> None:
    registry = settings.load_registry(CONFIG)
    for night in nights:
        steps.nightly(steps.Job(store, registry, DEMONSTRATION_KEY, night, night))


def _backfilled(store: Store, nights: list[date], workers: int) -> None:
    """By the command line, its start included; a held release waits for nobody here."""
    where = ["--store", str(store.root), "--config", str(CONFIG)]
    span = ["--from-date", nights[0].isoformat(), "--to-date", nights[-1].isoformat()]
    words = ["--max-active-runs", str(workers), "--continue", "--reason", "a benchmark"]
    command = [sys.executable, "-m", "flows", "backfill", *where, *span, *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)


def _content(store: Store) -> list[dict[str, object]]:
    return [releases.manifest(r.path)["content"] for r in releases.listing(store)]


def _different(made: list[list[dict[str, object]]]) -> str:
    """Nights of each, and the parts of their content that differ."""
    nights = [[str(content["as_of"]) for content in each] for each in made]
    parts = {
        name
        for first, *others in zip(*made, strict=False)
        for other in others
        for name in first
        if first[name] != other[name]
    }
    return f"{nights}, {sorted(parts)}"


if __name__ == "__main__":
    main()
