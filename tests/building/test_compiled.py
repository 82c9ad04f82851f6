"""Compiled SQL comes from the machine's cache, unless its text or the code has changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from warehouse.engine import compiled

KEPT = compiled.Query(
    "SELECT 1",
    ibis.schema({"x": "decimal(18, 6)", "y": "!int64"}),
    {"codes": pa.table({"code": ["a", None], "rank": [1, 2]})},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one query."""
    cache = compiled.QueryCache(tmp_path / "compiled.sqlite", {"one": KEPT}, {"one"})
    cache.save()
    assert cache.path is not None
    return cache.path


def test_a_query_comes_back_whole(path: Path) -> None:
    assert compiled._stored(path, "one") == KEPT
    assert compiled._stored(path, "two") is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE compiled SET query = replace(query, '1', '2')", id="text"),
        pytest.param("DROP TABLE compiled", id="table"),
    ],
)
def test_a_text_that_is_not_as_it_was_is_not_taken(path: Path, damage: str) -> None:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute(damage)
    assert compiled._stored(path, "one") is None


def test_a_file_that_is_no_database_costs_compiling_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "compiled.sqlite"
    path.write_bytes(b"not a database")
    cache = compiled.QueryCache(path, {"one": KEPT}, {"one"})
    assert compiled._stored(path, "one") is None
    cache.save()
    assert path.read_bytes() == b"not a database"


def test_a_folder_that_cannot_be_made_costs_compiling_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compiled.of_this_machine(tmp_path / "file" / "below").path is None


def test_each_state_of_the_code_has_its_own_file_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in range(compiled.CACHES_KEPT + 3):
        monkeypatch.setattr(compiled, "_made_by", lambda state=state: f"{state:024d}")
        compiled.of_this_machine.cache_clear()
        cache = compiled.of_this_machine(tmp_path)
        cache.queries["one"] = KEPT
        cache.unsaved.add("one")
        cache.save()
    compiled.of_this_machine.cache_clear()
    assert len(list(tmp_path.glob("*.sqlite"))) <= compiled.CACHES_KEPT + 1
    assert compiled._stored(tmp_path / f"{compiled.CACHES_KEPT + 2:024d}.sqlite", "one") == KEPT
