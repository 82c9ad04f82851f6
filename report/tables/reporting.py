"""What the field reports and guidelines ask for, and what of it this release holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from report.figures.model import Cells, Table, table
from report.figures.source import Connection, fetched
from schemas.records.field import coverage, guidelines
from schemas.records.field.item import Item, column_of, tables_of

HEADS = ("", "item", "in this release", "where")
Lists = Mapping[str, tuple[Item, ...]]


@dataclass(frozen=True, slots=True)
class Answered:
    """An item, and what a release holds of it.

    Attributes:
        name: its list and number.
        item: the record.
        here: the release holds something of it.
        statistics: the published numbers that answer it.
        missing: columns of tables that no centre delivered a row of.
    """

    name: str
    item: Item
    here: bool
    statistics: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def state(self) -> str:
        """What is said of it in one sentence."""
        if self.item.status in ("not supported", "by the authors"):
            return ": ".join(filter(None, (self.item.status, self.item.reason)))
        if self.here:
            return f"partly: {self.item.reason}" if self.item.reason else "computed"
        if self.missing:
            return f"not delivered: {', '.join(self.missing)}"
        return "nothing in this release; it rests on " + ", ".join(self.item.columns)


def quantities(con: Connection) -> Table:
    """The quantities that later series report."""
    return table(
        "coverage",
        "What the field reports",
        HEADS,
        _rows(con, {"": coverage.RECORDS}),
        ("46 quantities in 26 sources; a column that is delivered later brings its item.",),
    )


def checklist(con: Connection) -> Table:
    """The items of NICE, STROBE and RECORD."""
    return table(
        "checklist",
        "Items of reporting guidelines",
        HEADS,
        _rows(con, guidelines.LISTS),
        ("NICE IPG786, STROBE for cohort studies, RECORD. Items in our own words.",),
        ("NICE", "RECORD", "STROBE"),
    )


def answered(con: Connection, lists: Lists) -> Iterator[Answered]:
    """Every item of lists, and what the release holds of it."""
    known = [i for (i,) in fetched(con, _KNOWN)]
    delivered = {t for (t,) in fetched(con, _DELIVERED)}
    filled = {t for items in lists.values() for t in tables_of(items) if _filled(con, t)}
    for name, items in lists.items():
        for item in items:
            begun = item.beginnings()
            own = tuple(i for i in known if i.startswith(begun)) if begun else ()
            every = bool(known) and "outcomes.statistics" in item.tables
            yield Answered(
                f"{name} {item.number}".strip(),
                item,
                bool(own) or every or bool(filled & set(item.tables)),
                own,
                tuple(c for c in item.columns if column_of(c)[0] not in delivered),
            )


def _rows(con: Connection, lists: Lists) -> Iterable[Cells]:
    for found in answered(con, lists):
        where = ", ".join(t.partition(".")[2] for t in found.item.tables)
        yield found.name, found.item.item, found.state, where


_KNOWN = (
    "SELECT statistic_id FROM outcomes.statistics WHERE value IS NOT NULL ORDER BY statistic_id"
)
_DELIVERED = (
    "SELECT table_name FROM quality.row_counts GROUP BY table_name HAVING sum(accepted) > 0"
)


def _filled(con: Connection, name: str) -> bool:
    """Whether a table of rows has any; of outcomes their statistics say it."""
    if name.startswith("outcomes."):
        return False
    return bool(fetched(con, f"SELECT 1 FROM {name} LIMIT 1"))
