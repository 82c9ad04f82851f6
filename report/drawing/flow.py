"""The flow of patients as boxes: each as high as its text, measured before it is drawn."""

from collections.abc import Sequence

from report.drawing.axis import TEXT
from report.drawing.canvas import Canvas
from report.drawing.colours import INK
from report.drawing.fonts import wrapped
from report.figures.flow import Flow

PAD, LINE = 6.0, 9.5


def draw(model: Flow, wide: float) -> Canvas:
    """Draw the boxes on a sheet so many points wide."""
    canvas = Canvas(wide)
    narrow = wide < 300
    main = wide * (0.5 if narrow else 0.46)
    beside = wide * (0.16 if narrow else 0.54)
    middle = wide * 0.1
    top = 1.0
    for step in model.steps:
        bottom = _box(canvas, step.lines, 1, top, main)
        last = step is model.steps[-1]
        if last and not model.analyses:
            break
        after = bottom + 14
        if step.aside:
            low = _box(canvas, step.aside, beside, after, wide - 1)
            _arrow(canvas, middle, after + 8, beside, after + 8)
            after = low + 12
        if not last:
            _arrow(canvas, middle, bottom, middle, after)
        top = after if not last else bottom
    if model.analyses:
        _analyses(canvas, model.analyses, middle, top, narrow)
    return canvas


def _analyses(
    canvas: Canvas, analyses: Sequence[Sequence[str]], middle: float, top: float, narrow: bool
) -> None:
    """Draw the analyses side by side below one line, or one below the other on a phone."""
    if narrow:
        line = turn = top
        for lines in analyses:
            below = _box(canvas, lines, canvas.width * 0.16, line + 12, canvas.width - 1)
            _arrow(canvas, middle, line + 22, canvas.width * 0.16, line + 22)
            canvas.line([(middle, turn), (middle, line + 22)])
            line, turn = below, line + 22
        return
    room = (canvas.width - 2 - 10 * (len(analyses) - 1)) / len(analyses)
    centres = [1 + place * (room + 10) + room / 2 for place in range(len(analyses))]
    canvas.line([(middle, top), (middle, top + 10)])
    canvas.line([(min(middle, centres[0]), top + 10), (centres[-1], top + 10)])
    for lines, centre in zip(analyses, centres, strict=True):
        _arrow(canvas, centre, top + 10, centre, top + 22)
        _box(canvas, lines, centre - room / 2, top + 22, centre + room / 2)


def _box(canvas: Canvas, lines: Sequence[str], left: float, top: float, right: float) -> float:
    """Write lines into a box; its lower border is returned. What is told of a point is indented."""
    line = top + PAD + 6.5
    for said in lines:
        inset = 7.0 if said.startswith("• ") else 0.0
        parts = wrapped(said, TEXT, right - left - 2 * PAD - inset)
        for number, part in enumerate(parts):
            canvas.text(left + PAD + (inset if number else 0), line, part, TEXT)
            line += LINE
    bottom = line - LINE + PAD
    canvas.rectangle(left, top, right, bottom, "none", INK, 0.9)
    return bottom


def _arrow(canvas: Canvas, x: float, y: float, to_x: float, to_y: float) -> None:
    canvas.line([(x, y), (to_x, to_y)])
    if x == to_x:
        head = [(to_x - 2.5, to_y - 5), (to_x + 2.5, to_y - 5), (to_x, to_y)]
    else:
        head = [(to_x - 5, to_y - 2.5), (to_x - 5, to_y + 2.5), (to_x, to_y)]
    canvas.areas([head], INK)
