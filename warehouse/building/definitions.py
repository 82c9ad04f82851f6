"""What defines a published number: its declaration, and all settings and rule records that decide it.

A table of a release has the settings and records that its own derivation reads and those of every
derivation before it. A number of one population, endpoint or criterion rests on fewer: what
`schemas.records.alternatives.IDLE` names does not touch it, and of the records of a kind only its
own count. A wording, a label or a source changes no definition.
"""

import dataclasses
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from analytics.summary import RowOf, Settled
from schemas.contract import Contract, Statistic, table_name
from schemas.records.alternatives import IDLE, PUBLISHES
from schemas.records.endpoints import BY_CODE
from schemas.settings import OutcomeSettings
from warehouse.engine.lineage import derivations
from warehouse.engine.setting_reads import Reads, every_key, records_in, reads_of_all
from warehouse.fingerprints import sha256_of

EVERYONE = "all"
WORDS = frozenset(
    {"label", "note", "source", "sources", "wording", "name", "boundary", "passes_when"}
    | {"complete", "partial", "stable", "progressive", "synonyms", "abroad", "versions"}
)
"""Fields of records that say something and decide nothing; a version decides which record counts."""
OF_ROW: Mapping[str, tuple[str, str]] = {
    "term": ("term", "term"),
    "ctcae_version": ("versions", "ctcae_version"),
}
"""Column of an outcome -> the field of rule records by which a row has its own."""
