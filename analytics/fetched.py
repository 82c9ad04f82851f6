"""Rows of an expression for an estimator, compiled once where the engine keeps what it compiles.

An estimator reads few numbers: counts, sums, quantiles. Making and compiling the expression that
asks for them costs more than the answer, so what asks is a function of tables, and an engine that
has compiled the same function over the same columns does not call it again.
"""

from collections.abc import Callable
from typing import Any, cast

import ibis.expr.types as ir
import pyarrow as pa


def fetched(expression: Callable[..., ir.Table], *tables: ir.Table, **chosen: Any) -> pa.Table:
    """The rows of `expression(*tables, **chosen)`.

    Args:
        expression: a function at the top of a module that reads nothing but its arguments.
        tables: what it reads.
        chosen: settings and names that decide what is asked; their `repr` tells them apart.
    """
    kept = getattr(tables[0].get_backend(), "fetched", None)
    if kept is None:
        return expression(*tables, **chosen).to_pyarrow()
    return cast("pa.Table", kept(expression, tables, chosen))


def fetched_records(
    expression: Callable[..., ir.Table], *tables: ir.Table, **chosen: Any
) -> list[dict[str, Any]]:
    """The same, a dictionary a row."""
    return cast("list[dict[str, Any]]", fetched(expression, *tables, **chosen).to_pylist())


def among(table: ir.Table, *, wanted: tuple[str, ...]) -> ir.Table:
    """The rows of these statistics."""
    return table.filter(table.statistic_id.isin(wanted))


def whole(table: ir.Table) -> ir.Table:
    """Every row of a table."""
    return table
