"""Releases written from literal tables: only the tables that a test is about have rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.contract import options, published_name
from tests.support.pipe_tables import table
from warehouse.engine.embedded import engine, write_parquet
from warehouse.releases.database import RELEASED
from warehouse.store import Store

CONTRACTS = {f"{options(c).schema}.{published_name(c)}": c for c in RELEASED}


def write_tables(folder: Path, tables: Mapping[str, str], *, only: bool = True) -> Path:
    """Write folder/parquet/<schema>/<table>.parquet from pipe tables.

    Args:
        folder: a release's folder, or a run's.
        tables: schema.table -> pipe table.
        only: write no other table; otherwise every other one is written empty.
    """
    wanted = tables if only else {n: tables.get(n, "") for n in CONTRACTS}
    with engine(Path(":memory:")) as con:
        for name, text in wanted.items():
            path = folder / "parquet" / f"{name.replace('.', '/')}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            contract = CONTRACTS[name]
            write_parquet(con, table(contract, text or None), contract, path)
    return folder


def publish(
    store: Store,
    release_id: str,
    tables: Mapping[str, str] | None = None,
    *,
    held: bool = False,
) -> Path:
    """Put a release into a store without running anything; its night is in its id."""
    night = "-".join(release_id.split(".")[:3])
    folder = write_tables(store.release(release_id), tables or {})
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {
        "content": {
            "as_of": night,
            "data_cutoff": night,
            "run_key": release_id,
            "inputs_key": release_id,
        },
        "record": {"held": held, "published_at": f"{night}T04:00:00+00:00"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
