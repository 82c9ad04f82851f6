"""Compare the rows of an export with the last good one: a much shorter one may be cut off.

An export is whole, and registries grow. A file that ends after a whole row looks sound by itself:
only the delivery before it tells. Rows are counted as they were read, before anything is mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.site import Site
from warehouse.intake.reading_key import reading_id
from warehouse.intake.receipts import in_force
from warehouse.store import Store

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
    store: Store, site: Site, tables: Mapping[str, Path], extracted: date
) -> tuple[Fewer, ...]:
    """Which raw tables have at least FEWER_PCT percent fewer rows than the delivery before."""
    import pyarrow.parquet as pq  # slow to import, and not needed where there is no past

    earlier = next((r for r in in_force(store, site.site_id, extracted)), None)
    if earlier is None:
        return ()
    folder = store.raw_tables(site.site_id, earlier.delivery_id) / reading_id(site)
    found = []
    for name, path in sorted(tables.items()):
        old = folder / f"{name}.parquet"
        if old.is_file():
            before, now = pq.read_metadata(old).num_rows, pq.read_metadata(path).num_rows
            if (before - now) * 100 >= before * FEWER_PCT and now < before:
                found.append(Fewer(name, now, before, earlier.extraction_date))
    return tuple(found)
