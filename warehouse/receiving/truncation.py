"""Compare the rows of an export with the last good one: a much shorter one may be cut off.

An export is whole, and registries grow. A file that ends after a whole row looks sound by itself:
only the delivery before it tells. Rows are counted as they were read, before anything is mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

FEWER_PCT = 5
"""Told from so many percent on; single records that vanished are told one by one in any case."""


@dataclass(frozen=True, slots=True)
class Fewer:
    """A table of an export that has lost rows since the last good delivery."""

    table: str
    rows: int
    rows_before: int
    extracted_before: date

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.rows} rows, where the last good delivery, of "
            f"{self.extracted_before}, had {self.rows_before}. An export is whole: check whether "
            "it was cut off or filtered."
        )


def fewer_rows(
    now: Mapping[str, int], before: Mapping[str, int], extracted_before: date
) -> tuple[Fewer, ...]:
    """Which raw tables have at least FEWER_PCT percent fewer rows than the delivery before."""
    found = []
    for name, rows in sorted(now.items()):
        rows_before = before.get(name, 0)
        if (rows_before - rows) * 100 >= rows_before * FEWER_PCT and rows < rows_before:
            found.append(Fewer(name, rows, rows_before, extracted_before))
    return tuple(found)


def row_counts(tables: Mapping[str, Path]) -> dict[str, int]:
    """The rows of raw tables, as they were read."""
    return {name: pq.read_metadata(path).num_rows for name, path in tables.items()}
