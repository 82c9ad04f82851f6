"""Receive what lies in a site's inbox and was not yet received.

A folder `inbox/<site>/<YYYY-MM-DD>/` is an arrival: the site's whole export, extracted on that
date. It is copied as it is, once per content, read, and answered by a receipt, accepted or refused.
A folder that has not changed is not received again; one that changed is a further arrival of the
same date. One that is still being written is left for the next time. The inbox itself is never
touched.
"""

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from errno import EDQUOT, EMFILE, ENOENT, ENOSPC
from pathlib import Path
from typing import Any

from schemas.errors import (
    BadConfiguration,
    BadDelivery,
    Fault,
    Y90Error,
    all_at_once,
    places,
)
from schemas.site import Site
from warehouse import fingerprints
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.intake.formats.archives import ignored
from warehouse.intake.receipts import Receipt, ReceivedFile, in_force, receipts, visible, write
from warehouse.receiving.settled import unsettled
from warehouse.releases import consent
from warehouse.store import Store, lock_file, make_private, new_folder, sweep, write_atomically

__all__ = ["Receipt", "Received", "in_force", "receipts", "receive", "visible"]

DATE_FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}")
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".download")
CHUNK = 2**20


@dataclass(frozen=True)
class Received:
    """What one look into a site's inbox brought.

    `receipts` are those written now; `unchanged` counts folders that had been received before;
    `problems` are what no receipt can stand for: names that are no date, stray files.
    """

    site_id: str
    receipts: tuple[Receipt, ...] = ()
    unchanged: int = 0
    problems: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    """Errors of our own, each of which refused one arrival; it is tried again next time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms deliveries are taken.

    The key and the engine's options are those of the nights, so that what is loaded to be judged is
    loaded once. `settle_s` is for how many seconds files must have rested, `held_below_pct` the
    percent of the last good rows below which a delivery is held.
    """

    key: bytes = DEMONSTRATION_KEY
    options: Mapping[str, Any] = field(default_factory=dict)
    settle_s: float = 0
    held_below_pct: float = 80
    judge: bool = True
    """Whether to judge what it gives; otherwise only whether it can be read and fits."""


@dataclass
class _Arrival:
    """What was found in one date folder."""

    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    files: tuple[ReceivedFile, ...] = ()


def receive(store: Store, site: Site, *, now: datetime, terms: Terms | None = None) -> Received:
    """Receive every new or changed date folder of a site, oldest extraction date first.

    Args:
        store: the store.
        site: the site file: which files a delivery must hold and how they are read.
        now: the moment of arrival, told by the caller; without a zone it is taken as UTC.
        terms: on which terms they are taken.
    """
    arrival = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
    terms = terms or Terms()
    with lock_file(store.site_raw(site.site_id) / "lock", wait=True):
        sweep(store.site_raw(site.site_id))
        folders, problems = _date_folders(store.site_inbox(site.site_id), site.site_id)
        seen = _Seen.load(store, site)
        fresh = [folder for day, folder in folders if not seen.knows(day, _marks(folder))]
        waiting = unsettled(fresh, terms.settle_s)
        problems += [_unfinished(site, folder, terms) for folder in waiting]
        written: list[Receipt] = []
        faults: list[Fault] = []
        unchanged = 0
        for day, folder in folders:
            if folder in waiting:
                continue
            new = _receive_one(store, site, day, folder, arrival, seen, faults, terms)
            written += [new] if new else []
            unchanged += new is None
        seen.save()
    return Received(site.site_id, tuple(written), unchanged, tuple(problems), tuple(faults))


def _unfinished(site: Site, folder: Path, terms: Terms) -> str:
    return (
        f"inbox/{site.site_id}/{folder.name}: still being written, within {terms.settle_s:g} "
        "seconds. It is received the next time; a file named .done, written last, says that it is "
        "whole."
    )


def delivery_id(files: Iterable[ReceivedFile]) -> str:
    """SHA-256 over the sorted (file name, file hash)."""
    lines = sorted(f"{file.name}\0{file.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass
class _Seen:
    """A cache of date -> marks: without it, folders are hashed again and found unchanged.

    What was refused is also tried again when the site file reads otherwise.
    """

    path: Path
    reading: str
    folders: dict[str, str]

    @classmethod
    def load(cls, store: Store, site: Site) -> "_Seen":
        path = store.state / f"inbox-{site.site_id}.json"
        try:
            known = json.loads(path.read_text("utf-8"))
            folders = {str(day): str(marks) for day, marks in known["folders"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            folders = {}
        way = fingerprints.sha256_of(site.model_dump(mode="json"))[:12]
        return cls(path, way, folders)

    def knows(self, day: date, marks: str) -> bool:
        """Whether a folder is as it was, and reading it again would bring nothing new."""
        return self.folders.get(day.isoformat()) in (marks, f"{marks} {self.reading}")

    def remember(self, day: date, marks: str, *, refused: bool) -> None:
        """Note what a folder looked like."""
        self.folders[day.isoformat()] = f"{marks} {self.reading}" if refused else marks

    def save(self) -> None:
        make_private(self.path.parent)
        known = {"folders": self.folders}
        write_atomically(self.path, json.dumps(known, indent=1).encode(), private=True)


def _date_folders(inbox: Path, site_id: str) -> tuple[list[tuple[date, Path]], list[str]]:
    folders: list[tuple[date, Path]] = []
    problems: list[str] = []
    try:
        entries = sorted(inbox.iterdir()) if inbox.is_dir() else []
    except PermissionError:
        return [], [f"inbox/{site_id}: cannot be listed. Give this user read access."]
    for path in entries:
        if ignored(path.name):
            continue
        day = _as_date(path.name)
        if day and path.is_dir():
            folders.append((day, path))
        else:
            problems.append(
                f"inbox/{site_id}/{_shown(path.name)}: not a folder named like its extraction "
                "date, YYYY-MM-DD. Rename it, or put the export into such a folder."
            )
    return folders, problems


def copy_out(export: Path, to: Path) -> list[str]:
    """Copy an export, a folder or a file, as receiving would take it; what cannot be copied."""
    export = export.resolve() if export.is_dir() else export
    found = _look(export) if export.is_dir() else _alone(export)
    if not (found.paths or found.problems):
        return ["the folder is empty. Put the export into it."]
    return found.problems or _copied(found.paths, to)


def _alone(path: Path) -> _Arrival:
    """A file that stands alone; whoever names a link means what it leads to."""
    problem = _unfit(path.resolve(), path.name, path.resolve().parent)
    if problem:
        return _Arrival(problems=[f"{_shown(path.name)}: {problem}"])
    return _Arrival(paths={path.name: path.resolve()})


def _copied(paths: Mapping[str, Path], to: Path) -> list[str]:
    problems = []
    for name, path in sorted(paths.items()):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _digest(path, target)
        except OSError as fault:
            problems.append(_unreadable(name, fault))
    return problems


def _unreadable(name: str, fault: OSError) -> str:
    """Why a file cannot be read; a full disk is not the file's fault."""
    if fault.errno in (ENOSPC, EDQUOT, EMFILE):
        raise fault
    if fault.errno == ENOENT:
        return f"{_shown(name)}: vanished while it was read. Deliver the export again, whole."
    return f"{_shown(name)}: cannot be read ({fault.strerror}). Give this user read access."


def _as_date(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if DATE_FOLDER.fullmatch(name) else None
    except ValueError:
        return None


def _shown(name: str) -> str:
    """A name that is safe to print: no control characters, no lone surrogates."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _receive_one(
    store: Store,
    site: Site,
    day: date,
    folder: Path,
    arrival: datetime,
    seen: _Seen,
    faults: list[Fault],
    terms: Terms,
) -> Receipt | None:
    """Receive one date folder; None if it is as its last receipt says.

    An error of our own refuses the arrival, and is added to `faults`; the folder is tried again
    next time, since a new version may read it.
    """
    marks = _marks(folder)
    if seen.knows(day, marks):
        return None
    found = _look(folder)
    where = f"{site.site_id}/{day.isoformat()}"
    earlier = [r for r in receipts(store, site.site_id) if r.extraction_date == day]
    new = Receipt(
        site_id=site.site_id,
        extraction_date=day,
        number=max((r.number for r in earlier), default=0) + 1,
        arrival=max([arrival, *(r.arrival for r in earlier)]),
        delivery_id="",
        files=(),
        status="accepted",
        notices=_ahead(day, arrival),
    )
    try:
        _keep(store, site, folder, found, marks, where)
        new = replace(new, delivery_id=delivery_id(found.files), files=found.files)
        new = _judged(store, site, new, terms, taken=_taken(earlier, new))
        seen.remember(day, marks, refused=not new.accepted)
    except BadDelivery as refusal:
        new = _refused(new, found, str(refusal))
        seen.remember(day, marks, refused=True)
    except Exception as error:
        if isinstance(error, (Y90Error, OSError)):
            raise
        faults.append(Fault(site.site_id, day.isoformat(), type(error).__name__, places(error)))
        new = _refused(new, found, str(faults[-1]))
    if earlier and _same(max(earlier, key=lambda r: r.number), new):
        return None
    write(store, new)
    return new


def _refused(new: Receipt, found: _Arrival, reason: str) -> Receipt:
    identity = delivery_id(found.files) if found.files else ""
    return replace(new, delivery_id=identity, files=found.files, status="refused", reason=reason)


def _judged(store: Store, site: Site, new: Receipt, terms: Terms, taken: Receipt | None) -> Receipt:
    """Read a delivery, hold it against its site file, who was purged, and the last good one.

    What was `taken` before is held against who was purged alone.

    Raises:
        BadDelivery: it is refused.
    """
    from warehouse.intake.raw import reading
    from warehouse.receiving.fit import refuse_misfit  # slow to import, and seldom needed
    from warehouse.receiving.worth import judged

    where = f"{site.site_id}/{new.extraction_date.isoformat()}"
    made = reading(store, site.site_id, new.delivery_id, site, where)
    try:
        consent.refuse_purged(store, site, made.tables, where)
    except BadDelivery:
        shutil.rmtree(store.delivery(site.site_id, new.delivery_id))
        raise
    if taken:
        return replace(new, status=taken.status, reason=taken.reason)
    refuse_misfit(made.tables, site, where)
    if not terms.judge:
        return replace(new, notices=(*made.notices, *new.notices))
    try:
        worth = judged(store, site, new, made, terms.key, terms.options, terms.held_below_pct)
    except BadConfiguration as fault:
        raise BadDelivery(str(fault)) from None
    if worth.refused:
        raise BadDelivery(all_at_once(where, worth.refused))
    return replace(
        new,
        status="held" if worth.held else "accepted",
        reason=all_at_once(where, worth.held) if worth.held else "",
        notices=(*made.notices, *map(str, worth.fewer), *new.notices),
        unused=tuple(map(str, worth.unused)),
        doubts=worth.doubts,
    )


def _taken(earlier: list[Receipt], new: Receipt) -> Receipt | None:
    """The latest receipt, if it accepted the same content: its files were touched or copied."""
    latest = max(earlier, key=lambda r: r.number, default=None)
    same = latest is not None and latest.accepted and latest.delivery_id == new.delivery_id
    return latest if same else None


def _same(old: Receipt, new: Receipt) -> bool:
    return (old.delivery_id, old.status, old.reason) == (new.delivery_id, new.status, new.reason)


def _ahead(day: date, arrival: datetime) -> tuple[str, ...]:
    early = day.toordinal() - arrival.date().toordinal() > 1
    return ("the extraction date lies in the future: visible from that date on",) if early else ()


def _keep(store: Store, site: Site, folder: Path, found: _Arrival, marks: str, where: str) -> None:
    """Hash a folder's files, and copy them unless they are kept already."""
    problems = list(found.problems)
    if not problems and not found.paths:
        problems = ["the folder is empty. Put the export into it."]
    if not problems:
        found.files, problems = _hash_all(found.paths)
    if problems:
        raise BadDelivery(all_at_once(where, problems))
    payload = store.payload(site.site_id, delivery_id(found.files))
    if consent.was_purged(store, site.site_id, delivery_id(found.files)):
        return
    with nullcontext() if payload.is_dir() else new_folder(payload) as fresh:
        problems = _copy_all(found, fresh) if fresh else []
        problems = problems or _changed_since(folder, marks)
        if problems:
            found.files = ()
            raise BadDelivery(all_at_once(where, problems))


def _changed_since(folder: Path, marks: str) -> list[str]:
    changing = "changed while it was read. Wait until it is complete; it is tried again."
    return [] if _marks(folder) == marks else [changing]


def _look(folder: Path) -> _Arrival:
    """Every file to take, and why some cannot be."""
    found = _Arrival()
    home = folder.parent.resolve() / folder.name
    if folder.is_symlink():
        found.problems.append("the folder is a symbolic link. Put the files themselves into it.")
        return found
    for path in _walk(folder, found.problems):
        name = path.relative_to(folder).as_posix()
        if ignored(name):
            continue
        problem = _unfit(path, name, home)
        if problem:
            found.problems.append(f"{_shown(name)}: {problem}")
        else:
            found.paths[name] = path
    return found


def _walk(folder: Path, problems: list[str]) -> Iterator[Path]:
    def unreadable(fault: OSError) -> None:
        inside = Path(fault.filename).relative_to(folder).as_posix()
        problems.append(f"{_shown(inside)}: cannot be listed. Give this user read access.")

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        links = [f for f in folders if (Path(parent) / f).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*names, *links]))


def _unfit(path: Path, name: str, home: Path) -> str | None:
    """Why a file must not be taken."""
    if _shown(name) != name:
        return "its name holds characters that cannot be printed. Rename it."
    if path.name.lower().endswith(UNFINISHED):
        return "an upload that is not finished. Wait for it, or remove it."
    if path.is_symlink() and not _leads_inside(path, home):
        return "a symbolic link that leads elsewhere. Put the file itself there."
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a file. Remove it."
    except FileNotFoundError:
        return "vanished while it was read. Deliver the export again, whole."
    except OSError:
        return "cannot be read. Give this user read access."
    return None if os.access(path, os.R_OK) else "cannot be read. Give this user read access."


def _leads_inside(link: Path, home: Path) -> bool:
    try:
        target = link.resolve()
        return target.is_relative_to(home) and target.is_file()
    except (OSError, RuntimeError):  # a link to itself
        return False


def _marks(folder: Path) -> str:
    """Size, change times and rights of everything in a folder, as one hash."""
    digest = hashlib.sha256()
    inside = [Path(parent) / n for parent, dirs, files in os.walk(folder) for n in [*dirs, *files]]
    for path in [folder, *sorted(inside)]:
        try:
            s = path.lstat()
            facts = f"{s.st_size} {s.st_mtime_ns} {s.st_ctime_ns} {s.st_ino} {s.st_mode}"
        except OSError as fault:
            facts = f"{fault.errno}"
        digest.update(f"{path.name}\0{facts}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _hash_all(paths: dict[str, Path]) -> tuple[tuple[ReceivedFile, ...], list[str]]:
    files, problems = [], []
    for name, path in sorted(paths.items()):
        try:
            files.append(ReceivedFile(name, *_digest(path)))
        except OSError as fault:
            problems.append(_unreadable(name, fault))
    return tuple(files), problems


def _digest(path: Path, to: Path | None = None) -> tuple[str, int]:
    """Hash and size of a file, copied on the way if asked."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, to.open("xb") if to else nullcontext() as sink:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if sink:
                sink.write(chunk)
    return digest.hexdigest(), size


def _copy_all(found: _Arrival, fresh: Path) -> list[str]:
    """Copy what was hashed; a hash that differs is a file that changes."""
    problems = []
    for file in found.files:
        target = fresh / file.name
        make_private(target.parent)
        try:
            if _digest(found.paths[file.name], target) != (file.sha256, file.size):
                problems.append(f"{file.name}: changed while it was read. It is tried again.")
            target.chmod(0o600)
        except OSError as fault:
            problems.append(_unreadable(file.name, fault))
    return problems
