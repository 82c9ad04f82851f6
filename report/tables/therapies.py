"""Therapies before and after treatment by class, and which came next."""

from report.figures import words
from report.figures.model import Cell, Table, table
from report.figures.source import (
    Connection,
    Record,
    interval,
    number,
    percents,
    records,
    said,
    share,
)


def therapies(con: Connection) -> Table:
    """Who had each class before T0 and after it, in how many lines, and how long away."""
    found = records(
        con,
        "SELECT * FROM outcomes.therapy_summary WHERE population = 'all' AND n > 0 "
        "ORDER BY timing, therapy_class <> 'any', n DESC, therapy_class",
    )
    return table(
        "therapies",
        "Diagnosis, and therapies before and after treatment",
        ("", "patients", "95 % CI", "lines", "months from or to T0", "dated"),
        tuple(
            (
                f"{r['timing']}, {words.plain(r['therapy_class'])}",
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(number(r["lines"]), said(r, lines=1)),
                _interval(r),
                Cell(str(r["n_dated"]), said(r, n_dated=0)),
            )
            for r in found
        ),
        (
            "Of treated patients at centres that deliver the table. Lines: median of those who had "
            "it; courses that begin on one day are one line. Months: median and quartiles, from "
            "the end of the last prior course to T0, or from T0 to the first later one.",
        ),
        ("CI",),
    )


def _interval(r: Record) -> Cell:
    if r["interval_months"] is None:
        return Cell("")
    around = f"{number(r['interval_months'])} ({interval(r['q1_months'], r['q3_months'])})"
    return Cell(around, said(r, interval_months=1, q1_months=1, q3_months=1))


def following(con: Connection) -> Table:
    """The share that has had each class of therapy next, or has died before any."""
    found = records(
        con,
        "SELECT * FROM outcomes.next_therapy WHERE population = 'all' AND incidence IS NOT NULL "
        "AND events > 0 ORDER BY cause, months",
    )
    return table(
        "next-therapy",
        "Which therapy came next",
        ("", "months", "%", "95 % CI", "at risk"),
        tuple(
            (
                words.plain(r["cause"]),
                str(r["months"]),
                Cell(number(100 * r["incidence"]), percents(r, "incidence")),
                Cell(_limits(r), percents(r, "lower", "upper")),
                Cell(str(r["at_risk"]), said(r, at_risk=0)),
            )
            for r in found
        ),
        ("Cumulative incidence (Aalen-Johansen) of the first therapy after T0, death competing.",),
        ("CI",),
    )


def _limits(r: Record) -> str:
    low, high = (None if r[c] is None else 100 * r[c] for c in ("lower", "upper"))
    return interval(low, high)
