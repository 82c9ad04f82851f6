"""What SQL is a derivation, and can it be asked again without compiling it again?

Compiling costs more than running it: most of a small registry's night. A transform is a pure
function, so that its SQL follows from the settings it reads and from names and types of its tables.
A process that makes many nights, a backfill for instance, keeps the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from schemas.settings import OutcomeSettings
from warehouse.lineage import Derivation


@dataclass(frozen=True, slots=True)
class Query:
    """One derivation as SQL, and the columns that it gives."""

    sql: str
    schema: ibis.Schema
    constants: Mapping[str, pa.Table]
    """Rows that the code writes out, under the names that the SQL gives them."""


_known: dict[tuple[object, ...], Query] = {}


def query(
    con: Any, derivation: Derivation, tables: Mapping[str, ir.Table], settings: OutcomeSettings
) -> Query | None:
    """The SQL of a transform over tables of one engine.

    None for an estimate, which looks at its tables while it is made.

    Args:
        con: the engine.
        derivation: the derivation.
        tables: at least what it reads, each named as in the engine.
        settings: all settings; it is known again by those that it reads.
    """
    if derivation.room != "transforms":
        return None
    name = _name(derivation, tables, settings)
    if name not in _known:
        made = derivation(tables, settings)
        written_out = made.op().find(ops.InMemoryTable)
        constants = {op.name: op.data.to_pyarrow(op.schema) for op in written_out}
        _known[name] = Query(str(con.compile(made)), made.schema(), constants)
    return _known[name]


def _name(
    derivation: Derivation, tables: Mapping[str, ir.Table], settings: OutcomeSettings
) -> tuple[object, ...]:
    whole = settings.model_dump_json()
    shapes = tuple((n, tables[n].get_name(), tables[n].schema()) for n in derivation.reads)
    return derivation.function.__module__, derivation.name, whole, shapes
