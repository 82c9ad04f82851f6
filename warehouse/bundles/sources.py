"""Patients of a release as arrays: what a bundle's tables are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from analytics.estimators.kaplan_meier import EventTable, FloatArray, event_table
from schemas.records.factors import FACTORS, PROGNOSTIC
from schemas.records.units import DAYS_PER_UNIT
from warehouse.bundles.policy import ENDPOINTS

DAYS_PER_MONTH = float(DAYS_PER_UNIT["months"])
BoolArray = npt.NDArray[np.bool_]
EVERYONE = "(FROM read_parquet($members) WHERE set_id = 'population.all')"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The patients of an endpoint, in order of pseudonyms."""

    subjects: tuple[str, ...]
    days: FloatArray
    event: BoolArray

    @property
    def table(self) -> EventTable:
        """Events and censorings by day."""
        return event_table(self.days, self.event)

    @property
    def months(self) -> FloatArray:
        """The month in which each leaves; day 0 is in the first."""
        return np.maximum(np.ceil(self.days / DAYS_PER_MONTH), 1)

    def those(self, chosen: BoolArray) -> frozenset[str]:
        """Pseudonyms."""
        return frozenset(s for s, wanted in zip(self.subjects, chosen, strict=True) if wanted)


FURTHER = {record.factor for record in FACTORS} - {record.factor for record in PROGNOSTIC}
"""Factors beside those of the series."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of two levels: patient -> at the bad level."""

    name: str
    bad_level: str
    bad: Mapping[str, bool]

    def of(self, curve: Curve) -> tuple[BoolArray, BoolArray]:
        """Who of a curve has the factor, and who is at its bad level."""
        known = np.array([s in self.bad for s in curve.subjects], bool)
        return known, np.array([self.bad.get(s, False) for s in curve.subjects], bool)


@dataclass
class Source:
    """A release, read once."""

    con: duckdb.DuckDBPyConnection
    release: Path
    _tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def path(self, schema: str, table: str) -> str:
        """The Parquet file of a table."""
        return str(self.release / "parquet" / schema / f"{table}.parquet")

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query over the release's files."""
        result = self.con.execute(sql, parameters)
        names = [d[0] for d in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def outcome(self, table: str) -> list[dict[str, Any]]:
        """The rows of an outcome table about all patients, no factor."""
        if table not in self._tables:
            told = self.rows(
                "FROM read_parquet($path) WHERE population = 'all' ORDER BY statistic_id",
                path=self.path("outcomes", table),
            )
            self._tables[table] = [r for r in told if not r.get("factor")]
        return self._tables[table]

    def outcome_curves(self, table: str) -> list[dict[str, Any]]:
        """The points of the curves of all patients, in order."""
        return self.rows(
            "FROM read_parquet($path) WHERE population = 'all' ORDER BY endpoint, time_days",
            path=self.path("outcomes", table),
        )

    @cached_property
    def size(self) -> int:
        """Patients."""
        sql = f"SELECT count(*) AS n FROM {EVERYONE}"
        return int(self.rows(sql, members=self.path("members", "member_sets"))[0]["n"])

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """The endpoints that a bundle may tell of."""
        told = self.rows(
            "SELECT endpoint, subject_id, time_days::DOUBLE AS days, event "
            f"FROM read_parquet($path) SEMI JOIN {EVERYONE} USING (subject_id) "
            "WHERE lesion_number = 0 AND endpoint IN (SELECT unnest($endpoints)) "
            "ORDER BY endpoint, subject_id",
            path=self.path("marts", "time_to_event"),
            members=self.path("members", "member_sets"),
            endpoints=list(ENDPOINTS),
        )
        by_endpoint: dict[str, list[dict[str, Any]]] = {}
        for row in told:
            by_endpoint.setdefault(row["endpoint"], []).append(row)
        return {
            name: Curve(
                tuple(r["subject_id"] for r in own),
                np.array([r["days"] for r in own], float),
                np.array([r["event"] for r in own], bool),
            )
            for name in ENDPOINTS
            if (own := by_endpoint.get(name))
        }

    @cached_property
    def factors(self) -> list[Factor]:
        """The series' factors, each with a bad and a good level.

        A further factor is told in no bundle: with every one more levels are told of each patient.
        """
        told = self.rows(
            "SELECT factor, factor_level, bad, subject_id FROM read_parquet($path) "
            f"SEMI JOIN {EVERYONE} USING (subject_id) "
            "WHERE bad IS NOT NULL AND endpoint = '' ORDER BY ALL",
            path=self.path("marts", "factor_levels"),
            members=self.path("members", "member_sets"),
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for row in told:
            found.setdefault(row["factor"], []).append(row)
        return [
            Factor(
                name,
                next(r["factor_level"] for r in own if r["bad"]),
                {r["subject_id"]: r["bad"] for r in own},
            )
            for name, own in found.items()
            if {r["bad"] for r in own} == {True, False} and name not in FURTHER
        ]
