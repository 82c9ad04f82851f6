"""Ask a release by read-only SQL over its own database file."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import duckdb

from schemas.errors import Failed, Refused
from warehouse.engine.connections import connection
from warehouse.releases.database import database
from warehouse.releases.integrity import opened_database

FORMATS = ("table", "csv", "json", "parquet")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sql(release: Path, text: str, form: str, out: TextIO, to: Path | None = None) -> int:
    """Run one query on a release and print its rows.

    Args:
        release: the release's folder.
        text: SQL; the database is opened read-only.
        form: table, csv, json or parquet.
        out: where the rows are printed.
        to: file for parquet.

    Returns:
        The number of rows.

    Raises:
        Refused: the query is not valid, or a parquet file was asked for without a name.
    """
    if form == "parquet" and to is None:
        raise Refused("format parquet: say where to write it with `--to FILE`.")
    with open_release(release) as con:
        try:
            result = con.sql(text)
        except duckdb.Error as error:
            raise Refused(
                f"query: {str(error).splitlines()[0]}. See `y90 sql --help`.{_lacks(release, text)}"
            ) from None
        if result is None:
            return 0
        if to is not None:
            result.write_parquet(str(to))
            return len(result)
        names, rows = result.columns, result.fetchall()
    _PRINTERS[form](names, rows, out)
    return len(rows)


def _lacks(release: Path, text: str) -> str:
    """What a query names that came with later code than the release's."""
    from warehouse.releases import older

    lacks = tuple(n for n in older.lacking(release) if n.rpartition(".")[2] in text)
    if not lacks:
        return ""
    return f" Release {release.name} was made by other code and lacks {older.some(lacks)}."


@contextmanager
def open_release(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a release's database.

    Raises:
        Refused: the file is not the one that was published; the Parquet beside it is the truth.
        Failed: it cannot be opened.
    """
    path = opened_database(release, database(release))
    with ExitStack() as stack:
        try:
            con = stack.enter_context(connection(path, read_only=True))
        except duckdb.Error:
            raise Failed(
                f"{path}: cannot be opened. It is a cache of the Parquet beside it: run `y90 "
                f"verify {release.name}`."
            ) from None
        yield con


def _print_table(names: list[str], rows: list[tuple[Any, ...]], out: TextIO) -> None:
    cells = [names, *([_shown(v) for v in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    right = [
        all(isinstance(r[i], int | float | Decimal | None) for r in rows) for i in range(len(names))
    ]
    for number, row in enumerate(cells):
        parts = [
            c.rjust(w) if r and number else c.ljust(w)
            for c, w, r in zip(row, widths, right, strict=True)
        ]
        out.write("  ".join(parts).rstrip() + "\n")
        if number == 0:
            out.write("  ".join("-" * w for w in widths) + "\n")


def _print_csv(names: list[str], rows: list[tuple[Any, ...]], out: TextIO) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[neutral(v) for v in row] for row in rows])
    out.write(buffer.getvalue())


def _print_json(names: list[str], rows: list[tuple[Any, ...]], out: TextIO) -> None:
    records = [dict(zip(names, row, strict=True)) for row in rows]
    json.dump(records, out, indent=1, default=_plain, ensure_ascii=False)
    out.write("\n")


def neutral(value: Any) -> Any:
    """A text cell that a spreadsheet will not run as a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


_PRINTERS = {"table": _print_table, "csv": _print_csv, "json": _print_json}
