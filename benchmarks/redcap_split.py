"""How fast is a flat REDCap export split, against DuckDB's own read_csv over the same file?

    python -m benchmarks.redcap_split [--megabytes 100]

The export is synthetic: 12 instruments of 25 columns, three of them once per record and nine
repeating, so that most of its cells are blank, as in a real block matrix. `read_csv` is told types
and dialect and makes a table of the whole file; a reading that keeps no cell is shown beside it.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from warehouse.delimited import quoted, survey
from warehouse.redcap import split

ONCE, FORMS, FIELDS = 3, 12, 20
REPEATS = 3


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


def best(action: Callable[[], object]) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


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
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    size = parser.parse_args().megabytes * 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "data.csv"
        write_export(path, size)
        ours = best(lambda: splitting(path, folder))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counted = best(lambda: reading(path, "SELECT count(COLUMNS(*)) FROM {}"))
        table = best(lambda: reading(path, "CREATE TABLE t AS SELECT * FROM {}"))
        lines = (
            f"split into {FORMS} instruments  {ours:6.2f} s, at most {memory:.0f} MiB",
            f"read_csv into a table      {table:6.2f} s, ratio {ours / table:.2f}",
            f"read_csv, nothing kept     {counted:6.2f} s, ratio {ours / counted:.2f}",
        )
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
