"""A figure as files for print: SVG and PDF of lines, PNG of points, the same bytes every time."""

import io
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from report.drawing.canvas import Canvas
from report.drawing.draw import canvas
from report.drawing.svg import rendered
from report.figures.model import Exhibit
from report.figures.source import journal

DOTS_PER_INCH = 600
"""What journals ask of line art."""
SMALL = 5.5
LITTLE = 3
"""How hard a PNG is packed: twice as fast as zlib's default, and a fifth larger."""


def files(model: Exhibit, source: str) -> dict[str, bytes]:
    """Return a figure by the endings of its files: lines as SVG and PDF, points as PNG.

    As wide as two columns of the journal; the SVG also as one.

    Args:
        model: the figure.
        source: what stands small below it: registry, release, cutoff.
    """
    narrow, wide = journal().column_mm
    return {
        ".svg": rendered(_sheet(model, source, wide)).encode(),
        "-narrow.svg": rendered(_sheet(model, source, narrow)).encode(),
        ".pdf": _pdf(_sheet(model, source, wide)),
        ".png": _png(_sheet(model, source, wide)),
    }


def _sheet(model: Exhibit, source: str, width_mm: float) -> Canvas:
    """Draw afresh: a drawing is bound to the renderer that has drawn it."""
    sheet = canvas(model, width_mm)
    sheet.text(0, sheet.height + SMALL * 1.8, source, SMALL)
    return sheet


def _pdf(sheet: Canvas) -> bytes:
    target = io.BytesIO()
    settings: Any = {"pdf.fonttype": 42, "pdf.compression": 6}
    with matplotlib.rc_context(settings):
        nameless = dict.fromkeys(("CreationDate", "Producer", "Creator"))
        drawn: Any = FigureCanvasPdf(sheet.figure())  # matplotlib leaves it without types
        drawn.print_pdf(target, metadata=nameless)
    return target.getvalue()


def _png(sheet: Canvas) -> bytes:
    target = io.BytesIO()
    figure = sheet.figure()
    figure.set_dpi(DOTS_PER_INCH)
    figure.set_facecolor("white")
    drawn: Any = FigureCanvasAgg(figure)
    drawn.print_png(target, metadata={"Software": None}, pil_kwargs={"compress_level": LITTLE})
    return target.getvalue()
