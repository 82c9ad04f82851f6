"""Lead a subject_id back to its patient, where the key and the raw data are.

Pseudonyms are made again from the patients of every delivery, newest first, until one fits: a
patient who has vanished from the latest export can still be found.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis.expr.types as ir

from schemas.errors import Refused
from schemas.settings import Registry
from schemas.site import Site
from transforms.intake.harmonise import harmonise
from warehouse.engine import pseudonyms as identity
from warehouse.engine.embedded import engine
from warehouse.engine.protocol import Engine
from warehouse.intake.raw import raw_tables
from warehouse.intake.receipts import in_force
from warehouse.loading.load import CONTRACTS, raw_name, raw_shapes, sources
from warehouse.store import Store


def identify(store: Store, registry: Registry, key: bytes, subject: str) -> tuple[str, str]:
    """The site and the patient id, as delivered, of a subject.

    Args:
        store: the store with the raw deliveries.
        registry: its sites.
        key: the key that the pseudonyms were made with.
        subject: the subject_id, 16 hex digits.

    Raises:
        Refused: not a subject_id, or nobody in the store has it.
    """
    if not re.fullmatch(f"[0-9a-f]{{{identity.DIGITS}}}", subject):
        raise Refused(
            f"subject {subject}: not a subject_id. Copy its {identity.DIGITS} hex digits from a "
            "release."
        )
    for site in registry.sites.values():
        for raw, receipt_id in _deliveries(store, site):
            patient = _patient(site, raw, receipt_id, key, subject)
            if patient is not None:
                return site.site_id, patient
    raise Refused(
        f"subject {subject}: nobody in this store has it under this key. Check --store, --config "
        "and the key's fingerprint in `y90 release show`."
    )


def _deliveries(store: Store, site: Site) -> Iterator[tuple[dict[str, Path], str]]:
    """The raw tables of each payload once, newest first."""
    seen: set[str] = set()
    for receipt in in_force(store, site.site_id, date.max):
        if receipt.delivery_id not in seen:
            seen.add(receipt.delivery_id)
            yield raw_tables(store, receipt, site), receipt.receipt_id


def _patient(
    site: Site, raw: dict[str, Path], receipt_id: str, key: bytes, subject: str
) -> str | None:
    wanted = identity.sql(key, "site_id", "patient_id")
    with engine() as con:
        for name, path in raw.items():
            con.read_parquet(path, table_name=f"raw_{name}")
        for table in _with_patients(con, site, raw_shapes(raw), receipt_id):
            patients = con.compile(table)
            row = con.raw_sql(
                f"SELECT patient_id FROM ({patients}) WHERE {wanted} = '{subject}' LIMIT 1"
            ).fetchone()
            if row:
                return str(row[0])
    return None


def _with_patients(
    con: Engine, site: Site, raw: dict[str, list[str]], receipt_id: str
) -> Iterator[ir.Table]:
    """Site and patient of every source; the patients table first, since it has nearly all."""
    for name, parts in sorted(sources(site, raw).items(), key=lambda s: s[0] != "patients"):
        for source in parts:
            if raw_name(name, source) in raw:
                table = con.table(f"raw_{raw_name(name, source)}")
                rows = harmonise(table, CONTRACTS[name], source, site, receipt_id)
                yield rows.select("site_id", "patient_id").distinct()
