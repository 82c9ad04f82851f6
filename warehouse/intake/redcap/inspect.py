"""Describe a REDCap export: instruments, keys, row counts and columns.

Names and counts only: no record id and no value of a field is shown.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from schemas.errors import BadDelivery
from warehouse.engine.connections import connection
from warehouse.engine.quoting import identifier, literal
from warehouse.intake.formats.delimited import survey
from warehouse.intake.redcap.dictionary import Dictionary, read_dictionary
from warehouse.intake.redcap.instruments import (
    EVENT,
    GROUP,
    INSTANCE,
    UNASSIGNED,
    duplicate_keys,
    split,
)

SHOWN_COLUMNS = 6


@dataclass(frozen=True)
class Instrument:
    """One instrument as found in an export."""

    name: str
    rows: int
    records: int
    repeating: bool
    duplicate_keys: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """What an export holds."""

    record: str
    keys: tuple[str, ...]
    rows: int
    records: int
    events: dict[str, int]
    groups: dict[str, int]
    instruments: tuple[Instrument, ...]
    unassigned: tuple[str, ...]
    choices: dict[str, dict[str, str]]
    notices: tuple[str, ...]


def inspect(data: Path, dictionary: Path | None, record: str | None = None) -> Inspection:
    """Split an export into a scratch folder and describe what came out.

    Args:
        data: the flat export.
        dictionary: its data dictionary; without it, forms are told apart by `<form>_complete`.
        record: the record id's column, if it is not the first field.

    Raises:
        BadDelivery: the export or its dictionary cannot be read, or the export holds labels.
    """
    for path in (data, dictionary):
        if path and not path.is_file():
            raise BadDelivery(f"{path}: no such file. Name the export, and --dictionary its own.")
    with tempfile.TemporaryDirectory() as name:
        scratch, to = Path(name), Path(name) / "split"
        to.mkdir()
        known = read_dictionary(dictionary, dictionary.name, scratch, ()) if dictionary else None
        text = survey(data, data.name, scratch, delimiter=None, encoding=None)
        plan, notices = split(text, known, record, to, scratch)
        everything = _filled_rows(f"{to}/*.parquet")
        with connection() as con:
            rows, records = _row(
                con,
                f"SELECT count(DISTINCT source_row), count(DISTINCT {identifier(plan.record)}) "
                f"FROM {everything}",
            )
            return Inspection(
                record=plan.record,
                keys=plan.keys,
                rows=rows,
                records=records,
                events=_counts(con, EVENT, plan.keys, everything),
                groups=_counts(con, GROUP, plan.keys, everything),
                instruments=tuple(
                    _instrument(con, to / f"{n}.parquet", n, columns, plan.keys)
                    for n, columns in plan.instruments.items()
                ),
                unassigned=plan.unassigned,
                choices=_choices(known),
                notices=tuple(notices),
            )


def render(found: Inspection) -> str:
    """An inspection as plain text."""
    lines = [
        f"{found.rows} rows, {found.records} records, key {', '.join(found.keys)}",
        *_listing("event", found.events),
        *_listing("data access group", found.groups),
        "",
        f"{'instrument':<40}{'rows':>8}{'records':>9}  columns",
    ]
    for one in found.instruments:
        more = len(one.columns) - SHOWN_COLUMNS
        columns = ", ".join(one.columns[:SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")
        kind = " (repeating)" if one.repeating else ""
        lines.append(f"{one.name + kind:<40}{one.rows:>8}{one.records:>9}  {columns}")
    if found.unassigned:
        lines.append(f"{UNASSIGNED}: {', '.join(found.unassigned)}")
    return "\n".join([*lines, *(f"note: {n}" for n in found.notices)]) + "\n"


def _listing(what: str, counts: dict[str, int]) -> list[str]:
    return [f"  {what} {name or '(blank)'}: {n} rows" for name, n in counts.items()]


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return con.execute(query).fetchone() or ()


def _counts(
    con: duckdb.DuckDBPyConnection, column: str, keys: tuple[str, ...], tables: str
) -> dict[str, int]:
    """Rows of the export by the values of a key column."""
    if column not in keys:
        return {}
    found = con.execute(
        f"SELECT coalesce({column}, ''), count(DISTINCT source_row), min(source_row) "
        f"FROM {tables} GROUP BY 1 ORDER BY 3, 1"
    ).fetchall()
    return {name: n for name, n, _ in found}


def _instrument(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
) -> Instrument:
    repeats = f"count({INSTANCE})" if INSTANCE in keys else "0"
    rows, records, repeating = _row(
        con,
        f"SELECT count(*), count(DISTINCT {identifier(keys[0])}), {repeats} "
        f"FROM {_filled_rows(path)}",
    )
    return Instrument(name, rows, records, repeating > 0, duplicate_keys(path), columns)


def _filled_rows(paths: Path | str) -> str:
    """SQL for a table's rows without those of blank lines, which are no rows of the project.

    Args:
        paths: a Parquet file, or a pattern for several.
    """
    return (
        "(SELECT * FROM (SELECT *, coalesce(*COLUMNS(* EXCLUDE (source_file, source_row, "
        f"source_key))) AS any_cell FROM read_parquet({literal(paths)}, union_by_name = true)) "
        "WHERE any_cell IS NOT NULL)"
    )


def _choices(dictionary: Dictionary | None) -> dict[str, dict[str, str]]:
    fields = dictionary.fields.values() if dictionary else ()
    return {f.name: f.choices for f in fields if f.choices}
