"""The page itself: headline, pictures and tables of one release, in one file."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
from jinja2 import Environment, StrictUndefined

from report.content import blocks, headline

TEMPLATE = Path(__file__).with_name("page.html")


def write(work: Path, facts: Mapping[str, str], primary_version: str) -> None:
    """Write report/index.html from the tables of a finished build.

    Args:
        work: the folder with release.duckdb.
        facts: what to print above the tables: registry, night, cutoff.
        primary_version: the CTCAE version of the report.
    """
    folder = work / "report"
    folder.mkdir(exist_ok=True)
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        TEMPLATE.read_text("utf-8")
    )
    with duckdb.connect(str(work / "release.duckdb"), read_only=True) as con:
        text = template.render(
            facts=dict(facts), headline=headline(con), blocks=blocks(con, primary_version)
        )
    (folder / "index.html").write_text(text, "utf-8")
