"""Hash everything that decides how a site's files are read, without importing the readers."""

import hashlib
import json
from pathlib import Path
from typing import Any

from schemas.site import RedcapSource, Site

READER_VERSION = 1
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
    if site.redcap:
        facts["redcap"] = [site.redcap.data, site.redcap.dictionary, site.redcap.record]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def declared(site: Site) -> set[str]:
    """The files that every delivery of a site must hold, without their endings."""
    if site.format == "redcap":
        source = redcap_source(site)
        return {stem(n) for n in (source.data, source.dictionary) if n}
    return {stem(s.file or table) for table, parts in site.tables.items() for s in parts}


def stem(name: str) -> str:
    """A file's name up to its first dot: the name of its raw table."""
    return Path(name).name.split(".", maxsplit=1)[0]


def redcap_source(site: Site) -> RedcapSource:
    """The site's REDCap section, or its defaults."""
    return site.redcap or RedcapSource()
