"""The pages that people look at appear, in light and dark, without any network.

Chromium renders each page of a published release; what it drew is read from the PNG itself.
"""

import re
import shutil
import struct
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from report.drawing import colours
from warehouse.releases import change_pages as pages
from warehouse.releases import changes, releases
from warehouse.store import Store

pytestmark = pytest.mark.extra
WIDTH, HEIGHT = 900, 700
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}", "--proxy-server=127.0.0.1:9",
)  # fmt: skip
"""The proxy is a closed port: a page that needed the network would fail to get it."""
SCHEMES = {"light": 1, "dark": 0}
LOADS = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}
INNER = re.compile(r"#[\w.-]*|data:.*")


class Addresses(HTMLParser):
    """Every address outside itself that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of one element."""
        named = [value or "" for name, value in attrs if name in LOADS]
        self.found += [f"{tag}: {address}" for address in named if not INNER.fullmatch(address)]


@pytest.fixture(scope="module")
def shown(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report and audit page of a release, and the page of what differs between two."""
    release = releases.resolve(reference_store, "current")
    folder = tmp_path_factory.mktemp("pages")
    found = changes.diff(release, _moved(release, folder / "2011.04.01"))
    assert found.statistics
    (folder / "changes.html").write_text(pages.changes_page(found), "utf-8")
    return {
        "report": release / "report/index.html",
        "audit": release / "audit/index.html",
        "changes": folder / "changes.html",
    }


def _moved(release: Path, to: Path) -> Path:
    """A copy of a release in which every statistic counts one more."""
    shutil.copytree(release, to)
    path = to / "parquet/outcomes/statistics.parquet"
    duckdb.sql(f"SELECT * REPLACE (value + 1 AS value) FROM '{path}'").write_parquet(
        str(to / "moved.parquet")
    )
    (to / "moved.parquet").replace(path)
    return to


@pytest.mark.parametrize("page", ["report", "audit", "changes"])
def test_a_page_names_nothing_outside_itself(shown: dict[str, Path], page: str) -> None:
    text = shown[page].read_text("utf-8")
    addresses = Addresses()
    addresses.feed(text)
    assert addresses.found == []
    assert re.findall(r"url\(|@import|<script|fetch\(", text) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("page", ["report", "audit", "changes"])
def test_a_page_is_drawn_in_light_and_dark(
    shown: dict[str, Path], tmp_path: Path, page: str, scheme: str
) -> None:
    rows = pixels(_drawn(shown[page], tmp_path, SCHEMES[scheme]))
    assert (len(rows), len(rows[0])) == (HEIGHT, WIDTH)
    paper = max(rows[2][0])
    assert paper > 240 if scheme == "light" else paper < 60
    written = sum(any(max(pixel) != paper for pixel in row[:: WIDTH // 200]) for row in rows)
    assert written > HEIGHT / 6


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("figure", "names"),
    [
        ("waterfall-who-patient", ("r-pr", "r-sd", "r-pd")),
        ("forest-os", ("c0", "c1")),
        ("toxicity-bars", ("g1", "g2", "g3")),
    ],
)
def test_the_pictures_of_the_report_are_in_its_colours(
    shown: dict[str, Path], tmp_path: Path, figure: str, names: tuple[str, ...], scheme: str
) -> None:
    """Each fill appears as the page declares it, on a light page and on a dark one."""
    text = shown["report"].read_text("utf-8")
    style = re.search(r"<style>.*?</style>", text, re.S)
    svg = re.search(rf'id="{figure}".*?(<svg.*?</svg>)', text, re.S)
    assert style
    assert svg
    alone = tmp_path / "alone.html"
    alone.write_text(f"<!doctype html>{style[0]}<body>{svg[1]}", "utf-8")
    drawn = pixels(_drawn(alone, tmp_path, SCHEMES[scheme]))
    there = {pixel for row in drawn for pixel in row}
    declared = colours.DARK if scheme == "dark" else {n: c for c, n in colours.NAMES.items()}
    for name in names:
        code = declared[name]
        assert tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) in there, name


def test_the_report_has_a_wide_and_a_narrow_picture_of_each_figure(shown: dict[str, Path]) -> None:
    """16 curves, 5 of what came first, 2 waterfalls, and 6 of one each.

    Those are flow, spider, swimmer, forest, toxicity and the courses of laboratory values.
    """
    text = shown["report"].read_text("utf-8")
    assert text.count('<div class="two"><svg') == text.count('<div class="one"><svg') == 29


def _drawn(page: Path, folder: Path, scheme: int) -> Path:
    """The picture that the browser makes of a page."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "chromium is missing: apt-get install chromium"
    picture = folder / "page.png"
    subprocess.run(
        [
            browser,
            *FLAGS,
            f"--user-data-dir={folder / 'browser'}",
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--screenshot={picture}",
            page.resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return picture


def pixels(picture: Path) -> list[list[tuple[int, int, int]]]:
    """Rows of (red, green, blue) of an 8-bit PNG without interlacing (PNG specification, 9)."""
    data = picture.read_bytes()
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, kind in (2, 6), interlaced) == (8, True, 0)
    size = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(body for name, body in _chunks(data) if name == b"IDAT"))
    line = width * size
    above = bytearray(line)
    rows = []
    for number in range(height):
        start = number * (line + 1)
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + line], above, size)
        rows.append([(above[i], above[i + 1], above[i + 2]) for i in range(0, line, size)])
    return rows


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += length + 12
    return found


def _unfiltered(kind: int, line: bytes, above: bytearray, size: int) -> bytearray:
    """One line without its filter: none, sub, up, average or Paeth."""
    made = bytearray(line)
    for i in range(len(made) if kind else 0):
        left = made[i - size] if i >= size else 0
        corner = above[i - size] if i >= size else 0
        guess = (0, left, above[i], (left + above[i]) // 2, _paeth(left, above[i], corner))[kind]
        made[i] = (made[i] + guess) & 255
    return made


def _paeth(left: int, above: int, corner: int) -> int:
    near = left + above - corner
    return min((left, above, corner), key=lambda value: abs(near - value))
