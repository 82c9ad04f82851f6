"""Draw mutants by a seed, and choose the tests that rest on the changed module."""

import random
from functools import cache
from pathlib import Path

from tests.mutants.operators import Mutant, mutants
from tests.support.layering import imports, modules

ROOT = Path(__file__).parents[2]
SEED = 20121012
"""Committed, so that everybody draws the same mutants of the same code."""
FAR = 4
"""Tests further from the module than so many imports are left out."""
FOLDERS = ("specs", "estimators", "golden", "properties", "loading")
"""Folders whose tests judge numbers, the cheapest first."""
NIGHTS = ("published_store", "reference_store", "own_store")
"""Fixtures that make the reference night."""


@cache
def every_mutant(rooms: tuple[str, ...]) -> tuple[Mutant, ...]:
    """All mutants of the rooms, in the order of files and lines."""
    paths = sorted(p for room in rooms for p in (ROOT / room).rglob("*.py"))
    return tuple(sorted(m for path in paths for m in mutants(ROOT, path)))


def drawn(rooms: tuple[str, ...], count: int, seed: int = SEED) -> list[Mutant]:
    """So many mutants, drawn uniformly from all of the rooms; a larger draw holds the smaller."""
    pool = list(every_mutant(rooms))
    random.Random(seed).shuffle(pool)
    return pool[:count]


@cache
def quick_tests(path: str) -> tuple[str, ...]:
    """Test files that rest on a module and make no night, the nearest and cheapest first."""
    return tuple(_relative(p) for p in _resting_on(path) if not _makes_a_night(p))


@cache
def night_tests(path: str) -> tuple[str, ...]:
    """Golden tests of the reference night, which rests on every derivation."""
    golden = sorted((ROOT / "tests" / "golden").glob("test_*.py"))
    return tuple(_relative(p) for p in golden if _makes_a_night(p))


def _resting_on(path: str) -> list[Path]:
    """Tests of numbers for a room of numbers; any test for the warehouse."""
    wanted = ROOT / path
    every = path.startswith("warehouse/")
    near = [(_rank(test), _distance(test, wanted), test) for test in _tests()]
    chosen = [n for n in near if n[1] <= FAR and (every or n[0] < len(FOLDERS))]
    nearest = sorted(chosen, key=lambda n: (n[1], n[0], n[2])) if every else sorted(chosen)
    return [test for *_, test in nearest]


def _rank(test: Path) -> int:
    folder = test.parent.relative_to(ROOT / "tests").parts[0]
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)


def _tests() -> list[Path]:
    left_out = {"extra", "crash", "sixty_nights", "mutants", "flows"}
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [p for p in files if not left_out & set(p.relative_to(ROOT / "tests").parts)]


@cache
def _distance(test: Path, wanted: Path) -> int:
    """Imports between a test and a module; FAR + 1 where there are more."""
    seen, edge = {test}, [test]
    for far in range(FAR + 1):
        if wanted in edge:
            return far
        edge = [p for path in edge for p in _imported(path) if p not in seen]
        seen |= set(edge)
    return FAR + 1


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    known = modules()
    support = (n for n in imports(path) if n.startswith("tests."))
    helpers = (ROOT / Path(*name.split(".")).with_suffix(".py") for name in support)
    return (
        *(known[n] for n in sorted(imports(path)) if n in known),
        *(p for p in helpers if p.is_file()),
    )


def _makes_a_night(test: Path) -> bool:
    source = test.read_text("utf-8")
    return any(f"{fixture}" in source for fixture in NIGHTS) or "steps.nightly" in source


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
