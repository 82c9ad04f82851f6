"""Receipts of arrivals, and the delivery of a site that is in force on a given night.

A receipt is written for every arrival and never changed. In force at an as-of is the accepted
receipt with the latest (extraction date, arrival) not after it, so that A, B, A again means A.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from schemas.errors import Refused
from warehouse.store import Store, create_atomically, make_private

RECEIPT_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([1-9]\d*)\.json")


@dataclass(frozen=True)
class ReceivedFile:
    """One file of an arrival."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Receipt:
    """One arrival of one site's export.

    `delivery_id` is the content's name, empty if the content could not be read; `reason` is why an
    arrival was refused; `notices` are remarks on what was taken.
    """

    site_id: str
    extraction_date: date
    number: int
    arrival: datetime
    delivery_id: str
    files: tuple[ReceivedFile, ...]
    status: Literal["accepted", "refused"]
    reason: str = ""
    notices: tuple[str, ...] = ()

    @property
    def receipt_id(self) -> str:
        """The receipt's name among those of its site: date and number."""
        return f"{self.extraction_date.isoformat()}-{self.number}"

    @property
    def accepted(self) -> bool:
        """Whether the delivery was taken."""
        return self.status == "accepted"


def receipts(store: Store, site_id: str) -> list[Receipt]:
    """Every receipt of a site, in the order of (extraction date, arrival, number)."""
    folder = store.receipts(site_id)
    names = sorted(p for p in folder.iterdir()) if folder.is_dir() else []
    found = [_read(path) for path in names if RECEIPT_NAME.fullmatch(path.name)]
    return sorted(found, key=_order)


def in_force(store: Store, site_id: str, as_of: date) -> list[Receipt]:
    """The accepted receipts visible at an as-of, best first; the second is the fallback."""
    seen = [r for r in receipts(store, site_id) if r.accepted and r.extraction_date <= as_of]
    return seen[::-1]


def before(store: Store, receipt: Receipt) -> tuple[Receipt, ...]:
    """The past of a receipt: of each earlier extraction date the accepted receipt in force.

    The same delivery again on a later date says nothing new, and one whose payload is no longer
    kept says nothing any more: both are left out. The order of arrival decides only among the
    arrivals of one date.
    """
    of_date: dict[date, Receipt] = {}
    for known in receipts(store, receipt.site_id):
        if known.accepted and known.extraction_date < receipt.extraction_date:
            of_date[known.extraction_date] = known
    past: list[Receipt] = []
    for _, known in sorted(of_date.items()):
        kept = store.delivery(known.site_id, known.delivery_id).is_dir()
        if kept and not (past and past[-1].delivery_id == known.delivery_id):
            past.append(known)
    return tuple(past)


def visible(store: Store, site_id: str, as_of: date) -> Receipt | None:
    """The receipt in force at an as-of, or None."""
    return next(iter(in_force(store, site_id, as_of)), None)


def degraded(store: Store, sites: Iterable[str], as_of: date) -> dict[str, str]:
    """Sites whose latest arrival by an as-of was refused, with the reason."""
    reasons: dict[str, str] = {}
    for site_id in sites:
        known = [r for r in receipts(store, site_id) if r.extraction_date <= as_of]
        if known and not known[-1].accepted:
            reasons[site_id] = known[-1].reason
    return reasons


def write(store: Store, receipt: Receipt) -> None:
    """Write a receipt; one that exists is never replaced."""
    folder = store.receipts(receipt.site_id)
    make_private(folder)
    path = folder / f"{receipt.receipt_id}.json"
    create_atomically(path, _to_json(receipt).encode(), private=True)


def _order(receipt: Receipt) -> tuple[date, datetime, int]:
    return receipt.extraction_date, receipt.arrival, receipt.number


def _to_json(receipt: Receipt) -> str:
    facts: dict[str, Any] = asdict(receipt)
    facts["extraction_date"] = receipt.extraction_date.isoformat()
    facts["arrival"] = receipt.arrival.isoformat()
    return json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _read(path: Path) -> Receipt:
    try:
        facts = json.loads(path.read_text("utf-8"))
        facts["extraction_date"] = date.fromisoformat(facts["extraction_date"])
        facts["arrival"] = datetime.fromisoformat(facts["arrival"])
        facts["files"] = tuple(ReceivedFile(**file) for file in facts["files"])
        facts["notices"] = tuple(facts["notices"])
        return Receipt(**facts)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Refused(
            f"{path}: not a receipt ({type(fault).__name__}). Restore the file from a backup; "
            "receipts are written once and never edited."
        ) from None
