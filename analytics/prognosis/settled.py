"""Survival by what the planned course settled, from its end on.

Lobes, sessions and dose of a course are known when it ends. Compared from T0 they would count as
survival the time that it took to come to them (immortal time); from the last session on they are
levels like any other. Who had the event by then, or was not observed beyond, is left out and
counted.

Source: Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719 (landmark; here each patient's own).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from analytics.estimators.event_counts import Group, Key
from analytics.estimators.kaplan_meier import EventTable, kaplan_meier, median
from analytics.fetched import fetched
from analytics.outcomes.survival import in_months
from analytics.prognosis.alone import compared_levels
from schemas.contract import Table, conform, rows
from schemas.records.factors import SETTLED
from schemas.sections.prognosis import PrognosisSettings
from schemas.settings import SurvivalSettings
from schemas.statistic_ids import set_id_column, statistic_id
from schemas.tables.intermediate import PopulationMembers
from schemas.tables.marts import SettledFactors, Subjects, TimeToEvent
from schemas.tables.outcomes import MemberSets
from schemas.tables.outcomes.prognosis import SurvivalBySettledFactor

FACTORS = tuple(record.factor for record in SETTLED if record.known == "course_end")
_DEAD, _CENSORED = "dead", "censored"
_GROUP = ("population", "endpoint", "factor", "factor_level", "level_number", "part")
Record = dict[str, Any]


def survival_by_settled_factor(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    settled_factors: Table[SettledFactors],
    subjects: Table[Subjects],
    *,
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> Table[SurvivalBySettledFactor]:
    """Give median and hazard ratio at each level, from the end of the planned course."""
    read = (population_members, time_to_event, settled_factors, subjects)
    counted = fetched(_counted, *read, endpoints=prognosis.endpoints).to_pylist()
    key = ("population", "endpoint", "factor")
    records: list[Record] = []
    for _, own in groupby(counted, lambda r: tuple(r[name] for name in key)):
        records += _compared(list(own), settings)
    told = [r | {"statistic_id": statistic_id(SurvivalBySettledFactor, r)} for r in records]
    return rows(told, SurvivalBySettledFactor)


def survival_by_settled_factor_sets(
    time_to_event: Table[TimeToEvent],
    settled_factors: Table[SettledFactors],
    subjects: Table[Subjects],
    *,
    prognosis: PrognosisSettings,
) -> Table[MemberSets]:
    """Name who is at each level, of those observed beyond the end of the course."""
    placed = _placed(time_to_event, settled_factors, subjects, prognosis.endpoints)
    inside = placed.filter(placed.part == "", placed.factor_level != "")
    named = inside.mutate(
        set_id=set_id_column(
            "survival_by_settled_factor", inside.endpoint, inside.factor, inside.factor_level
        ),
        lesion_number=ibis.literal(0),
    )
    return conform(named, MemberSets)


def _placed(
    time_to_event: ir.Table,
    settled_factors: ir.Table,
    subjects: ir.Table,
    endpoints: tuple[str, ...],
) -> ir.Table:
    """Each patient with a course, endpoint and factor: level, and time from the course's end.

    `factor_level` is empty where the patient has none; `part` says why one is left out.
    """
    clocks = time_to_event.filter(
        time_to_event.endpoint.isin(endpoints), time_to_event.lesion_number == 0
    ).select("subject_id", "endpoint", "start_day", "time_days", "event")
    ended = subjects.filter(subjects.course_end_day.notnull())
    timed = clocks.inner_join(ended.select("subject_id", "course_end_day"), "subject_id")
    since = timed.time_days - (timed.course_end_day - timed.start_day)
    timed = timed.mutate(since=since.cast("float64"))
    levels = settled_factors.filter(settled_factors.factor_level.notnull())
    parts = []
    for code in FACTORS:
        own = levels.filter(levels.factor == code)
        known = timed.left_join(
            own.select("subject_id", "factor_level", "level_number"), "subject_id"
        )
        beyond = known.since > 0
        parts.append(
            known.select(
                "subject_id",
                "endpoint",
                "event",
                factor=ibis.literal(code),
                factor_level=known.factor_level.fill_null(""),
                level_number=known.level_number.fill_null(-1).cast("int64"),
                part=ibis.cases((beyond, ""), (known.event, _DEAD), else_=_CENSORED),
                time_days=beyond.ifelse(known.since, 0.0),
            )
        )
    return ibis.union(*parts)


def _counted(
    population_members: ir.Table,
    time_to_event: ir.Table,
    settled_factors: ir.Table,
    subjects: ir.Table,
    *,
    endpoints: tuple[str, ...],
) -> ir.Table:
    """Events and censorings per population, factor, level and distinct time."""
    placed = _placed(time_to_event, settled_factors, subjects, endpoints)
    members = population_members.select("population", "subject_id")
    joined = placed.inner_join(members, "subject_id")
    keys = [*_GROUP, "time_days"]
    return (
        joined.group_by(keys)
        .agg(
            events=joined.event.cast("int64").sum(),
            censored=(~joined.event).cast("int64").sum(),
        )
        .order_by(keys)
    )


def _compared(counted: Sequence[Record], settings: SurvivalSettings) -> Iterator[Record]:
    """The levels of one factor; nothing where nobody has one."""
    inside = [r for r in counted if not r["part"]]
    total = sum(_size(r) for r in inside)
    known = sorted((r for r in inside if r["factor_level"]), key=lambda r: r["level_number"])
    levels = [_group(list(own)) for _, own in groupby(known, lambda r: r["level_number"])]
    if not levels:
        return
    left_out = {
        f"left_out_{part}": sum(_size(r) for r in counted if r["part"] == part)
        for part in (_DEAD, _CENSORED)
    }
    for group, record in zip(levels, compared_levels(levels, total, settings), strict=True):
        curve = kaplan_meier(group.table, settings.conf_type, settings.conf_level)
        half = median(curve, settings.median_rule)
        ratio = {f"hr_{name}": record.pop(name, None) for name in ("lower", "upper")}
        kept = {k: v for k, v in record.items() if not k.startswith("firth_")}
        yield kept | ratio | left_out | {
            "median_months": in_months(half.value),
            "lower": in_months(half.lower),
            "upper": in_months(half.upper),
        }  # fmt: skip


def _size(r: Record) -> int:
    return int(r["events"] + r["censored"])


def _group(own: Sequence[Record]) -> Group:
    """One level's counts per distinct time."""
    first = own[0]
    key = Key(
        first["population"], first["endpoint"], "subject", first["factor"], first["factor_level"]
    )
    ordered = sorted(own, key=lambda r: r["time_days"])
    table = EventTable(
        np.array([r["time_days"] for r in ordered], np.float64),
        np.array([r["events"] for r in ordered], np.int64),
        np.array([r["censored"] for r in ordered], np.int64),
    )
    return Group(key, first["level_number"], table)
