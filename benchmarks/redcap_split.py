"""Measure splitting a flat REDCap export against DuckDB's own read_csv over the same file.

    python -m benchmarks redcap_split [--megabytes 100] [--repeats 3]

The export is synthetic: 12 instruments of 25 columns, three of them once per record and nine
repeating, so that most of its cells are blank, as in a real block matrix. `read_csv` is told types
and dialect and makes a table of the whole file; a reading that keeps no cell is shown beside it.
"""

import os
import random
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.measure import arguments, say
from warehouse.intake.formats.delimited import quoted, survey
from warehouse.intake.redcap.instruments import split

ONCE, FORMS, FIELDS = 3, 12, 20


def write_export(path: Path, size: int) -> None:
    """Write a synthetic flat export of about so many bytes."""
    draw = random.Random(90)
    forms = [f"form{n}" for n in range(FORMS)]
    own = {f: [f"{f}_f{n}" for n in range(FIELDS)] for f in forms}
    ticks = {f: [f"{f}_c___{n}" for n in range(4)] for f in forms}
    keys = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance"
    names = [n for f in forms for n in (*own[f], *ticks[f], f"{f}_complete")]
    width = FIELDS + 5
    with path.open("w", encoding="utf-8") as out:
        out.write(f"{keys},{','.join(names)}\n")
        record = 0
        while out.tell() < size:
            record += 1
            for place, form in enumerate(forms):
                for instance in range(1, 1 + (1 if place < ONCE else draw.randint(1, 5))):
                    values = ["12.5", "2016-03-04", '"text, quoted"', "1", ""]
                    cells = [draw.choice(values) for _ in own[form]] + ["0"] * 4 + ["2"]
                    blank = "," * (place * width), "," * ((FORMS - 1 - place) * width)
                    repeat = "," if place < ONCE else f"{form},{instance}"
                    row = f"{record},visit_1_arm_1,{repeat},{blank[0]}{','.join(cells)}{blank[1]}"
                    out.write(f"{row}\n")


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall: float
    cpu: float
    mib: float


def cost(action: Callable[[], object]) -> Cost:
    """Run something in a process of its own, so that its memory is its own."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit("a side failed")
    wall = time.perf_counter() - start
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def middle(costs: list[Cost]) -> Cost:
    """Median times, greatest memory."""
    walls, cpus, mibs = zip(*((c.wall, c.cpu, c.mib) for c in costs), strict=True)
    return Cost(statistics.median(walls), statistics.median(cpus), max(mibs))


def reading(path: Path, query: str) -> None:
    """Run a query over read_csv in a fresh database."""
    with path.open(encoding="utf-8") as file:
        header = file.readline().strip().split(",")
    with duckdb.connect() as con:
        columns = ", ".join(f"{quoted(c)}: 'VARCHAR'" for c in header).replace('"', "'")
        con.execute(
            query.format(
                f"read_csv('{path}', delim=',', quote='\"', escape='\"', header=true, "
                f"auto_detect=false, columns={{{columns}}})"
            )
        )


def splitting(path: Path, folder: Path) -> None:
    """Survey and split the export as a delivery would be."""
    with tempfile.TemporaryDirectory(dir=folder) as to, tempfile.TemporaryDirectory() as scratch:
        text = survey(path, path.name, Path(scratch), delimiter=None, encoding=None)
        split(text, None, None, Path(to), Path(scratch))


def main() -> None:
    """Print what every side took, and the ratios; the sides take turns."""
    given = arguments(__doc__, megabytes=100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "data.csv"
        write_export(path, given.megabytes * 1_000_000)
        sides: dict[str, Callable[[], object]] = {
            f"split into {FORMS} instruments": lambda: splitting(path, folder),
            "read_csv into a table": lambda: reading(path, "CREATE TABLE t AS SELECT * FROM {}"),
            "read_csv, nothing kept": lambda: reading(path, "SELECT count(COLUMNS(*)) FROM {}"),
        }
        costs: dict[str, list[Cost]] = {side: [] for side in sides}
        for _ in range(given.repeats):
            for side, action in sides.items():
                costs[side].append(cost(action))
    found = {side: middle(several) for side, several in costs.items()}
    ours = next(iter(found.values()))
    say(
        f"{path.name} of {given.megabytes} MB, median of {given.repeats}",
        *(
            f"{side:<26}{c.wall:7.2f} s, {c.cpu:7.2f} s of processors, {c.mib:6.0f} MiB; "
            f"ours takes {ours.wall / c.wall:.2f} times the time, {ours.cpu / c.cpu:.2f} "
            "times the processors"
            for side, c in found.items()
        ),
    )


if __name__ == "__main__":
    main()
