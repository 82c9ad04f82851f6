"""Releases: immutable folders, pointers, decisions, and the names that mean one of them.

A release is written beside its final place, flushed, and renamed; its manifest is written last. A
reader sees a whole release or none. A channel is a pointer file that is replaced atomically.
"""

import json
import re
import shutil
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from warehouse.access import share
from warehouse.store import TEMPORARY, Store, sync_folder, sync_tree, write_atomically

CHANNELS = ("current", "stable")
NIGHTLY = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """One release, as `y90 release list` shows it."""

    release_id: str
    as_of: date
    data_cutoff: date
    run_key: str
    inputs_key: str
    status: str
    published_at: str
    path: Path

    @property
    def order(self) -> tuple[date, int]:
        """Nights in order, restatements after what they restate."""
        return order(self.as_of, self.release_id)


def order(as_of: date, release_id: str) -> tuple[date, int]:
    """Where a release stands among all: by night, then by restatement."""
    match = NIGHTLY.fullmatch(release_id)
    return as_of, int((match and match[4]) or 1)


def listing(store: Store) -> list[ReleaseInfo]:
    """Every complete release, oldest night first."""
    folder = store.releases
    names = sorted(p for p in folder.iterdir() if _complete(p)) if folder.is_dir() else []
    return sorted((_info(p) for p in names), key=lambda r: r.order)


def manifest(path: Path) -> dict[str, Any]:
    """A release's manifest.

    Raises:
        Refused: it is missing or damaged.
    """
    try:
        facts = json.loads((path / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise Refused(
            f"{path}: the manifest is missing or damaged. Run `y90 verify {path.name}`, and "
            "restore the release from a copy or rebuild it with `y90 backfill`."
        ) from None
    return dict(facts)


def is_synthetic(content: Mapping[str, Any]) -> bool:
    """Whether a centre of a release was invented."""
    return "synthetic" in {site.get("origin", "clinical") for site in content["sites"].values()}


def decisions(path: Path) -> list[dict[str, Any]]:
    """What people decided about a release, oldest first."""
    folder = path / "decisions"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [json.loads(f.read_text("utf-8")) for f in files]


def withdrawal(path: Path) -> dict[str, Any] | None:
    """The decision by which a release is withdrawn now, if it is."""
    last = decisions(path)[-1:]
    return last[0] if last and last[0]["decision"] == "withdraw" else None


def status(facts: Mapping[str, Any], decided: list[dict[str, Any]]) -> str:
    """published, held or withdrawn: the last decision stands."""
    last = (
        decided[-1]["decision"] if decided else ("held" if facts["record"]["held"] else "approve")
    )
    return {"withdraw": "withdrawn", "held": "held"}.get(last, "published")


def channel(store: Store, name: str) -> dict[str, Any] | None:
    """The pointer of a channel, or None where it names no release."""
    pointer = _pointer(store, name)
    return pointer if pointer.get("release_id") else None


def resolve(store: Store, name: str | None = None) -> Path:
    """The folder of a release: a channel (default current), an id, a stable label or a night.

    Raises:
        Refused: there is none; the nearest names are suggested.
    """
    wanted = name or "current"
    if wanted in CHANNELS:
        return _of_channel(store, wanted)
    published = listing(store)
    for release in published:
        if release.release_id == wanted or wanted in _labels(release.path):
            return release.path
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", wanted):
        before = [r for r in published if r.status == "published" and r.as_of.isoformat() <= wanted]
        if before:
            return before[-1].path
    names = [*CHANNELS, *(r.release_id for r in published)]
    near = get_close_matches(wanted, names, n=3, cutoff=0.5) or names[-3:]
    raise Refused(f"release {wanted}: there is none. Did you mean {', '.join(near)}?")


def next_id(store: Store, as_of: date) -> str:
    """The id of a new release of a night: the night, or its next restatement. Never reused."""
    taken = {p.name for p in store.releases.iterdir()} if store.releases.is_dir() else set()
    return free_id(f"{as_of:%Y.%m.%d}", taken)


def free_id(night: str, taken: Set[str]) -> str:
    """The night itself, or its next restatement that nobody has."""
    if night not in taken:
        return night
    number = 2
    while f"{night}.{number}" in taken:
        number += 1
    return f"{night}.{number}"


def previous(store: Store, release_id: str, as_of: date) -> ReleaseInfo | None:
    """What a release is compared with: the same night's last version, else an earlier night's."""
    others = [
        r
        for r in listing(store)
        if r.status == "published" and r.as_of <= as_of and r.release_id != release_id
    ]
    return others[-1] if others else None


def place(store: Store, release_id: str, built: Path, content: Mapping[str, Any]) -> Path:
    """Move a finished folder to its place, manifest last.

    Args:
        store: the store, whose lock the caller holds.
        release_id: a free id.
        built: a folder of the same file system with everything but the manifest.
        content: the manifest.
    """
    store.releases.mkdir(parents=True, exist_ok=True)
    temporary = store.releases / f"{TEMPORARY}{release_id}"
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(built, temporary)
    sync_tree(temporary)
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(temporary / "manifest.json", text.encode() + b"\n")
    share(temporary, store.releases)
    final = store.releases / release_id
    temporary.rename(final)
    sync_folder(store.releases)
    return final


def point(store: Store, name: str, release_id: str, now: datetime, fresh_as_of: date) -> None:
    """Let a channel point at a release, or only note that it is still true at a later night."""
    pointer = _pointer(store, name)
    history, fresh = pointer.get("history", []), fresh_as_of.isoformat()
    if pointer.get("release_id") == release_id:
        fresh = max(fresh, pointer["fresh_as_of"])
    else:
        history = [*history, {"release_id": release_id, "since": now.isoformat()}]
    _replace(store, name, {"release_id": release_id, "fresh_as_of": fresh, "history": history})


def clear(store: Store, name: str, now: datetime) -> None:
    """Let a channel point at nothing; its history stays."""
    history = _pointer(store, name).get("history", [])
    gone = {"release_id": None, "since": now.isoformat()}
    _replace(store, name, {"release_id": None, "history": [*history, gone]})


def _pointer(store: Store, name: str) -> dict[str, Any]:
    path = store.channel(name)
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def _replace(store: Store, name: str, pointer: Mapping[str, Any]) -> None:
    store.channels.mkdir(parents=True, exist_ok=True)
    write_atomically(store.channel(name), json.dumps(pointer, indent=1).encode() + b"\n")


def _complete(path: Path) -> bool:
    return not path.name.startswith(TEMPORARY) and (path / "manifest.json").is_file()


def _info(path: Path) -> ReleaseInfo:
    marks = (path / "manifest.json").stat()
    facts = _facts(path, marks.st_ino, marks.st_mtime_ns, marks.st_size)
    return ReleaseInfo(
        release_id=path.name,
        as_of=date.fromisoformat(facts["as_of"]),
        data_cutoff=date.fromisoformat(facts["data_cutoff"]),
        run_key=facts["run_key"],
        inputs_key=facts["inputs_key"],
        status=status({"record": facts}, decisions(path)),
        published_at=facts["published_at"],
        path=path,
    )


@lru_cache(maxsize=4096)
def _facts(path: Path, *_marks: int) -> dict[str, Any]:
    """The little that a listing needs of a manifest; a backfill lists some thousand times."""
    whole = manifest(path)
    content, record = whole["content"], whole["record"]
    wanted = ("as_of", "data_cutoff", "run_key", "inputs_key")
    return {n: content[n] for n in wanted} | {n: record[n] for n in ("held", "published_at")}


def _labels(path: Path) -> list[str]:
    return [d["label"] for d in decisions(path) if d.get("label")]


def _of_channel(store: Store, name: str) -> Path:
    pointer = channel(store, name)
    if pointer is None:
        hint = "`y90 run`" if name == "current" else "`y90 release promote ID --reason TEXT`"
        raise Refused(f"channel {name}: nothing is published on it yet. Run {hint} first.")
    path = store.releases / str(pointer["release_id"])
    if not _complete(path):
        raise Refused(
            f"channel {name}: its release {path.name} is missing or damaged. Restore it, or name "
            "another with --release."
        )
    return path
