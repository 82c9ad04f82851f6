"""The state of the registry today: freshness, holds, failures, missed nights, late sites.

Whatever needs today's date lives here; no release depends on it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flows import schedule
from schemas.settings import Registry
from warehouse.intake.receipts import degraded, latest, receipts, visible
from warehouse.releases import ledger, releases
from warehouse.store import Store

LOOK_BACK_DAYS = 30
"""Missed nights are listed so far back."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `y90 status` tells."""

    current: str | None = None
    as_of: str | None = None
    fresh_as_of: str | None = None
    """The last night at which `current` was found still true."""
    age_hours: float | None = None
    """Hours since that night's run was due."""
    degraded: dict[str, str] = field(default_factory=dict)
    """Site whose latest delivery was refused, is held or gives only a part -> why."""
    held_deliveries: list[str] = field(default_factory=list)
    """Deliveries that wait until somebody accepts them."""
    unused: dict[str, list[str]] = field(default_factory=dict)
    """Site -> files and columns of the delivery in force that no table is made from."""
    held: list[str] = field(default_factory=list)
    """Releases that wait for an approval, a withdrawn one if the last night met its content."""
    failed_nights: list[str] = field(default_factory=list)
    missed_nights: list[str] = field(default_factory=list)
    late_sites: dict[str, str] = field(default_factory=dict)
    """Site -> the date on which its next delivery was expected."""
    restatements_due: list[str] = field(default_factory=list)
    """Released nights for which another delivery is visible by now."""

    def facts(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def status(store: Store, registry: Registry, now: datetime) -> Status:
    """Look at a store.

    Args:
        store: the store.
        registry: its registry: schedule, zone, expected deliveries.
        now: the moment, with a zone.
    """
    today = schedule.day(registry, now)
    pointer = releases.channel(store, "current")
    known = releases.listing(store)
    found: dict[str, Any] = {}
    if pointer:
        current = releases.manifest(store.release(pointer["release_id"]))["content"]
        found = {
            "current": pointer["release_id"],
            "as_of": current["as_of"],
            "fresh_as_of": pointer["fresh_as_of"],
            "age_hours": _age(registry, pointer["fresh_as_of"], now),
        }
    return Status(
        **found,
        held=_waiting(store, known),
        failed_nights=_failed(store),
        degraded=degraded(store, sorted(registry.sites), today),
        held_deliveries=_held_deliveries(store, registry, today),
        unused=_unused(store, registry, today),
        missed_nights=_missed(store, registry, now),
        late_sites=late_sites(store, registry, today),
        restatements_due=_restatements(store, known),
    )


def _waiting(store: Store, known: list[releases.ReleaseInfo]) -> list[str]:
    """Held releases, and the withdrawn one whose content the last night met again."""
    last = ledger.runs(store)[-1:]
    met = {run["release_id"] for run in last if run["outcome"] == "held"}
    return [
        r.release_id
        for r in known
        if r.status == "held" or (r.status == "withdrawn" and r.release_id in met)
    ]


def _held_deliveries(store: Store, registry: Registry, today: date) -> list[str]:
    last = (latest(store, site_id, today) for site_id in sorted(registry.sites))
    return [receipt.name for receipt in last if receipt and receipt.status == "held"]


def _unused(store: Store, registry: Registry, today: date) -> dict[str, list[str]]:
    found = {s: visible(store, s, today) for s in sorted(registry.sites)}
    return {s: list(r.unused) for s, r in found.items() if r and r.unused}


def late_sites(store: Store, registry: Registry, today: date) -> dict[str, str]:
    """Sites whose next delivery is overdue -> when it was expected."""
    found = {}
    for site_id, site in sorted(registry.sites.items()):
        known = [r.extraction_date for r in receipts(store, site_id) if r.accepted]
        if site.expected_every_days and known:
            expected = max(known) + timedelta(days=site.expected_every_days)
            if expected < today:
                found[site_id] = expected.isoformat()
    return found


def stale(found: Status, max_age: timedelta | None) -> bool:
    """Return whether `current` is older than allowed, or missing."""
    if found.age_hours is None:
        return True
    return max_age is not None and found.age_hours > max_age / timedelta(hours=1)


def last_due(registry: Registry, now: datetime) -> date | None:
    """The latest night whose run was due by now."""
    today = schedule.day(registry, now)
    due = [
        n
        for n in schedule.nights(registry.file.schedule, today - timedelta(days=366), today)
        if _due(registry, n) <= now
    ]
    return due[-1] if due else None


def _due(registry: Registry, night: date) -> datetime:
    hour, minute = schedule.start(registry.file.schedule, night)
    return datetime.combine(night, time(hour, minute), ZoneInfo(registry.file.timezone))


def _age(registry: Registry, night: str, now: datetime) -> float:
    due = _due(registry, date.fromisoformat(night)).astimezone(UTC)
    return round(max(now - due, timedelta()) / timedelta(hours=1), 1)


def _failed(store: Store) -> list[str]:
    """Nights whose last run failed."""
    last = {run["as_of"]: run["outcome"] for run in ledger.runs(store)}
    return sorted(night for night, outcome in last.items() if outcome == "failed")


def _missed(store: Store, registry: Registry, now: datetime) -> list[str]:
    """Nights of the schedule without any run, since the first one and not long ago."""
    ran = {run["as_of"] for run in ledger.runs(store)}
    until = last_due(registry, now)
    if not ran or until is None:
        return []
    first = max(date.fromisoformat(min(ran)), until - timedelta(days=LOOK_BACK_DAYS))
    wanted = schedule.nights(registry.file.schedule, first, until)
    return [n.isoformat() for n in wanted if n.isoformat() not in ran]


def _restatements(store: Store, known: list[releases.ReleaseInfo]) -> list[str]:
    last = {r.as_of: r for r in known if r.status != "withdrawn"}
    return [night.isoformat() for night, r in last.items() if any(_otherwise(store, r))]


def _otherwise(store: Store, release: releases.ReleaseInfo) -> Iterator[bool]:
    for made_from in releases.manifest(release.path)["content"].get("receipts", []):
        now = visible(store, made_from["site_id"], release.as_of)
        yield now is not None and now.delivery_id != made_from["delivery_id"]
