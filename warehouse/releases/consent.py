"""Purge a patient who withdrew consent, and leave a tombstone.

Leaving a patient out of the next release is the site's list of excluded patients. A purge goes
further: out of every kept payload and every past release. What it leaves is a tombstone,

    raw/<site>/tombstones/<n>.json      who, when, why, which deliveries and releases; no patient id

by which a later export that still holds the patient is recognised and refused. A payload cannot be
rewritten in its own format, so it is deleted, and its raw tables stay without the patient: such a
delivery can be read again only as it was. Aggregates already published are not recomputed: withdraw
a release whose counts must not stand.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import BadDelivery, Refused
from schemas.site import ColumnSource, Site
from schemas.spelling import plain
from warehouse import fingerprints
from warehouse.engine import pseudonyms as identity
from warehouse.loading import delivery_cache as loaded
from warehouse.releases import releases
from warehouse.releases.expunge import Draw, expunge
from warehouse.store import Store, create_atomically, lock_file, make_private, sweep


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge did."""

    tombstone: str
    deliveries: tuple[str, ...]
    releases: tuple[str, ...]
    rows: int


def purge(
    store: Store,
    site: Site,
    key: bytes,
    patient: str,
    reason: str,
    now: datetime,
    who: str,
    draw: Draw,
) -> Purge:
    """Take a patient out of everything that is kept.

    Args:
        store: the store.
        site: the patient's site.
        key: the registry's key.
        patient: the id as delivered.
        reason: why.
        now: when.
        who: who does it.
        draw: draws the report of a release again, from the rows that are left.

    Raises:
        Refused: nothing that is kept holds the patient, or there is no reason.
    """
    if not reason.strip():
        raise Refused("purge: it needs a reason. Add --reason TEXT.")
    subject = identity.pseudonym(key, site.site_id, patient)
    with lock_file(store.state / "nightly", wait=True), store.lock(wait=True):
        sweep(store.site_raw(site.site_id))
        held = {d: _scrub(d, site, patient) for d in _deliveries(store, site.site_id)}
        deliveries = tuple(sorted(d.name for d, rows in held.items() if rows))
        store.forget_rollback()
        shutil.rmtree(loaded.folder_of(store, site.site_id), ignore_errors=True)
        published = releases.listing(store)
        changed = tuple(r.release_id for r in published if expunge(r.path, subject, draw))
        if not deliveries and not changed:
            raise Refused(
                f"site {site.site_id}: no kept delivery and no release holds this patient. Write "
                "the id exactly as delivered."
            )
        salt = secrets.token_hex(16)
        facts = {
            "subject_id": subject,
            "salt": salt,
            "digest": _digest(salt, patient),
            "who": who,
            "when": now.isoformat(),
            "reason": reason.strip(),
            "deliveries": deliveries,
            "releases": changed,
        }
        name = _write_tombstone(store, site.site_id, facts)
    return Purge(name, deliveries, changed, sum(held.values()))


def tombstones(store: Store, site_id: str) -> list[dict[str, Any]]:
    """Every tombstone of a site, oldest first."""
    folder = store.site_raw(site_id) / "tombstones"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [json.loads(f.read_text("utf-8")) for f in files]


def fingerprints_of(store: Store, sites: Iterable[str]) -> dict[str, str]:
    """What a manifest may say of a site's purges: it tells them apart."""
    withdrawn = {s: sorted(t["subject_id"] for t in tombstones(store, s)) for s in sorted(sites)}
    return {s: fingerprints.sha256_of(patients) for s, patients in withdrawn.items() if patients}


def was_purged(store: Store, site_id: str, delivery_id: str) -> bool:
    """Whether a delivery's payload was deleted for a purge: it is not kept a second time."""
    return any(delivery_id in t["deliveries"] for t in tombstones(store, site_id))


def refuse_purged(store: Store, site: Site, tables: Mapping[str, Path], where: str) -> None:
    """Refuse an export that holds a purged patient again.

    Raises:
        BadDelivery: it does; told by table, not by patient.
    """
    withdrawn = tombstones(store, site.site_id)
    if not withdrawn:
        return
    holding = [name for name, path in tables.items() if _holds(path, name, site, withdrawn)]
    if holding:
        raise BadDelivery(
            f"{where}: {', '.join(sorted(holding))} hold a patient who withdrew consent and was "
            "purged. Remove the patient at the source and export again."
        )


def _deliveries(store: Store, site_id: str) -> list[Path]:
    folder = store.deliveries(site_id)
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _digest(salt: str, patient: str) -> str:
    return hashlib.sha256(f"{salt}\0{patient}".encode()).hexdigest()


def _write_tombstone(store: Store, site_id: str, facts: Mapping[str, Any]) -> str:
    folder = store.site_raw(site_id) / "tombstones"
    make_private(folder)
    name = f"{len(tombstones(store, site_id)) + 1:04d}"
    data = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False).encode()
    create_atomically(folder / f"{name}.json", data + b"\n", private=True)
    return f"{site_id}/{name}"


def _patient_columns(table: str, names: list[str], site: Site) -> list[str]:
    """Their columns that hold the patient's id in one raw table."""
    if site.format == "redcap":
        record = site.redcap.record if site.redcap else None
        return [record if record in names else names[0]]
    parts = [s for n, several in site.tables.items() for s in several if _stem(s.file, n) == table]
    patient_columns = ["patient_id"]
    for mapped in (s.columns.get("patient_id") for s in parts):
        if isinstance(mapped, ColumnSource):
            several = (mapped.from_,) if isinstance(mapped.from_, str) else mapped.from_ or ()
            patient_columns += several
        elif mapped:
            patient_columns.append(mapped)
    return [n for n in names if plain(n) in {plain(f) for f in patient_columns}]


def _stem(file: str | None, table: str) -> str:
    return Path(file or table).name.split(".")[0]


def _scrub(delivery: Path, site: Site, patient: str) -> int:
    """Rewrite every raw table of a delivery without the patient; rows taken out."""
    taken = sum(_without(path, site, patient) for path in sorted(delivery.glob("raw/*/*.parquet")))
    if taken:
        shutil.rmtree(delivery / "files", ignore_errors=True)
    return taken


def _without(path: Path, site: Site, patient: str) -> int:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept = table
    for name in _patient_columns(path.stem, table.column_names, site):
        theirs = pc.equal(pc.utf8_trim_whitespace(kept[name]), patient)
        kept = kept.filter(pc.invert(pc.fill_null(theirs, False)))
    if kept.num_rows < table.num_rows:
        beside = path.with_suffix(".scrubbed")
        pq.write_table(kept, beside, compression="zstd")
        beside.chmod(0o600)
        beside.replace(path)
    return int(table.num_rows - kept.num_rows)


def _holds(path: Path, name: str, site: Site, withdrawn: list[dict[str, Any]]) -> bool:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for column in _patient_columns(name, pq.read_schema(path).names, site):
        cells = pc.unique(pc.utf8_trim_whitespace(pq.read_table(path, columns=[column])[column]))
        patients = [c for c in cells.to_pylist() if c]
        if any(_digest(t["salt"], p) == t["digest"] for t in withdrawn for p in patients):
            return True
    return False
