"""Hashes and versions of what a release was made with, without importing what they describe."""

import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

CODE = ("schemas", "transforms", "analytics", "warehouse")
ENGINES = (
    "duckdb",
    "ibis-framework",
    "pyarrow",
    "numpy",
    "scipy",
    "pandas",
    "lifelines",
    "pandera",
)


COMPILED = (
    *("schemas", "transforms", "analytics"),
    *(f"warehouse/{room}" for room in ("engine", "intake", "loading", "receiving", "building")),
)
"""Rooms whose code decides the text of a compiled query."""


@cache
def code_sha256(rooms: tuple[str, ...] = CODE) -> str:
    """SHA-256 over the sources that decide a number: names and bytes, in order."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def commit() -> str | None:
    """The commit that the code was checked out at, where it is known: a hint, not a proof."""
    root = Path(__file__).resolve().parent.parent
    try:
        told = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout.strip()


@cache
def engine_versions() -> Mapping[str, str]:
    """Versions of what computes, and of the language."""
    versions = {name: importlib.metadata.version(name) for name in ENGINES}
    return versions | {"python": ".".join(platform.python_version_tuple()[:2])}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(facts: Any) -> str:
    """SHA-256 of plain facts as canonical JSON."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
