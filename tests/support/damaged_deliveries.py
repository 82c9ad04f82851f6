"""Files as a centre might send them, and what reading them gives."""

import gzip
import io
import zipfile
from pathlib import Path

import duckdb
import duckdb_extension_excel
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.site import Site
from warehouse.intake.raw import convert

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
