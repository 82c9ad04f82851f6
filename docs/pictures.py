"""Take the README's pictures from the report of the current release: `make pictures`.

Chromium draws them, so they are looked at and committed, not compared.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "pictures"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
FIGURE = "waterfall-who-lesion"


def main(page: Path) -> None:
    """Draw the head of the page, and one figure alone.

    Args:
        page: report/index.html of a release.
    """
    FOLDER.mkdir(exist_ok=True)
    text = page.read_text("utf-8")
    style = "".join(re.findall(r"<style>.*?</style>", text, re.DOTALL))
    figure = re.search(rf'id="{FIGURE}".*?(<figure>.*?</figure>)', text, re.DOTALL)
    if figure is None:
        raise SystemExit(f"{page}: there is no figure {FIGURE!r}. Make a release with this code.")
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "figure.html"
        alone.write_text(f"<!doctype html>{style}<body>{figure[1]}", "utf-8")
        _draw(page, FOLDER / "page.png", (1000, 450), folder)
        _draw(alone, FOLDER / "waterfall.png", (760, 440), folder)


def _draw(page: Path, to: Path, size: tuple[int, int], folder: str) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("chromium is missing. Install the Debian package.")
    width, height = size
    words = [
        *(program, *FLAGS, f"--user-data-dir={folder}/browser", f"--screenshot={to}"),
        f"--window-size={width},{height}",
    ]
    subprocess.run([*words, page.resolve().as_uri()], check=True, capture_output=True, timeout=180)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
