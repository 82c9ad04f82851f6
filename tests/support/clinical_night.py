"""A night of several literal centres, asked patient by patient."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from schemas.settings import Registry, RegistryFile
from schemas.site import Site
from tests.support.few_readings import few_readings
from warehouse import pipeline
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY, pseudonym
from warehouse.store import Store

Centre = tuple[Site, Mapping[str, str]]


class Night:
    """The tables of one night, before they are audited."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        """Ask; `{marts}`, `{outcomes}` and `{quality}` stand for the folders of the tables."""
        folders = {n: self.work / "parquet" / n for n in ("marts", "outcomes", "quality")}
        return duckdb.execute(query.format(**folders), given).fetchall()

    def patient(self, site: str, patient: str, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of one patient in a mart, sorted."""
        names = ", ".join(f'"{c}"' for c in columns)
        return self.rows(
            f"SELECT {names} FROM '{{marts}}/{table}.parquet' WHERE subject_id = $who ORDER BY ALL",
            who=subject(site, patient),
        )


def subject(site: str, patient: str) -> str:
    """The pseudonym of a patient."""
    return pseudonym(DEMONSTRATION_KEY, site, patient)


def night(
    root: Path,
    day: date,
    *centres: Centre,
    estimated: bool = True,
    few: bool = False,
    **settings: Any,
) -> Night:
    """Deliver the tables of each centre, load them, and derive what follows.

    With `few`, few other readings of the settings are tried.
    """
    store = Store.open(root / "store")
    sites = {site.site_id: site for site, _ in centres}
    file = RegistryFile(registry="clinical", sites=tuple(sites), **settings)
    own = Registry(file=file, sites=sites, folder=Path())
    for site, tables in centres:
        folder = store.site_inbox(site.site_id) / day.isoformat()
        folder.mkdir(parents=True)
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(_lines(text), "utf-8")
        pipeline.receive(store, own, site.site_id, datetime.now(UTC))
    plan = pipeline.plan(store, own, DEMONSTRATION_KEY, day, day)
    pipeline.start(store, plan)
    for name in sites:
        pipeline.load_site(store, own, DEMONSTRATION_KEY, plan, name)
    pipeline.build(store, own, plan)
    if estimated:
        with few_readings() if few else nullcontext():
            pipeline.estimate(store, own, plan)
    return Night(store.run(plan.run_id))


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
