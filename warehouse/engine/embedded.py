"""Open the embedded engine, and write tables so that their bytes repeat."""

import gc
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from schemas.contract import Contract, columns, conform, key
from warehouse.engine.compiled import QueryCache, of_this_machine
from warehouse.engine.connections import Resources, settings
from warehouse.engine.protocol import Engine, one_row
from warehouse.fingerprints import file_sha256, sha256_of

ROW_GROUP = 122_880


@dataclass(frozen=True, slots=True)
class Written:
    """What a manifest says of a written table."""

    rows: int
    schema: dict[str, str]
    content_sha256: str
    bytes_sha256: str


class EmbeddedEngine(Backend):  # type: ignore[misc]  # Ibis ships no types
    """DuckDB as Ibis speaks to it, and the queries that it need not compile again."""

    queries: QueryCache

    def fetched(
        self,
        function: Callable[..., ir.Table],
        tables: Sequence[ir.Table],
        chosen: Mapping[str, Any],
    ) -> pa.Table:
        """The rows of a function of tables: see `analytics.fetched`."""
        query = self.queries.of(self, function, tables, chosen)
        if query is None:
            return function(*tables, **chosen).to_pyarrow()
        return self.con.execute(query.sql).to_arrow_table().cast(query.schema.to_pyarrow())


@contextmanager
def engine(
    path: Path | None = None, *, threads: int | None = None, memory_limit: str | None = None
) -> Iterator[EmbeddedEngine]:
    """An embedded engine on a scratch file, or in memory without one.

    It spills beside its file; in memory, into a folder of its own. No published value depends on
    threads or memory.
    """
    with _compiled_quickly(), tempfile.TemporaryDirectory(prefix="y90-spill-") as spill:
        con = EmbeddedEngine().connect(path or ":memory:")
        con.queries = of_this_machine()
        try:
            for statement in settings(
                Resources(threads, memory_limit), None if path else Path(spill)
            ):
                con.raw_sql(statement)
            # DuckDB 1.5 cannot push a join's bloom filter into an Arrow scan, and fails the query
            con.raw_sql("SET disabled_optimizers = 'join_filter_pushdown'")
            yield con
            con.queries.save()
        finally:
            con.disconnect()


@contextmanager
def _compiled_quickly() -> Iterator[None]:
    """Leave merging subqueries to the engine, which does it again, and collect garbage seldom.

    Most of a small night is compiling: millions of short-lived objects, hardly any in circles.
    """
    fused, thresholds = ibis.options.sql.fuse_selects, gc.get_threshold()
    ibis.options.sql.fuse_selects = False
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = fused
        gc.set_threshold(*thresholds)


def write_parquet(con: Engine, table: ir.Table, contract: type[Contract], path: Path) -> Written:
    """Write a table sorted by its key, typed by its contract, and say what was written.

    `content_sha256` depends on rows and types alone; `bytes_sha256` is the file's.
    """
    ordered = conform(table, contract).order_by(list(key(contract)))
    digest = ContentHash(contract)
    schema = arrow_schema(contract)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _groups(con, ordered, schema):
            digest.update(batch)
            writer.write_table(batch, row_group_size=ROW_GROUP)
    _sync(path)
    return Written(digest.rows, digest.types, digest.hexdigest(), file_sha256(path))


def arrow_schema(contract: type[Contract]) -> pa.Schema:
    """The contract as an Arrow schema whose fields carry meaning, unit and source."""
    return pa.schema(
        [
            pa.field(
                c.name,
                c.dtype.to_pyarrow(),
                metadata={
                    k: v
                    for k, v in (("meaning", c.meaning), ("unit", c.unit), ("source", c.source))
                    if v
                },
            )
            for c in columns(contract)
        ]
    )


def content_digest(
    con: Engine, table: ir.Table, without: frozenset[str], schema: str | None = None
) -> str:
    """Name of a kept table's content, but for some columns; the order of rows does not matter.

    It tells tables of one engine apart, and is no part of what is published: for that there is
    `ContentHash`. Without a schema it is the table that a query would read under its name.
    """
    place = f"{schema}." if schema else ""
    columns = ", ".join(f'"{c}"' for c in table.columns if c not in without)
    summed = one_row(
        con,
        "SELECT count(*), sum(hash(r)::HUGEINT), bit_xor(hash(r)) "
        f"FROM (SELECT row({columns}) AS r FROM {place}{table.get_name()})",
    )
    return sha256_of([str(v) for v in summed])[:16]


class ContentHash:
    """SHA-256 over canonical rows and types, whatever the batches, file format or encoding.

    Per column three streams are hashed: which rows are null, the values (null ones as zero) and,
    for text, the lengths.
    """

    def __init__(self, contract: type[Contract]) -> None:
        self.types = {c.name: str(c.dtype) for c in columns(contract)}
        self.rows = 0
        self._streams = {n: [hashlib.sha256() for _ in range(3)] for n in self.types}

    def update(self, batch: pa.Table) -> None:
        """Add rows, in order."""
        self.rows += batch.num_rows
        for name, streams in self._streams.items():
            for stream, part in zip(streams, _canonical(batch[name]), strict=True):
                stream.update(part)

    def hexdigest(self) -> str:
        """The hash of everything added."""
        digests = {n: [s.hexdigest() for s in streams] for n, streams in self._streams.items()}
        text = json.dumps([self.rows, self.types, digests], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _groups(con: Engine, table: ir.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """The table in groups of ROW_GROUP rows, whatever the engine's batches."""
    waiting = pa.Table.from_batches([], schema)
    for batch in con.to_pyarrow_batches(table, chunk_size=ROW_GROUP):
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(schema)])
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting = waiting.slice(ROW_GROUP)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _canonical(column: pa.ChunkedArray) -> tuple[bytes, bytes, bytes]:
    """Validity, values with null as zero, and for text the lengths."""
    valid = _bytes(column.is_valid().cast(pa.uint8()))
    kind = column.type
    if pa.types.is_string(kind):
        return valid, *_text(column.fill_null("").combine_chunks())
    if pa.types.is_decimal(kind):
        return valid, _decimals(column.fill_null(0).combine_chunks()), b""
    if pa.types.is_floating(kind):
        return valid, _bytes(pc.add(column.fill_null(0.0), 0.0)), b""  # -0.0 and 0.0 are one
    whole = column.cast(pa.int32()) if pa.types.is_date(kind) else column
    return valid, _bytes(whole.cast(pa.int64()).fill_null(0)), b""


def _text(array: pa.StringArray) -> tuple[bytes, bytes]:
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4)
    written = data.slice(int(ends[0]), int(ends[-1] - ends[0])).to_pybytes() if data else b""
    return written, np.diff(ends).astype(np.int64).tobytes()


def _decimals(array: pa.Decimal128Array) -> bytes:
    width = array.type.byte_width
    data = array.buffers()[1]
    return bytes(data.slice(array.offset * width, len(array) * width).to_pybytes())


def _bytes(array: pa.ChunkedArray) -> bytes:
    return bytes(array.combine_chunks().to_numpy(zero_copy_only=False).tobytes())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
