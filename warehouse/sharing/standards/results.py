"""Published results in the layout of R's package `cards` (Analysis Results Data, after CDISC ARS).

One row a statistic: of what (`variable`, `variable_level`), in which group (`group1`,
`group1_level`), which (`stat_name`) and its value (`stat`). Table 1 has the names that `cards` 0.7
gives its own summaries, so that `gtsummary::tbl_ard_summary` reads it; every other number stands
under the name of its table. `statistic_id` leads back to `y90 trace`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from warehouse.engine.connections import connection

NAMES = (
    "population",
    "group1",
    "group1_level",
    "variable",
    "variable_level",
    "context",
    "stat_name",
    "stat_label",
    "stat",
    "statistic_id",
)
LABELS: Mapping[str, str] = {
    "n": "n",
    "N": "N",
    "p": "%",
    "median": "Median",
    "p25": "Q1",
    "p75": "Q3",
    "N_obs": "Vector Length",
    "N_miss": "N Missing",
    "N_nonmiss": "N Non-missing",
    "p_miss": "% Missing",
    "p_nonmiss": "% Non-missing",
    "class": "Variable Class",
    "estimate": "Estimate",
    "conf.low": "CI Lower Bound",
    "conf.high": "CI Upper Bound",
}
TABLE_1 = "baseline_characteristics"
Row = dict[str, Any]


def results(release: Path) -> Iterator[tuple[Any, ...]]:
    """Every published number of a release, one statistic a row, under NAMES.

    A share is between 0 and 1 in Table 1, as `cards` has it, and a percentage elsewhere, as it is
    published.
    """
    for row in (*_table_1(_read(release, TABLE_1)), *_others(_read(release, "statistics"))):
        label = LABELS[row["stat_name"]]
        yield tuple({"stat_label": label, **row}.get(name) for name in NAMES)


def _read(release: Path, table: str) -> list[Row]:
    path = release / "parquet" / "outcomes" / f"{table}.parquet"
    with connection() as con:
        result = con.execute("SELECT * FROM read_parquet($path) ORDER BY ALL", {"path": str(path)})
        names = [d[0] for d in result.description or []]
        return [dict(zip(names, r, strict=True)) for r in result.fetchall()]


def _table_1(rows: list[Row]) -> Iterator[Row]:
    asked: set[tuple[str, ...]] = set()
    for r in rows:
        place: Row = {"population": r["population"], "variable": r["variable"]}
        if r["factor"]:
            place |= {"group1": r["factor"], "group1_level": r["factor_level"]}
        own = {"statistic_id": r["statistic_id"], "variable_level": r["level"] or None}
        if r["level"]:
            share = None if r["pct"] is None else r["pct"] / 100
            numbers = {"n": r["n"], "N": r["total"], "p": share}
        else:
            numbers = {"N": r["n"], "median": r["median"], "p25": r["q1"], "p75": r["q3"]}
        for name, value in numbers.items():
            context = "tabulate" if r["level"] else "summary"
            yield place | own | {"context": context, "stat_name": name, "stat": value}
        once = (r["population"], r["variable"], r["factor"], r["factor_level"])
        if once not in asked:
            asked.add(once)
            yield from _about(place, r)


def _about(place: Row, r: Row) -> Iterator[Row]:
    """What is said once of a variable: who has no value, of how many, and what it is."""
    asked, missing = r["total"] + r["missing"], r["missing"]
    numbers = {"N_obs": asked, "N_miss": missing, "N_nonmiss": r["total"]}
    if asked:
        numbers |= {"p_miss": missing / asked, "p_nonmiss": r["total"] / asked}
    for name, value in numbers.items():
        yield place | {"context": "missing", "stat_name": name, "stat": value}
    if not r["factor"]:
        kind = "character" if r["level"] else "numeric"
        yield place | {"context": "attributes", "stat_name": "class", "stat": kind}


def _others(rows: list[Row]) -> Iterator[Row]:
    """Numbers of the other tables, each by its label."""
    parts = {"value": "estimate", "lower": "conf.low", "upper": "conf.high", "n": "n", "total": "N"}
    for r in rows:
        table, population, *_ = r["statistic_id"].split(".")
        if table == TABLE_1:
            continue
        place = {"population": population, "variable": r["label"], "context": table}
        for column, name in parts.items():
            if r[column] is not None:
                yield place | {
                    "stat_name": name,
                    "stat": r[column],
                    "statistic_id": r["statistic_id"],
                }
