"""How full each column of a loaded delivery is, from when to when, and with which codes.

Nothing here is a patient's value: days are told by their months, codes are ours, and numbers only
by their unit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.contract import Column, columns
from transforms.intake.names import OURS_ALONE
from warehouse.engine.protocol import Engine, one_row
from warehouse.loading.load import CONTRACTS

UNKNOWN = "unknown"
FIRST = 5
"""So many rows of a table are shown."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One column of ours in the rows of a table that can be taken."""

    table: str
    column: str
    rows: int
    filled: int
    unit: str = ""
    """Of laboratory results every unit that was delivered."""
    first: str = ""
    """Month of the first day, and `last` of the last."""
    last: str = ""
    codes: Mapping[str, int] = field(default_factory=dict)

    def cells(self) -> tuple[Any, ...]:
        """A line of a table for people."""
        span = f"{self.first} to {self.last}" if self.first else ""
        codes = ", ".join(f"{code} {n}" for code, n in self.codes.items())
        return (
            f"{self.table}.{self.column}",
            f"{self.filled} of {self.rows}",
            span,
            self.unit,
            codes,
        )


def filled(con: Engine, tables: Iterable[str]) -> tuple[Filled, ...]:
    """Every column of tables that were loaded, in the contracts' order."""
    return tuple(
        _of(con, name, column)
        for name in tables
        for column in columns(CONTRACTS[name])
        if column.name not in OURS_ALONE and column.name != "patient_id"
    )


def given(found: Iterable[Filled]) -> dict[str, frozenset[str]]:
    """Table -> the columns in which some row has a value."""
    known: dict[str, set[str]] = {}
    for one in found:
        if one.rows:
            known.setdefault(one.table, {"patient_id"})
        if one.filled - one.codes.get(UNKNOWN, 0) > 0:
            known[one.table].add(one.column)
    return {name: frozenset(names) for name, names in known.items()}


def devices(found: Iterable[Filled]) -> frozenset[str]:
    """The devices that were used."""
    told = (f.codes for f in found if (f.table, f.column) == ("treatments", "device"))
    return frozenset(code for codes in told for code in codes)


def first_rows(con: Engine, table: str) -> Iterator[tuple[str, ...]]:
    """Names and cells of the first rows of a loaded table, in our names, codes and units.

    Patients have numbers in place of their identifiers; the rest is what the export holds.
    """
    names = [c.name for c in columns(CONTRACTS[table]) if c.name not in {*OURS_ALONE, "patient_id"}]
    listed = ", ".join(f'"{name}"::VARCHAR' for name in names)
    rows = con.raw_sql(
        f"SELECT dense_rank() OVER (ORDER BY patient_id)::VARCHAR, {listed} FROM (SELECT * "
        f"FROM left_{table} ORDER BY source_file, source_row LIMIT {FIRST})"
    ).fetchall()
    used = [
        n for n, cells in enumerate(zip(*rows, strict=True)) if any(c is not None for c in cells)
    ]
    yield tuple(("patient", *names)[n] for n in used)
    for row in rows:
        yield tuple(row[n] or "" for n in used)


def _of(con: Engine, table: str, column: Column) -> Filled:
    name = f'"{column.name}"'
    rows, number = one_row(con, f"SELECT count(*), count({name}) FROM left_{table}")
    first = last = unit = ""
    codes: dict[str, int] = {}
    if number and (column.dtype.is_date() or column.dtype.is_timestamp()):
        months = f"strftime(min({name}), '%Y-%m'), strftime(max({name}), '%Y-%m')"
        first, last = one_row(con, f"SELECT {months} FROM left_{table}")
    elif number and column.codes:
        told = f"SELECT {name}, count(*) FROM left_{table} WHERE {name} IS NOT NULL GROUP BY 1"
        codes = dict(con.raw_sql(f"{told} ORDER BY 2 DESC, 1").fetchall())
    if (table, column.name) == ("labs", "value"):
        listed = "SELECT string_agg(DISTINCT unit, ', ' ORDER BY unit) FROM left_labs"
        unit = one_row(con, listed)[0] or ""
    return Filled(table, column.name, rows, number, unit or column.unit or "", first, last, codes)
