"""Open DuckDB with the registry's resources and a spill folder of its own.

DuckDB spills an in-memory connection into `.tmp` of the working directory. What spills are rows of
patients, so every connection names its folder: one that its owner alone can read, gone afterwards.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.settings import Registry
from warehouse.engine.quoting import literal


@dataclass(frozen=True, slots=True)
class Resources:
    """What a connection may use; no published value depends on it."""

    threads: int | None = None
    memory_limit: str | None = None

    def as_options(self) -> dict[str, Any]:
        """The same as keyword arguments of `warehouse.engine.embedded.engine`."""
        return asdict(self)


UNLIMITED = Resources()
SMALL_BYTES = 4_000_000
"""Deliveries of so few bytes fill no group of rows that a second thread could read meanwhile."""


def of_registry(registry: Registry, n_bytes: int | None = None) -> Resources:
    """What the registry lets an engine use, for deliveries of so many bytes where that is known."""
    own = Resources(registry.file.threads, registry.file.memory_limit)
    return own if n_bytes is None else Resources(**of_size(own.as_options(), n_bytes))


def of_size(resources: Mapping[str, Any], n_bytes: int) -> dict[str, Any]:
    """The options of an engine for deliveries of so many bytes.

    Unless the registry says how many threads, small deliveries are computed by one: most of their
    time is planning, which no thread shares, and threads that wait cost a seventh more.

    Args:
        resources: as `Resources.as_options` gives them.
        n_bytes: of the deliveries' files.
    """
    alone = 1 if n_bytes < SMALL_BYTES else None
    return {**resources, "threads": resources.get("threads") or alone}


@contextmanager
def connection(
    database: Path | None = None,
    resources: Resources = UNLIMITED,
    *,
    read_only: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory, or on a file, with UTC as time zone and no progress bar."""
    with (
        tempfile.TemporaryDirectory(prefix="y90-spill-") as spill,
        duckdb.connect(str(database or ":memory:"), read_only=read_only) as con,
    ):
        for statement in settings(resources, Path(spill)):
            con.execute(statement)
        yield con


def settings(resources: Resources, spill: Path | None = None) -> Iterator[str]:
    """The statements that give a connection its resources."""
    yield "SET enable_progress_bar = false"
    yield "SET TimeZone = 'UTC'"
    if spill is not None:
        yield f"SET temp_directory = {literal(spill)}"
    if resources.threads:
        yield f"SET threads = {int(resources.threads)}"
    if resources.memory_limit:
        yield f"SET memory_limit = '{resources.memory_limit}'"
