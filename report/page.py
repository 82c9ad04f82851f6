"""The report of a release: its headline numbers and where to find the rest."""

import html
from collections.abc import Mapping
from pathlib import Path

import duckdb


def write(work: Path, facts: Mapping[str, str]) -> None:
    """Write report/index.html from the tables of a finished build.

    Args:
        work: the folder with outcomes.duckdb.
        facts: what to print above the tables: registry, night, cutoff.
    """
    folder = work / "report"
    folder.mkdir(exist_ok=True)
    with duckdb.connect(str(work / "outcomes.duckdb"), read_only=True) as con:
        rows = con.execute(
            "SELECT label, value, lower, upper, n, total, unit FROM outcomes.statistics "
            "WHERE statistic_id LIKE '%.all.%' AND value IS NOT NULL ORDER BY statistic_id"
        ).fetchall()
    head = "".join(f"<p>{html.escape(k)}: {html.escape(v)}</p>" for k, v in facts.items())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows
    )
    (folder / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Outcomes</title>{head}<table>{body}</table>",
        "utf-8",
    )
