"""Literal tables in, literal table out: how a rule is specified, tested and documented.

A cell is typed by the contract of its column. An empty cell is null. Dates may be written `d28`: 28
days after 2020-01-01, so that day numbers can be read. Columns that do not matter are left out:
they are null, or the contract's default; `site_id`, `row_id` and the like are filled in.
"""

import datetime as dt
import difflib
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import Contract, columns, rows, table_name
from schemas.section import Section
from tests.support.compiled_derivation import CompiledDerivation

Row = dict[str, Any]
EPOCH = dt.date(2020, 1, 1)


class Recorder:
    """What the rules pages are made from: table, literal inputs and outputs of every `check`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, str], str, tuple[Section, ...]]] = []
        self.only = False
        """Record without computing; a test that asserts for itself then ends in `Recorded`."""


class Recorded(Exception):
    """Raised by `run` while only recording."""


recorder = Recorder()


def run(derivation: Callable[..., Any], inputs: Mapping[str, str], *settings: Section) -> list[Row]:
    """Call a derivation on literal tables; tables left out are empty.

    Args:
        derivation: its parameters are named after the tables it reads.
        inputs: table name -> pipe table.
        settings: sections that differ from their defaults.
    """
    if recorder.only:
        raise Recorded
    contracts, sections = _parameters(derivation, inputs, settings)
    literal = {name: records(c, inputs.get(name)) for name, c in contracts.items()}
    compiled = _compiled(derivation, tuple(sections.items()))
    if compiled is not None:
        return compiled(**literal)
    tables = {name: rows(literal[name], c) for name, c in contracts.items()}
    con = ibis.duckdb.connect()
    con.raw_sql("SET disabled_optimizers = 'join_filter_pushdown'")  # as warehouse.engine
    result: ir.Table = derivation(**tables, **sections)
    return typing.cast(list[Row], con.to_pyarrow(result).to_pylist())


@functools.cache
def _compiled(
    derivation: Callable[..., Any], sections: tuple[tuple[str, Section], ...]
) -> CompiledDerivation | None:
    """The derivation's SQL; nothing where it computes with rows before it returns a table."""
    try:
        return CompiledDerivation(derivation, **dict(sections))
    except ibis.common.exceptions.IbisError:
        return None


def check(
    derivation: Callable[..., Any], inputs: Mapping[str, str], expected: str, *settings: Section
) -> None:
    """Assert that the derivation gives these rows, in the columns that the expected table names."""
    hints = typing.get_type_hints(derivation, include_extras=True)
    contract = _contract(hints["return"])
    recorder.calls.append((table_name(contract), inputs, expected, settings))
    if recorder.only:
        return
    names = header(expected)
    wanted = _printed(parse(expected, contract), names)
    computed = _printed(run(derivation, inputs, *settings), names)
    if computed != wanted:
        raise AssertionError(_difference(table_name(contract), wanted, computed))


def header(text: str) -> list[str]:
    """The column names of a pipe table."""
    return _cells(_lines(text)[0])


def parse(text: str, contract: type[Contract]) -> list[Row]:
    """A pipe table as rows typed by the contract."""
    names = header(text)
    types = {c.name: c.dtype for c in columns(contract)}
    if unknown := set(names) - set(types):
        raise KeyError(f"{table_name(contract)} has no column {sorted(unknown)}")
    body = [line for line in _lines(text)[1:] if set(line) - set("|-: ")]
    return [
        {n: value(cell, types[n]) for n, cell in zip(names, _cells(line), strict=True)}
        for line in body
    ]


def value(cell: str, dtype: Any) -> Any:
    """One cell as its type."""
    if cell == "":
        return None
    if dtype.is_date():
        return day(cell)
    if dtype.is_timestamp():
        return dt.datetime.fromisoformat(cell)
    if dtype.is_boolean():
        return {"yes": True, "no": False}[cell]
    if dtype.is_integer():
        return int(cell)
    if dtype.is_decimal():
        return Decimal(cell)
    return float(cell) if dtype.is_floating() else cell


def day(cell: str) -> dt.date:
    """`d28` or an ISO date."""
    if cell.startswith("d"):
        return EPOCH + dt.timedelta(days=int(cell[1:]))
    return dt.date.fromisoformat(cell)


def table(contract: type[Contract], text: str | None) -> ir.Table:
    """A pipe table as an Ibis table with every column of the contract."""
    return rows(records(contract, text), contract)


def records(contract: type[Contract], text: str | None) -> list[Row]:
    """A pipe table as rows with every column of the contract."""
    written = parse(text, contract) if text else []
    return [
        {c.name: _filled(contract, c.name, c.default, n) for c in columns(contract)} | row
        for n, row in enumerate(written, start=1)
    ]


def _parameters(
    derivation: Callable[..., Any], inputs: Mapping[str, str], settings: tuple[Section, ...]
) -> tuple[dict[str, type[Contract]], dict[str, Section]]:
    """The contracts of the tables that it reads, and its sections of settings, by name."""
    hints = typing.get_type_hints(derivation, include_extras=True)
    changed = {type(s): s for s in settings}
    contracts: dict[str, type[Contract]] = {}
    sections: dict[str, Section] = {}
    for name in inspect.signature(derivation).parameters:
        hint = hints[name]
        if isinstance(hint, type) and issubclass(hint, Section):
            sections[name] = changed.pop(hint, None) or hint()
        else:
            contracts[name] = _contract(hint)
    if unused := set(inputs) - set(contracts):
        raise KeyError(f"{derivation.__name__} does not read {sorted(unused)}")
    if changed:
        raise KeyError(f"{derivation.__name__} does not take {sorted(t.__name__ for t in changed)}")
    return contracts, sections


def _contract(hint: Any) -> type[Contract]:
    return typing.cast(type[Contract], typing.get_args(hint)[1])


def _filled(contract: type[Contract], name: str, default: object, number: int) -> object:
    invented = {"site_id": "s1", "row_id": f"{table_name(contract)}:{number}", "source_row": number}
    return default if default is not None else invented.get(name)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _printed(rows: list[Row], names: list[str]) -> list[str]:
    """Rows as sorted text: equal where the shown digits are equal to nine significant ones."""
    lines = sorted(" | ".join(_show(row[n]) for n in names) for row in rows)
    return [" | ".join(names), *lines]


def _difference(table: str, wanted: list[str], computed: list[str]) -> str:
    """What a failing specification prints: the rows that are missing and the rows too many."""
    lines = [line for line in difflib.ndiff(wanted, computed) if not line.startswith("?")]
    return "\n".join([f"{table}: `-` is wanted, `+` is computed.", *lines])


def _show(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, dt.date):
        return f"d{(cell - EPOCH).days}"
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    return f"{cell:.9g}" if isinstance(cell, float) else str(cell)
