"""Every page is open to all: axe-core and html-validate find nothing, and every letter stands out.

axe-core leaves letters over drawings undecided, so their contrast is worked out here: the colour of
each against what is painted below its middle. Checked in light and dark, on a desk and a phone.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.extra.test_browser import shown
from tests.extra.test_serve_page import browser
from tests.report.test_drawing import contrast
from warehouse.store import Store

pytestmark = pytest.mark.extra
WEB = Path(__file__).parent / "web"
TOOLS = WEB / "node_modules"
PAGES = ("report", "audit", "changes", "explorer")
QUESTIONS = ("survival", "response", "toxicity")
HOW = [(scheme, wide) for scheme in ("light", "dark") for wide in (1280, 390)]
LEAST = 4.5
"""Source: WCAG 2.2, 1.4.3, contrast of text."""
RUN = (
    "axe.run(document, {resultTypes: ['violations']}).then(found => "
    "found.violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))"
)
LETTERS = """
(() => {
  const paper = getComputedStyle(document.body).backgroundColor;
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const over = (below, colour, share) => below.map((b, i) => b + (colour[i] - b) * share);
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    if (svg.clientWidth === 0) continue;
    const shapes = [...svg.querySelectorAll("path, text")];
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBBox();
      const middle = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2);
      const place = middle.matrixTransform(text.getCTM());
      let below = number(paper).slice(0, 3);
      for (const shape of shapes.slice(0, shapes.indexOf(text))) {
        if (shape.tagName === "text") continue;
        const style = getComputedStyle(shape);
        if (style.fill === "none") continue;
        const own = place.matrixTransform(shape.getCTM().inverse());
        if (!shape.isPointInFill(own)) continue;
        below = over(below, number(style.fill), Number(style.fillOpacity) * Number(style.opacity));
      }
      found.push([text.textContent, number(getComputedStyle(text).fill).slice(0, 3), below]);
    }
  }
  return found;
})()
"""

pages = shown
"""Report, audit and changes of the reference release, as the test of the browser makes them."""


@pytest.fixture(scope="module")
def addresses(
    pages: dict[str, Path], reference_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Where each page is."""
    root = tmp_path_factory.mktemp("accessible") / "store"
    shutil.copytree(reference_store.root, root)
    words = ["--store", str(root), "--quiet", "explore"]
    with subprocess.Popen(
        [sys.executable, "-m", "flows", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            explorer = process.stdout.readline().strip()
            yield {n: p.resolve().as_uri() for n, p in pages.items()} | {"explorer": explorer}
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def opened(addresses: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page by its name, in a scheme and width; gives what an expression is there."""
    with browser(tmp_path / "browser") as tab:

        def js(expression: str) -> Any:
            found = tab(
                "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
            )
            assert "exceptionDetails" not in found, found
            return found["result"].get("value")

        def at(page: str, scheme: str, wide: int) -> Callable[[str], Any]:
            size = {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            tab("Emulation.setDeviceMetricsOverride", **size)
            media = [{"name": "prefers-color-scheme", "value": scheme}]
            tab("Emulation.setEmulatedMedia", features=media)
            tab("Page.navigate", url=addresses[page])
            _until(js, "document.readyState === 'complete'")
            if page == "explorer":
                _until(js, "document.getElementById('main').getAttribute('aria-busy') === 'false'")
            return js

        yield at


def _until(js: Callable[[str], Any], condition: str) -> None:
    end = time.monotonic() + 60
    while not js(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def each_state(js: Callable[[str], Any], page: str) -> Iterator[str]:
    """The states of a page that are looked at; the explorer's are its questions and a trace."""
    if page != "explorer":
        yield "as opened"
        return
    quiet = "document.getElementById('main').getAttribute('aria-busy') === 'false'"
    for question in QUESTIONS:
        js(f"document.querySelector('input[value={question}]').click()")
        _until(js, quiet)
        yield question
    js("document.querySelector('#tables button').click()")
    _until(js, "document.querySelectorAll('#people button').length > 0")
    yield "trace"


@pytest.mark.parametrize(("scheme", "wide"), HOW)
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(opened: Callable[..., Any], page: str, scheme: str, wide: int) -> None:
    axe = (TOOLS / "axe-core" / "axe.min.js").read_text("utf-8")
    js = opened(page, scheme, wide)
    js(axe + "; 0")
    for state in each_state(js, page):
        assert js(RUN) == [], state


@pytest.mark.parametrize(("scheme", "wide"), HOW)
@pytest.mark.parametrize("page", ["report", "explorer"])
def test_every_letter_of_a_drawing_stands_out(
    opened: Callable[..., Any], page: str, scheme: str, wide: int
) -> None:
    js = opened(page, scheme, wide)
    for state in each_state(js, page):
        letters = js(LETTERS)
        assert letters or state == "trace"
        for text, colour, below in letters:
            ratio = contrast(_hex(colour), _hex(below))
            assert ratio >= LEAST, (state, text, colour, below, round(ratio, 2))


def _hex(colour: list[float]) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def test_a_letter_that_does_not_stand_out_is_found(
    opened: Callable[..., Any],
) -> None:
    """A planted fault: dark letters on the darkest grade."""
    js = opened("report", "light", 1280)
    js(
        "(() => { const svg = document.querySelector('svg'); const [w, h] = "
        "svg.getAttribute('viewBox').split(' ').slice(2); svg.innerHTML += "
        "`<path d='M0 0H${w}V${h}H0Z' style='fill:#222222'/>`"
        " + `<text x='20' y='20'>planted</text>`; })()"
    )
    found = {text: contrast(_hex(c), _hex(b)) for text, c, b in js(LETTERS)}
    assert found["planted"] < 1.5


@pytest.mark.parametrize("page", PAGES)
def test_html_validate_finds_nothing(pages: dict[str, Path], tmp_path: Path, page: str) -> None:
    place = pages.get(page, Path("flows/exploring/page.html"))
    node = shutil.which("node")
    assert node, "node is missing: apt-get install nodejs npm"
    told = tmp_path / "told.json"
    config = WEB / ".htmlvalidate.json"
    program = TOOLS / "html-validate" / "bin" / "html-validate.mjs"
    done = subprocess.run(
        [node, str(program), "--config", str(config), "-f", f"json={told}", str(place.resolve())],
        check=False,
        capture_output=True,
        text=True,
    )
    found = json.loads(told.read_text("utf-8"))
    messages = [(m["ruleId"], m["line"], m["message"]) for r in found for m in r["messages"]]
    assert (messages, done.returncode) == ([], 0), done.stderr


def test_the_tools_are_locked_without_an_address() -> None:
    """Versions and hashes, and nowhere to fetch them from."""
    text = (WEB / "package-lock.json").read_text("utf-8")
    assert "resolved" not in text
    assert ".tgz" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in facts for name, facts in packages.items() if name)
