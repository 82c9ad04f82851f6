"""Typed cells: Parquet and workbooks are read by type and number format, never through text.

What stands on the right was worked by hand from what a person sees in the source program.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.site import Site
from tests.support.damaged_deliveries import packed
from warehouse.intake.formats import workbook as books
from warehouse.intake.formats.typed import Form, shown_number
from warehouse.intake.raw import convert

COMMA = Site(site_id="south", decimal=",", date_format="%d.%m.%Y", timezone="Europe/Berlin")
POINT = Site(site_id="south", timezone="Europe/Berlin")
FOURTH = datetime(2020, 4, 3)  # noqa: DTZ001
NAN = float("nan")
PARQUET: dict[str, tuple[pa.Array, list[str | None], list[str | None]]] = {
    "ids as floats": (pa.array([1001.0, 7.0]), ["1001", "7"], ["1001", "7"]),
    "ids as integers": (pa.array([1001, 7]), ["1001", "7"], ["1001", "7"]),
    "ids beyond fifteen digits": (
        pa.array([9007199254740993]), ["9007199254740993"], ["9007199254740993"],
    ),
    "a missing value of pandas": (pa.array([NAN, 1.5]), [None, "1.5"], [None, "1,5"]),
    "a missing value of Arrow": (pa.array([None, 1.5]), [None, "1.5"], [None, "1,5"]),
    "a small number": (pa.array([1e-07]), ["0.0000001"], ["0,0000001"]),
    "a negative small number": (pa.array([-2.5e-05]), ["-0.000025"], ["-0,000025"]),
    "a large number": (pa.array([1e20]), ["100000000000000000000"], ["100000000000000000000"]),
    "single precision": (pa.array([0.1], pa.float32()), ["0.1"], ["0,1"]),
    "an exact decimal": (
        pa.array([Decimal("1001.00"), Decimal("0.50")]), ["1001", "0.5"], ["1001", "0,5"],
    ),
    "zero": (pa.array([0.0]), ["0"], ["0"]),
    "infinity": (pa.array([float("inf")]), ["inf"], ["inf"]),
    "a day": (pa.array([date(2020, 4, 3)]), ["2020-04-03"], ["2020-04-03 00:00:00"]),
    "a midnight": (
        pa.array([FOURTH]), ["2020-04-03"], ["2020-04-03 00:00:00"],
    ),
    "a midnight in nanoseconds": (
        pa.array([FOURTH], pa.timestamp("ns")),
        ["2020-04-03"], ["2020-04-03 00:00:00"],
    ),
    "a moment": (
        pa.array([FOURTH.replace(hour=14, minute=30)]),
        ["2020-04-03 14:30:00"], ["2020-04-03 14:30:00"],
    ),
    "midnight of Berlin in UTC, in summer": (
        pa.array([datetime(2020, 7, 1, 22, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        ["2020-07-02"], ["2020-07-02 00:00:00"],
    ),
    "midnight of Berlin in UTC, in winter": (
        pa.array([datetime(2020, 1, 1, 23, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        ["2020-01-02"], ["2020-01-02 00:00:00"],
    ),
    "yes and no": (pa.array([True, False]), ["true", "false"], ["true", "false"]),
    "text": (pa.array(["007", "1.100", ""]), ["007", "1.100", None], ["007", "1.100", None]),
    "a category": (
        pa.array(["female", "male"]).dictionary_encode(), ["female", "male"], ["female", "male"],
    ),
}  # fmt: skip


def raw(folder: Path, site: Site, name: str) -> list[str | None]:
    """The column c of what a delivery becomes."""
    (to := folder / "raw").mkdir()
    made = convert(folder / "in", site, to, "here")
    return list(pq.read_table(made.tables[name])["c"].to_pylist())


@pytest.mark.parametrize("name", PARQUET)
def test_a_typed_column_of_parquet(name: str, tmp_path: Path) -> None:
    cells, point, comma = PARQUET[name]
    (tmp_path / "in").mkdir()
    pq.write_table(
        pa.table({"patient_id": ["1"] * len(cells), "c": cells}), tmp_path / "in/labs.parquet"
    )
    assert raw(tmp_path, POINT, "labs") == point
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "in").rename(other / "in")
    assert raw(other, COMMA, "labs") == comma


def test_the_zone_of_moments_is_told(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    moments = pa.array([datetime(2020, 1, 1, 23, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"c": moments}), tmp_path / "in/labs.parquet")
    (to := tmp_path / "raw").mkdir()
    (notice,) = convert(tmp_path / "in", POINT, to, "here").notices
    assert "c holds times with a zone, read as the time in Europe/Berlin" in notice


SHOWN = [
    ("1001", "General", "1001"),
    ("1001.0", "", "1001"),
    ("7", "000", "007"),
    ("7", '"P"000', "P007"),
    ("0.05", "0%", "5%"),
    ("0.125", "0.0%", "12.5%"),
    ("1.1000000000000001", "0.00", "1.1"),
    ("1E-7", "0.00E+00", "0.0000001"),
    ("1234.5", "#,##0.00", "1234.5"),
    ("1234.5", "[Red]#,##0.00;[Blue]-0", "1234.5"),
    ("5", '0.0" mg/dL"', "5"),
    ("5", '0.0"%"', "5%"),
    ("1500", "0,", "1500 (0,)"),
    ("-3", "0.0;(0.0)", "-3"),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "code", "seen"), SHOWN)
def test_a_number_of_a_workbook_means_what_its_format_shows(
    stored: str, code: str, seen: str
) -> None:
    assert shown_number(stored, code, Form(".", "%Y-%m-%d", "UTC")) == seen


STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="5"><numFmt numFmtId="164" formatCode="000"/>
<numFmt numFmtId="165" formatCode="dd/mm/yyyy"/>
<numFmt numFmtId="166" formatCode="mmm yyyy"/><numFmt numFmtId="167" formatCode="yyyy"/>
<numFmt numFmtId="168" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>
<cellXfs count="9"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/>
<xf numFmtId="167"/><xf numFmtId="168"/>
<xf numFmtId="10"/><xf numFmtId="17"/><xf numFmtId="14"/></cellXfs></styleSheet>"""
BOOK = """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>"""
LINKS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="x" Target="worksheets/sheet1.xml"/></Relationships>"""
CELLS: dict[str, tuple[str, str, str]] = {
    "an id with zeros": ('s="1"><v>7</v>', "007", "007"),
    "a day": ('s="2"><v>43924</v>', "2020-04-03", "2020-04-03 00:00:00"),
    "a day in the program's own format": (
        's="8"><v>43924</v>', "2020-04-03", "2020-04-03 00:00:00",
    ),
    "a month": ('s="3"><v>43924</v>', "2020-04", "2020-04"),
    "a month in the program's own format": ('s="7"><v>43922</v>', "2020-04", "2020-04"),
    "a year": ('s="4"><v>43924</v>', "2020", "2020"),
    "a moment": ('s="5"><v>43924.604166666664</v>', "2020-04-03 14:30:00", "2020-04-03 14:30:00"),
    "a share": ('s="6"><v>0.05</v>', "5%", "5%"),
    "a number": ('><v>1.1000000000000001</v>', "1.1", "1,1"),
    "a day of its own type": (
        't="d"><v>2020-04-03T00:00:00</v>', "2020-04-03", "2020-04-03 00:00:00",
    ),
    "text that looks like a number": ('t="str"><v>1.100</v>', "1.100", "1.100"),
    "yes": ('t="b"><v>1</v>', "TRUE", "TRUE"),
}  # fmt: skip


def book(cell: str) -> bytes:
    """A workbook with one column c of one cell."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>c</t></is></c></row>'
        f'<row r="2"><c r="A2" {cell}</c></row></sheetData></worksheet>'
    )
    parts: Any = {
        "xl/workbook.xml": BOOK, "xl/_rels/workbook.xml.rels": LINKS, "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": sheet,
    }  # fmt: skip
    return packed(*((name, text.encode()) for name, text in parts.items()))


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_of_a_workbook_means_what_it_shows(name: str, tmp_path: Path) -> None:
    cell, point, comma = CELLS[name]
    path = tmp_path / "labs.xlsx"
    path.write_bytes(book(cell))
    for number, (site, seen) in enumerate(((POINT, point), (COMMA, comma))):
        (scratch := tmp_path / f"{number}").mkdir()
        (sheet,) = books.sheets(path, "labs.xlsx", scratch, Form.of(site))
        assert sheet.path.read_text("utf-8").splitlines()[1] == f'"{seen}"'
