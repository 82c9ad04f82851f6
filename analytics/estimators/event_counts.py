"""Count events and censorings per distinct day: all that an estimator needs.

The engine counts; what reaches Python is as long as the number of distinct times, not of patients.
Lesions are not split by factors: those of one patient are not independent, so that no test between
groups of lesions is published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.estimators.clustered import Pairs
from analytics.estimators.kaplan_meier import EventTable
from analytics.fetched import fetched
from schemas.contract import Table, conform
from schemas.records.factors import BY_ENDPOINT, EVERY_ENDPOINT
from schemas.sections.prognosis import PrognosisSettings
from schemas.tables.intermediate import EventCounts, LesionPairs, PopulationMembers
from schemas.tables.marts import FactorLevels, TimeToEvent

NAMES = ("population", "endpoint", "level", "factor", "factor_level")


@dataclass(frozen=True, slots=True)
class Key:
    """Which curve: the key parts that all survival tables share."""

    population: str
    endpoint: str
    level: str
    factor: str
    factor_level: str

    def record(self) -> dict[str, Any]:
        """The parts as columns."""
        return {name: getattr(self, name) for name in NAMES}


@dataclass(frozen=True, slots=True)
class Group:
    """One curve's counts; `level_number` 0 is the reference of its factor."""

    key: Key
    level_number: int
    table: EventTable
    reported: int = 0
    """Units whose time a source printed."""


def event_counts(
    population_members: Table[PopulationMembers],
    time_to_event: Table[TimeToEvent],
    factor_levels: Table[FactorLevels],
    *,
    prognosis: PrognosisSettings,
) -> Table[EventCounts]:
    """Count events and censorings per population, endpoint, factor level and distinct time."""
    units = time_to_event.select(
        "subject_id",
        "endpoint",
        "time_days",
        "event",
        "origin",
        level=(time_to_event.lesion_number > 0).ifelse("lesion", "subject"),
    )
    overall = units.mutate(
        factor=ibis.literal(""),
        factor_level=ibis.literal(""),
        level_number=ibis.literal(0, type="int64"),
    )
    split = _split(
        units.filter(units.level == "subject"), factor_levels, prognosis.endpoints
    ).select(*overall.columns)
    members = population_members.select("population", "subject_id")
    placed = overall.union(split).inner_join(members, "subject_id")
    counted = placed.group_by(*NAMES, "level_number", "time_days").agg(
        events=placed.event.cast("int64").sum(),
        censored=(~placed.event).cast("int64").sum(),
        reported=(placed.origin == "reported").fill_null(False).cast("int64").sum(),
    )
    return conform(counted, EventCounts)


def _split(units: ir.Table, factor_levels: ir.Table, endpoints: tuple[str, ...]) -> ir.Table:
    """Each unit once per factor: of a factor by endpoint with the level that it has for its own.

    Factors beyond the founding ones split the endpoints of the settings alone.
    """
    columns = ("subject_id", "factor", "factor_level", "level_number")
    own = factor_levels.endpoint != ""
    of_patient = factor_levels.filter(~own, ~factor_levels.factor.isin(sorted(BY_ENDPOINT)))
    of_endpoint = factor_levels.filter(own).select("endpoint", *columns)
    placed = units.inner_join(of_patient.select(*columns), "subject_id")
    by_patient = placed.filter(
        placed.factor.isin(sorted(EVERY_ENDPOINT)) | placed.endpoint.isin(endpoints)
    )
    by_endpoint = units.inner_join(of_endpoint, ["subject_id", "endpoint"])
    return by_patient.union(by_endpoint.select(*by_patient.columns))


def lesion_pairs(
    population_members: Table[PopulationMembers], time_to_event: Table[TimeToEvent]
) -> Table[LesionPairs]:
    """Count the pairs of lesions of one patient by their times and states, per population."""
    lesions = time_to_event.filter(time_to_event.lesion_number > 0)
    first, second = (
        lesions.select(
            "subject_id",
            "endpoint",
            **{f"{which}_days": lesions.time_days, f"{which}_event": lesions.event},
        )
        for which in ("first", "second")
    )
    pairs = first.inner_join(second, ["subject_id", "endpoint"])
    members = population_members.select("population", "subject_id")
    placed = pairs.inner_join(members, "subject_id")
    names = ("first_days", "first_event", "second_days", "second_event")
    return conform(
        placed.group_by("population", "endpoint", *names).agg(n=placed.count()), LesionPairs
    )


def pairs_of(lesion_pairs: ir.Table) -> dict[tuple[str, str], Pairs]:
    """Fetch the pairs; one entry per population and endpoint, in the order of their keys."""
    columns = ("first_days", "first_event", "second_days", "second_event", "n")
    in_order = fetched(_pairs_in_order, lesion_pairs)
    counted = [in_order[name].to_numpy().astype(np.int64) for name in columns]
    return {
        (in_order["population"][first].as_py(), in_order["endpoint"][first].as_py()): Pairs(
            counted[0][first:end].astype(np.float64),
            counted[1][first:end],
            counted[2][first:end].astype(np.float64),
            counted[3][first:end],
            counted[4][first:end],
        )
        for first, end in _runs([in_order[name] for name in ("population", "endpoint")])
        if end > first
    }


def groups(event_counts: ir.Table) -> list[Group]:
    """Fetch the counts and cut them into one event table per curve, in the order of their keys."""
    return cut(fetched(in_doubles, event_counts))


def in_doubles(event_counts: ir.Table) -> ir.Table:
    """The counts in the order of their keys, with times as numbers.

    The engine's cast is the double nearest to the decimal; Arrow's is off by its last digit.
    """
    times = event_counts.mutate(time_days=event_counts.time_days.cast("float64"))
    return times.order_by([*NAMES, "time_days"])


def cut(counts: pa.Table) -> list[Group]:
    """One event table per curve, of counts as `in_doubles` gives them."""
    time, events, censored, reported = (
        counts[name].to_numpy() for name in ("time_days", "events", "censored", "reported")
    )
    listed = []
    for first, end in _runs([counts[name] for name in NAMES]):
        key = Key(*(counts[name][first].as_py() for name in NAMES))
        table = EventTable(time[first:end], events[first:end], censored[first:end])
        number = counts["level_number"][first].as_py()
        listed.append(Group(key, number, table, int(reported[first:end].sum())))
    return listed


def _runs(keys: list[pa.ChunkedArray]) -> Iterator[tuple[int, int]]:
    """First and past-the-last row of each run of equal keys."""
    length = len(keys[0])
    changed = np.ones(length, dtype=bool)
    if length > 1:
        unlike = [pc.not_equal(key.slice(1), key.slice(0, length - 1)) for key in keys]
        changed[1:] = np.logical_or.reduce([u.to_numpy() for u in unlike])
    return pairwise([*np.flatnonzero(changed).tolist(), length])


def populations(population_members: ir.Table) -> list[str]:
    """Every population that has a member, in order."""
    return sorted(fetched(_populations, population_members)["population"].to_pylist())


def _populations(population_members: ir.Table) -> ir.Table:
    return population_members.select("population").distinct()


def _pairs_in_order(lesion_pairs: ir.Table) -> ir.Table:
    columns = ("first_days", "first_event", "second_days", "second_event", "n")
    return lesion_pairs.order_by(["population", "endpoint", *columns])
