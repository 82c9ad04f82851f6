"""The numbers that a bundle prints, each with its statistic and unrounded value."""

from collections.abc import Iterable
from typing import Any

from report.figures.model import Number
from report.figures.source import Connection, journal, records
from schemas import number_lock
from schemas.records.field.journals import PLAIN
from schemas.statistic_ids import number_label, table_of


def label(number: Number) -> str:
    """The label of a number in a document: 17 letters and digits that follow from what it is."""
    return number_label(number.statistic_id, number.field)


def locked(con: Connection, numbers: Iterable[Number], release: str) -> str:
    """Return numbers.lock of the numbers that were printed.

    Args:
        con: the release's database.
        numbers: what was printed; one that is printed twice stands once.
        release: the release's id.
    """
    printed = {label(n): n for n in numbers}
    values = _values(con, printed.values())
    return number_lock.written(
        number_lock.Number(
            label=name,
            value=values[n.statistic_id][n.field],
            release=release,
            statistic_id=n.statistic_id,
            text=n.text,
            field=n.field,
            scale=n.scale,
            style=None if journal() is PLAIN else journal().code,
        )
        for name, n in printed.items()
    )


def _values(con: Connection, numbers: Iterable[Number]) -> dict[str, dict[str, Any]]:
    """Rows of the outcome tables by their statistic."""
    wanted: dict[str, set[str]] = {}
    for n in numbers:
        wanted.setdefault(table_of(n.statistic_id), set()).add(n.statistic_id)
    found: dict[str, dict[str, Any]] = {}
    for table, names in wanted.items():
        query = f"SELECT * FROM outcomes.{table} WHERE list_contains(?, statistic_id)"
        found |= {r["statistic_id"]: r for r in records(con, query, sorted(names))}
    return found
