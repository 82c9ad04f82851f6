"""What a check found as one page of HTML, to send to the centre: without a patient or a value."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warehouse.receiving.check import Checked

STYLE = """
body { font: 1rem/1.5 sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 2rem; }
th, td { border-bottom: 1px solid #ccc; padding: 0.2rem 0.8rem; text-align: left;
  vertical-align: top; }
"""


def page(found: "Checked") -> str:
    """The page: rows, findings, what they cost, columns, and what the centre will get."""
    from warehouse.receiving.outlook import by_outcome

    counts = [
        (t.table, t.received, t.empty, t.accepted, t.quarantined, t.other_group)
        for t in found.tables
    ]
    groups = [
        (g.number, f"{g.first.table}.{g.first.column}", g.first.their_column, g.first.meaning,
         g.first.remedy)
        for g in found.groups
    ]  # fmt: skip
    prospects = [
        (name, one.part, "yes" if one.derivable else "no", ", ".join(one.missing))
        for name, several in by_outcome(found.prospects).items()
        for one in several
    ]
    worth = found.worth
    judged = (*worth.refused, *worth.held, *worth.doubts, *map(str, worth.unused), *found.notices)
    parts = [
        _table("Rows", ("table", "received", "empty", "taken", "set aside", "of others"), counts),
        _list("Of the whole delivery", judged),
        _table("Findings", ("rows", "column", "yours", "what is wrong", "what to do"), groups),
        _list("What they cost", map(str, found.costs)),
        _table("Columns", ("column", "filled in", "months", "unit", "codes"),
               [c.cells() for c in found.columns]),
        _table("What you will get", ("published table", "of what", "derivable", "missing"),
               prospects),
    ]  # fmt: skip
    title = f"{found.site_id}, export of {found.extracted}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{''.join(parts)}</html>\n"
    )


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>" if items else ""
