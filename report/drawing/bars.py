"""Bars of worst grades and of best responses, and boxes of values over time, with numbers."""

import math

from report.drawing.axis import SMALL, TEXT, Scale, ordinate
from report.drawing.canvas import Canvas, corners
from report.drawing.colours import (
    CURVES,
    GRADES,
    GRID,
    INK,
    ON_DARK,
    ON_GRADE,
    ON_LIGHT,
    RESPONSES,
)
from report.drawing.fonts import width, wrapped
from report.figures.classes import Bar, Classes
from report.figures.source import DAYS_PER_MONTH, number
from report.figures.toxicity import Boxes, Panel, Term, Toxicity

ROW = 14.0
HIGH = 14.0
LETTERS = {"CR": ON_DARK}
"""Numbers are dark on every class but this."""


def grades(model: Toxicity, wide: float) -> Canvas:
    """Draw the bars on a sheet so many points wide."""
    canvas = Canvas(wide)
    narrow = wide < 300
    names = [t.name for _, terms in model.groups for t in terms]
    longest = max((width(n, TEXT) for n in names), default=0)
    start = min(longest + 12, wide * (0.34 if narrow else 0.3))
    columns = (wide - 48, wide - 4) if narrow else (wide - 84, wide - 6)
    x = Scale(0, 100, start, columns[0] - (44 if narrow else 52))
    top = _legend(canvas) + 6
    line = top + 10
    canvas.text(columns[0], line, "any" if narrow else "any grade", SMALL, "right", weight=700)
    canvas.text(columns[1], line, "≥ 3" if narrow else "grade ≥ 3", SMALL, "right", weight=700)
    shown = [(name, terms) for name, terms in model.groups if terms]
    for name, terms in shown:
        canvas.text(4, line, name, TEXT, weight=700)
        line += 4
        for term in terms:
            line = _row(canvas, term, x, line, columns)
        line += 11
    _axis(canvas, x, top + 4, line - 7, model.axis)
    return canvas


def _row(canvas: Canvas, term: Term, x: Scale, line: float, columns: tuple[float, float]) -> float:
    lines = wrapped(term.name, TEXT, x.start - 10)
    high = max(ROW, 8.5 * len(lines) + 4)
    middle = line + high / 2
    for number_of, text in enumerate(lines):
        at = middle + 2.6 + 8.5 * (number_of - (len(lines) - 1) / 2)
        canvas.text(x.start - 5, at, text, TEXT, "right")
    done = 0
    for grade, n in enumerate(term.grades):
        if n:
            low, high_end = (x(100 * k / term.assessed) for k in (done, done + n))
            canvas.areas([corners(low, middle - 5, high_end, middle + 5)], GRADES[grade], INK, 0.4)
            if width(str(n), SMALL) < high_end - low - 1:
                place = (low + high_end) / 2
                canvas.text(place, middle + 2.4, str(n), SMALL, "center", ON_GRADE[grade])
            done += n
    cells = ((term.any_grade, term.any_pct), (term.severe, term.severe_pct))
    for place, (n, pct) in zip(columns, cells, strict=True):
        said = "" if n is None else f"{n} ({number(pct)} %)"
        canvas.text(place, middle + 2.4, said, SMALL, "right")
    return line + high


def _legend(canvas: Canvas) -> float:
    left, line = 8.0, 9.0
    for grade, colour in enumerate(GRADES, 1):
        canvas.rectangle(left, line - 6, left + 9, line + 0.5, colour, INK, 0.4)
        left += 12 + canvas.text(left + 12, line, f"grade {grade}", SMALL) + 9
    return line


def _axis(canvas: Canvas, x: Scale, top: float, base: float, name: str) -> None:
    canvas.line([(x.start, top + 8), (x.start, base), (x.end, base)])
    canvas.segments([((x(t), base), (x(t), base + 3)) for t in range(0, 101, 25)], INK, 0.8)
    canvas.segments([((x(100), top + 8), (x(100), base))], GRID, 0.5)
    for tick in range(0, 101, 25):
        canvas.text(x(tick), base + 11, str(tick), SMALL, "center")
    line = base + 21
    for text in wrapped(name, SMALL, max(x.end - x.start, 150)):
        middle = max((x.start + x.end) / 2, width(text, SMALL) / 2 + 4)
        canvas.text(middle, line, text, SMALL, "center")
        line += 9


def classes(model: Classes, wide: float) -> Canvas:
    """Draw the bars on a sheet so many points wide."""
    canvas = Canvas(wide)
    x = Scale(0, 100, 8, wide - 12)
    line = _responses(canvas) + 14
    top = line - 8
    for bar in model.bars:
        line = _class(canvas, bar, x, line)
    canvas.line([(x.start, top), (x.start, line), (x.end, line)])
    canvas.segments([((x(t), line), (x(t), line + 3)) for t in range(0, 101, 25)], INK, 0.8)
    canvas.segments([((x(100), top), (x(100), line))], GRID, 0.5)
    for tick in range(0, 101, 25):
        canvas.text(x(tick), line + 11, str(tick), SMALL, "center")
    canvas.text((x.start + x.end) / 2, line + 21, model.axis, SMALL, "center")
    return canvas


def _class(canvas: Canvas, bar: Bar, x: Scale, line: float) -> float:
    said = f"{bar.name}: {bar.rate}" if bar.name else bar.rate
    for text in wrapped(said, TEXT, x.end - x.start - 6):
        canvas.text(x.start + 4, line, text, TEXT)
        line += 9
    line -= 4
    done = 0
    for code, n in bar.counts:
        if not n:
            continue
        low, high = (x(100 * k / bar.total) for k in (done, done + n))
        canvas.areas([corners(low, line, high, line + HIGH)], RESPONSES[code], INK, 0.4)
        label = f"{code} {n}" if width(f"{code} {n}", SMALL) < high - low - 2 else str(n)
        if width(label, SMALL) < high - low - 1:
            place = (low + high) / 2
            colour = LETTERS.get(code, ON_LIGHT)
            canvas.text(place, line + HIGH / 2 + 2.4, label, SMALL, "center", colour)
        done += n
    return line + HIGH + 13


def _responses(canvas: Canvas) -> float:
    left, line = 8.0, 9.0
    for code, colour in RESPONSES.items():
        canvas.rectangle(left, line - 6, left + 9, line + 0.5, colour, INK, 0.4)
        left += 12 + canvas.text(left + 12, line, code, SMALL) + 9
    return line


PANEL_HIGH, PANEL_GAP = 86.0, 44.0
LEAST_WIDE = 150.0


def boxes(model: Boxes, wide: float) -> Canvas:
    """Draw the panels in rows on a sheet so many points wide."""
    canvas = Canvas(wide)
    columns = max(1, int(wide // LEAST_WIDE))
    each = wide / columns
    for place, panel in enumerate(model.panels):
        left = (place % columns) * each
        top = 10 + (place // columns) * (PANEL_HIGH + PANEL_GAP)
        _panel(canvas, panel, left, left + each, top)
    rows = -(-len(model.panels) // columns)
    base = 10 + rows * (PANEL_HIGH + PANEL_GAP) - 6
    canvas.text(wide / 2, base, "months after the first treatment", TEXT, "center")
    return canvas


def _panel(canvas: Canvas, panel: Panel, left: float, right: float, top: float) -> None:
    """One analyte: its boxes at their time points, with the patients below."""
    canvas.text(left + 4, top, panel.name, TEXT, weight=700)
    ticks = _ticks(min(b.q1 for b in panel.boxes), max(b.q3 for b in panel.boxes))
    inner = left + 8 + max(width(f"{t:g}".replace("-", "−"), TEXT) for t in ticks)
    y = Scale(ticks[0], ticks[-1], top + PANEL_HIGH - 6, top + 8)
    ordinate(canvas, y, inner, right - 6, ticks)
    step = (right - 6 - inner) / len(panel.boxes)
    half = min(9.0, step * 0.3)
    middles = [inner + (n + 0.5) * step for n in range(len(panel.boxes))]
    medians = [(x, y(b.median)) for x, b in zip(middles, panel.boxes, strict=True)]
    canvas.line(medians, CURVES[0], 0.8, (1.5, 1.5))
    shapes = [
        corners(x - half, y(b.q3), x + half, y(b.q1))
        for x, b in zip(middles, panel.boxes, strict=True)
    ]
    canvas.areas(shapes, GRID, INK, 0.6)
    canvas.segments([((x - half, at), (x + half, at)) for x, at in medians], CURVES[0], 1.6)
    for x, b in zip(middles, panel.boxes, strict=True):
        month = f"{b.at_days / DAYS_PER_MONTH:.0f}"
        canvas.text(x, top + PANEL_HIGH + 4, month, SMALL, "center")
        canvas.text(x, top + PANEL_HIGH + 13, str(b.n), SMALL, "center")
    canvas.text(inner - 4, top + PANEL_HIGH + 13, "n", SMALL, "right")


def _ticks(least: float, most: float) -> list[float]:
    """Two to six round numbers that hold both ends."""
    span = (most - least) or abs(most) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(power * m for m in (1, 2, 5, 10) if span / (power * m) <= 4)
    first, last = math.floor(least / step), math.ceil(most / step)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]
