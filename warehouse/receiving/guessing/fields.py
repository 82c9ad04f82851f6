"""One field of an export as it shows itself: its names, and what stands in its whole column."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from schemas.naming.codes import MISSING
from warehouse.receiving.guessing import words

DAYS = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d%b%Y",
    "%Y%m%d",
    "%d-%b-%y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%Y.%m.%d",
)
TIMES = (" %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
FEW = 12
"""So many values are tried before the whole column."""
ISO = "%Y-%m-%d"
ISO_MOMENTS = frozenset(ISO + t for t in TIMES)
"""Read wherever a day is read."""
PARTIAL = re.compile(r"(?:\d{1,2}[./-])?\d{4}|\d{4}-\d{2}|ca\.? ?\d{4}")
NUMBER = re.compile(r"[<>≤≥]?=? ?-?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)? ?%?")
ISO_START = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]00:00(?::00)?)?$")
CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


@dataclass(frozen=True)
class Field:
    """A field: what it is called, and its filled cells.

    `name` is as it is written in a site file, with `{n}` where several columns stand for one field;
    `shown` is the part of it that says what it is, without the name of its block.
    """

    name: str
    shown: str
    cells: Sequence[str]
    label: str = ""
    note: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    validation: str = ""
    of: tuple[str, ...] = ()
    """The columns of the export that it stands for."""
    block: str = ""
    """The name of its block, which it shares with others."""
    unsure: bool = False
    """Its days can be read in two ways, and nothing says in which."""
    ticks: Mapping[str, str] = field(default_factory=dict)
    """Of a checkbox: its columns, and what each says when it is ticked."""

    @cached_property
    def values(self) -> Counter[str]:
        """Filled cells that say something, by value."""
        return Counter(c for c in self.cells if words.folded(c) not in MISSING)

    @cached_property
    def blanks(self) -> Counter[str]:
        """Filled cells that say that there is nothing."""
        return Counter(c for c in self.cells if words.folded(c) in MISSING)

    @cached_property
    def total(self) -> int:
        """How many cells say something."""
        return sum(self.values.values())

    def share(self, pattern: re.Pattern[str]) -> float:
        """The share of the cells that are of a form."""
        met = sum(n for v, n in self.values.items() if pattern.fullmatch(v.strip()))
        return met / self.total if self.total else 0.0

    @cached_property
    def numeric(self) -> float:
        """The share of cells that are numbers."""
        return self.share(NUMBER)

    @cached_property
    def clock(self) -> float:
        """The share of cells that are times of day."""
        return self.share(CLOCK)

    @cached_property
    def formats(self) -> dict[str, int]:
        """Format of a day, or of a moment -> how many cells it reads; those that read nearly all.

        A month or a year alone is read by every format of a day, and so is a day of ISO 8601 beside
        others, as a workbook has them whose cells are dates in part.
        """
        partial = sum(n for v, n in self.values.items() if PARTIAL.fullmatch(v.strip()))
        if not self.total or partial > 0.6 * self.total:  # nothing tells the format
            return {}
        rest = {v: n for v, n in self.values.items() if not PARTIAL.fullmatch(v.strip())}
        iso = {v: n for v, n in rest.items() if ISO_START.match(v)}
        if len(iso) < len(rest):
            rest = {v: n for v, n in rest.items() if v not in iso}
            partial += sum(iso.values())
        few = list(rest)[:FEW]
        near = [f for f in _formats() if 2 * sum(reads(v, f) for v in few) >= len(few)]
        read = {f: sum(n for v, n in rest.items() if reads(v, f)) for f in near}
        return {f: n for f, n in read.items() if n and n >= 0.9 * (self.total - partial)}

    @cached_property
    def is_day(self) -> bool:
        """Days, not moments."""
        return any(f in DAYS for f in self.formats) and not _digits_only(self.formats, self.values)

    @cached_property
    def is_partial(self) -> bool:
        """Months and years of a day that nobody knows."""
        whole = max(
            (sum(n for v, n in self.values.items() if reads(v, f)) for f in DAYS), default=0
        )
        part = sum(n for v, n in self.values.items() if PARTIAL.fullmatch(v.strip()))
        parted = any(re.search(r"[./-]", v) for v in self.values)
        return parted and whole + part >= 0.9 * self.total > 0

    @cached_property
    def is_moment(self) -> bool:
        """Days with their time."""
        return bool(self.formats) and not any(f in DAYS for f in self.formats)

    @property
    def dated(self) -> bool:
        """Days or moments, or an empty column that the dictionary says to hold them."""
        return (
            self.is_day or self.is_moment or (not self.total and self.validation.startswith("date"))
        )

    @cached_property
    def repeats(self) -> bool:
        """The values are few for the number of cells, as codes are."""
        return bool(self.choices) or 3 * len(self.values) <= self.total

    def numbers(self, decimal: str) -> list[float]:
        """The numbers that stand in it."""
        found = []
        for value, count in self.values.items():
            if NUMBER.fullmatch(value.strip()):
                bare = value.strip(" <>=≤≥%").replace(decimal, ".").replace(",", ".")
                found += [float(bare)] * count
        return found


def _formats() -> list[str]:
    return [*DAYS, *(day + time for day in DAYS for time in TIMES)]


def _digits_only(formats: Iterable[str], values: Iterable[str]) -> bool:
    """Numbers of eight digits are days only if every one begins with a year."""
    return set(formats) == {"%Y%m%d"} and not all(v.startswith(("19", "20")) for v in values)


def reads(cell: str, pattern: str) -> bool:
    """Whether a format reads a cell."""
    try:
        datetime.strptime(cell.strip(), pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return not ("%Y" in pattern and re.match(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}$", cell.strip()))


def decimal_sign(fields: Iterable[Field]) -> str:
    """The decimal sign that most numbers of an export have."""
    cells = [v for f in fields for v in f.values]
    commas = sum(bool(re.fullmatch(r"[<>]?-?\d+,\d+", c)) for c in cells)
    return "," if commas > sum(bool(re.fullmatch(r"[<>]?-?\d+\.\d+", c)) for c in cells) else "."


def missing_words(fields: Iterable[Field]) -> list[str]:
    """Words that stand for nothing in columns of numbers, days and codes.

    A word counts that is on the list of such words, or that stands alone among numbers and days
    again and again. A number, as -9, counts where it lies far from all others.
    """
    found: Counter[str] = Counter()
    for one in fields:
        plain = one.numeric if not one.formats else 1.0
        for value, count in one.blanks.items():
            number = re.fullmatch(r"-?\d+", value)
            if not number or (plain > 0.5 and len(one.values) > 3):
                found[value] += count
        if plain >= 0.6:
            found.update(_strange(one))
    return [w for w, n in found.most_common() if n > 1]


def _strange(one: Field) -> dict[str, int]:
    """Words that repeat in a column of numbers or days."""
    odd = {
        v: n
        for v, n in one.values.items()
        if not re.search(r"\d", v) and len(v) <= 12 and n >= 2 and " " not in v.strip()
    }
    return odd if 0 < len(odd) <= 3 and sum(odd.values()) < 0.4 * one.total else {}
