"""Measure a first night, a night with nothing to do, and what Prefect adds.

    python -m benchmarks nights [--repeats 3]

The reference registry, by the command line as an operator runs it, each night in a process and a
store of its own.
"""

import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

from benchmarks.measure import against, arguments, peak_mib, say, seconds
from simulation import registry_folder

NIGHT = "2011-03-31"
INVENTED = Path(__file__).resolve().parent.parent / "tests" / "support" / "invented_night.py"


def y90(store: Path, *words: str) -> None:
    """One command; 1 is an answer too, and 3 a release that waits for approval."""
    config = registry_folder("memon2012", "redcap") / "registry.toml"
    command = [sys.executable, "-m", "flows", "--quiet", "--store", str(store)]
    done = subprocess.run(
        [*command, "--config", str(config), *words], check=False, capture_output=True, text=True
    )
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)


def deliver(store: Path, as_of: str) -> None:
    """Put the reference cohort's export of a day into the inbox."""
    to = store / "inbox" / "memon2012" / as_of
    y90(store, "simulate", "--preset", "memon2012", "--as-of", as_of, "--to", str(to))


def empty(store: Path) -> None:
    """A night on Prefect whose eight steps do nothing, in a process of its own."""
    command = [sys.executable, str(INVENTED), str(store)]
    subprocess.run(command, check=True, capture_output=True, cwd=INVENTED.parent.parent)


def main() -> None:
    """Print what each night takes."""
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        stores = (Path(name) / f"store_{number}" for number in count())
        fresh = [next(stores) for _ in range(2 * given.repeats)]
        for store in fresh:
            deliver(store, NIGHT)
        waiting = iter(fresh)
        direct = seconds(
            lambda: y90(next(waiting), "run", "--as-of", NIGHT, "--direct"), given.repeats
        )
        prefect = seconds(lambda: y90(next(waiting), "run", "--as-of", NIGHT), given.repeats)
        quiet = seconds(lambda: y90(fresh[0], "run", "--as-of", NIGHT, "--direct"), given.repeats)
        start = seconds(lambda: y90(fresh[0], "run", "--help"), given.repeats)
        blank = (Path(name) / f"empty_{number}" for number in count())
        floor = seconds(lambda: empty(next(blank)), given.repeats) - start
        memory = peak_mib(children=True)
    say(
        against("a first night with Prefect, and without", prefect, direct),
        against("what Prefect adds, and a night of empty steps", prefect - direct, floor, 1.2),
        f"a night with nothing to do: {quiet:.2f} s, of which starting Python {start:.2f} s",
        f"at most {memory:.0f} MiB",
    )


if __name__ == "__main__":
    main()
