"""Measure diff, trace and explain on the reference registry or a larger one.

    python -m benchmarks questions [--repeats 3] [--patients 2000]

Two releases half a year apart; each question by the command line. With --patients the registry is
an invented one of five centres. The first explanation finds nothing compiled but what the nights
have left; the median is over all.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import arguments, peak_mib, say, seconds
from simulation import registry_folder

NIGHTS = ("2010-09-30", "2011-03-31")
LATER = ("2024-01-01", "2024-06-30")
STATISTIC = "response_summary.all.who.lesion.all.all.unconfirmed.orr"
SURVIVAL = "survival_landmarks.all.os.subject.overall.overall.12"


def y90(store: Path, config: Path, *words: str) -> None:
    """One command; 1 is an answer too, and 3 a release that waits for approval."""
    command = [sys.executable, "-m", "flows", "--quiet", "--store", str(store)]
    done = subprocess.run(
        [*command, "--config", str(config), *words], check=False, capture_output=True, text=True
    )
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)


def reference(store: Path) -> tuple[Path, tuple[str, ...], tuple[str, ...]]:
    """Two deliveries of the reference cohort: its registry.toml, the nights, and a line."""
    config = registry_folder("memon2012", "redcap") / "registry.toml"
    for night in NIGHTS:
        to = store / "inbox" / "memon2012" / night
        y90(store, config, "simulate", "--preset", "memon2012", "--as-of", night, "--to", str(to))
    return config, NIGHTS, ("--site", "memon2012", "--file", "data.csv", "--row", "1")


def larger(store: Path, patients: int) -> tuple[Path, tuple[str, ...], tuple[str, ...]]:
    """Two deliveries of every centre of an invented registry."""
    config = store / "registry.toml"
    for night in LATER:
        words = ("--preset", "registry", "--patients", str(patients), "--as-of", night)
        y90(store, config, "simulate", *words, "--to", str(store))
    return config, LATER, ("--site", "centre01", "--file", "labs.csv", "--row", "1")


def main() -> None:
    """Print the median time of each question."""
    given = arguments(__doc__, patients=0)
    with tempfile.TemporaryDirectory() as name:
        store = Path(name)
        config, nights, line = larger(store, given.patients) if given.patients else reference(store)
        for night in nights:
            y90(store, config, "run", "--as-of", night, "--direct")
        left, right = (night.replace("-", ".") for night in nights)
        asked = {
            "diff of two releases": ("diff", left, right),
            "trace of a statistic": ("trace", STATISTIC, "--release", right),
            "trace of a line": ("trace", *line, "--release", right),
            "explain of a response rate": ("explain", STATISTIC, left, right),
            "explain of a survival": ("explain", SURVIVAL, left, right),
        }
        times = {
            what: seconds(lambda w=words: y90(store, config, *w), given.repeats)  # type: ignore[misc]
            for what, words in asked.items()
        }
    say(
        *(f"{what}: {time:.2f} s" for what, time in times.items()),
        f"at most {peak_mib(children=True):.0f} MiB",
    )


if __name__ == "__main__":
    main()
