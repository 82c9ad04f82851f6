"""Which line of which delivered file is a row? An index beside the store's other caches.

A release names rows by keyed hashes. The index says where they stand: table, row id, subject, file
and row, and what was set aside by which rule. It lies under state/, for its owner only, is never in
a release, and can be made again from the delivery.
"""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import Refused
from schemas.site import Site
from warehouse import fingerprints, identity
from warehouse.receipts import Receipt, receipts
from warehouse.store import Store, make_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warehouse.load import Counts


def receipt_of(store: Store, facts: Mapping[str, Any]) -> Receipt:
    """The receipt that a manifest names by site, extraction date and delivery.

    Raises:
        Refused: the store has it no longer.
    """
    site_id, day = str(facts["site_id"]), str(facts["extraction_date"])
    for receipt in reversed(receipts(store, site_id)):
        same = receipt.accepted and receipt.delivery_id == facts["delivery_id"]
        if same and receipt.extraction_date.isoformat() == day:
            return receipt
    raise Refused(
        f"{site_id}/{day}: the store has no receipt of delivery {str(facts['delivery_id'])[:12]}. "
        "Restore raw/ from a backup: without the delivery nothing can be rebuilt from it."
    )


def index(store: Store, site: Site, receipt: Receipt, key: bytes) -> Path:
    """The index of a delivery as a site file reads it, made if it is not there."""
    path = place(store, site, receipt, key)
    if not path.exists():
        make_private(path.parent)
        with _scratch(path.parent) as folder:
            loaded(store, site, receipt, key, folder)
            keep(folder / "rows.parquet", path)
    return path


def place(store: Store, site: Site, receipt: Receipt, key: bytes) -> Path:
    """Where the index of a delivery is kept."""
    facts = [
        site.model_dump(mode="json"),
        receipt.delivery_id,
        receipt.extraction_date,
        identity.fingerprint(key),
        fingerprints.code_sha256(),
    ]
    return store.state / "rows" / f"{fingerprints.sha256_of(facts)[:24]}.parquet"


def keep(made: Path, path: Path) -> None:
    """Put an index in its place, readable for its owner only."""
    make_private(path.parent)
    made.chmod(0o600)
    temporary = path.with_suffix(f".{made.parent.name}")
    shutil.copy2(made, temporary)
    temporary.replace(path)


def loaded(store: Store, site: Site, receipt: Receipt, key: bytes, to: Path) -> "list[Counts]":
    """Load a delivery into a folder: accepted rows, what was set aside, and rows.parquet."""
    from warehouse.engine import engine
    from warehouse.load import load
    from warehouse.raw import raw_tables

    raw = raw_tables(store, receipt, site)
    with engine(to / "load.duckdb") as con:
        counts = load(con, site, raw, receipt, key, to)
        write(con, [c.table for c in counts], key, to / "rows.parquet")
    (to / "load.duckdb").unlink()
    return counts


def write(con: Any, names: Iterable[str], key: bytes, to: Path) -> None:
    """Write the index from the scratch engine in which a delivery has just been loaded."""
    from warehouse.validate import ROW

    subject = identity.sql(key, "site_id", "patient_id")
    row = identity.sql(key, "site_id", "natural_key")
    parts = [
        f"""SELECT '{name}' AS table_name, {row} AS row_id, {subject} AS subject_id, source_key,
                   source_file, source_row, rule_id, column_name
            FROM (SELECT * FROM all_{name} WHERE NOT is_empty)
            LEFT JOIN (SELECT * FROM bad_{name} WHERE severity = 'reject') USING ({ROW})"""
        for name in names
    ]
    ordered = "ORDER BY table_name, source_file, source_row, row_id, rule_id, column_name"
    con.raw_sql(
        f"COPY (SELECT * FROM ({' UNION ALL '.join(parts)}) {ordered}) "
        f"TO '{to}' (FORMAT parquet, COMPRESSION zstd)"
    )


@contextmanager
def _scratch(beside: Path) -> "Iterator[Path]":
    folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
