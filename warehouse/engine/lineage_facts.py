"""The lineage as plain facts: what a table can touch, and what it rests on.

The signatures are the lineage (`warehouse.engine.lineage`). Reading them means importing every
derivation, which costs more than a trace may take, so the facts are kept under state/ for each
state of the code, and made again when it changes.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from warehouse import fingerprints
from warehouse.store import Store, make_private, write_atomically

SITE_WIDE = frozenset(
    {
        "dose_outcomes",
        "eligibility",
        "endpoint_criterion",
        "factor_levels",
        "follow_up_adherence",
        "milestones",
        "recorded_response",
        "session_events",
        "settled_factors",
        "subject_events",
        "subject_reild",
        "subject_response",
        "subject_therapies",
        "subjects",
        "symptom_response",
        "time_to_event",
    }
)
"""Derivations that ask what a site delivers at all, or when it was last heard of: one patient's row
can change another's there. A test reads them off the expressions and holds this list."""
REGISTRY_WIDE = frozenset(
    {"dose_outcomes", "endpoint_criterion", "factor_levels", "milestones", "time_to_event"}
)
"""Those of them that look beyond the site: levels as delivered are numbered over all sites, the
endpoints' criterion is chosen over all of them, and doses are divided into thirds over all."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Tables by name: what each reads, where a release keeps it, and its key."""

    reads: dict[str, list[str]]
    places: dict[str, str]
    keys: dict[str, list[str]]
    drags: dict[str, list[str]]
    """Registry table -> those whose rows are accepted or not by its rows."""
    estimated: list[str]
    """Tables that are made from marts by estimation."""

    def upstream(self, name: str, without: str = "") -> set[str]:
        """Every table that a table is made from, itself included, by ways that avoid one table."""
        names, waiting = {name}, [name]
        while waiting:
            for n in self.reads.get(waiting.pop(), []):
                if n != without and n not in names:
                    names.add(n)
                    waiting.append(n)
        return names

    def downstream(self, names: Iterable[str]) -> set[str]:
        """Every derived table that rows of these registry tables can touch."""
        changed, waiting = set(names), list(names)
        while waiting:
            for n in self.drags.get(waiting.pop(), []):
                if n not in changed:
                    changed.add(n)
                    waiting.append(n)
        return {n for n in self.reads if self.upstream(n) & changed}

    def released(self, names: Iterable[str], schema: str) -> list[str]:
        """Of these tables, those that a release keeps in a schema."""
        return sorted(n for n in names if self.places.get(n, "").startswith(f"{schema}/"))


def reach(store: Store) -> Reach:
    """The lineage of the code as it is."""
    path = store.state / "lineage" / f"{fingerprints.code_sha256()[:24]}.json"
    if path.exists():
        return Reach(**json.loads(path.read_text("utf-8")))
    facts = _read()
    keep(path, facts)
    return facts


def keep(path: Path, facts: Reach) -> None:
    """Keep the facts for the next time."""
    make_private(path.parent)
    write_atomically(path, json.dumps(asdict(facts), sort_keys=True).encode())


def _read() -> Reach:
    from schemas.contract import key, options, published_name, table_name
    from schemas.tables.registry import TABLES
    from transforms.intake.cross_checks import CROSS_CHECKS
    from warehouse.engine.lineage import derivations, released

    by_name = derivations()
    drags: dict[str, set[str]] = {}
    for contract in TABLES:
        for referred in options(contract).references:
            drags.setdefault(referred, set()).add(table_name(contract))
    for check in CROSS_CHECKS:
        for name in check.reads:
            drags.setdefault(name, set()).add(check.table)
    return Reach(
        reads={n: list(d.reads) for n, d in by_name.items()},
        places={
            n: f"{options(d.contract).schema}/{published_name(d.contract)}"
            for n, d in by_name.items()
            if released(d.contract)
        },
        keys={n: list(key(d.contract)) for n, d in by_name.items()},
        drags={n: sorted(t) for n, t in drags.items()},
        estimated=sorted(n for n, d in by_name.items() if d.room == "analytics"),
    )
