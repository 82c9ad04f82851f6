"""What a preset is: the tables of a published format, and how they become ours.

A preset names files and variables of the format. What is free in the format - the name of a drug,
of a method, who evaluated - is recognised among the values of the export by what it says, so that
the site file that is written lists those values, for a person to read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.site import Code


@dataclass(frozen=True, slots=True)
class Said:
    """Our codes for the values of a variable, by what the values say.

    Attributes:
        variable: theirs.
        codes: our code, and the expression that a value with that code matches, without case; the
            first that matches holds.
        otherwise: our code of values that match none; without it they are left to a person.
        known: values of the format, which a later export may hold.
    """

    variable: str
    codes: tuple[tuple[str, str], ...]
    otherwise: str | None = None
    known: tuple[str, ...] = ()

    def code(self, value: str) -> str | None:
        """Our code of a value."""
        held = (c for c, says in self.codes if re.search(says, value, re.IGNORECASE))
        return next(held, self.otherwise)


@dataclass(frozen=True, slots=True)
class Among:
    """Rows whose variable has one of the values that say so."""

    says: str


@dataclass(frozen=True, slots=True)
class One:
    """Rows of one value of a variable: the first of these that the export has, else its first."""

    of: tuple[str, ...]


Column = str | Said | Mapping[str, Any]
"""A variable; values by what they say; or the keys of `schemas.site.ColumnSource`, whose `file` is
one of the format."""
Asked = Code | tuple[Code, ...] | Among | One | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """One file of the format that feeds one table of ours.

    Attributes:
        table: ours.
        file: theirs.
        columns: our column, and what it is read from: of several, the first that the export has.
        where: which rows are taken; a variable that the export lacks asks nothing, but for those of
            `must`.
        must: variables without which nothing is taken.
        units: our column, and the variable that holds its unit: all rows must have one.
        merge: see `schemas.site.TableSource`.
        if_filled: the same.
        note: what a person should know.
    """

    table: str
    file: str
    columns: Mapping[str, Column | tuple[Column, ...]]
    where: Mapping[str, Asked] = field(default_factory=dict)
    must: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    merge: bool = False
    if_filled: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the format holds and no standard code tells: a person says which rows are which."""

    table: str
    file: str
    variables: tuple[str, ...]
    """Variables whose values decide; those of the export are listed."""
    why: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A published format of exports.

    Attributes:
        code: its name on the command line.
        label: what it is.
        source: where it is published.
        patient: the variable that names the patient, in every file.
        needed: files without which an export is not of this kind.
        given: what is read.
        by_hand: what a person must add.
        cannot: our columns that the format has no place for, and why.
        keys: keys of the site file that hold for the format.
        upper: whether the format spells variables in capitals; small letters otherwise.
        optional: variables that pick rows where they are there, and nothing where they are not.
    """

    code: str
    label: str
    source: str
    patient: str
    needed: tuple[str, ...]
    given: tuple[Given, ...]
    by_hand: tuple[ByHand, ...]
    cannot: tuple[tuple[str, str], ...]
    keys: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    upper: bool = True
    optional: frozenset[str] = frozenset()
