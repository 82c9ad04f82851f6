"""What a centre will get: which published outcomes can be derived from the columns that it gives.

An invented patient of whom everything is known is blanked to what the centre gives, and goes
through the derivations; so does he with everything, and with everything but one column, for each
that is lacking. What the whole patient has and the centre's has not cannot be derived there; the
columns without which even the whole patient has it not are missing. So the derivations themselves
say what they need, and no list of it is kept.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import ibis.expr.types as ir

from schemas.contract import (
    Contract,
    column_names,
    columns,
    options,
    published_name,
    rows,
    table_name,
)
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import headline_rank
from schemas.tables.intermediate import Extractions, RowsSetAside, SetAside
from schemas.tables.registry import TABLES
from transforms.intake.names import OURS_ALONE
from warehouse.building.build import derive
from warehouse.engine import kept_tables
from warehouse.engine.embedded import engine
from warehouse.engine.lineage import derivations, released
from warehouse.engine.protocol import Engine
from warehouse.receiving.complete_patient import Rows, complete_patient

MINE, FULL = "mine", "full"
EXTRACTED = date(2023, 1, 1)
PARTS = ("criterion", "factor", "endpoint", "analyte", "marker", "compartment", "rule_id", "term")
"""Keys of row-level tables by which an outcome is told of in parts."""
KNOWN = {
    "evaluable": "evaluable",
    "status": "status <> 'unknown'",
    "time_days": "time_days IS NOT NULL",
    "reason": "reason IS NULL",
}
"""How a row of a table with parts tells that something is known; without these its being there."""
Given = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Prospect:
    """One row-level quantity that outcomes are made of: whether the centre will have it."""

    table: str
    part: str
    """A criterion, an endpoint, an analyte, or a column of the table."""
    derivable: bool
    missing: tuple[str, ...] = ()
    """Columns, as table.column, without each of which it cannot be derived."""
    outcomes: tuple[str, ...] = field(default=())
    """The published tables that are made from it directly."""

    def __str__(self) -> str:
        """A line for a person."""
        if self.derivable:
            return f"{self.table}, {self.part}: yes"
        lacking = ", ".join(self.missing) or "one of several columns"
        return f"{self.table}, {self.part}: no; missing: {lacking}"


def outlook(given: Given, settings: OutcomeSettings) -> tuple[Prospect, ...]:
    """What can be derived at a centre.

    Args:
        given: registry table -> the columns in which some accepted row has a value.
        settings: the registry's.
    """
    lacking = sorted(_lacking(given))
    with engine() as con:
        found = _derived(con, given, lacking, settings)
    direct = _published()
    told = []
    for (table, part), sites in sorted(found.items()):
        if FULL in sites:
            missing = tuple(n for n in lacking if n not in sites) if MINE not in sites else ()
            outcomes = _naming(part, table, direct.get(table, ()))
            told.append(Prospect(table, part, MINE in sites, missing, outcomes))
    return tuple(t for t in told if t.outcomes)


def without_each(patient: Rows, settings: OutcomeSettings) -> dict[tuple[str, str], set[str]]:
    """(table, part) that a patient has -> his columns, as table.column, without which he has not.

    Args:
        patient: his rows by registry table.
        settings: the registry's.
    """
    whole = {t: frozenset(n for row in several for n in row) for t, several in patient.items()}
    places = [f"{table}.{name}" for table, names in whole.items() for name in sorted(names)]
    with engine() as con:
        found = _derived(con, whole, places, settings, patient)
    return {one: {p for p in places if p not in copies} for one, copies in found.items()}


def _naming(part: str, table: str, outcomes: Sequence[str]) -> tuple[str, ...]:
    """The outcomes that a part concerns: a column by itself those whose code names it."""
    contract = next(d.contract for d in derivations().values() if _name(d.contract) == table)
    if part not in column_names(contract):
        return tuple(outcomes)
    word = re.compile(rf"\b{re.escape(part)}\b")
    return tuple(n for n in outcomes if word.search(_source(n)))


def _name(contract: type[Contract]) -> str:
    return published_name(contract)


@cache
def _source(outcome: str) -> str:
    """The source of what makes an outcome: its module's, and that of those beside it."""
    module = inspect.getmodule(derivations()[outcome].function)
    beside = [m for m in vars(module).values() if inspect.ismodule(m)]
    named = {inspect.getmodule(v) for v in vars(module).values() if callable(v)}
    ours = {m for m in (module, *beside, *named) if m and m.__name__.startswith("analytics.")}
    return "\n".join(sorted(inspect.getsource(m) for m in ours))


def by_column(prospects: Sequence[Prospect]) -> dict[str, list[str]]:
    """A missing column -> the parts of outcomes that are lost with it; the dearest first."""
    lost: dict[str, list[str]] = {}
    for one in prospects:
        for name in one.missing:
            lost.setdefault(name, []).append(f"{one.table} ({one.part})")
    return dict(sorted(lost.items(), key=lambda pair: -len(pair[1])))


def by_outcome(prospects: Sequence[Prospect]) -> dict[str, tuple[Prospect, ...]]:
    """A published table -> what it is made of; what a reader asks for first stands first."""
    found: dict[str, list[Prospect]] = {}
    for one in prospects:
        for name in one.outcomes:
            found.setdefault(name, []).append(one)
    return {name: tuple(found[name]) for name in sorted(found, key=headline_rank)}


def _lacking(given: Given) -> Iterator[str]:
    """Columns that the complete patient has and the centre does not give, as table.column."""
    for table, patient_rows in complete_patient().items():
        for name in dict.fromkeys(n for row in patient_rows for n in row):
            if name not in given.get(table, frozenset()):
                yield f"{table}.{name}"


def _derived(
    con: Engine,
    given: Given,
    lacking: Sequence[str],
    settings: OutcomeSettings,
    patient: Rows | None = None,
) -> dict[tuple[str, str], set[str]]:
    """(table, part) -> the copies of the patient that have it; each is a site of its own."""
    copies = [MINE, FULL, *lacking]
    tables: dict[str, ir.Table] = {}
    for contract in TABLES:
        name = table_name(contract)
        his = (patient or complete_patient()).get(name, [])
        told = [row for copy in copies for row in _rows(contract, his, given, copy)]
        tables[name] = kept_tables.keep_rows(con, name, rows(told, contract))
    in_force = [{"site_id": c, "extraction_date": EXTRACTED} for c in copies]
    for other, facts in ((Extractions, in_force), (SetAside, []), (RowsSetAside, [])):
        tables[table_name(other)] = kept_tables.keep_rows(
            con, table_name(other), rows(facts, other)
        )
    derive(con, tables, settings, "transforms")
    found: dict[tuple[str, str], set[str]] = {}
    for made in (d.contract for d in derivations().values() if d.room == "transforms"):
        if released(made) and "subject_id" in column_names(made):
            for place, copy in _known(con, made):
                found.setdefault((published_name(made), place), set()).add(copy)
    return found


def _rows(
    contract: Any, his: Sequence[dict[str, Any]], given: Given, copy: str
) -> Iterator[dict[str, Any]]:
    """The rows of one copy of the patient; a row that lacks what every row must have is none."""
    table = table_name(contract)
    if copy == MINE and table not in given:
        return
    ours = {c.name: c for c in columns(contract)}
    left_out = copy.partition(".")[2] if copy.startswith(f"{table}.") else ""
    needed = {n for n, c in ours.items() if not c.nullable and n not in OURS_ALONE}
    for number, row in enumerate(his):
        has = given.get(table, frozenset()) if copy == MINE else frozenset(row) - {left_out}
        kept = {n: v for n, v in row.items() if n in has}
        defaults = {n: c.default for n, c in ours.items() if c.default is not None}
        made = {n: row[n] for n, c in ours.items() if c.made_of in kept and n in row}
        if needed - {*kept, *defaults, *made, "patient_id"}:
            continue
        exact = {f"{n}_precision": "day" for n in kept if f"{n}_precision" in ours}
        place = dict.fromkeys(("row_id", "source_key", "receipt_id"), f"{copy}-{table}-{number}")
        who = {"site_id": copy, "patient_id": copy, "subject_id": copy}
        where = {"source_file": table, "source_row": 1}
        yield defaults | made | exact | place | who | where | kept


def _known(con: Engine, contract: Any) -> Iterator[tuple[str, str]]:
    """(part, copy) of every value of a derived table that is known."""
    name = table_name(contract)
    keys = [c.name for c in columns(contract) if c.key]
    others = [c.name for c in columns(contract) if not c.key]
    parts = [n for n in PARTS if n in keys]
    asked = {f"'{c.name}'": f'"{c.name}" IS NOT NULL' for c in columns(contract) if c.nullable}
    if parts:
        said = next((KNOWN[n] for n in KNOWN if n in others), "true")
        asked = {f'"{parts[0]}"': said}
    for told, known in asked.items():
        found = con.raw_sql(f'SELECT DISTINCT {told}, subject_id FROM "{name}" WHERE {known}')
        yield from ((str(part), str(copy)) for part, copy in found.fetchall())


def _published() -> dict[str, tuple[str, ...]]:
    """Row-level table -> the outcome tables with statistics that read it."""
    found: dict[str, list[str]] = {}
    by_name = derivations()
    for name, one in by_name.items():
        if one.room == "analytics" and options(one.contract).statistics:
            for read in one.reads:
                found.setdefault(read, []).append(name)
    return {n: tuple(names) for n, names in found.items()}
