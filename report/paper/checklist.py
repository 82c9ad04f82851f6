"""The checklist of a manuscript: each item of the guidelines, and where it is answered, or why not.

What is computed names its statistics, what is not delivered the columns that are missing, what is
not supported its reason. What only authors can write is left to them.
"""

from collections.abc import Iterator, Mapping, Sequence

from report.figures.model import Cells, Table, table
from report.figures.source import Connection, counted
from report.paper.exhibits import Numbered
from report.tables.reporting import Answered, answered
from schemas.records.field import coverage, guidelines
from schemas.records.field.item import Item

HEADS = ("item", "what is asked for", "status", "in this manuscript", "statistics")
NAMED = 3
"""Ids that stand in a cell; how many more there are is said."""
SERIES = "What series report"
Printed = Mapping[str, dict[str, None]]
"""Name of a figure or table -> the statistics that it prints, in their order."""
LISTS: Mapping[str, tuple[Item, ...]] = {
    **{name: guidelines.LISTS[name] for name in ("STROBE", "RECORD", "NICE IPG786")},
    SERIES: coverage.RECORDS,
}
NOTES = (
    "Items in our own words; read the guideline's own before a journal's form is filled in. "
    "Statistics are ids of the release's table outcomes.statistics.",
    "Not delivered: no centre delivered a row of the column's table.",
)
ABOUT_SERIES = "46 quantities in 26 sources, of which most were read as abstract or excerpt."


def checklist(con: Connection, shown: Sequence[Numbered]) -> list[Numbered]:
    """Return the checklist, one table a guideline.

    Args:
        con: the release's database.
        shown: the figures and tables of the manuscript.
    """
    printed = {
        item.name: dict.fromkeys(n.statistic_id for n in item.exhibit.numbers) for item in shown
    }
    return [
        Numbered(f"T{place}", _list(con, name, items, printed))
        for place, (name, items) in enumerate(LISTS.items(), 1)
    ]


def _list(con: Connection, name: str, items: tuple[Item, ...], printed: Printed) -> Table:
    known = [one.state.partition(":")[0] for one in answered(con, {"": items})]
    states = {s: known.count(s) for s in dict.fromkeys(known)}
    summary = ", ".join(f"{n} {state.partition(';')[0]}" for state, n in states.items())
    return table(
        f"checklist-{name.split()[0].lower()}",
        name,
        HEADS,
        _rows(con, items, printed),
        (
            f"Of {len(items)} items: {summary}.",
            *NOTES,
            *((ABOUT_SERIES,) if name == SERIES else ()),
        ),
    )


def _rows(con: Connection, items: tuple[Item, ...], printed: Printed) -> Iterator[Cells]:
    order = {name: place for place, name in enumerate(i for ids in printed.values() for i in ids)}
    for found in answered(con, {"": items}):
        own = set(found.statistics)
        places = [name for name, ids in printed.items() if ids.keys() & own]
        by_authors = found.item.status == "by the authors"
        where = "TODO: page" if by_authors else ", ".join(places)
        yield found.name, found.item.item, found.state, where, _statistics(found, order)


def _statistics(found: Answered, order: Mapping[str, int]) -> str:
    """The first ids, those that are printed before others, and how many there are.

    Where rows answer and no statistic does, the tables are named.
    """
    if not found.here:
        return ""
    if not found.statistics:
        return f"in {', '.join(found.item.tables)}"
    ids = sorted(found.statistics, key=lambda i: (order.get(i, len(order)), i))
    more = len(ids) - NAMED
    named = "; ".join(ids[:NAMED])
    return f"{named}; and {counted(more, 'other')}" if more > 0 else named
