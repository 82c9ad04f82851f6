"""Pull the sites that use REDCap's API before a night receives.

A site whose file names `api_url` is pulled into its inbox, under the date of the day itself. A
night that is made again pulls nothing: it takes what was received in its time. A pull that fails
is tried again; then the site's last good delivery stays in force, and the night says so.
"""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from flows.schedule import today
from flows.settings import redcap_token
from schemas.errors import BadDelivery, Failed, Refused, Y90Error
from schemas.settings import Registry
from warehouse.store import Store

RETRY_SECONDS = 10
PATIENCE_SECONDS = 60


def pulled(store: Store, registry: Registry, site_id: str) -> Path:
    """Pull a site's project into today's folder of its inbox.

    Raises:
        Refused: the site file names no API, or the token cannot be used.
        Failed: REDCap did not answer, or answered with an error.
        BadDelivery: what came is no export.
    """
    from warehouse.intake.redcap.api import pull

    site = registry.sites[site_id]
    if not site.pulled:
        raise Refused(
            f"sites/{site_id}.toml [redcap]: no `api_url`. Name the project's API, or put its "
            f"export into {store.site_inbox(site_id)}/<YYYY-MM-DD>/."
        )
    folder = store.site_inbox(site_id) / today(registry).isoformat()
    return pull(site, redcap_token(registry, site), folder)


def pulled_for(store: Store, registry: Registry, site_id: str, night: date) -> tuple[str, ...]:
    """Pull a site that is pulled, if the night is today's; returns why it could not be."""
    site = registry.sites[site_id]
    if not site.pulled or night != today(registry):
        return ()
    try:
        _patiently(lambda: pulled(store, registry, site_id), registry.file.receive_retries)
    except Y90Error as fault:
        kind = "is no export" if isinstance(fault, BadDelivery) else "failed"
        return (f"{site_id}: the pull {kind}, its last good delivery stays in force. {fault}",)
    return ()


def _patiently(pull: Callable[[], object], retries: int) -> None:
    """Ask again where REDCap did not answer as it should; a bad token or export stays bad.

    A server that lets us wait for long is not asked again: a night waits minutes for it, not hours.
    """
    for _ in range(retries):
        begun = time.monotonic()
        try:
            pull()
        except Failed:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
    pull()
