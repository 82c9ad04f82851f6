"""Split a flat REDCap export into the rows and columns of its instruments.

REDCap exports a block matrix: one file holds several grains, and a row of one instrument leaves the
columns of the others blank. It is split before anything is typed or counted as missing. No cell is
lost: each column stands in one instrument's table, and what belongs nowhere (columns that the
dictionary does not know, cells of one form in a repeating row of another) in `unassigned`.

The conventions are those of the test projects of the R packages REDCapR and REDCapTidieR.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import BadDelivery
from warehouse.engine.connections import connection
from warehouse.intake.formats.delimited import read
from warehouse.intake.formats.records import Text, in_slices
from warehouse.intake.formats.spool import Spools
from warehouse.intake.redcap.dictionary import Dictionary
from warehouse.intake.redcap.labels import refuse_label_header, refuse_labels

EVENT, REPEAT = "redcap_event_name", "redcap_repeat_instrument"
INSTANCE, GROUP = "redcap_repeat_instance", "redcap_data_access_group"
KEYS = (EVENT, REPEAT, INSTANCE, GROUP)
UNASSIGNED = "unassigned"
NO_FORM = "columns in no instrument"
FORM_COLUMNS = ("_complete", "_timestamp", "_return_code")


@dataclass(frozen=True)
class Layout:
    """Where each column of an export belongs, and the export as it was read."""

    record: str
    keys: tuple[str, ...]
    instruments: dict[str, tuple[str, ...]]
    unassigned: tuple[str, ...]
    text: Text

    @property
    def first(self) -> str:
        """The instrument that holds the record id: an empty shell of a record stands there."""
        return next(iter(self.instruments))


def layout(text: Text, dictionary: Dictionary | None, record: str | None) -> Layout:
    """Assign every column, by the dictionary or by the order of the `_complete` columns."""
    refuse_label_header(text.header, text.origin)
    chosen = record or _record(text, dictionary)
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
    return Layout(chosen, keys, own, tuple(c for c in columns if not owners[c]), text)


def _record(text: Text, dictionary: Dictionary | None) -> str:
    """The dictionary's first field, wherever the export has it, else the export's first column."""
    if dictionary and dictionary.record in text.header:
        return dictionary.record
    return text.header[0]


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
    plan = replace(
        plan, text=read(text, scratch, lambda source: _write(source, plan, dictionary, to))
    )
    return plan, _notices(text, plan, dictionary, to)


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


def _write(text: Text, plan: Layout, dictionary: Dictionary | None, to: Path) -> None:
    def divided(batch: pa.RecordBatch, first: int) -> _Slice:
        _refuse_unfit(batch, text, plan, dictionary)
        return _divide(batch, plan, text.origin, first)

    strays: list[pa.Table] = []
    schemas = {name: _schema(plan, own) for name, own in plan.instruments.items()}
    with Spools(to, schemas) as spools:
        for slice_ in in_slices(text, divided):
            for name, rows in slice_.instruments.items():
                spools.add(name, rows)
            strays += slice_.strays
    if strays:
        table = _in_order(pa.concat_tables(strays, promote_options="default"))
        pq.write_table(table, to / f"{UNASSIGNED}.parquet", compression="zstd")


def _schema(plan: Layout, own: tuple[str, ...]) -> pa.Schema:
    names = [*plan.keys, *own, "source_file"]
    texts = [(name, pa.string()) for name in names]
    return pa.schema([*texts, ("source_row", pa.int64()), ("source_key", pa.string())])


def _in_order(table: pa.Table) -> pa.Table:
    """Provenance last, also where slices had different columns."""
    last = ["source_file", "source_row", "source_key"]
    return table.select([*(n for n in table.column_names if n not in last), *last])


@dataclass(frozen=True)
class _Slice:
    """The rows that some records of an export give to each instrument, and what fits none."""

    instruments: dict[str, pa.RecordBatch]
    strays: list[pa.Table]


def _divide(batch: pa.RecordBatch, plan: Layout, origin: str, first: int) -> _Slice:
    """A form's rows: those of its own repeats, and plain rows in which it has any cell.

    A row in which no form has a cell is the shell of a record: it stands in the first.
    """
    filled = {name: _any_filled(batch, own) for name, own in plan.instruments.items()}
    rows = dict(filled)
    if REPEAT in plan.keys:
        repeats = pc.fill_null(batch[REPEAT], "")
        plain = pc.equal(repeats, "")
        rows = {
            name: pc.or_(pc.and_(plain, has), pc.equal(repeats, name))
            for name, has in filled.items()
        }
    else:
        plain = pa.repeat(pa.scalar(True), batch.num_rows)
    anything = reduce(pc.or_, [*filled.values(), _any_filled(batch, plan.unassigned)])
    shell = pc.and_(plain, pc.invert(anything))
    rows[plan.first] = pc.or_(rows[plan.first], shell)
    instruments = {
        name: _placed(batch, (*plan.keys, *own), rows[name], plan, name, origin, first)
        for name, own in plan.instruments.items()
    }
    return _Slice(instruments, _strays(batch, plan, filled, origin, first))


def _placed(
    batch: pa.RecordBatch,
    names: tuple[str, ...],
    rows: pa.BooleanArray,
    plan: Layout,
    instrument: str,
    origin: str,
    first: int,
) -> pa.RecordBatch:
    """Some rows and columns, with file, row and key."""
    places = pc.indices_nonzero(rows)
    blank = pa.nulls(len(places), pa.string())
    dense = {n: batch[n].take(places) if batch[n].null_count < len(batch) else blank for n in names}
    text = pa.repeat(pa.scalar(""), len(places))
    event, instance = (
        pc.fill_null(dense[k], "") if k in plan.keys else text for k in (EVENT, INSTANCE)
    )
    record = pc.fill_null(dense[plan.record], "")
    key = pc.binary_join_element_wise(record, event, instrument, instance, "|")
    file = pa.repeat(pa.scalar(origin), len(places))
    number = pc.add(places.cast(pa.int64()), first)
    names_ = [*names, "source_file", "source_row", "source_key"]
    return pa.RecordBatch.from_arrays([*dense.values(), file, number, key], names=names_)


def _strays(
    batch: pa.RecordBatch,
    plan: Layout,
    filled: Mapping[str, pa.BooleanArray],
    origin: str,
    first: int,
) -> list[pa.Table]:
    """Columns of no instrument, and cells of a form in a repeating row of another."""
    columns = {c: batch[c] for c in plan.unassigned}
    if REPEAT in plan.keys:
        repeat = batch[REPEAT]
        for name, own in plan.instruments.items():
            foreign = pc.fill_null(pc.not_equal(repeat, name), False)
            if pc.any(pc.and_(foreign, filled[name])).as_py():
                cells = {
                    c: pc.if_else(foreign, batch[c], pa.scalar(None, pa.string())) for c in own
                }
                columns |= {c: v for c, v in cells.items() if v.null_count < len(v)}
    names = (*plan.keys, *columns)
    apart = pa.RecordBatch.from_arrays(
        [*(batch[k] for k in plan.keys), *columns.values()], names=list(names)
    )
    any_stray = _any_filled(apart, columns)
    if not pc.any(any_stray).as_py():
        return []
    placed = _placed(apart, names, any_stray, plan, UNASSIGNED, origin, first)
    return [pa.Table.from_batches([placed])]


def _refuse_unfit(
    batch: pa.RecordBatch, text: Text, plan: Layout, dictionary: Dictionary | None
) -> None:
    """Refuse labels in place of codes, and repeating instruments that nobody knows."""
    refuse_labels(batch, dictionary, text.origin)
    if REPEAT not in plan.keys:
        return
    unknown = set(pc.unique(batch[REPEAT]).to_pylist()) - {None, *plan.instruments}
    if unknown:
        raise BadDelivery(
            f"{text.origin}: {REPEAT} holds {len(unknown)} values that are no form of the "
            "dictionary; labels, perhaps. Export raw data, not labels, with its own dictionary."
        )


def _any_filled(batch: pa.RecordBatch, columns: Iterable[str]) -> pa.BooleanArray:
    """Which rows have a cell in one of these columns."""
    some = (batch[c] for c in columns)
    marks = [pc.is_valid(cells) for cells in some if cells.null_count < len(cells)]
    return reduce(pc.or_, marks, pa.repeat(pa.scalar(False), batch.num_rows))


def _notices(text: Text, plan: Layout, dictionary: Dictionary | None, to: Path) -> list[str]:
    found = [*text.notices, *(dictionary.notices if dictionary else ())]
    if plan.unassigned:
        found.append(
            f"{text.origin}: {len(plan.unassigned)} {NO_FORM}, in {UNASSIGNED}: "
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
    with connection() as con:  # the rows of blank lines have no record, and are no copies
        found = con.execute(
            "SELECT count(*) - count(DISTINCT source_key) FROM read_parquet(?) "
            "WHERE source_key NOT LIKE '|%'",
            [str(table)],
        ).fetchone()
    return int(found[0]) if found else 0
