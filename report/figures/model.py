"""What every figure and table has in common: a name, words, counts and its printed numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One printed number and where it stands unrounded.

    `field` is a column of the outcome table that the id begins with.
    """

    statistic_id: str
    field: str
    text: str


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
class Row:
    """One row of a table: its cells, and how deep it stands below a heading."""

    cells: tuple[str, ...]
    depth: int = 0
    heading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Exhibit):
    """A table; the first column names the rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = ()


def table(
    name: str,
    title: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    notes: tuple[str, ...] = (),
    abbreviations: tuple[str, ...] = (),
    empty: str = "",
) -> Table:
    """Return a plain table; without rows it says why.

    Args:
        name: its id.
        title: what is shown.
        columns: heads of its columns.
        rows: their cells.
        notes: what a reader must know.
        abbreviations: codes that are printed.
        empty: what is said where there are no rows.
    """
    return Table(
        id=name,
        title=title,
        columns=columns,
        rows=tuple(Row(cells) for cells in rows),
        notes=notes,
        abbreviations=abbreviations,
        empty="" if rows else empty or "Not derivable from what was delivered.",
    )
