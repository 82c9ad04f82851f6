"""Laboratory values and liver scores over time, and their paired changes."""

from collections.abc import Iterator

from report.figures.model import Cell, Cells, Table, grouped, table
from report.figures.source import (
    Connection,
    Record,
    interval,
    number,
    p_value,
    records,
    said,
    said_p,
)
from schemas.records.analytes import BY_CODE

DIGITS = 2


def courses(con: Connection) -> Table:
    """Median and quartiles at each time point, and the change from before treatment."""
    found = records(
        con,
        "SELECT * FROM outcomes.lab_changes WHERE population = 'all' AND n > 0 "
        "ORDER BY quantity, at_days",
    )
    return table(
        "laboratory-course",
        "Laboratory values and liver scores over time",
        ("", "n", "median", "quartiles", "pairs", "median change", "quartiles", "p"),
        grouped(_rows(found)),
        (
            "Time points count from the first treatment. Medians are of those with a value at the "
            "time point: who lived and came. Changes compare each patient with the value before "
            "treatment. Wilcoxon's signed rank test, not corrected for the number of tests.",
        ),
        empty="No laboratory value was delivered.",
    )


def _rows(found: list[Record]) -> Iterator[tuple[str, Cells]]:
    for r in found:
        name = BY_CODE[r["quantity"]].label if r["quantity"] in BY_CODE else r["quantity"]
        cells: Cells = (
            _when(r["at_days"]),
            Cell(str(r["n"]), said(r, n=0)),
            Cell(number(r["median"], DIGITS), said(r, median=DIGITS)),
            Cell(interval(r["q1"], r["q3"], DIGITS), said(r, q1=DIGITS, q3=DIGITS)),
            Cell(str(r["n_pairs"]), said(r, n_pairs=0)) if r["at_days"] else "",
            Cell(number(r["median_change"], DIGITS), said(r, median_change=DIGITS)),
            Cell(_around(r), said(r, q1_change=DIGITS, q3_change=DIGITS)),
            Cell(p_value(r["p"]), said_p(r)),
        )
        yield f"{name} ({r['unit']})", cells


def _around(r: Record) -> str:
    return interval(r["q1_change"], r["q3_change"], DIGITS)


def _when(at_days: int) -> str:
    return f"{at_days} days" if at_days else "before treatment"
