"""Check an export: do all of receiving and validation, and keep nothing.

The export goes through a store of its own in a scratch folder that is removed again. The findings
name file, row and column. Record ids and raw values are asked for apart: they stand in query sheets
that go back to the centre, and nowhere else.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from schemas.contract import RowRule, options
from schemas.errors import BadDelivery, all_at_once
from schemas.records.findings import BY_ID, OPTIONAL_REMEDY
from schemas.settings import OutcomeSettings
from schemas.site import ColumnSource, Site, TableSource
from schemas.spelling import meant
from schemas.tables.registry import TABLES
from transforms.intake.cells import number_pattern
from transforms.intake.cross_checks import CROSS_CHECKS, CrossCheck
from transforms.intake.names import fitted
from transforms.intake.texts import GROUP
from warehouse.engine.embedded import engine
from warehouse.engine.protocol import Engine
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.engine.quoting import literal
from warehouse.intake.raw import read_again
from warehouse.intake.reading_key import declared
from warehouse.intake.receipts import Receipt
from warehouse.loading import row_index, validate
from warehouse.loading.costs import Cost, costs
from warehouse.loading.load import Counts, load, raw_name, raw_shapes, sources
from warehouse.loading.unused import columns_of
from warehouse.receiving import inbox
from warehouse.receiving.filled import Filled, devices, filled, first_rows, given
from warehouse.receiving.needs import warnings
from warehouse.receiving.outlook import Prospect, outlook
from warehouse.receiving.truncation import Fewer
from warehouse.receiving.worth import Worth, last_good, worth
from warehouse.store import Store

PATTERN = 24
SHEET = (
    "query",
    "file",
    "row",
    "record",
    "table",
    "column",
    "your_column",
    "value",
    "rule",
    "severity",
    "what_is_wrong",
    "what_to_do",
    "answer",
)
"""Columns of a query sheet; the centre answers in the last, or in its next delivery."""
EXAMPLES = 3
"""So many rows stand for the findings of one kind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one row breaks, without a patient or a value."""

    file: str
    row: int
    table: str
    column: str
    their_column: str
    rule: str
    category: str
    severity: str
    meaning: str
    remedy: str
    pattern: str = ""
    """The form of a cell that could not be read: 9 for a digit, a for a letter."""
    cause: str = ""
    """Why a row has no patient: he was set aside, or was not delivered. Of a spelling that is none
    of ours how many rows have it, and the nearest of our words."""


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule, column and cause: what is told of them in one line."""

    first: Finding
    number: int
    examples: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A finding as the centre must see it: whose it is, and what stands there."""

    finding: Finding
    record: str
    value: str

    def cells(self, number: int) -> tuple[Any, ...]:
        """A line of the query sheet."""
        f = self.finding
        about = (f.table, f.column, f.their_column, self.value)
        said = (f.rule, f.severity, f.meaning, f.remedy, "")
        return (number, f.file, f.row, self.record, *about, *said)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in an export."""

    site_id: str
    extracted: date
    tables: tuple[Counts, ...]
    notices: tuple[str, ...]
    queries: tuple[Query, ...]
    worth: Worth
    costs: tuple[Cost, ...] = ()
    """What the rows set aside cost, by root cause."""
    columns: tuple[Filled, ...] = ()
    lacking: tuple[str, ...] = ()
    """Criteria, endpoints and doses that need a column which nothing gives."""
    preview: tuple[tuple[str, ...], ...] = ()
    """Names and cells of the first rows of a table as they will stand, where one was named."""
    prospects: tuple[Prospect, ...] = ()
    """What the centre will get, where that was asked for."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings without patients and values."""
        return tuple(q.finding for q in self.queries)

    @property
    def fewer(self) -> tuple[Fewer, ...]:
        """Files with fewer rows than in the last good delivery."""
        return self.worth.fewer

    @property
    def groups(self) -> tuple[Group, ...]:
        """The findings by rule, column and cause, the most frequent first."""
        several: dict[tuple[str, ...], list[Finding]] = {}
        for f in self.findings:
            several.setdefault((f.table, f.column, f.their_column, f.rule, f.cause), []).append(f)
        found = [
            Group(fs[0], len(fs), tuple((f.file, f.row) for f in fs[:EXAMPLES]))
            for fs in several.values()
        ]
        return tuple(sorted(found, key=lambda g: -g.number))


def check(
    export: Path,
    site: Site,
    extracted: date,
    past: Store | None = None,
    held_below_pct: float = 80,
    settings: OutcomeSettings | None = None,
    preview: str = "",
) -> Checked:
    """Receive and validate an export without keeping it.

    Args:
        export: a folder as it would lie in the inbox, or a single file.
        site: the site file.
        extracted: the extraction date; later dates in the data are not believed.
        past: the registry's store, to compare with the last good delivery.
        held_below_pct: percent of the last good rows below which it would be held.
        settings: where they are given, what the centre will get is derived under them.
        preview: a table of ours whose first rows are shown.

    Raises:
        BadDelivery: the export is refused.
        BadConfiguration: the site file does not fit it.
    """
    with _scratch() as folder:
        store = Store.open(folder / "store")
        _put(export, site, store.site_inbox(site.site_id) / extracted.isoformat())
        receipt = _received(store, site, extracted)
        made = read_again(store, receipt, site)
        with engine(folder / "scratch.duckdb") as con:
            counts = load(con, site, made.tables, receipt, DEMONSTRATION_KEY, folder)
            queries = sorted(_queries(con, site, raw_shapes(made.tables), counts), key=_place)
            index = folder / "rows.parquet"
            row_index.write(con, [c.table for c in counts], DEMONSTRATION_KEY, index)
            full = filled(con, [c.table for c in counts])
            there = preview in {c.table for c in counts}
            shown = tuple(first_rows(con, preview)) if there else ()
        columns_of(made.tables, site, made.unread).write(folder)
        before = last_good(past, site, extracted, keep=False) if past else None
        found = worth(site, made, folder, before, held_below_pct=held_below_pct)
        lost = costs(index) if queries else ()
    return Checked(
        site_id=site.site_id,
        extracted=extracted,
        tables=tuple(counts),
        notices=receipt.notices,
        queries=tuple(queries),
        worth=found,
        costs=lost,
        columns=full,
        lacking=tuple(warnings(given(full), devices(full))),
        preview=shown,
        prospects=outlook(given(full), settings) if settings else (),
    )


def pattern(cell: str) -> str:
    """The form of a cell without its value: `1.100` is `9.999`, at most 24 signs of it."""
    form = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in cell)
    return form if len(form) <= PATTERN else f"{form[:PATTERN]}..."


def readings(cell: str) -> tuple[str, ...]:
    """The numbers that a cell could mean, with a decimal point and with a decimal comma."""
    found = []
    for decimal, grouping in ((".", ","), (",", ".")):
        plain = cell.replace(grouping, "").replace(decimal, ".")
        if any(re.search(number_pattern(decimal, g), cell) for g in (None, grouping)):
            found.append(plain)
    return tuple(dict.fromkeys(found))


def explained(rule_id: str, column: str, severity: str) -> tuple[str, str]:
    """What a rule means for a column, and what to do."""
    general = BY_ID.get(rule_id)
    if general:
        optional = OPTIONAL_REMEDY if severity != general.severity else ""
        return general.meaning.format(column=column), general.remedy + optional
    own: list[RowRule | CrossCheck] = [r for c in TABLES for r in options(c).rules]
    rule = next(r for r in [*own, *CROSS_CHECKS] if r.rule_id == rule_id)
    return rule.meaning, rule.remedy


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="y90-check-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(export: Path, site: Site, to: Path) -> None:
    """Lay the export where it would be dropped; a file that stands alone gets its declared name."""
    to.mkdir(parents=True)
    problems = inbox.copy_out(export, to)
    if problems:
        raise BadDelivery(all_at_once(f"{site.site_id}/{export.name}", problems))
    expected, suffixes = declared(site), "".join(export.suffixes[-2:])
    alone = len(expected) == 1 and export.name.split(".")[0] not in expected
    if export.is_file() and alone:
        (to / export.name).rename(to / f"{next(iter(expected))}{suffixes}")


def _received(store: Store, site: Site, extracted: date) -> Receipt:
    moment = datetime.combine(extracted, time(), UTC)
    found = inbox.receive(store, site, now=moment, terms=inbox.Terms(judge=False))
    (receipt,) = found.receipts
    if not receipt.accepted:
        raise BadDelivery(receipt.reason)
    return receipt


def _place(query: Query) -> tuple[str, int, str, str, str]:
    f = query.finding
    return f.file, f.row, f.table, f.column, f.rule


def _queries(
    con: Engine, site: Site, raw: Mapping[str, Sequence[str]], counts: list[Counts]
) -> Iterator[Query]:
    known = sources(site, raw)
    for name in (c.table for c in counts):
        broken = con.raw_sql(
            f"SELECT DISTINCT column_name, rule_id, category, severity FROM bad_{name} ORDER BY ALL"
        ).fetchall()
        for column, rule, category, severity in broken:
            theirs, cell = _their_cell(name, column, known[name], raw)
            meaning, remedy = explained(rule, column, severity)
            cause = _cause(rule, {c.table for c in counts})
            rows = con.raw_sql(
                f"SELECT source_file, source_row, patient_id, {cell}, {cause}, {theirs} FROM ("
                f"SELECT DISTINCT {validate.ROW} FROM bad_{name} WHERE rule_id = '{rule}' AND "
                f"column_name = '{column}') JOIN all_{name} row_ USING ({validate.ROW}) "
                f"LEFT JOIN (SELECT {validate.ROW}, detail FROM detail_{name} "
                f"WHERE rule_id = '{rule}') USING ({validate.ROW}) ORDER BY ALL"
            ).fetchall()
            for file, row, patient, value, why, of in dict.fromkeys(rows):
                facts = (rule, category, severity, meaning, remedy)
                form = pattern(value or "") if rule in validate.UNREAD.values() else ""
                finding = Finding(file, row, name, column, of, *facts, form, why)
                yield Query(finding, patient or "", value or "")


def _cause(rule: str, tables: set[str]) -> str:
    """SQL for why the row `row_` breaks a rule, where there is more than one reason to tell."""
    if rule != "no_such_patient" or "patients" not in tables:
        return "coalesce(detail, '')"
    return (
        "CASE WHEN row_.patient_id IN (SELECT patient_id FROM all_patients) "
        "THEN 'the row of the patient was set aside' ELSE 'the patient was not delivered' END"
    )


def _their_cell(
    table: str, column: str, parts: tuple[TableSource, ...], raw: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """SQL for their name of a column and for what stands in it, in the row `row_`."""
    names: dict[str, list[str]] = {}
    cells: list[str] = []
    same = "raw_.source_file = row_.source_file AND raw_.source_row = row_.source_row"
    for place, source in ((raw_name(table, s), s) for s in parts):
        there = tuple(raw.get(place, ()))
        for condition, found in _their_columns(column, fitted(there, source), there):
            names.setdefault(condition, []).extend(found)
            said = ", ".join(f'raw_."{n}"' for n in found)
            cells.append(
                f"(SELECT any_value(concat_ws(' | ', {said})) FROM \"raw_{place}\" raw_ "
                f"WHERE {same} AND {condition})"
            )
    told = {c: literal(", ".join(dict.fromkeys(n))) for c, n in names.items()}
    theirs = " ".join(f"WHEN {c} THEN {n}" for c, n in told.items())
    return (
        f"CASE {theirs} ELSE '' END" if told else "''",
        f"coalesce({', '.join([*cells, 'NULL'])})::VARCHAR",
    )


def _their_columns(
    column: str, source: TableSource, there: Sequence[str]
) -> Iterator[tuple[str, list[str]]]:
    """Under which condition the column comes from which of theirs."""
    for lab in source.wide:
        given: Mapping[str, Any] = lab.model_dump()
        if isinstance(given.get(column), str) and column not in ("analyte", "unit"):
            yield f"row_.analyte = '{lab.analyte}'", [given[column]]
    if column == "site_id" and GROUP in there:
        yield "true", [GROUP]
        return
    mapped = source.columns.get(column, column)
    if isinstance(mapped, ColumnSource):
        found = [n for n in mapped.read if n in there]
    else:
        found = meant(mapped, there)
    if found:
        yield _numbered(source), found


def _numbered(source: TableSource) -> str:
    """Under which condition a row is of a source with numbered columns: one constant says it."""
    if not source.if_filled:
        return "true"
    told = {n: s.constant for n, s in source.columns.items() if isinstance(s, ColumnSource)}
    said = [
        f"row_.{n}::VARCHAR = '{str(c).replace(chr(39), chr(39) * 2)}'"
        for n, c in told.items()
        if c is not None
    ]
    return " AND ".join(said) or "true"
