"""The examples of the mapping language: a tiny export, its site file, and the rows that it gives.

They stand in docs/site_files.md as they are here. Rows are judged as they were harmonised, before
any rule sets one aside.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from flows.settings import judge_sites, load_registry
from tests.support.damaged_deliveries import sheet_row, text_cells, workbook
from warehouse.engine.embedded import engine
from warehouse.intake.raw import convert
from warehouse.loading.load import mapped

PAGE = Path(__file__).with_name("shapes.md")


@dataclass
class Shape:
    """One example of the page."""

    sites: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    expected: dict[str, list[list[str]]] = field(default_factory=dict)


def shapes() -> dict[str, Shape]:
    """The examples by their titles."""
    found = {}
    for part in re.split(r"(?m)^### ", PAGE.read_text("utf-8"))[1:]:
        title, _, body = part.partition("\n")
        found[title] = shape = Shape()
        for kind, name, text in re.findall(r"(?ms)^```(\w+) ?(\S*)\n(.*?)^```", body):
            (shape.sites if kind == "toml" else shape.files)[name] = text
        for table, rows in re.findall(r"(?m)^(\w+):\n\n((?:\|.*\n?)+)", body):
            lines = [line.strip("|\n").split("|") for line in rows.splitlines()]
            shape.expected[table] = [[c.strip() for c in line] for line in lines]
            del shape.expected[table][1]
    return found


SHAPES = shapes()


def export(shape: Shape, folder: Path) -> Path:
    """Write the files; those of one workbook are its sheets."""
    folder.mkdir()
    books: dict[str, dict[str, str]] = {}
    for name, text in shape.files.items():
        book, _, sheet = name.partition("/")
        if not sheet:
            (folder / name).write_text(text)
            continue
        rows = csv.reader(io.StringIO(text))
        books.setdefault(book, {})[sheet] = "".join(
            sheet_row(n, text_cells(*row)) for n, row in enumerate(rows, 1)
        )
    for book, sheets in books.items():
        (folder / book).write_bytes(workbook(**sheets))
    return folder


def shown(cell: object) -> str:
    text = str(cell.date() if isinstance(cell, datetime) else cell)
    return "" if cell is None else f"{cell:f}".rstrip("0").rstrip(".") if _number(text) else text


def _number(text: str) -> bool:
    return re.fullmatch(r"-?\d+\.\d+", text) is not None


@pytest.mark.parametrize("title", SHAPES)
def test_an_export_of_that_shape_gives_these_rows(title: str, tmp_path: Path) -> None:
    shape = SHAPES[title]
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text('registry = "small"\nsites = ["north"]\n')
    for name, text in shape.sites.items():
        own = "" if name else 'site_id = "north"\norigin = "synthetic"\n'
        (tmp_path / "sites" / (name or "north.toml")).write_text(own + text)
    registry = load_registry(tmp_path / "registry.toml")
    judge_sites(registry)
    site = registry.sites["north"]
    (tmp_path / "raw").mkdir()
    raw = convert(export(shape, tmp_path / "export"), site, tmp_path / "raw", "north").tables
    with engine() as con:
        mapped(con, site, raw, "2021-01-01-1")
        for table, (names, *rows) in shape.expected.items():
            found = con.raw_sql(f"SELECT {', '.join(names)} FROM all_{table}").fetchall()
            told = sorted([_plain(cell) for cell in row] for row in found)
            assert told == sorted(rows), table


def _plain(cell: object) -> str:
    return shown(cell).lower() if isinstance(cell, bool) else shown(cell)
