"""Every command that a page names is there, with the options that the page gives it."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from flows.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"commands.md", "history.md"}
PAGES = sorted(
    p
    for p in (ROOT / "README.md", ROOT / "y90" / "README.md", *(ROOT / "docs").rglob("*.md"))
    if p.name not in GENERATED and not {"findings", "rules", "tables"} & set(p.parts)
)
NAMED = re.compile(
    r"`(?:\.venv/bin/)?y90 ([a-z][^`\n]*)`|^ *(?:\.venv/bin/)?y90 ([a-z].*)$", re.MULTILINE
)
Commands = dict[str, argparse.ArgumentParser]


def commands(of: argparse.ArgumentParser, before: str = "") -> Commands:
    """Every command by its words."""
    found: Commands = {}
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                found |= {before + name: inner} | commands(inner, f"{before}{name} ")
    return found


KNOWN = commands(parser())


def faults(named: str) -> list[str]:
    """What is wrong with a command as a page gives it."""
    text = re.split(r"\s#\s|\s{2,}#|[;|()]|, ", named)[0]
    try:
        words = shlex.split(text)
    except ValueError:  # goes on in the next line
        words = text.replace('"', "").split()
    name = next((n for n in (" ".join(words[:2]), words[0]) if n in KNOWN), None)
    if name is None:
        return [f"no command: {named}"]
    options = {o for action in KNOWN[name]._actions for o in action.option_strings}
    given = [w.partition("=")[0].rstrip(".,:") for w in words if w.startswith("--")]
    return [f"{name} has no {w}: {named}" for w in given if w not in options]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_names_no_command_that_is_not_there(page: Path) -> None:
    found = [a or b for a, b in NAMED.findall(page.read_text("utf-8"))]
    assert [fault for named in found for fault in faults(named)] == []


def test_a_command_that_is_not_there_is_found() -> None:
    assert len(KNOWN) > 40
    assert faults("relase list") == ["no command: relase list"]
    assert faults("status --max-ages 26h") == ["status has no --max-ages: status --max-ages 26h"]
    assert faults("backfill --dry-run # plan") == []
