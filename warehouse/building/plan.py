"""What a run is made from, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.intake.receipts import Receipt
from warehouse.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: what it is made from and whether there is anything to do."""

    run_id: str
    run_key: str
    inputs_key: str
    as_of: date
    data_cutoff: date
    receipts: tuple[Receipt, ...]
    degraded: Mapping[str, str]
    absent: tuple[str, ...]
    already: str | None
    """The release that has these inputs: nothing to do."""
    held: bool
    """That release waits for approval, held or withdrawn."""
    ingredients: Mapping[str, Any]
    earlier: Mapping[str, tuple[Receipt, ...]] = field(default_factory=dict)
    """What each site delivered before, oldest first: the memory of the past."""


@dataclass(frozen=True, slots=True)
class Published:
    """How a run ended."""

    release_id: str
    path: Path
    created: bool
    held: bool


def nothing_visible(store: Store, as_of: date, *, some: bool) -> str:
    """Say that a night has nothing to be made from; `some` was delivered, and none taken."""
    if some:
        return f"{as_of}: nothing is visible, and of no site can what it delivered be taken."
    return (
        f"{as_of}: nothing is visible. Put an export into {store.inbox}/<site>/<YYYY-MM-DD>/ "
        "with a date not after the night, or name a later night with --as-of."
    )
