"""Unpack the archives of a delivery, and refuse those that are not safe to unpack.

A `.zip` may hold tables, not further archives; a `.gz` holds one. Archives that climb out of their
folder, that grow beyond the limits below, are encrypted or cut off are refused. Limits are counted
on the bytes that come out, not on what the archive says of itself.
"""

import gzip
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from errno import EACCES, EMFILE, ENOSPC
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from schemas.errors import BadDelivery

DELIMITED = (".csv", ".tsv", ".txt")
TRANSPORT = ".xpt"
"""SAS transport files, as CDISC tables are exchanged."""
TABULAR = (*DELIMITED, ".xlsx", ".parquet", TRANSPORT)
ARCHIVES = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst")
MARKER = ".done"
"""How the name of the file ends that says: the export is whole."""
MAX_RATIO = 500
"""Bytes out per byte in; a sparse REDCap export stays under 100, a bomb passes 1000."""
RATIO_FROM_BYTES = 32 * 2**20
"""Small files may be as repetitive as they like."""
MAX_UNPACKED_BYTES = 32 * 2**30
MAX_MEMBERS = 10_000
CHUNK = 2**20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Member:
    """One file of a delivery once unpacked.

    `name` is the name a site file uses, `origin` the name that messages and source_file use.
    """

    name: str
    origin: str
    path: Path

    @property
    def table(self) -> str:
        """The raw table's name: the file's name up to its first dot."""
        return self.name.split(".", maxsplit=1)[0]

    @property
    def suffix(self) -> str:
        """The file's ending, in lower case."""
        return PurePosixPath(self.name).suffix.lower()


def ignored(name: str) -> bool:
    """README and hidden files, markers and what macOS leaves in archives belong to no table."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    last = parts[-1] if parts else ""
    return hidden or last.upper().startswith("README") or last.lower().endswith(MARKER)


def unpack(payload: Path, scratch: Path) -> tuple[list[Member], list[str]]:
    """The files of a payload with archives unpacked, and one problem per archive that cannot be."""
    members: list[Member] = []
    problems: list[str] = []
    for path in sorted(p for p in payload.rglob("*") if p.is_file()):
        name = path.relative_to(payload).as_posix()
        try:
            members += _members(path, name, scratch / f"unpacked-{len(members)}")
        except BadDelivery as fault:
            problems += str(fault).splitlines()
    return members, problems + collisions(members)


def check_workbook(path: Path, origin: str) -> None:
    """A workbook is a zip archive too: refuse one that explodes."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            for info in infos:
                with archive.open(info) as source:
                    _drain(source, info.compress_size, origin)
    except _BROKEN as fault:
        _not_ours(fault)
        raise BadDelivery(
            f"{origin}: not a workbook, or a damaged one. Save it as .xlsx, without a password."
        ) from None


def _members(path: Path, name: str, target: Path) -> list[Member]:
    plain = PurePosixPath(name)
    suffix = plain.suffix.lower()
    if suffix == ".zip":
        return _unzip(path, name, target)
    if suffix == ".gz" and plain.with_suffix("").suffix.lower() in DELIMITED:
        return [Member(plain.stem, name, _gunzip(path, name, target))]
    if suffix in ARCHIVES:
        raise BadDelivery(f"{name}: an archive that is not read. Send .csv.gz or .zip.")
    return [Member(plain.name, name, path)]


def _gunzip(path: Path, origin: str, target: Path) -> Path:
    target.mkdir(parents=True)
    out = target / "member"
    try:
        with gzip.open(path) as source, out.open("wb") as sink:
            _drain(source, path.stat().st_size, origin, sink)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise BadDelivery(
            f"{origin}: the archive is cut off or damaged. Pack and send it again."
        ) from None
    return out


_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    KeyError,
    OverflowError,
)


def _not_ours(fault: Exception) -> None:
    """A full disk is not the archive's fault."""
    if isinstance(fault, OSError) and fault.errno in (ENOSPC, EACCES, EMFILE):
        raise fault


def _unzip(path: Path, origin: str, target: Path) -> list[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir()]
            problems = [p for i in infos for p in _unsafe(i, origin)]
            if len(infos) > MAX_MEMBERS:
                problems = [f"{origin}: more than {MAX_MEMBERS} files. Send tables only."]
            if problems:
                raise BadDelivery("\n".join(problems))
            taken = [i for i in infos if not ignored(i.filename)]
            target.mkdir(parents=True)
            return [_extract(archive, i, origin, target / str(n)) for n, i in enumerate(taken)]
    except _BROKEN as fault:
        _not_ours(fault)
        raise BadDelivery(
            f"{origin}: the archive is cut off, damaged or protected by a password. Pack it again "
            "without one."
        ) from None


def _unsafe(info: zipfile.ZipInfo, origin: str) -> list[str]:
    """Why a member must not be unpacked. Its name is not shown: it may hold anything."""
    name = info.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        return [f"{origin}: a member's name climbs out of the archive. Pack plain files."]
    if stat.S_ISLNK(info.external_attr >> 16):
        return [f"{origin}: a member is a symbolic link. Pack the file itself."]
    if PurePosixPath(name).suffix.lower() in ARCHIVES and not ignored(name):
        return [f"{origin}: holds another archive. Pack the tables directly."]
    return []


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, origin: str, out: Path) -> Member:
    with archive.open(info) as source, out.open("wb") as sink:
        _drain(source, info.compress_size, origin, sink)
    name = PurePosixPath(info.filename.replace("\\", "/")).name
    return Member(name, f"{origin}/{info.filename}", out)


def _drain(source: _Readable, packed: int, origin: str, sink: IO[bytes] | None = None) -> None:
    """Copy a stream within the limits."""
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        exploding = size > RATIO_FROM_BYTES and size > MAX_RATIO * max(packed, 1)
        if exploding or size > MAX_UNPACKED_BYTES:
            raise BadDelivery(
                f"{origin}: unpacks to more than {MAX_RATIO} times its size, or more than "
                f"{MAX_UNPACKED_BYTES // 2**30} GiB. Send the plain file."
            )
        if sink:
            sink.write(chunk)


def collisions(members: Iterable[Member]) -> list[str]:
    """Two files that would be one table."""
    seen: dict[str, str] = {}
    problems = []
    for member in members:
        if member.suffix in TABULAR and not ignored(member.name):
            other = seen.setdefault(member.table.casefold(), member.origin)
            if other != member.origin:
                problems.append(
                    f"{member.origin}: the same table as {other}. Send each table once."
                )
    return problems
