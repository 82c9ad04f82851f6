"""Damaged exports, as files: what is taken and what is refused, and never a row lost.

Each case is a set of files as a centre might send them, and what must become of it: accepted with
the cells that must be found, or refused with a message. Cells and rows that break a rule are
another matter: here a file is read or it is not.
"""

import csv
import gzip
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import duckdb_extension_excel
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import Y90Error
from schemas.site import Site
from warehouse.raw import convert

PLAIN = b"patient_id,sex\n1,female\n2,male\n"
TWO = [("1", "female"), ("2", "male")]


def gz(data):
    return gzip.compress(data, mtime=0)


def packed(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def encrypted():
    """An archive whose member says that it needs a password."""
    data = bytearray(packed(("patients.csv", PLAIN)))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + place] |= 1
    return bytes(data)


def linked():
    """An archive with a symbolic link as Unix packs it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("patients.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def parquet(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


SHEET = """<?xml version="1.0" encoding="UTF-8"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData>
</worksheet>"""
BOOK = """<?xml version="1.0" encoding="UTF-8"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{}</sheets>
</workbook>"""
LINKS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}
</Relationships>"""
STYLES = """<?xml version="1.0" encoding="UTF-8"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>
<numFmt numFmtId="165" formatCode="0.0&quot; mm&quot;"/></numFmts>
<cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>
</cellXfs></styleSheet>"""


def workbook(**rows):
    """A workbook of sheets, each given as the XML of its rows."""
    sheets = list(rows.items())
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    book = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{kind}" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    return packed(
        ("xl/workbook.xml", BOOK.format(book).encode()),
        ("xl/_rels/workbook.xml.rels", LINKS.format(links).encode()),
        ("xl/styles.xml", STYLES.encode()),
        *(
            (f"xl/worksheets/sheet{n}.xml", SHEET.format(xml).encode())
            for n, (_, xml) in enumerate(sheets, 1)
        ),
    )


def text_cells(*values):
    return "".join(f'<c t="inlineStr"><is><t>{v}</t></is></c>' for v in values)


def sheet_row(number, cells):
    return f'<row r="{number}">{cells}</row>'


HEAD = sheet_row(1, text_cells("patient_id", "sex"))
SMALL_SHEET = HEAD + sheet_row(2, text_cells("1", "female")) + sheet_row(3, text_cells("2", "male"))


def written_by_duckdb(tmp_path):
    """A workbook as another program writes it."""
    (found,) = Path(duckdb_extension_excel.__file__).parent.rglob("*.duckdb_extension")
    target = tmp_path / "patients.xlsx"
    with duckdb.connect() as con:
        con.execute(f"LOAD '{found}'")
        con.execute(
            "COPY (SELECT '007' AS patient_id, DATE '2026-02-03' AS diagnosis_date, 1.1 AS"
            f" ki67_pct, true AS functioning) TO '{target}' (FORMAT xlsx, HEADER true)"
        )
    return target.read_bytes()


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
    "no line break at the end": ok(PLAIN[:-1], TWO),
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
    "cut off within a row": no(PLAIN[:-6] + b"\n3", "row 3: too few fields"),
    "an empty file": no(b"", "the file is empty"),
    "only a byte order mark": no(b"\xef\xbb\xbf", "first line is blank"),
    "only blank lines": no(b"\n\n\n", "first line is blank"),
    "header only": ok(b"patient_id,sex\n", []),
    "header only without line break": ok(b"patient_id,sex", []),
    # headers
    "a column without name": no(b"patient_id,,sex\n1,2,3\n", "column 2 has no name"),
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
    "Parquet cut off": no(
        parquet(patient_id=["1"])[:-5], "not a Parquet file", name="patients.parquet"
    ),
    "Parquet with lists": no(
        parquet(patient_id=[["1"]]), "column patient_id is nested", name="patients.parquet"
    ),
}


def deliver(tmp_path, files, **site):
    """Read a delivery; the raw tables by name as lists of rows without provenance, and notices."""
    payload, to = tmp_path / "payload", tmp_path / "to"
    to.mkdir()
    for name, data in files.items():
        path = payload / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    made = convert(payload, Site(site_id="north", **site), to, "north/2026-02-01")
    assert sorted(p.name for p in to.iterdir()) == sorted(p.name for p in made.tables.values())
    tables = {}
    for name, path in made.tables.items():
        table = pq.read_table(path)
        assert table["source_row"].to_pylist() == list(range(1, table.num_rows + 1))
        cells = table.drop_columns(["source_file", "source_row"])
        tables[name] = [tuple(row.values()) for row in cells.to_pylist()]
    return tables, made.notices


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
    monkeypatch.setattr("warehouse.delimited.SLICE_BYTES", 100)
    monkeypatch.setattr("warehouse.delimited.CHUNK", 64)
    rows = [(str(n), f'note "{n}",\nof {"long " * (n % 7)}\r\nend') for n in range(500)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("patient_id", "sex"), *rows])
    tables, _ = deliver(tmp_path, {"patients.csv": out.getvalue().encode()})
    assert tables["patients"] == rows


QUICK = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PIECES = st.sampled_from(
    [
        b"1",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b'""',
        b"x",
        b" ",
        b"\xe9",
        b"\0",
        b"\xef",
    ]
)


@QUICK
@given(st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=60))
@example(b",,1\r\n")
@example(b'1,"x"\n2,3" \n4,5"\n')
@example(b'1,"x" \n\n2,3\n')
@example(b'"1",\n,"2\r"\r3,4\n')
def test_any_bytes_are_accepted_without_a_lost_row_or_refused(tmp_path_factory, data):
    try:
        tables, _ = deliver(
            tmp_path_factory.mktemp("fuzz"), {"patients.csv": b"patient_id,sex\n" + data}
        )
    except Y90Error:
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(tables["patients"]) == len(rows)
    filled = [[c.strip(' "') for c in row if c.strip(' "')] for row in rows]
    found = [[c.strip(' "') for c in row if c and c.strip(' "')] for row in tables["patients"]]
    assert found == filled


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)


@QUICK
@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_stands_in_the_cells_comes_back(tmp_path_factory, rows, delimiter, end, encoding):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("patient_id", "sex", "tumour_grade"), *rows])
    tables, _ = deliver(
        tmp_path_factory.mktemp("cells"),
        {"patients.csv": out.getvalue().encode(encoding)},
        delimiter=delimiter,
    )
    assert tables["patients"] == [tuple(c or None for c in row) for row in rows]


@QUICK
@given(
    st.binary(max_size=200), st.integers(0, 500), st.sampled_from(["gz", "zip", "xlsx", "parquet"])
)
def test_a_damaged_container_is_refused_or_whole(tmp_path_factory, junk, place, kind):
    whole = {
        "gz": ("patients.csv.gz", gz(PLAIN)),
        "zip": ("export.zip", packed(("patients.csv", PLAIN))),
        "xlsx": ("patients.xlsx", workbook(s=SMALL_SHEET)),
        "parquet": ("patients.parquet", parquet(patient_id=["1", "2"], sex=["female", "male"])),
    }
    name, data = whole[kind]
    place %= len(data)
    damaged = data[:place] + junk + data[place + len(junk) :]
    try:
        tables, _ = deliver(tmp_path_factory.mktemp("damage"), {name: damaged})
    except Y90Error:
        return
    if kind != "parquet":  # it has no checksums, so a damaged value cannot be told
        assert tables["patients"] == TWO
