"""Prune releases, and keep what must remain of one that is pruned.

Kept are the releases of the newest nights, what a channel names, what was ever promoted (a label
may stand in a paper), what waits for approval, what is withdrawn (so that its content does not come
back), and what a numbers.lock cites. Of a pruned release
its folder stays, with its decisions and with pruned.json: who, when, and the whole manifest. So its
id is never given again, its hashes can still be looked up, and it could be built again from its
receipts.
"""

import json
import shutil
import tomllib
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

from schemas.errors import Refused
from warehouse.releases import releases
from warehouse.releases.releases import ReleaseInfo
from warehouse.store import Store, write_atomically

TOMBSTONE = "pruned.json"
STAYS = frozenset({TOMBSTONE, "decisions"})


def cited(locks: Iterable[Path]) -> set[str]:
    """The releases that numbers.lock files name.

    Raises:
        Refused: a file cannot be read.
    """
    release_ids: set[str] = set()
    for path in locks:
        try:
            numbers = tomllib.loads(path.read_text("utf-8")).get("numbers", {})
        except (OSError, ValueError) as fault:
            raise Refused(f"{path}: not a lock file ({fault}). Correct --lock.") from None
        release_ids |= {str(n["release"]) for n in numbers.values() if "release" in n}
    return release_ids


def prunable(store: Store, keep_nights: int, cites: Collection[str] = ()) -> list[ReleaseInfo]:
    """The releases that may go, oldest first.

    Args:
        store: the store.
        keep_nights: so many of the newest nights that have a release keep all their versions.
        cites: ids and labels that are cited elsewhere.
    """
    published = releases.listing(store)
    nights = sorted({r.as_of for r in published})[-keep_nights:]
    pointers = (releases.channel(store, n) for n in releases.CHANNELS)
    kept = {p["release_id"] for p in pointers if p} | set(cites)
    return [
        r
        for r in published
        if r.as_of not in nights
        and r.status == "published"
        and r.release_id not in kept
        and not any(d.get("label") for d in releases.decisions(r.path))
    ]


def prune(
    store: Store, keep_nights: int, cites: Collection[str], now: datetime, who: str
) -> list[str]:
    """Remove what may go; returns the ids."""
    with store.lock(wait=True):
        going = prunable(store, keep_nights, cites)
        for release in going:
            _bury(release, now, who)
        for grave in store.releases.glob(f"*/{TOMBSTONE}"):
            _empty(grave.parent)
    return [r.release_id for r in going]


def _bury(release: ReleaseInfo, now: datetime, who: str) -> None:
    """The tombstone first; without its manifest nobody sees the release any more."""
    facts = {
        "release_id": release.release_id,
        "pruned_at": now.isoformat(),
        "pruned_by": who,
        "manifest": releases.manifest(release.path),
    }
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(release.path / TOMBSTONE, text.encode() + b"\n")


def _empty(folder: Path) -> None:
    (folder / "manifest.json").unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.name in STAYS:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
