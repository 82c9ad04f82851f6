"""Compile each derivation to SQL once, and keep the text for the next night.

Compiling costs more than running it: most of a small registry's night. A transform is a pure
function, so that its SQL follows from the code, the settings it reads, and names and types of its
tables. The text is kept once a machine and state of the code, whatever the store.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
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
from warehouse.engine.protocol import Engine, Query
from warehouse.fingerprints import COMPILED, code_sha256, engine_versions, sha256_of
from warehouse.store import make_private, user_cache

TABLE = """
CREATE TABLE IF NOT EXISTS compiled (
    name TEXT PRIMARY KEY, query TEXT NOT NULL, sha256 TEXT NOT NULL
)
"""
CACHES_KEPT = 8
"""Files of states of the code that a machine keeps, newest first."""


@dataclass(slots=True)
class QueryCache:
    """Queries by name: in memory, and in a file that processes of one machine share.

    A file belongs to one state of the code and the engines, so that no store compiles what another
    has compiled before.
    """

    path: Path | None
    """None: in memory alone."""
    queries: dict[str, Query] = field(default_factory=dict)
    unsaved: set[str] = field(default_factory=set)
    told: dict[str, Any] = field(default_factory=dict)
    """Facts by name, as they follow from the code."""

    def once(self, con: Engine, name: str, expression: Callable[[], ir.Table]) -> Query:
        """The SQL of an expression that the code decides, compiled where nobody has done so before.

        The rows that the SQL takes as constants are at hand in the engine.

        Args:
            con: the engine.
            name: what it follows from beside the code; equal names, equal expressions.
            expression: makes it.
        """
        if name not in self.queries:
            stored = _stored(self.path, name) if self.path else None
            self.queries[name] = stored or compiled(con, expression())
            if stored is None:
                self.unsaved.add(name)
        query = self.queries[name]
        for table_name, constants in query.constants.items():
            con.con.register(table_name, constants)
        return query

    def of(
        self,
        con: Engine,
        function: Callable[..., ir.Table],
        tables: Sequence[ir.Table],
        chosen: Mapping[str, Any],
    ) -> Query | None:
        """The SQL of a function of tables; None where one of them has no name in the engine.

        Args:
            con: the engine.
            function: a function at the top of a module that reads nothing but its arguments.
            tables: what it reads.
            chosen: what else it is given; told apart by `repr`.
        """
        if not all(isinstance(t.op(), ops.DatabaseTable) for t in tables):
            return None
        facts = [function.__module__, function.__qualname__, repr(sorted(chosen.items()))]
        name = sha256_of([*facts, _shapes(tables)])
        return self.once(con, name, lambda: function(*tables, **chosen))

    def transform(
        self,
        con: Engine,
        derivation: Derivation,
        tables: Mapping[str, ir.Table],
        settings: OutcomeSettings,
    ) -> Query | None:
        """The SQL of a derivation over tables of one engine.

        None for an estimate, which looks at its tables while it is made.

        Args:
            con: the engine.
            derivation: the derivation.
            tables: at least what it reads, each named as in the engine.
            settings: all settings; it is known again by those that it reads.
        """
        if not derivation.is_expression:
            return None
        name = _name(derivation, tables, settings)
        return self.once(con, name, lambda: derivation(tables, settings))

    def facts(self, name: str, find: Callable[[], Any]) -> Any:
        """Plain facts that follow from the code alone, found where nobody has done so before.

        Args:
            name: what they are called.
            find: finds them; JSON must hold them.
        """
        if name not in self.told:
            stored = _stored_facts(self.path, name) if self.path else None
            self.told[name] = stored or json.loads(json.dumps(find()))
            if stored is None:
                self._keep({name: json.dumps(self.told[name])})
        return self.told[name]

    def save(self) -> None:
        """Keep new queries; where the file cannot be written to, they are compiled again."""
        self._keep({n: json.dumps(_written(self.queries[n])) for n in sorted(self.unsaved)})
        self.unsaved.clear()

    def _keep(self, texts: Mapping[str, str]) -> None:
        if self.path is None or not texts:
            return
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.path)) as con, con:
            con.execute(TABLE)
            rows = [(name, text, sha256_of(text)) for name, text in texts.items()]
            con.executemany("INSERT OR REPLACE INTO compiled VALUES (?, ?, ?)", rows)


@cache
def of_this_machine(folder: Path | None = None) -> QueryCache:
    """The cache of this state of the code, shared by every store of the machine.

    Args:
        folder: where caches lie; default `compiled/` under the user's cache directory. Where it
            cannot be made, queries are kept in memory alone.
    """
    place = folder or user_cache() / "compiled"
    try:
        make_private(place)
    except OSError:
        return QueryCache(None)
    path = place / f"{_made_by()[:24]}.sqlite"
    for old in sorted(place.glob("*.sqlite"), key=_last_used)[:-CACHES_KEPT]:
        if old != path:
            old.unlink(missing_ok=True)
    return QueryCache(path)


def compiled(con: Engine, table: ir.Table) -> Query:
    """The SQL of an expression, and the rows that it takes as constants."""
    written_out = table.op().find(ops.InMemoryTable)
    constants = {op.name: op.data.to_pyarrow(op.schema) for op in written_out}
    return Query(str(con.compile(table)), table.schema(), constants)


def _name(derivation: Derivation, tables: Mapping[str, ir.Table], settings: OutcomeSettings) -> str:
    read = [section.model_dump_json() for section in derivation.sections(settings).values()]
    shapes = _shapes([tables[n] for n in derivation.reads])
    return sha256_of([derivation.function.__module__, derivation.function.__name__, read, shapes])


def _shapes(tables: Iterable[ir.Table]) -> list[Any]:
    """What of tables decides the text of a query over them."""
    return [
        (str(t.op().namespace), t.get_name(), [(c, str(kind)) for c, kind in t.schema().items()])
        for t in tables
    ]


@cache
def _made_by() -> str:
    return sha256_of([code_sha256(COMPILED), dict(engine_versions()), version("sqlglot")])


def _stored(path: Path, name: str) -> Query | None:
    facts = _stored_facts(path, name)
    return _read(facts) if facts else None


def _stored_facts(path: Path, name: str) -> Any:
    """What the file holds; nothing where it cannot be read or the text is not as it was."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as con:
        row = con.execute("SELECT query, sha256 FROM compiled WHERE name = ?", (name,)).fetchone()
        if row and sha256_of(row[0]) == row[1]:
            return json.loads(row[0])
    return None


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _written(query: Query) -> dict[str, Any]:
    return {
        "sql": query.sql,
        "schema": {n: str(t) for n, t in query.schema.items()},
        "constants": {n: _hex(t) for n, t in query.constants.items()},
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
