"""Kaplan-Meier curves with bands, ticks and medians, and the numbers at risk under their ticks."""

from itertools import pairwise

from report.drawing.axis import SMALL, TEXT, Scale, month_step, months, ordinate
from report.drawing.canvas import Canvas, Point
from report.drawing.colours import CURVES, DASHES, GRID, INK, SOFT
from report.drawing.fonts import width, wrapped
from report.figures.survival import Curve, Curves

TOGETHER = len(CURVES)
"""Most curves on one pair of axes; more are drawn one beside the other."""
LEFT, RIGHT = 62.0, 12.0
PERCENTS = (0, 25, 50, 75, 100)


def draw(model: Curves, wide: float) -> Canvas:
    """Draw the curves on a sheet so many points wide."""
    canvas = Canvas(wide)
    if len(model.curves) > TOGETHER:
        _beside(canvas, model)
        return canvas
    top = _heading(canvas, model)
    narrow = wide < 300
    left = 40.0 if narrow else LEFT
    x = Scale(0, model.end, left, wide - RIGHT)
    y = Scale(0, 100, top + (150 if narrow else 190), top)
    ordinate(canvas, y, x.start, x.end, PERCENTS)
    canvas.text(left - 26, (y.start + y.end) / 2, model.axis, TEXT, "center", turned=True)
    for place, own in enumerate(model.curves):
        curve(canvas, own, x, y, place)
    _medians(canvas, model, x, y)
    step = month_step(model.end, x.end - x.start, 44 if narrow else 46)
    below = months(canvas, x, y.start, step, model.since)
    (_risk_narrow if narrow else _risk)(canvas, model, x, step, below + 8)
    return canvas


def _heading(canvas: Canvas, model: Curves) -> float:
    """Name, counts and median of each curve, and the comparison; nothing stands over a curve."""
    line, left = 9.0, 34.0
    room = canvas.width - left - 4
    for place, curve in enumerate(model.curves):
        name = f"{curve.name}: " if curve.name else ""
        verb = "died" if model.happened == "Died" else "with an event"
        said = f"{name}{curve.events} of {curve.n} {verb}; median {curve.printed}"
        canvas.line([(8, line - 2.5), (29, line - 2.5)], CURVES[place], 1.6, DASHES[place])
        for text in wrapped(said, TEXT, room):
            canvas.text(left, line, text, TEXT)
            line += 9.5
    if any(curve.censored for curve in model.curves):
        canvas.line([(18.5, line - 5.5), (18.5, line + 0.5)], INK, 0.9)
        canvas.text(left, line, "censored", TEXT)
        line += 9.5
    for said in ["; ".join(model.compared)] if model.compared else []:
        for text in wrapped(said, TEXT, canvas.width - 12):
            canvas.text(8, line, text, TEXT)
            line += 9.5
    return line + 3


def curve(canvas: Canvas, own: Curve, x: Scale, y: Scale, place: int, start: float = 1.0) -> None:
    """Draw one curve with its band and its censoring; it begins at 1, or at 0 where it rises."""
    colour = CURVES[place]
    band = _band(own, x, y)
    if band:
        canvas.areas([band], colour, within=0.13)
    canvas.line(_steps(own, x, y, start), colour, 1.5, DASHES[place])
    canvas.segments(
        [((x(m), y(100 * s) - 3), (x(m), y(100 * s) + 3)) for m, s in own.censored], colour, 0.9
    )


def _steps(curve: Curve, x: Scale, y: Scale, start: float = 1.0) -> list[Point]:
    """The corners of a curve: level up to each time, then down, or up."""
    corners, level = [(x(0), y(100 * start))], y(100 * start)
    for point in curve.points:
        below = y(100 * point.survival)
        if below != level:
            corners += [(x(point.months), level), (x(point.months), below)]
            level = below
    return [*corners, (x(curve.points[-1].months), level)]


def _band(curve: Curve, x: Scale, y: Scale) -> list[Point]:
    """The outline of the interval: along its upper border, and back along the lower one."""
    known = [p for p in curve.points if p.lower is not None and p.upper is not None]
    over: list[Point] = []
    under: list[Point] = []
    last: tuple[float, float] | None = None
    for point, after in pairwise([*known, curve.points[-1]]):
        borders = (100 * (point.upper or 0), 100 * (point.lower or 0))
        if borders == last:
            over[-1] = (x(after.months), over[-1][1])
            under[-1] = (x(after.months), under[-1][1])
            continue
        last = borders
        over += [(x(m), y(borders[0])) for m in (point.months, after.months)]
        under += [(x(m), y(borders[1])) for m in (point.months, after.months)]
    return [*over, *reversed(under)] if len(over) > 1 else []


def _medians(canvas: Canvas, model: Curves, x: Scale, y: Scale) -> None:
    reached = [c.median for c in model.curves if c.median is not None and c.median <= model.end]
    if reached:
        canvas.line([(x.start, y(50)), (x(max(reached)), y(50))], SOFT, 0.7, (1.6, 1.6))
    for median in reached:
        canvas.line([(x(median), y(50)), (x(median), y(0))], SOFT, 0.7, (1.6, 1.6))


def _risk(canvas: Canvas, model: Curves, x: Scale, step: int, top: float) -> None:
    """Three lines a curve: at risk, events and censored, each number below its tick."""
    line = top
    for place, curve in enumerate(model.curves):
        shown = [r for r in curve.risk if r.months % step == 0]
        if curve.name:
            canvas.text(4, line, curve.name, SMALL, colour=CURVES[place], weight=700)
            line += 9
        rows = (
            ("At risk", [r.at_risk for r in shown]),
            (model.happened, [r.events for r in shown]),
            ("Censored", [r.censored for r in shown]),
        )
        for name, numbers in rows:
            canvas.text(8, line, name, SMALL)
            for risk, number in zip(shown, numbers, strict=True):
                canvas.text(x(risk.months), line, str(number), SMALL, "center")
            line += 9
        line += 1


def _risk_narrow(canvas: Canvas, model: Curves, x: Scale, step: int, top: float) -> None:
    """One line a curve, as `25 (3)`: at risk, and events so far."""
    after = "died" if model.happened == "Died" else "events"
    canvas.text(4, top, f"At risk ({after} so far)", SMALL, weight=700)
    line = top + 9.5
    for place, curve in enumerate(model.curves):
        name = curve.name or "all"
        colour = CURVES[place]
        if width(name, SMALL, 700) > x.start - 14:
            canvas.text(4, line, name, SMALL, colour=colour, weight=700)
            line += 9
        else:
            canvas.text(4, line, name, SMALL, colour=colour, weight=700)
        for risk in (r for r in curve.risk if r.months % step == 0):
            said = f"{risk.at_risk} ({risk.events})"
            canvas.text(x(risk.months), line, said, SMALL, "center")
        line += 9.5


def _beside(canvas: Canvas, model: Curves) -> None:
    """Small multiples: each curve alone, before the others in grey."""
    across = 1 if canvas.width < 300 else 3
    room = canvas.width / across
    line = 9.0
    said = (f"{len(model.curves)} levels, one picture each; the others in grey.", *model.compared)
    for text in (t for s in said for t in wrapped(s, TEXT, canvas.width - 12)):
        canvas.text(8, line, text, TEXT)
        line += 9.5
    for place, own in enumerate(model.curves):
        left = room * (place % across)
        top = line + 8 + 150 * (place // across)
        _small(canvas, model, own, left, top, room)


def _small(canvas: Canvas, model: Curves, own: Curve, left: float, top: float, room: float) -> None:
    x = Scale(0, model.end, left + 26, left + room - 10)
    y = Scale(0, 100, top + 110, top + 22)
    verb = "died" if model.happened == "Died" else "with an event"
    name = wrapped(own.name, TEXT, room - 10, 700)[0]
    canvas.text(left + 4, top + 4, name, TEXT, weight=700)
    canvas.text(left + 4, top + 13, f"{own.events} of {own.n} {verb}", SMALL)
    ordinate(canvas, y, x.start, x.end, (0, 50, 100))
    for other in model.curves:
        if other is not own:
            canvas.line(_steps(other, x, y), GRID, 0.8)
    curve(canvas, own, x, y, 0)
    step = month_step(model.end, x.end - x.start, 30)
    months(canvas, x, y.start, step, "Months")
