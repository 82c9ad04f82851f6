"""The page of a number's history: what was published of it, and what each night would have said."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.summary import rounded
from report.drawing import colours
from report.drawing.axis import TEXT, Scale, ordinate
from report.drawing.canvas import Canvas, corners, millimetres
from report.drawing.draw import NARROW_MM, WIDE_MM
from report.drawing.svg import inline
from report.figures.model import Exhibit, Row, Table
from report.page import Part, rendered, shown

SERIES = (
    ("then_then", "published"),
    ("then_now", "known then, rules now"),
    ("now_cut", "known now, cut at then"),
)
DIGITS = {"%": 1, "months": 1}
ABOUT = (
    "Published: known then, by the rules then. Rules now: the deliveries of the night under "
    "today's settings and site files. Cut at then: today's deliveries up to the night's data "
    "cutoff. Their differences are what separates the published number from today's, and add up "
    "to it: rules, lag and corrections, accrual."
)
REPORTING = (
    "The delay of a death is the time to the first delivery that has it, estimated in reverse time "
    "from the deaths since a site's first delivery. Follow-up: observed of potential person-time "
    "up to the data cutoff (Clark's C)."
)
HEIGHT = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureHistory(Exhibit):
    """Three series over the nights: (night, value) where there is a value."""

    lines: tuple[tuple[str, tuple[tuple[date, float], ...]], ...]


def page(facts: Mapping[str, Any], about: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        facts: what `y90 history --json` says.
        about: registry, release and data cutoff; and `synthetic`, empty for real patients.
    """
    unit, nights = facts["unit"], facts["nights"]
    exhibits = [
        shown(figure(facts), pictures),
        shown(_table(nights, unit)),
    ]
    parts = [
        Part("history", "What was published, and what was known", ABOUT, tuple(exhibits), ()),
        Part("reporting", "How fast deaths are reported", REPORTING, (shown(_sites(facts)),), ()),
    ]
    lead = f"{facts['label']} ({unit}) · {facts['statistic_id']} · newest release {facts['newest']}"
    footer = "Made from the releases of the store; y90 history --json says it unrounded."
    return rendered(about, parts, lead=lead, footer=footer, title=f"History of {facts['label']}")


def figure(facts: Mapping[str, Any]) -> FigureHistory:
    """The three series as a figure; empty where no night has a number."""
    lines = tuple(
        (
            words,
            tuple(
                (n["night"], n[name]["value"])
                for n in facts["nights"]
                if n[name] and n[name]["value"] is not None
            ),
        )
        for name, words in SERIES
    )
    last = [f"{words} {points[-1][1]:.4g}" for words, points in lines if points]
    return FigureHistory(
        id="figure-history",
        title=facts["label"],
        description=f"At the last night: {', '.join(last)}.",
        n=len(facts["nights"]),
        lines=lines,
        empty="" if last else "No night has a value of this number.",
    )


def pictures(model: FigureHistory) -> tuple[str, str]:
    """Return the wide and the narrow drawing as SVG."""
    wide, narrow = (
        inline(draw(model, millimetres(mm)), model.title, model.description)
        for mm in (WIDE_MM, NARROW_MM)
    )
    return wide, narrow


def draw(model: FigureHistory, wide: float) -> Canvas:
    """Draw the series as steps: a number stands from its night to the next."""
    canvas = Canvas(wide)
    values = [v for _, points in model.lines for _, v in points]
    days = sorted({d for _, points in model.lines for d, _ in points})
    line = _legend(canvas, model, wide)
    ticks = _ladder(values)
    y = Scale(ticks[0], ticks[-1], line + HEIGHT, line + 12)
    left = max(24, 12 + max(len(f"{t:g}") for t in ticks) * 4.6)
    first, last = days[0].toordinal(), max(days[-1].toordinal(), days[0].toordinal() + 1)
    x = Scale(first, last, left, wide - 30)
    ordinate(canvas, y, x.start, x.end, ticks)
    canvas.line([(x.start, y.start), (x.end, y.start)])
    for day in _ticks(days, x):
        canvas.line([(x(day.toordinal()), y.start), (x(day.toordinal()), y.start + 3)])
        canvas.text(x(day.toordinal()), y.start + 11, day.isoformat(), TEXT, "center")
    for place, (_, points) in enumerate(model.lines):
        _series(canvas, points, x, y, place)
    return canvas


def _legend(canvas: Canvas, model: FigureHistory, wide: float) -> float:
    """Name the lines, one below the other where they do not stand beside each other."""
    place, line = 0.0, 9.0
    for number, (words, _) in enumerate(model.lines):
        if place and place + 24 + len(words) * 4 > wide:
            place, line = 0.0, line + 11
        dash = colours.DASHES[number]
        canvas.line(
            [(place, line - 2.5), (place + 18, line - 2.5)], colours.CURVES[number], 1.3, dash
        )
        place += 22 + canvas.text(place + 22, line, words, TEXT) + 14
    return line


def _series(
    canvas: Canvas, points: Sequence[tuple[date, float]], x: Scale, y: Scale, place: int
) -> None:
    steps: list[tuple[float, float]] = []
    for day, value in points:
        at = x(day.toordinal())
        steps += [(at, steps[-1][1])] if steps else []
        steps.append((at, y(value)))
    if len(steps) > 1:
        canvas.line(steps, colours.CURVES[place], 1.3, colours.DASHES[place])
    marks = [(x(d.toordinal()), y(v)) for d, v in points]
    canvas.areas(
        [corners(a - 1.4, b - 1.4, a + 1.4, b + 1.4) for a, b in marks], colours.CURVES[place]
    )


def _ladder(values: Sequence[float]) -> list[float]:
    """At most seven round numbers that enclose the values, apart even where these are alike."""
    least, most = min(values), max(values)
    room = (most - least) or abs(most) or 1.0
    power = 10.0 ** math.floor(math.log10(room / 5))
    step = next(power * m for m in (1, 2, 5, 10) if room / (power * m) <= 5)
    low, high = math.floor(least / step), math.ceil(most / step)
    return [n * step for n in range(low, max(high, low + 1) + 1)]


def _ticks(days: Sequence[date], x: Scale) -> list[date]:
    """Nights that are named below the axis, so that no name runs into another."""
    named: list[date] = []
    for day in (days[-1], *days):
        if all(abs(x(day.toordinal()) - x(n.toordinal())) >= 48 for n in named):
            named.append(day)
    return named


def _table(nights: Sequence[Mapping[str, Any]], unit: str) -> Table:
    digits = DIGITS.get(unit, 3)
    return Table(
        id="nights",
        title="Every release, and what separates it from the number of today",
        columns=("release", *(words for _, words in SERIES), "rules", "lag", "accrual",
                 "known then", "why not"),
        rows=tuple(_row(n, digits) for n in reversed(nights)),
    )  # fmt: skip


def _row(night: Mapping[str, Any], digits: int) -> Row:
    held = "" if night["status"] == "published" else f" ({night['status']})"
    share = "" if night["known"] is None else f"{rounded(100 * night['known'], 0)} %"
    immature = " immature" if night["immature"] else ""
    notes = [*night["reasons"]]
    if night["undated_edits"]:
        notes.append(f"{night['undated_edits']} undated cells edited since")
    return Row(
        (
            night["release"] + held,
            *(_value(night[name], digits) for name, _ in SERIES),
            *(_part(night[name], digits) for name in ("rules", "lag", "accrual")),
            share + immature,
            "; ".join(notes),
        )
    )


def _value(answer: Mapping[str, Any] | None, digits: int) -> str:
    if answer is None:
        return "-"
    value = answer["value"]
    return "not reached" if value is None else rounded(value, digits).replace("-", "−")


def _part(part: float | None, digits: int) -> str:
    if part is None:
        return "-"
    if not part:
        return "0"
    sign = "+" if part > 0 else "−"
    return sign + rounded(abs(part), digits + 1)


def _sites(facts: Mapping[str, Any]) -> Table:
    names = ("site", "deliveries", "deaths", "with a delay", "half within", "90 % within",
             "follow-up")  # fmt: skip
    return Table(
        id="sites",
        title="Reporting of deaths by site",
        columns=names,
        rows=tuple(
            Row(
                (
                    s["site_id"],
                    str(s["deliveries"]),
                    str(s["deaths"]),
                    str(s["delays_seen"]),
                    *(f"{s[n]} days" if s[n] is not None else "-" for n in _DAYS),
                    "-"
                    if s["completeness"] is None
                    else f"{rounded(100 * s['completeness'], 1)} %",
                )
            )
            for s in facts["sites"]
        ),
    )


_DAYS = ("median_days", "most_days")
