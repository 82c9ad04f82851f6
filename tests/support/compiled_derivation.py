"""A derivation compiled once, to be run on many small tables: compiling costs more than running.

The SQL of the product's own functions is shared by the processes of a test run and by later runs of
the same code; that of functions of the tests is kept in memory.
"""

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow

from schemas.contract import Contract, column_names, schema
from warehouse.engine.compiled import QueryCache, of_this_machine
from warehouse.engine.protocol import Engine, Query
from warehouse.fingerprints import sha256_of
from warehouse.store import user_cache

Row = dict[str, Any]
Shapes = Mapping[str, ibis.Schema]


class CompiledDerivation:
    """The SQL of a derivation over named tables; called with rows, it returns rows."""

    def __init__(self, derivation: Callable[..., Any], **settings: Any) -> None:
        hints = typing.get_type_hints(derivation, include_extras=True)
        names = inspect.signature(derivation).parameters.keys() - settings.keys()
        self._contracts: dict[str, type[Contract]] = {
            n: typing.get_args(hints[n])[1] for n in sorted(names)
        }
        shapes = {n: schema(c) for n, c in self._contracts.items()}
        self._query = query_of(derivation, shapes, settings)

    def __call__(self, **records: list[Row]) -> list[Row]:
        """Run it; tables left out are empty, and so are columns."""
        tables = {n: _arrow(records.pop(n, []), c) for n, c in self._contracts.items()}
        assert not records, f"not read: {sorted(records)}"
        return cast(list[Row], executed(self._query, tables).to_pylist())


def computed(
    function: Callable[..., ir.Table], tables: Mapping[str, ir.Table], **chosen: Any
) -> ir.Table:
    """What a function makes of literal tables, named as its parameters."""
    arrow = {name: arrow_of(table) for name, table in tables.items()}
    query = query_of(function, {name: t.schema() for name, t in tables.items()}, chosen)
    made = executed(query, arrow)
    return ibis.memtable(made.cast(query.schema.to_pyarrow()))


def arrow_of(table: ir.Table) -> pyarrow.Table:
    """The rows of a literal table, or of an expression over such."""
    op = table.op()
    if isinstance(op, ibis.expr.operations.InMemoryTable):
        return op.data.to_pyarrow(op.schema)
    return _literal().to_pyarrow(table).cast(table.schema().to_pyarrow())


def executed(query: Query, tables: Mapping[str, pyarrow.Table]) -> pyarrow.Table:
    """Run a query in an engine that holds these tables for as long as it runs."""
    con, held = _runs(), {**query.constants, **tables}
    try:
        for name, table in held.items():
            con.register(name, table)
        return con.execute(query.sql).to_arrow_table()
    finally:
        for name in held:
            con.unregister(name)


@functools.cache
def _runs() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET disabled_optimizers = 'join_filter_pushdown'")  # as warehouse.engine
    con.execute("SET threads = 1")
    return con


def query_of(function: Callable[..., Any], shapes: Shapes, chosen: Mapping[str, Any]) -> Query:
    """The SQL of a function of tables of these shapes; tables are named as its parameters."""
    if not _is_the_products(function):
        return _compiled(function, shapes, chosen)
    kinds = [(n, [(c, str(t)) for c, t in s.items()]) for n, s in sorted(shapes.items())]
    told = [(n, repr(v)) for n, v in sorted(chosen.items())]
    name = sha256_of([function.__module__, function.__qualname__, told, kinds])
    cache = _queries()
    made = cache.once(_engine(), name, lambda: _expression(function, shapes, chosen))
    if cache.unsaved:
        cache.save()
    return made


@functools.cache
def _queries() -> QueryCache:
    return of_this_machine(user_cache() / "compiled_tests")


@functools.cache
def _literal() -> Any:
    return ibis.duckdb.connect()


@functools.cache
def _engine() -> Engine:
    """What compiles; nothing is run in it."""
    nowhere = SimpleNamespace(register=lambda *_: None)
    return cast(Engine, SimpleNamespace(compile=_literal().compile, con=nowhere))


def _is_the_products(function: Callable[..., Any]) -> bool:
    """A function at the top of a module of the product follows from the code alone."""
    module = sys.modules[function.__module__]
    own = getattr(module, function.__qualname__, None) is function
    return own and not function.__module__.startswith("tests")


def _compiled(function: Callable[..., Any], shapes: Shapes, chosen: Mapping[str, Any]) -> Query:
    expression = _expression(function, shapes, chosen)
    memory = QueryCache(None)
    return memory.once(_engine(), "", lambda: expression)


def _expression(
    function: Callable[..., Any], shapes: Shapes, chosen: Mapping[str, Any]
) -> ir.Table:
    tables = {n: ibis.table(s, name=n) for n, s in shapes.items()}
    return cast(ir.Table, function(**tables, **chosen))


def _arrow(records: list[Row], contract: type[Contract]) -> pyarrow.Table:
    full = [{name: r.get(name) for name in column_names(contract)} for r in records]
    return pyarrow.Table.from_pylist(full, schema=schema(contract).to_pyarrow())
