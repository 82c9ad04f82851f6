"""How long does an answer take: diff, trace and explain on the reference registry?

    python -m benchmarks questions [--repeats 3]

Two releases of the reference registry, half a year apart; each question by the command line.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import arguments, peak_mib, say, seconds
from benchmarks.nights import NIGHT, deliver, y90

BEFORE = "2010-09-30"
STATISTIC = "response_summary.all.who.lesion.unconfirmed.orr"
SURVIVAL = "survival_landmarks.all.os.subject...12"
LINE = ("--site", "memon2012", "--file", "data.csv", "--row", "1")


def main() -> None:
    """Print the median time of each question."""
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        store = Path(name)
        for night in (BEFORE, NIGHT):
            deliver(store, night)
            y90(store, "run", "--as-of", night, "--direct")
        left, right = BEFORE.replace("-", "."), NIGHT.replace("-", ".")
        asked = {
            "diff of two releases": ("diff", left, right),
            "trace of a statistic": ("trace", STATISTIC, "--release", right),
            "trace of a line": ("trace", *LINE, "--release", right),
            "explain of a statistic": ("explain", SURVIVAL, left, right),
        }
        times = {
            what: seconds(lambda w=words: y90(store, *w), given.repeats)  # type: ignore[misc]
            for what, words in asked.items()
        }
    say(
        *(f"{what}: {time:.2f} s" for what, time in times.items()),
        f"at most {peak_mib(children=True):.0f} MiB",
    )


if __name__ == "__main__":
    main()
