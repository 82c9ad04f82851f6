"""What a look gives: rows in the shape of the outcome tables, and the queries that gave them."""

from dataclasses import dataclass, field
from typing import Any

import duckdb

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a look; those of a free one have no `statistic_id`.

    Attributes:
        queries: the SQL that was run, as it was run.
        medians: rows as in `survival_medians`, by the midpoint rule.
        points: rows as in `survival_curves`.
        landmarks: rows as in `survival_landmarks`.
        tested: rows as in `prognosis_univariate`.
        shares: rows as in `response_summary` or `toxicity_summary`, with `factor_level` beside.
        fewest: of a free look, how many patients the smallest of its groups is of.
    """

    queries: tuple[str, ...] = ()
    medians: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    landmarks: list[Row] = field(default_factory=list)
    tested: list[Row] = field(default_factory=list)
    shares: list[Row] = field(default_factory=list)
    fewest: int | None = None

    @property
    def empty(self) -> bool:
        """Nothing is there."""
        return not (self.medians or self.shares)


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """The rows of a query by the names of their columns."""
    answer = con.execute(query)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
