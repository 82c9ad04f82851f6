"""A median that the curve does not reach is a published number without a value, not an absence.

A median may be reached on one night and not on the next, when more patients are followed up longer.
"""

import ibis

from analytics.summary import statistics, undefined
from schemas.contract import rows
from schemas.tables.outcomes import Outcome, SurvivalMedians

ROW = {
    "statistic_id": "survival_medians.all.os.subject.overall.overall.midpoint",
    "population": "all",
    "endpoint": "OS",
    "level": "subject",
    "factor": "",
    "factor_level": "",
    "rule": "midpoint",
    "n": 27,
    "events": 10,
    "median_months": None,
    "lower": 13.9,
    "upper": None,
    "not_reached": True,
    "reason": None,
}


def published(**facts: object) -> list[tuple[object, ...]]:
    """Value, lower limit, n and total of every statistic of a row of medians."""
    contract: type[Outcome] = SurvivalMedians
    found = statistics({contract: rows([ROW | facts], contract)}, undefined)
    con = ibis.duckdb.connect()
    made = con.to_pyarrow(found).to_pylist()
    return [(r["value"], r["lower"], r["n"], r["total"]) for r in made]


def test_a_median_not_reached_keeps_its_row_with_its_counts_and_lower_limit() -> None:
    assert published() == [(None, 13.9, 10, 27)]


def test_a_median_of_nobody_has_none() -> None:
    assert published(n=0, events=0, lower=None, not_reached=False) == []
