"""Bars of best responses, one a group, with the response rate in words above each."""

from report.drawing.axis import SMALL, TEXT, Scale
from report.drawing.canvas import Canvas, corners
from report.drawing.colours import GRID, INK, ON_DARK, ON_LIGHT, RESPONSES
from report.drawing.fonts import width, wrapped
from report.figures.classes import Bar, Classes

HIGH = 14.0
LETTERS = {"CR": ON_DARK}
"""Numbers are dark on every class but this."""


def draw(model: Classes, wide: float) -> Canvas:
    """Draw the bars on a sheet so many points wide."""
    canvas = Canvas(wide)
    x = Scale(0, 100, 8, wide - 12)
    line = _legend(canvas) + 14
    top = line - 8
    for bar in model.bars:
        line = _bar(canvas, bar, x, line)
    canvas.line([(x.start, top), (x.start, line), (x.end, line)])
    canvas.segments([((x(t), line), (x(t), line + 3)) for t in range(0, 101, 25)], INK, 0.8)
    canvas.segments([((x(100), top), (x(100), line))], GRID, 0.5)
    for tick in range(0, 101, 25):
        canvas.text(x(tick), line + 11, str(tick), SMALL, "center")
    canvas.text((x.start + x.end) / 2, line + 21, model.axis, SMALL, "center")
    return canvas


def _bar(canvas: Canvas, bar: Bar, x: Scale, line: float) -> float:
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


def _legend(canvas: Canvas) -> float:
    left, line = 8.0, 9.0
    for code, colour in RESPONSES.items():
        canvas.rectangle(left, line - 6, left + 9, line + 0.5, colour, INK, 0.4)
        left += 12 + canvas.text(left + 12, line, code, SMALL) + 9
    return line
