"""Rows of a finished release, and the formats in which their numbers are printed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import duckdb

from analytics import summary
from report.figures.model import Number
from schemas.records.field.journals import PLAIN, Journal
from schemas.records.units import DAYS_PER_UNIT

Connection = duckdb.DuckDBPyConnection
Record = dict[str, Any]
NOT_REACHED = "NR"
DAYS_PER_MONTH = float(DAYS_PER_UNIT["months"])


_JOURNAL = ContextVar("journal", default=PLAIN)
_PERCENT = re.compile(r"(?:(?<=\d)|^)[ \u00a0]%")


@contextmanager
def printed_for(style: Journal) -> Iterator[None]:
    """Print numbers as a journal does, in every figure, table and text that is made meanwhile."""
    token = _JOURNAL.set(style)
    try:
        yield
    finally:
        _JOURNAL.reset(token)


def journal() -> Journal:
    """For whom numbers are printed."""
    return _JOURNAL.get()


def worded(text: str) -> str:
    """A text with its percent signs as the journal sets them; it may begin after a number."""
    apart = "%" not in text or journal().percent == PLAIN.percent
    return text if apart else _PERCENT.sub(journal().percent, text)


def p_value(p: float | None) -> str:
    """A p-value as printed; empty where there is none."""
    return summary.p_value(p, journal())


def signed_p(text: str) -> str:
    """A printed p-value with its sign: `p = 0.017`, `p < 0.0001`."""
    return f"{journal().p} {text}" if text[:1] in "<>" else f"{journal().p} = {text}"


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
    return "" if value is None else summary.printed(float(value), digits, journal())


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval as printed; `NR` (not reached) stands for an open end."""
    if low is None and high is None:
        return ""
    limits = (number(limit, digits) or NOT_REACHED for limit in (low, high))
    return journal().between.join(limits)


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
    return f"{n} of {total} ({number(pct)}{journal().percent})"


def counted(n: int, one: str, many: str = "") -> str:
    """`1 patient`, `40 patients`."""
    return f"{n} {one if n == 1 else many or one + 's'}"
