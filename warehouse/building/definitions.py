"""What defines a published number: its declaration, and the settings and rule records it rests on.

A table has what its own derivation reads and what every derivation before it reads. A number of one
population, endpoint or term rests on less: what cannot touch it is left out, by what the records
say. A wording, a label or a source decides nothing and is no part of it.
"""

import dataclasses
import importlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import ibis.expr.types as ir

from schemas.contract import Contract, Statistic, rows, table_name
from schemas.records import criteria, endpoints
from schemas.records.alternatives import (
    IDLE,
    OF_CRITERION,
    OF_EVERYONE,
    OF_FACTORS,
    OF_RESPONSE,
    PUBLISHES,
)
from schemas.settings import OutcomeSettings
from schemas.tables.quality import Definitions
from warehouse.engine.lineage import derivations
from warehouse.engine.protocol import Queries
from warehouse.engine.setting_reads import Reads, reads_of, records_in
from warehouse.fingerprints import sha256_of

EVERYONE = "all"
OWN = ("endpoint", "criterion", "term", "ctcae_version")
"""Columns of a row by which it has settings or rule records of its own."""

SAID = frozenset(
    {"label", "note", "source", "sources", "wording", "name", "boundary", "passes_when"}
    | {"complete", "partial", "stable", "progressive", "synonyms", "abroad", "versions"}
)
"""Fields of records that say something and decide nothing; versions decide which record counts."""


@dataclass(slots=True)
class Defining:
    """Gives each published number its definition, and keeps what the definition consists of.

    Attributes:
        settings: the registry's; the criterion of the endpoints is the one that was chosen.
        reads: derivation -> what it can read, as `reads_of_all` gives it.
        facts: definition -> key -> value, of every definition given so far.
    """

    settings: OutcomeSettings
    reads: Mapping[str, Reads]
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    """What decides a definition -> the definition: rows of one kind are asked once."""

    def __call__(
        self, contract: type[Contract], declared: Statistic, record: Mapping[str, Any]
    ) -> str:
        """The definition of the number that a row of an outcome table publishes."""
        idle = _idle(contract, record)
        own = {c: str(record[c]) for c in OWN if c in record}
        known = json.dumps([table_name(contract), repr(declared), sorted(idle), own])
        if known not in self.given:
            facts = self._facts(contract, declared, idle, own)
            self.given[known] = sha256_of(facts)[:16]
            self.facts[self.given[known]] = facts
        return self.given[known]

    def table(self) -> ir.Table:
        """The rows of quality.definitions: every definition given, with its keys and values."""
        listed = [
            {"definition": definition, "key": key, "value": value}
            for definition, facts in sorted(self.facts.items())
            for key, value in facts.items()
        ]
        return rows(listed, Definitions)

    def _facts(
        self,
        contract: type[Contract],
        declared: Statistic,
        idle: frozenset[str],
        own: Mapping[str, str],
    ) -> dict[str, str]:
        table = table_name(contract)
        read = [self.reads[name] for name in _before(table, idle)]
        keys = set[str]().union(*(r.keys for r in read)) - PUBLISHES - _of_others(own)
        records = set[tuple[str, str]]().union(*(r.records for r in read))
        return {
            "number": f"{table}.{declared.value}: {declared!r}",
            **{key: self._value(key) for key in sorted(keys)},
            **_digests(records, own),
        }

    def _value(self, key: str) -> str:
        section, name = key.split(".")
        value = getattr(self.settings, section).model_dump(mode="json")[name]
        return json.dumps(value, sort_keys=True, ensure_ascii=False)


def reads_of_all(queries: Queries) -> dict[str, Reads]:
    """What each derivation can read; found once a state of the code and kept with its queries."""
    kept = queries.facts("settings and records read", _found)
    return {
        name: Reads(frozenset(keys), frozenset((module, named) for module, named in records))
        for name, (keys, records) in kept.items()
    }


def _found() -> dict[str, Any]:
    found = {name: reads_of(d.function) for name, d in derivations().items()}
    return {name: [sorted(r.keys), sorted(r.records)] for name, r in found.items()}


def _idle(contract: type[Contract], record: Mapping[str, Any]) -> frozenset[str]:
    """Tables before a row's table that cannot touch the row."""
    idle = [names for like, names in IDLE.items() if fnmatchcase(record["statistic_id"], like)]
    own = frozenset(derivations()[table_name(contract)].reads)
    if record.get("population") == EVERYONE:
        idle.append(OF_EVERYONE - own)
    if not record.get("factor", "-"):
        idle.append(OF_FACTORS)
    endpoint = record.get("endpoint")
    if endpoint in endpoints.LABEL and endpoint not in endpoints.RESTING_ON_RESPONSE:
        idle.append(OF_RESPONSE - own | OF_CRITERION)
    return frozenset[str]().union(*idle)


def _before(table: str, idle: frozenset[str]) -> frozenset[str]:
    """The derivations that make a table, itself included, but for idle ones and what they read."""
    by_name, found, waiting = derivations(), set[str](), [table]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found and name not in idle:
            found.add(name)
            waiting += by_name[name].reads
    return frozenset(found)


def _of_others(own: Mapping[str, str]) -> set[str]:
    """Settings that only the records of other endpoints or criteria name."""
    named = {
        "endpoint": {r.code: set(_settings_of(r)) for r in endpoints.RECORDS},
        "criterion": {r.code: {f"response.{r.operator_setting}"} for r in criteria.RECORDS},
    }
    return {
        key
        for column, by_code in named.items()
        if own.get(column) in by_code
        for key in set[str]().union(*by_code.values()) - by_code[own[column]]
    }


def _settings_of(record: endpoints.Endpoint) -> Iterator[str]:
    for closing in record.closing:
        yield f"survival.{closing.setting}"
    if record.gap_setting:
        yield f"survival.{record.gap_setting}"


def _digests(named: Iterable[tuple[str, str]], own: Mapping[str, str]) -> dict[str, str]:
    """Kind of rule record -> a hash of those that count; of endpoints and terms the row's own."""
    by_kind: dict[str, set[str]] = {}
    for module, name in named:
        for record, kind, content in _contents(module, name):
            if _counts(record, own):
                by_kind.setdefault(kind, set()).add(content)
    return {kind: sha256_of(sorted(found))[:16] for kind, found in sorted(by_kind.items())}


@cache
def _contents(module: str, name: str) -> Sequence[tuple[Any, str, str]]:
    """The rule records under a name, each with its kind and a hash of what it decides."""
    return [
        (r, f"records {type(r).__module__.rpartition('.')[2]}", sha256_of(_plain(r)))
        for r in records_in(getattr(importlib.import_module(module), name))
    ]


def _counts(record: Any, own: Mapping[str, str]) -> bool:
    """Whether a record can touch a row of an endpoint, a term or a version."""
    if isinstance(record, endpoints.Endpoint) and own.get("endpoint") in endpoints.LABEL:
        return record.code == own["endpoint"]
    version = own.get("ctcae_version")
    return not version or version in getattr(record, "versions", (version,))


def _plain(value: Any) -> Any:
    """A record as plain facts, without what only says something."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [f.name for f in dataclasses.fields(value) if f.name not in SAID]
        return {name: _plain(getattr(value, name)) for name in parts}
    if isinstance(value, Mapping):
        return [[_plain(k), _plain(v)] for k, v in value.items()]
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)
