"""Publish, read and verify pooled releases: folders that never change, made from bundles.

    <releases>/bundles/<hash>/            each bundle that was pooled, once, as it came
    <releases>/answers/<hash>/            each answer of a second round, likewise
    <releases>/<night>[.n]/manifest.json  `content`: what the numbers are a function of; `record`
                            parquet/pooled/*.parquet  release.duckdb  report/index.html

The night is the latest of the bundles'. The same bundles and code give the same content, whatever
their order; nothing is published twice.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from schemas.contract import Contract, published_name
from schemas.errors import Failed, Refused
from schemas.house_settings import PoolFile
from schemas.tables.pooling import POOLED
from warehouse.bundles.bundle import arrow, contracts_sha256
from warehouse.fingerprints import code_sha256, file_sha256, sha256_of
from warehouse.pooling import estimates, rounds, together
from warehouse.pooling.reading import Bundle, Row, read_all
from warehouse.releases.database import write_database
from warehouse.releases.releases import free_id
from warehouse.store import lock_file, new_folder

FORMAT = "y90-pooled-1"
MANIFEST = "manifest.json"
BY_NAME: Mapping[str, type[Contract]] = {published_name(c): c for c in POOLED}
Page = Callable[[Path, Mapping[str, Any]], None]
"""Writes the page of a folder with a database, from the facts of its manifest's content."""


@dataclass(frozen=True, slots=True)
class Made:
    """A pooled release: where it is, whether it is new, and what it holds."""

    folder: Path
    new: bool
    refused: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: Mapping[str, int]


def run(
    folders: Sequence[Path],
    pool: PoolFile,
    releases: Path,
    page: Page,
    *,
    answers: Sequence[Path] = (),
    strict: bool = False,
) -> Made:
    """Pool bundles and publish.

    Args:
        folders: the bundles, in any order.
        pool: pool.toml.
        releases: where pooled releases are kept.
        page: writes the page.
        answers: to the request that these bundles make, in any order.
        strict: publish nothing if a statistic is refused.

    Raises:
        Refused: the bundles must not be pooled.
        Failed: strict, and a statistic is not comparable.
    """
    bundles = read_all(folders, pool)
    releases.mkdir(parents=True, exist_ok=True)
    with lock_file(releases / ".lock", wait=True):
        together.refuse(bundles, pool, last(releases))
        differences = together.differences(bundles)
        lines = together.told(differences)
        if strict and differences:
            raise Failed("\n".join(["pool run --strict: not comparable.", *lines]))
        told = _answers(answers, bundles, pool, differences)
        tables = tables_of(bundles, differences, told)
        content = _content(pool, bundles, tables, told)
        rows = {name: len(listed) for name, listed in tables.items()}
        said = (tuple(lines), tuple(content["warnings"]), rows)
        night = max(str(b.facts["as_of"]) for b in bundles).replace("-", ".")
        for folder in listing(releases):
            if manifest(folder)["content"] == content:
                return Made(folder, False, *said)
        for bundle in bundles:
            _keep(bundle, releases)
        for answer in told.answers:
            rounds.keep(answer, releases)
        place = releases / free_id(night, {p.name for p in listing(releases)})
        with new_folder(place) as folder:
            _write(folder, tables, content, page)
    place.chmod(0o755)
    return Made(place, True, *said)


@dataclass(frozen=True, slots=True)
class SecondRound:
    """The request that bundles make, and what answered it."""

    asked: bytes
    answers: tuple[rounds.Answer, ...]


def _answers(
    folders: Sequence[Path],
    bundles: Sequence[Bundle],
    pool: PoolFile,
    differences: Sequence[together.Difference],
) -> SecondRound:
    asked = rounds.request(bundles, pool, differences)
    return SecondRound(asked, tuple(rounds.read_answers(folders, pool, asked)))


def tables_of(
    bundles: Sequence[Bundle], differences: Sequence[together.Difference], told: SecondRound
) -> dict[str, list[Row]]:
    """Every pooled table, from bundles that may be pooled."""
    refused = frozenset(d.statistic_id for d in differences)
    tables = dict(estimates.pool(bundles, refused).tables)
    rounds.add(tables, bundles, told.answers, told.asked)
    tables["refused"] = [
        {"statistic_id": d.statistic_id, "key": d.key, "registry": d.registry, "first": d.first}
        | {"left": d.left, "right": d.right}
        for d in differences
    ]
    tables["sources"] = [
        {name: str(b.facts[name]) for name in ("registry", "release", "as_of", "data_cutoff")}
        | {"bundle_sha256": b.sha256, "key_sha256": b.key_sha256}
        | {"code_sha256": str(b.facts["code_sha256"])}
        for b in bundles
    ]
    return tables


def listing(releases: Path) -> list[Path]:
    """Every pooled release, oldest first."""
    found = [p.parent for p in releases.glob(f"*/{MANIFEST}")] if releases.is_dir() else []
    return sorted(found, key=lambda p: _order(p.name))


def resolve(releases: Path, name: str | None) -> Path:
    """A pooled release by its name; the newest if none is named.

    Raises:
        Refused: there is none.
    """
    found = listing(releases)
    if name is None and found:
        return found[-1]
    for folder in found:
        if folder.name == name:
            return folder
    known = ", ".join(f.name for f in found[-5:]) or "none"
    raise Refused(
        f"{releases}: no pooled release {name or ''}. Known: {known}. Make one with `y90 pool run`."
    )


def manifest(folder: Path) -> dict[str, Any]:
    """A pooled release's manifest.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return dict(json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError):
        raise Refused(f"{folder}: no pooled release that can be read. Restore it.") from None


def last(releases: Path) -> dict[str, dict[str, Any]] | None:
    """Registry -> number, night and hash of the bundle pooled last; None before the first."""
    found: dict[str, dict[str, Any]] = {}
    for folder in listing(releases):
        found |= manifest(folder)["content"]["bundles"]
    return found or None


def rows(folder: Path, table: str) -> list[Row]:
    """The rows of a table of a pooled release."""
    listed: list[Row] = pq.read_table(
        folder / "parquet" / "pooled" / f"{table}.parquet"
    ).to_pylist()
    return listed


def verify(releases: Path, folder: Path, pool: PoolFile) -> list[str]:
    """Hold a release to its manifest, and make it again from the bundles that were kept.

    Returns:
        What is wrong; nothing if all of it is as published.
    """
    facts = manifest(folder)
    wrong = [
        f"{folder.name}/{name}: changed or missing"
        for name, sha256 in facts["record"]["files"].items()
        if not (folder / name).is_file() or file_sha256(folder / name) != sha256
    ]
    kept = [releases / "bundles" / b["sha256"] for b in facts["content"]["bundles"].values()]
    answers = [releases / "answers" / a for a in facts["content"].get("answers", {}).values()]
    try:
        bundles = read_all(kept, pool)
        differences = together.differences(bundles)
        told = _answers(answers, bundles, pool, differences)
    except Refused as fault:
        return [*wrong, f"not made again: {fault}"]
    tables = tables_of(bundles, differences, told)
    again = _content(pool, bundles, tables, told)
    for name, sha256 in facts["content"]["tables"].items():
        if again["tables"].get(name) != sha256:
            code = again["code_sha256"] != facts["content"]["code_sha256"]
            why = " (by other code)" if code else ""
            wrong.append(f"pooled.{name}: another table when made again{why}")
    return wrong


def changes(left: Path, right: Path) -> list[dict[str, Any]]:
    """The numbers in which two releases differ, each with the registries that told it otherwise."""
    one, other = (_values(folder, "estimates", "method") for folder in (left, right))
    told = [_values(folder, "by_registry", "registry") for folder in (left, right)]
    found = []
    for statistic, method in sorted({*one, *other}):
        before, after = one.get((statistic, method)), other.get((statistic, method))
        if before != after:
            moved = [
                registry
                for name, registry in sorted({*told[0], *told[1]})
                if name == statistic
                and told[0].get((name, registry)) != told[1].get((name, registry))
            ]
            found.append(
                {"statistic_id": statistic, "method": method}
                | {"left": before and before[0], "right": after and after[0]}
                | {"registries": ", ".join(moved)}
            )
    return found


def _values(folder: Path, table: str, by: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (r["statistic_id"], r[by]): tuple(r[n] for n in ("value", "lower", "upper", "n", "total"))
        for r in rows(folder, table)
    }


def _content(
    pool: PoolFile,
    bundles: Sequence[Bundle],
    tables: Mapping[str, list[Row]],
    told: SecondRound,
) -> dict[str, Any]:
    """What the numbers are a function of, and the hash of every table."""
    return {
        "format": FORMAT,
        "pool": pool.name,
        "weights": pool.weights,
        "min_registries": pool.min_registries,
        "origin": bundles[0].facts["origin"],
        "ctcae_version": bundles[0].facts["ctcae_version"],
        "bundles": {
            b.registry: {"sha256": b.sha256, "number": b.facts["number"]}
            | {"as_of": b.facts["as_of"], "release": b.facts["release"]}
            | {"key": b.key_sha256}
            for b in bundles
        },
        "code_sha256": code_sha256(),
        "contracts_sha256": contracts_sha256(),
        "answers": {a.registry: a.sha256 for a in told.answers},
        "warnings": together.warnings(bundles),
        "tables": {
            name: sha256_of(arrow(contract, tables[name]).to_pylist())
            for name, contract in BY_NAME.items()
        },
    }


def _write(
    folder: Path, tables: Mapping[str, list[Row]], content: Mapping[str, Any], page: Page
) -> None:
    place = folder / "parquet" / "pooled"
    place.mkdir(parents=True)
    for name, contract in BY_NAME.items():
        pq.write_table(arrow(contract, tables[name]), place / f"{name}.parquet", compression="zstd")
    write_database(folder / "parquet", folder / "release.duckdb", contracts=POOLED)
    page(folder, content)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    record = {
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {p.relative_to(folder).as_posix(): file_sha256(p) for p in files},
    }
    text = json.dumps({"content": content, "record": record}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", "utf-8")


def _keep(bundle: Bundle, releases: Path) -> None:
    """Keep a bundle as it came, under its hash."""
    place = releases / "bundles" / bundle.sha256
    if place.exists():
        return
    with new_folder(place) as folder:
        for path in sorted(bundle.folder.iterdir()):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in name.split("."))
