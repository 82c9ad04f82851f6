"""What ECMA-376 (Office Open XML, part 1, 17 and 21) asks of the parts that a document is made of.

The schemas of the standard are in no package that could be locked, so the rules for what we write
are written down here: order of children, references, widths and ids.
"""

import posixpath
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
ORDER = {
    "sdt": ("sdtPr", "sdtEndPr", "sdtContent"),
    "sdtPr": ("rPr", "alias", "tag", "id", "lock", "placeholder", "text"),
    "tbl": ("tblPr", "tblGrid", "tr"),
    "tr": ("tblPrEx", "trPr", "tc"),
    "tc": ("tcPr", "p"),
    "tcPr": ("tcW", "gridSpan", "vMerge", "tcBorders", "shd"),
    "pPr": ("pStyle", "keepNext", "keepLines", "pageBreakBefore", "spacing", "ind", "jc", "sectPr"),
    "r": ("rPr",),
    "rPr": ("rFonts", "b", "i", "color", "sz", "szCs"),
}
"""Element -> children that stand in this order; others are not asked for."""


def faults(path: Path) -> list[str]:
    """What is wrong with a document; nothing where it is as the standard asks."""
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        told = list(_types(fromstring(package.read("[Content_Types].xml")), names))
        body = fromstring(package.read("word/document.xml"))
        links = fromstring(package.read("word/_rels/document.xml.rels"))
        styles = fromstring(package.read("word/styles.xml"))
    return [
        *told,
        *_linked(body, links, names),
        *_ordered(body),
        *_tables(body),
        *_named(body, styles),
    ]


def _types(types: Element, names: set[str]) -> Iterator[str]:
    endings = {str(e.get("Extension")) for e in types.iter(f"{TYPES}Default")}
    parts = {str(e.get("PartName")).lstrip("/") for e in types.iter(f"{TYPES}Override")}
    yield from (f"{p}: named in the types and not there" for p in parts - names)
    for name in names - parts - {"[Content_Types].xml"}:
        if name.rpartition(".")[2] not in endings:
            yield f"{name}: has no content type"


def _linked(body: Element, links: Element, names: set[str]) -> Iterator[str]:
    targets = {str(e.get("Id")): e for e in links}
    asked = {v for e in body.iter() for k, v in e.attrib.items() if k.startswith(R)}
    yield from (f"{a}: refers to nothing" for a in asked - targets.keys())
    for name, e in targets.items():
        place = posixpath.normpath(posixpath.join("word", str(e.get("Target")))).lstrip("/")
        if e.get("TargetMode") != "External" and place not in names:
            yield f"{name}: {place} is not there"


def _ordered(body: Element) -> Iterator[str]:
    if body[0][-1].tag != f"{W}sectPr":
        yield "the body does not end with its section"
    for e in body.iter():
        kind = e.tag.removeprefix(W)
        children = [c.tag.removeprefix(W) for c in e]
        known = (
            [ORDER[kind].index(c) for c in children if c in ORDER[kind]] if kind in ORDER else []
        )
        if known != sorted(known):
            yield f"{kind}: {children} out of order"
        if "pPr" in children[1:] or (kind == "tc" and children[-1] != "p"):
            yield f"{kind}: {children}"


def _tables(body: Element) -> Iterator[str]:
    for table in body.iter(f"{W}tbl"):
        columns = len(table.findall(f"{W}tblGrid/{W}gridCol"))
        for row in table.findall(f"{W}tr"):
            spans = [c.find(f"{W}tcPr/{W}gridSpan") for c in row.findall(f"{W}tc")]
            wide = sum(1 if s is None else int(str(s.get(f"{W}val"))) for s in spans)
            if wide != columns:
                yield f"a row of {wide} columns in a table of {columns}"


def _named(body: Element, styles: Element) -> Iterator[str]:
    for what in (f"{W}sdtPr/{W}id", DRAWN):
        found = body.iterfind(f".//{what}")
        ids = Counter(e.get(f"{W}val") or e.get("id") for e in found)
        yield from (f"{what} {name} stands {n} times" for name, n in ids.items() if n > 1)
    yield from ("a picture without words" for e in body.iter(DRAWN) if not e.get("descr"))
    there = {e.get(f"{W}styleId") for e in styles.iter(f"{W}style")}
    used = {e.get(f"{W}val") for e in body.iter(f"{W}pStyle")}
    yield from (f"style {name} is not there" for name in used - there)
