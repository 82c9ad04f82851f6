"""Write a table as CSV or as a workbook for people who open it with a spreadsheet.

A text that begins like a formula is told apart by an apostrophe, so that opening a file never
carries out what a cell says. Files are for their owner only.
"""

import csv
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Rows = Sequence[Sequence[Any]]


def neutral(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay what they are."""
    risky = isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA)
    return f"'{cell}" if risky and not NUMBER.fullmatch(cell.strip()) else cell


def write_csv(path: Path, header: Sequence[str], rows: Rows) -> None:
    """Write a CSV that spreadsheets open as UTF-8."""
    with _private(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows([[neutral(cell) for cell in row] for row in rows])


def write_xlsx(path: Path, header: Sequence[str], rows: Rows, sheet: str) -> None:
    """Write a workbook of one sheet, all of its cells text or whole numbers."""
    write_sheets(path, [(sheet, [header, *rows], "")])


def write_sheets(path: Path, sheets: Sequence[tuple[str, Rows, str]]) -> None:
    """Write a workbook of several sheets, each a name, its rows, and the rules of its cells."""
    numbers = range(1, len(sheets) + 1)
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>'
        for n in numbers
    )
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
        for n, (name, _, _) in zip(numbers, sheets, strict=True)
    )
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
            f"{types}</Types>"
        ),
        "_rels/.rels": _links("officeDocument", ["xl/workbook.xml"]),
        "xl/workbook.xml": (
            f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets>'
            "</workbook>"
        ),
        "xl/_rels/workbook.xml.rels": _links(
            "worksheet", [f"worksheets/sheet{n}.xml" for n in numbers]
        ),
    }
    for number, (_, rows, rules) in zip(numbers, sheets, strict=True):
        lines = "".join(_row(n, row) for n, row in enumerate(rows, 1))
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{lines}</sheetData>{rules}</worksheet>'
        )
    with (
        _private(path).open("wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book,
    ):
        for name, xml in parts.items():
            book.writestr(name, DECLARATION + xml)


def _private(path: Path) -> Path:
    """The file, empty and for its owner only before anything is written into it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    os.close(handle)
    return path


def _links(kind: str, targets: Sequence[str]) -> str:
    listed = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, target in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _row(number: int, cells: Sequence[Any]) -> str:
    return f'<row r="{number}">{"".join(_cell(neutral(c)) for c in cells)}</row>'


def _cell(cell: Any) -> str:
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    text = escape(UNPRINTABLE.sub("?", "" if cell is None else str(cell)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
