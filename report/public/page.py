"""The files that a public bundle adds for people: a page, and the same tables for Word."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from report.figures.source import Connection
from report.page import Part, rendered, shown, source
from report.paper import word
from report.paper.exhibits import Numbered
from report.public.tables import WITHHELD, tables

FOOTER = (
    "Every number is in the tables of this bundle (csv/, parquet/, release.duckdb) with its id. "
    "bundle.json says of which release, with a hash of every file."
)


def write(
    con: Connection, folder: Path, facts: Mapping[str, str], threshold: int, night: date
) -> None:
    """Write report/index.html and tables.docx into a public bundle.

    Args:
        con: the bundle's database, which holds the guarded tables and no others.
        folder: the bundle.
        facts: registry, release and data cutoff; and `synthetic`, empty for real patients.
        threshold: fewer patients than this are a small cell.
        night: the date that the document carries.
    """
    made = tables(con)
    note = (
        f"Public: guarded aggregates. Counts of fewer than {threshold} patients are {WITHHELD}, "
        "and every count that would give one back. No figure shows single patients, and there is "
        "no curve."
    )
    page = rendered(
        facts,
        [Part("tables", "Tables", note, tuple(map(shown, made)), ())],
        lead=f"Release {facts['release']} · data cutoff {facts['data cutoff']}",
        footer=FOOTER,
        title=f"{facts['registry']}, release {facts['release']}, public",
    )
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text(page, "utf-8")
    items = [Numbered(f"T{place}", model) for place, model in enumerate(made, 1)]
    document = word.tables(items, f"{facts['registry']}, public", night, source(facts))
    (folder / "tables.docx").write_bytes(document)
