"""Read bundles, and say of each what keeps it from being pooled.

A bundle is data of another house: nothing of it is believed before its signature and hashes are
checked, and its tables must be exactly those of the contracts.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contract import Column, columns, schema
from schemas.errors import Refused, all_at_once
from schemas.house_settings import PoolFile
from warehouse.bundles.bundle import BY_NAME, FORMAT, SHEET, SIGNATURE
from warehouse.bundles.signatures import fingerprint, signed_by

Row = dict[str, Any]
GREATEST = 64 * 2**20
"""A file of a bundle is never larger."""
SAID = frozenset(
    {"format", "registry", "release", "as_of", "data_cutoff", "origin", "ctcae_version", "files"}
    | {"deliveries", "engines", "code_sha256", "rules_sha256", "small_cell", "number", "before"}
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read and believed."""

    folder: Path
    facts: Mapping[str, Any]
    tables: Mapping[str, list[Row]]
    sha256: str
    key_sha256: str

    @property
    def registry(self) -> str:
        """The registry that signed it."""
        return str(self.facts["registry"])


def read_all(folders: Iterable[Path], pool: PoolFile) -> list[Bundle]:
    """Read bundles, in the order of their registries.

    Raises:
        Refused: any of them cannot be believed; every fault of every bundle is told.
    """
    found: list[Bundle] = []
    faults: list[str] = []
    for folder in folders:
        try:
            found.append(read(folder, pool))
        except Refused as fault:
            faults.append(str(fault))
    if faults:
        raise Refused(all_at_once("bundles", faults))
    return sorted(found, key=lambda b: (b.registry, b.sha256))


def read(folder: Path, pool: PoolFile) -> Bundle:
    """Read one bundle.

    Raises:
        Refused: it is damaged, foreign, or not signed by the key that pool.toml names.
    """
    sheet = plain_bytes(folder, SHEET)
    facts = _facts(folder, sheet)
    registry = str(facts["registry"])
    member = pool.registries.get(registry)
    if member is None:
        raise Refused(
            f"{folder}: of the registry {registry}, which pool.toml does not name. Add it with its "
            "public key, or leave the bundle out."
        )
    if not signed_by(member.key, sheet, plain_bytes(folder, SIGNATURE).decode("utf-8", "replace")):
        raise Refused(
            f"{folder}: not signed by the key that pool.toml names for {registry}. It was changed, "
            f"or the key was: ask {registry}, over another way, for its public key."
        )
    tables = dict(_tables(folder, facts))
    if not any(tables[name] for name in BY_NAME if name not in ("definitions", "ledger")):
        raise Refused(f"{folder}: an empty bundle: it tells of no statistic. Leave it out.")
    _check_rows(folder, tables)
    return Bundle(folder, facts, tables, hashlib.sha256(sheet).hexdigest(), fingerprint(member.key))


def _facts(folder: Path, sheet: bytes) -> Mapping[str, Any]:
    try:
        facts = json.loads(sheet)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or "format" not in facts:
        raise Refused(f"{folder}/{SHEET}: not what `y90 export --pool` writes. Ask for it again.")
    if facts["format"] != FORMAT:
        raise Refused(
            f"{folder}/{SHEET}: format {str(facts['format'])[:40]!r}, but this version of y90 "
            f"reads {FORMAT!r}. Use the same version in every registry."
        )
    missing = sorted(SAID - facts.keys())
    if missing or not isinstance(facts["files"], dict):
        raise Refused(f"{folder}/{SHEET}: lacks {', '.join(missing) or 'files'}. Ask for it again.")
    return facts


def _tables(folder: Path, facts: Mapping[str, Any]) -> Iterator[tuple[str, list[Row]]]:
    named = {f"{name}.parquet" for name in BY_NAME}
    if set(facts["files"]) != named:
        raise Refused(f"{folder}/{SHEET}: names other tables than this version of y90 knows.")
    for name, contract in BY_NAME.items():
        data = plain_bytes(folder, f"{name}.parquet")
        if hashlib.sha256(data).hexdigest() != facts["files"][f"{name}.parquet"]:
            raise Refused(
                f"{folder}/{name}.parquet: changed since the bundle was signed. Ask for it again."
            )
        try:
            table = pq.read_table(pa.BufferReader(data))
        except (pa.ArrowInvalid, OSError):
            raise Refused(f"{folder}/{name}.parquet: cannot be read. Ask for it again.") from None
        if table.schema.remove_metadata() != schema(contract).to_pyarrow().remove_metadata():
            raise Refused(
                f"{folder}/{name}.parquet: its columns are not those that this version of y90 "
                "reads. Use the same version in every registry."
            )
        yield name, table.to_pylist()


def _check_rows(folder: Path, tables: Mapping[str, list[Row]]) -> None:
    """Refuse values that no registry can have: below a limit, twice, or more than the whole."""
    for name, contract in BY_NAME.items():
        keys: set[tuple[Any, ...]] = set()
        by = [c.name for c in columns(contract) if c.key]
        for row in tables[name]:
            wrong = [c.name for c in columns(contract) if not _allowed(c, row[c.name])]
            key = tuple(row[k] for k in by)
            if wrong or key in keys or _impossible(row):
                where = ", ".join(wrong) or "a row"
                raise Refused(
                    f"{folder}/{name}.parquet, {where}: not possible, or told twice. Ask the "
                    "registry for it again."
                )
            keys.add(key)


def _allowed(declared: Column, value: Any) -> bool:
    """Whether a value keeps what its column declares; a number must be finite."""
    if value is None:
        return declared.nullable
    if isinstance(value, float) and not math.isfinite(value):
        return False
    known = not declared.codes or value in declared.codes
    low = declared.minimum is None or value >= declared.minimum
    return known and low and (declared.maximum is None or value <= declared.maximum)


def _impossible(row: Mapping[str, Any]) -> bool:
    pairs = (("n", "total"), ("n_bad", "n"), ("events", "n"), ("events_bad", "events"))
    return any(
        row.get(part) is not None and row.get(whole) is not None and row[part] > row[whole]
        for part, whole in pairs
        if part in row and whole in row
    )


def plain_bytes(folder: Path, name: str) -> bytes:
    """The bytes of a plain file of another house.

    Raises:
        Refused: it is missing, large or no plain file.
    """
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > GREATEST:
            raise Refused(
                f"{path}: missing, or no plain file. Name the folder as a whole, as its "
                "registry wrote it."
            )
        return path.read_bytes()
    except OSError as fault:
        raise Refused(f"{path}: cannot be read ({fault.strerror}).") from None
