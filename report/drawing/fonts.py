"""The one typeface of every picture, and how wide a text is in it.

matplotlib carries DejaVu Sans. It is named to matplotlib as the only face, so that neither the
machine's fonts nor a cache in somebody's home reach a picture.
"""

import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

FACES = {400: "DejaVuSans.ttf", 700: "DejaVuSans-Bold.ttf"}
FAMILY = "DejaVu Sans"
LAYOUT = ["GSUB", "GPOS", "GDEF", "MATH", "FFTM", "kern"]
KEPT = ((0x20, 0x700), (0x2000, 0x2800))
"""Latin, Greek, Cyrillic, Hebrew, Arabic; punctuation, arrows, mathematics, shapes."""
EM = 100.0
"""Size at which a text is measured, in points; widths grow with the size."""


def _listed() -> dict[str, Any]:
    """What matplotlib keeps of a search through the machine's fonts, of ours alone."""
    from importlib.util import find_spec

    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin
    source = (Path(found.origin).parent / "font_manager.py").read_text("utf-8")
    version = source.split("__version__ = '", 1)[1].split("'", 1)[0]
    entries = [
        {
            "fname": f"fonts/ttf/{face}",
            "index": 0,
            "name": FAMILY,
            "style": "normal",
            "variant": "normal",
            "weight": weight,
            "stretch": "normal",
            "size": "scalable",
            "__class__": "FontEntry",
        }
        for weight, face in FACES.items()
    ]
    return {
        "_version": version,
        "_FontManager__default_weight": "normal",
        "default_size": None,
        "defaultFamily": {"ttf": FAMILY, "afm": "Helvetica"},
        "afmlist": [],
        "ttflist": entries,
        "__class__": "FontManager",
    }


def _imported() -> Any:
    """Import matplotlib's fonts with ours as the only ones, and nothing of the home folder."""
    before = os.environ.get("MPLCONFIGDIR")
    with tempfile.TemporaryDirectory(prefix="y90-fonts-") as folder:
        listed = _listed()
        place = Path(folder) / f"fontlist-v{listed['_version']}.json"
        place.write_text(json.dumps(listed), "utf-8")
        os.environ["MPLCONFIGDIR"] = folder
        try:
            from matplotlib import font_manager
        finally:
            if before is None:
                del os.environ["MPLCONFIGDIR"]
            else:
                os.environ["MPLCONFIGDIR"] = before
    return font_manager


font_manager = _imported()
UNHINTED = import_module("matplotlib.ft2font").LoadFlags.NO_HINTING


@contextmanager
def light() -> Iterator[None]:
    """Draw with the same face without layout tables and far scripts.

    A PDF takes its letters out of the face anew for every file, which costs most of a figure.
    """
    from fontTools import subset  # 0.2 s to import, and a page needs none

    manager = font_manager.fontManager
    entries = list(manager.ttflist)
    options = subset.Options(
        layout_features=[], glyph_names=True, notdef_outline=True, recalc_timestamp=False
    )
    options.drop_tables += LAYOUT
    with tempfile.TemporaryDirectory(prefix="y90-faces-") as folder:
        for place, entry in enumerate(entries):
            small = str(Path(folder) / Path(entry.fname).name)
            with subset.load_font(entry.fname, options) as face:
                subsetter = subset.Subsetter(options)
                subsetter.populate(unicodes=[n for a, b in KEPT for n in range(a, b)])
                subsetter.subset(face)
                subset.save_font(face, small, options)
            manager.ttflist[place] = replace(entry, fname=small)
        manager._findfont_cached.cache_clear()
        try:
            yield
        finally:
            manager.ttflist[:] = entries
            manager._findfont_cached.cache_clear()


@lru_cache
def _face(weight: int) -> Any:
    import matplotlib

    face = font_manager.get_font(str(Path(matplotlib.get_data_path(), "fonts/ttf", FACES[weight])))
    face.set_size(EM, 72)
    return face


def width(text: str, size: float, weight: int = 400) -> float:
    """Width of one line in points."""
    return _em(text, weight) * size / EM


@lru_cache(maxsize=8192)
def _em(text: str, weight: int) -> float:
    return sum(_advance(letter, weight) for letter in text)


@lru_cache(maxsize=4096)
def _advance(letter: str, weight: int) -> float:
    """Width of one letter; pairs are not moved together, so that a text is never wider."""
    with warnings.catch_warnings():  # a letter that the face lacks is drawn by the reader's own
        warnings.simplefilter("ignore")
        try:
            glyph = _face(weight).load_char(ord(letter), flags=UNHINTED)
        except RuntimeError:
            return EM
    return float(glyph.linearHoriAdvance) / 65536


def wrapped(text: str, size: float, room: float, weight: int = 400) -> list[str]:
    """The lines of a text in a room of so many points.

    What a no-break space joins stays whole; a word wider than the room is broken, at a hyphen if it
    has one.
    """
    lines: list[str] = []
    for word in text.split(" "):
        for number, part in enumerate(_broken(word, size, room, weight)):
            longer = f"{lines[-1]} {part}" if lines and not number else part
            if lines and not number and width(longer, size, weight) <= room:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def _broken(word: str, size: float, room: float, weight: int) -> list[str]:
    """A word in as many parts as it needs."""
    parts = [word]
    while len(parts[-1]) > 1 and width(parts[-1], size, weight) > room:
        last = parts.pop()
        fits = max(1, sum(width(last[:end], size, weight) <= room for end in range(1, len(last))))
        hyphen = last.rfind("-", 0, fits) + 1
        cut = hyphen or fits
        parts += [last[:cut], last[cut:]]
    return parts
