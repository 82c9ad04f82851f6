"""A forest of registries, and a curve with what its bins leave open."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from report.drawing.axis import SMALL, TEXT, Scale, month_step, months, ordinate
from report.drawing.canvas import Canvas, corners
from report.drawing.colours import CURVES, GRID, INK, SOFT

WIDE = 460.0
ROW = 13.0


@dataclass(frozen=True, slots=True)
class Line:
    """A registry, or all of them: its number and limits as drawn, and in words."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    told: str
    together: bool = False


@dataclass(frozen=True, slots=True)
class Forest:
    """Lines on one axis; `logarithmic` for ratios."""

    lines: tuple[Line, ...]
    unit: str
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """The limits of a curve at the end of a month, in percent."""

    months: int
    least: float
    greatest: float


def forest(model: Forest) -> Canvas:
    """Draw each registry, and all together as a diamond; who told nothing is written so."""
    canvas = Canvas(WIDE)
    numbers = [n for line in model.lines for n in (line.value, line.lower, line.upper)
               if n is not None]  # fmt: skip
    if not numbers:
        canvas.text(4, 10, "No registry told it.", TEXT)
        return canvas
    place: Callable[[float], float] = math.log if model.logarithmic else float
    low, high = place(min(numbers)), place(max(numbers))
    room = (high - low or 1.0) * 0.06
    x = Scale(low - room, high + room, 130, WIDE - 130)
    top = 4.0
    if model.logarithmic and low < 0 < high:
        canvas.line([(x(0), top), (x(0), top + ROW * len(model.lines))], GRID, 0.8)
    for line in model.lines:
        middle = top + ROW / 2
        canvas.text(4, middle + 3, line.name, TEXT)
        canvas.text(WIDE - 4, middle + 3, line.told, SMALL, "right", SOFT)
        _estimate(canvas, line, x, middle, place)
        top += ROW
    canvas.line([(x.start, top + 2), (x.end, top + 2)], INK, 0.8)
    for tick in _ticks(low, high, logarithmic=model.logarithmic):
        at = x(place(tick))
        canvas.line([(at, top + 2), (at, top + 5)], INK, 0.8)
        canvas.text(at, top + 13, f"{tick:g}", SMALL, "center")
    canvas.text((x.start + x.end) / 2, top + 24, model.unit, SMALL, "center", SOFT)
    return canvas


def _estimate(
    canvas: Canvas, line: Line, x: Scale, middle: float, place: Callable[[float], float]
) -> None:
    colour = INK if line.together else CURVES[0]
    if line.lower is not None and line.upper is not None:
        ends = [(x(place(line.lower)), middle), (x(place(line.upper)), middle)]
        canvas.line(ends, colour, 1.1)
    if line.value is not None:
        at, half = x(place(line.value)), 3.4 if line.together else 2.4
        if line.together:
            diamond = [(at - half, middle), (at, middle - half), (at + half, middle)]
            canvas.areas([[*diamond, (at, middle + half)]], colour)
        else:
            canvas.rectangle(at - half, middle - half, at + half, middle + half, colour)


def _ticks(low: float, high: float, *, logarithmic: bool) -> list[float]:
    if logarithmic:
        first, last = math.ceil(low / math.log(2)), math.floor(high / math.log(2))
        return [2.0**k for k in range(first, last + 1)][:9]
    step = 10 ** math.floor(math.log10((high - low) or 1.0))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 8)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def curve(edges: Sequence[Edge], since: str) -> Canvas:
    """Draw what the binned counts leave of a curve: a box from each edge to the next."""
    canvas = Canvas(WIDE)
    end = edges[-1].months
    x, y = Scale(0, end, 50, WIDE - 12), Scale(0, 100, 166, 8)
    ordinate(canvas, y, x.start, x.end, (0, 25, 50, 75, 100))
    canvas.text(14, 87, "free of the event, %", TEXT, "center", turned=True)
    canvas.areas(
        (corners(x(a.months), y(a.greatest), x(b.months), y(b.least)) for a, b in pairwise(edges)),
        CURVES[0],
        within=0.75,
    )
    step = month_step(end, x.end - x.start, 46)
    months(canvas, x, y.start, step, since)
    return canvas
