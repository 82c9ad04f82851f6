"""Judge a delivery that can be read: refuse it, hold it, or take it with doubts.

Refused is what gives nothing where something is expected: a declared file, a table that was
delivered before, or patients, treatments and contacts, of which no row can be taken. Held is what
may be cut off: the site's last good delivery stays in force until somebody lets it in. A file that
matches no table degrades the site, so that somebody looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from schemas.errors import BadDelivery
from schemas.site import Site
from schemas.spelling import plain
from warehouse.engine.connections import connection
from warehouse.intake.formats.archives import TABULAR
from warehouse.intake.raw import OLD_WORKBOOK, RawTables, reading
from warehouse.intake.reading_key import reading_id
from warehouse.intake.receipts import Receipt, in_force, let_in
from warehouse.loading import delivery_cache
from warehouse.loading.load import raw_name, sources
from warehouse.loading.unused import Columns, Unused, columns_of, unused
from warehouse.receiving.truncation import Fewer, fewer_rows, row_counts
from warehouse.store import Store

NEEDED = ("patients", "treatments", "contacts")
"""Without these nothing can be said of anybody: time, event and exposure."""
NOT_OURS = (
    "none of its columns is one of ours or of the site file. Map them in the site file; if a title "
    "or remarks stand above the line with the names, remove them."
)
NONE_TAKEN = "and none can be taken: {causes}. `y90 check --rows` lists them."
CAUSES = """
SELECT column_name, rule_id, count(*) AS n,
  list(source_file || ' row ' || source_row ORDER BY source_file, source_row)[1:3] AS places
FROM read_parquet(?) WHERE table_name = ? GROUP BY ALL ORDER BY n DESC, 1, 2
"""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a delivery is worth: why it is refused, why it is held, and what is doubtful of it."""

    refused: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    fewer: tuple[Fewer, ...] = ()
    unused: tuple[Unused, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """The last good delivery of a site: its rows by file or form, and its columns."""

    extracted: date
    rows: Mapping[str, int]
    columns: Columns


def last_good(store: Store, site: Site, extracted: date, *, keep: bool = True) -> Past | None:
    """The delivery in force before an arrival, read as the site file says today.

    One that cannot be read so says nothing of the past. Unless `keep`, it is not read anew, so that
    nothing is written.
    """
    for earlier in in_force(store, site.site_id, extracted):
        where = f"{earlier.site_id}/{earlier.extraction_date.isoformat()}"
        folder = store.raw_tables(site.site_id, earlier.delivery_id) / reading_id(site)
        if not (keep or folder.is_dir()):
            return None
        try:
            made = reading(store, site.site_id, earlier.delivery_id, site, where)
        except BadDelivery:
            return None
        columns = columns_of(made.tables, site, made.unread)
        return Past(earlier.extraction_date, row_counts(made.tables), columns)
    return None


def worth(
    site: Site,
    raw: RawTables,
    loaded: Path,
    past: Past | None,
    *,
    held_below_pct: float,
    accepted: bool = False,
) -> Worth:
    """Judge a delivery by what it gives and by what the last good one gave.

    Args:
        site: the site file.
        raw: the delivery as it was read.
        loaded: the folder in which its rows are mapped and judged.
        past: the last good delivery.
        held_below_pct: percent of a file's last good rows below which it is held.
        accepted: somebody accepted this content: it is not held.
    """
    columns = Columns.read(loaded)
    now, before = row_counts(raw.tables), past.rows if past else {}
    empty_handed = dict(_nothing(site, loaded, columns, now))
    refused = [m for table, m in empty_handed.items() if _expected(table, site, past)]
    few = {} if accepted else _few(now, before, held_below_pct)
    held = () if accepted else (*raw.doubts, *_short(raw, now, before, few, held_below_pct))
    others = [m for table, m in empty_handed.items() if not _expected(table, site, past)]
    return Worth(
        refused=tuple(refused),
        held=held,
        doubts=(*others, *_strange(site, columns)),
        fewer=tuple(f for f in fewer_rows(now, before, past.extracted) if f.table not in few)
        if past
        else (),
        unused=unused(columns, past.columns if past else None),
    )


def judged(
    store: Store,
    site: Site,
    receipt: Receipt,
    raw: RawTables,
    key: bytes,
    options: Mapping[str, Any],
    held_below_pct: float,
) -> Worth:
    """Load a delivery that has just arrived, and judge it.

    Raises:
        BadConfiguration: the site file does not fit it.
    """
    if not sources(site, set(raw.tables)):
        return Worth(doubts=("the site file maps no table: nothing of the delivery is used.",))
    loaded = delivery_cache.ready(store, site, receipt, key, options)
    past = last_good(store, site, receipt.extraction_date)
    known = let_in(store, site.site_id, receipt.delivery_id)
    return worth(site, raw, loaded, past, held_below_pct=held_below_pct, accepted=known)


def counted(loaded: Path) -> dict[str, dict[str, Any]]:
    """The row counts of a loaded delivery by table."""
    rows = pq.read_table(loaded / "quality" / "row_counts.parquet").to_pylist()
    return {row["table_name"]: row for row in rows}


def _nothing(
    site: Site, loaded: Path, columns: Columns, rows: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Tables that received something and accept nothing, and why."""
    counts = counted(loaded)
    foreign = set(columns.foreign())
    for table, parts in sources(site, set(rows)).items():
        here = [n for s in parts if (n := raw_name(table, s)) in rows and rows[n]]
        strange = [n for n in here if n in foreign and columns.there[n]]
        known = counts.get(table)
        if strange and not columns.forms:
            yield table, f"{', '.join(strange)}: {NOT_OURS}"
        elif known and not known["accepted"] and known["quarantined"]:
            told = NONE_TAKEN.format(causes=_causes(loaded, table))
            yield table, f"{table}: {known['quarantined']} rows, {told}"


def _causes(loaded: Path, table: str) -> str:
    """Why rows were set aside, by column and rule, each with a count and three examples."""
    with connection() as con:
        path = str(loaded / "quality" / "quarantine.parquet")
        found = con.execute(CAUSES, [path, table]).fetchall()
    return "; ".join(
        f"{column} [{rule}] {n} row{'s' * (n > 1)} ({', '.join(places)}"
        f"{f' and {n - len(places)} more' if n > len(places) else ''})"
        for column, rule, n, places in found
    )


def _expected(table: str, site: Site, past: Past | None) -> bool:
    before = past.rows if past else {}
    parts = sources(site, set(before)).get(table, ())
    delivered = any(before.get(raw_name(table, source)) for source in parts)
    return table in site.tables or table in NEEDED or delivered


def _few(now: Mapping[str, int], before: Mapping[str, int], pct: float) -> dict[str, int]:
    """Rows of the files that have under so many percent of the last good delivery's."""
    return {n: now.get(n, 0) for n in sorted(before) if now.get(n, 0) * 100 < before[n] * pct}


def _short(
    raw: RawTables,
    now: Mapping[str, int],
    before: Mapping[str, int],
    few: Mapping[str, int],
    pct: float,
) -> Iterator[str]:
    """Files that may be cut off, by the last good delivery: what is alike is told once."""
    if few:
        counts = ", ".join(f"{name} {rows} of {before[name]}" for name, rows in few.items())
        yield (
            f"{counts}: under {pct:g} percent of the rows of the last good delivery. An export is "
            "whole: check whether it was cut off or filtered."
        )
    for name, rows_before in sorted(before.items()):
        rows = now.get(name, 0)
        if name not in few and name in raw.unended and rows < rows_before:
            yield (
                f"{name}: ends without a line break, after {rows} rows where the last good "
                f"delivery had {rows_before}: it may be cut off. Export it again, whole."
            )


def _strange(site: Site, columns: Columns) -> Iterator[str]:
    """Files that hold a table, and none that we know."""
    known = {plain(PurePosixPath(name).name.split(".")[0]) for name in site.ignored_files}
    for origin in columns.unread:
        path = PurePosixPath(origin)
        is_table = path.suffix.lower() in (*TABULAR, ".gz") or ".xlsx/" in origin.lower()
        if path.suffix.lower() == OLD_WORKBOOK and plain(path.stem) not in known:
            yield f"{origin}: an old Excel workbook, which is not read. Save it as .xlsx."
        if is_table and plain(path.name.split(".")[0]) not in known:
            yield (
                f"{origin}: matches no table, nothing of it is used. Declare it in the site file, "
                "or name it in `ignored_files`."
            )
