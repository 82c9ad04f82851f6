"""A site of a few patients, delivered as plain tables, and the nights that load it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from schemas.settings import Registry, RegistryFile
from schemas.site import Site
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.store import Store

SITE = Site(site_id="north", origin="synthetic")
PATIENTS = "patient_id,sex\n1,female\n2,male\n"
TREATMENTS = (
    "patient_id,session_id,target_id,treatment_date,device,lobe\n"
    "1,s1,t1,2020-03-01,glass,right\n2,s1,t1,2020-03-02,glass,left\n"
)


def registry(site: Site = SITE) -> Registry:
    """A registry of that one site; so small that half of its rows may be one patient."""
    file = RegistryFile(registry="small", sites=(site.site_id,), held_below_pct=0)
    return Registry(file=file, sites={site.site_id: site}, folder=Path())


def deliver(store: Store, day: str, **tables: str) -> None:
    """Put tables into the inbox as the export of a day."""
    folder = store.site_inbox("north") / day
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)


def receive(store: Store, site: Site = SITE) -> Any:
    """Receive what lies in the inbox."""
    return pipeline.receive(store, registry(site), site.site_id, datetime.now(UTC))


def loaded(store: Store, night: str, site: Site = SITE) -> Path:
    """Load the site as it is visible at a night; the folder of its tables."""
    reg, as_of = registry(site), date.fromisoformat(night)
    plan = pipeline.plan(store, reg, DEMONSTRATION_KEY, as_of, as_of)
    pipeline.start(store, plan)
    pipeline.load_site(store, reg, DEMONSTRATION_KEY, plan, site.site_id)
    return store.run(plan.run_id) / "sites" / site.site_id


def quality(folder: Path, table: str, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a quality table, some of its columns, sorted."""
    path = folder / "quality" / f"{table}.parquet"
    return duckdb.sql(f"SELECT {', '.join(names)} FROM '{path}' ORDER BY ALL").fetchall()


def counts(folder: Path) -> Mapping[str, tuple[int, int, int, int]]:
    """Table -> received, empty, accepted, quarantined."""
    found = quality(
        folder, "row_counts", "table_name", "received", "empty", "accepted", "quarantined"
    )
    return {name: (r, e, a, q) for name, r, e, a, q in found}
