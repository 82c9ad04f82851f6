"""Gather slices into Parquet files whose row groups are large enough to be read fast.

A slice of an export brings each instrument a few thousand rows. They wait, for all files together
in bounded memory, until they fill a row group.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 120_000
WAITING_BYTES = 64 * 2**20
UNIQUE = ("source_row", "source_key")
"""Values that never repeat: a dictionary of them would be larger than they are."""


class Spools:
    """Parquet files of one folder, by name; each holds its rows in the order they were added."""

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema]) -> None:
        """Open a file per schema."""
        self._waiting: dict[str, list[pa.RecordBatch]] = {name: [] for name in schemas}
        self._bytes = dict.fromkeys(schemas, 0)
        self._writers = {
            name: pq.ParquetWriter(
                folder / f"{name}.parquet",
                schema,
                compression="zstd",
                use_dictionary=[n for n in schema.names if n not in UNIQUE],
            )
            for name, schema in schemas.items()
        }

    def __enter__(self) -> "Spools":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for name in self._waiting if kind is None else ():
                self._write(name)
        finally:
            for writer in self._writers.values():
                writer.close()

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Take rows; the file with the most bytes waiting is written when there are too many."""
        if batch.num_rows:
            self._waiting[name].append(batch)
            self._bytes[name] += batch.nbytes
        if sum(b.num_rows for b in self._waiting[name]) >= GROUP_ROWS:
            self._write(name)
        if sum(self._bytes.values()) > WAITING_BYTES:
            self._write(max(self._bytes, key=self._bytes.__getitem__))

    def _write(self, name: str) -> None:
        waiting, self._waiting[name], self._bytes[name] = self._waiting[name], [], 0
        if waiting:
            table = pa.Table.from_batches(waiting)
            self._writers[name].write_table(table, row_group_size=GROUP_ROWS)
