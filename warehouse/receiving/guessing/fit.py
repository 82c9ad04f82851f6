"""Score how well a field fits one of our columns: by its name or label, and by its whole column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from functools import cache
from statistics import median

from schemas.contract import Column
from schemas.naming.codes import CODES, NO, ROMAN, YES
from schemas.naming.columns import COLUMNS, CONTEXT
from schemas.records.ctcae_terms import TERMS
from schemas.records.units import COLUMN_UNITS
from schemas.words import plain_name
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.fields import Field

FOREIGN, UNKNOWN = 0.35, 0.15
"""What a word of another meaning, and one of no meaning to us, take off a name's score."""
OURS = 2.0
"""The score of our own name, which no other beats."""
MORE = 0.03
"""What each further concept of a name adds: `target volume` is more than a target."""
VAGUE = 0.88
"""The score of a name that says no more than that it is a day."""
BY_VALUES = 0.8
"""The score of codes that can only be ours, whatever the field is called."""
SAID = 0.85
"""A name so sure needs no codes of its own: that all have none of it is an answer."""
SENTENCE = 30
"""A value of more letters that stands there once is no code, and is not written down."""
MANY = 40
"""A field with more different values holds no codes."""
MEASURED = {
    "GBq": "activity",
    "MBq": "activity",
    "mCi": "activity",
    "mL": "volume",
    "cm3": "volume",
    "Gy": "dose",
    "mm": "axis",
    "cm": "axis",
}
"""Unit -> the concept of what has it."""
GENERIC = frozenset({"none", "other", "unknown", "true", "false"})
NOTHING = (
    "none no kein* aucun* nessun* ningun* geen* absent* assent* ausent* not non nicht unknown*"
)
READ = frozenset({"1", "0", "true", "false", "yes", "no", "y", "n", "t", "f"})


@dataclass(frozen=True, slots=True)
class Match:
    """A field as one of our columns: how sure that is, and how it is read."""

    column: str
    field: Field
    sure: float
    codes: Mapping[str, str] = default(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """Their codes that are none of ours."""
    unit: str = ""
    year_of: bool = False
    instrument: str = ""
    """The other form on which the field stands."""


@cache
def _alternatives(place: str) -> tuple[tuple[frozenset[str], ...], frozenset[str]]:
    said, _, besides = COLUMNS.get(place, "").partition("+")
    found = tuple(frozenset(a.split()) for a in said.split("|") if a.split())
    return found, frozenset(besides.split())


@cache
def _named(place: str, text: str, unit: str = "") -> float:
    """How well a text says a column: every word of it is weighed.

    A unit stands for what is measured in it, beside a word that says of what: applied [GBq].
    """
    measured = MEASURED.get(words.column_unit(unit), "")
    alternatives, besides = _alternatives(place)
    table = place.split(".")[0]
    there = [(t, words.concepts(t)) for t in words.tokens(text) if not t.isdigit() and t != "%"]
    best = 0.0
    for needs in alternatives:
        met = {n for n in needs if any(n in c for _, c in there)}
        if not met or not needs <= met | {measured}:
            continue
        allowed = needs | besides | {"done"} | set(CONTEXT[table].split())
        foreign = sum(bool(c) and not c & allowed for _, c in there)
        strange = sum(not c and len(t) > 2 for t, c in there)
        score = (VAGUE if needs == {"date"} else 1.0) - FOREIGN * foreign - UNKNOWN * strange
        best = max(best, score + MORE * (len(needs) - 1))
    return best


def named(place: str, one: Field) -> float:
    """How well name or label say a column; a label says more than an abbreviation."""
    name = _said_by(place, one.shown)
    own = place.split(".")[1]
    if own in (words.folded(one.shown), words.folded(one.name)):
        return OURS
    if not one.label:
        return name
    return max(_said_by(place, one.label), 0.75 * name)


def _said_by(place: str, text: str) -> float:
    return _named(place, words.without_unit(text), words.unit_text(text))


def match(table: str, column: Column, one: Field, decimal: str) -> Match | None:
    """A field as a column, or None where its name or its column speak against it."""
    place = f"{table}.{column.name}"
    score = max(named(place, one), _length_of_lesion(place, one))
    bare = Match(column.name, one, score)
    if (one.ticks and not column.dtype.is_boolean()) or one.unsure:
        return None
    if column.codes:
        return _coded(place, column, bare)
    if score <= 0:
        return None
    if column.name == "sequence" and score < OURS:
        return None  # we number equals ourselves, and another number is another thing
    if column.dtype.is_boolean():
        return _yes_or_no(bare)
    if column.unit == "year":
        return _year(bare)
    if column.dtype.is_date():
        return bare if one.dated or (column.partial and one.is_partial) else None
    if column.dtype.is_timestamp():
        return bare if one.is_moment else None
    if column.dtype.is_integer():
        return _whole(column, bare)
    if column.dtype.is_numeric():
        return _measured(column, bare, decimal)
    return _text(bare)


def _length_of_lesion(place: str, one: Field) -> float:
    """The score of a lesion with a unit of length, of which nothing else is said."""
    if place != "measurements.longest_mm":
        return 0.0
    text = one.label or one.shown
    said = [words.concepts(t) for t in words.tokens(words.without_unit(text)) if not t.isdigit()]
    known = {"lesion", "target", "scan", "before"}
    length = words.column_unit(words.unit_text(text)) in ("mm", "cm")
    only = all((c and c <= known) or (c & known and not c - known) for c in said)
    return SAID if length and only and any("lesion" in c for c in said) else 0.0


def _text(bare: Match) -> Match | None:
    one = bare.field
    if bare.column == "lab_time":
        return bare if one.clock > 0.9 or (not one.total and one.validation == "time") else None
    said = bare.column in ("term", "drug")
    if said and (says_yes(one) or (one.numeric > 0.5 and not one.choices)):
        return None
    return None if one.dated or one.clock > 0.5 else replace(bare, codes=_terms(bare))


def _terms(bare: Match) -> dict[str, str]:
    """What a dictionary's codes of terms mean: our term, or the label."""
    if not bare.field.choices or bare.column not in ("term", "drug"):
        return {}
    said = {v: label.lower() for v, label in labels(bare.field).items()}
    known = {s: r.term for r in TERMS for s in r.spellings()} if bare.column == "term" else {}
    return {v: known.get(plain_name(label), label) for v, label in said.items()}


def labels(one: Field) -> dict[str, str]:
    """Their codes and what they mean: a dictionary's labels, or the values themselves."""
    if one.choices:
        return {c: words.text_of(label) for c, label in one.choices.items()}
    return {v: v for v in one.values}


def _coded(place: str, column: Column, bare: Match) -> Match | None:
    """Codes by their labels: those that mean one of ours, and those that do not."""
    one, listed = bare.field, _listed(place)
    ours = {c: listed.get(c, "") for c in column.codes}
    if one.dated or not labels(one) or (not one.choices and len(one.values) > MANY):
        return None
    codes = {
        v: c
        for v, said in labels(one).items()
        if (one.choices or not _free(one, v)) and (c := _meant(column, said, ours))
    }
    cells = {v: one.values.get(v, 0) + (1 if one.choices else 0) for v in labels(one)}
    all_cells = sum(cells.values()) or 1
    share = sum(cells[v] for v in codes) / all_cells
    if not one.repeats and share < 0.85:
        return None
    own = {c for c in codes.values() if c not in GENERIC}
    sure = bare.sure * (0.4 + 0.6 * share) if share >= 0.5 else 0.0
    if share >= 0.85 and len(own) >= 2 and not _numbers_only(one) and not _other(place, one):
        sure = max(sure, BY_VALUES * share + 0.02 * min(len(own), 6))
    if place == "contacts.vital_status" and not codes and (dead := _dead_or_alive(one)):
        return replace(bare, sure=SAID, codes=dead)
    if not sure or (not own and bare.sure < SAID):
        return None
    left = tuple(v for v in labels(one) if v not in codes)
    return replace(bare, sure=min(sure, 1.0), codes=codes, unknown=left)


def _dead_or_alive(one: Field) -> dict[str, str]:
    """Yes and no of a field that asks whether somebody has died, and nothing else."""
    said = [words.concepts(t) for t in words.tokens(one.label or one.shown)]
    told = {v: c for v, label in labels(one).items() if (c := _said(label))}
    if not one.choices and set(one.values) == {"0", "1"}:
        told = {"1": "true", "0": "false"}
    if not said or not all("death" in c for c in said) or set(told) != set(labels(one)):
        return {}
    ours = {"true": "dead", "false": "alive"}
    return {v: ours[c] for v, c in told.items()} if len(set(told.values())) == 2 else {}


def _other(place: str, one: Field) -> bool:
    """Whether name or label say something else: then codes alone do not decide."""
    alternatives, besides = _alternatives(place)
    known = besides.union(*alternatives, CONTEXT[place.split(".")[0]].split())
    said = words.without_unit(one.label or one.shown)
    return any(c and not c & known for c in map(words.concepts, words.tokens(said)))


def _free(one: Field, value: str) -> bool:
    """Whether a value is a sentence that stands there once: it may name somebody."""
    return one.values[value] == 1 and len(value) > SENTENCE


@cache
def _listed(place: str) -> Mapping[str, str]:
    """The words of a column's codes; a column of another table with the same name lends its own."""
    name = place.split(".")[1]
    return CODES.get(place) or next((c for p, c in CODES.items() if p.endswith(f".{name}")), {})


def _numbers_only(one: Field) -> bool:
    """Whether the codes are numbers that nothing explains, or letters by themselves."""
    return all(len(label) == 1 or label.isdigit() for label in labels(one).values())


def _meant(column: Column, label: str, ours: Mapping[str, str]) -> str | None:
    if column.name == "tumour_burden_category":
        return _burden(label)
    if column.name == "ctcae_version":
        bare = re.sub(r"[^0-9.]", "", label)
        same = [c for c in column.codes if bare and float(c) == _float(bare)]
        return same[0] if same else None
    return words.code_of(label, ours)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _burden(label: str) -> str | None:
    """A category of the share of the liver, by its numbers."""
    numbers = [int(n) for n in re.findall(r"\d+", label)]
    low = words.folded(label)
    if numbers in ([0, 25], [1, 25]) or (
        numbers == [25] and not re.search(r">|mehr|plus|piu|mas", low)
    ):
        return "0-25"
    if numbers == [75] and re.search(r">|mehr|plus|piu|mas|over|uber|oltre", low):
        return "76-100"
    pairs = {26: "26-50", 25: "26-50", 51: "51-75", 50: "51-75", 76: "76-100", 75: "76-100"}
    ends = {50: "26-50", 75: "51-75", 100: "76-100"}
    if len(numbers) == 2 and pairs.get(numbers[0]) == ends.get(numbers[1]):
        return pairs.get(numbers[0])
    return None


def _yes_or_no(bare: Match) -> Match | None:
    one = bare.field
    if one.ticks:
        return bare
    said = labels(one)
    codes = {v: c for v, label in said.items() if (c := _said(label))}
    if not one.choices and set(one.values) <= {"0", "1"}:
        codes = {"1": "true", "0": "false"} if one.values else {}
    known = sum(n for v, n in one.values.items() if v in codes)
    if not codes or known < 0.8 * one.total or not one.repeats:
        return None
    own = {v: c for v, c in codes.items() if v in one.values or one.choices}
    left = tuple(v for v in said if v not in codes)
    if all(
        v.casefold() in READ and (v.casefold() in ("1", "true", "yes", "y", "t")) == (c == "true")
        for v, c in own.items()
    ):
        own = {} if not left else own
    return replace(bare, codes=own, unknown=left)


def says_some(label: str) -> bool:
    """Whether a ticked choice says that there is something, and not that there is nothing."""
    there = words.tokens(label)
    return not any(words.means(NOTHING, t) for t in there[:1])


def says_yes(one: Field) -> tuple[str, ...]:
    """The values of a field of yes and no that say yes; none where it is no such field."""
    codes = {v: c for v, label in labels(one).items() if (c := _said(label))}
    if set(one.values) <= {"0", "1"} and one.values and not one.choices:
        return ("1",)
    known = sum(n for v, n in one.values.items() if v in codes)
    if not one.repeats or known < 0.9 * one.total:
        return ()
    return tuple(v for v, c in codes.items() if c == "true")


def _said(label: str) -> str | None:
    """Yes or no, where a label is nothing else."""
    there = re.findall(r"[^\W_]+", words.folded(label))
    if len(there) != 1:
        return None
    met = [c for c, listed in (("true", YES), ("false", NO)) if words.means(listed, there[0])]
    return met[0] if len(met) == 1 else None


def _year(bare: Match) -> Match | None:
    one = bare.field
    if one.is_day or (one.dated and not one.total):
        return replace(bare, year_of=True)
    years = one.numbers(".")
    return bare if years and all(1900 <= y <= 2030 and y == int(y) for y in years) else None


def _whole(column: Column, bare: Match) -> Match | None:
    """Whole numbers as they stand, by a number in their label, or Roman ones."""
    one = bare.field
    low, high = column.minimum or 0, column.maximum if column.maximum is not None else 99
    read = {v: _digit(label) for v, label in labels(one).items()}
    known = {v: n for v, n in read.items() if n is not None and low <= n <= high}
    cells = sum(one.values.get(v, 0) for v in known)
    if not known or cells < 0.85 * one.total:
        return None
    if all(re.fullmatch(r"\d+(\.0+)?", v) and float(v) == n for v, n in known.items()):
        return bare
    left = tuple(v for v in read if v not in known)
    return replace(bare, codes={v: str(n) for v, n in known.items()}, unknown=left)


def _digit(label: str) -> int | None:
    found = re.findall(r"\d+", label)
    if len(found) == 1:
        return int(found[0])
    there = [ROMAN[t] for t in re.findall(r"[^\W_]+", words.folded(label)) if t in ROMAN]
    return there[0] if len(there) == 1 and not found else None


LARGEST = {"GBq": 50.0, "kg": 30.0, "cm": 1e9}
"""A median above it is in the smaller unit."""
SMALLER = {"GBq": "MBq", "kg": "g"}


def _measured(column: Column, bare: Match, decimal: str) -> Match | None:
    """Numbers in a unit that can be ours: named, or told by their size."""
    one = bare.field
    if one.choices:
        return None
    odd = one.total - sum(n for v, n in one.values.items() if re.search(r"\d", v))
    if one.total and (
        one.dated or one.numeric * one.total < 0.85 * (one.total - odd) or odd > one.total / 2
    ):
        return None
    said = next(
        (
            u
            for u in (
                words.unit_text(one.label),
                words.unit_text(one.shown),
                words.unit_of_note(one.note),
            )
            if u
        ),
        "",
    )
    theirs = words.column_unit(said)
    ours = column.unit or ""
    values = one.numbers(decimal)
    if theirs and theirs != ours and (theirs, ours) not in COLUMN_UNITS:
        return None
    if said and not theirs and ours:
        return None
    if not theirs and values and ours:
        sized = _by_size(ours, values, column.name)
        if sized is None:
            return replace(bare, sure=bare.sure * 0.6)
        theirs = sized
    factor = float(COLUMN_UNITS.get((theirs or ours, ours), 1)) if ours else 1.0
    if values and not _believable(column, [v * factor for v in values]):
        return None
    return replace(bare, unit="" if theirs in ("", ours) else theirs)


def _by_size(ours: str, values: list[float], name: str) -> str | None:
    """The unit that the numbers can only be in; None where they may be in two."""
    middle, most = median(values), max(values)
    if ours == "1":
        return "1" if most <= 1 else "%"
    if ours == "%":
        return "%" if most > 1 else None
    if ours == "cm":
        return "m" if most < 3 else "cm"
    if ours == "mm":
        return "mm" if middle > 13 else None
    if ours == "kg" and name == "weight_kg":
        return "kg"
    if ours in SMALLER:
        return SMALLER[ours] if middle > LARGEST[ours] else ours
    return ours


def _believable(column: Column, values: list[float]) -> bool:
    """Whether nearly all numbers lie within the column's limits and most are usual ones."""
    low = [v >= column.minimum for v in values] if column.minimum is not None else []
    low += [v > column.above for v in values] if column.above is not None else []
    high = [v <= column.maximum for v in values] if column.maximum is not None else []
    high += [v < column.below for v in values] if column.below is not None else []
    usual = (
        [column.plausible[0] <= v <= column.plausible[1] for v in values]
        if column.plausible
        else []
    )
    enough = all(sum(part) >= 0.9 * len(part) for part in (low, high) if part)
    return enough and sum(usual) >= 0.6 * len(usual)
