"""What the pictures have in common: a sheet, colours that are told apart without colour, files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0b5a94", "#b3420f", "#00714d", "#7a4a9a")
"""Each over 5.6 to 1 on white."""
DASHES = ("-", "--", "-.", ":")
RESPONSES = {"CR": "#00527f", "PR": "#56b4e9", "SD": "#e6c229", "PD": "#d55e00", "NE": "#ffffff"}
"""Okabe and Ito's colours, always with an outline."""
FIXED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
"""What a file says of itself: nothing that differs from run to run."""


def sheet(width_mm: float, ratio: float, source: str) -> tuple["Figure", Any]:
    """A figure so wide with one pair of axes, and where the data are from at its foot."""
    from matplotlib.figure import Figure

    inches = width_mm / 25.4
    figure = Figure(figsize=(inches, inches * ratio), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    figure.supxlabel(source, fontsize=5.5, x=0, ha="left")
    return figure, axes


def save(figure: "Figure", path: str | Path) -> Path:
    """Write a figure; the same figure gives the same bytes."""
    import matplotlib

    place = Path(path)
    kind = place.suffix.removeprefix(".").lower()
    if kind not in FIXED:
        raise ValueError(f"{place}: name a file that ends in {', '.join(FIXED)}.")
    with matplotlib.rc_context({"svg.hashsalt": "y90", "pdf.fonttype": 42}):
        figure.savefig(place, format=kind, dpi=600, metadata=FIXED[kind])
    return place


def as_svg(figure: "Figure") -> str:
    """A figure as SVG that stands in a page."""
    import matplotlib

    target = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "y90", "svg.fonttype": "none"}):
        figure.savefig(target, format="svg", metadata=FIXED["svg"])
    text = target.getvalue()
    return text[text.index("<svg") :]
