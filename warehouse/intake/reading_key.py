"""Hash everything that decides how a site's files are read, without importing the readers."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.site import Code, ColumnSource, RedcapSource, Site, TableSource

READER_VERSION = 3
"""Raise it when the same bytes and options must give other raw tables."""


def reading_id(site: Site) -> str:
    """Names how a site's files are read: the same for site files that read alike."""
    facts: dict[str, Any] = {
        "reader": READER_VERSION,
        "format": site.format,
        "delimiter": site.delimiter,
        "encoding": site.encoding,
        "files": sorted(declared(site)),
    }
    facts["typed"] = [site.decimal, site.timezone, sorted(_date_formats(site))]
    if lent := loans(site):
        facts["loans"] = [[*_facts(loan), names] for loan, names in lent.items()]
    if site.redcap:
        facts["redcap"] = [site.redcap.data, site.redcap.dictionary, site.redcap.record]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _date_formats(site: Site) -> Iterator[str]:
    yield site.date_format
    for column in (c for p in site.tables.values() for s in p for c in s.columns.values()):
        if isinstance(column, ColumnSource) and column.date_format:
            yield column.date_format


def declared(site: Site) -> set[str]:
    """The files that every delivery of a site must hold, without their endings."""
    if site.format == "redcap":
        source = redcap_source(site)
        return {stem(n) for n in (source.data, source.dictionary) if n}
    sources = [(table, s) for table, parts in site.tables.items() for s in parts]
    lending = {c.borrowed for _, s in sources for c in _column_sources(s) if c.borrowed}
    return {stem(s.sheet or s.file or table) for table, s in sources} | lending


def mapped_fields(site: Site) -> set[str]:
    """The columns of an export that a site file names; of a checkbox's columns their field."""
    several = [source for parts in site.tables.values() for source in parts]
    return {name.split("___")[0] for source in several for name in named_columns(source)}


def named_columns(source: TableSource) -> Iterator[str]:
    """Their columns that a source names."""
    for theirs in source.columns.values():
        if isinstance(theirs, str):
            yield theirs
            continue
        yield from (*theirs.read, *theirs.asked, *([theirs.complete] if theirs.complete else []))
    for lab in source.wide:
        yield from (n for n in (lab.value, lab.lower_limit, lab.upper_limit) if isinstance(n, str))
    yield from (*source.where, *source.if_filled)


def _column_sources(source: TableSource) -> Iterator[ColumnSource]:
    yield from (c for c in source.columns.values() if isinstance(c, ColumnSource))


@dataclass(frozen=True, slots=True)
class Loan:
    """What one raw table borrows from another one of the delivery."""

    here: str
    there: str
    on: tuple[str, ...]
    """Columns that both have; empty for REDCap's record and event."""
    among: tuple[tuple[str, Code | tuple[Code, ...]], ...]
    """Which rows lend: their column, and the values that it has in them."""


def loans(site: Site) -> dict[Loan, list[str]]:
    """Every loan of a delivery, and the columns that are lent."""
    found: dict[Loan, list[str]] = {}
    for table, parts in site.tables.items():
        for source in parts:
            here = source.instrument or stem(source.sheet or source.file or table)
            for one in (c for c in _column_sources(source) if c.borrowed):
                named = [n for n in (*one.read, *one.asked, one.complete) if n]
                loan = Loan(here, one.borrowed or "", one.on, tuple(sorted(one.among.items())))
                known = found.setdefault(loan, [])
                known += [n for n in named if n not in known]
    return dict(sorted(found.items(), key=lambda item: repr(item[0])))


def _facts(loan: Loan) -> list[Any]:
    """What tells a loan from others; one of all rows as it was told before some could be chosen."""
    return [loan.here, loan.there, loan.on, *([loan.among] if loan.among else [])]


def stem(name: str) -> str:
    """A file's name up to its first dot: the name of its raw table."""
    return Path(name).name.split(".", maxsplit=1)[0]


def redcap_source(site: Site) -> RedcapSource:
    """The site's REDCap section, or its defaults."""
    return site.redcap or RedcapSource()
