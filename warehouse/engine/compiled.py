"""Compile each derivation to SQL once, and keep the text for the next night.

Compiling costs more than running it: most of a small registry's night. A transform is a pure
function, so that its SQL follows from the code, the settings it reads, and names and types of its
tables. A process keeps the text, and so does the store, for the code that it was last used with.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from schemas.settings import OutcomeSettings
from warehouse.engine.lineage import Derivation
from warehouse.fingerprints import code_sha256, engine_versions, sha256_of

TABLE = """
CREATE TABLE IF NOT EXISTS compiled (
    name TEXT PRIMARY KEY, made_by TEXT NOT NULL, query TEXT NOT NULL, sha256 TEXT NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Query:
    """One derivation as SQL, and the columns that it gives."""

    sql: str
    schema: ibis.Schema
    constants: Mapping[str, pa.Table]
    """Rows that the code writes out, under the names that the SQL gives them."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A file of texts, and those that are not in it yet."""

    path: Path
    fresh: dict[str, Query] = field(default_factory=dict)


_known: dict[str, Query] = {}
_stored: set[tuple[Path, str]] = set()
_shelf: ContextVar[Shelf | None] = ContextVar("shelf", default=None)


@contextmanager
def shelved(path: Path) -> Iterator[None]:
    """Look for texts in a file of the store, and leave new ones there when done."""
    shelf = Shelf(path)
    before = _shelf.set(shelf)
    try:
        yield
        _put(shelf)
    finally:
        _shelf.reset(before)


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
    return once(con, name, lambda: derivation(tables, settings))


def once(con: Any, name: str, expression: Callable[[], ir.Table]) -> Query:
    """The SQL of an expression that the code decides, compiled where nobody has done so before.

    Args:
        con: the engine.
        name: what it follows from beside the code; equal names, equal expressions.
        expression: makes it.
    """
    shelf = _shelf.get()
    if name not in _known:
        found = _taken(shelf.path, name) if shelf else None
        _known[name] = found or _compiled(con, expression())
    if shelf and (shelf.path, name) not in _stored:
        shelf.fresh[name] = _known[name]
    return _known[name]


def _compiled(con: Any, made: ir.Table) -> Query:
    written_out = made.op().find(ops.InMemoryTable)
    constants = {op.name: op.data.to_pyarrow(op.schema) for op in written_out}
    return Query(str(con.compile(made)), made.schema(), constants)


def _name(derivation: Derivation, tables: Mapping[str, ir.Table], settings: OutcomeSettings) -> str:
    read = [section.model_dump_json() for section in derivation.sections(settings).values()]
    shapes = [
        (str(t.op().namespace), t.get_name(), [(c, str(kind)) for c, kind in t.schema().items()])
        for t in (tables[n] for n in derivation.reads)
    ]
    return sha256_of([derivation.function.__module__, derivation.function.__name__, read, shapes])


@cache
def _made_by() -> str:
    return sha256_of([code_sha256(), dict(engine_versions()), version("sqlglot")])


def _taken(path: Path, name: str) -> Query | None:
    """What the store keeps; nothing where the file cannot be read or the text is not as it was."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as con:
        asked = "SELECT query, sha256 FROM compiled WHERE name = ? AND made_by = ?"
        row = con.execute(asked, (name, _made_by())).fetchone()
        if row and sha256_of(row[0]) == row[1]:
            _stored.add((path, name))
            return _read(json.loads(row[0]))
    return None


def _put(shelf: Shelf) -> None:
    """Keep the texts; a store that cannot be written to is compiled for again next time."""
    if not shelf.fresh:
        return
    texts = {name: json.dumps(_written(made)) for name, made in shelf.fresh.items()}
    with suppress(sqlite3.Error), closing(sqlite3.connect(shelf.path)) as con, con:
        con.execute(TABLE)
        con.execute("DELETE FROM compiled WHERE made_by <> ?", (_made_by(),))
        rows = [(name, _made_by(), text, sha256_of(text)) for name, text in texts.items()]
        con.executemany("INSERT OR REPLACE INTO compiled VALUES (?, ?, ?, ?)", rows)
    _stored.update((shelf.path, name) for name in texts)


def _written(made: Query) -> dict[str, Any]:
    return {
        "sql": made.sql,
        "schema": {n: str(t) for n, t in made.schema.items()},
        "constants": {n: _hex(t) for n, t in made.constants.items()},
    }


def _read(facts: Mapping[str, Any]) -> Query:
    constants = {
        n: pa.ipc.open_stream(bytes.fromhex(t)).read_all() for n, t in facts["constants"].items()
    }
    return Query(facts["sql"], ibis.schema(facts["schema"]), constants)


def _hex(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return str(sink.getvalue().to_pybytes().hex())
