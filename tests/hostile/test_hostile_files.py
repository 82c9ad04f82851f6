"""Damaged exports, as files: what is taken and what is refused, and never a row lost.

Each case is a set of files as a centre might send them, and what must become of it: accepted with
the cells that must be found, or refused with a message. Cells and rows that break a rule are
another matter: here a file is read or it is not.
"""

import csv
import io
from dataclasses import dataclass, field

import pytest

from schemas.errors import Y90Error
from tests.support.damaged_deliveries import (
    HEAD,
    PLAIN,
    SMALL_SHEET,
    TWO,
    deliver,
    encrypted,
    gz,
    linked,
    packed,
    parquet,
    sheet_row,
    text_cells,
    workbook,
    written_by_duckdb,
)


@dataclass(frozen=True)
class Case:
    """Files of one delivery and what must become of them."""

    files: dict
    rows: list | None = None
    refused: str = ""
    notice: str = ""
    site: dict = field(default_factory=dict)


def ok(data, rows, *, name="patients.csv", notice="", **site):
    return Case({name: data}, rows=rows, notice=notice, site=site)


def no(data, message, *, name="patients.csv", **site):
    return Case({name: data}, refused=message, site=site)


CASES = {
    # encodings
    "plain": ok(PLAIN, TWO),
    "UTF-8 with byte order mark": ok(b"\xef\xbb\xbf" + PLAIN, TWO),
    "UTF-8 with byte order mark and quoted header": ok(
        b'\xef\xbb\xbf"patient_id","sex"\n"1","female"\n', TWO[:1]
    ),
    "UTF-16, little-endian": ok(PLAIN.decode().encode("utf-16"), TWO),
    "UTF-16, big-endian": ok(b"\xfe\xff" + PLAIN.decode().encode("utf-16-be"), TWO),
    "UTF-16 cut off within a character": no(PLAIN.decode().encode("utf-16")[:-1], "neither UTF-8"),
    "UTF-16 without a mark": no(PLAIN.decode().encode("utf-16-le"), "NUL byte in the header"),
    "cp1252": ok(
        "patient_id,sex\n1,Müller – 5 µg\n".encode("cp1252"),
        [("1", "Müller – 5 µg")],
        notice="read as Windows-1252",
    ),
    "stray cp1252 byte far down a UTF-8 file": ok(
        PLAIN * 1 + b"3,caf\xe9\n", [*TWO, ("3", "café")], notice="read as Windows-1252"
    ),
    "a byte that is in no encoding": no(
        b"patient_id,sex\n1,\x81\xff\n", "neither UTF-8 nor cp1252"
    ),
    "not UTF-8 though the site file says so": no(
        b"patient_id,sex\n1,\xe9\n", "not UTF-8, though", encoding="utf-8"
    ),
    "latin-1 by site file": ok(b"patient_id,sex\n1,\xe9\n", [("1", "é")], encoding="latin-1"),
    "a NUL byte": no(b"patient_id,sex\n1,f\n2,m\0\n", "row 2: a NUL byte"),
    "a NUL byte after a quoted line break": no(
        b'patient_id,sex\n1,"a\nb"\n2,m\0\n', "row 2: a NUL byte"
    ),
    # delimiters and line breaks
    "semicolons": ok(PLAIN.replace(b",", b";"), TWO),
    "tabs": ok(PLAIN.replace(b",", b"\t"), TWO),
    "bars": ok(PLAIN.replace(b",", b"|"), TWO),
    "semicolons with decimal commas": ok(
        b"patient_id;sex\n1;1,5\n2;2,5\n", [("1", "1,5"), ("2", "2,5")]
    ),
    "a line naming the separator": ok(b"sep=;\r\npatient_id;sex\r\n1;female\r\n", TWO[:1]),
    "delimiter by site file": ok(b"patient_id^sex\n1^a,b;c\n", [("1", "a,b;c")], delimiter="^"),
    "one column": ok(b"patient_id\n1\n2\n", [("1",), ("2",)]),
    "one column with a blank line": ok(b"patient_id\n1\n\n2\n", [("1",), (None,), ("2",)]),
    "CRLF": ok(PLAIN.replace(b"\n", b"\r\n"), TWO),
    "CR alone": ok(PLAIN.replace(b"\n", b"\r"), TWO),
    "CRLF and LF mixed": ok(b"patient_id,sex\r\n1,female\n2,male\r\n", TWO),
    "CRLF with LF inside quotes": ok(b'patient_id,sex\r\n1,"a\nb"\r\n', [("1", "a\nb")]),
    "no line break at the end": ok(PLAIN[:-1], TWO, notice="ends in row 2 without a line break"),
    "cut off inside the last cell": ok(
        PLAIN[:-4], [TWO[0], ("2", "m")], notice="ends in row 2 without a line break"
    ),
    "cut off after the last delimiter": ok(
        PLAIN[:-5], [TWO[0], ("2", None)], notice="ends in row 2 without a line break"
    ),
    "cut off before a delimiter": ok(
        PLAIN[:-6], [TWO[0], ("2", None)], notice="ends in row 2 without a line break"
    ),
    "cut off inside a quoted cell": no(
        PLAIN[:-5] + b'"ma', "row 2: a quote is opened and never closed"
    ),
    "cut off between rows": ok(PLAIN[:-7], TWO[:1]),
    "too few fields in the last whole row": no(PLAIN + b"3\n", "row 3: too few fields"),
    "blank lines in between and at the end": ok(
        b"patient_id,sex\n1,female\n\n2,male\n\n", [TWO[0], (None, None), TWO[1], (None, None)]
    ),
    "blank CRLF line": ok(
        b"patient_id,sex\r\n1,female\r\n\r\n2,male\r\n", [TWO[0], (None, None), TWO[1]]
    ),
    "rows of delimiters only": ok(b"patient_id,sex\n1,female\n,\n", [TWO[0], (None, None)]),
    # quotes
    "line break and delimiter in quotes": ok(
        b'patient_id,sex\n1,"a,\n\n""b"""\n', [("1", 'a,\n\n"b"')]
    ),
    "a quote inside an unquoted field": ok(
        b'patient_id,sex\n1,5" tall\n2,6" tall\n', [("1", '5" tall'), ("2", '6" tall')]
    ),
    "a quote not doubled in a quoted field": no(
        b'patient_id,sex\n1,"a "b" c"\n2,male\n', "row 1: a quote stands inside"
    ),
    "a quote never closed": no(
        b'patient_id,sex\n1,female\n2,"male\n3,male\n', "row 2: a quote is opened"
    ),
    "a quote never closed in the header": no(
        b'patient_id,"sex\n1,female\n', "header is never closed"
    ),
    # truncation
    "cut off within a row": no(PLAIN[:-6] + b"\n3", "row 3: the file is cut off"),
    "an empty file": no(b"", "the file is empty"),
    "only a byte order mark": no(b"\xef\xbb\xbf", "first line is blank"),
    "only blank lines": no(b"\n\n\n", "first line is blank"),
    "header only": ok(b"patient_id,sex\n", []),
    "header only without line break": ok(
        b"patient_id,sex", [], notice="ends in the header without a line break"
    ),
    "a header cut off": ok(b"patient_id,se", [], notice="ends in the header without a line break"),
    # headers
    "a column without name": no(b"patient_id,,sex\n1,2,3\n", "column 2 has no name"),
    "a first column without name, as R's write.csv writes": ok(
        b'"","patient_id","sex"\n"1","1","female"\n"2","2","male"\n',
        [("1", *TWO[0]), ("2", *TWO[1])],
        notice="the first column has no name and is taken as unnamed_column_1",
    ),
    "a first column without name, as pandas' to_csv writes": ok(
        b",patient_id,sex\n0,1,female\n1,2,male\n",
        [("0", *TWO[0]), ("1", *TWO[1])],
        notice="the first column has no name",
    ),
    "two first columns without name": ok(
        b";;patient_id\na;0;1\nb;1;2\n",
        [("a", "0", "1"), ("b", "1", "2")],
        notice="unnamed_column_1, unnamed_column_2",
    ),
    "a later column without name too": no(b",patient_id,,sex\n0,1,2,3\n", "column 3 has no name"),
    "a first column without name beside one of the made-up name": no(
        b",unnamed_column_1\n0,1\n", "column 2 has the name of another"
    ),
    "a name twice": no(b"sex,patient_id,sex\n1,2,3\n", "column 3 has the name of another"),
    "names that differ in case only": no(b"patient_id,Sex,sex\n1,2,3\n", "more than case"),
    "spaces around names": ok(b" patient_id , sex\n1,female\n", TWO[:1]),
    "values in place of names": no(b"1,2026-02-03\n2,2026-02-04\n", "values, not names"),
    "a name that is ours": no(b"patient_id,source_row\n1,2\n", "source_row is reserved"),
    "names with quotes and spaces": ok(b'patient_id,"say ""sex"""\n1,female\n', TWO[:1]),
    # ragged rows
    "too few fields": no(b"patient_id,sex\n1,female\n2\n", "row 2: too few fields"),
    "too many fields": no(b"patient_id,sex\n1,female,x\n", "row 1: too many fields"),
    "every ragged row is named": no(b"patient_id,sex\n1\n2,male\n3\n", r"row 1.*\n.*row 3"),
    "a blank field too many does no harm": ok(b"patient_id,sex\n1,female,\n2,male,\n", TWO),
    "too many fields behind a blank one, after CRLF": no(
        b"patient_id,sex\r\n1,female\r\n2,,7\r\n", "row 2: too many fields"
    ),
    "one field too few and one too many": no(
        b"patient_id,sex\n1\n2,male,x\n", r"row 1: too few.*\n.*row 2: too many"
    ),
    "a line of spaces": no(b"patient_id,sex\n1,female\n  \n", "row 2: too few fields"),
    # what the file is not
    "a workbook named .csv": no(workbook(a=SMALL_SHEET), "a zip archive or a workbook"),
    "a gzip archive named .csv": no(gz(PLAIN), "this is a gzip archive"),
    "a Parquet file named .csv": no(parquet(patient_id=["1"]), "this is a Parquet file"),
    "an old workbook named .csv": no(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    "a login page saved as .csv": no(b"<!DOCTYPE html>\n<html></html>\n", "this is a web page"),
    # archives
    "gzip": ok(gz(PLAIN), TWO, name="patients.csv.gz"),
    "gzip cut off": no(gz(PLAIN)[:-9], "cut off or damaged", name="patients.csv.gz"),
    "gzip with a wrong checksum": no(
        gz(PLAIN)[:-8] + b"\0" * 8, "cut off or damaged", name="patients.csv.gz"
    ),
    "text named .gz": no(PLAIN, "cut off or damaged", name="patients.csv.gz"),
    "zip": ok(packed(("patients.csv", PLAIN)), TWO, name="export.zip"),
    "zip with folders and what macOS leaves": ok(
        packed(("e/patients.csv", PLAIN), ("__MACOSX/e/._patients.csv", b"\0"), ("e/.x", b"")),
        TWO,
        name="export.zip",
    ),
    "zip cut off": no(packed(("patients.csv", PLAIN))[:-30], "cut off, damaged", name="e.zip"),
    "zip with a damaged member": no(
        packed(("patients.csv", PLAIN)).replace(b"\x4b\x2c", b"\x4b\x2d", 1)[:40]
        + b"\xff" * 9
        + packed(("patients.csv", PLAIN))[49:],
        "cut off, damaged",
        name="e.zip",
    ),
    "zip with a password": no(encrypted(), "protected by a password", name="e.zip"),
    "zip in a zip": no(
        packed(("in.zip", packed(("patients.csv", PLAIN)))), "another archive", name="e.zip"
    ),
    "zip with a symbolic link": no(linked(), "a symbolic link", name="e.zip"),
    "zip with nothing of ours": no(packed(("x.csv", PLAIN)), "no table that", name="e.zip"),
    "another kind of archive": no(b"7z\xbc\xaf", "an archive that is not read", name="e.7z"),
    "the same table twice": Case(
        {"patients.csv": PLAIN, "patients.csv.gz": gz(PLAIN)}, refused="the same table as"
    ),
    "the same table twice in folders": Case(
        {"a/patients.csv": PLAIN, "b/patients.csv": PLAIN}, refused="the same table as"
    ),
    "a declared file that is missing": Case(
        {"patients.csv": PLAIN},
        refused="labs: declared in the site file, but missing",
        site={"tables": {"labs": [{"file": "labs.csv"}]}},
    ),
    # workbooks
    "an old workbook": no(b"\xd0\xcf\x11\xe0", "old Excel workbook", name="patients.xls"),
    "a workbook whose title stands above the names": no(
        workbook(
            Sheet1=sheet_row(1, text_cells("Our patients")) + SMALL_SHEET.replace('r="', 'r="1')
        ),
        "its first line holds one cell",
        name="patients.xlsx",
    ),
    "a workbook of sheets that are not ours": no(
        workbook(Patient=SMALL_SHEET, Notes=HEAD), "Did you mean patients?", name="export.xlsx"
    ),
    "a workbook": ok(workbook(Sheet1=SMALL_SHEET), TWO, name="patients.xlsx"),
    "a workbook of several sheets": ok(
        workbook(patients=SMALL_SHEET, labs=HEAD), TWO, name="export.xlsx"
    ),
    "dates are told from numbers by their style": ok(
        workbook(
            s=HEAD
            + sheet_row(2, '<c r="A2"><v>46056</v></c><c r="B2" s="1"><v>46056</v></c>')
            + sheet_row(
                3, '<c r="A3" s="3"><v>1.1000000000000001</v></c><c r="B3" s="2"><v>46056.5</v></c>'
            )
        ),
        [("46056", "2026-02-03"), ("1.1", "2026-02-03 12:00:00")],
        name="patients.xlsx",
    ),
    "a row that the sheet leaves out": ok(
        workbook(s=HEAD + sheet_row(4, text_cells("2", "male"))),
        [(None, None), (None, None), TWO[1]],
        name="patients.xlsx",
    ),
    "a workbook's first column without name, as pandas' to_excel writes": ok(
        workbook(
            s=sheet_row(1, '<c r="B1" t="inlineStr"><is><t>patient_id</t></is></c>')
            + sheet_row(2, '<c r="A2"><v>0</v></c><c r="B2"><v>1</v></c>')
        ),
        [("0", "1")],
        name="patients.xlsx",
        notice="the first column has no name",
    ),
    "a sheet whose name has capitals": ok(
        workbook(Patients=SMALL_SHEET, Notes=HEAD),
        TWO,
        name="export.xlsx",
        notice="Notes: not declared",
    ),
    "a file whose name has capitals": ok(PLAIN, TWO, name="PATIENTS.CSV"),
    "a sheet and a file that are one table": Case(
        {"patients.csv": PLAIN, "book.xlsx": workbook(Patients=SMALL_SHEET, Notes=HEAD)},
        refused="the same table as",
    ),
    "an error in a cell": no(
        workbook(s=HEAD + sheet_row(2, text_cells("1") + '<c t="e"><v>#REF!</v></c>')),
        "row 1: a cell holds an error",
        name="patients.xlsx",
    ),
    "a cell right of the header": no(
        workbook(s=HEAD + sheet_row(2, text_cells("1", "female", "x"))),
        "row 1: a cell right of the last column name",
        name="patients.xlsx",
    ),
    "a cell right of the header of a sheet that is no table": ok(
        workbook(patients=SMALL_SHEET, Notes=HEAD + sheet_row(2, text_cells("1", "female", "see"))),
        TWO,
        name="export.xlsx",
        notice="Notes: not declared",
    ),
    "an error in a sheet that is no table": ok(
        workbook(patients=SMALL_SHEET, Notes=HEAD + sheet_row(2, '<c t="e"><v>#REF!</v></c>')),
        TWO,
        name="export.xlsx",
        notice="Notes: not declared",
    ),
    "a cell right of the header of a sheet that is one of our tables": no(
        workbook(patients=SMALL_SHEET, Labs=HEAD + sheet_row(2, text_cells("1", "x", "see"))),
        "sheet 2 row 1: a cell right of the last column name",
        name="export.xlsx",
    ),
    "an empty workbook": no(workbook(s=""), "the workbook is empty", name="patients.xlsx"),
    "an old workbook named .xlsx": no(
        b"\xd0\xcf\x11\xe0" * 8, "not a workbook", name="patients.xlsx"
    ),
    "a workbook cut off": no(workbook(s=SMALL_SHEET)[:-40], "not a workbook", name="patients.xlsx"),
    "a workbook that declares entities": no(
        packed(("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')),
        "a damaged workbook",
        name="patients.xlsx",
    ),
    # Parquet
    "Parquet": ok(
        parquet(patient_id=["1", "2"], sex=["female", "male"]), TWO, name="patients.parquet"
    ),
    "Parquet with types": ok(
        parquet(patient_id=[1, 2], sex=[1.5, None]),
        [("1", "1.5"), ("2", None)],
        name="patients.parquet",
    ),
    "Parquet whose first column has no name": ok(
        parquet(**{"": ["0", "1"], "patient_id": ["1", "2"]}),
        [("0", "1"), ("1", "2")],
        name="patients.parquet",
        notice="the first column has no name",
    ),
    "Parquet cut off": no(
        parquet(patient_id=["1"])[:-5], "not a Parquet file", name="patients.parquet"
    ),
    "Parquet with lists": no(
        parquet(patient_id=[["1"]]), "column patient_id is nested", name="patients.parquet"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_export_is_accepted_or_refused_as_a_whole(tmp_path, name):
    case = CASES[name]
    if case.refused:
        with pytest.raises(Y90Error, match=f"(?s){case.refused}") as caught:
            deliver(tmp_path, case.files, **case.site)
        assert caught.value.exit_code == 2
        assert str(caught.value).startswith("north/2026-02-01: ")
        assert "female" not in str(caught.value)
        return
    tables, notices = deliver(tmp_path, case.files, **case.site)
    assert tables["patients"] == case.rows
    assert [case.notice in n for n in notices] == ([True] if case.notice else [])


def test_a_workbook_of_another_program_is_read_as_text(tmp_path):
    tables, _ = deliver(tmp_path, {"patients.xlsx": written_by_duckdb(tmp_path)})
    assert tables["patients"] == [("007", "2026-02-03", "1.1", "TRUE")]


def test_a_file_is_cut_between_records_and_no_row_is_lost_at_a_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("warehouse.intake.formats.records.SLICE_BYTES", 100)
    monkeypatch.setattr("warehouse.intake.formats.records.CHUNK", 64)
    rows = [(str(n), f'note "{n}",\nof {"long " * (n % 7)}\r\nend') for n in range(500)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("patient_id", "sex"), *rows])
    tables, _ = deliver(tmp_path, {"patients.csv": out.getvalue().encode()})
    assert tables["patients"] == rows
