"""The words of the code and of its pages: plain statements that name what a reader can find."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from schemas.contract import Table, column_names, columns, table_name
from schemas.settings import RegistryFile
from schemas.tables import intermediate, marts, outcomes, quality, registry
from schemas.tables.marts import FactorLevels
from tests.support import pipe_tables
from tests.support.layering import MAY_IMPORT
from tests.support.literal_releases import CONTRACTS

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


def test_a_failing_specification_prints_the_rows_wanted_and_the_rows_computed() -> None:
    with pytest.raises(AssertionError) as failure:
        pipe_tables.check(
            _doubled,
            {"factor_levels": "| subject_id | level_number |\n| A | 1 |\n| B | 2 |"},
            "| subject_id | level_number |\n| A | 2 |\n| B | 5 |",
        )
    assert str(failure.value).splitlines() == [
        "factor_levels: `-` is wanted, `+` is computed.",
        "  subject_id | level_number",
        "  A | 2",
        "- B | 5",
        "+ B | 4",
    ]


def _doubled(factor_levels: Table[FactorLevels]) -> Table[FactorLevels]:
    return factor_levels.mutate(level_number=factor_levels.level_number * 2)


def test_rule_pages_name_the_tables_of_the_product() -> None:
    rooms = (registry, intermediate, marts, outcomes, quality)
    declared = {table_name(contract) for room in rooms for contract in room.TABLES}
    declared |= {table_name(outcomes.Statistics), table_name(outcomes.MemberSets)}
    for page in sorted((ROOT / "docs" / "rules").glob("*.md")):
        named = re.findall(r"^(?:gives )?`(\w+)`$", page.read_text("utf-8"), re.MULTILINE)
        assert set(named) <= declared, f"{page.name}: {set(named) - declared}"


WORKING_PAPERS = re.compile(r"\b(domain|design|contract|style|cohort_recipe)\.md", re.IGNORECASE)
MACHINE_WORDS = re.compile(r"PydanticUndefined|\bissue \d+")
FIGURE_OR_CONTRADICTION = re.compile(r"\b[FX]\d\d\b")
RULE = re.compile(r"\b[EX]\d\b")


def test_published_texts_cite_what_a_reader_can_open() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    for page in (*pages, *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text("utf-8")
        assert not WORKING_PAPERS.search(text), page.relative_to(ROOT)
        assert not MACHINE_WORDS.search(text), page.relative_to(ROOT)
    for folder in SPOKEN:
        for path in (ROOT / folder).rglob("*.py"):
            assert not WORKING_PAPERS.search(path.read_text("utf-8")), path.relative_to(ROOT)


def test_a_meaning_explains_the_codes_that_it_uses() -> None:
    """A number of a figure or a contradiction says nothing; a rule's code is called a rule."""
    for place, meaning in (*_column_meanings(), *_setting_meanings()):
        assert not FIGURE_OR_CONTRADICTION.search(meaning), f"{place}: {meaning}"
        assert not RULE.search(meaning) or "rule" in meaning.lower(), f"{place}: {meaning}"


def _column_meanings() -> Iterator[tuple[str, str]]:
    for room in (registry, intermediate, marts, outcomes, quality):
        for contract in room.TABLES:
            for c in columns(contract):
                yield f"{table_name(contract)}.{c.name}", f"{c.meaning} {c.source or ''}"


def _setting_meanings() -> Iterator[tuple[str, str]]:
    for section in (RegistryFile, *(f.annotation for f in RegistryFile.model_fields.values())):
        for name, field in getattr(section, "model_fields", {}).items():
            yield name, field.description or ""


def test_one_python_is_claimed_and_it_is_the_one_that_runs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    major, minor = sys.version_info[:2]
    assert project["project"]["requires-python"] == f">={major}.{minor},<{major}.{minor + 1}"
    for page in ("README.md", "CONTRIBUTING.md", "Makefile"):
        named = set(re.findall(r"Python (\d\.\d+)", (ROOT / page).read_text("utf-8")))
        assert named == {f"{major}.{minor}"}, page


def test_no_published_column_or_table_needs_quotes() -> None:
    """A reserved word as a name fails in `WHERE name = 'any'`, or is read as something else."""
    refused = []
    with duckdb.connect() as con:
        for name, contract in CONTRACTS.items():
            schema, _ = name.split(".")
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            declared = ", ".join(f'"{c}" VARCHAR' for c in column_names(contract))
            con.execute(f"CREATE TABLE {name} ({declared})")
            for column in column_names(contract):
                try:
                    con.execute(f"SELECT {column} FROM {name} WHERE {column} = 'any'")
                except duckdb.Error:
                    refused.append(f"{name}.{column}")
    assert refused == []
