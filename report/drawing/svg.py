"""A drawing as text that stands in a page: small, the same every time, in the page's colours."""

import io
import re
import warnings
from functools import lru_cache
from html import escape
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import RendererSVG

from report.drawing.canvas import Canvas
from report.drawing.colours import INK, NAMES

_Renderer: Any = RendererSVG
SALT = "y90-outcomes"
_OUTSIDE = re.compile(r"^.*?</metadata>\s*|</?(?:defs|style|svg)\b[^>]*>|\*\{[^}]*\}", re.S)
_GROUPS = re.compile(r"</?g(?: [^>]*)?>\s*|<defs>.*?</defs>\s*|<!--.*?-->\s*", re.S)
_NOTHING = re.compile(r' transform="rotate\(-?0 [^"]*\)"')
_STYLE = re.compile(r' style="([^"]*)"')
_SPACE = re.compile(r"\s*\n\s*")
_DROPPED = ("stroke-linejoin", "stroke-linecap", "font-family")
_COLOUR = re.compile("|".join(NAMES))


def inline(canvas: Canvas, title: str, description: str) -> str:
    """Draw as SVG for a page: no ids, the page's variables in place of colours.

    Args:
        canvas: what is drawn.
        title: its name, for those who do not see it.
        description: what it shows, in words.
    """
    wide, high = canvas.size
    body = _GROUPS.sub("", _OUTSIDE.sub("", rendered(canvas)))
    body = _STYLE.sub(_styled, _NOTHING.sub("", body))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {wide:.1f} {high:.1f}">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f"{_SPACE.sub('', body)}</svg>"
    )


def rendered(canvas: Canvas) -> str:
    """Draw as an SVG file: no date, no chance in its ids, text as text."""
    target = io.StringIO()
    settings: Any = {"svg.hashsalt": SALT, "svg.fonttype": "none"}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the face lacks is drawn by the reader's own
        renderer: Any = _Renderer(*canvas.size, target, image_dpi=72, metadata={"Date": None})
        canvas.draw(renderer)
        renderer.finalize()
    return target.getvalue()


def _styled(found: re.Match[str]) -> str:
    return _short(found[1])


@lru_cache(maxsize=1024)
def _short(style: str) -> str:
    """A style without what the page says once: its typeface, the ink of text, plain ends."""
    parts = [part.split(": ", 1) for part in style.split("; ") if part]
    is_text = any(name == "font-size" for name, _ in parts)
    said = {name: value for name, value in parts if name not in _DROPPED}
    if is_text:
        said = {
            k: v for k, v in said.items() if (k, v) not in (("fill", INK), ("text-anchor", "start"))
        }
    joined = ";".join(f"{name}:{value}" for name, value in said.items())
    coloured = _COLOUR.sub(lambda m: f"var(--{NAMES[m[0]]})", joined)
    return f' style="{coloured}"' if coloured else ""
