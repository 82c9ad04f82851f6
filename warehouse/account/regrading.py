"""Grade a release's laboratory results by another CTCAE version, and list who moves."""

from pathlib import Path
from typing import Any

import ibis

from transforms.toxicity.regrade import regrade
from warehouse.releases.query import open_release


def moved(release: Path, from_version: str, to_version: str) -> list[dict[str, Any]]:
    """Subjects and analytes whose worst grade after treatment differs, and the deciding rules."""
    with open_release(release) as opened:
        con = ibis.duckdb.from_connection(opened)
        grades = con.table("lab_grades", database="marts")
        regraded = regrade(grades, from_version=from_version, to_version=to_version)
        return [dict(row) for row in con.to_pyarrow(regraded).to_pylist()]
