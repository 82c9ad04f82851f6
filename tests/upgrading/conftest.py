"""A store of layout 1 as the version of its time left it, and a small one for hundreds of kills."""

import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from warehouse.store import Store

STORES = Path(__file__).parent / "stores"
LOCKS = {"state/lock", "state/nightly", "state/backfill"}
"""They hold the number of the last process that held them."""
OPEN = 0o022
"""The umask under which the stores were made: released files could be read by everybody."""


@pytest.fixture(scope="session")
def kept_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of layout 1; not to be written to."""
    folder = tmp_path_factory.mktemp("layout_1")
    with tarfile.open(STORES / "layout_1.tar.xz") as packed:
        packed.extractall(folder, filter="tar")
    return folder


@pytest.fixture
def old_store(kept_store: Path, tmp_path: Path) -> Store:
    """A copy of it."""
    return Store(Path(shutil.copytree(kept_store, tmp_path / "store")))


def small_store(root: Path) -> Store:
    """Everything that a migration of layout 1 touches, in a dozen small files."""
    files = {
        "LAYOUT": "1\n",
        "inbox/north/2020-01-01/patients.csv": "patient_id\n1\n",
        "raw/north/loaded/a/b/rows.parquet": "rows",
        "state/compiled.sqlite": "queries",
        "state/lineage/c.json": "{}",
        "releases/2020.01.01/outcomes.duckdb": "numbers",
        "releases/2020.01.01/parquet/marts/subjects.parquet": "rows",
        "releases/2020.01.01/manifest.json": json.dumps(
            {
                "content": {"code_sha256": "0" * 64, "tables": {}},
                "record": {"held": False, "published_at": "2020-01-01T04:00:00+00:00"},
            }
        ),
        "channels/current.json": json.dumps({"release_id": "2020.01.01", "history": []}),
    }
    mask = os.umask(OPEN)
    try:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    finally:
        os.umask(mask)
    return Store(root)


def photograph(store: Store) -> dict[str, tuple[int, bytes]]:
    """Every path of a store with its rights and bytes, but for locks."""
    return {
        p.relative_to(store.root).as_posix(): (
            p.stat().st_mode & 0o7777,
            p.read_bytes() if p.is_file() else b"",
        )
        for p in store.root.rglob("*")
        if p.relative_to(store.root).as_posix() not in LOCKS
    }
