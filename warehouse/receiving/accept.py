"""Let a held delivery in, with who decided and why; it is remembered by the content."""

from dataclasses import replace
from datetime import UTC, datetime

from schemas.errors import Refused
from warehouse.intake.receipts import Receipt, receipts, write
from warehouse.store import Store, lock_file


def accept(store: Store, name: str, reason: str, now: datetime, who: str) -> Receipt:
    """Let a held delivery in: a further receipt of its date, which says who decided and why.

    Args:
        store: the store.
        name: the held receipt, SITE/YYYY-MM-DD-N.
        reason: why it is whole all the same.
        now: when.
        who: who says so.

    Raises:
        Refused: there is none, it is not held, or a later arrival of its date is there.
    """
    site_id, _, receipt_id = name.rpartition("/")
    known = receipts(store, site_id) if site_id else []
    held = next((r for r in known if r.receipt_id == receipt_id), None)
    if held is None or not reason.strip():
        names = ", ".join(r.name for r in known if r.status == "held") or "none"
        missing = "no such delivery" if held is None else "no reason given"
        raise Refused(f"delivery {name}: {missing}. Held of that site: {names}.")
    last = max(r.number for r in known if r.extraction_date == held.extraction_date)
    if held.status != "held" or held.number != last:
        why = (
            f"it is {held.status}"
            if held.status != "held"
            else "a later arrival of its date is there"
        )
        raise Refused(
            f"delivery {name}: {why}. Only a held one, the last of its date, is accepted."
        )
    arrival = max(now.astimezone(UTC), held.arrival)
    decision = f"{who}: {reason.strip()}"
    new = replace(
        held, number=held.number + 1, arrival=arrival, status="accepted", reason="",
        decision=decision,
    )  # fmt: skip
    with lock_file(store.site_raw(site_id) / "lock", wait=True):
        write(store, new)
    return new
