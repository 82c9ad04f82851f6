"""Pictures: no text overlaps or leaves its sheet, all can be read, and the bytes are the same."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from report.drawing import colours, draw
from report.drawing.canvas import Box, Canvas, millimetres
from report.figures.course import Lane, Line, Spider, State, Swimmer
from report.figures.flow import Flow, Step
from report.figures.model import Exhibit
from report.figures.prognosis import Estimate, Forest
from report.figures.prognosis import Line as ForestLine
from report.figures.response import Bar, Waterfall
from report.figures.survival import Curve, Curves, Point, Risk
from report.figures.toxicity import Boxes, Panel, Quartiles, Term, Toxicity
from report.sections import sections
from schemas.settings import OutcomeSettings
from warehouse.releases import releases
from warehouse.store import Store

SETTINGS = OutcomeSettings().model_dump(mode="json")
WIDTHS = (draw.WIDE_MM, draw.NARROW_MM)
LEAST_PT = 6.5
NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def figures(reference_store: Store) -> list[Exhibit]:
    """Every figure of the reference cohort that is drawn."""
    path = releases.resolve(reference_store, "current") / "release.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        parts = sections(con, SETTINGS)
    listed = (e for p in parts for e in (*p.exhibits, *p.folded))
    return [e for e in listed if type(e) in draw.DRAWN and not e.empty]


def literal() -> Iterator[Exhibit]:
    """Figures of many levels and bars, and of names in another direction or with marks in them."""
    names = ("none", "<b>bold</b> & co", "שלום", "漢字", "a level with a long name", "$x^2$")
    yield Curves(
        id="km-many",
        title="Six levels",
        axis="Overall survival (%)",
        happened="Died",
        end=24,
        n=6 * 40,
        curves=tuple(map(_curve, names)),
        compared=("log-rank p = 0.97, unadjusted",),
    )
    yield Waterfall(
        id="waterfall-many",
        title="Many bars",
        axis="Best change (%)",
        unit="patient",
        n=2000,
        bars=tuple(Bar(150 - k / 8, "PD" if k < 900 else "PR", k % 7 == 0) for k in range(1999)),
        missing=1,
    )
    yield from large()


def large() -> Iterator[Exhibit]:
    """Ten centres and two thousand patients: long names, many lanes, many lines, many terms."""
    criterion = "• E1 Neuroendocrine liver metastases that cannot be resected (not known 216)"
    yield Flow(
        id="flow",
        title="Flow",
        n=2400,
        steps=(
            Step(
                ("Delivered by the centres (n\u00a0=\u00a02400)",),
                ("Not treated (n\u00a0=\u00a024)",),
            ),
            Step(("At least one ⁹⁰Y treatment (n\u00a0=\u00a02376)",), (criterion,) * 9),
            Step(("Meets every criterion (n\u00a0=\u00a00)",)),
        ),
        analyses=(("Overall survival", "n = 2376: 1380 died, 996 censored"),) * 3,
    )
    states = (State(1, 4, "SD"), State(4, 20, "PR"))
    lanes = tuple(
        Lane(130 - k, k % 2 == 0, k % 5 == 0, states, (0, 1.5), 21, 22) for k in range(80)
    )
    yield Swimmer(id="swimmer", title="Swimmer", criterion="WHO", n=2000, lanes=lanes, end=132)
    lines = tuple(
        Line(("CR", "PR", "SD", "PD", "NE")[k % 5], ((0, 0), (3, -k / 4), (9, 40 - k)))
        for k in range(300)
    )
    yield Spider(id="spider", title="Spider", axis="Change (%)", n=300, lines=lines, end=12)
    yield Toxicity(
        id="toxicity",
        title="Toxicity",
        n=2000,
        groups=(("Clinical", tuple(_term(k) for k in range(40))), ("Laboratory", (_term(41),))),
    )
    days = (0, 30, 91, 183, 365, 730)
    yield Boxes(
        id="laboratory-boxes",
        title="Courses",
        n=20000,
        panels=tuple(
            Panel(
                f"Gamma-glutamyltransferase {k} (10*9/L)", tuple(_box(d, k) for d in days[: k + 2])
            )
            for k in range(7)
        ),
    )
    estimate = Estimate(1.5, 0.01, 900.0, "1.50 (0.01 to 900.00)", "0.342")
    yield Forest(
        id="forest",
        title="Forest",
        lines=tuple(
            ForestLine(
                "Centre",
                f"a university hospital {k} vs the first",
                "120/240 vs 80/220",
                estimate,
                estimate if k % 2 else None,
                "" if k % 2 else "not in the model",
            )
            for k in range(9)
        ),
    )


def _box(day: int, k: int) -> Quartiles:
    """Of the first panel every value is the same, of the others they are of all sizes."""
    spread = 10.0 ** (k - 4) if k else 0.0
    return Quartiles(day, 20000 - day, 4 - day * spread, 4 - (day + 1) * spread, 4 + spread)


def _term(k: int) -> Term:
    counts = (900 - 20 * k, 40, 30, 2, 1)
    name = "Gamma-glutamyltransferase increased above the upper limit" if k % 3 else "Pain"
    whole = sum(counts)
    return Term(name, "event", counts, whole, 33, 1990, 2000, False, "", (), whole / 19.9, 1.7)


def _curve(name: str) -> Curve:
    points = tuple(Point(k, 1 - k / 25, max(0, 0.9 - k / 25), 1.0) for k in range(1, 21))
    risk = tuple(Risk(m, 40 - m, m, 0) for m in range(0, 25, 6))
    return Curve(name, 40, 20, 12.0, "12.0 (95 % CI 9.0 to 15.0) months", points, ((9, 0.6),), risk)


@pytest.mark.parametrize("width_mm", WIDTHS)
def test_no_text_leaves_its_sheet_and_no_two_overlap(
    figures: list[Exhibit], width_mm: float
) -> None:
    """As wide as the widest face writes it."""
    wide = millimetres(width_mm)
    for model in (*figures, *literal()):
        canvas = draw.canvas(model, width_mm)
        for box in canvas.boxes:
            assert box.left >= -0.1, (model.id, width_mm, box)
            assert box.right <= wide + 0.1, (model.id, width_mm, box)
            assert box.top >= -0.1, (model.id, width_mm, box)
            assert box.bottom <= canvas.size[1] + 0.1, (model.id, width_mm, box)
        clashes = [(a, b) for a, b in combinations(canvas.boxes, 2) if overlap(a, b)]
        assert clashes == [], (model.id, width_mm)


def overlap(a: Box, b: Box) -> bool:
    """More than a hair of one text lies on another."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    return across > 0.3 and down > 1.2


def test_a_picture_is_well_formed_says_what_it_shows_and_has_no_ids(
    figures: list[Exhibit],
) -> None:
    for model in (*figures, *literal()):
        for svg in draw.pictures(model):
            root = ElementTree.fromstring(svg)
            assert root.attrib["role"] == "img"
            assert [child.tag for child in root[:2]] == [f"{NS}title", f"{NS}desc"]
            assert root[0].text == model.title
            assert not any("id" in element.attrib for element in root.iter())
            sizes = re.findall(r"font-size:([\d.]+)px", svg)
            assert min(map(float, sizes)) >= LEAST_PT
            assert not re.search(r"#[0-9a-f]{6}", svg.split("</desc>")[1]), model.id


def test_names_are_printed_as_they_are() -> None:
    """Marks of HTML are text, other letters are kept, and a dollar is no formula."""
    wide, _ = draw.pictures(next(literal()))
    said = {element.text for element in ElementTree.fromstring(wide).iter(f"{NS}text")}
    assert {"<b>bold</b> & co", "שלום", "漢字", "$x^2$"} <= said


def test_every_level_over_four_is_drawn_alone_and_it_is_said() -> None:
    wide, narrow = draw.pictures(next(literal()))
    for svg in (wide, narrow):
        assert "6 levels, one picture each" in svg
        assert svg.count("20 of 40 died") == 6


def test_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    """In another process, home, time zone, language and hash seed; two imports take 3 s."""
    script = (
        "import sys; from tests.report.test_drawing import literal; from report.drawing import "
        "draw; sys.stdout.buffer.write(''.join(s for m in literal() for s in draw.pictures(m))"
        ".encode())"
    )
    env = dict(os.environ) | {
        "HOME": str(tmp_path),
        "TZ": "Asia/Tokyo",
        "LANG": "de_DE.UTF-8",
        "PYTHONHASHSEED": "77",
        "SOURCE_DATE_EPOCH": "0",
        "PYTHONPATH": ".",
    }
    there = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    here = "".join(svg for model in literal() for svg in draw.pictures(model))
    assert there.stdout.decode() == here
    assert there.stderr == b""
    assert list(tmp_path.iterdir()) == [], "nothing is written into a home"


def test_print_has_the_same_sheet() -> None:
    """A figure for print is matplotlib's own, of the journal's width."""
    for model in literal():
        figure = draw.canvas(model, draw.NARROW_MM).figure()
        assert figure.get_size_inches()[0] * 25.4 == pytest.approx(draw.NARROW_MM, abs=0.1)
        assert (
            len(figure.artists) + len(figure.lines) + len(figure.patches) + len(figure.texts)
            == len(figure.get_children()) - 1
        )


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_curves_stand_out_from_the_page(*, dark: bool) -> None:
    """4.5 to 1 for text and lines, 3 to 1 for the outline of fills.

    Source: WCAG 2.2, 1.4.3 and 1.4.11.
    """
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", colours.variables(dark=dark)))
    paper = named["paper"]
    for name in ("ink", "soft", "c0", "c1", "c2", "c3", "l-cr", "l-pr", "l-sd", "l-pd", "l-ne"):
        assert contrast(named[name], paper) >= 4.5, name
    assert set(named) == set(colours.NAMES.values())


def contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, contrast ratio and relative luminance."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_sheet_is_as_high_as_what_is_on_it() -> None:
    canvas = Canvas(100)
    canvas.rectangle(0, 0, 10, 40, colours.INK)
    canvas.text(0, 60, "low")
    assert canvas.size == (100, pytest.approx(64.1))


def test_the_narrow_picture_is_read_on_a_phone() -> None:
    """On 360 pixels with the page's margins its smallest letters are over 8 pixels high."""
    room = 360 - 2 * 0.8 * 16
    assert LEAST_PT * room / millimetres(draw.NARROW_MM) > 8
