"""One part of the report's page, and the formats in which its numbers are printed."""

from dataclasses import dataclass
from typing import Any

import duckdb

from analytics.summary import rounded
from schemas.records.factors import FACTORS

Connection = duckdb.DuckDBPyConnection
Row = tuple[Any, ...]
LABELS: dict[Any, str] = {factor.factor: factor.label for factor in FACTORS}


@dataclass(frozen=True, slots=True)
class Block:
    """One part of the page: a heading, a sentence, and a table or pictures."""

    heading: str
    about: str
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    pictures: tuple[tuple[str, str], ...] = ()
    """(caption or nothing, the picture)."""


def fetched(con: Connection, query: str, *given: Any) -> list[Row]:
    """The rows of a query."""
    return con.execute(query, list(given)).fetchall()


def number(value: float | None, digits: int = 1) -> str:
    """A number as printed, half away from zero; nothing where there is none."""
    return "" if value is None else rounded(float(value), digits)


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval as printed; `not reached` stands for an open end."""
    if low is None and high is None:
        return ""
    return f"{number(low, digits) or 'not reached'} to {number(high, digits) or 'not reached'}"
