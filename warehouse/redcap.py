"""Which rows and columns of a flat REDCap export belong to which instrument?

REDCap exports a block matrix: one file holds several grains, and a row of one instrument leaves the
columns of the others blank. It is split before anything is typed or counted as missing. No cell is
lost: each column stands in one instrument's table, and what belongs nowhere (columns that the
dictionary does not know, cells of one form in a repeating row of another) in `unassigned`.

The conventions are those of the test projects of the R packages REDCapR and REDCapTidieR.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import BadDelivery
from warehouse.delimited import Text, quoted, read, slices
from warehouse.redcap_dictionary import Dictionary
from warehouse.redcap_labels import refuse_label_header, refuse_labels

EVENT, REPEAT = "redcap_event_name", "redcap_repeat_instrument"
INSTANCE, GROUP = "redcap_repeat_instance", "redcap_data_access_group"
KEYS = (EVENT, REPEAT, INSTANCE, GROUP)
UNASSIGNED = "unassigned"
FORM_COLUMNS = ("_complete", "_timestamp", "_return_code")


@dataclass(frozen=True)
class Layout:
    """Where each column of an export belongs."""

    record: str
    keys: tuple[str, ...]
    instruments: dict[str, tuple[str, ...]]
    unassigned: tuple[str, ...]

    @property
    def first(self) -> str:
        """The instrument that holds the record id: an empty shell of a record stands there."""
        return next(iter(self.instruments))


def layout(text: Text, dictionary: Dictionary | None, record: str | None) -> Layout:
    """Assign every column, by the dictionary or by the order of the `_complete` columns."""
    refuse_label_header(text.header, text.origin)
    chosen = record or text.header[0]
    if chosen not in text.header:
        raise BadDelivery(
            f"{text.origin}: no column {chosen}, which the site file names as record id. Correct "
            "`record` in the site file, or export the record id."
        )
    keys = (chosen, *(k for k in KEYS if k in text.header))
    columns = [c for c in text.header if c not in keys]
    if dictionary is None:
        owners = _by_order(columns, text.origin)
        forms: tuple[str, ...] = tuple(dict.fromkeys(f for f in owners.values() if f))
    else:
        owners = _by_dictionary(columns, dictionary)
        forms = dictionary.forms
        if chosen not in dictionary.fields or (columns and not any(owners.values())):
            raise BadDelivery(
                f"{text.origin}: its columns are not those of the dictionary. Deliver the export "
                "and the dictionary of the same project."
            )
    if UNASSIGNED in forms:
        raise BadDelivery(f"{text.origin}: a form named {UNASSIGNED}. Rename it in the project.")
    own = {f: tuple(c for c in columns if owners[c] == f) for f in forms}
    return Layout(chosen, keys, own, tuple(c for c in columns if not owners[c]))


def split(
    text: Text, dictionary: Dictionary | None, record: str | None, to: Path, scratch: Path
) -> tuple[Layout, list[str]]:
    """Write one Parquet file per instrument, all text.

    Each holds the key columns, its own columns, `source_file`, `source_row` and `source_key`
    (record|event|instrument|instance).

    Returns:
        The layout, and notices: columns in no instrument, cells in foreign rows, keys not unique.

    Raises:
        BadDelivery: a label export, an export that does not fit its dictionary, a damaged file.
    """
    plan = layout(text, dictionary, record)
    read(text, scratch, lambda source: _write(source, plan, dictionary, to, scratch))
    return plan, _notices(text, plan, to)


def _by_dictionary(columns: list[str], dictionary: Dictionary) -> dict[str, str]:
    forms = set(dictionary.forms)
    known = {name: f.form for name, f in dictionary.fields.items()}

    def owner(column: str) -> str:
        name = column.split("___")[0]
        for suffix in FORM_COLUMNS:
            stem = column.removesuffix(suffix)
            if column not in known and stem != column and stem in forms:
                return stem
        if column == "redcap_survey_identifier":
            return dictionary.forms[0]
        return known.get(column) or known.get(name, "")

    return {column: owner(column) for column in columns}


def _by_order(columns: list[str], origin: str) -> dict[str, str]:
    """A form's columns end with its `_complete`; what follows the last one belongs to no form."""
    owners: dict[str, str] = {}
    waiting: list[str] = []
    for column in columns:
        waiting.append(column)
        if column.endswith("_complete") and column != "_complete":
            owners |= dict.fromkeys(waiting, column.removesuffix("_complete"))
            waiting = []
    if not owners:
        raise BadDelivery(
            f"{origin}: no column ends in _complete, so its forms cannot be told apart. Deliver "
            "the data dictionary with it, or export the form status."
        )
    return owners | dict.fromkeys(waiting, "")


def _write(
    text: Text, plan: Layout, dictionary: Dictionary | None, to: Path, scratch: Path
) -> None:
    writers = {
        name: pq.ParquetWriter(to / f"{name}.parquet", _schema(plan, own), compression="zstd")
        for name, own in plan.instruments.items()
    }
    try:
        strays: list[pa.Table] = []
        for con, first in slices(text, scratch):
            _refuse_unfit(con, text, plan, dictionary)
            for name, writer in writers.items():
                query = _instrument_query(plan, name, text.origin, first)
                for batch in con.execute(query).to_arrow_reader(50_000):
                    writer.write_batch(batch)
            strays += _strays(con, plan, text.origin, first)
        if strays:
            table = _in_order(pa.concat_tables(strays, promote_options="default"))
            pq.write_table(table, to / f"{UNASSIGNED}.parquet", compression="zstd")
    finally:
        for writer in writers.values():
            writer.close()


def _schema(plan: Layout, own: tuple[str, ...]) -> pa.Schema:
    names = [*plan.keys, *own, "source_file"]
    texts = [(name, pa.string()) for name in names]
    return pa.schema([*texts, ("source_row", pa.int64()), ("source_key", pa.string())])


def _in_order(table: pa.Table) -> pa.Table:
    """Provenance last, also where slices had different columns."""
    last = ["source_file", "source_row", "source_key"]
    return table.select([*(n for n in table.column_names if n not in last), *last])


def _instrument_query(plan: Layout, name: str, origin: str, first: int) -> str:
    own = plan.instruments[name]
    filled = _any_filled(own)
    if name == plan.first:
        others = [c for f, cs in plan.instruments.items() if f != name for c in cs]
        filled = f"({filled} OR NOT {_any_filled([*others, *plan.unassigned])})"
    condition = filled
    if REPEAT in plan.keys:
        repeat = quoted(REPEAT)
        condition = f"({repeat} IS NULL AND {filled}) OR {repeat} = {_literal(name)}"
    columns = [quoted(c) for c in (*plan.keys, *own)]
    return f"SELECT {', '.join(columns)}, {_provenance(plan, name, origin, first)} FROM slice " + (
        f"WHERE {condition}"
    )


def _provenance(plan: Layout, name: str, origin: str, first: int) -> str:
    def part(key: str) -> str:
        return f"coalesce({quoted(key)}, '')" if key in plan.keys else "''"

    key = f"concat_ws('|', {part(plan.record)}, {part(EVENT)}, {_literal(name)}, {part(INSTANCE)})"
    return f"{_literal(origin)} AS source_file, rowid + {first} AS source_row, {key} AS source_key"


def _strays(
    con: duckdb.DuckDBPyConnection, plan: Layout, origin: str, first: int
) -> Iterator[pa.Table]:
    """Columns of no instrument, and cells of a form in a repeating row of another."""
    columns = {c: quoted(c) for c in plan.unassigned}
    if REPEAT in plan.keys:
        for name, own in plan.instruments.items():
            foreign = f"{quoted(REPEAT)} <> {_literal(name)}"
            for column in _foreign(con, own, foreign):
                columns[column] = f"CASE WHEN {foreign} THEN {quoted(column)} END"
    if columns:
        chosen = ", ".join(f"{sql} AS {quoted(c)}" for c, sql in columns.items())
        keys = ", ".join(quoted(k) for k in plan.keys)
        yield con.execute(
            f"SELECT {keys}, {chosen}, {_provenance(plan, UNASSIGNED, origin, first)} FROM slice "
            f"WHERE {_any_filled(columns.values(), quote=False)}"
        ).to_arrow_table()


def _foreign(con: duckdb.DuckDBPyConnection, own: tuple[str, ...], foreign: str) -> list[str]:
    """Those columns of a form that are filled in repeating rows of another form."""
    if not own:
        return []
    any_sql = f"SELECT 1 FROM slice WHERE {foreign} AND {_any_filled(own)} LIMIT 1"
    if con.execute(any_sql).fetchone() is None:
        return []
    counts = ", ".join(f"count({quoted(c)})" for c in own)
    found = con.execute(f"SELECT {counts} FROM slice WHERE {foreign}").fetchone() or ()
    return [c for c, n in zip(own, found, strict=True) if n]


def _refuse_unfit(
    con: duckdb.DuckDBPyConnection, text: Text, plan: Layout, dictionary: Dictionary | None
) -> None:
    """Refuse labels in place of codes, and repeating instruments that nobody knows."""
    refuse_labels(con, text.header, dictionary, text.origin)
    if REPEAT not in plan.keys:
        return
    rows = con.execute(f"SELECT DISTINCT {quoted(REPEAT)} FROM slice WHERE {quoted(REPEAT)} <> ''")
    unknown = {r[0] for r in rows.fetchall()} - set(plan.instruments)
    if unknown:
        raise BadDelivery(
            f"{text.origin}: {REPEAT} holds {len(unknown)} values that are no form of the "
            "dictionary; labels, perhaps. Export raw data, not labels, with its own dictionary."
        )


def _any_filled(columns: Iterable[str], *, quote: bool = True) -> str:
    names = [quoted(c) if quote else c for c in columns]
    return f"(coalesce({', '.join(names)}) IS NOT NULL)" if names else "false"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _notices(text: Text, plan: Layout, to: Path) -> list[str]:
    found = list(text.notices)
    if plan.unassigned:
        found.append(
            f"{text.origin}: {len(plan.unassigned)} columns in no instrument, in {UNASSIGNED}: "
            + ", ".join(plan.unassigned[:10])
        )
    if (to / f"{UNASSIGNED}.parquet").exists():
        found.append(f"{text.origin}: cells outside their instrument are kept as {UNASSIGNED}")
    for name in plan.instruments:
        extra = duplicate_keys(to / f"{name}.parquet")
        if extra:
            found.append(
                f"{text.origin}: instrument {name} has {extra} rows whose record, event, "
                "instrument and instance are those of another row"
            )
    return found


def duplicate_keys(table: Path) -> int:
    """Rows of an instrument beyond the first of their key."""
    with duckdb.connect() as con:
        found = con.execute(
            "SELECT count(*) - count(DISTINCT source_key) FROM read_parquet(?)", [str(table)]
        ).fetchone()
    return int(found[0]) if found else 0
