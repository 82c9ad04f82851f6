"""Measure a redraw of the explorer: from a selection to the answer that its page puts in.

    python -m benchmarks explore [--repeats 9] [--patients 2000]

The registry is an invented one of five centres. Each look opens the release, answers and draws; the
first of each kind is not counted, as it imports. A free look is measured once it has been taken.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import arguments, peak_mib, say, seconds
from benchmarks.questions import larger, y90
from flows.exploring.explorer import Explorer
from flows.settings import load_registry
from warehouse.exploring.selection import Selection
from warehouse.store import Store

LIMIT_MS = 300
LOOKS = {
    "published survival": Selection(),
    "published survival by a factor": Selection(by="ecog0"),
    "published response": Selection(question="response"),
    "published toxicity": Selection(question="toxicity", version="5.0"),
    "free survival by a factor": Selection(by="ecog0", only=(("burden25", "<=25"),)),
    "free survival of lesions": Selection(endpoint="TTRL", only=(("ecog0", "0"),)),
    "free response of lesions": Selection(
        question="response", unit="lesions in a treated lobe", by="ecog0"
    ),
    "free toxicity": Selection(question="toxicity", version="5.0", by="ecog0"),
}


def main() -> int:
    """Print the median of each look; 1 if one takes longer than is claimed."""
    given = arguments(__doc__, patients=2000)
    with tempfile.TemporaryDirectory() as name:
        store = Path(name)
        config, nights, _ = larger(store, given.patients)
        y90(store, config, "run", "--as-of", nights[-1], "--direct")
        registry = load_registry(config)
        explorer = Explorer(Store.open(store), lambda _: registry, lambda _: b"")
        release = explorer.releases()["releases"][0]["id"]
        times = {}
        for what, selection in LOOKS.items():
            explorer.look(release, selection, take=True)
            times[what] = seconds(
                lambda s=selection: explorer.look(release, s),  # type: ignore[misc]
                max(given.repeats, 9),
            )
    say(
        *(f"{what}: {1000 * time:.0f} ms" for what, time in times.items()),
        f"claimed: at most {LIMIT_MS} ms; at most {peak_mib():.0f} MiB",
    )
    return int(max(times.values()) * 1000 > LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())
