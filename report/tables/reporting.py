"""What the field reports and guidelines ask for, and what of it this release holds."""

from collections.abc import Iterable, Mapping

from report.figures.model import Cells, Table, table
from report.figures.source import Connection, fetched
from schemas.records.field import coverage, guidelines
from schemas.records.field.item import Item, tables_of

HEADS = ("", "item", "in this release", "where")


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


def _rows(con: Connection, lists: Mapping[str, tuple[Item, ...]]) -> Iterable[Cells]:
    known = [i for (i,) in fetched(con, _KNOWN)]
    filled = {t for items in lists.values() for t in tables_of(items) if _filled(con, t)}
    for name, items in lists.items():
        for item in items:
            where = ", ".join(t.partition(".")[2] for t in item.tables)
            yield f"{name} {item.number}".strip(), item.item, _state(item, known, filled), where


_KNOWN = "SELECT statistic_id FROM outcomes.statistics WHERE value IS NOT NULL"


def _filled(con: Connection, name: str) -> bool:
    """Whether a table of rows has any; of outcomes their statistics say it."""
    if name.startswith("outcomes."):
        return False
    return bool(fetched(con, f"SELECT 1 FROM {name} LIMIT 1"))


def _state(item: Item, known: list[str], filled: set[str]) -> str:
    if item.status in ("not supported", "by the authors"):
        return f"{item.status}: {item.reason}" if item.reason else item.status
    begun = item.beginnings()
    here = any(i.startswith(begun) for i in known) if begun else False
    if here or filled & set(item.tables) or (known and "outcomes.statistics" in item.tables):
        return f"partly: {item.reason}" if item.reason else "computed"
    return "nothing in this release; it rests on " + ", ".join(item.columns)
