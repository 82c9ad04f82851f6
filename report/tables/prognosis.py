"""Prognostic factors beyond those of the series, one at a time."""

from collections.abc import Iterator
from itertools import groupby

from analytics.summary import p_value
from report.figures import words
from report.figures.model import Cell, Cells, Table, table
from report.figures.source import Connection, Record, interval, number, records, said, said_p
from schemas.records.factors import EVERY_ENDPOINT

ALONE = """
SELECT u.*, m.median_months, m.lower AS median_lower, m.upper AS median_upper,
    m.statistic_id AS median_id
FROM outcomes.prognosis_univariate u
LEFT JOIN outcomes.survival_medians m
    ON m.population = u.population AND m.endpoint = u.endpoint AND m.level = 'subject'
    AND m.factor = u.factor AND m.factor_level = u.factor_level AND m.rule = 'midpoint'
WHERE u.population = 'all' AND u.endpoint = ? ORDER BY u.factor, u.factor_level
"""


def alone(con: Connection, endpoint: str = "OS") -> Table:
    """Survival at each level of every factor that splits this endpoint and is not drawn."""
    found = [r for r in records(con, ALONE, endpoint) if r["factor"] not in EVERY_ENDPOINT]
    order = list(words.FACTOR)
    in_order = sorted(found, key=lambda r: (order.index(r["factor"]), _place(r)))
    listed = {f: list(own) for f, own in groupby(in_order, lambda r: r["factor"])}
    compared = {f: own for f, own in listed.items() if len(own) > 1}
    single = [words.inside(words.FACTOR[f]) for f in listed if f not in compared]
    notes = [
        f"{len(compared)} factors, each alone: Cox hazard ratio against the first level, p of the "
        "log-rank test, nothing adjusted for their number. Levels as known up to the first ⁹⁰Y "
        "treatment; a patient of unknown level is missing."
    ]
    if single:
        notes.append(f"With one level only, and not compared: {', '.join(single)}.")
    return table(
        "factors-alone",
        f"{words.endpoint(endpoint)} by further factors",
        ("factor", "level", "died/n", "median (months)", "hazard ratio", "p", "missing"),
        (row for own in compared.values() for row in _rows(own)),
        tuple(notes),
        ("CI", "NR", "ALBI"),
        "No further factor has two levels.",
    )


def _place(r: Record) -> tuple[int, str]:
    names = words.LEVELS.get(r["factor"], ())
    level = r["factor_level"]
    return (names.index(level) if level in names else len(names), level)


def _rows(own: list[Record]) -> Iterator[Cells]:
    for k, r in enumerate(own):
        median = r | {
            "statistic_id": r["median_id"],
            "lower": r["median_lower"],
            "upper": r["median_upper"],
        }
        shown = f"{number(r['median_months']) or 'NR'} ({interval(*_limits(median))})"
        yield (
            words.FACTOR[r["factor"]] if k == 0 else "",
            words.level(r["factor_level"]),
            Cell(f"{r['events']}/{r['n']}", said(r, events=0, n=0)),
            Cell(shown, said(median, median_months=1, lower=1, upper=1)),
            _ratio(r),
            Cell(p_value(r["p"]), said_p(r)) if k == 0 and r["p"] is not None else "",
            Cell(str(r["missing"]), said(r, missing=0)) if k == 0 else "",
        )


def _limits(r: Record) -> tuple[float | None, float | None]:
    return r["lower"], r["upper"]


def _ratio(r: Record) -> Cell | str:
    if r["hr"] is None:
        return r["reason"] or ""
    printed = f"{number(r['hr'], 2)} ({interval(*_limits(r), 2)})"
    return Cell(printed, said(r, hr=2, lower=2, upper=2))
