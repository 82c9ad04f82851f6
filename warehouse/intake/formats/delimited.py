"""Read delimited text so that no row is lost and no byte is guessed in silence.

RFC 4180: fields may be quoted, a quoted field may hold line breaks, a quote in it is doubled.
Delimiter and encoding are found out per file, then its records are counted and it is cut between
them into slices (`records`). An irregular file, or one that the parser sees otherwise, is rewritten
record by record with Python's csv module, which also finds the faulty rows. A row's number is its
place among the records after the header.
"""

import codecs
import csv
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from schemas.errors import BadDelivery
from warehouse.intake.formats.records import MAX_FIELD, Text, Unreliable, counted

DELIMITERS = ",;\t|"
MAX_PROBLEMS = 20
CHUNK = 4 * 2**20
MADE_UP = "unnamed_column_"
"""How the name begins that a first column without one is given."""
RESERVED = ("source_file", "source_row", "source_key")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
NUMBER_OR_DATE = re.compile(r"[-+]?\d+([.,]\d+)?|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
MAGIC = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"<?xm": "an XML document",
}


def survey(
    path: Path, origin: str, scratch: Path, *, delimiter: str | None, encoding: str | None
) -> Text:
    """Find out encoding, delimiter, header, records and slices of a file."""
    utf8, start, notices = _as_utf8(path, origin, scratch, encoding)
    head = _first_bytes(utf8, start)
    hint = SEPARATOR_LINE.match(head)
    if hint:
        start += len(hint.group(0).encode())
        head, delimiter = head[hint.end() :], delimiter or hint.group(1)
    chosen = delimiter or _find_delimiter(head)
    names, length = _header(head, chosen, origin)
    notices += made_up(names, origin)
    text = Text(origin, utf8, chosen, names, start + length, 0, True, True, (), tuple(notices))
    found = counted(text)
    return found if found.ended else replace(found, notices=(*found.notices, _unended(found)))


def read(text: Text, scratch: Path, write: Callable[[Text], None]) -> Text:
    """Let `write` take the slices of a file; once more, rewritten, where it is not plain.

    Returns:
        The text as it was written.
    """
    if text.regular:
        try:
            write(text)
            return text
        except Unreliable:
            pass
    plain = rewritten(text, scratch)
    try:
        write(plain)
        return plain
    except Unreliable:
        raise BadDelivery(
            f"{text.origin}: its records cannot be told apart. Export it again, with every text "
            "field in double quotes."
        ) from None


def rewritten(text: Text, scratch: Path) -> Text:
    """The same records in their plainest form, or BadDelivery naming every faulty row.

    A last row that ends early, without a line break, is the mark of a file cut off. By itself it is
    a doubt: the delivery is held, and somebody may know better.
    """
    target = _new_file(scratch)
    csv.field_size_limit(MAX_FIELD)
    broken: list[str] = []
    odd: list[tuple[int, int]] = []
    row = 0
    with (
        text.path.open("rb") as raw,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        raw.seek(text.body)
        lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(text.header)
        body, width = out.tell(), len(text.header)
        for row, fields in _records(lines, text.delimiter, text.origin, broken):
            odd += [(row, len(fields))] if _is_odd(fields, width) else []
            writer.writerow((fields + [""] * width)[:width])
    cut = odd and not broken and not text.ended and odd[-1][0] == row and odd[-1][1] < width
    doubts = [_told(text, *odd.pop(), cut=True)] if cut else []
    problems = [*(_told(text, *place, cut=False) for place in odd), *broken]
    if problems:
        raise BadDelivery(first_of([*problems, *doubts]))
    found = counted(replace(text, path=target, delimiter=",", body=body))
    return replace(found, ended=text.ended, doubts=(*text.doubts, *doubts))


def first_of(problems: list[str]) -> str:
    """The first problems, one per line, and how many more there are."""
    more = len(problems) - MAX_PROBLEMS
    tail = [f"... and {more} more"] if more > 0 else []
    return "\n".join([*problems[:MAX_PROBLEMS], *tail])


def check_header(names: list[str], origin: str) -> tuple[str, ...]:
    """The column names, trimmed, and made-up ones for first columns that have none.

    R's `write.csv` and pandas' `to_csv` write row names into a first column without a name.

    Raises:
        BadDelivery: a later name is empty, or one is reserved or there twice.
    """
    trimmed = _named([name.strip().removeprefix("\ufeff") for name in names])
    seen: set[str] = set()
    problems = []
    for place, name in enumerate(trimmed, 1):
        if not name:
            problems.append(f"{origin}: column {place} has no name. Name it or leave it out.")
        elif name.casefold() in seen:
            problems.append(
                f"{origin}: column {place} has the name of another column. Names must differ in "
                "more than case."
            )
        elif name.casefold() in RESERVED:
            problems.append(f"{origin}: column name {name} is reserved. Rename it.")
        seen.add(name.casefold())
    if trimmed and all(NUMBER_OR_DATE.fullmatch(name) for name in trimmed):
        problems = [f"{origin}: the first line holds values, not names. Export with a header line."]
    if problems:
        raise BadDelivery(first_of(problems))
    return trimmed


def made_up(names: Iterable[str], origin: str) -> list[str]:
    """A notice for first columns that were given a name here, if there are any."""
    given = [n for n in names if n.startswith(MADE_UP)]
    if not given:
        return []
    many = len(given) > 1
    return [
        f"{origin}: the first column{'s have' if many else ' has'} no name and "
        f"{'are' if many else 'is'} taken as {', '.join(given)}. Name "
        f"{'them' if many else 'it'} to use {'them' if many else 'it'}."
    ]


def _named(names: list[str]) -> tuple[str, ...]:
    """The names, with a made-up one for each blank name before the first that is not blank."""
    first = next((place for place, name in enumerate(names) if name), 0)
    blanks = [f"{MADE_UP}{place}" for place in range(1, first + 1)]
    return (*blanks, *names[first:])


def _as_utf8(
    path: Path, origin: str, scratch: Path, encoding: str | None
) -> tuple[Path, int, list[str]]:
    """A path to the file in UTF-8, the length of its byte order mark, and notices."""
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise BadDelivery(f"{origin}: the file is empty, without a header. Export it again.")
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            raise BadDelivery(f"{origin}: this is {what}, not text. Export it as CSV.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _transcode(path, origin, scratch, "utf-16"), 0, []
    mark = 3 if start.startswith(b"\xef\xbb\xbf") else 0
    if encoding in (None, "utf-8") or mark:
        if _is_utf8(path):
            return path, mark, []
        if encoding == "utf-8" or mark:
            raise BadDelivery(
                f"{origin}: not UTF-8, though its site file or its first bytes say so. Correct "
                "`encoding` in the site file, or export it again."
            )
    codec = encoding or "cp1252"
    notice = [] if encoding else [f"{origin}: not UTF-8, read as Windows-1252 (cp1252)"]
    return _transcode(path, origin, scratch, codec), 0, notice


def _new_file(scratch: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=scratch)
    os.close(handle)
    return Path(name)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _transcode(path: Path, origin: str, scratch: Path, codec: str) -> Path:
    target = _new_file(scratch)
    try:
        with (
            path.open("r", encoding=codec, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            while chunk := source.read(CHUNK):
                out.write(chunk)
    except UnicodeError:
        raise BadDelivery(
            f"{origin}: its bytes are neither UTF-8 nor {codec}. Export it as UTF-8."
        ) from None
    return target


def _first_bytes(path: Path, start: int) -> str:
    """The beginning of a file, long enough for any header."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(2**20).decode("utf-8", "ignore")


def _find_delimiter(head: str) -> str:
    """The delimiter that gives the first records the same number of fields, and the most."""

    def score(delimiter: str) -> tuple[bool, int]:
        sample = head[:65_536]
        widths: list[int] = []
        try:
            for fields in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                widths += [len(fields)] if fields else []
                if len(widths) == 20:
                    break
        except csv.Error:
            return False, 0
        whole = widths[:-1] if len(widths) > 2 and len(head) > len(sample) else widths
        width = widths[0] if widths else 0
        return width > 1 and len(set(whole)) == 1, width

    return max(DELIMITERS, key=score)


def _header(head: str, delimiter: str, origin: str) -> tuple[tuple[str, ...], int]:
    """The column names and the length of the header record in bytes."""
    inside, end = False, len(head)
    for match in re.finditer(r'"|\r\n|\n|\r', head):
        if match.group() == '"':
            inside = not inside
        elif not inside:
            end = match.end()
            break
    if inside:
        raise BadDelivery(f"{origin}: a quote in the header is never closed. Export it again.")
    record = head[:end]
    try:
        names = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    except csv.Error:
        names = []
    if not any(name.strip() for name in names):
        raise BadDelivery(f"{origin}: the first line is blank. Export it with a header line.")
    if "\0" in record:
        raise BadDelivery(f"{origin}: a NUL byte in the header. Export it again as UTF-8.")
    return check_header(names, origin), len(record.encode())


def _records(
    lines: io.TextIOWrapper, delimiter: str, origin: str, problems: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Number the records; a blank line is a record without fields."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, fields in enumerate(reader, 1):
            yield row, fields
    except csv.Error as fault:
        problems.append(f"{origin} row {row + 1}: {_csv_fault(str(fault))}")


def _csv_fault(message: str) -> str:
    if "unexpected end of data" in message:
        return "a quote is opened and never closed: the file may be cut off. Export it again."
    if "field limit" in message:
        return f"a field of more than {MAX_FIELD} bytes, or a quote never closed. Export it again."
    return "a quote stands inside a field and is not doubled. Export with doubled quotes."


def _is_odd(fields: list[str], width: int) -> bool:
    """Whether a record has another number of fields; blank fields too many do no harm."""
    return bool(fields) and len(fields) != width and (len(fields) < width or any(fields[width:]))


def _told(text: Text, row: int, number: int, *, cut: bool) -> str:
    """What is wrong with a record's number of fields."""
    where, width = f"{text.origin} row {row}", len(text.header)
    if cut:
        return (
            f"{where}: the file is cut off: it ends in this row, after {number} of {width} fields. "
            "Export it again, whole."
        )
    few = "too few" if number < width else "too many"
    return (
        f"{where}: {few} fields, {number} where the header has {width}. Check for a delimiter in "
        "unquoted text, or a file cut off; export it again."
    )


def _unended(text: Text) -> str:
    last = f"row {text.records}" if text.records else "the header"
    return (
        f"{text.origin}: ends in {last} without a line break, as a file does that was cut off. "
        "Compare its last row with the export."
    )
