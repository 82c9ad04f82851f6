"""Read the cells of a workbook as text.

ISO/IEC 29500 (Office Open XML), the parts that a table uses: shared and inline strings, numbers,
booleans, errors, and dates, which are numbers that only their style tells from a number. Dates
come out as ISO 8601, numbers with the 15 digits that a spreadsheet shows. One sheet is named like
its file; several sheets are one table each, by their own names; hidden sheets are read too.
"""

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ParseError, fromstring, iterparse

from schemas.errors import BadDelivery
from warehouse.intake.formats.archives import check_workbook
from warehouse.intake.formats.typed import Form, shown_day, shown_number

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
BUILT_IN = {9: "0%", 10: "0.00%", 17: "mmm-yy"}
"""Number formats without a text of their own that mean another value than they store."""
MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
ERROR_CELL = "\x00"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as CSV; `fault` says why it is no table, if one is read from it."""

    name: str
    path: Path
    fault: str = ""


def sheets(path: Path, origin: str, scratch: Path, form: Form) -> list[Sheet]:
    """Write every sheet that holds anything as CSV.

    Raises:
        BadDelivery: not a workbook, or an exploding one.
    """
    check_workbook(path, origin)
    try:
        with zipfile.ZipFile(path) as archive:
            strings, look = _strings(archive), _Look(*_styles(archive), _epoch(archive), form)
            written = []
            for number, (name, part) in enumerate(_parts(archive)):
                rows = _rows(archive, part, strings, look)
                target = scratch / f"sheet-{number}.csv"
                try:
                    if _write(rows, target, f"{origin} sheet {number + 1}"):
                        written.append(Sheet(name, target))
                except BadDelivery as fault:
                    written.append(Sheet(name, target, str(fault)))
    except (ParseError, KeyError, ValueError, IndexError, OverflowError, zipfile.BadZipFile):
        raise BadDelivery(f"{origin}: a damaged workbook. Save it again as .xlsx.") from None
    if not written:
        raise BadDelivery(f"{origin}: the workbook is empty. Export it again.")
    return written


def _xml(archive: zipfile.ZipFile, part: str) -> Element:
    data = archive.read(part)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("a workbook declares no entities")
    return fromstring(data)


def _parts(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Sheet names and the archive members that hold them, in the workbook's order."""
    links = {
        link.attrib["Id"]: link.attrib["Target"]
        for link in _xml(archive, "xl/_rels/workbook.xml.rels")
    }
    found = []
    for sheet in _xml(archive, "xl/workbook.xml").iter(f"{MAIN}sheet"):
        target = links[sheet.attrib[RELATION]]
        part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        found.append((sheet.attrib["name"], part))
    return found


def _strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _xml(archive, "xl/sharedStrings.xml")]


def _text(item: Element) -> str:
    """A string's runs, without the phonetic ones."""
    runs = [item, *item.findall(f"{MAIN}r")]
    return "".join(t.text or "" for run in runs for t in run.findall(f"{MAIN}t"))


@dataclass(frozen=True, slots=True)
class _Look:
    """How cells are shown: number format per style, those that show dates, day 0."""

    codes: list[str]
    dates: set[int]
    epoch: datetime
    form: Form


def _styles(archive: zipfile.ZipFile) -> tuple[list[str], set[int]]:
    """The number format of each cell style, and which styles show a number as a date or time."""
    if "xl/styles.xml" not in archive.namelist():
        return [], set()
    styles = _xml(archive, "xl/styles.xml")
    own = {int(f.attrib["numFmtId"]): f.attrib["formatCode"] for f in styles.iter(f"{MAIN}numFmt")}
    bare = {n: re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code) for n, code in own.items()}
    dated = {n for n, code in bare.items() if re.search("[dmyhs]", code.casefold())}
    cells = styles.find(f"{MAIN}cellXfs")
    used = [int(x.attrib.get("numFmtId", 0)) for x in cells] if cells is not None else []
    known = (DATE_FORMATS - set(own)) | dated
    codes = [own.get(n, BUILT_IN.get(n, "")) for n in used]
    return codes, {style for style, number in enumerate(used) if number in known}


def _epoch(archive: zipfile.ZipFile) -> datetime:
    """Day 0: Excel counts from 1900 with a 29 February that was none, or from 1904."""
    settings = _xml(archive, "xl/workbook.xml").find(f"{MAIN}workbookPr")
    since_1904 = settings is not None and settings.attrib.get("date1904") in ("1", "true")
    return datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001


def _rows(
    archive: zipfile.ZipFile, part: str, strings: list[str], look: _Look
) -> Iterator[tuple[int, dict[int, str]]]:
    """(row number, column -> text) of the rows that a sheet stores."""
    number = 0
    with archive.open(part) as source:
        for _, element in iterparse(source):
            if element.tag != f"{MAIN}row":
                continue
            before, number = number, int(element.attrib.get("r", number + 1))
            if not before < number <= MAX_ROWS:
                raise ValueError("rows out of order")
            cells: dict[int, str] = {}
            for place, cell in enumerate(element.findall(f"{MAIN}c")):
                column = _column(cell.attrib.get("r", ""), place)
                cells[column] = _value(cell, strings, look)
            yield number, {c: v for c, v in cells.items() if v != ""}
            element.clear()


def _column(reference: str, place: int) -> int:
    letters = re.match("[A-Z]+", reference)
    if not letters:
        return place
    number = 0
    for letter in letters.group():
        number = number * 26 + ord(letter) - 64
    if number > MAX_COLUMNS:
        raise ValueError("a column beyond the last")
    return number - 1


def _value(cell: Element, strings: list[str], look: _Look) -> str:
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(f"{MAIN}is")
        return _text(inline) if inline is not None else ""
    text = cell.findtext(f"{MAIN}v") or ""
    if kind == "s" and text:
        return strings[int(text)]
    if kind == "e":
        return ERROR_CELL
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(text, text)
    if kind == "d" and text:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
        return shown_day(moment, "", look.form)
    if kind != "n" or not text:
        return text
    style = int(cell.attrib.get("s", 0))
    code = look.codes[style] if style < len(look.codes) else ""
    if style in look.dates:
        return _date(text, look, code)
    return shown_number(text, code, look.form)


def _date(text: str, look: _Look, code: str) -> str:
    moment = look.epoch + timedelta(seconds=round(float(text) * 86_400))
    return moment.strftime("%H:%M:%S") if float(text) < 1 else shown_day(moment, code, look.form)


def _write(rows: Iterator[tuple[int, dict[int, str]]], target: Path, origin: str) -> bool:
    """Write the rows, left out ones as blank; False for an empty sheet."""
    header: dict[int, str] = {}
    width = done = first = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for number, cells in rows:
            if not cells:
                continue
            if ERROR_CELL in cells.values():
                raise BadDelivery(
                    f"{origin} row {number - (first or number)}: a cell holds an error. Correct "
                    "the formula, or save values."
                )
            if not header:
                header, first, done = cells, number, number
                width = max(header) + 1
                writer.writerow([header.get(c, "") for c in range(width)])
                continue
            if max(cells) >= width and len(header) == 1:
                raise BadDelivery(
                    f"{origin}: its first line holds one cell, as a title does; the line with the "
                    "names must stand first. Remove what stands above it."
                )
            if max(cells) >= width:
                raise BadDelivery(
                    f"{origin} row {number - first}: a cell right of the last column name. "
                    "Name the column, or clear the cell."
                )
            writer.writerows([[""] * width] * (number - done - 1))
            writer.writerow([cells.get(c, "") for c in range(width)])
            done = number
    return bool(header)
