"""Tell an export that is whole in the inbox from one that is still being written.

Settled is a folder whose files keep size and time at two looks, with at least `settle_s` seconds
since the last change, or one in which whoever writes it has put a file `.done` (or `NAME.done`)
last. Of a file both times count, that of its content and that of its entry, which no copying
program sets back.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.intake.formats.archives import MARKER

Look = dict[str, tuple[int, int, int]]
"""Name inside the folder -> size and both times of change."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as settling sees it; tests give another."""

    now: Callable[[], float] = field(default=time.time)
    sleep: Callable[[float], None] = field(default=time.sleep)


def unsettled(folders: Iterable[Path], settle_s: float, clock: Clock | None = None) -> list[Path]:
    """The folders that are still being written.

    A folder whose files changed a moment ago is looked at a second time, at most `settle_s` seconds
    later.
    """
    if not settle_s:
        return []
    clock = clock or Clock()
    first = {folder: _look(folder) for folder in folders}
    open_ = {folder: look for folder, look in first.items() if not _is_marked(look)}
    waits = [_wait(look, settle_s, clock.now()) for look in open_.values()]
    if any(waits):
        clock.sleep(max(waits))
    second = {folder: _look(folder) for folder in open_}
    return [
        folder
        for folder, look in open_.items()
        if second[folder] != look and not _is_marked(second[folder])
    ]


def _look(folder: Path) -> Look:
    found: Look = {}
    for path in sorted(folder.rglob("*")):
        try:
            s = path.lstat()
        except OSError:
            continue
        found[path.relative_to(folder).as_posix()] = (s.st_size, s.st_mtime_ns, s.st_ctime_ns)
    return found


def _is_marked(look: Look) -> bool:
    """Whether a marker was written after everything else."""
    marks = [times[2] for name, times in look.items() if name.endswith(MARKER)]
    others = [times[2] for name, times in look.items() if not name.endswith(MARKER)]
    return bool(marks and others) and max(marks) >= max(others)


def _wait(look: Look, settle_s: float, now: float) -> float:
    """Seconds until the youngest change is old enough; a clock set back makes no difference."""
    youngest = max((max(times[1:]) for times in look.values()), default=0) / 1e9
    return min(max(settle_s - (now - youngest), 0), settle_s)
