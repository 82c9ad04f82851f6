"""Do something again whenever one of some files changes."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 1.0


def watch(paths: Sequence[Path], act: Callable[[], object], *, rounds: int | None = None) -> None:
    """Act now, and after every change of a file or of a folder's files, until it is interrupted.

    Args:
        paths: files, and folders with all that lies in them.
        act: what to do.
        rounds: how often to look; default without end.
    """
    seen: dict[Path, tuple[int, int]] | None = None
    while rounds is None or rounds >= 0:
        now = _state(paths)
        if now != seen:
            seen = now
            act()
        elif rounds != 0:
            time.sleep(SECONDS)
        rounds = None if rounds is None else rounds - 1


def _state(paths: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Each file's time and size; one that is gone meanwhile is left out."""
    found: dict[Path, tuple[int, int]] = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            try:
                facts = file.stat()
            except OSError:
                continue
            found[file] = (facts.st_mtime_ns, facts.st_size)
    return found
