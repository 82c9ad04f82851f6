"""What the rooms of the warehouse ask of an engine.

`EmbeddedEngine` has it; a plain DuckDB backend of Ibis has it but for `queries`. A function that
takes an engine names this protocol, so that the type checker refuses a call that no engine has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from schemas.settings import OutcomeSettings
from warehouse.engine.lineage import Derivation


@dataclass(frozen=True, slots=True)
class Query:
    """One derivation as SQL, and the columns that it gives."""

    sql: str
    schema: ibis.Schema
    constants: Mapping[str, pa.Table]
    """Rows that the code writes out, under the names that the SQL gives them."""


class Queries(Protocol):
    """SQL that need not be compiled again: see `warehouse.engine.compiled.QueryCache`."""

    def once(self, con: "Engine", name: str, expression: Callable[[], ir.Table], /) -> Query:
        """The SQL of an expression, compiled where nobody has done so before."""
        ...

    def of(
        self,
        con: "Engine",
        function: Callable[..., ir.Table],
        tables: Sequence[ir.Table],
        chosen: Mapping[str, Any],
        /,
    ) -> Query | None:
        """The SQL of a function of tables; none where one of them has no name in the engine."""
        ...

    def transform(
        self,
        con: "Engine",
        derivation: Derivation,
        tables: Mapping[str, ir.Table],
        settings: OutcomeSettings,
        /,
    ) -> Query | None:
        """The SQL of a derivation over tables of one engine; none for an estimate."""
        ...

    def facts(self, name: str, find: Callable[[], Any], /) -> Any:
        """Plain facts that follow from the code alone, found where nobody has done so before."""
        ...

    def save(self) -> None:
        """Keep new queries."""
        ...


class Engine(Protocol):
    """DuckDB as Ibis speaks to it: tables by name, expressions run, and SQL of our own."""

    queries: Queries
    """SQL that need not be compiled again."""
    con: duckdb.DuckDBPyConnection
    """DuckDB's own connection."""

    def raw_sql(self, query: str, /) -> duckdb.DuckDBPyConnection:
        """Run SQL; the rows wait to be fetched."""
        ...

    def sql(self, query: str, /) -> ir.Table:
        """A query's rows as a table expression."""
        ...

    def compile(self, expr: ir.Expr, /) -> str:
        """The SQL of an expression."""
        ...

    def table(self, name: str, /) -> ir.Table:
        """A table or view of the engine."""
        ...

    def list_tables(self, *, like: str | None = None) -> list[str]:
        """Names of tables and views, or of those that a regular expression finds."""
        ...

    def create_table(
        self,
        name: str,
        obj: ir.Table | None = None,
        /,
        *,
        schema: ibis.Schema | None = None,
        overwrite: bool = False,
    ) -> ir.Table:
        """Make a table of an expression's rows, or an empty one of a schema."""
        ...

    def drop_table(self, name: str, /) -> None:
        """Take a table away."""
        ...

    def drop_view(self, name: str, /) -> None:
        """Take a view away."""
        ...

    def read_parquet(
        self, paths: Path | Sequence[Path] | Sequence[str], /, *, table_name: str
    ) -> ir.Table:
        """Make a view of Parquet files."""
        ...

    def to_pyarrow(self, expr: ir.Expr, /) -> Any:
        """Run an expression: a table of Arrow, or for a single value a scalar of Arrow."""
        ...

    def to_pyarrow_batches(
        self, expr: ir.Expr, /, *, chunk_size: int = ...
    ) -> Iterator[pa.RecordBatch]:
        """Run an expression batch by batch."""
        ...


def one_row(con: Engine, query: str) -> tuple[Any, ...]:
    """The row of a query that always has exactly one, as counts over a whole table have."""
    row = con.raw_sql(query).fetchone()
    assert row is not None, "the query gave no row"
    return row
