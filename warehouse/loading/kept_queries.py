"""Compile what loading asks once a site file and shape of an export, not once a delivery.

What differs from delivery to delivery - its day, its receipt, the earliest year that is believed -
stands in variables of the engine, so that no text of a query holds it and no kept text holds
anything of a patient.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.engine.protocol import Engine, Query
from warehouse.engine.quoting import literal
from warehouse.fingerprints import sha256_of


@ibis.udf.scalar.builtin(name="getvariable")  # type: ignore[untyped-decorator]
def _day(variable: str) -> date: ...  # type: ignore[empty-body]  # the engine's own function


@ibis.udf.scalar.builtin(name="getvariable")  # type: ignore[untyped-decorator]
def _text(variable: str) -> str: ...  # type: ignore[empty-body]  # the engine's own function


@ibis.udf.scalar.builtin(name="getvariable")  # type: ignore[untyped-decorator]
def _whole(variable: str) -> int: ...  # type: ignore[empty-body]  # the engine's own function


def day(con: Engine, name: str, value: date) -> ir.DateValue:
    """A day that an expression reads when it runs."""
    con.raw_sql(f"SET VARIABLE {name} = DATE '{value.isoformat()}'")
    return _day(name)


def text(con: Engine, name: str, value: str) -> ir.StringValue:
    """A text that an expression reads when it runs."""
    con.raw_sql(f"SET VARIABLE {name} = {literal(value)}")
    return _text(name)


def whole(con: Engine, name: str, value: int) -> ir.IntegerValue:
    """A whole number that an expression reads when it runs."""
    con.raw_sql(f"SET VARIABLE {name} = {value}::BIGINT")
    return _whole(name)


def query(
    con: Engine,
    step: str,
    facts: Iterable[Any],
    tables: Iterable[ir.Table],
    expression: Callable[[], ir.Table],
) -> Query:
    """The SQL of one step between a raw delivery and accepted rows.

    Args:
        con: the engine.
        step: what is asked; the code says how.
        facts: what else decides the text: table, source, site file.
        tables: what is read: names, columns and types decide the text too.
        expression: what makes the question, where nobody has compiled it before.
    """
    shapes = [(t.get_name(), [(n, str(kind)) for n, kind in t.schema().items()]) for t in tables]
    return con.queries.once(con, sha256_of(["load", step, *facts, shapes]), expression)
