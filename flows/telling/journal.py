"""Write one JSON line per step of the pipeline to state/logs/<date>.jsonl.

    {"at": "...", "process": 4711, "night": "2011-03-31", "step": "build", "seconds": 3.2,
     "state": "done"}

Names, ids and times; never a patient, a value or the words of a fault, which could hold one.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any

from schemas.errors import Y90Error
from warehouse.store import Store, make_private


@contextmanager
def step(store: Store, night: date, name: str) -> Iterator[None]:
    """Note how long a step took and how it ended."""
    begun = time.monotonic()
    facts: dict[str, Any] = {"night": night.isoformat(), "step": name}
    try:
        yield
    except BaseException as fault:
        kind = type(fault).__name__
        state = "refused" if isinstance(fault, Y90Error) else "failed"
        note(store, facts | _took(begun) | {"state": state, "kind": kind})
        raise
    note(store, facts | _took(begun) | {"state": "done"})


def note(store: Store, facts: dict[str, Any]) -> None:
    """Add a line; a journal that cannot be written stops no night."""
    now = datetime.now(UTC)
    line = {"at": now.isoformat(timespec="milliseconds"), "process": os.getpid()} | facts
    folder = store.state / "logs"
    with suppress(OSError):
        make_private(folder)
        path = folder / f"{now.date().isoformat()}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        finally:
            os.close(handle)


def _took(begun: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - begun, 3)}
