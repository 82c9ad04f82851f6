"""A held release waits for as long as nothing is new."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import steps
from tests.support import quick_nights as quick
from warehouse.releases import decisions, releases
from warehouse.store import Store

HELD = date(2016, 1, 2)
NIGHTS = [date(2016, 1, n) for n in range(1, 6)]


def test_a_held_release_is_not_made_again_on_nights_without_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held on the second night, waiting on the third, replaced by the fourth night's delivery."""
    quick.invent(monkeypatch.setattr, held=lambda night: night in NIGHTS[1:3])
    store = Store.open(tmp_path)
    quick.deliver(store, NIGHTS[0], 3)
    quick.deliver(store, NIGHTS[1], 2)
    quick.deliver(store, NIGHTS[3], 4)
    found = [steps.nightly(quick.job(store, night)) for night in NIGHTS]
    told = [(f.published.release_id, f.published.held, f.nothing_to_do) for f in found]
    assert told == [
        ("2016.01.01", False, False),
        ("2016.01.02", True, False),
        ("2016.01.02", True, True),
        ("2016.01.04", False, False),
        ("2016.01.04", False, True),
    ]


def test_a_held_release_is_judged_again_once_another_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Approved after it, an earlier one is what the night must now be compared with."""
    quick.invent(monkeypatch.setattr, held=lambda night: night in NIGHTS[1:3])
    store = Store.open(tmp_path)
    for night, patients in zip(NIGHTS, (3, 2, 1), strict=False):
        quick.deliver(store, night, patients)
        steps.nightly(quick.job(store, night))
    decisions.approve(store, "2016.01.02", "right", datetime.now(UTC), "ada")
    after = steps.nightly(quick.job(store, NIGHTS[3])).published
    assert (after.release_id, after.created) == ("2016.01.04", True)
    assert [r.status for r in releases.listing(store)] == [
        "published",
        "published",
        "held",
        "published",
    ]
