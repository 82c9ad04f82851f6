"""Show a line on a terminal while a step takes longer than a second."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_SECONDS = 1.0
_shown = False


def on_terminal(*, quiet: bool) -> None:
    """Show progress from now on, if somebody is there to see it."""
    global _shown
    _shown = not quiet and sys.stderr.isatty()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what is going on, from the first second to the end."""
    if not _shown:
        yield
        return
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(what: str, done: threading.Event) -> None:
    begun = time.monotonic()
    wait = FIRST_SECONDS
    while not done.wait(wait):
        sys.stderr.write(f"\r\x1b[2K{what} ... {time.monotonic() - begun:.0f} s")
        sys.stderr.flush()
        wait = 1.0
    if time.monotonic() - begun >= FIRST_SECONDS:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
