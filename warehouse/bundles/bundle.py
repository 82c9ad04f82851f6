"""Write what a registry tells for pooling: guarded tables, what they rest on, a signature.

Nothing of it is a row of a patient: no day, no pseudonym, no site below the registry. What may
leave is decided by `policy`, and compared with every bundle before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.contract import Contract, column_names, key, published_name, schema
from schemas.errors import Held, Refused
from schemas.settings import Registry
from schemas.tables.pooling import BUNDLE
from warehouse.bundles import comparisons, counts, curves, guesses, incidences, memory, signatures
from warehouse.bundles.draft import LEVEL, Row, Unit, patients
from warehouse.bundles.policy import POLICY, limits
from warehouse.bundles.sources import Source
from warehouse.engine.connections import connection
from warehouse.fingerprints import file_sha256, sha256_of
from warehouse.releases import releases
from warehouse.store import Store, lock_file, new_folder

FORMAT = "y90-pool-bundle-1"
SHEET, SIGNATURE = "bundle.json", "bundle.json.sig"
BY_NAME: Mapping[str, type[Contract]] = {published_name(c): c for c in BUNDLE}
SYNTHETIC, PUBLIC, CLINICAL = "synthetic", "public", "clinical"


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle: where it is, its hash, what is held back, and rows by table."""

    folder: Path
    sha256: str
    held: tuple[memory.HeldBack, ...]
    rows: Mapping[str, int]


def export_pool(
    store: Store, registry: Registry, release: Path, to: Path, sign_with: Ed25519PrivateKey
) -> Written:
    """Write a bundle into a new folder, and remember it.

    Raises:
        Refused: the folder is there, or the release does not say what its numbers rest on.
        Held: everything that has changed since the last bundle would tell of few patients.
    """
    if to.exists():
        raise Refused(f"{to}: there is something already. Name a folder that does not exist yet.")
    if not (release / "parquet" / "quality" / "definitions.parquet").exists():
        raise Refused(
            f"release {release.name}: published before definitions were. Publish the night again."
        )
    with lock_file(store.state / "pool" / ".lock", wait=True):
        return _export(store, registry, release, to, sign_with)


def _export(
    store: Store, registry: Registry, release: Path, to: Path, sign_with: Ed25519PrivateKey
) -> Written:
    before = memory.earlier(store)
    with connection() as con:
        source = Source(con, release)
        units = _units(source, registry, before)
        compared = memory.compare(con, before, units)
        _refuse_nothing_new(before, compared)
        tables = _tables(source, compared, before, units, _night(release))
    facts = _facts(registry, release, tables, before)
    bits = _bits(compared)
    to.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(to.absolute()) as folder:
        sha256 = _write(folder, tables, facts, sign_with)
        told = {"bundle_sha256": sha256, "release": release.name, "as_of": facts["as_of"]}
        stamped = {n: _stamped(u, _night(release)) for n, u in units.items()}
        memory.keep(store, told, compared, stamped, bits)
    to.chmod(0o755)
    return Written(to, sha256, tuple(compared.held), {n: len(r) for n, r in tables.items()})


def small_cell(registry: Registry) -> int:
    """The small cell of a bundle: the house's own, and never below the policy's."""
    return max(POLICY.small_cell.value, registry.file.export.small_cell)


def _units(source: Source, registry: Registry, before: list[memory.Told]) -> dict[str, Unit]:
    file = registry.file
    chosen = curves.Chosen(
        tuple(file.survival.landmarks_months),
        tuple(file.survival.restricted_mean_months),
        file.export.homogeneous_bins,
    )
    found: dict[str, Unit] = {}
    found.update(counts.units(source, small_cell(registry), file.toxicity.primary_version))
    found.update(_of_factors(found, source))
    found.update(counts.moments(source))
    found.update(curves.units(source, chosen, lambda e: memory.edges(before, e)))
    found.update(incidences.units(source, chosen.landmarks))
    found.update(comparisons.units(source, memory.spent(before)))
    return found


def _of_factors(told: Mapping[str, Unit], source: Source) -> dict[str, Unit]:
    """Counts that are a factor's: those at one of its levels are just those who are counted."""
    found: dict[str, Unit] = {}
    for factor in source.factors:
        levels = {
            name: patients(frozenset(s for s, bad in factor.bad.items() if bad is wanted))
            for name, wanted in (("bad", True), ("good", False))
        }
        parts = {f"{LEVEL}{name}/{factor.name}": those for name, those in levels.items()}
        for name, unit in told.items():
            if unit.parts.get("with") in levels.values():
                found[name] = replace(unit, parts={**unit.parts, **parts})
    return found


def _refuse_nothing_new(before: list[memory.Told], compared: memory.Compared) -> None:
    """Hold a bundle in which nothing is new but what would tell of few patients."""
    if not (before and compared.held):
        return
    last: dict[str, Any] = {}
    for told in before:
        last |= told.units
    new = any(
        (unit.parts or unit.numbers) and _bare(unit.rows) != _bare(last.get(name, {}).get("rows"))
        for name, unit in compared.fresh.items()
    )
    if not new:
        listed = "; ".join(f"{h.unit}: {h.changed} changed, {h.frees}" for h in compared.held[:5])
        raise Held(
            f"pool bundle: nothing may be told anew. {listed}. Wait until more have changed; what "
            "was told before stays true."
        )


def _bare(rows: Mapping[str, list[Row]] | None) -> Any:
    """Rows without the night that they are of."""
    return {
        table: [{k: v for k, v in r.items() if k != "as_of"} for r in listed]
        for table, listed in (rows or {}).items()
        if listed
    }


def _stamped(unit: Unit, night: str) -> Unit:
    rows = {t: [r | {"as_of": night} for r in listed] for t, listed in unit.rows.items()}
    return replace(unit, rows=rows)


def _night(release: Path) -> str:
    return str(releases.manifest(release)["content"]["as_of"])


def _tables(
    source: Source,
    compared: memory.Compared,
    before: list[memory.Told],
    units: Mapping[str, Unit],
    night: str,
) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {name: [] for name in BY_NAME}
    for name in units:
        fresh = compared.fresh.get(name)
        rows = _stamped(fresh, night).rows if fresh else compared.repeated[name]
        for table, listed in rows.items():
            tables[table] += listed
    shown = {r["statistic_id"] for listed in tables.values() for r in listed}
    tables["definitions"] = _definitions(source, shown)
    known = {r["statistic_id"] for r in tables["definitions"]}
    for table in tables:
        tables[table] = [r for r in tables[table] if r["statistic_id"] in known]
    tables["ledger"] = _ledger(source, compared, before)
    return tables


def _definitions(source: Source, shown: Iterable[str]) -> list[Row]:
    """What each statistic rests on; a row's first number stands for it."""
    return source.rows(
        """
        SELECT statistic_id, d.key, definition, label, d.value
        FROM read_parquet($statistics) s JOIN read_parquet($definitions) d USING (definition)
        WHERE statistic_id IN (SELECT unnest($shown)) ORDER BY ALL
        """,
        statistics=source.path("outcomes", "statistics"),
        definitions=source.path("quality", "definitions"),
        shown=sorted(shown),
    )


def _bits(compared: memory.Compared) -> dict[str, float]:
    bits: dict[str, float] = {}
    for unit in compared.fresh.values():
        for family, given in unit.bits.items():
            bits[family] = bits.get(family, 0.0) + given
    return bits


def _ledger(source: Source, compared: memory.Compared, before: list[memory.Told]) -> list[Row]:
    """Bits by factor, those that were given and those that are left."""
    now, spent = _bits(compared), memory.spent(before)
    found: list[Row] = []
    for factor in source.factors:
        n, bad = len(factor.bad), sum(factor.bad.values())
        possible = guesses.bits_of_choice(n, bad)
        told, before_now = now.get(factor.name, 0.0), spent.get(factor.name, 0.0)
        left = possible - told - before_now
        numbers = {"possible": possible, "before": before_now, "now": told, "left": left}
        found.append({"family": factor.name, "patients": n}
                     | {k: round(v, 1) for k, v in numbers.items()})  # fmt: skip
    return found


def _facts(
    registry: Registry,
    release: Path,
    tables: Mapping[str, list[Row]],
    before: list[memory.Told],
) -> dict[str, Any]:
    """What bundle.json says, but for the files' hashes."""
    content = releases.manifest(release)["content"]
    bundles = [t for t in before if t.facts.get("bundle_sha256")]
    rules = sorted(
        {(r["key"], r["value"]) for r in tables["definitions"] if r["key"].startswith("records ")}
    )
    return {
        "format": FORMAT,
        "registry": content["registry"],
        "release": release.name,
        "as_of": content["as_of"],
        "data_cutoff": content["data_cutoff"],
        "origin": origin(registry),
        "ctcae_version": registry.file.toxicity.primary_version,
        "patients_key": content["key_fingerprint"],
        "deliveries": sorted(r["delivery_id"] for r in content["receipts"]),
        "settings": content["settings"],
        "small_cell": small_cell(registry),
        "homogeneous_bins": registry.file.export.homogeneous_bins,
        "grid": "months of 30.4375 days",
        "policy": {name: limit.value for name, limit in limits().items()},
        "engines": content["engines"],
        "code_sha256": content["code_sha256"],
        "rules_sha256": sha256_of(rules),
        "contracts_sha256": contracts_sha256(),
        "before": bundles[-1].facts["bundle_sha256"] if bundles else None,
        "number": len(bundles) + 1,
    }


def origin(registry: Registry) -> str:
    """Whose patients a registry has: clinical if any site's are."""
    origins = {site.origin for site in registry.sites.values()}
    return next((o for o in (CLINICAL, PUBLIC, SYNTHETIC) if o in origins), CLINICAL)


def contracts_sha256() -> str:
    """Hash of the tables of a bundle: names, columns and types."""
    return sha256_of(
        [[name, {c: str(t) for c, t in schema(BY_NAME[name]).items()}] for name in sorted(BY_NAME)]
    )


def _write(
    folder: Path,
    tables: Mapping[str, list[Row]],
    facts: Mapping[str, Any],
    sign_with: Ed25519PrivateKey,
) -> str:
    """Write tables, sheet and signature; returns the hash of the sheet."""
    for name, rows in tables.items():
        pq.write_table(arrow(BY_NAME[name], rows), folder / f"{name}.parquet", compression="zstd")
    files = {p.name: file_sha256(p) for p in sorted(folder.glob("*.parquet"))}
    text = json.dumps({**facts, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    sheet = (text + "\n").encode()
    (folder / SHEET).write_bytes(sheet)
    (folder / SIGNATURE).write_text(signatures.sign(sign_with, sheet), "utf-8")
    return file_sha256(folder / SHEET)


def arrow(contract: type[Contract], rows: list[Row]) -> pa.Table:
    """Rows as a table of the contract, in order of its key."""
    names, by = column_names(contract), key(contract)
    listed = sorted(rows, key=lambda r: tuple(r[k] for k in by))
    full = [{n: r.get(n) for n in names} for r in listed]
    return pa.Table.from_pylist(full, schema=schema(contract).to_pyarrow())
