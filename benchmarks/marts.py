"""Measure the marts of response and toxicity against hand-written DuckDB SQL of the rules.

    python -m benchmarks marts [--patients 100000] [--memory 5] [--by-hand 5] [--repeats 3]

The queries in `by_hand` know the default settings, and otherwise every rule: readers, modalities,
what is missing and why. Both sides write the same columns, and every row of every table must be the
same, or the benchmark fails. Clinical events are left out, as the invented patients have none.

Each side runs in a process of its own, so that its memory is its own. `--memory` is the engine's
limit in GiB, beyond which it spills beside its file; a process takes up to 0.7 GiB more.
`--by-hand` is that of the hand-written side: asked for the response of a million patients it fails
with 5 GiB.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.invented import fill
from benchmarks.measure import against, arguments, peak_mib, say, seconds
from schemas.settings import OutcomeSettings
from warehouse.building.build import computed, kept
from warehouse.engine.embedded import engine
from warehouse.engine.lineage import derivations

MARTS = {
    "response": {
        "lesion_quantities": "hand_quantities",
        "lesion_assessments": "hand_assessments",
        "lesion_response": "hand_response",
    },
    "subjects": {
        "subject_assessments": "hand_subject_assessments",
        "subject_response": "hand_subject_response",
    },
    "histories": {
        "therapy_courses": "hand_courses",
        "deaths": "hand_deaths",
    },
    "toxicity": {
        "baseline_labs": "hand_baselines",
        "lab_grades": "hand_grades",
        "toxicity": "hand_toxicity",
    },
}
"""Our tables in their order, and the hand-written ones that must be equal: response by lesion, by
patient, therapies and deaths, and toxicity."""

STEPS = {
    "lesion_assessments": ("assessed_days", "new_lesions", "followed_lesions"),
    "subject_response": ("counted_readers",),
}
"""Tables that are derived before one, and not compared by themselves."""


def main() -> None:
    """Print both times of both marts, and the greatest memory of ours."""
    given = arguments(__doc__, patients=100_000, memory=5, by_hand=5)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "marts.duckdb"
        opened, beside = (path, f"{given.memory}GiB"), (path, f"{given.by_hand}GiB")
        _apart(_filled, *opened, given.patients)
        for what in MARTS:
            ours, cpu, memory = _apart(_ours, *opened, what, given.repeats)
            theirs, their_cpu, their_memory = _apart(_theirs, *beside, what, given.repeats)
            _apart(_agree, *beside, what)
            say(
                against(f"{what}, {given.patients} patients", ours, theirs, 1.5),
                against("  the same in seconds of processor", cpu, their_cpu),
                f"  at most {memory:.0f} MiB, by hand {their_memory:.0f} MiB; "
                f"limits of the engine {given.memory} and {given.by_hand} GiB",
            )


def _apart(task: Callable[..., Any], *given: Any) -> Any:
    """Run a task in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(task, *given).result()


def _filled(path: Path, limit: str, patients: int) -> None:
    with engine(path, threads=2, memory_limit=limit) as con:
        fill(con, patients)


def _ours(path: Path, limit: str, what: str, repeats: int) -> tuple[float, float, float]:
    with engine(path, threads=2, memory_limit=limit) as con:
        return _measured(lambda: derive(con, what), repeats)


def _theirs(path: Path, limit: str, what: str, repeats: int) -> tuple[float, float, float]:
    with engine(path, threads=2, memory_limit=limit) as con:
        return _measured(lambda: con.raw_sql(by_hand(what)), repeats)


def _measured(action: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Median wall time, mean processor time, greatest memory in MiB."""
    before = time.process_time()
    wall = seconds(action, repeats)
    return wall, (time.process_time() - before) / repeats, peak_mib()


def derive(con: Any, what: str) -> None:
    """Derive our tables of one kind in the engine."""
    tables = kept(con)
    for name in (n for mart in MARTS[what] for n in (*STEPS.get(mart, ()), mart)):
        tables[name] = computed(con, derivations()[name], tables, OutcomeSettings())


def by_hand(what: str) -> str:
    """The hand-written queries of one kind."""
    return (Path(__file__).parent / "by_hand" / f"{what}.sql").read_text("utf-8")


def _agree(path: Path, limit: str, what: str) -> None:
    """The rows of both sides are the same: as many, with the same sum of hashes."""
    with engine(path, threads=2, memory_limit=limit) as con:
        for ours, theirs in MARTS[what].items():
            types = con.raw_sql(f"SELECT column_name, column_type FROM (DESCRIBE {ours})")
            row = ", ".join(f'"{name}"::{kind}' for name, kind in types.fetchall())
            found = [
                con.raw_sql(f"SELECT count(*), sum(hash({row})::HUGEINT) FROM {table}").fetchone()
                for table in (ours, theirs)
            ]
            assert found[0] == found[1], (ours, found)


if __name__ == "__main__":
    main()
