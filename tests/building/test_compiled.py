"""Compiled SQL is taken from the store, unless its text is damaged or its code has changed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from tests.conftest import NIGHT, job
from warehouse.account import verify
from warehouse.engine import compiled
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A file with one text."""
    with compiled.shelved(tmp_path / "compiled.sqlite"):
        shelf = compiled._shelf.get()
        assert shelf is not None
        shelf.fresh["one"] = KEPT
    return shelf.path


KEPT = compiled.Query(
    "SELECT 1",
    ibis.schema({"x": "decimal(18, 6)", "y": "!int64"}),
    {"codes": pa.table({"code": ["a", None], "rank": [1, 2]})},
)


def test_a_text_comes_back_whole(shelf: Path) -> None:
    assert compiled._taken(shelf, "one") == KEPT
    assert compiled._taken(shelf, "two") is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE compiled SET query = replace(query, '1', '2')", id="text"),
        pytest.param("UPDATE compiled SET made_by = 'another'", id="other code"),
        pytest.param("DROP TABLE compiled", id="table"),
    ],
)
def test_a_text_that_is_not_as_it_was_or_by_other_code_is_not_taken(
    shelf: Path, damage: str
) -> None:
    with closing(sqlite3.connect(shelf)) as con, con:
        con.execute(damage)
    assert compiled._taken(shelf, "one") is None


def test_a_file_that_is_no_database_costs_compiling_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "compiled.sqlite"
    path.write_bytes(b"not a database")
    with compiled.shelved(path):
        assert compiled._taken(path, "one") is None
    assert path.read_bytes() == b"not a database"


def test_another_process_takes_every_transform_from_the_store(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> compiled.Query:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compiled, "_known", {})
    monkeypatch.setattr(compiled, "_compiled", never)
    given = job(own_store, "redcap", NIGHT)
    found = verify.verify(own_store, given.registry, DEMONSTRATION_KEY, None)
    assert found.passed
