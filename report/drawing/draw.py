"""Every figure by its model: as SVG for a page, wide and narrow."""

from collections.abc import Callable, Mapping
from typing import Any

from report.drawing import bars, course, curves, flow, forest, incidence, waterfall
from report.drawing.canvas import Canvas, millimetres
from report.drawing.svg import inline
from report.figures.classes import Classes
from report.figures.course import Spider, Swimmer
from report.figures.flow import Flow
from report.figures.incidence import Incidence
from report.figures.model import Exhibit
from report.figures.prognosis import Forest
from report.figures.response import Waterfall
from report.figures.survival import Curves
from report.figures.toxicity import Boxes, Toxicity
from schemas.records.field.journals import PLAIN

NARROW_MM, WIDE_MM = PLAIN.column_mm
"""One column of a journal, and two: the width of a phone, and of a page's text."""
DRAWN: Mapping[type[Exhibit], Callable[[Any, float], Canvas]] = {
    Boxes: bars.boxes,
    Classes: bars.classes,
    Curves: curves.draw,
    Flow: flow.draw,
    Forest: forest.draw,
    Incidence: incidence.draw,
    Spider: course.spider,
    Swimmer: course.swimmer,
    Toxicity: bars.grades,
    Waterfall: waterfall.draw,
}


def canvas(model: Exhibit, width_mm: float) -> Canvas:
    """Draw a figure on a sheet of a width."""
    return DRAWN[type(model)](model, millimetres(width_mm))


def pictures(model: Exhibit) -> tuple[str, str]:
    """Return the wide and the narrow drawing of a figure as SVG for a page."""
    wide, narrow = (
        inline(canvas(model, width), model.title, model.description)
        for width in (WIDE_MM, NARROW_MM)
    )
    return wide, narrow
