"""A later night of the reference registry with planted corrections, and what was published then."""

import csv
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows import settings
from simulation import registry_folder
from tests.conftest import NIGHT, SITE
from warehouse import pipeline
from warehouse.intake import receipts
from warehouse.store import Store

LATER = date(2011, 4, 1)
REGISTRY = settings.load_registry(registry_folder("memon2012", "redcap") / "registry.toml")
Edits = Mapping[tuple[int, str], str]
"""(row from 1 after the header, column) -> the new text; no text and no column: the row is gone."""


def corrected(store: Store, edits: Edits) -> str:
    """Deliver the reference export again a day later, with cells edited; returns its delivery."""
    before = store.site_inbox(SITE) / NIGHT.isoformat()
    after = store.site_inbox(SITE) / LATER.isoformat()
    shutil.copytree(before, after)
    edit(after / "data.csv", edits)
    pipeline.receive(store, REGISTRY, SITE, datetime(2011, 4, 1, 4, tzinfo=UTC))
    found = receipts.visible(store, SITE, LATER)
    assert found is not None
    assert found.extraction_date == LATER
    return found.delivery_id


def edit(path: Path, edits: Edits) -> None:
    """Change cells of a file."""
    with path.open(newline="") as file:
        header, *lines = list(csv.reader(file))
    gone = {row for row, column in edits if not column}
    for (row, column), text in edits.items():
        if column:
            lines[row - 1][header.index(column)] = text
    with path.open("w", newline="") as file:
        kept = [line for number, line in enumerate(lines, 1) if number not in gone]
        csv.writer(file).writerows([header, *kept])


def restated(
    store: Store, release: Path, delivery: str, numbers: Mapping[str, float], **content: Any
) -> Path:
    """A release of the later night that says these numbers: copied, so that no build is needed."""
    path = store.release("2011.04.01")
    shutil.copytree(release, path)
    manifest = json.loads((path / "manifest.json").read_text())
    day = LATER.isoformat()
    manifest["content"] |= {"as_of": day, "data_cutoff": day, **content}
    manifest["content"]["receipts"][0] |= {
        "delivery_id": delivery,
        "extraction_date": day,
        "cutoff": day,
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    statistics = path / "parquet" / "outcomes" / "statistics.parquet"
    table = pq.read_table(statistics)
    rows = table.to_pylist()
    for row in rows:
        row["value"] = numbers.get(row["statistic_id"], row["value"])
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), statistics)
    return path
