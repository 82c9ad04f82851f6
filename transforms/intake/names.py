"""Which of a centre's columns is which of ours: as its site file maps them, else by name.

Names are compared without case, white space of any kind, hyphens, underscores and full stops: the
engine tells no case apart either. A name that the site file spells exactly as the export does is
never in doubt; where a name can mean two columns of the export, nothing is guessed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial

import ibis.expr.types as ir

from schemas.contract import columns, table_name
from schemas.errors import BadConfiguration
from schemas.site import Code, ColumnSource, Site, TableSource, WideLab
from schemas.spelling import alike, meant
from schemas.tables.registry import RegistryTable

PROVENANCE = ("subject_id", "row_id", "source_key", "receipt_id", "source_file", "source_row")
OURS_ALONE = (*PROVENANCE, "site_id", "unreadable")
"""Columns that no export gives."""
ANY_NUMBER = "{n}"
"""In a name: any number, the same in every name of the source."""
CHECKBOX = re.compile(r"(.+)___(.+)")
"""REDCap's column of one choice of a checkbox: field, three low lines, code."""


def fitted(names: Sequence[str], source: TableSource) -> TableSource:
    """The same source with their columns spelled as an export spells them.

    A name that the export lacks, or that can mean two of its columns, stays as it was written.
    """

    def theirs(name: str) -> str:
        found = meant(name, names)
        return found[0] if len(found) == 1 else name

    return source.model_copy(
        update={
            "columns": {n: _respelled(as_source(s), theirs) for n, s in source.columns.items()},
            "wide": tuple(_respelled_lab(lab, theirs) for lab in source.wide),
            "where": {theirs(n): value for n, value in source.where.items()},
            "if_filled": tuple(map(theirs, source.if_filled)),
        }
    )


def mapping(
    raw: ir.Table, contract: type[RegistryTable], source: TableSource, site: Site
) -> dict[str, ColumnSource]:
    """Our column -> where it comes from; what is not mapped is taken from the column of our name.

    Raises:
        BadConfiguration: a column that the site file names is not in the export, or is not ours;
            two columns of the export can be meant by one name.
    """
    ours = {c.name for c in columns(contract)} - set(OURS_ALONE)
    names = tuple(raw.columns)
    given = {n: as_source(s) for n, s in fitted(names, source).columns.items()}
    if source.starts_at:
        given["starts_at"] = ColumnSource(constant=source.starts_at)
    met = {n: alike(n, names) for n in sorted(ours - set(given))}
    same = {n: as_source(found[0]) for n, found in met.items() if found}
    if "patient_id" not in given | same and site.redcap:
        same["patient_id"] = as_source(site.redcap.record or names[0])
    problems = [
        *_not_ours(contract, source, ours),
        *_not_theirs(contract, source, names),
        *_met(contract, met),
    ]
    if problems:
        raise BadConfiguration("\n".join(f"sites/{site.site_id}.toml {p}" for p in problems))
    return same | given


def wide_mapping(lab: WideLab) -> dict[str, ColumnSource]:
    """Our column -> where it comes from, of one analyte with a column of its own."""

    def limit(given: str | float | None) -> ColumnSource | None:
        if given is None:
            return None
        return as_source(given) if isinstance(given, str) else ColumnSource(constant=given)

    given = {
        "analyte": ColumnSource(constant=lab.analyte),
        "value": as_source(lab.value),
        "unit": ColumnSource(constant=lab.unit),
        "lower_limit": limit(lab.lower_limit),
        "upper_limit": limit(lab.upper_limit),
    }
    return {name: source for name, source in given.items() if source is not None}


def as_source(given: str | ColumnSource) -> ColumnSource:
    """What a site file says of a column; a name alone is `from`."""
    return ColumnSource(**{"from": given}) if isinstance(given, str) else given


def expanded(names: Sequence[str], source: TableSource) -> tuple[TableSource, ...]:
    """The sources that one with `{n}` in its names stands for: one for every number there is.

    Each takes the rows in which a column of its number is filled in. Where the export has no such
    column the source stays as it is, and is told of as one whose column is missing.
    """
    text = source.model_dump_json(by_alias=True, exclude_defaults=True)
    if ANY_NUMBER not in text:
        return (source,)
    patterns = {n for n in (*_read(source), *source.if_filled) if ANY_NUMBER in n}
    found: dict[str, list[str]] = {}
    for pattern in sorted(patterns):
        shape = re.escape(pattern).replace(re.escape(ANY_NUMBER), "([0-9]+)")
        for name in names:
            if met := re.fullmatch(shape, name.strip(), re.IGNORECASE):
                found.setdefault(met[1], []).append(name)
    return tuple(_numbered(text, n, found[n]) for n in sorted(found, key=int)) or (source,)


def _numbered(text: str, number: str, filled: list[str]) -> TableSource:
    one = TableSource.model_validate_json(text.replace(ANY_NUMBER, number))
    return one.model_copy(update={"if_filled": (*one.if_filled, *filled)})


def _read(source: TableSource) -> Iterator[str]:
    """Their columns whose cells a source reads."""
    for given in source.columns.values():
        yield from as_source(given).read
    for lab in source.wide:
        yield from (n for n in (lab.value, lab.lower_limit, lab.upper_limit) if isinstance(n, str))


def lent(source: TableSource) -> TableSource:
    """The same source with what it borrows from other tables under the name it has here."""
    given = {n: as_source(s) for n, s in source.columns.items()}
    if not any(s.borrowed for s in given.values()):
        return source

    def here(one: ColumnSource) -> ColumnSource:
        place = one.borrowed
        named = partial(lent_name, place or "", among=one.among)
        return _respelled(one, named) if place else one

    return source.model_copy(update={"columns": {n: here(s) for n, s in given.items()}})


def lent_name(place: str, name: str, among: Mapping[str, Code | tuple[Code, ...]]) -> str:
    """How a column of another table is called where it is borrowed, of all its rows or of some."""
    some = [f"{n} = {' | '.join(codes_of(of))}" for n, of in sorted(among.items())]
    return f"{', '.join([place, *some])}: {name}"


def codes_of(asked: Code | tuple[Code, ...]) -> list[str]:
    """The values that a cell may have, as text."""
    return [str(code) for code in (asked if isinstance(asked, tuple) else (asked,))]


def _respelled(source: ColumnSource, theirs: Callable[[str], str]) -> ColumnSource:
    names = source.from_
    several = tuple(map(theirs, names)) if isinstance(names, tuple) else names and theirs(names)
    return source.model_copy(
        update={
            "from_": several,
            **{n: tuple(map(theirs, getattr(source, n))) for n in ("any_of", "earliest", "latest")},
            **{n: (v := getattr(source, n)) and theirs(v) for n in ("year_of", "age", "at")},
            "complete": source.complete and theirs(source.complete),
            "when": tuple(
                c.model_copy(update={"where": {theirs(n): v for n, v in c.where.items()}})
                for c in source.when
            ),
        }
    )


def _respelled_lab(lab: WideLab, theirs: Callable[[str], str]) -> WideLab:
    given = {n: getattr(lab, n) for n in ("value", "lower_limit", "upper_limit")}
    return lab.model_copy(
        update={n: theirs(v) if isinstance(v, str) else v for n, v in given.items()}
    )


def _not_ours(contract: type[RegistryTable], source: TableSource, ours: set[str]) -> list[str]:
    return [
        f"[tables.{table_name(contract)}.columns] {name}: the table has no such column. Choose one "
        f"of {', '.join(sorted(ours))}."
        for name in source.columns
        if name not in ours
    ]


def _not_theirs(
    contract: type[RegistryTable], source: TableSource, names: Sequence[str]
) -> list[str]:
    """Columns that the site file names and the export lacks, or has twice."""
    problems = []
    for ours, theirs in _named(source):
        found = meant(theirs, names)
        where = f"[tables.{table_name(contract)}.columns] {ours}:"
        if not found:
            near = get_close_matches(theirs, names, n=1, cutoff=0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            problems.append(
                f"{where} the export has no column {theirs}.{hint} Correct the site file, or the "
                "export."
            )
        elif len(found) > 1:
            problems.append(
                f"{where} {theirs} can be the column {' or the column '.join(found)} of the "
                "export. Spell it in the site file as the export does."
            )
    return problems


def _named(source: TableSource) -> list[tuple[str, str]]:
    """(our column, their column) of everything that the site file names."""
    given = {n: as_source(s) for n, s in source.columns.items()}
    of_columns = [(n, c) for n, s in given.items() for c in (*s.read, *s.asked, s.complete) if c]
    wide = [
        c
        for lab in source.wide
        for c in (lab.value, lab.lower_limit, lab.upper_limit)
        if isinstance(c, str)
    ]
    return [
        *of_columns,
        *(("wide", c) for c in wide),
        *(("where", c) for c in (*source.where, *source.if_filled)),
    ]


def _met(contract: type[RegistryTable], met: Mapping[str, list[str]]) -> list[str]:
    return [
        f"[tables.{table_name(contract)}.columns] {ours}: the export has the columns "
        f"{' and '.join(found)}, which are one name to us. Map the right one in the site file, or "
        "rename the other."
        for ours, found in met.items()
        if len(found) > 1
    ]
