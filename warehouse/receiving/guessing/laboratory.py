"""Find the analytes of a laboratory, with a column each or named in rows, and their units."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from schemas.naming.codes import LABORATORY, TYPICAL
from schemas.records.analytes import COUNTS, LAB_UNITS, NAMES, WINDOWS
from schemas.records.lab_words import unit_of
from schemas.words import plain_name
from warehouse.receiving.guessing import words
from warehouse.receiving.guessing.fields import Field

NOT_THESE = frozenset({"direct", "relative", "limit", "upper", "lower"})
"""Concepts that make another quantity of an analyte's column."""


ALL_NAMES = frozenset(n for names in NAMES.values() for n in names)


@dataclass(frozen=True, slots=True)
class Analyte:
    """A column of results: which analyte, in which unit, and where its limits stand."""

    analyte: str
    value: Field
    unit: str
    by_size: bool = False
    """Nothing names the unit: the results can be in no other."""
    lower: str = ""
    upper: str = ""


def wide(fields: Sequence[Field], decimal: str) -> tuple[list[Analyte], list[tuple[str, Field]]]:
    """The analytes that have a column, and those whose unit is not known."""
    found: dict[str, Analyte] = {}
    unclear: list[tuple[str, Field]] = []
    limits = list(_limits(fields))
    for one in fields:
        analyte = analyte_of(one)
        if not analyte or one.dated or one.numeric < 0.6 or analyte in found:
            continue
        unit, by_size = _unit(analyte, one, decimal)
        if not unit:
            unclear.append((analyte, one))
            continue
        own = {side: f.name for a, side, f in limits if a == analyte}
        found[analyte] = Analyte(
            analyte, one, unit, by_size, own.get("lower", ""), own.get("upper", "")
        )
    return list(found.values()), unclear


def analyte_of(one: Field) -> str | None:
    """The analyte that name or label say, and nothing that makes another quantity of it."""
    for text in filter(None, (one.label, one.shown)):
        bare = words.without_unit(text)
        if plain_name(bare) in ALL_NAMES:
            return _said(bare)
        if any(NOT_THESE & words.concepts(t) for t in words.tokens(bare)):
            return None
        if "%" in words.unit_text(text):
            return None
        if analyte := _said(bare):
            return analyte
    return None


def _said(text: str) -> str | None:
    plain = plain_name(text)
    for analyte, names in NAMES.items():
        if plain in names:
            return analyte
    return words.code_of(text, LABORATORY)


def _limits(fields: Sequence[Field]) -> Iterator[tuple[str, str, Field]]:
    """(analyte, side, field) of limits of normal that have a column."""
    for one in fields:
        text = words.without_unit(one.label or one.shown)
        met = [words.concepts(t) for t in words.tokens(text)]
        sides = [s for s in ("lower", "upper") if any(s in c for c in met)]
        if len(sides) == 1 and one.numeric > 0.8:
            rest = " ".join(
                t for t in words.tokens(text) if not words.concepts(t) & {"lower", "upper", "limit"}
            )
            if analyte := _said(rest):
                yield analyte, sides[0], one


def _unit(analyte: str, one: Field, decimal: str) -> tuple[str, bool]:
    """The unit that name, label or note say, else the only one that the results can have."""
    results = one.numbers(decimal)
    names = filter(None, (one.label, one.name.replace("{n}", ""), one.shown))
    for said in (*map(words.unit_text, names), words.unit_of_note(one.note)):
        unit = unit_of(said, cells=analyte in COUNTS) if said else None
        if unit and unit in LAB_UNITS[analyte]:
            return (unit, False) if _believable(analyte, unit, results) else ("", False)
        if said:
            return "", False
    if analyte == "inr":
        return "1", False
    middle = median(results) if results else None
    met = [u for u, (a, b) in TYPICAL[analyte].items() if middle is not None and a <= middle <= b]
    return (met[0], True) if len(met) == 1 else ("", False)


def _believable(analyte: str, unit: str, results: list[float]) -> bool:
    low, high = WINDOWS[analyte]
    factor = float(LAB_UNITS[analyte][unit])
    inside = sum(float(low) <= r * factor <= float(high) for r in results)
    return not results or inside >= 0.8 * len(results)


def names_analytes(one: Field) -> float:
    """The share of the cells that name an analyte of ours."""
    if one.choices:
        met = [bool(_said(label)) for label in one.choices.values()]
        return sum(met) / len(met)
    known = sum(n for v, n in one.values.items() if _said(v))
    return known / one.total if one.total and one.repeats else 0.0


def analyte_words(one: Field) -> dict[str, str]:
    """Their words for analytes that only we read so: what a person must be told."""
    said = dict(one.choices) if one.choices else {v: v for v in one.values}
    return {
        v: analyte
        for v, label in said.items()
        if plain_name(v) not in ALL_NAMES and (analyte := _said(label))
    }


def names_units(one: Field) -> float:
    """The share of the cells that are units of laboratory results."""
    known = sum(n for v, n in one.values.items() if unit_of(v, cells=True))
    return known / one.total if one.total and one.repeats else 0.0
