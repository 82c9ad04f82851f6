"""Kaplan-Meier curves: overall, by factor, and of every endpoint."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from report.figures import words
from report.figures.model import Exhibit, Number
from report.figures.source import (
    DAYS_PER_MONTH,
    NOT_REACHED,
    Connection,
    Record,
    interval,
    number,
    p_value,
    records,
    signed_p,
)
from schemas.records.endpoints import RECORDS
from schemas.records.factors import EVERY_ENDPOINT

SINCE = "Months since first ⁹⁰Y treatment"
SINCE_RESPONSE = "Months since first response"
SINCE_REPORTED = "Months, as the source reports them"
METHOD = (
    "Kaplan-Meier; shading: 95 % confidence interval (log-log), point by point; medians by the "
    "midpoint rule.",
    "At risk: before that day's events; events and censored: before that day.",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The curve at a time in months; shares of one."""

    months: float
    survival: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Risk:
    """Who is at risk at a month, and who left before: they add up to everybody."""

    months: int
    at_risk: int
    events: int
    censored: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve, its name, its counts and its median as printed."""

    name: str
    n: int
    events: int
    median: float | None
    printed: str
    points: tuple[Point, ...]
    censored: tuple[tuple[float, float], ...]
    """(months, survival) of who was censored."""
    risk: tuple[Risk, ...]
    """At each half year from 0 to the end of the axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(Exhibit):
    """Kaplan-Meier curves on one pair of axes.

    Attributes:
        axis: name of the ordinate.
        since: name of the axis of time.
        happened: what an event is called in the table below: `Died`.
        end: end of the axis in months.
        curves: the reference first.
        compared: the lines on hazard ratio and test, as printed.
    """

    axis: str
    happened: str
    since: str = SINCE
    end: int = 12
    curves: tuple[Curve, ...] = ()
    compared: tuple[str, ...] = ()


def overall(con: Connection) -> Curves:
    """Overall survival of everybody who was treated."""
    return _of_endpoint(con, "OS", "subject")


def endpoints(con: Connection, *, competing: bool) -> list[Curves]:
    """Every other endpoint, one figure each.

    Args:
        con: a release's database.
        competing: those that another event can rule out, or those that none can.
    """
    found = records(
        con,
        "SELECT DISTINCT endpoint, level FROM outcomes.survival_medians WHERE population = 'all' "
        "AND factor = '' AND endpoint <> 'OS' ORDER BY endpoint, level",
    )
    ruled_out = {r.code for r in RECORDS if r.competing}
    return [
        _of_endpoint(con, r["endpoint"], r["level"])
        for r in found
        if (r["endpoint"] in ruled_out) == competing
    ]


def _of_endpoint(con: Connection, endpoint: str, level: str) -> Curves:
    return of_rows(
        endpoint, level, _medians(con, endpoint, level, ""), _points(con, endpoint, level, "")
    )


def of_rows(
    endpoint: str, level: str, medians: list[Record], points: list[Record], whose: str = ""
) -> Curves:
    """The one curve of an endpoint, from the rows of its tables.

    Args:
        endpoint: its code.
        level: subject or lesion.
        medians: its row of `survival_medians`, if there is one.
        points: its rows of `survival_curves`.
        whose: of whom it is, where it is not of all treated.
    """
    unit = "lesions" if level == "lesion" else "patients"
    name = words.endpoint(endpoint)
    everybody = f"{unit} with a reported time" if _reported(medians) else f"all treated {unit}"
    if endpoint == "DOR":
        everybody = "responders"
    reason = next((r["reason"] for r in medians if r["reason"]), "")
    return _figure(
        f"km-{endpoint.lower()}-{level}",
        f"{name} of {whose or everybody}",
        endpoint,
        _curves("", medians, points),
        medians,
        tuple(_numbers(medians)),
        empty=reason or f"{name} is not derivable from what was delivered.",
    )


def by_factor(con: Connection, endpoint: str = "OS") -> list[Curves]:
    """The endpoint at each level of each founding factor; the others stand in a table."""
    tested = records(
        con,
        "SELECT * FROM outcomes.prognosis_univariate WHERE population = 'all' AND endpoint = ? "
        "ORDER BY factor, factor_level",
        endpoint,
    )
    order = list(words.FACTOR)
    drawn = {r["factor"] for r in tested} & EVERY_ENDPOINT
    factors = sorted(drawn, key=lambda f: (_place(order, f), f))
    return [
        _of_factor(con, endpoint, factor, [r for r in tested if r["factor"] == factor])
        for factor in factors
    ]


def _of_factor(con: Connection, endpoint: str, factor: str, tested: list[Record]) -> Curves:
    medians = _medians(con, endpoint, "subject", factor)
    return of_levels(endpoint, factor, medians, _points(con, endpoint, "subject", factor), tested)


def of_levels(
    endpoint: str,
    factor: str,
    medians: list[Record],
    points: list[Record],
    tested: list[Record],
    whose: str = "",
) -> Curves:
    """The curves of an endpoint at each level of a factor, the reference first.

    Args:
        endpoint: its code.
        factor: its code.
        medians: rows of `survival_medians`, one a level.
        points: rows of `survival_curves`.
        tested: rows of `prognosis_univariate`.
        whose: of whom they are, where they are not of all treated.
    """
    label = words.FACTOR.get(factor, words.plain(factor))
    reference = next((r["factor_level"] for r in tested if r["reason"] == "reference"), None)
    order = list(words.LEVELS.get(factor, ()))
    in_order = sorted(
        medians,
        key=lambda r: (
            r["factor_level"] != reference,
            _place(order, r["factor_level"]),
            r["factor_level"],
        ),
    )
    curves = _curves(factor, in_order, points)
    missing = next((r["missing"] for r in tested if r["missing"]), 0)
    reasons = {r["reason"] for r in tested if r["reason"] and r["reason"] != "reference"}
    notes = (
        f"Levels as known up to the first ⁹⁰Y treatment; {missing} patients of unknown level are "
        "left out. The groups were not chosen by chance, and nothing is adjusted.",
    )
    few = len(curves) < 2
    return _figure(
        f"km-{endpoint.lower()}-by-{factor}",
        f"{words.endpoint(endpoint)}{f' of {whose}' if whose else ''} by {words.inside(label)}",
        endpoint,
        () if few else curves,
        in_order,
        (*_numbers(in_order), *_test_numbers(tested)),
        notes=notes,
        compared=_compared(tested, reference),
        empty=f"Not compared: {'; '.join(sorted(reasons)) or 'no patient has a known level'}.",
    )


def _figure(
    name: str,
    title: str,
    endpoint: str,
    curves: tuple[Curve, ...],
    medians: list[Record],
    numbers: tuple[Number, ...],
    *,
    notes: tuple[str, ...] = (),
    compared: tuple[str, ...] = (),
    empty: str,
) -> Curves:
    happened = "Died" if endpoint == "OS" else "Event"
    told = [f"{c.name or 'all'}: {_counted(c, happened)}; median {c.printed}" for c in curves]
    printed = " ".join((*told, *compared))
    return Curves(
        id=name,
        title=title,
        description="; ".join((*told, *compared)) if curves else empty,
        n=sum(c.n for c in curves) or None,
        notes=(*METHOD, *notes) if curves else (),
        abbreviations=tuple(c for c in ("CI", "HR", "NR", endpoint) if c in printed),
        numbers=numbers if curves else (),
        empty="" if curves else empty,
        axis=f"{words.endpoint(endpoint)} (%)",
        happened=happened,
        since=_since(endpoint, medians),
        end=max((c.risk[-1].months for c in curves), default=12),
        curves=curves,
        compared=compared if curves else (),
    )


def _reported(medians: list[Record]) -> bool:
    """Whether every time is one that the source only reports, from a start of its own."""
    n = sum(r["n"] or 0 for r in medians)
    return 0 < n == sum(r["n_reported"] or 0 for r in medians)


def _since(endpoint: str, medians: list[Record]) -> str:
    if _reported(medians):
        return SINCE_REPORTED
    return SINCE_RESPONSE if endpoint == "DOR" else SINCE


def _counted(curve: Curve, happened: str) -> str:
    verb = "died" if happened == "Died" else "with an event"
    return f"{curve.events} of {curve.n} {verb}"


def _medians(con: Connection, endpoint: str, level: str, factor: str) -> list[Record]:
    return records(
        con,
        "SELECT * FROM outcomes.survival_medians WHERE population = 'all' AND endpoint = ? "
        "AND level = ? AND factor = ? AND rule = 'midpoint' ORDER BY factor_level",
        endpoint,
        level,
        factor,
    )


def _points(con: Connection, endpoint: str, level: str, factor: str) -> list[Record]:
    return records(
        con,
        "SELECT factor_level, time_days::DOUBLE AS days, at_risk, events, censored, survival, "
        "lower, upper FROM outcomes.survival_curves WHERE population = 'all' AND endpoint = ? "
        "AND level = ? AND factor = ? ORDER BY factor_level, time_days",
        endpoint,
        level,
        factor,
    )


def _curves(factor: str, medians: list[Record], points: list[Record]) -> tuple[Curve, ...]:
    """The curves of the medians, in their order; a level of nobody has none."""
    by_level: dict[str, list[Record]] = {}
    for row in points:
        by_level.setdefault(row["factor_level"], []).append(row)
    end = axis_end(max((row["days"] for row in points), default=0))
    return tuple(
        _curve(factor, median, by_level[median["factor_level"]], end)
        for median in medians
        if by_level.get(median["factor_level"])
    )


def axis_end(days: float) -> int:
    """End of an axis in months: whole years up to the last time."""
    return 12 * max(1, math.ceil(days / DAYS_PER_MONTH / 12))


def _curve(factor: str, median: Record, rows: list[Record], end: int) -> Curve:
    months = [row["days"] / DAYS_PER_MONTH for row in rows]
    return Curve(
        name=words.levelled(factor, median["factor_level"]) if factor else "",
        n=rows[0]["at_risk"],
        events=sum(row["events"] for row in rows),
        median=median["median_months"],
        printed=_printed(median),
        points=tuple(
            Point(m, row["survival"], row["lower"], row["upper"])
            for m, row in zip(months, rows, strict=True)
        ),
        censored=tuple(
            (m, row["survival"]) for m, row in zip(months, rows, strict=True) if row["censored"]
        ),
        risk=tuple(_risk(rows, month) for month in range(0, end + 1, 6)),
    )


def _risk(rows: Sequence[Record], month: int) -> Risk:
    before = [row for row in rows if row["days"] < month * DAYS_PER_MONTH]
    after = rows[len(before) :]
    return Risk(
        month,
        after[0]["at_risk"] if after else 0,
        sum(row["events"] for row in before),
        sum(row["censored"] for row in before),
    )


def _printed(median: Record) -> str:
    """A median as printed: `34.4 (19.8 to 52.0) months`."""
    if median["median_months"] is None and not median["not_reached"]:
        return "not derivable"
    value = number(median["median_months"]) or NOT_REACHED
    around = interval(median["lower"], median["upper"])
    return f"{value} (95 % CI {around}) months" if around else f"{value} months"


def _compared(tested: list[Record], reference: str | None) -> tuple[str, ...]:
    """The lines of a comparison: each hazard ratio, and the test of all levels."""
    lines = [
        f"HR {words.level(r['factor_level'])} vs {words.level(reference)}: {number(r['hr'], 2)} "
        f"(95 % CI {interval(r['lower'], r['upper'], 2)})"
        for r in tested
        if r["hr"] is not None and reference is not None
    ]
    p = next((r["p"] for r in tested if r["p"] is not None), None)
    if p is not None:
        lines.append(f"log-rank {printed_p(p)}, unadjusted")
    return tuple(lines)


def printed_p(p: float) -> str:
    """A p-value with its sign: `p = 0.017`, `p < 0.0001`."""
    return signed_p(p_value(p))


def _numbers(medians: list[Record]) -> Iterator[Number]:
    for r in (m for m in medians if m["statistic_id"]):
        for name in ("n", "events"):
            yield Number(r["statistic_id"], name, str(r[name]))
        for name in ("median_months", "lower", "upper"):
            if r[name] is not None:
                yield Number(r["statistic_id"], name, number(r[name]))


def _test_numbers(tested: list[Record]) -> Iterator[Number]:
    for r in (t for t in tested if t["statistic_id"]):
        if r["hr"] is not None:
            for name in ("hr", "lower", "upper"):
                if r[name] is not None:
                    yield Number(r["statistic_id"], name, number(r[name], 2))
            yield Number(r["statistic_id"], "p", p_value(r["p"]))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
