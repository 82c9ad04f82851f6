"""How is a delimited text file read so that no row is lost and no byte is guessed in silence?

RFC 4180: fields may be quoted, a quoted field may hold line breaks, a quote in it is doubled.
Delimiter and encoding are found out per file. The file is surveyed once (records, blank lines,
kinds of line break) and cut between records into slices that DuckDB reads in parallel. If DuckDB's
count differs from the survey's, or the file is irregular, it is rewritten record by record with
Python's csv module, which also finds the faulty rows. A row's number is its place among the records
after the header.
"""

import codecs
import csv
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from schemas.errors import BadDelivery

DELIMITERS = ",;\t|"
SLICE_BYTES = 64 * 2**20
"""DuckDB needs about fourteen times a sparse slice's size in memory."""
MAX_FIELD = 8 * 2**20
MAX_PROBLEMS = 20
CHUNK = 4 * 2**20
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


class Unreliable(Exception):
    """DuckDB and the survey do not agree on the records: rewrite the file and read it again."""


@dataclass(frozen=True)
class Text:
    """A delimited file as UTF-8 bytes, surveyed."""

    origin: str
    path: Path
    delimiter: str
    header: tuple[str, ...]
    body: int
    records: int
    regular: bool
    newline: str
    cuts: tuple[tuple[int, int], ...]
    notices: tuple[str, ...]


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
    text = Text(origin, utf8, chosen, names, start + length, 0, True, "\\n", (), tuple(notices))
    return _count(text)


def slices(text: Text, scratch: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, int]]:
    """Yield (connection holding the table `slice`, number of its first record), in order.

    Raises:
        Unreliable: if DuckDB cannot read a slice, or reads another number of records.
    """
    edges = [*text.cuts, (text.path.stat().st_size, text.records + 1)]
    columns = dict.fromkeys(text.header, "VARCHAR")
    piece = _new_file(scratch)
    for (begin, first), (end, after) in pairwise(edges):
        _copy_range(text.path, begin, end, piece)
        with duckdb.connect(config={"temp_directory": str(scratch / "spill")}) as con:
            _read_slice(con, piece, text, columns)
            found = con.execute("SELECT count(*) FROM slice").fetchone()
            if found != (after - first,):
                raise Unreliable
            yield con, first
    piece.unlink(missing_ok=True)


def read(text: Text, scratch: Path, write: Callable[[Text], None]) -> None:
    """Let `write` take the slices of a file; once more, rewritten, where it is not plain."""
    if text.regular:
        try:
            write(text)
            return
        except Unreliable:
            pass
    plain = rewritten(text, scratch)
    try:
        write(plain)
    except Unreliable:
        raise BadDelivery(
            f"{text.origin}: its records cannot be told apart. Export it again, with every text "
            "field in double quotes."
        ) from None


def rewritten(text: Text, scratch: Path) -> Text:
    """The same records in their plainest form, or BadDelivery naming every faulty row."""
    target = _new_file(scratch)
    csv.field_size_limit(MAX_FIELD)
    problems: list[str] = []
    with (
        text.path.open("rb") as raw,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        raw.seek(text.body)
        lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row, fields in _records(lines, text.delimiter, text.origin, problems):
            problem = _fault(fields, len(text.header))
            if problem:
                problems.append(f"{text.origin} row {row}: {problem}")
            writer.writerow((fields + [""] * len(text.header))[: len(text.header)])
    if problems:
        raise BadDelivery(first_of(problems))
    plain = replace(text, path=target, delimiter=",", body=0)
    return _count(plain)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def first_of(problems: list[str]) -> str:
    """The first problems, one per line, and how many more there are."""
    more = len(problems) - MAX_PROBLEMS
    tail = [f"... and {more} more"] if more > 0 else []
    return "\n".join([*problems[:MAX_PROBLEMS], *tail])


def check_header(names: list[str], origin: str) -> tuple[str, ...]:
    """The column names, trimmed; BadDelivery if one is empty, reserved or there twice."""
    trimmed = tuple(name.strip().removeprefix("\ufeff") for name in names)
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


def _count(text: Text) -> Text:
    """Count records between line breaks outside quotes, and find where the file may be cut."""
    size = text.path.stat().st_size
    if size <= text.body:
        return replace(text, records=0, cuts=(), regular=True)
    data = np.memmap(text.path, dtype=np.uint8, mode="r")
    tally = _Tally(text, data, last=text.body - 1, cuts=[(text.body, 1)])
    for begin in range(text.body, size, CHUNK):
        tally.add(begin)
    records = tally.records + (tally.last != size - 1)
    regular = tally.regular and not tally.odd and len(tally.kinds) < 2
    return replace(
        text,
        records=records,
        regular=regular and tally.separators == records * (len(text.header) - 1),
        newline="\\r\\n" if tally.kinds == {True} else "\\n",
        cuts=tuple(cut for cut in tally.cuts if cut[0] < size),
    )


@dataclass
class _Tally:
    """What was counted so far.

    `odd` says that the next byte stands inside quotes, `last` is the last line break's place,
    `kinds` tells whether breaks had a carriage return. Delimiters are counted too, because DuckDB
    1.5.5 silently drops the third field of `,,1` after CRLF, and joins two rows at `1,,7`: a row
    of another width makes the file irregular.
    """

    text: Text
    data: Any
    last: int
    cuts: list[tuple[int, int]]
    records: int = 0
    separators: int = 0
    odd: int = 0
    regular: bool = True
    kinds: set[bool] = field(default_factory=set)

    def add(self, begin: int) -> None:
        """Count one chunk."""
        chunk = self.data[begin : begin + CHUNK]
        piece = chunk.tobytes()
        if b"\0" in piece:
            raise _nul(self.text, self.records, self.data, begin, piece, self.odd)
        quotes = np.flatnonzero(chunk == 34) if b'"' in piece else np.empty(0, np.int64)
        if b"\r" in piece:
            returns = _outside(np.flatnonzero(chunk == 13), quotes, self.odd) + begin
            self.regular &= _followed_by_newline(self.data, returns)
        ends = _outside(np.flatnonzero(chunk == 10), quotes, self.odd) + begin
        if len(ends):
            self._add_breaks(ends)
        self.separators += _count_outside(chunk == ord(self.text.delimiter), quotes, self.odd)
        self.odd = (self.odd + len(quotes)) & 1

    def _add_breaks(self, ends: Any) -> None:
        """Count line breaks; one that follows another closely ends a blank line."""
        returned = self.data[np.maximum(ends - 1, self.text.body)] == 13
        self.kinds |= {bool(kind) for kind in np.unique(returned)}
        gaps = np.diff(ends, prepend=self.last) - returned
        self.regular &= not bool((gaps <= 1).any())
        self.last = int(ends[-1])
        self.records += len(ends)
        if self.last - self.cuts[-1][0] >= SLICE_BYTES:
            self.cuts.append((self.last + 1, self.records + 1))


def _outside(places: Any, quotes: Any, odd: int) -> Any:
    """Those places before which an even number of quotes stands."""
    if not len(quotes) and not odd:
        return places
    return places[(np.searchsorted(quotes, places) + odd) % 2 == 0]


def _count_outside(marked: Any, quotes: Any, odd: int) -> int:
    """How many marked bytes stand outside quotes."""
    if not len(quotes):
        return 0 if odd else int(np.count_nonzero(marked))
    starts = np.concatenate(([0], quotes))
    runs = np.add.reduceat(marked, starts, dtype=np.int64)
    return int(runs[odd::2].sum())


def _followed_by_newline(data: Any, returns: Any) -> bool:
    if not len(returns):
        return True
    following = np.minimum(returns + 1, len(data) - 1)
    return bool((data[following] == 10).all())


def _nul(text: Text, records: int, data: Any, begin: int, piece: bytes, odd: int) -> BadDelivery:
    before = data[begin : begin + piece.index(b"\0")]
    ends = _outside(np.flatnonzero(before == 10), np.flatnonzero(before == 34), odd)
    return BadDelivery(
        f"{text.origin} row {records + len(ends) + 1}: a NUL byte. The file is damaged or no text: "
        "export it again."
    )


def _copy_range(source: Path, begin: int, end: int, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as out:
        file.seek(begin)
        left = end - begin
        while left and (chunk := file.read(min(CHUNK, left))):
            out.write(chunk)
            left -= len(chunk)


def _read_slice(
    con: duckdb.DuckDBPyConnection, piece: Path, text: Text, columns: dict[str, str]
) -> None:
    try:
        con.execute(
            "CREATE TABLE slice AS SELECT * FROM read_csv(?, delim = ?, quote = '\"', "
            "escape = '\"', header = false, auto_detect = false, strict_mode = true, "
            "null_padding = false, max_line_size = ?, new_line = ?, columns = ?)",
            [str(piece), text.delimiter, MAX_FIELD, text.newline, columns],
        )
    except duckdb.InvalidInputException:
        raise Unreliable from None


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


def _fault(fields: list[str], width: int) -> str | None:
    """What is wrong with a record's number of fields; blank fields too many do no harm."""
    if not fields or len(fields) == width or (len(fields) > width and not any(fields[width:])):
        return None
    few = "too few" if len(fields) < width else "too many"
    return (
        f"{few} fields, {len(fields)} where the header has {width}. Check for a delimiter in "
        "unquoted text, or a file cut off; export it again."
    )
