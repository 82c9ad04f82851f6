"""Keep what a delivery holds once it is read, mapped and judged, so that no night does it twice.

    raw/<site>/loaded/<way>/<delivery>/
      registry/<table>.parquet     accepted rows
      registry/held/               rows that were set aside, whole
      quality/<table>.parquet      counts, what was set aside, what is doubtful
      rows.parquet                 every row that is not empty: where it stands and why set aside
      columns.json                 its columns, and those that are used
      findings.parquet             every finding under an id that it keeps from delivery to delivery
      since/<delivery>/            what changed since an earlier delivery

`way` names how it was done: site file, key, excluded patients, engines, and the code that loading
reaches. All of it holds patients, so it lies in raw/, for its owner only. It is disposable: what is
missing is made again.
"""

import ast
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import BadConfiguration, BadDelivery
from schemas.site import Site
from warehouse import fingerprints
from warehouse.engine import pseudonyms as identity
from warehouse.intake.receipts import Receipt
from warehouse.store import Store, new_folder

ENTRIES = ("warehouse.loading.load", "warehouse.loading.unused")
"""What these modules reach by their imports decides the result of loading."""
WAYS_KEPT = 4


def ready(
    store: Store, site: Site, receipt: Receipt, key: bytes, options: Mapping[str, Any]
) -> Path:
    """The folder of a loaded delivery, made if it is not there.

    Args:
        store: the store.
        site: the site file.
        receipt: the receipt of the delivery.
        key: the registry's key.
        options: of the engine: threads and memory_limit; no row depends on them.

    Raises:
        BadDelivery: its payload cannot be read, or is no longer kept.
        BadConfiguration: the site file does not fit the export.
    """
    folder = place(store, site, receipt, key)
    if not folder.is_dir():
        with new_folder(folder) as fresh:
            _load(store, site, receipt, key, options, fresh)
        _forget(folder.parent)
    return folder


def chain(
    store: Store, site: Site, receipts: tuple[Receipt, ...], key: bytes, options: Mapping[str, Any]
) -> Iterator[tuple[Receipt, Path]]:
    """Earlier deliveries that can still be read as the site file says today, oldest first.

    An export of an older form than the site file's tells nothing of the past and is passed over.
    """
    for receipt in receipts:
        try:
            yield receipt, ready(store, site, receipt, key, options)
        except (BadDelivery, BadConfiguration):
            continue


def place(store: Store, site: Site, receipt: Receipt, key: bytes) -> Path:
    """Where a loaded delivery is kept."""
    way = [
        site.model_dump(mode="json"),
        identity.fingerprint(key),
        sorted(site.excluded),
        sorted(fingerprints.engine_versions().items()),
        loading_sha256(),
    ]
    which = [receipt.delivery_id, receipt.extraction_date, receipt.receipt_id]
    names = (fingerprints.sha256_of(facts)[:16] for facts in (way, which))
    return folder_of(store, site.site_id).joinpath(*names)


def folder_of(store: Store, site_id: str) -> Path:
    """Everything loaded of a site; it may be removed at any time."""
    return store.site_raw(site_id) / "loaded"


def linked(loaded: Path, to: Path) -> None:
    """Show a loaded delivery in a run's work directory, as links to files that never change."""
    for name in ("registry", "quality"):
        shutil.copytree(loaded / name, to / name, copy_function=_link, dirs_exist_ok=True)
    _link(str(loaded / "rows.parquet"), str(to / "rows.parquet"))


def counted(folder: Path) -> tuple[int, int]:
    """Rows accepted and set aside, of all tables together."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts = pq.read_table(folder / "quality" / "row_counts.parquet")
    accepted, aside = (pc.sum(counts[n]).as_py() or 0 for n in ("accepted", "quarantined"))
    return int(accepted), int(aside)


@cache
def loading_sha256() -> str:
    """SHA-256 over the code that decides what loading gives: all that it imports of ours."""
    root = Path(__file__).resolve().parents[2]
    reached: dict[str, bytes] = {}
    waiting = [*ENTRIES]
    while waiting:
        name = waiting.pop()
        path = _source(root, name)
        if path is not None and name not in reached:
            reached[name] = path.read_bytes()
            waiting += _imports(reached[name])
    return fingerprints.sha256_of(
        {n: fingerprints.sha256_of(data.decode()) for n, data in reached.items()}
    )


def _load(
    store: Store,
    site: Site,
    receipt: Receipt,
    key: bytes,
    options: Mapping[str, Any],
    to: Path,
) -> None:
    from warehouse.engine.connections import of_size
    from warehouse.engine.embedded import engine
    from warehouse.intake.raw import read_again
    from warehouse.loading import row_index as rows
    from warehouse.loading.load import load
    from warehouse.loading.unused import columns_of

    converted = read_again(store, receipt, site)
    raw = converted.tables
    scratch = to / "scratch"
    scratch.mkdir()
    resources = of_size(options, receipt.size)
    with engine(scratch / "load.duckdb", **resources) as con:
        counts = load(con, site, raw, receipt, key, to)
        rows.write(con, [c.table for c in counts], key, to / "rows.parquet")
    columns_of(raw, site, converted.unread).write(to)
    shutil.rmtree(scratch)
    for path in to.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _forget(way: Path) -> None:
    """Keep what was made in the latest few ways: of site files, keys and versions long past."""
    ways = sorted((p for p in way.parent.iterdir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in [p for p in ways if p != way][WAYS_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    Path(target).hardlink_to(source)


def _source(root: Path, name: str) -> Path | None:
    if name.split(".")[0] not in fingerprints.CODE:
        return None
    path = root.joinpath(*name.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _imports(source: bytes) -> Iterator[str]:
    """Every module that a source names; `from a import b` may mean the module a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
