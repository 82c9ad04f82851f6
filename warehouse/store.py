"""The layout of a store, and writing that leaves the old state or the new after a crash.

    store/
      LAYOUT                                 version of this layout
      inbox/<site>/<YYYY-MM-DD>/...          exports as dropped or pulled; never touched
      raw/<site>/deliveries/<id>/            every payload once: files/, and raw/ with its Parquet
      raw/<site>/receipts/<date>-<n>.json    every arrival
      work/<run_id>/                         scratch
      releases/<release_id>/                 immutable
      channels/<channel>.json                pointers
      state/                                 ledger, lock, caches, free looks
      prefect/                               PREFECT_HOME
      migration/                             what a migration keeps to go back, until the next night

A file is replaced by writing beside it, flushing and renaming. The store is guarded by a lock of
the operating system, which the kernel frees when its holder dies.
"""

import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EINVAL, ENOLCK, ENOSYS, EOPNOTSUPP, EXDEV
from pathlib import Path

from schemas.errors import Locked, Refused

LAYOUT_VERSION = "2"
"""What changed from version to version stands in `warehouse.upgrading.layouts`."""
BETWEEN = " to "
"""In LAYOUT while a migration is under way: no version of y90 opens such a store."""
TEMPORARY = ".tmp-"
"""Prefix of what is being written; nothing reads what a crash leaves, and `sweep` removes it."""
NO_EXCHANGE = (EINVAL, ENOSYS, EOPNOTSUPP, EXDEV)
"""How a file system says that it cannot let two folders change places."""


@dataclass(frozen=True)
class Store:
    """The paths of one registry's store."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "Store":
        """Open a store, or lay out a new one; a layout of another version is refused."""
        store = cls(root)
        if root.exists() and not root.is_dir():
            raise Refused(f"{root}: not a folder. Name another store with --store.")
        if not store.layout_file.exists():
            try:
                root.mkdir(parents=True, exist_ok=True)
                write_atomically(store.layout_file, f"{LAYOUT_VERSION}\n".encode())
            except OSError as fault:
                raise Refused(
                    f"{root}: the store cannot be written ({fault.strerror}). "
                    "Name another store with --store."
                ) from None
        found = store.layout_version()
        if found != LAYOUT_VERSION:
            raise refusal(store, found)
        return store

    def layout_version(self) -> str:
        """The version of the layout, as its file says."""
        try:
            return self.layout_file.read_text("utf-8", "replace").strip()[:20]
        except OSError as fault:
            raise Refused(
                f"{self.layout_file}: cannot be read ({fault.strerror}). Give this user access to "
                "the store."
            ) from None

    @property
    def layout_file(self) -> Path:
        """Names the version of the layout."""
        return self.root / "LAYOUT"

    @property
    def inbox(self) -> Path:
        """Exports as dropped or pulled."""
        return self.root / "inbox"

    @property
    def raw(self) -> Path:
        """What was received, kept for ever."""
        return self.root / "raw"

    @property
    def work(self) -> Path:
        """Scratch of runs."""
        return self.root / "work"

    @property
    def releases(self) -> Path:
        """Immutable releases."""
        return self.root / "releases"

    @property
    def channels(self) -> Path:
        """Pointers to releases."""
        return self.root / "channels"

    @property
    def state(self) -> Path:
        """Ledger, lock and caches, which can be rebuilt; and which free looks were taken."""
        return self.root / "state"

    @property
    def prefect(self) -> Path:
        """PREFECT_HOME, unless set elsewhere."""
        return self.root / "prefect"

    @property
    def ledger(self) -> Path:
        """Runs and steps."""
        return self.state / "ledger.sqlite"

    @property
    def migration(self) -> Path:
        """What a migration keeps to go back."""
        return self.root / "migration"

    def site_inbox(self, site_id: str) -> Path:
        """One site's folders by extraction date."""
        return self.inbox / site_id

    def site_raw(self, site_id: str) -> Path:
        """Everything received from a site."""
        return self.raw / site_id

    def receipts(self, site_id: str) -> Path:
        """A site's receipts."""
        return self.raw / site_id / "receipts"

    def deliveries(self, site_id: str) -> Path:
        """A site's payloads."""
        return self.raw / site_id / "deliveries"

    def delivery(self, site_id: str, delivery_id: str) -> Path:
        """One payload and its raw tables."""
        return self.deliveries(site_id) / delivery_id

    def payload(self, site_id: str, delivery_id: str) -> Path:
        """The files of a delivery, as received."""
        return self.delivery(site_id, delivery_id) / "files"

    def raw_tables(self, site_id: str, delivery_id: str) -> Path:
        """The raw Parquet of a delivery."""
        return self.delivery(site_id, delivery_id) / "raw"

    def run(self, run_id: str) -> Path:
        """Scratch of one run."""
        return self.work / run_id

    def release(self, release_id: str) -> Path:
        """One release."""
        return self.releases / release_id

    def channel(self, name: str) -> Path:
        """The pointer file of a channel."""
        return self.channels / f"{name}.json"

    def forget_rollback(self) -> None:
        """Remove what a migration kept to go back: it may hold rows, and a night has moved on."""
        if self.migration.is_dir():
            for journal in self.migration.glob("*/journal.json"):
                journal.unlink()  # first: nobody goes back to a part of what was kept
            shutil.rmtree(self.migration)

    @contextmanager
    def lock(self, *, wait: bool) -> Iterator[None]:
        """Hold the store; without `wait`, raise Locked if another run holds it."""
        with lock_file(self.state / "lock", wait=wait):
            yield


def refusal(store: Store, found: str) -> Refused:
    """Why a store of another layout is not opened, and what to do."""
    where = f"{store.layout_file}: "
    own = f"but this version of y90 reads {LAYOUT_VERSION!r}"
    if BETWEEN in found:
        return Refused(
            f"{where}a migration from layout {found} was interrupted. Run `y90 migrate --apply` to "
            "finish it, or `y90 migrate --rollback` to take it back."
        )
    if not found.isdecimal():
        return Refused(f"{where}names no layout of y90. Restore it, or name another store.")
    if int(found) > int(LAYOUT_VERSION):
        return Refused(
            f"{where}layout version {found!r}, {own}. A newer version of y90 made the store: use "
            "that one, or name another store with --store."
        )
    return Refused(
        f"{where}layout version {found!r}, {own}. Run `y90 migrate --plan` to see what bringing it "
        "to this layout does."
    )


@contextmanager
def lock_file(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold an exclusive lock of the operating system on a file."""
    make_private(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(handle, path, wait=wait)
        _refuse_without_locks(path)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, *, wait: bool) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise Locked(
            f"{path}: held by another run (process {holder}). Wait for it, or run again without "
            "--no-wait."
        ) from None
    except OSError as fault:
        if fault.errno in (ENOLCK, EOPNOTSUPP, EINVAL, ENOSYS):
            raise _no_locks(path) from None
        raise


def _refuse_without_locks(path: Path) -> None:
    """Ask for the lock a second time: a file system that grants it keeps no locks."""
    second = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(second)
    raise _no_locks(path)


def _no_locks(path: Path) -> Refused:
    return Refused(
        f"{path}: this file system keeps no locks, so two runs could write at once. Put the store "
        "on a local disk with --store."
    )


def user_cache() -> Path:
    """Where the user's caches lie: $XDG_CACHE_HOME, else ~/.cache."""
    folder = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(folder).expanduser() / "y90-outcomes"


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner only."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """Replace a file: readers see the old bytes or the new, also after a crash."""
    with _beside(path, data, private=private) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def create_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """Create a file whole; FileExistsError if there is one of that name."""
    with _beside(path, data, private=private) as temporary:
        os.link(temporary, path)
    sync_folder(path.parent)


@contextmanager
def _beside(path: Path, data: bytes, *, private: bool) -> Iterator[Path]:
    """The data on the disk under a temporary name, which is gone afterwards."""
    with _held(lambda: _temporary_file(path.parent)) as temporary:
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                if not private:
                    os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _temporary_file(folder: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
    os.close(handle)
    return Path(name)


@contextmanager
def _held(make: Callable[[], Path]) -> Iterator[Path]:
    """Make a temporary file or folder, and hold it so that `sweep` leaves it alone."""
    while True:
        temporary = make()
        handle = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():  # else swept between being made and being held
            break
        os.close(handle)
    try:
        yield temporary
    finally:
        os.close(handle)


@contextmanager
def new_folder(final: Path, *, prefix: str = TEMPORARY, replace: bool = False) -> Iterator[Path]:
    """Fill a folder beside its place, then rename it; a place that is taken stays, or is replaced.

    Args:
        final: the folder's place.
        prefix: how the unfinished folder's name begins.
        replace: put the new folder where the old one was, which is then removed.
    """
    make_private(final.parent)
    with _held(lambda: Path(tempfile.mkdtemp(prefix=prefix, dir=final.parent))) as temporary:
        try:
            yield temporary
            sync_tree(temporary)
            try:
                temporary.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
                if replace:
                    _exchange(temporary, final)
            sync_folder(final.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places: in one step, or in three where the file system knows none.

    Killed between the three, nothing is in the place: never a half of either.
    """
    try:
        _in_one_step(one, other)
    except (AttributeError, OSError) as fault:  # another system's library, another file system
        if isinstance(fault, OSError) and fault.errno not in NO_EXCHANGE:
            raise
        aside = one.with_name(f"{one.name}-old")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _in_one_step(one: Path, other: Path) -> None:
    """The kernel's renameat2 with RENAME_EXCHANGE."""
    here, exchange = -100, 2
    call = ctypes.CDLL(None, use_errno=True).renameat2
    if call(here, os.fsencode(one), here, os.fsencode(other), exchange):
        fault = ctypes.get_errno()
        raise OSError(fault, os.strerror(fault), str(other))


def sweep(folder: Path, prefix: str = TEMPORARY) -> None:
    """Remove what a crash left unfinished below a folder, and nothing that somebody is writing."""
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if name.startswith(prefix):
                _remove_unheld(Path(parent) / name)
        folders[:] = [f for f in folders if not f.startswith(prefix) and f != "files"]


def _remove_unheld(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:  # its writer lives
        return
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush every file and folder below to the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent) / name)
        _sync(Path(parent))


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
