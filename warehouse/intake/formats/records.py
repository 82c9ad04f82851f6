"""Cut a delimited file into records, and parse their fields.

The file is gone through once: line breaks outside quotes end records, and where enough bytes have
passed the file may be cut. Its slices are then parsed in threads. A file is regular if every quote
opens a field, closes one or is doubled inside one, if no line is blank and all line breaks are of
one kind: then every reader of RFC 4180 sees the same records. Arrow refuses a slice in which one of
them has another number of fields than the header.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv

from schemas.errors import BadDelivery

SLICE_BYTES = 8 * 2**20
"""A slice of nothing but delimiters needs some six times its size as Arrow columns."""
WORKERS = min(4, os.cpu_count() or 1)
MAX_FIELD = 8 * 2**20
CHUNK = 2**20
QUOTE, NEWLINE, RETURN = b'"'[0], b"\n"[0], b"\r"[0]
Result = TypeVar("Result")


class Unreliable(Exception):
    """The parser and the survey do not agree on the records: rewrite the file, read it again."""


@dataclass(frozen=True)
class Text:
    """A delimited file as UTF-8 bytes, surveyed.

    `ended` says that its last line has a line break, `doubts` why it may be cut off all the same.
    """

    origin: str
    path: Path
    delimiter: str
    header: tuple[str, ...]
    body: int
    records: int
    regular: bool
    ended: bool
    cuts: tuple[tuple[int, int], ...]
    notices: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def counted(text: Text) -> Text:
    """Count the records, and find whether the file is regular and where it may be cut.

    Raises:
        BadDelivery: a NUL byte.
    """
    size = text.path.stat().st_size
    tally = _Tally(text, size, last=text.body - 1, cuts=[(text.body, 1)])
    with text.path.open("rb") as file:
        for begin in range(text.body, size, CHUNK):
            tally.add(file, begin)
        file.seek(max(size - 1, 0))
        ended = file.read(1) in (b"\n", b"\r")
    unended = size > text.body and tally.last != size - 1
    regular = tally.regular and not tally.odd and len(tally.kinds) < 2
    return replace(
        text,
        records=tally.records + unended,
        regular=regular and size - tally.last <= MAX_FIELD,
        ended=ended,
        cuts=tuple(cut for cut in tally.cuts if cut[0] < size),
    )


def in_slices(text: Text, job: Callable[[pa.RecordBatch, int], Result]) -> Iterator[Result]:
    """Give (text columns, number of the first record) of every slice to a job; results in order.

    The jobs run in threads, a few slices at a time, so that memory does not grow with the file.

    Raises:
        Unreliable: if a slice cannot be parsed, or holds another number of records than counted.
    """
    edges = [*text.cuts, (text.path.stat().st_size, text.records + 1)]
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for (begin, first), (end, after) in pairwise(edges):
            waiting.append(pool.submit(_one, text, (begin, end), (first, after), job))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one(
    text: Text,
    place: tuple[int, int],
    numbers: tuple[int, int],
    job: Callable[[pa.RecordBatch, int], Result],
) -> Result:
    batch = _parsed(text, *place)
    if batch.num_rows != numbers[1] - numbers[0]:
        raise Unreliable
    return job(batch, numbers[0])


def _parsed(text: Text, begin: int, end: int) -> pa.RecordBatch:
    """The records between two cuts, blank cells null; one block, so that nothing is cut again."""
    with text.path.open("rb") as file:
        file.seek(begin)
        piece = pa.py_buffer(file.read(end - begin))
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(piece),
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(piece) + 1, column_names=text.header
            ),
            pyarrow.csv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(text.header, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        raise Unreliable from None
    return table.combine_chunks().to_batches()[0]


@dataclass
class _Tally:
    """What was counted so far.

    `odd` says that the next byte stands inside quotes, `last` is the last line break's place,
    `kinds` tells whether breaks had a carriage return.
    """

    text: Text
    size: int
    last: int
    cuts: list[tuple[int, int]]
    records: int = 0
    odd: int = 0
    regular: bool = True
    kinds: set[bool] = field(default_factory=set)

    def add(self, file: Any, begin: int) -> None:
        """Count one chunk, seen with a byte on either side; the file's end counts as a quote."""
        file.seek(begin - 1)
        piece = file.read(CHUNK + 2)
        after = b"" if begin + CHUNK < self.size else b'"'
        around = np.frombuffer(piece + after, dtype=np.uint8)
        chunk = around[1:-1]
        quotes = np.flatnonzero(chunk == QUOTE) if b'"' in piece else np.empty(0, np.int64)
        if b"\0" in piece and not chunk.all():
            raise _nul(self.text, self.records, chunk, quotes, self.odd)
        if b"\r" in piece:
            returns = _outside(np.flatnonzero(chunk == RETURN), quotes, self.odd)
            self.regular &= bool((around[returns + 2] == NEWLINE).all())
        if len(quotes):
            self.regular &= self._well_quoted(around, quotes)
        ends = _outside(np.flatnonzero(chunk == NEWLINE), quotes, self.odd)
        if len(ends):
            self._add_breaks(ends + begin, around[ends] == RETURN)
        self.odd = (self.odd + len(quotes)) & 1

    def _well_quoted(self, around: Any, quotes: Any) -> bool:
        """Whether quotes open after and close before a delimiter, a line break or a quote."""
        fits = np.zeros(256, dtype=bool)
        fits[[QUOTE, NEWLINE, ord(self.text.delimiter)]] = True
        opened = bool(fits[around[quotes[self.odd :: 2]]].all())
        fits[RETURN] = True
        return opened and bool(fits[around[quotes[1 - self.odd :: 2] + 2]].all())

    def _add_breaks(self, ends: Any, returned: Any) -> None:
        """Count line breaks; one that follows another closely ends a blank line."""
        self.kinds |= {bool(kind) for kind in np.unique(returned)}
        gaps = np.diff(ends, prepend=self.last) - returned
        self.regular &= bool((gaps > 1).all() and (gaps <= MAX_FIELD).all())
        self.last = int(ends[-1])
        self.records += len(ends)
        if self.last - self.cuts[-1][0] >= SLICE_BYTES:
            self.cuts.append((self.last + 1, self.records + 1))


def _outside(places: Any, quotes: Any, odd: int) -> Any:
    """Those places before which an even number of quotes stands."""
    if not len(quotes) and not odd:
        return places
    return places[(np.searchsorted(quotes, places) + odd) % 2 == 0]


def _nul(text: Text, records: int, chunk: Any, quotes: Any, odd: int) -> BadDelivery:
    before = np.flatnonzero(chunk == NEWLINE)
    ends = _outside(before[before < np.argmin(chunk)], quotes, odd)
    return BadDelivery(
        f"{text.origin} row {records + len(ends) + 1}: a NUL byte. The file is damaged or no text: "
        "export it again."
    )
