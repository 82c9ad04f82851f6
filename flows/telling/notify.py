"""Call the registry's webhook when a night fails or is held, or a site is late.

It gets JSON: registry, night, kind and a sentence with names and ids. Telling never stops or delays
a night for longer than its timeout, and what could not be told stands in the journal.
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Literal

from flows import settings
from flows.steps import Job, Outcome
from flows.telling import digest, journal, status
from schemas.errors import Locked, Y90Error
from schemas.settings import Registry
from warehouse.intake import receipts
from warehouse.store import Store

Kind = Literal["failed", "held", "late", "degraded"]
TIMEOUT_SECONDS = 5.0


@contextmanager
def failures(job: Job) -> Iterator[None]:
    """Tell of a night that fails; another run's lock is no failure."""
    try:
        yield
    except Locked:
        raise
    except Exception as fault:
        failed(job.store, job.registry, job.as_of, fault)
        raise


def failed(store: Store, registry: Registry, night: date, fault: BaseException) -> None:
    """Tell that a night failed: of our own faults the words, of others the kind."""
    why = str(fault) if isinstance(fault, Y90Error) else type(fault).__name__
    tell(store, registry, night, "failed", f"{night}: failed. {why}")


def ended(job: Job, outcome: Outcome) -> None:
    """Tell of a release that is held, and of sites that are late or degraded on that night."""
    if outcome.published.held:
        tell(job.store, job.registry, job.as_of, "held", digest.headline(outcome))
    for fault in outcome.faults:
        tell(job.store, job.registry, job.as_of, "failed", f"{job.as_of}: {fault}")
    late(job.store, job.registry, job.as_of)
    degraded(job.store, job.registry, job.as_of)


def degraded(store: Store, registry: Registry, night: date) -> None:
    """Tell of sites whose latest delivery was refused, is held, or gives only a part."""
    if not registry.file.monitor_degraded:
        return
    for site_id, why in receipts.degraded(store, sorted(registry.sites), night).items():
        tell(store, registry, night, "degraded", f"{night}: {site_id} is degraded. {why}")


def late(store: Store, registry: Registry, night: date) -> None:
    """Tell of sites whose delivery was expected before the night."""
    overdue = status.late_sites(store, registry, night)
    if overdue:
        named = ", ".join(f"{site} since {day}" for site, day in overdue.items())
        tell(store, registry, night, "late", f"{night}: deliveries expected from {named}.")


def tell(store: Store, registry: Registry, night: date, kind: Kind, text: str) -> bool:
    """Send one notification; False if there is no webhook, or it did not take it."""
    url = settings.webhook_url(registry)
    if not url:
        return False
    facts = {"registry": registry.file.registry, "night": f"{night}", "kind": kind, "text": text}
    state = _sent(url, facts)
    journal.note(store, {"night": f"{night}", "step": f"notify {kind}", "state": state})
    return state == "done"


def _sent(url: str, facts: Mapping[str, str]) -> str:
    if not url.startswith(("https://", "http://")):
        return "not a web address"
    request = urllib.request.Request(
        url,
        data=json.dumps(facts, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return "done"
    except (OSError, ValueError) as fault:
        return f"failed: {type(fault).__name__}"
