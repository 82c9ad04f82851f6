"""Axes and scales: a value's place on the sheet, and ticks that no text runs into."""

from collections.abc import Sequence
from dataclasses import dataclass

from report.drawing.canvas import Canvas
from report.drawing.colours import GRID, INK

TEXT = 7.0
SMALL = 6.5
"""Sizes of text in points; nothing is smaller."""
STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120, 240, 600)
"""Months between two ticks."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to points."""

    least: float
    most: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        share = (value - self.least) / (self.most - self.least)
        return self.start + share * (self.end - self.start)


def month_step(months: int, width: float, room: float) -> int:
    """Months between ticks, so that each has so many points of room."""
    most = max(1, int(width // room))
    return next((step for step in STEPS if months / step <= most), STEPS[-1])


def months(canvas: Canvas, x: Scale, base: float, step: int, name: str) -> float:
    """Draw the axis of months below a plot; the next free line is returned."""
    canvas.line([(x.start, base), (x.end, base)])
    ticks = range(0, int(x.most) + 1, step)
    canvas.segments([((x(m), base), (x(m), base + 3)) for m in ticks], INK, 0.8)
    for month in ticks:
        canvas.text(x(month), base + 11, str(month), TEXT, "center")
    canvas.text((x.start + x.end) / 2, base + 22, name, TEXT, "center")
    return base + 26


def ordinate(canvas: Canvas, y: Scale, left: float, right: float, ticks: Sequence[float]) -> None:
    """Draw a vertical axis with its numbers and faint lines across."""
    canvas.segments([((left, y(t)), (right, y(t))) for t in ticks], GRID, 0.5)
    canvas.line([(left, y.start), (left, y.end)])
    canvas.segments([((left - 3, y(t)), (left, y(t))) for t in ticks], INK, 0.8)
    for tick in ticks:
        canvas.text(left - 5, y(tick) + 2.5, f"{tick:g}".replace("-", "−"), TEXT, "right")
