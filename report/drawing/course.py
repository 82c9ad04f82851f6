"""Swimmer and spider: the course of each patient over the months."""

from collections import defaultdict

from report.drawing.axis import TEXT, Scale, month_step, months, ordinate
from report.drawing.canvas import Canvas, Point, corners
from report.drawing.colours import CURVES, GRID, INK, LINES, PAPER, RESPONSES
from report.drawing.fonts import width
from report.figures.course import MOST_LINES, Line, Spider, Swimmer
from report.figures.survival import SINCE

SIGNS = (
    ("session", "⁹⁰Y treatment"),
    ("progression", "progression"),
    ("therapy", "next therapy"),
    ("death", "death"),
    ("alive", "alive at last contact"),
)
DASH_OF = {"CR": (), "PR": (), "SD": (4.0, 1.8), "PD": (1.2, 1.4), "NE": (6.0, 1.5, 1.2, 1.5)}


def swimmer(model: Swimmer, wide: float) -> Canvas:
    """Draw a lane for each patient on a sheet so many points wide."""
    canvas = Canvas(wide)
    top = _legend(canvas) + 6
    high = 11.0 if len(model.lanes) <= 40 else 8.0
    x = Scale(0, model.end, 10, wide - 12)
    states: dict[str, list[list[Point]]] = defaultdict(list)
    bars: list[list[Point]] = []
    for number, lane in enumerate(model.lanes):
        up, low = top + number * high + 1.5, top + (number + 1) * high - 1.5
        bars.append(corners(x(0), up, x(lane.end), low))
        for state in lane.states:
            states[state.response].append(corners(x(state.start), up, x(state.end), low))
    canvas.areas(bars, GRID)
    for code, shapes in sorted(states.items()):
        canvas.areas(shapes, RESPONSES[code], INK, 0.3)
    _signs(canvas, model, x, top, high)
    base = top + len(model.lanes) * high + 2
    months(canvas, x, base, month_step(model.end, x.end - x.start, 34), SINCE)
    return canvas


def _signs(canvas: Canvas, model: Swimmer, x: Scale, top: float, high: float) -> None:
    for number, lane in enumerate(model.lanes):
        y = top + (number + 0.5) * high
        for session in lane.sessions:
            _sign(canvas, "session", x(session), y)
        if lane.next_therapy is not None:
            _sign(canvas, "therapy", x(lane.next_therapy), y)
        if lane.progression is not None:
            _sign(canvas, "progression", x(lane.progression), y)
        if lane.died:
            _sign(canvas, "death", x(lane.end), y)
        elif not lane.lost:
            _sign(canvas, "alive", x(lane.end), y)


def _sign(canvas: Canvas, name: str, x: float, y: float) -> None:
    """Draw one sign; each has a shape of its own."""
    r = 2.6
    if name == "session":
        canvas.areas([[(x - r, y + r), (x + r, y + r), (x, y - r)]], INK)
    elif name == "progression":
        cross = [((x - r, y - r), (x + r, y + r)), ((x - r, y + r), (x + r, y - r))]
        canvas.segments(cross, INK, 2.6)
        canvas.segments(cross, RESPONSES["PD"], 1.5)
    elif name == "therapy":
        canvas.areas([corners(x - r, y - r, x + r, y + r)], PAPER, CURVES[3], 1.1)
    elif name == "death":
        canvas.areas([[(x - r, y), (x, y - r), (x + r, y), (x, y + r)]], INK)
    else:
        canvas.areas([[(x, y - r), (x + 1.6 * r, y), (x, y + r)]], PAPER, INK, 0.9)


def _legend(canvas: Canvas) -> float:
    """Name colours and signs, in as many lines as they need."""
    left, line = 8.0, 9.0
    entries = [(code, code) for code in ("CR", "PR", "SD")]
    entries += [("not", "alive, not assessed"), *SIGNS]
    for kind, said in entries:
        if left + 16 + width(said, TEXT) > canvas.width - 4:
            left, line = 8.0, line + 10.5
        if kind in RESPONSES or kind == "not":
            fill = RESPONSES.get(kind, GRID)
            canvas.rectangle(left, line - 6, left + 9, line + 0.5, fill, INK, 0.3)
        else:
            _sign(canvas, kind, left + 4, line - 2.6)
        left += 13 + canvas.text(left + 13, line, said, TEXT) + 12
    return line


def spider(model: Spider, wide: float) -> Canvas:
    """Draw a line for each patient on a sheet so many points wide."""
    canvas = Canvas(wide)
    apart = len(model.lines) > MOST_LINES
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in model.lines:
        groups[line.response].append(line)
    order = [code for code in RESPONSES if code in groups]
    if not apart:
        _changes(canvas, model, [(code, groups[code]) for code in order], 0.0, wide, 0.0)
        return canvas
    across = 1 if wide < 300 else 2
    for place, code in enumerate(order):
        left, top = wide / across * (place % across), 225.0 * (place // across)
        _changes(canvas, model, [(code, groups[code])], left, wide / across, top)
    return canvas


def _changes(
    canvas: Canvas,
    model: Spider,
    groups: list[tuple[str, list[Line]]],
    left: float,
    room: float,
    top: float,
) -> None:
    x = Scale(0, model.end, left + 40, left + room - 14)
    y = Scale(-100, 100, top + 190, top + 18)
    ordinate(canvas, y, x.start, x.end, range(-100, 101, 50))
    canvas.text(left + 11, (y.start + y.end) / 2, model.axis, TEXT, "center", turned=True)
    place, ends = x.start, []
    for code, lines in groups:
        colour = LINES[code]
        canvas.line([(place, top + 6.5), (place + 18, top + 6.5)], colour, 1.3, DASH_OF[code])
        place += 22 + canvas.text(place + 22, top + 9, f"{code} {len(lines)}", TEXT) + 12
        for line in lines:
            points = [(x(m), y(min(c, 100))) for m, c in line.points]
            canvas.line(points, colour, 1.0, DASH_OF[code])
            last = points[-1]
            ends.append(corners(last[0] - 1.1, last[1] - 1.1, last[0] + 1.1, last[1] + 1.1))
    canvas.areas(ends, INK)
    canvas.line([(x.start, y(0)), (x.end, y(0))], INK, 0.6)
    months(canvas, x, y.start, month_step(model.end, x.end - x.start, 34), SINCE)
