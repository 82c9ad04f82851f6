"""Names of published numbers: table and key parts as slugs, joined by dots, and the way back.

A slug is lower case and has letters, digits, `_`, `-` and `:` only: `RECIST 1.1` is `recist_1_1`,
`3.0` is `3_0`, `<=25` is `le25`. No part is empty: an overall row says `overall`.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir

from schemas.contract import Contract, key, table_name

OVERALL = "overall"
_COMPARISONS = (("<=", "le"), (">=", "ge"), ("≤", "le"), ("≥", "ge"), ("<", "lt"), (">", "gt"))
_OUTSIDE = r"[^\p{L}\p{N}_:-]+"
"""What no slug holds, in the expression language of the engines."""


@dataclass(frozen=True, slots=True)
class StatisticName:
    """The parts of a statistic's id: its table, its key, and the column of a second number."""

    table: str
    key: Mapping[str, str]
    value: str | None = None


def slug(code: object) -> str:
    """A code as one part of an id: `os` of OS, `recist_1_1` of RECIST 1.1, `overall` of nothing."""
    return _slug(str(code))


@cache
def _slug(text: str) -> str:
    for sign, word in _COMPARISONS:
        text = text.replace(sign, word)
    plain = "".join(c if c.isalnum() or c in "_:-" else " " for c in text.lower())
    return re.sub("^_+|_+$", "", re.sub(" +", "_", plain)) or OVERALL


def slug_column(codes: ir.StringValue) -> ir.StringValue:
    """The same in the engine, for each value of a column; a null stays one."""
    text = codes
    for sign, word in _COMPARISONS:
        text = text.replace(sign, word)
    plain = text.lower().re_replace(_OUTSIDE, "_").re_replace("^_+|_+$", "")
    return (plain == "").ifelse(OVERALL, plain)


def statistic_id(contract: type[Contract], record: Mapping[str, Any]) -> str:
    """The id of a published row: `survival_medians.all.os.subject.overall.overall.midpoint`."""
    return joined(table_name(contract), *(record[name] for name in key(contract)))


def set_id(contract: type[Contract], record: Mapping[str, Any]) -> str:
    """The id of the member set that a row counts: its statistic id without the population.

    The factor is left out too: it stands in the population set, and the two are intersected.
    """
    blank = {"factor": "", "factor_level": ""} if record.get("factor") else {}
    told = {**record, **blank}
    return joined(table_name(contract), *(told[n] for n in key(contract) if n != "population"))


def set_id_column(table: str, *parts: ir.StringValue) -> ir.StringValue:
    """The ids of member sets in the engine, from the columns with the rows' codes."""
    name = ibis.literal(table)
    for part in parts:
        name = name + "." + slug_column(part)
    return name


def number_label(statistic: str, field: str) -> str:
    """The label of a printed number in a document: short, and the same in every document.

    Word keeps 64 characters of a control's name, and ids can be longer.
    """
    return "k" + hashlib.sha256(f"{statistic}#{field}".encode()).hexdigest()[:16]


def joined(table: str, *codes: object) -> str:
    """A table's name and codes as an id."""
    return ".".join([table, *map(slug, codes)])


def read(statistic: str, keys: Mapping[str, Sequence[str]]) -> StatisticName:
    """The parts of an id: the inverse of `statistic_id`.

    Args:
        statistic: the id; a second number of a row has its column at the end.
        keys: table -> its key columns.

    Raises:
        ValueError: no table has such an id.
    """
    table, *parts = statistic.split(".")
    names = keys.get(table, ())
    if not names or len(parts) not in (len(names), len(names) + 1):
        raise ValueError(f"{statistic}: not an id of a statistic.")
    value = parts[len(names)] if len(parts) > len(names) else None
    return StatisticName(table, dict(zip(names, parts, strict=False)), value)


HEADLINES = (
    "response_summary",
    "survival_medians",
    "survival_landmarks",
    "restricted_means",
    "toxicity_summary",
    "attrition",
)
"""The tables that a reader asks for first: response, survival, toxicity, who was studied."""


def headline_rank(table: str) -> int:
    """Where a table stands among those that a reader asks for first; the others stand last."""
    return HEADLINES.index(table) if table in HEADLINES else len(HEADLINES)


def table_of(statistic: str) -> str:
    """The outcome table that a statistic stands in."""
    return statistic.partition(".")[0]


def population_of(statistic: str) -> str:
    """The population that a statistic is about: the first part of every key."""
    return statistic.split(".")[1]


def of_population(statistic: str, population: str) -> str:
    """The same number of another population."""
    table, _, rest = statistic.split(".", maxsplit=2)
    return f"{table}.{slug(population)}.{rest}"


def row_ids(statistic: str) -> tuple[str, str]:
    """The ids that its row may have: its own, or without the column of a second number."""
    return statistic, statistic.rpartition(".")[0]
