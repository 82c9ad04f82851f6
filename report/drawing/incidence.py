"""Cumulative incidence of each cause from zero, with the numbers at risk under their ticks."""

from report.drawing.axis import SMALL, TEXT, Scale, month_step, months, ordinate
from report.drawing.canvas import Canvas
from report.drawing.colours import CURVES, DASHES, INK
from report.drawing.curves import LEFT, PERCENTS, RIGHT, curve
from report.drawing.fonts import width, wrapped
from report.figures.incidence import Incidence
from report.figures.survival import SINCE


def draw(model: Incidence, wide: float) -> Canvas:
    """Draw the curves on a sheet so many points wide."""
    canvas = Canvas(wide)
    narrow = wide < 300
    line = 9.0
    for place, cause in enumerate(model.curves):
        canvas.line([(8, line - 2.5), (29, line - 2.5)], CURVES[place], 1.6, DASHES[place])
        for text in wrapped(f"{cause.name}: {cause.events} of {cause.n}", TEXT, wide - 40):
            canvas.text(34, line, text, TEXT)
            line += 9.5
    names = ("At risk", *(c.name for c in model.curves), "Censored")
    longest = max(width(name, SMALL) for name in names) + 12
    left = 40.0 if narrow else max(LEFT, longest)
    x = Scale(0, model.end, left, wide - RIGHT)
    y = Scale(0, 100, line + (143 if narrow else 183), line + 3)
    ordinate(canvas, y, x.start, x.end, PERCENTS)
    canvas.text(left - 26, (y.start + y.end) / 2, model.axis, TEXT, "center", turned=True)
    for place, cause in enumerate(model.curves):
        curve(canvas, cause, x, y, place, start=0.0)
    step = month_step(model.end, x.end - x.start, 44)
    below = months(canvas, x, y.start, step, SINCE)
    _left(canvas, model, x, step, below + 8, own_line=narrow)
    return canvas


def _left(
    canvas: Canvas, model: Incidence, x: Scale, step: int, top: float, *, own_line: bool
) -> None:
    """One line for who is at risk, one for each cause, one for who was censored."""
    shown = [row for row in model.left if row.months % step == 0]
    lines = [("At risk", INK, [r.at_risk for r in shown])]
    for place, cause in enumerate(model.curves):
        lines.append((cause.name, CURVES[place], [r.by_cause[place] for r in shown]))
    lines.append(("Censored", INK, [r.censored for r in shown]))
    line = top
    for name, colour, numbers in lines:
        canvas.text(4, line, name, SMALL, colour=colour, weight=400)
        line += 8.5 if own_line else 0
        for row, count in zip(shown, numbers, strict=True):
            canvas.text(x(row.months), line, str(count), SMALL, "center")
        line += 9
