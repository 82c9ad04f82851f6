"""Everything that a manuscript takes from a release, in one folder."""

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from report.drawing import fonts, printed
from report.figures.data import drawn
from report.figures.model import Exhibit, Number, Table
from report.figures.source import Connection
from report.paper import checklist, exhibits, lock, manuscript, markdown, word
from report.paper.blocks import Block, Heading, Paragraph
from report.paper.exhibits import Numbered
from report.paper.manuscript import Origin
from report.paper.parts import of_cell

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for beside the default: see `exhibits.exhibits`."""

    by: str = ""
    only: tuple[str, ...] = ()
    patient_level: bool = False


def files(con: Connection, origin: Origin, night: date, wanted: Wanted) -> Files:
    """Return every file of the bundle by its place in the folder.

    Args:
        con: the release's database.
        origin: of which release it is written.
        night: the release's night, the date that the documents carry.
        wanted: what is asked for.
    """
    version = origin.settings["toxicity"]["primary_version"]
    shown = exhibits.exhibits(
        con, version, by=wanted.by, only=wanted.only, patient_level=wanted.patient_level
    )
    with fonts.light():
        made = _figures(shown, origin)
    blocks = manuscript.manuscript(con, origin, shown)
    pictures = {
        item.number: png
        for item in shown
        if (png := made.get(f"{markdown.place(item)}.png")) is not None
    }
    title = str(origin.said.get("title") or f"{origin.registry} {origin.release}")
    made["manuscript.docx"] = word.document(blocks, pictures, title, night, origin.source)
    made["manuscript.md"] = markdown.markdown(blocks).encode()
    listed = [item for item in shown if item.is_table]
    made["tables.docx"] = word.tables(listed, title, night, origin.source)
    items = checklist.checklist(con, shown)
    made["checklist.docx"] = word.tables(items, f"Checklist: {title}", night, origin.source)
    made["checklist.md"] = markdown.markdown([Heading("Checklist", 0), *items]).encode()
    made["numbers.lock"] = lock.locked(con, _numbers(blocks, shown), origin.release).encode()
    made["CITATION.txt"] = _citation(origin).encode()
    return made | {"README.md": _read_me(made, origin, shown, wanted).encode()}


def write(folder: Path, made: Files) -> None:
    """Write the files of a bundle into a folder that is there."""
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _figures(shown: list[Numbered], origin: Origin) -> Files:
    made: Files = {}
    for item in shown:
        if item.is_table or item.exhibit.empty:
            continue
        place = markdown.place(item)
        drawings = printed.files(item.exhibit, origin.source)
        made |= {place + ending: data for ending, data in drawings.items()}
        if (table := drawn(item.exhibit)) is not None:
            made[f"{place}.csv"] = _csv(table)
    return made


def _csv(table: Table) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(row.cells for row in table.rows)
    return target.getvalue().encode()


def _numbers(blocks: list[Block], shown: list[Numbered]) -> list[Number]:
    """Every number of the texts and of the tables' cells."""
    of_text = [p.number for b in blocks if isinstance(b, Paragraph) for p in b.text if p.number]
    return [*of_text, *(n for item in shown for n in _of_table(item.exhibit))]


def _of_table(exhibit: Exhibit) -> list[Number]:
    if not isinstance(exhibit, Table):
        return []
    return [
        part.number
        for row in exhibit.rows
        for cell, numbers in zip(row.cells, row.numbers, strict=False)
        for part in of_cell(cell, numbers)
        if part.number
    ]


def _citation(origin: Origin) -> str:
    return (
        f"{origin.registry}, release {origin.release}, data cutoff {origin.data_cutoff}. "
        "Made with y90-outcomes.\n"
    )


def _read_me(made: Files, origin: Origin, shown: list[Numbered], wanted: Wanted) -> str:
    lines = [f"# {origin.source}", ""]
    if origin.synthetic:
        lines += ["**SYNTHETIC DATA: no patient is real.**", ""]
    if wanted.patient_level:
        lines += ["**Holds figures of single patients. Keep it inside the house.**", ""]
    lines += [
        "`y90 numbers check manuscript.docx` says which numbers are no longer true, and why; "
        "`y90 paper --refresh manuscript.docx` writes those again and nothing else.",
        "",
        "| number | title | nothing to show, because |",
        "|---|---|---|",
        *(f"| {i.name} | {i.exhibit.title} | {i.exhibit.empty} |" for i in shown),
        "",
        "| file | SHA-256 |",
        "|---|---|",
        *(f"| {name} | {hashlib.sha256(made[name]).hexdigest()} |" for name in sorted(made)),
    ]
    return "\n".join(lines) + "\n"
