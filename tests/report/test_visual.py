"""Pictures look as they did: each pixel, against pictures that somebody looked at.

After a wanted change write them anew and look at them: `python -m tests.report.test_visual`.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from report.drawing import axis, colours, curves, draw
from report.figures.model import Exhibit
from report.figures.survival import Curve, Curves, Point, Risk

PICTURES = Path(__file__).with_name("pictures")


def model() -> Curves:
    """Two curves with bands, ticks, medians and everybody below."""
    return Curves(
        id="km-two",
        title="Two levels",
        axis="Overall survival (%)",
        happened="Died",
        end=24,
        n=80,
        curves=(_curve("ECOG 0", 30), _curve("ECOG ≥ 1", 22)),
        compared=("HR ≥ 1 vs 0: 1.40 (95 % CI 0.80 to 2.40)", "log-rank p = 0.21, unadjusted"),
    )


def _curve(name: str, pace: int) -> Curve:
    points = tuple(
        Point(k, 1 - k / pace, max(0, 0.9 - k / pace), min(1, 1.1 - k / pace)) for k in range(1, 21)
    )
    risk = tuple(Risk(m, 40 - m, m, 0) for m in range(0, 25, 6))
    said = f"{pace / 2:.1f} (95 % CI 9.0 to 18.0) months"
    return Curve(name, 40, 20, pace / 2, said, points, ((9.0, 1 - 9 / pace),), risk)


def pixels(exhibit: Exhibit) -> Any:
    """The drawing as colours of pixels, on white, a dot a point."""
    figure = draw.canvas(exhibit, draw.NARROW_MM).figure()
    figure.set_facecolor("white")
    target = io.BytesIO()
    FigureCanvasAgg(figure).print_png(target, metadata={"Software": None})
    return np.asarray(Image.open(target).convert("RGB"))


def looks_the_same(drawn: Any) -> bool:
    """Whether no pixel differs; the lock holds the renderer and its typeface."""
    kept = np.asarray(Image.open(PICTURES / "km-two.png").convert("RGB"))
    return bool(np.array_equal(drawn, kept))


def test_a_picture_is_the_one_that_was_looked_at() -> None:
    assert looks_the_same(pixels(model()))


def _swapped(patch: pytest.MonkeyPatch) -> Curves:
    patch.setattr(curves, "CURVES", (colours.CURVES[1], colours.CURVES[0]))
    return model()


def _shifted(patch: pytest.MonkeyPatch) -> Curves:
    months = axis.months
    moved: Callable[..., float] = lambda c, x, base, step, name: months(  # noqa: E731
        c, replace(x, start=x.start + 3), base, step, name
    )
    patch.setattr(curves, "months", moved)
    return model()


def _lost(_: pytest.MonkeyPatch) -> Curves:
    return replace(model(), curves=model().curves[:1])


def _without_band(patch: pytest.MonkeyPatch) -> Curves:
    patch.setattr(curves, "_band", lambda *_: [])
    return model()


def _wrong_number(_: pytest.MonkeyPatch) -> Curves:
    first, second = model().curves
    risk = (replace(first.risk[0], at_risk=99), *first.risk[1:])
    return replace(model(), curves=(replace(first, risk=risk), second))


@pytest.mark.parametrize("fault", [_swapped, _shifted, _lost, _without_band, _wrong_number])
def test_a_planted_fault_is_seen(
    fault: Callable[[pytest.MonkeyPatch], Curves], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colours swapped, ticks moved by 3 points, a curve lost, bands lost, one number changed."""
    assert not looks_the_same(pixels(fault(monkeypatch)))


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    Image.fromarray(pixels(model())).save(PICTURES / "km-two.png", optimize=True)
