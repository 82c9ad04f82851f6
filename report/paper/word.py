"""Word documents: real tables, captions that count, and numbers that know their statistic.

Each number is a content control whose title and tag are its label; a map of all labels lies in the
document too. The bytes are the same for the same release.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part as Package
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from report.figures.model import Number, Table
from report.figures.source import journal, worded
from report.figures.words import spelled
from report.paper.blocks import Block, Heading, Paragraph
from report.paper.exhibits import Numbered
from report.paper.lock import label
from report.paper.parts import Text, of_cell, prose

NAMESPACE = "urn:y90-outcomes:numbers:1"
CUSTOM_XML = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"
EPOCH = (1980, 1, 1, 0, 0, 0)
MARGIN_MM, TEXT_MM = 20, 170
"""Margin left and right, and width of the text of a page that stands."""
WIDE_COLUMNS = 6
"""A table of more columns has a page on its side, where it has a page of its own."""
NAME = re.compile(r"(\w+) (S?)(\d+)([a-z]?)")
LABEL_LETTERS, NUMBER_LETTERS = 20, 9
"""The least width of a table's first column and of the others, in letters."""
SMALL = Pt(8)
IN_TABLE = "Table Text"
"""Style of what stands in a cell, so that a journal's own can be put in its place."""


class Word:
    """One document that is being written."""

    def __init__(self, title: str, day: date, source: str) -> None:
        """Begin.

        Args:
            title: its title.
            day: when the release's night was: the date that the file carries.
            source: what stands at the foot of every page.
        """
        self._document: Any = Document()
        self._numbers: dict[str, Number] = {}
        self._controls = 0
        self._across = TEXT_MM
        core = self._document.core_properties
        core.title, core.author, core.comments = title, "", ""
        core.created = core.modified = datetime(day.year, day.month, day.day, tzinfo=UTC)
        section = self._document.sections[0]
        section.left_margin = section.right_margin = Mm(MARGIN_MM)
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.footer.paragraphs[0].add_run(source).font.size = SMALL
        in_table = self._document.styles.add_style(IN_TABLE, WD_STYLE_TYPE.PARAGRAPH)
        in_table.base_style = self._document.styles["Normal"]
        in_table.font.size = SMALL
        in_table.paragraph_format.space_after = Pt(0)
        self._in_table = in_table.style_id
        normal = self._document.styles["Normal"].font
        normal.name, normal.size = journal().font, Pt(journal().size_pt)

    def add(self, block: Block, pictures: Mapping[str, bytes], source: str) -> None:
        """Write a heading, a paragraph, a table or a figure.

        Args:
            block: what is written.
            pictures: PNG of each figure by its number.
            source: what stands below a table or figure.
        """
        if isinstance(block, Heading):
            self._document.add_heading(block.text, block.level)
        elif isinstance(block, Paragraph):
            self._written(self._document.add_paragraph(), block.text, bold=block.todo)
        else:
            self._exhibit(block, pictures.get(block.number), source)

    def page(self, *, wide: bool, first: bool = False) -> None:
        """Begin a page, on its side for a wide table; the first one is there already."""
        section = self._document.sections[0] if first else self._document.add_section()
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        across, down = (297, 210) if wide else (210, 297)
        section.page_width, section.page_height = Mm(across), Mm(down)
        self._across = across - 2 * MARGIN_MM

    def written(self) -> bytes:
        """The file; the same bytes for the same content."""
        package = self._document.part.package
        place = PackURI("/customXml/numbers.xml")
        part = Package(place, "application/xml", self._map().encode(), package)
        self._document.part.relate_to(part, CUSTOM_XML)
        target = io.BytesIO()
        self._document.save(target)
        return _packed(target.getvalue())

    def _map(self) -> str:
        entries = "".join(
            f"<number label={quoteattr(name)} statistic={quoteattr(n.statistic_id)} "
            f'field={quoteattr(n.field)} scale="{n.scale}"/>'
            for name, n in sorted(self._numbers.items())
        )
        return f'<numbers xmlns="{NAMESPACE}">{entries}</numbers>'

    def _exhibit(self, item: Numbered, picture: bytes | None, source: str) -> None:
        exhibit = item.exhibit
        if item.is_table:
            self._caption(item)
        if exhibit.empty:
            self._small(exhibit.empty)
        elif isinstance(exhibit, Table):
            self._table(exhibit)
        elif picture:
            shown = self._document.add_picture(io.BytesIO(picture), width=Mm(TEXT_MM))
            about = shown._inline.docPr  # python-docx has no name for it
            about.set("descr", exhibit.description or exhibit.title)
            about.set("name", item.name)
        if not item.is_table:
            self._caption(item)
        for note in (*exhibit.notes, spelled(exhibit.abbreviations), source):
            self._small(note)

    def _caption(self, item: Numbered) -> None:
        paragraph = self._document.add_paragraph(style="Caption")
        paragraph.paragraph_format.keep_with_next = item.is_table
        said = NAME.fullmatch(item.name)
        assert said is not None, f"{item.name} is no name of a figure or table"
        kind, further, number, letter = said.groups()
        paragraph.add_run(f"{kind} {further}")
        field = OxmlElement("w:fldSimple")
        # \r: the number that the text refers to, whatever stands before
        field.set(qn("w:instr"), f" SEQ {kind}{further} \\* ARABIC \\r {number} ")
        field.append(_run(number))
        paragraph._p.append(field)
        paragraph.add_run(worded(f"{letter}. {item.exhibit.title}"))

    def _small(self, text: str) -> None:
        if text:
            paragraph = self._document.add_paragraph()
            paragraph.paragraph_format.space_after = Pt(2)
            paragraph.add_run(worded(text)).font.size = SMALL

    def _table(self, table: Table) -> None:
        wide = len(table.columns)
        made = self._document.add_table(rows=0, cols=wide, style="Table Grid")
        made.autofit = False
        widths = _widths(table, self._across)
        for column, width in zip(made.columns, widths, strict=True):
            column.width = width
        self._row(made, [(prose(c), True) for c in table.columns], widths, head=True)
        for row in table.rows:
            numbers = row.numbers or ((),) * wide
            cells = [of_cell(c, n) for c, n in zip(row.cells, numbers, strict=True)]
            written = self._row(made, [(c, row.heading) for c in cells], widths, depth=row.depth)
            if row.heading and not any(row.cells[1:]):
                written[0].merge(written[-1])

    def _row(
        self,
        made: Any,
        cells: list[tuple[Text, bool]],
        widths: list[Any],
        *,
        head: bool = False,
        depth: int = 0,
    ) -> Any:
        row = made.add_row()
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if head:
            properties.append(OxmlElement("w:tblHeader"))
        written = row.cells
        for place, (cell, (text, bold)) in enumerate(zip(written, cells, strict=True)):
            cell.width = widths[place]
            paragraph = cell.paragraphs[0]
            paragraph._p.style = self._in_table  # by its id: by name all styles are searched
            if depth and not place:
                paragraph.paragraph_format.left_indent = Mm(3 * (depth - 1))
            self._written(paragraph, text, bold=bold)
        return written

    def _written(self, paragraph: Any, text: Text, *, bold: bool = False) -> None:
        for part in text:
            if part.number is None:
                paragraph.add_run(part.text).bold = bold or None
            else:
                paragraph._p.append(self._control(part.number))

    def _control(self, number: Number) -> Any:
        """A content control that holds one number."""
        name = label(number)
        self._numbers[name] = number
        self._controls += 1
        control, properties = OxmlElement("w:sdt"), OxmlElement("w:sdtPr")
        for tag, value in (("w:alias", name), ("w:tag", name), ("w:id", str(self._controls))):
            element = OxmlElement(tag)
            element.set(qn("w:val"), value)
            properties.append(element)
        properties.append(OxmlElement("w:text"))
        content = OxmlElement("w:sdtContent")
        content.append(_run(number.text))
        control.append(properties)
        control.append(content)
        return control


def _run(text: str) -> Any:
    run, written = OxmlElement("w:r"), OxmlElement("w:t")
    written.text = text
    written.set(qn("xml:space"), "preserve")
    run.append(written)
    return run


def _widths(table: Table, across: int) -> list[Any]:
    """Widths of columns by their longest text; so many millimetres in all."""
    longest = [
        max([len(head), *(len(row.cells[i]) for row in table.rows if not row.heading)])
        for i, head in enumerate(table.columns)
    ]
    least = [LABEL_LETTERS, *[NUMBER_LETTERS] * (len(longest) - 1)]
    share = [min(max(n, few), 45) for n, few in zip(longest, least, strict=True)]
    return [Mm(round(across * n / sum(share), 1)) for n in share]


def is_wide(item: Numbered) -> bool:
    """Whether a table needs a page on its side."""
    exhibit = item.exhibit
    return isinstance(exhibit, Table) and len(exhibit.columns) > WIDE_COLUMNS


def document(
    blocks: Iterable[Block],
    pictures: Mapping[str, bytes],
    title: str,
    day: date,
    source: str,
) -> bytes:
    """Return blocks as one document."""
    word = Word(title, day, source)
    for block in blocks:
        word.add(block, pictures, source)
    return word.written()


def tables(items: Iterable[Numbered], title: str, day: date, source: str) -> bytes:
    """Return each table on a page of its own."""
    word = Word(title, day, source)
    for place, item in enumerate(items):
        word.page(wide=is_wide(item), first=not place)
        word.add(item, {}, source)
    return word.written()


def _packed(data: bytes) -> bytes:
    """The same archive without the time at which it was written."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return target.getvalue()
