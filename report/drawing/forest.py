"""Hazard ratios with their intervals on one logarithmic axis, alone above together."""

import math

from report.drawing.axis import SMALL, TEXT, Scale
from report.drawing.canvas import Canvas, corners
from report.drawing.colours import CURVES, INK, SOFT
from report.drawing.fonts import wrapped
from report.figures.prognosis import Estimate, Forest, Line
from report.figures.source import journal

LEAST, MOST = -4, 6
"""Ends of the longest axis, as powers of two; an interval beyond them ends in an arrow."""


def draw(model: Forest, wide: float) -> Canvas:
    """Draw the lines on a sheet so many points wide."""
    canvas = Canvas(wide)
    narrow = wide < 300
    low, high = _powers(model)
    x = Scale(low, high, 14, wide - 14) if narrow else Scale(low, high, 186, wide - 142)
    top = _legend(canvas, narrow)
    line = top + 12
    if not narrow:
        canvas.text(4, line, "factor", SMALL, colour=SOFT)
        canvas.text(116, line, "died/n", SMALL, colour=SOFT)
        canvas.text(wide - 44, line, "HR (95 % CI)", SMALL, "right", SOFT)
        canvas.text(wide - 4, line, "p", SMALL, "right", SOFT)
    line += 6
    for entry in model.lines:
        line = _line(canvas, entry, x, line, narrow)
    _axis(canvas, x, line, low, high)
    return canvas


def _legend(canvas: Canvas, narrow: bool) -> float:
    _mark(canvas, 12, 6.5, alone=True)
    left = 20 + canvas.text(20, 9, "alone", TEXT) + 16
    _mark(canvas, left, 6.5, alone=False)
    canvas.text(left + 8, 9, "together" if narrow else "together with the others", TEXT)
    return 10.0


def _line(canvas: Canvas, entry: Line, x: Scale, top: float, narrow: bool) -> float:
    """Write a level's names, draw both estimates and print them; its lower border is returned."""
    name = f"{entry.factor}: {entry.level}" if entry.level else entry.factor
    if narrow:
        line = top + 8
        for text in wrapped(f"{name}; {entry.counts}" if entry.counts else name, TEXT, x.end - 8):
            canvas.text(4, line, text, TEXT)
            line += 9
        bottom = line
    else:
        lines = wrapped(name, TEXT, 108)
        for number, text in enumerate(lines):
            canvas.text(4, top + 9 + 9 * number, text, TEXT)
        for number, text in enumerate(wrapped(entry.counts, SMALL, 66)):
            canvas.text(116, top + 9 + 9 * number, text, SMALL)
        bottom, line = top + 9 * len(lines) + 6, top + 9
    for estimate, alone in ((entry.alone, True), (entry.together, False)):
        if estimate:
            line = _estimate(canvas, estimate, x, line, alone, narrow)
    if entry.why:
        said = f"together: {entry.why}" if entry.alone else entry.why
        at = 4.0 if narrow else x.start + 2
        for text in wrapped(said, SMALL, canvas.width - at - 4):
            canvas.text(at, line, text, SMALL, colour=SOFT)
            line += 9
    return max(bottom, line - 4) + 5


def _estimate(
    canvas: Canvas, estimate: Estimate, x: Scale, line: float, alone: bool, narrow: bool
) -> float:
    ends = (estimate.lower or 2.0**LEAST, estimate.upper or 2.0**MOST)
    low, mid, high = (x(_power(v)) for v in (ends[0], estimate.ratio, ends[1]))
    said = (
        f"{estimate.printed}; {journal().p} {_signed(estimate.p)}" if narrow else estimate.printed
    )
    if narrow:
        canvas.text(14, line, said, SMALL)
        line += 8.5
    else:
        canvas.text(canvas.width - 44, line, said, SMALL, "right")
        canvas.text(canvas.width - 4, line, estimate.p, SMALL, "right")
    y = line - 2.5
    canvas.line([(x(0), y - 3.5), (x(0), y + 4.5)], SOFT, 0.8, (2, 1.5))
    canvas.line([(low, y), (high, y)], CURVES[0] if alone else CURVES[1], 1.2)
    for end, place, way in ((ends[0], low, -1), (ends[1], high, 1)):
        if not LEAST < math.log2(max(end, 1e-9)) < MOST:
            canvas.areas([[(place, y - 3), (place, y + 3), (place + 4 * way, y)]], INK)
    _mark(canvas, mid, y, alone=alone)
    return line + (11 if narrow else 10)


def _signed(p: str) -> str:
    return p if p[:1] in "<>" else f"= {p}"


def _mark(canvas: Canvas, x: float, y: float, *, alone: bool) -> None:
    shape = (
        corners(x - 2.8, y - 2.8, x + 2.8, y + 2.8)
        if alone
        else [(x - 3.6, y), (x, y - 3.6), (x + 3.6, y), (x, y + 3.6)]
    )
    canvas.areas([shape], CURVES[0] if alone else CURVES[1], INK, 0.4)


def _axis(canvas: Canvas, x: Scale, base: float, low: int, high: int) -> None:
    canvas.line([(x.start, base), (x.end, base)])
    canvas.line([(x(0), base - 4), (x(0), base)], SOFT, 0.8)
    canvas.segments([((x(p), base), (x(p), base + 3)) for p in range(low, high + 1)], INK, 0.8)
    every = 1 if x(1) - x(0) >= 24 else 2
    for power in (p for p in range(low, high + 1) if p % every == 0):
        canvas.text(x(power), base + 11, f"{2.0**power:g}", SMALL, "center")
    canvas.text(x(0) - 4, base + 21, "← better", SMALL, "right")
    canvas.text(x(0) + 4, base + 21, "worse than the reference →", SMALL)


def _power(ratio: float) -> float:
    return min(max(math.log2(ratio), LEAST), MOST) if ratio > 0 else float(LEAST)


def _powers(model: Forest) -> tuple[int, int]:
    """Ends of the axis as powers of two: every interval, and at least a half to four."""
    said = [e for entry in model.lines for e in (entry.alone, entry.together) if e]
    low = min([-1.0, *(_power(e.lower or 0) for e in said)])
    high = max([2.0, *(_power(e.upper or 2.0**MOST) for e in said)])
    return math.floor(low), math.ceil(high)
