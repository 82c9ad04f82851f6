"""Tables that stand in the engine: made in two statements, and named without asking for columns.

Ibis makes a table in five statements and asks the engine for the columns of whatever it names. A
night names some hundred tables, and does so again at every step.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.sql.datatypes import DuckDBType

from warehouse.engine.protocol import Engine, Query

MAIN = "main"
"""The schema in which a night makes its tables."""

_ROWS = "rows_of_python"
"""Name of a view of rows that Python has made, while they are copied."""


def keep(con: Engine, name: str, query: Query) -> ir.Table:
    """Make or replace a table of a query's rows."""
    for constants, rows in query.constants.items():
        con.con.register(constants, rows)
    con.raw_sql(f'CREATE OR REPLACE TABLE "{name}" ({_columns(query.schema)})')
    con.raw_sql(f'INSERT INTO "{name}" {query.sql}')
    return named(con, name, query.schema)


def keep_rows(con: Engine, name: str, rows: ir.Table) -> ir.Table:
    """Make or replace a table of rows that Python has made: see `schemas.contract.rows`."""
    operation = rows.op()
    assert isinstance(operation, ops.InMemoryTable), "rows of Python are an in-memory table"
    arrow: pa.Table = operation.data.to_pyarrow(operation.schema)
    con.con.register(_ROWS, arrow)
    try:
        return keep(con, name, Query(f"SELECT * FROM {_ROWS}", operation.schema, {}))
    finally:
        con.con.unregister(_ROWS)


@contextmanager
def in_front(con: Engine, *schemas: str) -> Iterator[None]:
    """Let tables of some schemas stand before those of the same name that the night has made.

    The first schema is empty, takes what is made meanwhile, and is dropped afterwards. SQL names
    its tables without a schema, so that a night's compiled queries serve for other rows.
    """
    first, path = schemas[0], ",".join((*schemas, MAIN))
    con.raw_sql(f'CREATE SCHEMA "{first}"')
    try:
        con.raw_sql(f"SET search_path = '{path}'")
        yield
    finally:
        con.raw_sql(f"SET search_path = '{','.join((*schemas[1:], MAIN))}'")
        con.raw_sql(f'DROP SCHEMA "{first}" CASCADE')


def of_python(table: ir.Table) -> bool:
    """Whether a table is rows that Python has made, and nothing else."""
    return isinstance(table.op(), ops.InMemoryTable)


def named(con: Engine, name: str, schema: ibis.Schema) -> ir.Table:
    """A table of the engine whose columns are known."""
    nullable = ibis.schema({n: kind.copy(nullable=True) for n, kind in schema.items()})
    table = ops.DatabaseTable(name, nullable, source=con, namespace=ops.Namespace())
    return table.to_expr()


def every(con: Engine) -> Mapping[str, ir.Table]:
    """Every table and view of the engine, by one look into its catalog."""
    listed = con.raw_sql(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database() "
        "AND schema_name = current_schema() ORDER BY table_name, column_index"
    ).fetchall()
    schemas: dict[str, dict[str, dt.DataType]] = {}
    for table, column, kind in listed:
        schemas.setdefault(table, {})[column] = _type(kind)
    return {table: named(con, table, ibis.schema(kinds)) for table, kinds in schemas.items()}


@cache
def _type(kind: str) -> dt.DataType:
    return DuckDBType.from_string(kind)


@cache
def _columns(schema: ibis.Schema) -> str:
    return ", ".join(f'"{n}" {DuckDBType.to_string(kind)}' for n, kind in schema.items())
