"""The worlds of one patient: what his held rows may say, each alternative as changed rows.

A held row was set aside, or stands with cells that could not be read. `schemas.held_rows`
says what it may be. Where a value has no closed list, the least and the greatest, and those that
are near, are tried: such a world is a probe, and what the probes move is taken as open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from typing import Any

from schemas.contract import Column, columns, table_name
from schemas.held_rows import ALTERNATIVES, MayBe
from schemas.records.analytes import LAB_UNITS
from schemas.tables.registry import TABLES
from transforms.intake.unit_errors import POWERS

MOST_WORLDS = 48
"""Of one patient; beyond it one group of rows varies at a time."""
CLOSED = 12
"""Whole numbers between limits that are tried one by one."""
NEAR = 4
"""Other values of the patient's that are tried."""
OF_DEATH = ("contacts.two_deaths", "contacts.alive_after_death")
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row that was set aside, or that stands with cells that could not be read."""

    site_id: str
    table: str
    subject_id: str | None
    broken: tuple[tuple[str, str], ...]
    """Rules and the columns that they are about."""
    record: Record
    stands: bool = False
    natural_key: str | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules, each once."""
        return tuple(dict.fromkeys(rule for rule, _ in self.broken))

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Where it was delivered."""
        return self.site_id, self.table, self.record["source_file"], self.record["source_row"]


@dataclass(frozen=True, slots=True)
class World:
    """What differs from the night: rows more, rows less, and rows that are no longer set aside."""

    added: tuple[tuple[str, Record], ...] = ()
    gone: tuple[tuple[str, str], ...] = ()
    settled: tuple[tuple[str, str, str, int], ...] = ()

    def with_(self, other: "World") -> "World":
        """Both at once."""
        return World(self.added + other.added, self.gone + other.gone, self.settled + other.settled)


AS_NOW = World()


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a patient beside the held row, for values that are near."""

    rows: Mapping[str, Sequence[Record]]
    """His accepted rows by table."""
    extracted: date
    t0: date | None
    least: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)
    """(table, column, kind) -> the registry's least accepted value."""
    most: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Worlds:
    """The worlds of a patient.

    `closed` says that they are all there are; `unknown` names tables of which anything may be true.
    """

    worlds: tuple[World, ...]
    closed: bool
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Group:
    """Held rows that are decided together."""

    worlds: tuple[World, ...]
    closed: bool


def worlds_of(held: Sequence[HeldRow], around: Around) -> Worlds:
    """Every world of one accepted patient that his held rows allow; the first is the night's."""
    unknown, groups = set[str](), list[_Group]()
    for rows in _together(held):
        group = _group(rows, around)
        if group is None:
            unknown |= {row.table for row in rows}
        else:
            groups.append(group)
    every = _combined([g.worlds for g in groups])
    closed = all(g.closed for g in groups) and len(every) <= MOST_WORLDS
    if len(every) > MOST_WORLDS:
        every = [AS_NOW, *(w for g in groups for w in g.worlds if w != AS_NOW)]
    return Worlds(tuple(every), closed, frozenset(unknown))


def _combined(choices: Sequence[Sequence[World]]) -> list[World]:
    """Every choice of one world from each; no more than are looked at."""
    every = [AS_NOW]
    for worlds in choices:
        every = [one.with_(other) for one, other in product(every, worlds)]
        if len(every) > MOST_WORLDS:
            return every
    return every


def _together(held: Sequence[HeldRow]) -> Iterator[list[HeldRow]]:
    """Rows that contradict each other are decided together, others alone."""
    groups: dict[Any, list[HeldRow]] = {}
    for number, row in enumerate(held):
        if set(row.rules) & set(OF_DEATH):
            groups.setdefault("deaths", []).append(row)
        elif "conflicting_key" in row.rules:
            groups.setdefault((row.table, row.natural_key), []).append(row)
        else:
            groups[number] = [row]
    yield from groups.values()


def _group(rows: list[HeldRow], around: Around) -> _Group | None:
    """What rows may say together; None where nobody knows."""
    records = [ALTERNATIVES.get(rule) for row in rows for rule in row.rules]
    if any(r is None or r.kind in ("unknown", "copy") for r in records):
        return None
    if any(_lacks_its_day(row) for row in rows if set(row.rules) & set(OF_DEATH)):
        return None
    settled = tuple(row.place for row in rows if not row.stands)
    if any(set(row.rules) & set(OF_DEATH) for row in rows):
        return _Group(
            (AS_NOW, *(replace(w, settled=settled) for w in _deaths(rows, around))), False
        )
    if "conflicting_key" in rows[0].rules and set(rows[0].rules) == {"conflicting_key"}:
        versions = [World(((r.table, r.record),), settled=settled) for r in rows]
        return _Group((AS_NOW, World(settled=settled), *versions), True)
    if len(rows) > 1:
        return None
    return _alone(rows[0], around, settled)


def _lacks_its_day(row: HeldRow) -> bool:
    """A contact whose day or type cannot be read either."""
    return row.record["contact_date"] is None or row.record["contact_type"] is None


def _alone(
    row: HeldRow, around: Around, settled: tuple[tuple[str, str, str, int], ...]
) -> _Group | None:
    """What a single row may say: nothing, or what its rules leave possible."""
    said, closed = [dict(row.record)], True
    for rule, column in row.broken:
        alternatives = [_said(ALTERNATIVES[rule], column, record, row, around) for record in said]
        if any(not records for records, _ in alternatives):
            return None
        said = [record for records, _ in alternatives for record in records]
        closed &= all(complete for _, complete in alternatives)
    if len(said) > MOST_WORLDS:
        said, closed = said[:MOST_WORLDS], False
    gone = ((row.table, str(row.record["row_id"])),) if row.stands else ()
    nothing = World(settled=settled) if not row.stands else _blank(row, gone)
    return _Group(
        (AS_NOW, nothing, *(World(((row.table, r),), gone, settled) for r in said)), closed
    )


def _blank(row: HeldRow, gone: tuple[tuple[str, str], ...]) -> World:
    """The cells that could not be read hold nothing."""
    return World(((row.table, dict(row.record) | {"unreadable": None}),), gone)


def _said(
    may: MayBe, column: str, record: dict[str, Any], row: HeldRow, around: Around
) -> tuple[list[dict[str, Any]], bool]:
    """The row in each way that a rule leaves possible, and whether these are all."""
    if may.kind == "says":
        return [record | dict(cells) for cells in may.says], True
    if may.kind == "swapped":
        assert may.cells is not None, "a record of two cells"
        one, other = may.cells
        exchanged = record | {one: record[other], other: record[one]}
        return [exchanged, *(record | dict(cells) for cells in may.says)], True
    if may.kind == "scaled":
        return [record | {column: value} for value in _scaled(record, column)], True
    values, complete = _values(_column(row.table, column), row, around)
    return [_written(record, column, value) for value in values], complete


def _scaled(record: Mapping[str, Any], column: str) -> list[Decimal]:
    """The result by each factor between two units of its analyte, or a power of ten."""
    if record[column] is None:
        return []
    units = LAB_UNITS.get(str(record["analyte"]), {}).values()
    steps = {a / b for a, b in permutations(units, 2)} | POWERS
    value = Fraction(record[column])
    micro = [round(value * f * 10**6) for f in sorted(steps - {Fraction(1)})]
    return [Decimal(m).scaleb(-6) for m in micro]


def _written(record: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The row with a cell as it may be; a day is exact, and a mark is gone."""
    marks = [m for m in str(record.get("unreadable") or "").split("|") if m and m != column]
    precision = {f"{column}_precision": "day"} if f"{column}_precision" in record else {}
    marked = "".join(f"|{m}|" for m in marks) or None
    return record | {column: value} | precision | {"unreadable": marked}


def _values(column: Column, row: HeldRow, around: Around) -> tuple[list[Any], bool]:
    """The values that a cell can have, and whether these are all."""
    if column.codes:
        return list(column.codes), True
    if column.dtype.is_boolean():
        return [True, False], True
    if column.dtype.is_date():
        return _days(column, row, around), False
    if not column.dtype.is_numeric():
        return [], False
    whole = _closed(column)
    if whole:
        return whole, True
    return _numbers(column, row, around), False


def _closed(column: Column) -> list[Any]:
    """The whole numbers between two limits, where these are few."""
    if not column.dtype.is_integer() or column.minimum is None or column.maximum is None:
        return []
    few = column.maximum - column.minimum <= CLOSED
    return list(range(int(column.minimum), int(column.maximum) + 1)) if few else []


def _numbers(column: Column, row: HeldRow, around: Around) -> list[Any]:
    """Limits of the column, extremes of the registry, and values of the patient's own."""
    kind = kind_of(row.table, row.record)
    own = sorted(
        {
            r[column.name]
            for r in around.rows.get(row.table, ())
            if r[column.name] is not None and kind_of(row.table, r) == kind
        }
    )
    name = (row.table, column.name, kind)
    ends = [column.minimum, around.least.get(name), around.most.get(name), column.maximum]
    number = type(around.least.get(name) or (own[0] if own else 0))
    return list(dict.fromkeys(number(v) for v in (*ends, *_spread(own)) if v is not None))


def kind_of(table: str, record: Record) -> str:
    """What tells values of a column apart that cannot be compared: analyte and unit."""
    return f"{record['analyte']}|{record['unit']}" if table == "labs" else ""


def _days(column: Column, row: HeldRow, around: Around) -> list[date]:
    """From the patient's first day to the extraction, with the days on which he was seen."""
    own = {r[column.name] for r in around.rows.get(row.table, ()) if r[column.name]}
    seen = {d for rows in around.rows.values() for r in rows for d in _dates(r)}
    first = min(seen) if seen else around.t0 or around.extracted
    ends = {first, around.extracted, *((around.t0, around.t0 + timedelta(1)) if around.t0 else ())}
    days = {*ends, *_spread(sorted(own)), *_spread(sorted(seen))}
    return sorted(d for d in days if d <= around.extracted)


def _dates(record: Record) -> Iterator[date]:
    yield from (v for n, v in record.items() if n.endswith("_date") and isinstance(v, date))


def _spread(values: Sequence[Any]) -> list[Any]:
    """The first, the last and some between."""
    if len(values) <= NEAR:
        return list(values)
    return [values[round(i * (len(values) - 1) / (NEAR - 1))] for i in range(NEAR)]


def _deaths(rows: list[HeldRow], around: Around) -> Iterator[World]:
    """Nothing of it, one death alone, the living contacts alone, or a death later than these."""
    dead = [r for r in rows if r.record["contact_type"] == "death"]
    alive = [r for r in rows if r.record["contact_type"] != "death"]
    yield AS_NOW
    yield from (World(((r.table, r.record),)) for r in dead)
    living = tuple((r.table, r.record) for r in alive)
    if living:
        yield World(living)
        last = max(r.record["contact_date"] for r in alive)
        for death, day in product(dead, sorted({last, last + timedelta(1), around.extracted})):
            if last <= day <= around.extracted:
                later = _written(dict(death.record), "contact_date", day)
                yield World((*living, (death.table, later)))


@cache
def _column(table: str, name: str) -> Column:
    (contract,) = (c for c in TABLES if table_name(c) == table)
    return next(c for c in columns(contract) if c.name == name)


def without_record(held: Iterable[HeldRow]) -> frozenset[str]:
    """Rules of which nothing is declared."""
    return frozenset(rule for row in held for rule in row.rules if rule not in ALTERNATIVES)
