"""Check a release's files against the hashes in its manifest before they are read.

Parquet carries no checksum that a reader looks at: a changed byte would be another number. Hashing
costs less than reading, so whoever opens a release asks first.
"""

from pathlib import Path

from schemas.errors import Refused
from warehouse import fingerprints
from warehouse.releases import consent, releases


def recorded(release: Path) -> dict[str, str]:
    """Every file that the manifest names, with its hash; of a purged one, the hash since then."""
    found = releases.manifest(release)
    tables = {
        f"parquet/{place}.parquet": str(t["bytes_sha256"])
        for place, t in found["content"].get("tables", {}).items()
    }
    known = tables | dict(found["record"].get("files", {})) | consent.purged_files(release)
    return {name: sha256 for name, sha256 in known.items() if sha256 is not None}


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
    if damaged:
        raise Refused(
            f"release {release.name}: damaged since it was published ({', '.join(damaged)}). "
            f"Restore it from a copy and run `y90 verify {release.name}`, or name another release; "
            "a channel goes back only by `y90 release withdraw`."
        )
    return release


def _same(path: Path, sha256: str) -> bool:
    return path.is_file() and fingerprints.file_sha256(path) == sha256
