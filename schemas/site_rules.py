"""Find every mistake in a site file that can be seen without the export, with its place.

The types of the file are `schemas.site`. Here its words are held against our tables: names of
tables and columns, codes that are not ours, units without a conversion, formats that lose a date.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from schemas.contract import Column, columns, table_name
from schemas.records.analytes import ANALYTES, COUNTS, LAB_UNITS
from schemas.records.lab_words import unit_of
from schemas.records.units import COLUMN_UNITS
from schemas.site import ColumnSource, Limits, Site, TableSource
from schemas.tables.registry import TABLES

Place = tuple[str | int, ...]
Breach = tuple[Place, str]

CONTRACTS = {table_name(c): c for c in TABLES}
GIVEN_BY_US = frozenset(
    {
        "site_id",
        "subject_id",
        "row_id",
        "source_key",
        "receipt_id",
        "source_file",
        "source_row",
        "unreadable",
    }
)
YES_OR_NO = frozenset({"1", "0", "true", "false", "yes", "no", "y", "n", "t", "f"})
DELIMITERS = (",", ";", "\t", "|", ":", "^", "~")
DATE_PARTS = (("%Y", "%y"), ("%m", "%b", "%B"), ("%d",))


def breaches(site: Site) -> Iterator[Breach]:
    """Every rule that a site file breaks, as (place in the file, what is wrong and what to do)."""
    if site.delimiter is not None and site.delimiter not in DELIMITERS:
        yield ("delimiter",), "must be one of , ; tab | : ^ ~. Correct it, or leave it out."
    if site.timezone is not None and site.timezone not in available_timezones():
        yield ("timezone",), "no such time zone. Use an IANA name such as Europe/Berlin."
    if site.grouping == site.decimal:
        yield ("grouping",), "is the decimal sign. Correct one of the two, or leave `grouping` out."
    yield from _formats(site.date_format, ("date_format",))
    yield from _limits(site)
    if site.format == "redcap" and site.redcap is None:
        yield ("format",), "is redcap. Add a section [redcap] that names the export."
    for name, parts in site.tables.items():
        if name not in CONTRACTS:
            yield ("tables", name, 0), "no such table. " + _nearest(name, list(CONTRACTS))
            continue
        for number, source in enumerate(parts):
            yield from _source(site, name, source, ("tables", name, number))


def _limits(site: Site) -> Iterator[Breach]:
    """Limits of analytes that we do not know, or in a unit that is none of the analyte's."""
    for analyte, several in site.limits.items():
        if analyte not in ANALYTES:
            yield ("limits", analyte), "no analyte of ours. " + _nearest(analyte, list(ANALYTES))
            continue
        for number, one in enumerate((several,) if isinstance(several, Limits) else several):
            at: Place = ("limits", analyte)
            at = at if isinstance(several, Limits) else (*at, number)
            unit = unit_of(one.unit, cells=analyte in COUNTS)
            if unit not in LAB_UNITS[analyte]:
                choices = ", ".join(LAB_UNITS[analyte])
                told = f"`{one.unit}`: no unit of {analyte} that we know. Use one of {choices}."
                yield (*at, "unit"), told
            if one.lower is not None and one.upper is not None and one.upper < one.lower:
                yield (*at, "upper"), "below the lower limit. Correct one of the two."


def _borrowed(site: Site, source: TableSource, place: Place) -> Iterator[Breach]:
    """Columns of another table that nothing joins to this one."""
    for ours, one in source.columns.items():
        if isinstance(one, ColumnSource) and one.borrowed:
            redcap = site.format == "redcap"
            if redcap and one.instrument is None:
                yield (*place, "columns", ours), "names no instrument. Add `instrument`."
            if not redcap and not one.on:
                yield (
                    (*place, "columns", ours),
                    "nothing says which row of the other file belongs to which. Add `on`, with the "
                    "columns that both have.",
                )


def _source(site: Site, name: str, source: TableSource, place: Place) -> Iterator[Breach]:
    known = {c.name: c for c in columns(CONTRACTS[name]) if c.name not in GIVEN_BY_US}
    if site.format == "redcap" and source.instrument is None:
        yield place, "names no instrument. Add `instrument`: `y90 redcap inspect` lists them."
    yield from _borrowed(site, source, place)
    for ours, theirs in source.columns.items():
        where = (*place, "columns", ours)
        if ours not in known:
            yield where, "the table has no such column. " + _nearest(ours, list(known))
        elif isinstance(theirs, ColumnSource):
            yield from _column(known[ours], theirs, where)
    if source.starts_at and name != "reported_endpoints":
        yield (*place, "starts_at"), "only reported_endpoints have times that start. Remove it."
    if source.wide and name != "labs":
        yield (*place, "wide"), "only labs have a column per analyte. Remove it."
    for number, lab in enumerate(source.wide):
        where = (*place, "wide", number)
        if lab.analyte not in ANALYTES and get_close_matches(lab.analyte, ANALYTES, cutoff=0.8):
            yield (*where, "analyte"), "unknown. " + _nearest(lab.analyte, list(ANALYTES))
        unit = unit_of(lab.unit, cells=lab.analyte in COUNTS)
        if lab.analyte in LAB_UNITS and unit not in (*LAB_UNITS[lab.analyte], "%"):
            choices = ", ".join(LAB_UNITS[lab.analyte])
            yield (*where, "unit"), f"no unit of {lab.analyte} that we know. Use one of {choices}."


def _column(column: Column, source: ColumnSource, place: Place) -> Iterator[Breach]:
    for theirs, ours in source.codes.items():
        if ours not in (None, "") and not _fits(column, ours):
            yield (*place, "codes", theirs), _no_such(column, ours)
    if source.constant is not None and not _fits(column, source.constant):
        yield (*place, "constant"), _no_such(column, source.constant)
    for number, case in enumerate(source.when):
        if not _fits(column, case.constant):
            yield (*place, "when", number, "constant"), _no_such(column, case.constant)
    yield from _fitting(column, source, place)
    if source.unit is not None and source.unit != column.unit:
        units = [theirs for theirs, ours in COLUMN_UNITS if ours == column.unit]
        if source.unit not in units:
            known = ", ".join([column.unit or "no unit at all", *units])
            near = _near(source.unit, units)
            yield (
                (*place, "unit"),
                f"`{source.unit}`: no conversion to {column.unit or 'a column without a unit'}. "
                f"{near}Use one of {known}.",
            )
    if source.date_format is not None and not (_dated(column) or source.year_of or source.age):
        yield (*place, "date_format"), f"{column.name} is no date. Remove it."
    elif source.date_format is not None:
        yield from _formats(source.date_format, (*place, "date_format"))


def _fitting(column: Column, source: ColumnSource, place: Place) -> Iterator[Breach]:
    """Keys that only some columns can have."""
    for key in ("earliest", "latest"):
        if getattr(source, key) and not column.dtype.is_date():
            yield (*place, key), f"{column.name} is no date. Name one column with `from`."
    for key in ("year_of", "age"):
        if getattr(source, key) and column.unit != "year":
            yield (*place, key), f"{column.name} is no year. Name its column with `from`."


def _no_such(column: Column, value: Any) -> str:
    """What was found, and what may stand there."""
    said = f"`{value}`: {column.name} has no such value."
    if not column.codes:
        return f"{said} Correct it."
    return f"{said} {_near(str(value), list(column.codes))}Use one of {', '.join(column.codes)}."


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`? " if near else ""


def _dated(column: Column) -> bool:
    return bool(column.dtype.is_date() or column.dtype.is_timestamp())


def _fits(column: Column, value: Any) -> bool:
    """Whether a value that the site file writes can stand in our column."""
    text = str(value)
    if column.codes:
        return text in column.codes
    if column.dtype.is_boolean():
        return text.lower() in YES_OR_NO
    if column.dtype.is_numeric():
        try:
            Decimal(text)
        except InvalidOperation:
            return False
    return True


def _formats(pattern: str, place: Place) -> Iterator[Breach]:
    lacking = [parts[0] for parts in DATE_PARTS if not any(p in pattern for p in parts)]
    if lacking:
        yield place, f"lacks {', '.join(lacking)}. Write the format of a whole date, as %d/%m/%Y."


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else f"Choose one of {', '.join(known)}."
