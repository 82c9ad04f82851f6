"""Set who may read what in a store: its owner, a group of analysts, and nobody else.

raw, work, state, prefect    0700: the user that runs y90
releases, channels           0750, files 0640: that user, and the group of the analysts
inbox                        as whoever set up the store left it: centres write into it
"""

import grp
import os
from pathlib import Path

from schemas.errors import Refused
from warehouse.store import Store

OWN, SHARED, FILE = 0o700, 0o750, 0o640
INHERIT = 0o2000
"""What is made in the folder later gets its group."""
PASS = 0o011
"""To go through the store's own folder, without listing it."""


def protect(store: Store, group: str | None) -> None:
    """Close what holds patients or decides runs, and open what is published to the group.

    Raises:
        Refused: there is no such group, or this user may not give files to it.
    """
    for room in (store.raw, store.work, store.state, store.prefect):
        if room.is_dir():
            room.chmod(OWN)
    gid = number_of_group(group) if group else None
    for room in (store.releases, store.channels):
        room.mkdir(exist_ok=True)
        if gid is not None:
            _give(room, gid, str(group))
        room.chmod(SHARED | (INHERIT if gid is not None else 0))
    if gid is not None:
        store.root.chmod(store.root.stat().st_mode & 0o7777 | PASS)


def share(folder: Path, like: Path) -> None:
    """Give a folder and all below to the group that `like` belongs to, to read."""
    facts = like.stat()
    inherit = facts.st_mode & INHERIT
    for parent, _, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent) / n for n in names)):
            if path.stat().st_gid != facts.st_gid:
                os.chown(path, -1, facts.st_gid)
            path.chmod(SHARED | inherit if path.is_dir() else FILE)


def number_of_group(group: str) -> int:
    """The number of a Unix group; Refused if this machine has none of that name."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise Refused(
            f"store.group {group}: this machine has no such group. Create it, or correct the name."
        ) from None


def _give(room: Path, gid: int, group: str) -> None:
    if room.stat().st_gid == gid:
        return
    try:
        os.chown(room, -1, gid)
    except PermissionError:
        raise Refused(
            f"store.group {group}: the user that runs y90 is not in it. Add it to the group."
        ) from None
