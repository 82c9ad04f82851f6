"""The words of the code: docstrings state what a thing is or does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.layering import MAY_IMPORT

ROOT = Path(__file__).parents[2]
SPOKEN = (*MAY_IMPORT, "tests", "docs", "benchmarks")
"""Folders whose Python a person reads."""


def docstrings(folder: str) -> Iterator[tuple[str, str]]:
    """Place and text of every docstring below a folder."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    name = getattr(node, "name", "")
                    yield f"{path.relative_to(ROOT)} {name}".strip(), text


def first_sentence(text: str) -> str:
    """The first sentence of a docstring."""
    return re.split(r"(?<=[.?!])\s", text.strip(), maxsplit=1)[0]


def test_a_docstring_states_and_never_asks() -> None:
    questions = [
        place
        for folder in SPOKEN
        for place, text in docstrings(folder)
        if first_sentence(text).endswith("?")
    ]
    assert not questions, f"say what it holds or does, without a question: {questions}"
