"""Measure the time and memory of two sides, and report them in one form for every benchmark."""

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence


def arguments(about: str | None, **sizes: int) -> argparse.Namespace:
    """Sizes of a benchmark as flags with defaults, and how often it is repeated."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--repeats", type=int, default=3)
    for name, size in sizes.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=size)
    return parser.parse_args()


def seconds(action: Callable[[], object], repeats: int) -> float:
    """Median wall time of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def taking_turns(actions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Median wall time of each, asked in turn, so that a busy minute burdens all of them."""
    times = [[seconds(action, 1) for action in actions] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def peak_mib(*, children: bool = False) -> float:
    """Greatest resident memory of this process, or of its children, so far."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / 1024


def say(*lines: str) -> None:
    """Print lines, and what the machine was doing."""
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"
    sys.stdout.write("\n".join([*lines, f"({machine})"]) + "\n")


def against(what: str, ours: float, theirs: float, limit: float | None = None) -> str:
    """Both times, their ratio, and the ratio that is claimed."""
    claim = "" if limit is None else f", claimed at most {limit:g}"
    return f"{what}: {ours:.2f} s against {theirs:.2f} s, ratio {ours / theirs:.2f}{claim}"
