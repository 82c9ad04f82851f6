"""Would another reading of the sources change what was published? Settings that act before it.

One setting is changed at a time. What reads it is derived again from the tables as they stand, and
so is what lies between it and the watched statistics, as far as the rows differ: where another
reading leaves a table as it was, nothing after it is computed. The tables of a trial stand in the
same scratch file under names of their own and are dropped. Only the population of all patients is
asked, and a registry of very many patients is told that it was not asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import ibis.expr.types as ir

from analytics.literature_figures import FIGURES
from analytics.sensitivity import crosses
from analytics.summary import statistic_id, statistics
from schemas.alternatives import TRIED, Alternative
from schemas.contract import rows
from schemas.outcomes import Outcome, Sensitivity
from schemas.settings import OutcomeSettings
from warehouse.build import computed
from warehouse.lineage import derivations, downstream, upstream

POPULATION = "all"
PREFIX = "otherwise_"
PATIENTS_AT_MOST = 20_000
"""Beyond this the night would cost several times the marts; no reading is tried."""

TOLD = frozenset({"limit"})
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


def sensitivity(
    con: Any,
    known: Tables,
    settings: OutcomeSettings,
    tried: tuple[Together, ...] = TRIED,
) -> ir.Table:
    """Rows of outcomes.sensitivity for settings that act before the statistics.

    Args:
        con: the engine.
        known: every table, from the registry's to the outcomes, as the night has made them.
        settings: the registry's.
        tried: the readings; those of one group are changed together.
    """
    members = known["population_members"]
    everyone = members.filter(members.population == POPULATION)
    few = everyone.count().execute() <= PATIENTS_AT_MOST
    watched = [name for together in tried for name in _watched(together)]
    base = _answers(known, settings, watched)
    narrow = {**known, "population_members": everyone}
    records: list[Record] = []
    for together in tried:
        again = _again(con, known, narrow, settings, together, base) if few else None
        for alternative in together:
            records += _rows(alternative, settings, base, again)
    return rows(records, Sensitivity)


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


def _again(
    con: Any,
    known: Tables,
    narrow: Tables,
    settings: OutcomeSettings,
    together: Together,
    base: Mapping[str, Answer],
) -> dict[str, Answer]:
    """The watched statistics, what the settings lead to being derived again."""
    watched = [name for name in _watched(together) if name in base]
    targets = {_table(name) for name in watched}
    changed = _changed(settings, together)
    acts_on = {name for alternative in together for name in alternative.acts_on}
    wanted = downstream(acts_on) & frozenset[str]().union(*(upstream(t) for t in targets))
    now, moved = dict(narrow), set[str]()
    try:
        for name, derivation in derivations().items():
            if name not in wanted or not (name in acts_on or moved & set(derivation.reads)):
                continue
            made = computed(con, replace(derivation, name=PREFIX + name), now, changed)
            now[name] = made
            if name in targets or _digest(con, made) != _digest(con, known[name]):
                moved.add(name)
        return dict(base) | _answers(now, changed, [n for n in watched if _table(n) in moved])
    finally:
        for table in con.list_tables(like=f"^{PREFIX}"):
            con.drop_table(table)


def _table(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def _answers(known: Tables, settings: OutcomeSettings, watched: list[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for target in sorted({_table(name) for name in watched}):
        contract = derivations()[target].contract
        assert issubclass(contract, Outcome)
        table = known[target]
        asked = table.filter(table.statistic_id.isin(watched))
        reasons = _reasons(asked)
        for row in statistics({contract: asked}, settings).to_pyarrow().to_pylist():
            name = row["statistic_id"]
            if name in watched:
                limits = (row["value"], row["lower"], row["upper"])
                found[name] = Answer(*limits, row["unit"], reasons.get(name))
    return found


def _reasons(table: ir.Table) -> dict[str, str]:
    if "reason" not in table.columns:
        return {}
    given = table.filter(table.reason.notnull()).select("statistic_id", "reason")
    return {r["statistic_id"]: r["reason"] for r in given.to_pyarrow().to_pylist()}


def _reason(before: Answer, after: Answer | None, *, tried: bool) -> str | None:
    """Why a value is null."""
    if not tried:
        return f"not tried: more than {PATIENTS_AT_MOST} patients"
    if after is None:
        return "no such term"
    return (after.reason or before.reason) if after.value is None else None


def _digest(con: Any, table: ir.Table) -> Any:
    """Count of rows and two sums over their hashes: the order of the rows does not matter."""
    columns = ", ".join(f'"{c}"' for c in table.columns if c not in TOLD)
    return con.raw_sql(
        "SELECT count(*), sum(hash(r)::HUGEINT), bit_xor(hash(r)) "
        f"FROM (SELECT row({columns}) AS r FROM {table.get_name()})"
    ).fetchone()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
