"""Write an account of differences as Markdown, and as a page that needs no network.

Nothing here computes: numbers are rounded for reading, and the unrounded ones are in the JSON.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analytics.summary import p_value, rounded
from schemas.statistic_ids import headline_rank, population_of, table_of
from schemas.tables.changes import Changes, StatisticChange, TableChanges

DIGITS = {"%": 1, "months": 1, "1": 3, "p": 4, "patients": 0, "units": 0}
LISTED = 200
"""Statistics that a page of text lists, those that moved most first; changes.json has all."""
ON_PAGE = 100
"""Statistics that the audit page lists; audit.json has all. A page of thousands is not read."""
FAR = {"%": 10.0, "months": 3.0, "1": 0.1, "p": 1.0}
"""What is far in a unit: it orders the lists, and decides nothing."""


def number(value: float | None, unit: str, *, more: int = 0) -> str:
    """A value as its unit is usually read; `more` digits where two would look the same."""
    if value is None:
        return "-"
    if unit == "p" and not more:
        return p_value(value)
    return rounded(value, DIGITS.get(unit, 2) + more)


def old_and_new(changed: StatisticChange) -> tuple[str, str]:
    """Both values with as many digits as tell them apart, up to six more."""
    old = new = ""
    for more in range(7):
        old = number(changed.old, changed.unit, more=more)
        new = number(changed.new, changed.unit, more=more)
        if old != new or changed.old == changed.new:
            break
    return old, new


def markdown(changes: Changes) -> str:
    """The differences as Markdown whose tables are aligned for a terminal."""
    if changes.left is None:
        return f"# {changes.right}\n\nThe first release of its registry: nothing to compare with.\n"
    parts = [f"# {changes.left} to {changes.right}", summary(changes)]
    parts += [changes.note] if changes.note else []
    if changes.statistics:
        parts += ["## Statistics", _grid(STATISTIC_HEAD, statistic_lines(changes, LISTED))]
        left = len(changes.statistics) - LISTED
        parts += [f"{left} more are in changes.json."] if left > 0 else []
    if changes.tables:
        parts += ["## Tables", _grid(TABLE_HEAD, [table_line(t) for t in changes.tables])]
    return "\n\n".join(parts) + "\n"


def summary(changes: Changes) -> str:
    """The differences in one sentence."""
    if changes.equal:
        return "Nothing differs."
    redefined = sum(s.redefined for s in changes.statistics)
    more = f", {redefined} of them by definition" if redefined else ""
    return (
        f"{_counted(len(changes.statistics), 'statistic')} and "
        f"{_counted(len(changes.tables), 'table')} differ{more}."
    )


STATISTIC_HEAD = ("statistic", "number", "old", "new", "unit", "n of total", "definition")
TABLE_HEAD = ("table", "rows", "added", "removed", "changed", "columns")


def statistic_lines(changes: Changes, limit: int | None = None) -> list[tuple[str, ...]]:
    """One line of text cells per statistic that differs."""
    return [
        (
            s.statistic_id,
            s.label,
            *old_and_new(s),
            s.unit,
            f"{_share(s.old_n, s.old_total)} to {_share(s.new_n, s.new_total)}",
            (", ".join(s.redefined_by) or "changed") if s.redefined else "",
        )
        for s in sorted(changes.statistics, key=importance)[:limit]
    ]


def importance(changed: StatisticChange) -> tuple[bool, int, bool, float]:
    """What is told first: the whole registry, headline tables, values that moved, and farthest."""
    part = population_of(changed.statistic_id) != "all"
    rank = headline_rank(table_of(changed.statistic_id))
    if changed.change is None or changed.old is None:
        return part, rank, True, 0.0
    far = abs(changed.change) / FAR.get(changed.unit, max(abs(changed.old), 1.0))
    return part, rank, False, -far


def table_line(table: TableChanges) -> tuple[str, ...]:
    """One line of text cells per table that differs."""
    shape = [f"+{n}" for n in table.columns_added] + [f"-{n}" for n in table.columns_removed]
    columns = [f"{name} {n}" for name, n in table.columns.items()]
    rows = f"{_known(table.left_rows)} to {_known(table.right_rows)}"
    counts = (str(n) for n in (table.added, table.removed, table.changed))
    return table.table, rows, *counts, ", ".join(shape + columns)


def changes_page(changes: Changes) -> str:
    """The differences as a page of its own."""
    return _rendered(
        "changes.html",
        changes=changes,
        summary=summary(changes),
        statistic_head=STATISTIC_HEAD,
        statistics=statistic_lines(changes),
        table_head=TABLE_HEAD,
        tables=[table_line(t) for t in changes.tables],
    )


def audit_page(account: Mapping[str, Any]) -> str:
    """The audit of a release as a page of its own."""
    return _rendered("audit.html", account=account, number=number, shown=ON_PAGE)


def _share(n: int | None, total: int | None) -> str:
    return f"{_known(n)}/{_known(total)}" if total is not None else _known(n)


def _known(count: int | None) -> str:
    return "-" if count is None else str(count)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [[c.replace("|", "\\|") for c in line] for line in (head, *lines)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    shown = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    return "\n".join([shown[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *shown[1:]])


def _rendered(template: str, **facts: Any) -> str:
    return str(_environment().get_template(template).render(**facts)) + "\n"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
