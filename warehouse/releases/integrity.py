"""Check a release's files against the hashes in its manifest before they are read.

Parquet carries no checksum that a reader looks at: a changed byte would be another number. Hashing
costs less than reading, so whoever opens a release asks first.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.errors import Refused
from warehouse import fingerprints
from warehouse.releases import releases
from warehouse.releases.expunge import purged_files

ALWAYS_HASHED = 32 * 2**20
"""Bytes that are hashed in some hundredths of a second."""


def recorded(release: Path) -> dict[str, str]:
    """Every file that the manifest names, with its hash; of a purged one, the hash since then."""
    facts = releases.manifest(release)
    tables = {
        f"parquet/{place}.parquet": str(t["bytes_sha256"])
        for place, t in facts["content"].get("tables", {}).items()
    }
    files = tables | dict(facts["record"].get("files", {})) | purged_files(release)
    return {name: sha256 for name, sha256 in files.items() if sha256 is not None}


def opened(release: Path) -> Path:
    """The release, once its tables are what its manifest says.

    Raises:
        Refused: a table is missing or changed; every such table is named.
    """
    damaged = [
        name
        for name, sha256 in recorded(release).items()
        if name.startswith("parquet/") and not _same(release / name, sha256)
    ]
    return _told(release, damaged)


def opened_files(release: Path, names: Iterable[str]) -> Path:
    """The release, once these files are what its manifest says; those it does not name pass.

    Raises:
        Refused: a file is missing or changed.
    """
    files = recorded(release)
    return _told(release, [n for n in names if n in files and not _same(release / n, files[n])])


def opened_database(release: Path, path: Path) -> Path:
    """The database of a release, once it is the one that was published.

    Raises:
        Refused: it is missing or changed.
    """
    file, marks = recorded(release).get(path.name), _marks(release)
    as_published = path.is_file() and marks == seen(path)
    if file is None or (as_published and path.stat().st_size > ALWAYS_HASHED):
        return path
    _told(release, [] if _same(path, file) else [path.name])
    return path


def seen(path: Path) -> dict[str, Any]:
    """What can be seen of a file without reading it: its name, size and time."""
    facts = path.stat()
    return {"name": path.name, "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}


def _marks(release: Path) -> Any:
    return releases.manifest(release)["record"].get("database")


def _told(release: Path, damaged: list[str]) -> Path:
    if damaged:
        raise Refused(
            f"release {release.name}: damaged since it was published ({', '.join(damaged)}). "
            f"Restore it from a copy and run `y90 verify {release.name}`, or name another release; "
            "a channel goes back only by `y90 release withdraw`."
        )
    return release


def _same(path: Path, sha256: str) -> bool:
    return path.is_file() and fingerprints.file_sha256(path) == sha256
