"""Grade a release's laboratory results by another CTCAE version, and list who moves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis

from schemas.errors import Refused
from schemas.records.ctcae import not_defined
from transforms.toxicity.regrade import regrade
from warehouse.releases.query import open_release


def moved(release: Path, from_version: str, to_version: str) -> list[dict[str, Any]]:
    """Subjects and analytes whose worst grade after treatment differs, and the deciding rules."""
    with open_release(release) as opened:
        con = ibis.duckdb.from_connection(opened)
        grades = con.table("lab_grades", database="marts")
        held = set(con.to_pyarrow(grades.select("ctcae_version").distinct())[0].to_pylist())
        if absent := [v for v in (from_version, to_version) if held and v not in held]:
            raise Refused(
                f"release {release.name}: holds no grades of CTCAE {' and '.join(absent)}, but of "
                f"{', '.join(sorted(held))}. Name a release made since, with that version in "
                "toxicity.ctcae_versions."
            )
        regraded = regrade(grades, from_version=from_version, to_version=to_version)
        found = [dict(row) for row in con.to_pyarrow(regraded).to_pylist()]
    sides = {"from": from_version, "to": to_version}
    return [row | _why(row, sides) for row in found]


def _why(row: Mapping[str, Any], sides: Mapping[str, str]) -> dict[str, str]:
    """Why there is no grade on a side that has none."""
    return {
        f"why_{side}": not_defined(row["analyte"], version) or "not gradable"
        for side, version in sides.items()
        if row[f"worst_grade_{side}"] is None
    }
