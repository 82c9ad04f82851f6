"""The numbers of one look as tables: each cell knows its statistic where it is a published one."""

from collections.abc import Iterable, Mapping, Sequence

from report.figures import words
from report.figures.model import Cell, Number, Table, table
from report.figures.response import NAMES, RATES
from report.figures.source import (
    NOT_REACHED,
    Record,
    interval,
    number,
    p_value,
    percents,
    said,
    said_p,
)
from report.figures.toxicity import SOURCES, Term

NONE = "—"
CI = "95\u00a0%\u00a0CI"


def survival(
    factor: str, medians: Sequence[Record], landmarks: Iterable[Record], happened: str
) -> Table:
    """Counts, median and landmarks of each curve.

    Args:
        factor: the factor that splits, or empty.
        medians: rows of `survival_medians`.
        landmarks: rows of `survival_landmarks`.
        happened: what an event is called: `died`.
    """
    at = {(r["factor_level"], r["months"]): r for r in landmarks}
    months = sorted({m for _, m in at})
    return table(
        "numbers",
        "Numbers",
        (
            "",
            "n",
            happened,
            f"median, months ({CI})",
            *(f"{m}\u00a0months, %\u00a0({CI})" for m in months),
        ),
        (
            (
                words.levelled(factor, r["factor_level"]) if factor else "all",
                Cell(str(r["n"]), _known(said(r, n=0))),
                Cell(str(r["events"]), _known(said(r, events=0))),
                _median(r),
                *(_landmark(at.get((r["factor_level"], m))) for m in months),
            )
            for r in medians
        ),
        empty="There is no such curve: nobody has this endpoint.",
    )


def compared(tested: Sequence[Record]) -> Table:
    """Hazard ratio and test of each level against the reference."""
    return table(
        "comparison",
        "Comparison, unadjusted",
        ("", "events of n", f"hazard ratio ({CI})", "log-rank p"),
        (
            (
                words.levelled(r["factor"], r["factor_level"]),
                Cell(f"{r['events']} of {r['n']}", _known(said(r, events=0, n=0))),
                _ratio(r),
                Cell(p_value(r["p"]) if r["p"] is not None else NONE, _known(said_p(r))),
            )
            for r in tested
        ),
        empty="Not compared.",
    )


def incidence(rows: Sequence[Record]) -> Table:
    """Events and landmarks of each cause.

    Args:
        rows: of `cumulative_incidence`.
    """
    at = {(r["cause"], r["months"]): r for r in rows}
    months = sorted({m for _, m in at})
    first = {r["cause"]: r for r in reversed(rows)}
    return table(
        "numbers",
        "Numbers",
        ("", "first of n", *(f"{m}\u00a0months, %\u00a0({CI})" for m in months)),
        (
            (
                words.capital(words.plain(cause)),
                Cell(f"{r['events']} of {r['n']}", _known(said(r, events=0, n=0))),
                *(_share_at(at.get((cause, m))) for m in months),
            )
            for cause, r in sorted(first.items())
        ),
        empty="There is no such curve: nobody has this endpoint.",
    )


def _share_at(r: Record | None) -> Cell:
    if r is None or r["incidence"] is None:
        return Cell(NONE)
    told = percents(r, "incidence", "lower", "upper")
    low, high = (None if r[c] is None else 100 * r[c] for c in ("lower", "upper"))
    limits = interval(low, high)
    return Cell(told[0].text + (f" ({limits})" if limits else ""), _known(told))


def response(by_level: Mapping[str, Sequence[Record]]) -> Table:
    """Every class and rate; a column a group."""
    found = {name: {r["category"]: r for r in rows} for name, rows in by_level.items()}
    return table(
        "numbers",
        "Numbers",
        ("", *(name or f"n of all, % ({CI})" for name in found)),
        (
            (
                words.capital(NAMES[category]),
                *(_share(own.get(category), bounded=category in RATES) for own in found.values()),
            )
            for category in NAMES
        ),
    )


def toxicity(by_level: Mapping[str, Sequence[Term]]) -> Table:
    """Every term that somebody had: any grade, and grade 3 or worse; two columns a group."""
    found = {name: {(t.source, t.name): t for t in own} for name, own in by_level.items()}
    had = {key for own in found.values() for key, t in own.items() if t.any_grade}
    source = dict(SOURCES)
    heads = (f"{name + ': ' if name else ''}{grade}" for name in found for grade in GRADES.values())
    return table(
        "numbers",
        "Numbers",
        ("", "", *heads),
        (
            (
                term,
                source[kind].lower(),
                *(_worst(own.get((kind, term)), g) for own in found.values() for g in GRADES),
            )
            for kind, term in sorted(had)
        ),
        empty="Nobody had a toxicity of any grade in the terms that were assessed.",
    )


GRADES = {"any": "any grade", "ge3": "grade ≥ 3"}


def _known(numbers: tuple[Number, ...]) -> tuple[Number, ...]:
    """Those that are published statistics."""
    return tuple(n for n in numbers if n.statistic_id)


def _median(r: Record) -> Cell:
    if r["median_months"] is None:
        return Cell(NOT_REACHED if r["not_reached"] else NONE, _id_alone(r, "median_months"))
    around = interval(r["lower"], r["upper"])
    told = number(r["median_months"]) + (f" ({around})" if around else "")
    return Cell(told, _known(said(r, median_months=1, lower=1, upper=1)))


def _landmark(r: Record | None) -> Cell:
    if r is None or r["survival"] is None:
        return Cell(NONE)
    low, high = (None if r[n] is None else 100 * r[n] for n in ("lower", "upper"))
    around = interval(low, high)
    told = number(100 * r["survival"]) + (f" ({around})" if around else "")
    return Cell(told, _known(percents(r, "survival", "lower", "upper")))


def _ratio(r: Record) -> Cell:
    if r["reason"] == "reference":
        return Cell("reference")
    if r.get("hr") is None:
        return Cell(r["reason"] or NONE)
    told = f"{number(r['hr'], 2)} ({interval(r['lower'], r['upper'], 2)})"
    return Cell(told, _known(said(r, hr=2, lower=2, upper=2)))


def _share(r: Record | None, *, bounded: bool) -> Cell:
    if r is None or r["n"] is None:
        return Cell("not evaluable")
    around = interval(r["lower"], r["upper"]) if bounded else ""
    told = f"{r['n']} of {r['total']}, {number(r['pct'])}" + (f" ({around})" if around else "")
    fields = {"n": 0, "total": 0, "pct": 1} | ({"lower": 1, "upper": 1} if around else {})
    return Cell(told, _known(said(r, **fields)))


def _worst(t: Term | None, grade: str) -> Cell:
    r = t.found.get(grade) if t else None
    if t is None or r is None or r["n"] is None:
        return Cell(NONE)
    if not t.enough:
        return Cell(f"{r['n']} of {r['total']}", _known(said(r, n=0, total=0)))
    told = f"{r['n']} of {r['total']}, {number(r['pct'])} %"
    return Cell(told, _known(said(r, n=0, total=0, pct=1)))


def _id_alone(r: Record, field: str) -> tuple[Number, ...]:
    return _known((Number(r["statistic_id"], field, ""),))
