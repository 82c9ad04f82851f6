"""What an ADaM dataset and its variables are declared by."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.contract import Contract, columns
from warehouse.engine.quoting import literal

Mart = Callable[[str], str]
"""SQL that reads a mart, by the mart's name."""
UNMAPPED = "no CDISC code for "
_COLUMN = re.compile(r"\bt\.(\w+)")


@dataclass(frozen=True, slots=True)
class Codelist:
    """The values of a variable.

    `codes` maps each value to what it means; `terms` to its code in CDISC's controlled terminology,
    where the list is CDISC's: then `code` is the list's own.
    """

    name: str
    label: str
    codes: Mapping[str, str]
    code: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its SQL reads the columns of the dataset's rows, which are named `t`."""

    name: str
    label: str
    sql: str
    kind: Literal["text", "integer", "float"] = "text"
    codelist: Codelist | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of."""
        return tuple(dict.fromkeys(_COLUMN.findall(self.sql)))


@dataclass(frozen=True, slots=True)
class Dataset:
    """One ADaM dataset.

    `source` gives the SQL of its rows under the name `t`, from the SQL that reads a mart. `keys`
    name a row and order the rows. `marts` hold the meaning of the columns. `absent` says why a
    variable that ADaM requires is not there.
    """

    name: str
    label: str
    structure: str
    data_class: str
    source: Callable[[Mart], str]
    keys: tuple[str, ...]
    marts: tuple[type[Contract], ...]
    variables: tuple[Variable, ...]
    subclass: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)

    def method(self, variable: Variable) -> str:
        """How a variable is derived, in the words of the marts' columns; empty for a constant."""
        meanings = {c.name: c.meaning for mart in reversed(self.marts) for c in columns(mart)}
        return " ".join(f"{n}: {meanings[n]}" for n in variable.columns if n in meanings)


def study_day(column: str) -> str:
    """SQL for a CDISC study day from whole days since T0: there is no day 0."""
    return f"(CASE WHEN {column} >= 0 THEN {column} + 1 ELSE {column} END)::DOUBLE"


def coded(column: str, codes: Mapping[str, object]) -> str:
    """SQL for a code of CDISC; a value that has none stops the export, a null stays one."""
    branches = " ".join(f"WHEN {column} = '{k}' THEN {_literal(v)}" for k, v in codes.items())
    missing = f"error('{UNMAPPED}{column.removeprefix('t.')} ' || {column})"
    return f"CASE WHEN {column} IS NULL THEN NULL {branches} ELSE {missing} END"


def named(code: str, words: Mapping[str, str]) -> str:
    """SQL for what a code means, by the SQL of the code."""
    keys, values = (", ".join(map(_literal, part)) for part in (words, words.values()))
    return f"map([{keys}], [{values}])[{code}]"


def _literal(value: object) -> str:
    return literal(value) if isinstance(value, str) else f"{value}::DOUBLE"


def flag(column: str) -> str:
    """SQL for `Y` and `N`."""
    return f"CASE WHEN {column} THEN 'Y' WHEN NOT {column} THEN 'N' END"
