"""Kept tables are named without asking the engine, and estimators' questions are compiled once."""

from collections.abc import Iterator
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from analytics.fetched import fetched
from schemas.contract import rows, schema, table_name
from schemas.settings import OutcomeSettings
from schemas.tables.intermediate import GIVEN
from schemas.tables.quality import Audit
from schemas.tables.registry import TABLES
from warehouse import fingerprints
from warehouse.engine import compiled, kept_tables
from warehouse.engine.connections import SMALL_BYTES, of_size
from warehouse.engine.embedded import EmbeddedEngine, engine
from warehouse.engine.lineage import derivations
from warehouse.engine.protocol import Query


@pytest.fixture
def con() -> Iterator[EmbeddedEngine]:
    """An engine that has compiled nothing yet."""
    with engine() as opened:
        opened.queries = compiled.QueryCache(None)
        yield opened


def test_what_is_no_outcome_is_made_without_looking_at_rows() -> None:
    """Tables that no engine has: whoever asked for rows would fail."""
    for derivation in derivations().values():
        if derivation.is_expression:
            tables = {
                n: ibis.table(schema(derivations()[n].contract), name=n)
                for n in derivation.reads
                if n in derivations()
            } | _given(derivation.reads)
            assert isinstance(derivation(tables, OutcomeSettings()), ir.Table), derivation.name


def _given(reads: tuple[str, ...]) -> dict[str, ir.Table]:
    given = {table_name(c): c for c in (*TABLES, *GIVEN)}
    return {n: ibis.table(schema(given[n]), name=n) for n in reads if n in given}


def test_a_kept_table_has_the_columns_that_the_engine_says(con: EmbeddedEngine) -> None:
    columns = ibis.schema({"day": "date", "size": "decimal(9, 3)", "name": "string"})
    sql = "SELECT DATE '2011-03-31', 1.5, NULL::VARCHAR"
    kept = kept_tables.keep(con, "kept", Query(sql, columns, {}))
    assert kept.schema() == con.table("kept").schema() == kept_tables.every(con)["kept"].schema()
    assert con.to_pyarrow(kept.count()).as_py() == 1


def test_rows_of_python_are_kept_as_they_are(con: EmbeddedEngine) -> None:
    record = {"audit_id": "A1", "suite": "s", "table_name": "t", "question": "q", "passed": True}
    made = rows([record], Audit)
    assert kept_tables.of_python(made)
    kept = kept_tables.keep_rows(con, "audit", made)
    assert con.to_pyarrow(kept).to_pylist() == con.to_pyarrow(made).to_pylist()


def _over(table: ir.Table, *, least: int) -> ir.Table:
    CALLS.append(least)
    return table.filter(table.n >= least).order_by("n")


CALLS: list[int] = []


def test_a_question_is_compiled_once_for_its_columns_and_choices(con: EmbeddedEngine) -> None:
    CALLS.clear()
    con.con.register("numbers", pa.table({"n": [3, 1, 2]}))
    numbers = con.table("numbers")
    assert fetched(_over, numbers, least=2)["n"].to_pylist() == [2, 3]
    con.con.register("numbers", pa.table({"n": [5, 1]}))
    assert fetched(_over, numbers, least=2)["n"].to_pylist() == [5]
    assert CALLS == [2], "another delivery is no other question"
    assert fetched(_over, numbers, least=1)["n"].to_pylist() == [1, 5]
    assert CALLS == [2, 1]


def test_a_table_without_a_name_is_asked_as_it_is(con: EmbeddedEngine) -> None:
    con.con.register("numbers", pa.table({"n": [3, 1, 2]}))
    few = con.table("numbers").limit(10)
    assert fetched(_over, few, least=3)["n"].to_pylist() == [3]


def test_small_deliveries_are_computed_by_one_thread_unless_the_registry_says() -> None:
    assert of_size({"threads": None}, SMALL_BYTES - 1)["threads"] == 1
    assert of_size({"threads": None}, SMALL_BYTES)["threads"] is None
    assert of_size({"threads": 4}, 10)["threads"] == 4


def test_every_room_that_compiles_decides_the_name_of_the_cache() -> None:
    """Code of the other rooms may change without compiling anything again."""
    root = Path(fingerprints.__file__).parents[1]
    asking = ("kept_queries.", "queries.once(", "queries.of(", "queries.transform(")
    rooms = {
        path.parent.relative_to(root).as_posix()
        for path in sorted((root / "warehouse").rglob("*.py"))
        if any(word in path.read_text("utf-8") for word in asking)
    }
    assert rooms
    assert rooms <= set(fingerprints.COMPILED)
