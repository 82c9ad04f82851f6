"""Say what a release that other code made lacks of today's tables, and who can still read it."""

from pathlib import Path

import pyarrow.parquet as pq

from schemas.contract import columns, options, published_name
from warehouse import fingerprints
from warehouse.releases import releases
from warehouse.releases.database import RELEASED

SHOWN = 4
READ_HERE = "`y90 sql`, `diff`, `explain`, `report` and `verify --files-only`"
"""What reads a release of any version of the code."""


def lacking(release: Path) -> tuple[str, ...]:
    """The tables and columns of today that a release made by other code does not hold."""
    if releases.manifest(release)["content"].get("code_sha256") == fingerprints.code_sha256():
        return ()
    found: list[str] = []
    for contract in RELEASED:
        schema, name = options(contract).schema, published_name(contract)
        path = release / "parquet" / schema / f"{name}.parquet"
        if not path.is_file():
            found.append(f"{schema}.{name}")
            continue
        there = set(pq.read_schema(path).names)
        found += [f"{schema}.{name}.{c.name}" for c in columns(contract) if c.name not in there]
    return tuple(found)


def told(release: Path, lacks: tuple[str, ...]) -> str:
    """Why a command cannot read a release, and what can."""
    record = releases.manifest(release)["record"]
    commit = record.get("commit")
    by = f"commit {commit}" if commit else f"the code of {record['published_at'][:10]}"
    return (
        f"release {release.name}: made by {by}, it lacks a table or column that this "
        f"command reads ({some(lacks)}). Run the command with that code, or name a newer release; "
        f"{READ_HERE} read it here."
    )


def some(lacks: tuple[str, ...]) -> str:
    """The first few, and how many more."""
    more = f" and {len(lacks) - SHOWN} more" if len(lacks) > SHOWN else ""
    return ", ".join(lacks[:SHOWN]) + more
