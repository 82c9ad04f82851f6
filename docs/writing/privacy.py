"""The page on what a bundle for pooling gives away: the policy, and what an attacker found."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from warehouse.bundles.policy import limits

ATTACKER = Path(__file__).parents[2] / "tests" / "pooled" / "test_attacker.py"
"""The tests in which each guard is switched off; the page lists them."""
MEASURED = ATTACKER.with_name("measured.toml")
"""What the attacker found in the long run; a test holds it."""
TEXT = Path(__file__).with_name("privacy.md")
COLUMNS = {
    "patients": "patients",
    "bundles": "bundles",
    "comparisons": "comparisons told",
    "answers": "second rounds",
    "levels": "levels certain",
    "levels_searched": "no other level found",
    "states": "states certain",
    "alike": "exits in alike bins of the last bundle",
    "followed": "certain to who also follows",
}


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    text = TEXT.read_text("utf-8").strip()
    for name, table in (("POLICY", policy()), ("MEASURED", _measured()), ("GUARDS", _guards())):
        text = text.replace(name, table)
    return {"privacy.md": text + "\n"}


def policy() -> str:
    """The limits of a bundle, with their reasons."""
    rows = ["| limit | value | reason |", "|---|---|---|"]
    rows += [f"| `{name}` | {limit.value} | {limit.reason} |" for name, limit in limits().items()]
    return "\n".join(rows)


def _measured() -> str:
    found = tomllib.loads(MEASURED.read_text("utf-8")).values()
    rows = ["| " + " | ".join(COLUMNS.values()) + " |", "|---" * len(COLUMNS) + "|"]
    rows += ["| " + " | ".join(str(of[name]) for name in COLUMNS) + " |" for of in found]
    return "\n".join(rows)


def _guards() -> str:
    """The tests in which a guard is off, by their names, with their reason."""
    return "\n".join(["| test | what it shows |", "|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for node in ast.parse(ATTACKER.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            said = (ast.get_docstring(node) or "").splitlines()
            yield f"| {node.name.removeprefix('test_').replace('_', ' ')} | {' '.join(said)} |"
