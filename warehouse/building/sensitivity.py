"""Derive watched statistics again under other readings of the settings that act before them.

One setting is changed at a time. What reads it is derived again from the tables as they stand, and
so is what lies between it and the watched statistics, as far as the rows differ: where another
reading leaves a table as it was, nothing after it is computed. What does not read the setting is
derived with the registry's own. The tables of a trial stand before the night's under the same
names, so that the night's compiled queries serve, and are dropped. Only the population of all
patients is asked. A reading that would have to read very many rows is not tried, and says
so: the other readings of a large registry are.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import ibis.expr.types as ir

from analytics.fetched import among, fetched_records
from analytics.outcomes.sensitivity import crosses
from analytics.published.literature_figures import FIGURES
from analytics.summary import statistics_of
from schemas.contract import rows
from schemas.records.alternatives import IDLE, TRIED, Alternative
from schemas.settings import OutcomeSettings
from schemas.statistic_ids import statistic_id, table_of
from schemas.tables.outcomes import Outcome, Sensitivity
from warehouse.building.build import computed
from warehouse.building.definitions import reads_of_all
from warehouse.engine import kept_tables
from warehouse.engine.embedded import content_digest
from warehouse.engine.lineage import derivations, downstream, upstream
from warehouse.engine.protocol import Engine, Query, one_row
from warehouse.engine.setting_reads import Reads

POPULATION = "all"
OTHERWISE, EVERYONE = "otherwise", "everyone"
"""Schemas: of the tables of one trial, and of what all trials read instead of the night's."""
ROWS_AT_MOST = 6_000_000
"""Of all tables that one reading's derivations read, some fifteen seconds of a core. Rows, not
seconds: what a release says must not depend on the machine."""

TOLD = frozenset({"allowed"})
"""Columns that tell a rule beside its result: no derivation decides by them."""

Record = dict[str, Any]
Tables = Mapping[str, ir.Table]
Together = tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A statistic: its value, its interval, and why it has none."""

    value: float | None
    lower: float | None
    upper: float | None
    unit: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Night:
    """The tables as the night has made them, and what was asked of them before."""

    con: Engine
    tables: Tables
    settings: OutcomeSettings
    base: Mapping[str, Answer]
    reads: Mapping[str, Reads]
    """What each derivation can read of settings."""
    digests: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def digest(self, name: str) -> str:
        """What tells whether another table has the same rows."""
        if name not in self.digests:
            table = self.tables[name]
            self.digests[name] = content_digest(self.con, table, TOLD, kept_tables.MAIN)
        return self.digests[name]

    def n_rows(self, name: str) -> int:
        """How many rows a table has."""
        if name not in self.rows:
            asked = f'SELECT count(*) FROM {kept_tables.MAIN}."{name}"'
            (self.rows[name],) = one_row(self.con, asked)
        return self.rows[name]


def sensitivity(
    con: Engine,
    known: Tables,
    settings: OutcomeSettings,
    tried: tuple[Together, ...] | None = None,
) -> ir.Table:
    """Rows of outcomes.sensitivity for settings that act before the statistics.

    Args:
        con: the engine.
        known: every table, from the registry's to the outcomes, as the night has made them.
        settings: the registry's.
        tried: the readings, default all; those of one group are changed together.
    """
    tried = TRIED if tried is None else tried
    watched = [name for together in tried for name in _watched(together)]
    reads = reads_of_all(con.queries)
    night = Night(con, known, settings, _answers(known, watched), reads)
    records: list[Record] = []
    with kept_tables.in_front(con, EVERYONE):
        _everyone(con, known["population_members"])
        for together in tried:
            again = _again(night, together)
            for alternative in together:
                records += _rows(alternative, settings, night.base, again)
    return rows(records, Sensitivity)


def _everyone(con: Engine, members: ir.Table) -> None:
    """Let trials read the members of the population of all patients alone."""
    name = members.get_name()
    sql = f"SELECT * FROM {kept_tables.MAIN}.{name} WHERE population = '{POPULATION}'"
    kept_tables.keep(con, name, Query(sql, members.schema(), {}))


def other(settings: OutcomeSettings, alternative: Alternative) -> Any:
    """The value that the registry has not chosen: the other reading, or the default."""
    section = getattr(settings, alternative.section)
    if getattr(section, alternative.key) != alternative.value:
        return alternative.value
    return type(section).model_fields[alternative.key].default


def _watched(together: Together) -> list[str]:
    return [name for alternative in together for name in alternative.watched]


def _changed(settings: OutcomeSettings, together: Together) -> OutcomeSettings:
    for alternative in together:
        section = getattr(settings, alternative.section)
        changed = section.model_copy(update={alternative.key: other(settings, alternative)})
        settings = settings.model_copy(update={alternative.section: changed})
    return settings


def _rows(
    alternative: Alternative,
    settings: OutcomeSettings,
    base: Mapping[str, Answer],
    again: Mapping[str, Answer] | None,
) -> Iterator[Record]:
    for name in alternative.watched:
        if (before := base.get(name)) is None:
            continue
        after = again.get(name) if again is not None else None
        record = {
            "population": POPULATION,
            "base_statistic_id": name,
            "setting": alternative.setting,
            "alternative": _text(other(settings, alternative)),
            "value": after.value if after else None,
            "base_value": before.value,
            "flips": bool(after and flips(name, before, after)),
            "reason": _reason(before, after, tried=again is not None),
        }
        yield record | {"statistic_id": statistic_id(Sensitivity, record)}


def flips(name: str, before: Answer, after: Answer) -> bool:
    """Whether a p-value crosses 0.05, or one of two intervals takes in the published figure."""
    if before.unit == "p":
        return crosses(after.value, before.value)
    published = comparator(name)
    return published is not None and _within(before, published) != _within(after, published)


def comparator(name: str) -> float | None:
    """The first published figure of the same quantity, in our unit; None without one.

    Beside a dose stand the least and the greatest, which are no interval.
    """
    if name.startswith("dosimetry_summary."):
        return None
    for figure in FIGURES:
        if figure.own.format(p=POPULATION).lower() == name and figure.unit != "p":
            return float(figure.published) / figure.scale
    return None


def _within(answer: Answer, published: float) -> bool:
    if answer.lower is None or answer.upper is None:
        return False
    return answer.lower <= published <= answer.upper


def _again(night: Night, together: Together) -> dict[str, Answer] | None:
    """The watched statistics, what the settings lead to being derived again; None if not tried."""
    con, watched = night.con, [name for name in _watched(together) if name in night.base]
    targets = {table_of(name) for name in watched}
    changed = _changed(night.settings, together)
    acts_on = acting(night.reads, {alternative.setting for alternative in together})
    wanted = _between(acts_on, watched)
    reads = [n for name in wanted for n in derivations()[name].reads]
    if sum(night.n_rows(n) for n in reads) > ROWS_AT_MOST:
        return None
    now, moved = dict(night.tables), set[str]()
    with kept_tables.in_front(con, OTHERWISE, EVERYONE):
        for name in wanted:
            derivation = derivations()[name]
            if not (name in acts_on or moved & set(derivation.reads)):
                continue
            read = changed if name in acts_on else night.settings
            now[name] = computed(con, derivation, now, read)
            if name in targets or content_digest(con, now[name], TOLD) != night.digest(name):
                moved.add(name)
        asked = [n for n in watched if table_of(n) in moved]
        return dict(night.base) | _answers(now, asked)


def acting(reads: Mapping[str, Reads], settings: Collection[str]) -> set[str]:
    """The derivations that can read one of the settings."""
    return {name for name, r in reads.items() if not r.keys.isdisjoint(settings)}


def _between(acts_on: set[str], watched: list[str]) -> list[str]:
    """What lies between settings and statistics, in the order in which it can be computed."""
    reached, wanted = downstream(acts_on), set[str]()
    for name in watched:
        idle = frozenset[str]().union(*(n for like, n in IDLE.items() if fnmatchcase(name, like)))
        wanted |= (upstream(table_of(name)) & reached) - idle
    return [name for name in derivations() if name in wanted]


def _answers(tables: Tables, watched: list[str]) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for target in sorted({table_of(name) for name in watched}):
        contract = derivations()[target].contract
        assert issubclass(contract, Outcome)
        own = tuple(sorted(n for n in watched if table_of(n) == target))
        asked = fetched_records(among, tables[target], wanted=own)  # whichever else has moved
        reasons = {r["statistic_id"]: why for r in asked if (why := r.get("reason"))}
        for row in statistics_of(contract, asked):
            name = row["statistic_id"]
            if name in watched:
                limits = (row["value"], row["lower"], row["upper"])
                answers[name] = Answer(*limits, row["unit"], reasons.get(name))
    return answers


def _reason(before: Answer, after: Answer | None, *, tried: bool) -> str | None:
    """Why a value is null."""
    if not tried:
        return f"not tried: it would read more than {ROWS_AT_MOST} rows"
    if after is None:
        return "no such term"
    return (after.reason or before.reason) if after.value is None else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
