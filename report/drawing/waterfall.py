"""Bars of the best change, the worst first, named by best response."""

from itertools import groupby

from report.drawing.axis import SMALL, TEXT, Scale, ordinate
from report.drawing.canvas import Canvas, corners
from report.drawing.colours import INK, RESPONSES, SOFT
from report.drawing.fonts import width, wrapped
from report.figures.response import Bar, Waterfall
from report.figures.source import number

LEAST_BAR = 3.5
"""Points of a bar below which none has a gap or an outline of its own."""
TOP = 100.0
"""Growth beyond it is cut, and printed."""
SMALL_CHANGE = 1.5


def draw(model: Waterfall, wide: float) -> Canvas:
    """Draw the bars on a sheet so many points wide."""
    canvas = Canvas(wide)
    line = _legend(canvas, model)
    most = max(50.0, *(min(b.change, TOP) for b in model.bars), model.progression + 10)
    x = Scale(0, len(model.bars), 40, wide - (52 if wide > 300 else 44))
    y = Scale(-100, most, line + 190, line + 10)
    ordinate(canvas, y, x.start, x.end, [t for t in range(-100, 101, 25) if t <= most])
    canvas.text(11, (y.start + y.end) / 2, model.axis, TEXT, "center", turned=True)
    _limit(canvas, model.partial, x, y, "PR")
    _limit(canvas, model.progression, x, y, "PD¹")
    _bars(canvas, model, x, y)
    canvas.line([(x.start, y(0)), (x.end, y(0))], INK, 0.8)
    _feet(canvas, model, y.start + 12)
    return canvas


def _legend(canvas: Canvas, model: Waterfall) -> float:
    """Name the classes with their numbers, beside their colour."""
    left, line = 8.0, 9.0
    for code in RESPONSES:
        n = sum(bar.response == code for bar in model.bars)
        if n:
            canvas.rectangle(left, line - 6, left + 9, line + 0.5, RESPONSES[code], INK)
            left += 12 + canvas.text(left + 12, line, f"{code} {n}", TEXT, weight=700) + 14
    if any(bar.new_lesion for bar in model.bars):
        said = "new lesion"
        if left + 20 + width(said, TEXT) > canvas.width:
            left, line = 8.0, line + 10
        _ring(canvas, left + 4, line - 2.5)
        canvas.text(left + 11, line, said, TEXT)
    return line + 4


def _limit(canvas: Canvas, change: float, x: Scale, y: Scale, name: str) -> None:
    sign = "+" if change > 0 else "−"
    canvas.line([(x.start, y(change)), (x.end, y(change))], SOFT, 0.8, (3, 2))
    canvas.text(x.end + 3, y(change) + 2.5, f"{sign}{abs(change):.0f} {name}", SMALL)


def _bars(canvas: Canvas, model: Waterfall, x: Scale, y: Scale) -> None:
    many = x(1) - x(0) < LEAST_BAR
    gap = 0.0 if many else 0.12
    numbered = list(enumerate(model.bars))
    for code, own in groupby(
        sorted(numbered, key=lambda b: b[1].response), lambda b: b[1].response
    ):
        shapes = [
            corners(x(i + gap), y(0), x(i + 1 - gap), y(min(bar.change, TOP))) for i, bar in own
        ]
        canvas.areas(shapes, RESPONSES.get(code, RESPONSES["NE"]), "none" if many else INK, 0.4)
    for i, bar in numbered if not many else ():
        _marks(canvas, bar, x(i + 0.5), y, x(1) - x(0))


def _marks(canvas: Canvas, bar: Bar, middle: float, y: Scale, room: float) -> None:
    """Print what a bar cannot show: a change near nothing, one that is cut, a new lesion."""
    end = y(min(bar.change, TOP))
    said = _beyond(bar.change)
    if said and width(said, SMALL) <= room + 0.5:
        canvas.text(middle, min(end, y(0)) - 2.5, said, SMALL, "center")
    if bar.new_lesion:
        _ring(canvas, middle, (end + 5) if bar.change <= 0 else (y(0) + 5))


def _beyond(change: float) -> str:
    """A change that its bar does not show: cut at the top, or too small to be seen."""
    if change > TOP:
        return f"+{number(change, 0)}"
    return number(change) if abs(change) < SMALL_CHANGE else ""


def _ring(canvas: Canvas, x: float, y: float) -> None:
    ring = [
        (x + 1.9 * a, y + 1.9 * b)
        for a, b in (
            (1, 0),
            (0.71, 0.71),
            (0, 1),
            (-0.71, 0.71),
            (-1, 0),
            (-0.71, -0.71),
            (0, -1),
            (0.71, -0.71),
        )
    ]
    canvas.areas([ring], "none", INK, 0.8)


def _feet(canvas: Canvas, model: Waterfall, line: float) -> None:
    new = sum(bar.new_lesion for bar in model.bars)
    cut = [bar.change for bar in model.bars if bar.change > TOP]
    said = (
        f"{len(model.bars)} of {model.n} {model.unit}s, one bar each; {model.missing} without a "
        "value and not drawn",
        "¹ counted from the nadir, so that a bar below the line can be progression",
        *((f"{new} with a new lesion",) if new else ()),
        *((f"{len(cut)} cut at +100 %, the largest +{number(max(cut), 0)} %",) if cut else ()),
    )
    for sentence in said:
        for text in wrapped(sentence, SMALL, canvas.width - 12):
            canvas.text(canvas.width / 2, line, text, SMALL, "center")
            line += 9
