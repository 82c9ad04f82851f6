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
    arrival was refused, or waits until somebody accepts it; `notices` are remarks on what was
    taken, `unused` the columns and files that no table is made from, and `doubts` why the site is
    degraded although the arrival was taken. `decision` is who accepted a held one, and why.
    """

    site_id: str
    extraction_date: date
    number: int
    arrival: datetime
    delivery_id: str
    files: tuple[ReceivedFile, ...]
    status: Literal["accepted", "refused", "held"]
    reason: str = ""
    notices: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    decision: str = ""

    @property
    def receipt_id(self) -> str:
        """The receipt's name among those of its site: date and number."""
        return f"{self.extraction_date.isoformat()}-{self.number}"

    @property
    def name(self) -> str:
        """The receipt's name among all: site, date and number."""
        return f"{self.site_id}/{self.receipt_id}"

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)

    @property
    def wrong(self) -> str:
        """Why the site is degraded by it, and what lets a held one in; empty if it is not."""
        if self.status == "held":
            return f"{self.reason}\n`y90 delivery accept {self.name} --reason TEXT` lets it in."
        return self.reason if not self.accepted else "\n".join(self.doubts)

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
    """Sites whose latest arrival by an as-of was refused, is held or gives only a part; and why."""
    last = {s: latest(store, s, as_of) for s in sites}
    return {s: receipt.wrong for s, receipt in last.items() if receipt and receipt.wrong}


def latest(store: Store, site_id: str, as_of: date) -> Receipt | None:
    """The latest arrival of a site by an as-of, whatever became of it."""
    known = [r for r in receipts(store, site_id) if r.extraction_date <= as_of]
    return known[-1] if known else None


def let_in(store: Store, site_id: str, delivery_id: str) -> bool:
    """Whether somebody accepted this content when it was held: it is not held again."""
    known = receipts(store, site_id)
    return any(r.decision and r.delivery_id == delivery_id for r in known)


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
        facts |= {n: tuple(facts.get(n, ())) for n in ("notices", "unused", "doubts")}
        return Receipt(**facts)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Refused(
            f"{path}: not a receipt ({type(fault).__name__}). Restore the file from a backup; "
            "receipts are written once and never edited."
        ) from None
