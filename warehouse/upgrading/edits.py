"""The changes that a migration makes: each can be done twice, undone, and undone twice.

An edit names one path of the store. What it replaces or removes is put aside first, so that a
killed migration is finished or taken back from its journal alone.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from warehouse.store import TEMPORARY, make_private, sync_folder, write_atomically

Rights: TypeAlias = tuple[int, int]
"""Mode and group of a file or folder."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one path, relative to the store."""

    kind: Literal["remove", "write", "rights"]
    path: str
    text: str = ""
    before: Rights = (0, 0)
    after: Rights = (0, 0)

    def size(self, root: Path) -> int:
        """The bytes that it needs on the disk until the migration can no longer be taken back."""
        if self.kind != "write":
            return 0
        path = root / self.path
        return len(self.text.encode()) + (path.stat().st_size if path.is_file() else 0)


def edit_of(facts: Mapping[str, Any]) -> Edit:
    """An edit as a journal tells it."""
    rights = {n: (int(facts[n][0]), int(facts[n][1])) for n in ("before", "after")}
    return Edit(kind=facts["kind"], path=facts["path"], text=facts["text"], **rights)


def do(root: Path, edit: Edit, aside: Path) -> None:
    """Carry an edit out; one that was carried out before changes nothing.

    Args:
        root: the store.
        edit: the edit.
        aside: where what it replaces or removes is kept; no other edit has this path.
    """
    DOING[edit.kind](root / edit.path, edit, aside)


def undo(root: Path, edit: Edit, aside: Path) -> None:
    """Take an edit back; one that was taken back, or never carried out, changes nothing."""
    UNDOING[edit.kind](root / edit.path, edit, aside)


def sweep_folder(folder: Path) -> None:
    """Remove what a kill left half written in this folder alone; the caller holds the store."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if path.is_file():
            path.unlink()


def rights_of(path: Path) -> Rights:
    """Mode and group of a path."""
    facts = path.stat()
    return facts.st_mode & 0o7777, facts.st_gid


def _remove(path: Path, _: Edit, aside: Path) -> None:
    if path.exists() and not aside.exists():
        _move(path, aside)


def _bring_back(path: Path, _: Edit, aside: Path) -> None:
    """What stands in the place since was made by this version: only caches are removed."""
    if not aside.exists():
        return
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    _move(aside, path)


def _write(path: Path, edit: Edit, aside: Path) -> None:
    if path.exists() and not aside.exists():
        make_private(aside.parent)
        write_atomically(aside, path.read_bytes(), private=True)
    make_private(path.parent)
    sweep_folder(path.parent)
    write_atomically(path, edit.text.encode())


def _write_back(path: Path, _: Edit, aside: Path) -> None:
    sweep_folder(path.parent)
    if aside.exists():
        write_atomically(path, aside.read_bytes())
    else:
        path.unlink(missing_ok=True)


def _give(path: Path, edit: Edit, _: Path) -> None:
    _set_rights(path, edit.after)


def _give_back(path: Path, edit: Edit, _: Path) -> None:
    _set_rights(path, edit.before)


def _set_rights(path: Path, rights: Rights) -> None:
    """Group first: giving a file away clears a bit of its mode."""
    if not path.exists():
        return
    mode, group = rights
    if path.stat().st_gid != group:
        os.chown(path, -1, group)
    path.chmod(mode)


def _move(path: Path, to: Path) -> None:
    make_private(to.parent)
    path.rename(to)
    sync_folder(to.parent)
    sync_folder(path.parent)


DOING: Mapping[str, Callable[[Path, Edit, Path], None]] = {
    "remove": _remove, "write": _write, "rights": _give,
}  # fmt: skip
UNDOING: Mapping[str, Callable[[Path, Edit, Path], None]] = {
    "remove": _bring_back, "write": _write_back, "rights": _give_back,
}  # fmt: skip
