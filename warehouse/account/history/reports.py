"""How fast the sites report deaths, and how complete the follow-up of their patients is.

The delay of a death is the time from its day to the extraction of the first delivery that has it.
Deaths before a site's first delivery say nothing of delays: they were all in it.

Source: Lagakos, Barraj and De Gruttola, Biometrika 1988;75:515 (reverse time); Clark, Altman and De
Stavola, Lancet 2002;359:1309 (completeness of follow-up).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction

from analytics.estimators.reporting_delay import Delays, delays
from schemas.errors import BadConfiguration, BadDelivery
from warehouse.account import scenarios as worlds
from warehouse.account.scenarios import Delivered, Workshop, World
from warehouse.engine.connections import connection
from warehouse.engine.lineage import upstream
from warehouse.intake.receipts import before
from warehouse.loading import delivery_cache
from warehouse.loading import row_index as rows

NINE_TENTHS = Fraction(9, 10)


@dataclass(frozen=True, slots=True)
class SiteReports:
    """What one site's deliveries say of its reporting."""

    site_id: str
    deliveries: int
    deaths: int
    delays_seen: int
    """Deaths since the first delivery: of these a delay is known."""
    median_days: int | None
    most_days: int | None
    """Within so many days nine tenths of the deaths are reported: later ones are less known."""
    completeness: Fraction | None
    """Observed over potential person-time up to the data cutoff (Clark's C)."""


def of_sites(shop: Workshop, now: World) -> Iterator[SiteReports]:
    """One entry a site, in the order of their names."""
    observed = _person_time(shop, now)
    for site_id, delivery in sorted(now.deliveries.items()):
        days, known = _deaths(shop, now, delivery)
        seen = _delays(days, known)
        found = delays(seen) if seen else Delays((), ())
        yield SiteReports(
            site_id=site_id,
            deliveries=len(days),
            deaths=len(known),
            delays_seen=len(seen),
            median_days=found.quantile(Fraction(1, 2)),
            most_days=found.quantile(NINE_TENTHS),
            completeness=completeness(*observed[site_id]) if site_id in observed else None,
        )


def completeness(observed: Fraction, potential: Fraction) -> Fraction | None:
    """Clark's C: total observed over total potential person-time, None where there is none.

    A patient with the event is observed to his event and could be observed no longer; one without
    could be observed to the closing date. Source: Clark 2002.
    """
    return observed / potential if potential else None


def _delays(deliveries: list[date], known: dict[str, tuple[date, date]]) -> list[tuple[int, int]]:
    """Of each death since the first delivery: its delay, and the longest that could be seen."""
    return [
        ((first - day).days, (deliveries[-1] - day).days)
        for day, first in known.values()
        if deliveries[0] < day <= first
    ]


def _deaths(
    shop: Workshop, now: World, delivery: Delivered
) -> tuple[list[date], dict[str, tuple[date, date]]]:
    """Days of the deliveries that can be read, and the deaths that the newest one has.

    A death is its day there, and the day of the first delivery by which the patient was dead.
    """
    site = now.sites[delivery.site_id]
    receipt = rows.receipt_of(shop.store, asdict(delivery))
    first: dict[str, date] = {}
    days: list[date] = []
    dead: dict[str, date] = {}
    for one in (*before(shop.store, receipt), receipt):
        try:
            folder = delivery_cache.ready(shop.store, site, one, shop.key, shop.options)
        except (BadDelivery, BadConfiguration):
            continue
        days.append(one.extraction_date)
        path = folder / "registry" / "contacts.parquet"
        dead = _dead(str(path)) if path.exists() else {}
        for subject in dead:
            first.setdefault(subject, one.extraction_date)
    return days, {s: (day, first[s]) for s, day in dead.items()}


def _dead(path: str) -> dict[str, date]:
    with connection() as con:
        found = con.execute(
            "SELECT subject_id, min(contact_date)::DATE FROM read_parquet($path) "
            "WHERE contact_type = 'death' AND contact_date IS NOT NULL GROUP BY ALL",
            {"path": path},
        ).fetchall()
    return {str(subject): day for subject, day in found}


def _person_time(shop: Workshop, now: World) -> dict[str, tuple[Fraction, Fraction]]:
    """Site -> observed and potential days from treatment, of overall survival."""
    wanted = upstream("survival_medians")
    tables = worlds.derive(shop, worlds.accepted(shop, now), now.settings, wanted, "transforms")
    times, anchors = (f'"{tables[n].table.get_name()}"' for n in ("time_to_event", "anchors"))
    found = shop.con.raw_sql(
        "SELECT a.site_id, sum(t.time_days), sum(CASE WHEN t.event THEN t.time_days ELSE "
        f"DATE '{now.data_cutoff}' - a.t0_date - t.start_day END) "
        f"FROM {times} t JOIN {anchors} a USING (subject_id) "
        "WHERE t.endpoint = 'OS' AND t.origin = 'derived' GROUP BY ALL"
    ).fetchall()
    return {str(site): (Fraction(seen), Fraction(whole)) for site, seen, whole in found}
