"""A sheet of paper in points, from the top left, on which the figures are drawn by matplotlib.

Everything stands where the data say: no axes, no layout engine, so that a table of numbers at risk
lies under its ticks and no text is moved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from report.drawing import fonts
from report.drawing.colours import INK
from report.figures.source import worded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_PER_MM = 72 / 25.4
Anchor = Literal["left", "center", "right"]
Dash = tuple[float, ...]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text stands: its corners in points, for tests that nothing overlaps."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(slots=True)
class Canvas:
    """What is drawn on a sheet so many points wide; its height follows from what is on it."""

    width: float
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    _artists: list[Line2D | PathPatch | Text] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 7.0,
        anchor: Anchor = "left",
        colour: str = INK,
        weight: int = 400,
        turned: bool = False,
    ) -> float:
        """Write one line on its baseline; the width is returned."""
        text = worded(text)
        wide = fonts.width(text, size, weight)
        left = {"left": x, "center": x - wide / 2, "right": x - wide}[anchor]
        box = Box(text, left, y - 0.76 * size, left + wide, y + 0.24 * size)
        if turned:
            box = Box(text, x - 0.76 * size, y - wide / 2, x + 0.24 * size, y + wide / 2)
        self.boxes.append(box)
        self._artists.append(
            _Word(
                round(x, 1),
                round(y, 1),
                text,
                color=colour,
                ha=anchor,
                va="baseline",
                fontproperties=_letters(size, weight),
                rotation=90 if turned else 0,
                rotation_mode="anchor",
                parse_math=False,
            )
        )
        self.height = max(self.height, y + 0.3 * size)
        return wide

    def line(
        self,
        points: Iterable[Point],
        colour: str = INK,
        width: float = 0.8,
        dash: Dash = (),
        *,
        within: float = 1.0,
    ) -> None:
        """Draw a line; `within` below 1 lets what lies behind shine through."""
        line = Line2D(
            *zip(*((round(x, 1), round(y, 1)) for x, y in points), strict=True),
            color=colour,
            linewidth=width,
            alpha=None if within == 1 else within,
            solid_capstyle="butt",
            dash_capstyle="butt",
        )
        if dash:
            line.set_dashes(tuple(part / width for part in dash))
        self._artists.append(line)

    def segments(self, pairs: Iterable[tuple[Point, Point]], colour: str, width: float) -> None:
        """Draw many short lines of one colour as one path."""
        points = [point for pair in pairs for point in pair]
        if points:
            codes = [Path.MOVETO, Path.LINETO] * (len(points) // 2)
            self._shape(points, codes, "none", colour, width, 1.0)

    def areas(
        self,
        polygons: Iterable[Sequence[Point]],
        fill: str,
        outline: str = "none",
        width: float = 0.5,
        within: float = 1.0,
    ) -> None:
        """Fill polygons of one colour as one path."""
        points: list[Point] = []
        codes: list[Any] = []
        for polygon in polygons:
            points += [*polygon, polygon[0]]
            codes += [Path.MOVETO, *[Path.LINETO] * (len(polygon) - 1), Path.CLOSEPOLY]
        if points:
            self._shape(points, codes, fill, outline, width, within)

    def rectangle(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: str,
        outline: str = "none",
        width: float = 0.5,
    ) -> None:
        """Draw one rectangle."""
        self.areas([corners(left, top, right, bottom)], fill, outline, width)
        self.height = max(self.height, bottom)

    def _shape(
        self,
        points: Sequence[Point],
        codes: Sequence[Any],
        fill: str,
        outline: str,
        width: float,
        within: float,
    ) -> None:
        path = Path([(round(x, 1), round(y, 1)) for x, y in points], list(codes))
        self._artists.append(
            PathPatch(
                path,
                facecolor=fill,
                edgecolor=outline,
                linewidth=0 if outline == "none" else width,
                alpha=None if within == 1 else within,
                capstyle="butt",
                joinstyle="miter",
            )
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet in points."""
        return self.width, round(self.height + 2, 1)

    def draw(self, renderer: Any) -> None:
        """Draw everything in turn on a renderer of one dot a point."""
        for artist in self._placed(Affine2D().scale(1, -1).translate(0, self.size[1])):
            artist.draw(renderer)

    def figure(self) -> "Figure":
        """Put everything onto one matplotlib figure, for print."""
        from matplotlib.figure import Figure  # 0.2 s to import, and the page needs none

        wide, high = self.size
        figure = Figure(figsize=(wide / 72, high / 72), dpi=72, facecolor="none")
        down = Affine2D().scale(1 / 72, -1 / 72).translate(0, high / 72)
        for artist in self._placed(down + figure.dpi_scale_trans):
            figure.add_artist(artist)
        return figure

    def _placed(self, down: Transform) -> list[Line2D | PathPatch | Text]:
        for place, artist in enumerate(self._artists):
            artist.set_transform(down)
            artist.set_zorder(place)
        return self._artists


class _Word(Text):
    """A line of text that goes into an SVG without being laid out: its reader does that."""

    def draw(self, renderer: Any) -> None:
        """Draw, on a page by the text's anchor alone."""
        if not isinstance(renderer, RendererSVG):
            super().draw(renderer)
            return
        x, y = self.get_transform().transform(self.get_unitless_position())
        context = renderer.new_gc()
        context.set_foreground(self.get_color())
        place = x, renderer.height - y, self.get_text(), self.get_fontproperties()
        drawn: Any = renderer  # matplotlib leaves it without types
        drawn.draw_text(context, *place, self.get_rotation(), mtext=self)
        context.restore()


def corners(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """Return the corners of a rectangle, in turn."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def millimetres(width: float) -> float:
    """Points of a width in millimetres."""
    return round(width * POINTS_PER_MM, 1)


@lru_cache
def _letters(size: float, weight: int) -> FontProperties:
    return FontProperties(family=fonts.FAMILY, size=size, weight=weight)
