"""Decide which of our tables a view of an export gives, and from which fields.

Every table is scored: its columns by name and values, its required columns, and the names of file,
sheet or form. What is below `ENOUGH` is told as a candidate and is not written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from schemas.contract import Column, columns, table_name
from schemas.naming.columns import SHARED, TABLES, TELLING
from schemas.records.units import COLUMN_UNITS
from schemas.settings import VERSIONS
from schemas.site_rules import CONTRACTS, GIVEN_BY_US
from schemas.tables.registry import TABLES as REGISTRY
from warehouse.receiving.guessing import laboratory, words
from warehouse.receiving.guessing.blocks import View
from warehouse.receiving.guessing.fields import Field
from warehouse.receiving.guessing.fit import VAGUE, Match, match

ENOUGH = 0.7
"""A table of less confidence is not written."""
SURE = 0.8
"""Nor is a line."""
NEAR = 0.02
"""So near two fields are as sure as one another, and neither is taken."""
CANDIDATE = 0.45
"""A line of less confidence is not told either."""
OTHER_DAYS = frozenset(
    [
        "birth",
        "diagnosis",
        "consent",
        "begin",
        "end",
        "death",
        "planned",
        "next",
        "stay",
        "referral",
        "progression",
    ]
)
"""What a day is of that is no row's own."""
PARTS_OF_LONGEST = ("perpendicular_mm", "enhancing_longest_mm", "enhancing_perpendicular_mm")
"""Diameters that cannot be larger than the longest, and mean nothing without it."""
ROW_DAYS = {
    "mappings": frozenset({"angiography", "maa"}),
    "treatments": frozenset({"treatment", "session", "administered"}),
    "scans": frozenset({"scan", "imaging"}),
    "measurements": frozenset({"scan", "imaging"}),
    "labs": frozenset({"draw"}),
    "assessments": frozenset({"visit"}),
    "contacts": frozenset({"contact", "visit", "last"}),
}
"""Table -> what the day of its rows is called."""
BY_NAME = 1.0
"""What a telling name of a sheet adds to a table's support."""
ORDER = tuple(table_name(t) for t in REGISTRY if table_name(t) != "reported_endpoints")


@dataclass
class Guess:
    """One of our tables as one view of an export gives it."""

    table: str
    view: View
    sure: float
    matches: dict[str, Match] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    wide: list[laboratory.Analyte] = field(default_factory=list)
    unclear: list[tuple[str, Field]] = field(default_factory=list)
    """Analytes whose unit is not known."""
    candidates: dict[str, list[Match]] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    """Required columns that nothing gives."""
    where: dict[str, list[str]] = field(default_factory=dict)
    alone: bool = True
    """No other table is written from the same rows."""

    @property
    def written(self) -> bool:
        """Sure enough, and whole."""
        return self.sure >= ENOUGH and not self.lacking


def ours(table: str) -> list[Column]:
    """The columns of a table that a centre can give, without those that we make of others."""
    return [
        c
        for c in columns(CONTRACTS[table])
        if c.name not in GIVEN_BY_US
        and not c.name.endswith("_precision")
        and c.name != "patient_id"
    ]


def required(table: str) -> list[str]:
    """The columns that every row must have from its centre."""
    return [c.name for c in ours(table) if not c.nullable and c.default is None and not c.made_of]


def guesses(
    view: View, named: Sequence[str], decimal: str, *, unique: bool, once: bool
) -> list[Guess]:
    """The tables that a view may give, the surest first; a field tells of one table only.

    Args:
        view: the fields.
        named: names of the file, sheet or form.
        decimal: the export's decimal sign.
        unique: it may be a table of patients.
        once: a patient has one row.
    """
    found = [_table(t, view, named, decimal, once=once) for t in ORDER if unique or t != "patients"]
    found = sorted(
        (g for g in found if g.matches or g.wide), key=lambda g: (not _planned(g), -g.sure)
    )
    taken: set[str] = set()
    settled: list[Guess] = []
    for one in found:
        again = _without(one, taken, named)
        if again.written:
            taken |= {m.field.name for n, m in again.matches.items() if n not in SHARED}
            taken |= {a.value.name for a in again.wide}
        settled.append(again)
    return settled


def _planned(guess: Guess) -> bool:
    """A mapping with its own day: what it has in common with treatments is the mapping's."""
    return guess.table == "mappings" and guess.written


def _table(table: str, view: View, named: Sequence[str], decimal: str, *, once: bool) -> Guess:
    found: list[Match] = []
    for column in ours(table):
        there = view.fields if column.name in SHARED or not view.own else view.own
        met = (match(table, column, f, decimal) for f in there)
        found += [m for m in met if m and m.sure >= CANDIDATE]
    guess = Guess(table, view, 0.0)
    if table == "labs":
        _laboratory(guess, view, found, decimal)
    _assign(guess, found)
    _only_day(guess, view)
    _numbered(guess, view)
    _contradicted(guess, decimal)
    if once and not view.own:
        _last_known(guess)
    _version(guess)
    _weigh(guess, named)
    return guess


def _version(guess: Guess) -> None:
    """The version of CTCAE that the grade's label names."""
    if guess.table == "adverse_events" and "ctcae_version" not in guess.matches:
        grade = guess.matches.get("grade")
        said = f"{grade.field.label} {grade.field.name}" if grade else ""
        met = [v for v in VERSIONS if re.search(rf"(?<![\d.]){re.escape(v)}(?![\d.])", said)]
        if len(met) == 1:
            guess.constants["ctcae_version"] = met[0]


def _assign(guess: Guess, found: Sequence[Match]) -> None:
    """Take the surest pairs of column and field; a pair that is as sure as another is neither."""
    used = {m.field.name for m in guess.matches.values()} | {a.value.name for a in guess.wide}
    best: dict[str, float] = {}
    for m in found:
        best[m.field.name] = max(best.get(m.field.name, 0.0), m.sure)
    order = sorted(found, key=lambda m: (m.sure < best[m.field.name], -m.sure))
    for one in order:
        free = one.column not in guess.matches and one.field.name not in used
        rivals = [
            m
            for m in found
            if m is not one
            and m.column == one.column
            and m.field.name not in used
            and (m.sure < best[m.field.name]) == (one.sure < best[one.field.name])
            and m.sure >= one.sure - NEAR
            and (m.field in guess.view.own) == (one.field in guess.view.own)
        ]
        if free and one.sure >= SURE and not rivals:
            guess.matches[one.column] = one
            used.add(one.field.name)
        elif one.column not in guess.matches:
            guess.candidates.setdefault(one.column, []).append(one)


def _only_day(guess: Guess, view: View) -> None:
    """The only days of a view are those of a table that must have them."""
    days = [
        c.name for c in ours(guess.table) if c.dtype.is_date() and c.name in required(guess.table)
    ]
    if guess.table in ("labs", "contacts", "scans", "assessments", "measurements", "treatments"):
        left = [n for n in days if n not in guess.matches]
        there = [f for f in view.fields if f.is_day and not f.unsure and not _other_day(f, guess)]
        taken = {m.field.name for m in guess.matches.values()}
        if len(left) == 1 and len(there) == 1 and there[0].name not in taken:
            guess.matches[left[0]] = Match(left[0], there[0], SURE)


def _contradicted(guess: Guess, decimal: str) -> None:
    """Drop what the values of other fields speak against: a part that is larger than its whole.

    A shunt is measured on the day of the mapping: beside another day it is none of the session's.
    """
    whole = guess.matches.get("longest_mm")
    for name in PARTS_OF_LONGEST:
        part = guess.matches.get(name)
        if part and not (whole and _within(part, whole, decimal)):
            guess.candidates.setdefault(name, []).append(guess.matches.pop(name))
    days = [f for f in guess.view.fields if f.is_day]
    own = [f for f in days if not _other_day(f, guess)]
    mapped = any(_says(f) & ROW_DAYS["mappings"] for f in days)
    shunt = guess.matches.get("lung_shunt_fraction")
    if guess.table == "treatments" and shunt and (len(own) != 1 or mapped):
        guess.candidates.setdefault(shunt.column, []).append(guess.matches.pop(shunt.column))


def _last_known(guess: Guess) -> None:
    """Drop the day of a state of life that is not said to be the last, or that not everybody has.

    Who has one row is alive or dead on the day of the last contact or of death, and on no other.
    """
    day, state = guess.matches.get("contact_date"), guess.matches.get("vital_status")
    if guess.table != "contacts" or day is None:
        return
    named = _says(day.field) & {"contact", "last", "death"}
    if not named or (state and day.field.total < 0.9 * state.field.total):
        guess.candidates.setdefault("contact_date", []).append(guess.matches.pop("contact_date"))


def _within(part: Match, whole: Match, decimal: str) -> bool:
    """Whether most numbers of a part are no larger than those of the whole, in one unit."""
    sizes = [
        median(m.field.numbers(decimal)) * float(COLUMN_UNITS.get((m.unit, "mm"), 1))
        for m in (part, whole)
        if m.field.numbers(decimal)
    ]
    return len(sizes) < 2 or sizes[0] <= 1.1 * sizes[1]


def _other_day(one: Field, guess: Guess) -> bool:
    """A day that cannot be the one of a row, or is that of a row of another table."""
    there = _says(one)
    others = set().union(*(d for t, d in ROW_DAYS.items() if t != guess.table))
    own = ROW_DAYS.get(guess.table, frozenset())
    return bool(there & OTHER_DAYS) or bool(there & others and not there & own)


def _says(one: Field) -> frozenset[str]:
    """The concepts of name and label."""
    said = (words.concepts(t) for x in (one.label, one.shown, one.name) for t in words.tokens(x))
    return frozenset().union(*said)


def _numbered(guess: Guess, view: View) -> None:
    """Lesions and sessions side by side have their number as their name."""
    if not view.numbered:
        return
    word = "" if view.numbered == "n" or len(view.numbered) > 2 else view.numbered
    if guess.table in ("lesions", "measurements") and "lesion_id" not in guess.matches:
        guess.constants["lesion_id"] = word + "{n}"
    if guess.table == "treatments" and "session_id" not in guess.matches:
        guess.constants["session_id"] = "{n}"


def _laboratory(guess: Guess, view: View, found: list[Match], decimal: str) -> None:
    """A column per analyte, or rows that name it."""
    long = [f for f in view.fields if laboratory.names_analytes(f) >= 0.5]
    if len(long) == 1:
        guess.matches["analyte"] = Match(
            "analyte", long[0], 0.95, laboratory.analyte_words(long[0])
        )
        units = [f for f in view.fields if laboratory.names_units(f) >= 0.7 and f is not long[0]]
        if len(units) == 1:
            guess.matches["unit"] = Match("unit", units[0], 0.95)
        return
    found[:] = [m for m in found if m.column in ("lab_date", "lab_time")]
    guess.wide, guess.unclear = laboratory.wide(view.own or view.fields, decimal)


def _weigh(guess: Guess, named: Sequence[str]) -> None:
    """How sure a table is: its telling columns, the name of its sheet, and what it must have."""
    telling = set(TELLING.get(guess.table, "").split())
    own = {f.name for f in guess.view.own}
    told = [
        m.sure
        for n, m in guess.matches.items()
        if n in telling and (not own or m.field.name in own)
    ]
    support = sum(min(t, 1.0) for t in told) + 0.7 * len(guess.wide) + _backing(guess)
    means = TABLES[guess.table]
    if any(words.means(means, t) for name in named for t in words.tokens(name)):
        support += BY_NAME if told or guess.wide else 0.0
    guess.sure = 1 - 0.5**support if told or guess.wide else 0.0
    there = {*guess.matches, *guess.constants}
    there |= {"analyte", "value", "unit"} if guess.wide else set()
    guess.lacking = tuple(n for n in required(guess.table) if n not in there)


def _backing(guess: Guess) -> float:
    """What its own day or key adds to a table, where a name says it and not only that it is one."""
    named = [
        m
        for n, m in guess.matches.items()
        if n in required(guess.table) and m.sure > VAGUE and n not in TELLING.get(guess.table, "")
    ]
    return 0.75 if named else 0.0


def _without(guess: Guess, taken: set[str], named: Sequence[str]) -> Guess:
    """The same guess without the fields that a surer table has."""
    kept = {n: m for n, m in guess.matches.items() if n in SHARED or m.field.name not in taken}
    wide = [a for a in guess.wide if a.value.name not in taken]
    again = replace(guess, matches=kept, wide=wide)
    _weigh(again, named)
    return again


def candidates(several: Sequence[Guess], one: Field) -> Iterator[tuple[str, float]]:
    """What a field may be, as table.column with its confidence, the surest first."""
    met: Mapping[str, float] = {
        f"{g.table}.{m.column}": min(m.sure, 1.0)
        for g in several
        for ms in g.candidates.values()
        for m in ms
        if m.field.name == one.name
    }
    yield from sorted(met.items(), key=lambda pair: -pair[1])[:2]
