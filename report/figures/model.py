"""What every figure and table has in common: a name, words, counts and its printed numbers."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number and where it stands unrounded.

    `field` is a column of the outcome table that the id begins with; it is printed times `scale`:
    a survival of 0.725 is 72.5 %.
    """

    statistic_id: str
    field: str
    text: str
    scale: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A figure or a table.

    Attributes:
        id: its name in the page's address and in file names.
        title: what is shown, of whom.
        description: the same for those who do not see it: counts, medians, ratios.
        n: how many units it is about.
        notes: method and cautions, printed below.
        abbreviations: codes that are printed; each is spelled out below.
        numbers: every printed number.
        empty: why there is nothing to see; empty where there is.
    """

    id: str
    title: str
    description: str = ""
    n: int | None = None
    notes: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    numbers: tuple[Number, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell prints, and the numbers in it from left to right."""

    text: str
    numbers: tuple[Number, ...] = ()


Cells = tuple[str | Cell, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells, and how deep it stands below a heading.

    `numbers` are those of each cell from left to right; empty where no cell has one.
    """

    cells: tuple[str, ...]
    depth: int = 0
    heading: bool = False
    numbers: tuple[tuple[Number, ...], ...] = ()


def row(cells: Iterable[str | Cell], depth: int = 0) -> Row:
    """Return a row of plain cells and of cells with numbers."""
    listed = [cell if isinstance(cell, Cell) else Cell(cell) for cell in cells]
    by_cell = tuple(cell.numbers for cell in listed)
    return Row(tuple(c.text for c in listed), depth, numbers=by_cell if any(by_cell) else ())


def grouped(pairs: Iterable[tuple[str, Cells]]) -> list[Row]:
    """Return rows below a heading each time that their group, named first, is another."""
    listed: list[Row] = []
    before = None
    for group, cells in pairs:
        if group != before:
            listed.append(Row((group, *[""] * (len(cells) - 1)), heading=True))
            before = group
        listed.append(row(cells, 1))
    return listed


def numbers_in(rows: Iterable[Row]) -> tuple[Number, ...]:
    """Every number in the cells of rows."""
    return tuple(number for r in rows for cell in r.numbers for number in cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Exhibit):
    """A table; the first column names the rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = ()


def table(
    name: str,
    title: str,
    columns: tuple[str, ...],
    rows: Iterable[Cells | Row],
    notes: tuple[str, ...] = (),
    abbreviations: tuple[str, ...] = (),
    empty: str = "",
) -> Table:
    """Return a plain table; without rows it says why.

    Args:
        name: its id.
        title: what is shown.
        columns: heads of its columns.
        rows: their cells, or rows that are made already.
        notes: what a reader must know.
        abbreviations: codes that are printed.
        empty: what is said where there are no rows.
    """
    listed = tuple(r if isinstance(r, Row) else row(r) for r in rows)
    return Table(
        id=name,
        title=title,
        columns=columns,
        rows=listed,
        notes=notes,
        abbreviations=abbreviations,
        numbers=numbers_in(listed),
        empty="" if listed else empty or "Not derivable from what was delivered.",
    )
