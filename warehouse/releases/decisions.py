"""A person's decisions about a release: approve, withdraw, promote.

A decision is a file beside the release, with who, when and why; none is ever changed. It names the
manifest that it was about. The channels follow from the decisions:

* approve: a held release becomes published and takes `current`, unless a later one has it. A
  withdrawn one becomes published again, and takes `current` where that names no later one.
* withdraw: the release stays for the record, but no channel names it. `current` goes back to the
  newest published release, `stable` to the one promoted before; without one the channel is empty.
  No later night publishes the same content: it waits, as a held one does, for an approval.
* promote: `stable` names the release, which gets a label vYYYY.M.p, the month of its night and a
  number that counts from 0.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from warehouse.access import share
from warehouse.fingerprints import file_sha256
from warehouse.releases import releases
from warehouse.releases.releases import ReleaseInfo
from warehouse.store import Store, create_atomically


def approve(store: Store, name: str, reason: str, now: datetime, who: str) -> dict[str, Any]:
    """Publish a held release, or a withdrawn one again.

    Args:
        store: the store.
        name: the release: an id, a channel, a label or a night.
        reason: why it is right in spite of what held it or of its withdrawal.
        now: when.
        who: who says so.

    Raises:
        Refused: it is published, it is held and `current` is newer, or there is no reason.
    """
    with store.lock(wait=True):
        release = _release(store, name)
        if release.status == "published":
            raise Refused(
                f"release {release.release_id}: it is published, and only a held or withdrawn one "
                "can be approved. `y90 release list` shows which are."
            )
        now_current = _named(store, "current")
        newer = now_current if now_current and now_current.order > release.order else None
        if newer and release.status == "held":
            raise Refused(
                f"release {release.release_id}: `current` is {newer.release_id}, which is "
                "newer. Approve a newer release, or withdraw that one first."
            )
        decision = _decide(release, "approve", reason, now, who)
        if not newer:
            releases.point(store, "current", release.release_id, now, release.as_of)
    return decision


def why_waiting(release: Path) -> list[str]:
    """Why a release waits for an approval: what its audit found, or who withdrew it and why."""
    taken_back = releases.withdrawal(release)
    if taken_back:
        return [
            f"release {release.name} has this content, and {taken_back['who']} withdrew it on "
            f"{taken_back['when'][:10]}: {taken_back['reason']}"
        ]
    account = json.loads((release / "audit" / "audit.json").read_text("utf-8"))
    return list(account["reasons"])


def withdraw(store: Store, name: str, reason: str, now: datetime, who: str) -> dict[str, Any]:
    """Take a release back, also from the channels that name it.

    Raises:
        Refused: it is withdrawn already, or there is no reason.
    """
    with store.lock(wait=True):
        release = _release(store, name)
        if release.status == "withdrawn":
            raise Refused(f"release {release.release_id}: it is withdrawn already.")
        decision = _decide(release, "withdraw", reason, now, who)
        left = [r for r in releases.listing(store) if r.status == "published"]
        _fall_back(store, "current", release, left, now)
        _fall_back(store, "stable", release, _promoted(left), now)
    return decision


def promote(store: Store, name: str, reason: str, now: datetime, who: str) -> dict[str, Any]:
    """Let `stable` name a published release; one promoted before keeps its label.

    Raises:
        Refused: it is held or withdrawn, or there is no reason.
    """
    with store.lock(wait=True):
        release = _release(store, name)
        if release.status != "published":
            raise Refused(
                f"release {release.release_id}: it is {release.status}, and only a published one "
                "can be promoted. Approve it first, or promote another."
            )
        label = _label(store, release)
        decision = _decide(release, "promote", reason, now, who, label=label)
        releases.point(store, "stable", release.release_id, now, release.as_of)
    return decision


def _release(store: Store, name: str) -> ReleaseInfo:
    path = releases.resolve(store, name)
    return next(r for r in releases.listing(store) if r.path == path)


def _named(store: Store, channel: str) -> ReleaseInfo | None:
    pointer = releases.channel(store, channel)
    if pointer is None:
        return None
    return next((r for r in releases.listing(store) if r.release_id == pointer["release_id"]), None)


def _decide(
    release: ReleaseInfo, decision: str, reason: str, now: datetime, who: str, **facts: str
) -> dict[str, Any]:
    """Add a decision after those there are."""
    if not reason.strip():
        raise Refused(
            f"release {release.release_id}: a decision needs a reason. Add --reason TEXT."
        )
    written: dict[str, Any] = facts | {
        "release_id": release.release_id,
        "decision": decision,
        "who": who,
        "when": now.isoformat(),
        "reason": reason.strip(),
        "manifest_sha256": file_sha256(release.path / "manifest.json"),
    }
    folder = release.path / "decisions"
    folder.mkdir(exist_ok=True)
    number = len(releases.decisions(release.path)) + 1
    text = json.dumps(written, indent=1, sort_keys=True, ensure_ascii=False)
    create_atomically(folder / f"{number:04d}-{decision}.json", text.encode() + b"\n")
    share(folder, release.path.parent)
    return written


def _promoted(listed: Iterable[ReleaseInfo]) -> list[ReleaseInfo]:
    """Those that were promoted, in the order of their last promotion."""
    promotions = [
        (d["when"], r)
        for r in listed
        for d in releases.decisions(r.path)
        if d["decision"] == "promote"
    ]
    return [release for _, release in sorted(promotions, key=lambda pair: pair[0])]


def _fall_back(
    store: Store, channel: str, withdrawn: ReleaseInfo, left: list[ReleaseInfo], now: datetime
) -> None:
    pointer = releases.channel(store, channel)
    if pointer is None or pointer["release_id"] != withdrawn.release_id:
        return
    if left:
        releases.point(store, channel, left[-1].release_id, now, left[-1].as_of)
    else:
        releases.clear(store, channel, now)


def _label(store: Store, release: ReleaseInfo) -> str:
    """The release's label, or the next free one of its month; withdrawn ones keep theirs."""
    month = f"v{release.as_of:%Y}.{release.as_of.month}."
    labels = {
        d["label"]: r.release_id
        for r in releases.listing(store)
        for d in releases.decisions(r.path)
        if d.get("label")
    }
    own = [label for label, owner in labels.items() if owner == release.release_id]
    taken = [int(label.removeprefix(month)) for label in labels if label.startswith(month)]
    return own[0] if own else f"{month}{max(taken, default=-1) + 1}"


def user() -> str:
    """Who runs this program: the login, else the account's number."""
    try:
        return os.getlogin()
    except OSError:
        return str(os.getuid())
