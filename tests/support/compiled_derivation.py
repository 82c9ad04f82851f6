"""A derivation compiled once, to be run on many small tables: compiling costs more than running."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import duckdb
import ibis
import pyarrow

from schemas.contract import Contract, column_names, schema

Row = dict[str, Any]


class CompiledDerivation:
    """The SQL of a derivation over named tables; called with rows, it returns rows."""

    def __init__(self, derivation: Callable[..., Any], **settings: Any) -> None:
        hints = typing.get_type_hints(derivation, include_extras=True)
        names = inspect.signature(derivation).parameters.keys() - settings.keys()
        self._contracts: dict[str, type[Contract]] = {
            n: typing.get_args(hints[n])[1] for n in names
        }
        tables = {n: ibis.table(schema(c), name=n) for n, c in self._contracts.items()}
        expression = derivation(**tables, **settings)
        literal = expression.op().find(ibis.expr.operations.InMemoryTable)
        self._literal = {table.name: table.data.to_pyarrow(table.schema) for table in literal}
        self._sql = str(ibis.to_sql(expression, dialect="duckdb"))

    def __call__(self, **records: list[Row]) -> list[Row]:
        """Run it; tables left out are empty, and so are columns."""
        con = duckdb.connect()
        con.execute("SET disabled_optimizers = 'join_filter_pushdown'")  # as warehouse.engine
        for name, table in self._literal.items():
            con.register(name, table)
        for name, contract in self._contracts.items():
            con.register(name, _arrow(records.pop(name, []), contract))
        assert not records, f"not read: {sorted(records)}"
        return typing.cast(list[Row], con.execute(self._sql).to_arrow_table().to_pylist())


def _arrow(records: list[Row], contract: type[Contract]) -> pyarrow.Table:
    full = [{name: r.get(name) for name in column_names(contract)} for r in records]
    return pyarrow.Table.from_pylist(full, schema=schema(contract).to_pyarrow())
