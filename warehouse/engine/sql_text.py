"""The SQL of a derivation, to be read by people."""

import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass

import ibis

from schemas.contract import schema
from schemas.settings import OutcomeSettings
from warehouse.engine.lineage import Derivation, contract_of, derivations


@dataclass(frozen=True, slots=True)
class SqlText:
    """How a table is made: the function, what it reads, and its SQL in DuckDB's dialect."""

    table: str
    function: str
    reads: tuple[str, ...]
    settings: tuple[str, ...]
    """Sections of settings that it is given."""
    sql: str | None
    """None for an estimate, which is computed in Python from rows that it asks for."""


def sql_of(name: str, settings: OutcomeSettings) -> SqlText:
    """The SQL that makes a table under these settings.

    Args:
        name: the derivation's name, as in `derivations`.
        settings: whose values stand in the text.

    Raises:
        KeyError: no derivation makes it.
    """
    derivation = derivations()[name]
    function = f"{derivation.function.__module__}.{derivation.function.__name__}"
    sections = tuple(sorted(kind.__name__ for kind in derivation.settings.values()))
    sql = None
    if derivation.is_expression:
        expression = derivation(_unbound(derivation), settings)
        sql = str(ibis.to_sql(expression, dialect="duckdb", pretty=True))
    return SqlText(name, function, derivation.reads, sections, sql)


def _unbound(derivation: Derivation) -> Mapping[str, ibis.Table]:
    """The tables that it reads, without rows."""
    hints = typing.get_type_hints(derivation.function, include_extras=True)
    contracts = {
        n: contract_of(hints[n]) for n in inspect.signature(derivation.function).parameters
    }
    return {n: ibis.table(schema(c), name=n) for n, c in contracts.items() if c is not None}
