"""The page itself: headline, pictures and tables of one release, in one file."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

import duckdb
from jinja2 import Environment, StrictUndefined

from report.content import blocks, headline

TEMPLATE = Path(__file__).with_name("page.html")


def write(
    work: Path, facts: Mapping[str, str], primary_version: str, lesions: str, note: str = ""
) -> None:
    """Write report/index.html from the tables of a finished build.

    Args:
        work: the folder with release.duckdb.
        facts: what to print above the tables: registry, night, cutoff.
        primary_version: the CTCAE version of the report.
        lesions: which lesions the numbers at the top are of, `treated` or `all`.
        note: what a reader must know before the numbers; it marks the figures drawn from rows.
    """
    folder = work / "report"
    folder.mkdir(exist_ok=True)
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        TEMPLATE.read_text("utf-8")
    )
    with duckdb.connect(str(work / "release.duckdb"), read_only=True) as con:
        text = template.render(
            facts=dict(facts),
            note=note,
            headline=headline(con, lesions),
            blocks=blocks(con, primary_version, redrawn=bool(note)),
        )
    (folder / "index.html").write_text(text, "utf-8")


def redraw(
    work: Path, facts: Mapping[str, str], primary_version: str, lesions: str, note: str
) -> None:
    """Write the page of a release again from the rows that are left.

    Where a table has another shape than this code draws, the page says only that: its old pictures
    hold somebody who must not be in them.
    """
    try:
        write(work, facts, primary_version, lesions, note)
    except duckdb.Error:
        told = escape(
            f"{note} This page was drawn by another version of y90 and is not drawn again."
        )
        head = escape(f"{facts['registry']}, {facts['night']}")
        text = f'<!doctype html><meta charset="utf-8"><title>{head}</title><p>{told}</p>\n'
        (work / "report" / "index.html").write_text(text, "utf-8")
