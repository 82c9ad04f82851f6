"""The page of what the field reports and guidelines ask for, and where a release holds it."""

from collections.abc import Iterable

from schemas.records.field import coverage, guidelines
from schemas.records.field.item import Item

HEAD = (
    "| | item | status | where | needs | source |",
    "|---|---|---|---|---|---|",
)
ABOUT = (
    "What series of 90Y radioembolization report and what guidelines ask for, each with where a "
    "release holds it and what a centre must deliver for it. `computed` is where these columns are "
    "delivered; `partly` and `not supported` say why. The report of a release shows the same list "
    "with what was delivered. The items of Devcic 2014 and of the Society of Interventional "
    "Radiology could not be read and are not listed."
)


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    parts = ["# What is covered", ABOUT, "## 46 quantities in 26 sources", _counted()]
    parts.append(_grid(coverage.RECORDS))
    for name, items in guidelines.LISTS.items():
        parts += [f"## {name}", _grid(items)]
    return {"coverage.md": "\n\n".join(parts) + "\n"}


def _counted() -> str:
    statuses = [r.status for r in coverage.RECORDS]
    told = ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(sorted(statuses)))
    return f"Of {len(statuses)}: {told}."


def _grid(items: Iterable[Item]) -> str:
    return "\n".join([*HEAD, *map(_row, items)])


def _row(i: Item) -> str:
    places = ", ".join(f"[{t}](tables/{_page(t)})" for t in i.tables)
    needs = ", ".join(f"`{c}`" for c in i.columns)
    status = f"{i.status}: {i.reason}" if i.reason else i.status
    return f"| {i.number} | {i.item} | {status} | {places} | {needs} | {i.source} |"


def _page(table: str) -> str:
    schema, name = table.split(".")
    return f"{schema}.md#{name}"
