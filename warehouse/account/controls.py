"""The numbers in a Word document: content controls whose title is a label of numbers.lock.

The title is read before the tag: LibreOffice keeps titles and drops tags.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from schemas.errors import Refused

LABEL = re.compile(r"k[0-9a-f]{16}")
MAIN = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True, slots=True)
class Control:
    """A number in a document: its label, what is printed, and the paragraph around it."""

    label: str
    text: str
    paragraph: int
    sentence: str


def read(path: Path) -> list[Control]:
    """Every number of a document, in order.

    Raises:
        Refused: the file is no Word document.
    """
    found = []
    for place, paragraph in enumerate(_tree(path).iter(f"{_W}p"), 1):
        sentence = " ".join("".join(_texts(paragraph)).split())
        for control in paragraph.iter(f"{_W}sdt"):
            if label := _label(control):
                found.append(Control(label, "".join(_texts(control)), place, sentence))
    return found


def rewritten(path: Path, texts: Mapping[str, str]) -> bytes:
    """The document with other texts in its controls, and everything else as it was.

    Args:
        path: the document.
        texts: label -> what is printed now; a control that is not named stays.
    """
    tree = _tree(path)
    for control in tree.iter(f"{_W}sdt"):
        text = texts.get(_label(control) or "")
        if text is not None:
            first, *others = control.iter(f"{_W}t")
            first.text = text
            for other in others:
                other.text = ""
    target = io.BytesIO()
    body = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = body if entry.filename == MAIN else old.read(entry)
            new.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _tree(path: Path) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        with zipfile.ZipFile(path) as archive:
            return etree.fromstring(archive.read(MAIN), parser)
    except (OSError, KeyError, zipfile.BadZipFile, etree.XMLSyntaxError):
        raise Refused(f"{path}: not a Word document. Name a .docx file.") from None


def _label(control: Any) -> str | None:
    for name in ("alias", "tag"):
        for element in control.iterfind(f"{_W}sdtPr/{_W}{name}"):
            if LABEL.fullmatch(value := element.get(f"{_W}val", "")):
                return value
    return None


def _texts(element: Any) -> Iterator[str]:
    return (t.text or "" for t in element.iter(f"{_W}t"))
