"""Take a purged subject out of one published release: rows, members, and what is drawn from rows.

Published aggregates stay as they were published. Every changed file is made in `.purging/` beside
them; then purged.json names their new hashes, and they take their places. A purge that was killed
is finished, or forgotten, by the next one.

    releases/<id>/purged.json    files: path -> the hash it has since, null if it is gone
                                 subjects: a hash for each subject that was taken out, to count them
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from warehouse import fingerprints
from warehouse.access import share
from warehouse.engine import pseudonyms as identity
from warehouse.releases.database import database, write_database
from warehouse.store import sync_folder, sync_tree, write_atomically

NOBODY = "0" * identity.DIGITS
"""What stands where a purged subject's id stood in a text."""
PURGED = "purged.json"
STAGED = ".purging"
Draw: TypeAlias = Callable[[Path, Path, int], None]
"""Draws the report of a release into a folder that has its database, for so many purged."""


def purged_files(release: Path) -> dict[str, str | None]:
    """Files of a release that a purge changed: the hash they have now, None if it removed them."""
    return dict(_facts(release)["files"])


def purged_subjects(release: Path) -> int:
    """How many subjects were taken out of a release since it was published."""
    return len(_facts(release)["subjects"])


def note(purged: int) -> str:
    """What a reader of a release must know of a purge; nothing where there was none."""
    if not purged:
        return ""
    who = "a patient who" if purged == 1 else "patients who"
    return (
        f"n includes {purged} purged: counts and curves are as published, with {who} withdrew "
        "consent since; rows and what is drawn from rows are of those who are left."
    )


def expunge(release: Path, subject: str, draw: Draw) -> bool:
    """Take a subject out of one release; whether it was there."""
    finished = _finish(release)
    staged = release / STAGED
    tables = list(_tables_without(release, staged, subject))
    texts = [p for p in _texts(release) if subject.encode() in p.read_bytes()]
    if not tables and not texts:
        shutil.rmtree(staged, ignore_errors=True)
        return finished
    before = _facts(release)
    mark = hashlib.sha256(f"{release.name}\0{subject}".encode()).hexdigest()
    subjects = sorted({*before["subjects"], mark}) if tables else before["subjects"]
    for path in texts:
        _put(staged, release, path, path.read_bytes().replace(subject.encode(), NOBODY.encode()))
    if tables:
        _database(release, staged)
        if (release / "report").is_dir():
            draw(staged, release, len(subjects))
    changed = {
        p.relative_to(staged).as_posix(): fingerprints.file_sha256(p) for p in _files(staged)
    }
    sync_tree(staged)
    facts = {"files": before["files"] | changed, "subjects": subjects}
    write_atomically(release / PURGED, json.dumps(facts, indent=1, sort_keys=True).encode())
    _finish(release)
    share(release, release.parent)
    return True


def _facts(release: Path) -> dict[str, Any]:
    path = release / PURGED
    facts: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {"files": facts.get("files", {}), "subjects": facts.get("subjects", [])}


def _finish(release: Path) -> bool:
    """Let staged files take their places if purged.json names them; else forget them."""
    staged = release / STAGED
    if not staged.is_dir():
        return False
    named = purged_files(release)
    ready = [
        p
        for p in _files(staged)
        if named.get(p.relative_to(staged).as_posix()) == fingerprints.file_sha256(p)
    ]
    for path in ready:
        place = release / path.relative_to(staged)
        if place.exists():
            shutil.copymode(place, path)
        path.replace(place)
    shutil.rmtree(staged)
    sync_folder(release)
    return bool(ready)


def _files(folder: Path) -> list[Path]:
    paths = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [p for p in paths if p.is_file() and not p.is_symlink()]


def _texts(release: Path) -> Iterator[Path]:
    for path in _files(release):
        inside = path.relative_to(release)
        binary = path.suffix in (".parquet", ".duckdb")
        if (
            not binary
            and inside.parts[0] != STAGED
            and str(inside) not in ("manifest.json", PURGED)
        ):
            yield path


def _put(staged: Path, release: Path, path: Path, data: bytes) -> None:
    place = staged / path.relative_to(release)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _tables_without(release: Path, staged: Path, subject: str) -> Iterator[str]:
    """Stage every table that names the subject, in order and with its column meanings."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for path in sorted((release / "parquet").rglob("*.parquet")):
        if "subject_id" not in pq.read_schema(path).names:
            continue
        table = pq.read_table(path)
        kept = table.filter(pc.not_equal(table["subject_id"], subject))
        if kept.num_rows < table.num_rows:
            place = staged / path.relative_to(release)
            place.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(kept, place, compression="zstd")
            yield path.relative_to(release).as_posix()


def _database(release: Path, staged: Path) -> None:
    """Stage the database of the tables that are left, the others through links."""
    for path in sorted((release / "parquet").rglob("*.parquet")):
        place = staged / path.relative_to(release)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
    write_database(staged / "parquet", staged / database(release).name)
