"""Plan a migration of a store, carry it out, or take it back.

    store/migration/<before>-<after>/
      journal.json     every edit with what was there before, and how far the migration is
      aside/<n>        what edit n replaced or removed

The journal is written first, then LAYOUT says that the store is between two layouts, so that no
version of y90 opens it; then the edits follow, and LAYOUT is last. Whatever kills it, the next call
finishes or takes back from the journal. The next night removes what was kept to go back.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from warehouse import fingerprints
from warehouse.intake import receipts
from warehouse.releases import releases
from warehouse.store import (
    BETWEEN,
    LAYOUT_VERSION,
    Store,
    lock_file,
    make_private,
    refusal,
    write_atomically,
)
from warehouse.upgrading.edits import Edit, do, edit_of, sweep_folder, undo
from warehouse.upgrading.layouts import Change, path_from

RESERVE = 2**20
"""Bytes that must be free beyond what the edits need."""
ENTRY = 300
"""Bytes of an edit in the journal, at most."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a migration as it would be done now."""

    change: str
    name: str
    meaning: str
    touches: tuple[str, ...]
    bytes_needed: int


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a migration would do, and what it would leave."""

    found: str
    wanted: str
    interrupted: bool
    steps: tuple[PlannedStep, ...]
    stays: tuple[str, ...]
    bytes_needed: int
    bytes_free: int
    releases: tuple[str, ...]


def plan(store: Store, group: int | None = None) -> MigrationPlan:
    """Plan a migration; nothing is written.

    Args:
        store: the store, of any layout.
        group: the number of the analysts' group; None leaves the groups as they are.

    Raises:
        Refused: no store of ours, one of a newer version, or a damaged one.
    """
    version, between = _found(store)
    changes = _changes(version)
    edits = {c.name: _edits(store, c, group) for c in changes}
    steps = tuple(
        PlannedStep(c.name, s.name, s.meaning, tuple(e.path for e in of), _needed(store, of))
        for c in changes
        for s, of in zip(c.steps, edits[c.name], strict=True)
    )
    return MigrationPlan(
        found=version,
        wanted=LAYOUT_VERSION,
        interrupted=between,
        steps=steps,
        stays=tuple(dict.fromkeys(s for c in changes for s in c.stays)),
        bytes_needed=sum(s.bytes_needed for s in steps) + (RESERVE if steps else 0),
        bytes_free=shutil.disk_usage(store.root).free,
        releases=tuple(_verifiable(store)) if changes else (),
    )


def apply(store: Store, now: datetime, group: int | None = None) -> tuple[str, ...]:
    """Bring a store to today's layout; an interrupted migration is finished, or first taken back.

    Returns:
        The changes that were carried out, for instance 1-2; none if there was nothing to do.

    Raises:
        Refused: as by `plan`, or the disk has no room; nothing was changed.
        Locked: a run holds the store.
    """
    _found(store)
    with _alone(store):
        done = []
        if (change := _unfinished(store)) is not None:
            _go_on(store, change)
            done += [change.name] if store.layout_version() == change.after else []
        for change in _changes(_found(store)[0]):
            _begin(store, change, now, group)
            _go_on(store, change)
            done.append(change.name)
    return tuple(done)


def rollback(store: Store) -> tuple[str, ...]:
    """Take every migration back that was kept, newest first: each byte is as it was before.

    Raises:
        Refused: nothing is kept, or the store was written to since.
        Locked: a run holds the store.
    """
    _found(store)
    with _alone(store):
        _unfinished(store)
        journals = sorted(store.migration.glob("*/journal.json"), key=_layouts_of, reverse=True)
        never_began = store.migration.is_dir() and store.layout_version() != LAYOUT_VERSION
        if not journals and not never_began:
            raise Refused(
                f"{store.root}: nothing is kept to go back to. A migration can be taken back until "
                "the next night runs; restore the store from a copy made before it."
            )
        done = [p.parent.name for p in journals if _take_back(store, p.parent.name)]
        store.forget_rollback()
    return tuple(done)


def _layouts_of(journal: Path) -> tuple[int, ...]:
    """The two layouts that a journal lies between, as numbers: 9-10 comes before 10-11."""
    return tuple(int(version) for version in journal.parent.name.split("-"))


def _found(store: Store) -> tuple[str, bool]:
    """The version of a store, and whether a migration away from it was interrupted."""
    if not store.layout_file.is_file():
        raise Refused(
            f"{store.root}: no store of y90, since it has no file LAYOUT. Name the store with "
            "--store."
        )
    text = store.layout_version()
    between = BETWEEN in text
    version = text.split()[0] if text else ""
    if version != LAYOUT_VERSION and not path_from(version):
        raise refusal(store, text)
    if not between:
        _examine(store)
    return version, between


def _examine(store: Store) -> None:
    """Refuse a damaged store, all damage at once: what decides a migration must be readable."""
    damage = [*_unreadable(store), *_foreign(store)]
    if damage:
        raise Refused("\n".join([*damage, "Restore it from a copy; nothing was changed."]))


def _unreadable(store: Store) -> Iterator[str]:
    for release in _releases(store):
        try:
            facts = releases.manifest(release)
            if not isinstance(facts["content"]["tables"], dict) or "held" not in facts["record"]:
                raise KeyError
        except (Refused, KeyError, TypeError):
            yield f"releases/{release.name}/manifest.json: missing or damaged."
    for site in sorted(store.raw.iterdir()) if store.raw.is_dir() else []:
        try:
            receipts.receipts(store, site.name)
        except Refused as told:
            yield str(told)
    for name in releases.CHANNELS:
        try:
            pointer = releases.channel(store, name)
        except ValueError:
            yield f"channels/{name}.json: damaged."
            continue
        if pointer and not store.release(pointer["release_id"]).is_dir():
            yield f"channels/{name}.json: names {pointer['release_id']}, which is missing."


def _foreign(store: Store) -> Iterator[str]:
    """What this user may not change the rights of; root may."""
    me = os.geteuid()
    for room in (store.releases, store.channels):
        for path in [room, *room.rglob("*")] if me and room.is_dir() else []:
            if path.lstat().st_uid != me:
                yield f"{path}: belongs to another user. Run y90 as the user that owns the store."


def _changes(version: str) -> tuple[Change, ...]:
    return () if version == LAYOUT_VERSION else path_from(version)


def _edits(store: Store, change: Change, group: int | None) -> list[list[Edit]]:
    return [list(step.edits(store, group)) for step in change.steps]


def _needed(store: Store, edits: list[Edit]) -> int:
    return sum(e.size(store.root) + ENTRY + len(e.path) for e in edits)


def _releases(store: Store) -> list[Path]:
    """Every release that was published: a pruned one left its folder without a manifest."""
    folder = store.releases
    known = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    return [p for p in known if not p.name.startswith(".") and not (p / "pruned.json").exists()]


def _verifiable(store: Store) -> Iterator[str]:
    """How the releases can be verified afterwards, one line for each code that made some."""
    made_by: dict[str, list[str]] = {}
    for release in _releases(store):
        facts = releases.manifest(release)
        own = facts["content"]["code_sha256"] == fingerprints.code_sha256()
        commit = facts["record"].get("commit") or facts["content"]["code_sha256"][:12]
        made_by.setdefault("" if own else str(commit)[:12], []).append(release.name)
    for commit, names in made_by.items():
        n = f"{len(names)} ({names[0]}{f' to {names[-1]}' if len(names) > 1 else ''})"
        if commit:
            yield f"{n}: files are verified here, made again only by commit {commit}"
        else:
            yield f"{n}: verified and made again here"


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold every lock of the store: no night, no backfill and no decision runs meanwhile."""
    with ExitStack() as held:
        for name in ("nightly", "backfill"):
            held.enter_context(lock_file(store.state / name, wait=False))
        held.enter_context(store.lock(wait=False))
        for folder in (store.root, *store.migration.glob("*"), *store.migration.glob("*/aside")):
            sweep_folder(folder)  # what a kill left half written
        yield


def _begin(store: Store, change: Change, now: datetime, group: int | None) -> None:
    """Write the journal, once there is room for all that follows."""
    edits = [e for of in _edits(store, change, group) for e in of]
    needed, free = _needed(store, edits) + RESERVE, shutil.disk_usage(store.root).free
    if free < needed:
        raise Refused(
            f"{store.root}: the migration needs {needed} bytes and {free} are free. Make room; "
            "nothing was changed."
        )
    folder = store.migration / change.name
    shutil.rmtree(folder, ignore_errors=True)  # of one that was taken back, or never began
    make_private(folder / "aside")
    facts = {
        "before": change.before,
        "after": change.after,
        "layout": store.layout_file.read_text(),
        "at": now.isoformat(),
        "state": "doing",
        "edits": [asdict(e) for e in edits],
    }
    _write_journal(folder, facts)


def _go_on(store: Store, change: Change) -> None:
    """Carry a journal out, or take back what was being taken back."""
    folder = store.migration / change.name
    facts = _journal(folder)
    if facts["state"] == "undoing":
        _take_back(store, change.name)
        return
    write_atomically(store.layout_file, f"{change.before}{BETWEEN}{change.after}\n".encode())
    for n, edit in enumerate(facts["edits"]):
        do(store.root, edit_of(edit), folder / "aside" / str(n))
    os.sync()
    _write_journal(folder, facts | {"state": "done", "marks": _marks(store)})
    write_atomically(store.layout_file, f"{change.after}\n".encode())


def _take_back(store: Store, name: str) -> bool:
    """Take one change back; False if it never began, or was taken back already."""
    folder = store.migration / name
    facts = _journal(folder)
    version = store.layout_version()
    between = f"{facts['before']}{BETWEEN}{facts['after']}"
    if version not in (facts["after"], between):
        return False
    if version == facts["after"] and facts.get("marks") != _marks(store):
        raise Refused(
            f"{store.root}: something was received, published or decided since the migration, and "
            "would be lost. Restore the store from a copy made before the migration."
        )
    _write_journal(folder, facts | {"state": "undoing"})
    write_atomically(store.layout_file, f"{between}\n".encode())
    for n, edit in reversed(list(enumerate(facts["edits"]))):
        undo(store.root, edit_of(edit), folder / "aside" / str(n))
    os.sync()
    write_atomically(store.layout_file, facts["layout"].encode())
    return True


def _unfinished(store: Store) -> Change | None:
    """The change that was interrupted, as LAYOUT says."""
    text = store.layout_version()
    if BETWEEN not in text:
        return None
    before = text.split()[0]
    change = path_from(before)[0]
    if not (store.migration / change.name / "journal.json").is_file():
        raise Refused(
            f"{store.root}: a migration was interrupted, and its journal is missing. Restore the "
            "store from a copy made before it."
        )
    return change


def _marks(store: Store) -> str:
    """A hash of what nights and decisions write: it tells whether there was one since."""
    rooms = (store.releases, store.channels, store.raw)
    found = sorted(p for room in rooms if room.is_dir() for p in _records(room))
    return fingerprints.sha256_of(
        [[p.relative_to(store.root).as_posix(), fingerprints.file_sha256(p)] for p in found]
    )


def _records(room: Path) -> Iterator[Path]:
    """Manifests, decisions, pointers, receipts and tombstones: small files, all of JSON."""
    for parent, folders, names in os.walk(room):
        skipped = {"parquet", "files", "loaded", "report"}
        folders[:] = [f for f in folders if f not in skipped]
        yield from (Path(parent) / n for n in names if n.endswith(".json"))


def _journal(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "journal.json").read_text("utf-8")))
    except (OSError, ValueError):
        raise Refused(
            f"{folder}/journal.json: missing or damaged. Restore the store from a copy made before "
            "the migration."
        ) from None


def _write_journal(folder: Path, facts: Mapping[str, Any]) -> None:
    write_atomically(folder / "journal.json", json.dumps(facts).encode(), private=True)
