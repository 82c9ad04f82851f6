"""Every change of a store's layout: one record each, from a version to the next.

A record's steps say which paths change and how. Its reverse is no second list: the journal of a
migration holds every edit with what was there before, and is read backwards.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from warehouse.access import FILE, INHERIT, SHARED
from warehouse.loading.delivery_cache import folder_of
from warehouse.store import Store
from warehouse.upgrading.edits import Edit, rights_of


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a change, in a sentence, and the edits that it makes to a store.

    `edits` is given the store and the number of the analysts' group, if one is named.
    """

    name: str
    meaning: str
    edits: Callable[[Store, int | None], Iterator[Edit]]


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two layouts."""

    before: str
    after: str
    steps: tuple[Step, ...]
    stays: tuple[str, ...]
    """What the change leaves as it is, in sentences."""

    @property
    def name(self) -> str:
        """For instance 1-2."""
        return f"{self.before}-{self.after}"


def _rights(store: Store, group: int | None) -> Iterator[Edit]:
    """Releases and channels were readable by every user of the machine."""
    for room in (store.releases, store.channels):
        for path in [room, *sorted(room.rglob("*"))] if room.is_dir() else []:
            if path.is_symlink():
                continue
            mode, gid = rights_of(path)
            inherit = INHERIT if group is not None else mode & INHERIT
            wanted = SHARED | inherit if path.is_dir() else FILE
            after = (wanted, gid if group is None else group)
            if (mode, gid) != after:
                yield Edit("rights", _place(store, path), before=(mode, gid), after=after)


def _queries(store: Store, _: int | None) -> Iterator[Edit]:
    """Compiled queries lie in the user's cache since; lineage is kept per version of the code."""
    names = ("compiled.sqlite", "compiled.sqlite-wal", "compiled.sqlite-shm", "lineage")
    for path in (store.state / name for name in names):
        if path.exists():
            yield Edit("remove", _place(store, path))


def _deliveries(store: Store, _: int | None) -> Iterator[Edit]:
    """Loaded deliveries are kept per version of the code; this one never reads the old ones."""
    sites = sorted(store.raw.iterdir()) if store.raw.is_dir() else []
    for folder in (folder_of(store, site.name) for site in sites):
        if folder.is_dir():
            yield Edit("remove", _place(store, folder))


def _place(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


CHANGES: tuple[Change, ...] = (
    Change(
        before="1",
        after="2",
        steps=(
            Step(
                "close releases",
                "Releases and channels are readable by their owner and the analysts' group alone.",
                _rights,
            ),
            Step(
                "remove kept queries",
                "Compiled queries and lineage of former code are removed; no code reads them now.",
                _queries,
            ),
            Step(
                "remove loaded deliveries",
                "Deliveries as former code loaded them are removed; the next night loads them.",
                _deliveries,
            ),
        ),
        stays=(
            "The inbox, what was received, and every receipt.",
            "Every byte of every release: tables, database (also where it is called "
            "outcomes.duckdb), report, manifest, decisions. No hash changes.",
            "The channels, the ledger of runs, and the key, which never lies in the store.",
        ),
    ),
)
"""In order; the last one leads to `warehouse.store.LAYOUT_VERSION`."""


def path_from(version: str) -> tuple[Change, ...]:
    """The changes that lead from a version to today's, in order; empty if none does."""
    known = [change.before for change in CHANGES]
    return CHANGES[known.index(version) :] if version in known else ()
