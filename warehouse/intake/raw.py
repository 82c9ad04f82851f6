"""Convert a delivery to Parquet tables of text, row by row.

Every table of a payload (`.csv`, `.tsv`, `.txt`, `.csv.gz`, `.zip` of these, `.xlsx`, `.parquet`,
`.xpt`), or every instrument of a REDCap export, becomes one Parquet file of text columns plus
`source_file` and `source_row`. It is written once per way of reading (delimiter, encoding, which
files): a corrected site file reads the same payload anew beside the old reading.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.contract import table_name
from schemas.errors import BadDelivery, all_at_once
from schemas.site import Site
from schemas.spelling import plain
from schemas.tables.registry import TABLES
from warehouse.engine.connections import connection
from warehouse.engine.quoting import identifier, literal
from warehouse.fingerprints import file_sha256
from warehouse.intake.borrowed import lend
from warehouse.intake.formats.archives import (
    DELIMITED,
    TABULAR,
    TRANSPORT,
    Member,
    collisions,
    ignored,
    unpack,
)
from warehouse.intake.formats.delimited import check_header, made_up, read, survey
from warehouse.intake.formats.records import Text, in_slices
from warehouse.intake.formats.spool import Spools
from warehouse.intake.formats.transport import as_parquet
from warehouse.intake.formats.typed import Form, from_parquet, zoned
from warehouse.intake.formats.workbook import sheets
from warehouse.intake.reading_key import (
    declared,
    mapped_fields,
    reading_id,
    redcap_source,
    stem,
)
from warehouse.intake.receipts import Receipt
from warehouse.intake.redcap.dictionary import read_dictionary
from warehouse.intake.redcap.instruments import split
from warehouse.store import Store, new_folder

OUR_TABLES = tuple(table_name(contract) for contract in TABLES)
PROJECT_FILES = ("events", "arms", "event_mapping", "instruments", "data_access_groups")
CONTENTS = "contents.json"
OLD_WORKBOOK = ".xls"
REMARKS = ("notices", "unread", "unended", "doubts")


@dataclass(frozen=True)
class RawTables:
    """Raw Parquet by name (file stem, sheet or instrument), and remarks on the reading.

    `unread` are files that no table is read from, `unended` tables whose file has no last line
    break, and `doubts` why a file may be cut off.
    """

    tables: dict[str, Path]
    notices: tuple[str, ...]
    unread: tuple[str, ...] = ()
    unended: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def raw_tables(store: Store, receipt: Receipt, site: Site) -> dict[str, Path]:
    """The raw tables of a receipt's delivery, made on first demand.

    Raises:
        BadDelivery: a file of it cannot be read, is not what was received, or a declared one is
            missing.
    """
    return read_again(store, receipt, site).tables


def read_again(store: Store, receipt: Receipt, site: Site) -> RawTables:
    """The same, with the remarks on the reading."""
    _intact(store, receipt)
    return reading(store, receipt.site_id, receipt.delivery_id, site, _where(receipt))


def _intact(store: Store, receipt: Receipt) -> None:
    """Hold what is kept against the receipt: a disk may have lost it, or somebody edited it."""
    payload = store.payload(receipt.site_id, receipt.delivery_id)
    if not payload.is_dir():
        return  # read before it was removed; what was read is kept
    damaged = [
        f"{payload / file.name}: not as it was received. Restore it from a backup, or deliver the "
        "export again."
        for file in receipt.files
        if not (payload / file.name).is_file() or file_sha256(payload / file.name) != file.sha256
    ]
    if damaged:
        raise BadDelivery(all_at_once(_where(receipt), damaged))


def reading(store: Store, site_id: str, delivery_id: str, site: Site, where: str) -> RawTables:
    """Read a delivery as its site file says, or find it read already."""
    folder = store.raw_tables(site_id, delivery_id) / reading_id(site)
    payload = store.payload(site_id, delivery_id)
    if not folder.is_dir():
        if not payload.is_dir():
            raise BadDelivery(f"{where}: its payload is no longer kept. Deliver the export again.")
        with new_folder(folder) as fresh:
            made = convert(payload, site, fresh, where)
            contents = {n: getattr(made, n) for n in REMARKS} | {"tables": sorted(made.tables)}
            (fresh / CONTENTS).write_text(json.dumps(contents, indent=2), "utf-8")
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    tables = {name: folder / f"{name}.parquet" for name in contents["tables"]}
    return RawTables(tables, **{n: tuple(contents[n]) for n in REMARKS})


def convert(payload: Path, site: Site, to: Path, where: str) -> RawTables:
    """Write the raw tables of any folder of files; all problems are told at once."""
    with _scratch(to) as scratch:
        members, problems = unpack(payload, scratch)
        members = [m for m in members if not ignored(m.name)]
        members, more = _with_sheets(members, site, scratch)
        members = [_under_our_name(m, site) for m in members]
        problems += more or collisions(m for m in members if m.table in _wanted(site))
        problems = list(dict.fromkeys(problems))
        problems = problems or _missing(members, site)
        if problems:
            raise BadDelivery(all_at_once(where, problems))
        convert_all = _convert_redcap if site.format == "redcap" else _convert_tables
        try:
            made = convert_all(members, site, to, scratch)
            return replace(made, notices=(*made.notices, *lend(made.tables, site)))
        except BadDelivery as fault:
            raise BadDelivery(all_at_once(where, str(fault).splitlines())) from None


def _where(receipt: Receipt) -> str:
    return f"{receipt.site_id}/{receipt.extraction_date.isoformat()}"


@contextmanager
def _scratch(to: Path) -> Iterator[Path]:
    """A folder on the disk of the result, for its owner only, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".scratch-", dir=to))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wanted(site: Site) -> set[str]:
    return declared(site) if site.format == "redcap" else declared(site) | set(OUR_TABLES)


def _with_sheets(
    members: list[Member], site: Site, scratch: Path
) -> tuple[list[Member], list[str]]:
    """Put a workbook's sheets in its place; one sheet has the workbook's name, if that is known.

    What is wrong with a sheet is told if a table is read from it; another one is of no use anyway.
    """
    taken: list[Member] = []
    problems: list[str] = []
    for number, member in enumerate(members):
        if member.suffix != ".xlsx":
            taken.append(member)
            continue
        folder = scratch / f"workbook-{number}"
        folder.mkdir()
        try:
            found = sheets(member.path, member.origin, folder, Form.of(site))
        except BadDelivery as fault:
            problems += str(fault).splitlines() if _may_be_needed(member, site) else []
            continue
        if len(found) == 1 and not _known(member.table, found[0].name, site):
            found = [replace(found[0], name="")]
        for sheet in found:
            name = sheet.name or member.table
            if sheet.fault and _is_wanted(name, site):
                problems.append(sheet.fault)
            taken.append(Member(f"{name}.csv", _sheet_origin(member, sheet.name), sheet.path))
    return taken, problems


def _is_wanted(name: str, site: Site) -> bool:
    return plain(name) in {plain(wanted) for wanted in _wanted(site)}


def _known(workbook: str, sheet: str, site: Site) -> bool:
    """Whether it is the only sheet's name that we know, and not the workbook's."""
    return _is_wanted(sheet, site) and not _is_wanted(workbook, site)


def _under_our_name(member: Member, site: Site) -> Member:
    """A file or sheet `Adverse events` is adverse_events: case, spaces and marks do not matter."""
    if member.table in _wanted(site) or member.suffix not in TABULAR:
        return member
    ours = {plain(name): name for name in sorted(_wanted(site))}.get(plain(member.table))
    rest = member.name.removeprefix(member.table)
    return replace(member, name=f"{ours}{rest}") if ours else member


def _sheet_origin(member: Member, sheet: str) -> str:
    return f"{member.origin}/{sheet}" if sheet else member.origin


def _may_be_needed(member: Member, site: Site) -> bool:
    """Any workbook may hold declared sheets, unless plain files declare nothing of its name."""
    return bool(declared(site)) or member.table in OUR_TABLES


def _missing(members: Iterable[Member], site: Site) -> list[str]:
    there = list(members)
    present = {m.table for m in there if m.suffix in TABULAR}
    lacking = sorted(declared(site) - present)
    if not lacking and not present & _wanted(site):
        known = "no table that its site file or our names know. Name its files in the site file."
        return [known, *(told for m in there if (told := _useless(m)))]
    return [_lacking(name, there) for name in lacking]


def _lacking(name: str, members: Iterable[Member]) -> str:
    """Why a declared file is not there."""
    for member in members:
        if member.table == name and (told := _useless(member)):
            return told
    return (
        f"{name}: declared in the site file, but missing. A delivery is the whole export: deliver "
        "every file, an empty table with its header."
    )


def _useless(member: Member) -> str:
    """What is wrong with a file or sheet from which no table is read."""
    if member.suffix == OLD_WORKBOOK:
        return f"{member.origin}: an old Excel workbook, which is not read. Save it as .xlsx."
    if member.suffix not in TABULAR:
        return ""
    near = get_close_matches(plain(member.table), {plain(n): n for n in OUR_TABLES}, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{member.origin}: {member.table} is no table of ours.{meant}"


def _convert_tables(members: list[Member], site: Site, to: Path, scratch: Path) -> RawTables:
    wanted = [m for m in members if m.suffix in TABULAR and m.table in _wanted(site)]
    unread = [m.origin for m in members if m not in wanted]
    made = [RawTables({}, tuple(map(_kept_only, unread)), unread=tuple(unread))]
    problems: list[str] = []
    for member in wanted:
        target = to / f"{member.table}.parquet"
        try:
            made.append(_convert_one(member, site, target, scratch))
        except BadDelivery as fault:
            problems += str(fault).splitlines()
    if problems:
        raise BadDelivery("\n".join(problems))
    tables = {name: path for one in made for name, path in one.tables.items()}
    return RawTables(tables, **{n: tuple(r for m in made for r in getattr(m, n)) for n in REMARKS})


def _kept_only(origin: str) -> str:
    return f"{origin}: not declared in the site file, kept but not read"


def _convert_one(member: Member, site: Site, target: Path, scratch: Path) -> RawTables:
    tables = {member.table: target}
    if member.suffix == TRANSPORT:
        member = replace(member, path=as_parquet(member.path, member.origin, scratch))
    if member.suffix in (".parquet", TRANSPORT):
        return RawTables(tables, tuple(_from_parquet(member, target, Form.of(site))))
    text = read(_text(member, site, scratch), scratch, lambda source: _write(source, target))
    unended = () if text.ended else (member.table,)
    return RawTables(tables, text.notices, unended=unended, doubts=text.doubts)


def _text(member: Member, site: Site, scratch: Path) -> Text:
    """Survey a member; what we wrote from a workbook is known to be UTF-8 with commas."""
    ours = member.path.is_relative_to(scratch) and member.path.name.startswith("sheet-")
    return survey(
        member.path,
        member.origin,
        scratch,
        delimiter="," if ours else site.delimiter,
        encoding="utf-8" if ours else site.encoding,
    )


def _write(text: Text, target: Path) -> None:
    names = [(name, pa.string()) for name in (*text.header, "source_file")]
    schema = pa.schema([*names, ("source_row", pa.int64())])

    def placed(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        rows = pa.array(np.arange(first, first + batch.num_rows))
        file = pa.repeat(pa.scalar(text.origin), batch.num_rows)
        return pa.record_batch([*batch.columns, file, rows], schema=schema)

    with Spools(target.parent, {target.stem: schema}) as spools:
        for batch in in_slices(text, placed):
            spools.add(target.stem, batch)


def _from_parquet(member: Member, target: Path, form: Form) -> list[str]:
    """Parquet has types already; they become text, so that one reader serves every source.

    Returns:
        Notices.
    """
    try:
        found = pq.read_schema(member.path)
        names = check_header(found.names, member.origin)
        nested = [n for n, t in zip(names, found.types, strict=True) if pa.types.is_nested(t)]
        if nested:
            raise BadDelivery(
                f"{member.origin}: column {nested[0]} is nested. Export one value per cell."
            )
        cells = ", ".join(
            f"{from_parquet(name, kind, form)} AS {identifier(name)}"
            for name, kind in zip(names, found.types, strict=True)
        )
        ours = ", ".join(map(identifier, names))
        with connection() as con:
            con.execute(
                f"COPY (SELECT {cells}, {literal(member.origin)} AS source_file, file_row_number "
                "+ 1 AS source_row FROM read_parquet($source, file_row_number = true) "
                f"AS their ({ours}) ORDER BY source_row) TO $target "
                "(FORMAT parquet, COMPRESSION zstd)",
                {"source": str(member.path), "target": str(target)},
            )
        local = [
            f"{member.origin}: {name} holds times with a zone, read as the time in {form.zone}"
            for name in zoned(names, found.types)
        ]
        return [*made_up(names, member.origin), *local]
    except (pa.ArrowException, duckdb.Error, OSError, ValueError):
        raise BadDelivery(
            f"{member.origin}: not a Parquet file, or a damaged one. Export it again."
        ) from None


def _convert_redcap(members: list[Member], site: Site, to: Path, scratch: Path) -> RawTables:
    source = redcap_source(site)
    by_name = {m.table: m for m in members if m.suffix in TABULAR}
    data = by_name[stem(source.data)]
    if data.suffix not in DELIMITED:
        raise BadDelivery(f"{data.origin}: a REDCap export is read as CSV. Export it as CSV.")
    dictionary = None
    if source.dictionary:
        described = by_name[stem(source.dictionary)]
        mapped = mapped_fields(site)
        dictionary = read_dictionary(described.path, described.origin, scratch, mapped)
    plan, notices = split(_text(data, site, scratch), dictionary, source.record, to, scratch)
    known = {*declared(site), *PROJECT_FILES}
    unread = [m.origin for m in members if m.table not in known]
    tables = {p.stem: p for p in sorted(to.glob("*.parquet"))}
    return RawTables(
        {n: tables[n] for n in (*plan.instruments, *tables) if n in tables},
        (*notices, *map(_kept_only, unread)),
        unread=tuple(unread),
        unended=() if plan.text.ended else tuple(tables),
        doubts=plan.text.doubts,
    )
