"""The blocks of the tutorials, to be run."""

import re
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "tutorials"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in one language."""
    text = (PAGES / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(page: str) -> list[str]:
    """The commands of a page; an indented line goes on with the one before."""
    lines = "\n".join(blocks(page, "sh")).replace("\n  ", " ").splitlines()
    return [line for line in lines if line]
