"""Play the script and write docs/history.md.

    .venv/bin/python -m tests.sixty_nights [--short]

With --short every kind of change is played once and the page goes to standard output.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.sixty_nights import page, script
from tests.sixty_nights.replay import replay

started = time.monotonic()


def _heard(told: str) -> None:
    sys.stderr.write(f"{time.monotonic() - started:6.0f} s  {told}\n")


if __name__ == "__main__":
    played = script.read()
    short = "--short" in sys.argv
    with tempfile.TemporaryDirectory() as name:
        figures = () if short else page.FIGURES
        told = played.shortened() if short else played
        written = page.text(replay(told, Path(name), _heard, figures=figures))
    if short:
        sys.stdout.write(written)
    else:
        page.PAGE.write_text(written, "utf-8")
