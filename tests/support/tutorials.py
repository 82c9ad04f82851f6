"""The blocks of the tutorials, to be run."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
FILE = re.compile(
    r"```toml (?P<file>\S+\.toml)(?: after (?P<after>[^\n]+))?\n(?P<text>.*?)```", re.S
)


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in one language."""
    text = (PAGES / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(page: str) -> list[str]:
    """The commands of a page; an indented line goes on with the one before."""
    lines = "\n".join(blocks(page, "sh")).replace("\n  ", " ").splitlines()
    return [line for line in lines if line]


def by_hand(page: str) -> list[str]:
    """The lines that a person writes into files, without blank ones."""
    found = FILE.finditer((PAGES / page).read_text("utf-8"))
    return [line for block in found for line in block["text"].splitlines() if line]


def carried_out(page: str, run: Callable[[list[str]], int]) -> None:
    """Write the page's files and run its commands here, in the order in which they stand.

    Its only command that is not ours is `cp`.
    """
    text = (PAGES / page).read_text("utf-8")
    parts = re.compile(rf"{FILE.pattern}|```sh\n(?P<sh>.*?)```", re.S)
    for block in parts.finditer(text):
        if block["sh"] is None:
            _written(Path(block["file"]), block["after"], block["text"])
        for command in (block["sh"] or "").replace("\n  ", " ").splitlines():
            program, *words = shlex.split(command)
            if program == "cp":
                shutil.copyfile(*words)
                continue
            assert program == "y90"
            assert run(words) == 0, command


def _written(path: Path, after: str | None, text: str) -> None:
    """A block is a new file, goes to the end of one, or stands below a line of it."""
    path.parent.mkdir(exist_ok=True)
    there = path.read_text("utf-8") if path.exists() else ""
    if after:
        assert there.count(f"\n{after}\n") == 1, after
        path.write_text(there.replace(f"\n{after}\n", f"\n{after}\n{text}"), "utf-8")
    else:
        path.write_text(f"{there}\n{text}" if there else text, "utf-8")
