"""The list of mutants: every change is Python, is drawn alike everywhere, and has tests."""

import tomllib
from pathlib import Path

import pytest

from tests.mutants.__main__ import EQUIVALENT
from tests.mutants.choice import ROOT, drawn, every_mutant, night_tests, quick_tests
from tests.mutants.faults import FAULTS, located
from tests.mutants.operators import is_python, mutants

ROOMS = ("transforms", "analytics")
SAMPLE = '''"""A sample."""

LIMIT: int = 30


def over(rows, value):
    """Rows beyond the limit, and no docstring or annotation is changed."""
    kept = rows.filter((rows.n >= LIMIT) & ~rows.old)
    return kept.n.max() if value is not None else ibis.cases((kept.n == 1, "a"), (x, y), else_=z)
'''


def test_each_operator_changes_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE)
    changes = {(m.operator, m.old, m.new) for m in mutants(tmp_path, tmp_path / "sample.py")}
    assert changes == {
        ("constant", "30", "(30 + 1)"),
        ("call removed", "rows.filter((rows.n >= LIMIT) & ~rows.old)", "(rows)"),
        ("arithmetic", "&", "|"),
        ("comparison", ">=", ">"),
        ("negation removed", "~rows.old", "(rows.old)"),
        ("condition negated", "value is not None", "(not (value is not None))"),
        ("comparison", "is not", "is"),
        ("name swapped", "max", "min"),
        ("comparison", "==", "!="),
        ("constant", "1", "(1 + 1)"),
        ("branch removed", '(kept.n == 1, "a"), (x, y)', "(x, y)"),
        ("branch removed", '(kept.n == 1, "a"), (x, y)', '(kept.n == 1, "a")'),
    }


def test_a_draw_is_the_same_for_everybody_and_every_mutant_of_it_is_python() -> None:
    chosen = drawn(ROOMS, 60)
    assert chosen == drawn(ROOMS, 300)[:60]
    assert len({m.name for m in chosen}) == 60
    for mutant in chosen:
        assert is_python(mutant.applied((ROOT / mutant.path).read_bytes())), mutant.name


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_with_a_mutant_has_tests(room: str) -> None:
    for path in {m.path for m in every_mutant((room,))}:
        assert quick_tests(path) or night_tests(path), path


def test_a_mutant_named_as_equivalent_is_still_in_the_code() -> None:
    names = {m.name for m in every_mutant(("transforms", "analytics", "warehouse"))}
    assert set(tomllib.loads(EQUIVALENT.read_text("utf-8"))) <= names


def test_every_deliberate_fault_stands_in_the_code_once() -> None:
    for fault in FAULTS:
        assert located(ROOT, fault).old == fault.old
