"""Rows of a finished release, and the formats in which their numbers are printed."""

from typing import Any

import duckdb

from analytics.summary import p_value, rounded
from report.figures.model import Number
from schemas.records.units import DAYS_PER_UNIT

Connection = duckdb.DuckDBPyConnection
Record = dict[str, Any]
NOT_REACHED = "NR"
DAYS_PER_MONTH = float(DAYS_PER_UNIT["months"])


def fetched(con: Connection, query: str, *given: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return con.execute(query, list(given)).fetchall()


def records(con: Connection, query: str, *given: Any) -> list[Record]:
    """The rows of a query by the names of their columns."""
    answer = con.execute(query, list(given))
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def number(value: float | None, digits: int = 1) -> str:
    """A number as printed, half away from zero, with a true minus; nothing where there is none."""
    return "" if value is None else rounded(float(value), digits).replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval as printed; `NR` (not reached) stands for an open end."""
    if low is None and high is None:
        return ""
    return f"{number(low, digits) or NOT_REACHED} to {number(high, digits) or NOT_REACHED}"


def said(r: Record, **digits: int) -> tuple[Number, ...]:
    """The columns of a row of statistics as printed numbers; a column without a value is none."""
    return tuple(
        Number(r["statistic_id"], c, number(r[c], d)) for c, d in digits.items() if r[c] is not None
    )


def percents(r: Record, *columns: str) -> tuple[Number, ...]:
    """The same of shares, printed in percent with one digit."""
    return tuple(
        Number(r["statistic_id"], c, number(100 * r[c]), 100) for c in columns if r[c] is not None
    )


def said_p(r: Record) -> tuple[Number, ...]:
    """The p of a row of statistics as printed."""
    return (Number(r["statistic_id"], "p", p_value(r["p"])),) if r["p"] is not None else ()


def share(n: int | None, total: int | None, pct: float | None) -> str:
    """`26 of 40 (65.0 %)`; of nobody it is not evaluable, never 0 %."""
    if n is None or not total or pct is None:
        return "not evaluable"
    return f"{n} of {total} ({number(pct)}\u00a0%)"


def counted(n: int, one: str, many: str = "") -> str:
    """`1 patient`, `40 patients`."""
    return f"{n} {one if n == 1 else many or one + 's'}"
