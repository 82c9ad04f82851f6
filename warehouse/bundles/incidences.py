"""Cumulative incidence of each cause at landmarks, where enough are at risk and enough had it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from scipy.special import gammaln

from analytics.estimators.competing_risks import (
    CauseTable,
    Incidence,
    aalen_johansen,
    incidence_at,
)
from schemas.statistic_ids import joined
from warehouse.bundles import guesses
from warehouse.bundles.counts import to_digits
from warehouse.bundles.draft import Row, Unit
from warehouse.bundles.policy import POLICY
from warehouse.bundles.sources import DAYS_PER_MONTH, EVERYONE, Source

ENDPOINTS = ("TTP", "HTTP")
"""Endpoints of patients whose competing event is death."""
LEVEL = guesses.bits_of_values((1, 1e-4), (900, 1))
"""Bits in a probability of four decimals and an error of three digits."""


def units(source: Source, landmarks: Sequence[int]) -> Iterator[tuple[str, Unit]]:
    """The incidences of each endpoint with enough patients and events."""
    told = source.outcome_curves("incidence_curves")
    for endpoint, rows in groupby(
        (r for r in told if r["endpoint"] in ENDPOINTS), key=lambda r: r["endpoint"]
    ):
        listed = list(rows)
        causes = sorted({r["cause"] for r in listed})
        table = _table(listed, causes)
        n, events = int(table.at_risk[0]), int(table.events.sum())
        if n < POLICY.patients.value or events < POLICY.events.value:
            continue
        room = int((_possible(table) - POLICY.bits_left.value) // LEVEL)
        levels = _levels(endpoint, causes, table, landmarks)[: max(0, room)]
        charge = LEVEL * len(levels)
        if levels:
            parts = {c: _members(source, endpoint, c) for c in causes}
            yield (
                f"incidence {endpoint}",
                Unit({"levels": levels}, {"patients": n}, parts, {f"causes {endpoint}": charge}),
            )


def _table(rows: Sequence[Row], causes: Sequence[str]) -> CauseTable:
    days = sorted({float(r["time_days"]) for r in rows})
    place = {day: k for k, day in enumerate(days)}
    events = np.zeros((len(days), len(causes)), np.int64)
    censored = np.zeros(len(days), np.int64)
    for r in rows:
        at = place[float(r["time_days"])]
        events[at, causes.index(r["cause"])] = r["events"]
        censored[at] = r["censored"]
    return CauseTable(np.array(days), events, censored)


def _levels(
    endpoint: str, causes: Sequence[str], table: CauseTable, landmarks: Sequence[int]
) -> list[Row]:
    """Levels by landmark, then cause: the earliest are told first."""
    estimate = aalen_johansen(table)
    found: list[Row] = []
    before = [0.0] * len(causes)
    for months in landmarks:
        for number, cause in enumerate(causes):
            read = incidence_at(estimate, months * DAYS_PER_MONTH)[number]
            had = ((read.value or 0.0) - before[number]) * int(table.at_risk[0])
            few = 1e-9 < had < POLICY.small_cell.value - 1e-9
            if read.value is None or few or read.at_risk < POLICY.small_cell.value:
                continue
            before[number] = read.value
            found.append(_level(endpoint, cause, number, months, estimate, table))
    return found


def _level(
    endpoint: str, cause: str, number: int, months: int, estimate: Incidence, table: CauseTable
) -> Row:
    read = incidence_at(estimate, months * DAYS_PER_MONTH)[number]
    row = int(np.searchsorted(table.time, months * DAYS_PER_MONTH, side="right")) - 1
    error = float(estimate.std_err[row, number]) if row >= 0 else 0.0
    return {
        "statistic_id": joined("cumulative_incidence", "all", endpoint, "subject", cause, months),
        "endpoint": endpoint,
        "cause": cause,
        "kind": "incidence",
        "months": months,
        "n": int(table.at_risk[0]),
        "at_risk": read.at_risk,
        "value": round(float(read.value or 0.0), POLICY.decimals_level.value),
        "se": to_digits(error, POLICY.digits.value),
    }


def _possible(table: CauseTable) -> float:
    """Bits of the ways to give everybody a cause or none, their numbers known."""
    sizes = [*table.events.sum(axis=0).tolist(), int(table.censored.sum())]
    ways = gammaln(sum(sizes) + 1) - sum(gammaln(s + 1) for s in sizes)
    return float(ways) / math.log(2)


def _members(source: Source, endpoint: str, cause: str) -> frozenset[tuple[str, int]]:
    told = source.rows(
        f"SELECT subject_id FROM read_parquet($members) SEMI JOIN {EVERYONE} USING (subject_id) "
        "WHERE set_id = $name",
        members=source.path("members", "member_sets"),
        name=joined("incidence", endpoint, "subject", cause),
    )
    return frozenset((r["subject_id"], 0) for r in told)
