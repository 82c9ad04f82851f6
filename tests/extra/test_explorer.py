"""The explorer in a real browser: every control, nothing fetched from elsewhere, light and dark."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.extra.test_serve_page import browser
from warehouse.releases import releases
from warehouse.store import Store

pytestmark = pytest.mark.extra
RELEASE = "2011.03.31"
CLOSED = (
    "--proxy-server=127.0.0.1:9",
    "--proxy-bypass-list=127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""The proxy is a closed port: what is not on this machine cannot be fetched."""
WATCH = """
globalThis.set = (id, value) => {
  const control = document.getElementById(id);
  control.value = value;
  control.dispatchEvent(new Event("change", { bubbles: true }));
};
globalThis.text = (id) => document.getElementById(id).innerText;
"""
QUIET = "document.getElementById('main').getAttribute('aria-busy') === 'false'"


@dataclass
class Page:
    """The explorer's page in a tab."""

    tab: Callable[..., Any]
    heard: list[dict[str, Any]]
    address: str

    def js(self, expression: str) -> Any:
        """The value of an expression."""
        found = self.tab("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until something holds."""
        end = time.monotonic() + 60
        while not self.js(expression):
            assert time.monotonic() < end, expression
            time.sleep(0.03)

    def opened(self) -> "Page":
        """The page anew, with its first look."""
        self.tab("Page.navigate", url=self.address)
        self.until(f"document.getElementById('main') !== null && {QUIET}")
        self.js(WATCH)
        return self

    def set(self, control: str, value: str) -> None:
        """Choose an option and wait for the answer."""
        self.js(f"set({json.dumps(control)}, {json.dumps(value)})")
        self.until(QUIET)

    def press(self, selector: str) -> None:
        """Click on an element and wait for the answer."""
        self.js(f"document.querySelector({json.dumps(selector)}).click()")
        self.until(QUIET)

    def options(self, control: str) -> list[str]:
        """What a control offers."""
        return list(
            self.js(
                f"[...document.getElementById({json.dumps(control)}).options].map(o => o.value)"
            )
        )

    def status(self) -> tuple[str, str]:
        """The kind and the words of the answer."""
        return self.js("document.getElementById('status').className"), self.js("text('status')")


@pytest.fixture(scope="module")
def store(reference_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A copy of the reference store with a second release of the same."""
    root = tmp_path_factory.mktemp("explored") / "store"
    shutil.copytree(reference_store.root, root)
    made = Store.open(root)
    shutil.copytree(made.release(RELEASE), made.release("2011.04.01"))
    return made


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    """Where `y90 explore` listens."""
    words = ["--store", str(store.root), "--quiet", "explore"]
    with subprocess.Popen(
        [sys.executable, "-m", "flows", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Page]:
    """The page, opened; whatever the browser complained of fails the test at its end."""
    heard: list[dict[str, Any]] = []
    with browser(tmp_path / "browser", CLOSED, heard) as tab:
        for room in ("Network", "Runtime", "Log", "Page"):
            tab(f"{room}.enable")
        yield Page(tab, heard, address).opened()
        tab("Runtime.evaluate", expression="0")
    complaints = [
        event
        for event in heard
        if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")
    ]
    assert complaints == []


def asked_for(page: Page) -> list[str]:
    """Every address that was requested."""
    sent = [e for e in page.heard if e.get("method") == "Network.requestWillBeSent"]
    return [event["params"]["request"]["url"] for event in sent]


def test_every_control_answers_and_no_request_leaves_the_machine(page: Page, store: Store) -> None:
    """Each option of each control, under each question; none breaks the page."""
    tried = 0
    for question in ("survival", "incidence", "response", "toxicity"):
        page.press(f"input[value={question}]")
        shown = page.js(
            "[...document.querySelectorAll('select')].filter(s => s.offsetParent !== null)"
            ".map(s => s.id)"
        )
        assert "release" in shown
        for control in shown:
            before = page.js(f"document.getElementById('{control}').value")
            for option in page.options(control):
                page.set(control, option)
                kind, words = page.status()
                assert kind in ("published", "free", "refused"), (control, option, words)
                assert "bug" not in words, (control, option)
                tried += 1
            page.set(control, before)
    assert tried > 60
    assert {url.split("/")[2] for url in asked_for(page)} == {page.address.split("/")[2]}
    with duckdb.connect(str(store.release(RELEASE) / "release.duckdb"), read_only=True) as con:
        subjects = [s for (s,) in con.execute("SELECT subject_id FROM marts.subjects").fetchall()]
    assert not [url for url in asked_for(page) for s in subjects if s in url]


def test_a_free_look_is_pressed_for_marked_and_counted(page: Page) -> None:
    page.js("document.getElementById('subgroup').open = true")
    page.set("by", "ecog0")
    assert page.status()[0] == "published"
    page.set("only-burden25", "<=25")
    kind, words = page.status()
    assert kind == "free"
    assert "this would be look 1" in words
    assert page.js("document.getElementById('shown').hidden")
    page.press("#take")
    assert page.status()[1].startswith("Not a published statistic.")
    assert "1 free look taken" in page.js("text('looks')")
    assert page.js("document.querySelectorAll('#tables button').length") == 0
    page.set("only-bili12", ">1.2")
    assert "fewer than 5 patients" in page.status()[1]
    page.press("#again")
    assert page.status() == ("published", "Published statistic")
    assert page.js("document.getElementById('by').value") == ""


def test_a_number_leads_to_its_trace_and_on_to_a_patient(page: Page) -> None:
    page.press("#tables button")
    page.until("text('behind-text').includes('data.csv row')")
    assert page.js("document.activeElement.id") == "behind"
    assert page.js("document.querySelectorAll('#people button').length") == 28
    subject = page.js("document.querySelector('#people button').textContent")
    page.press("#people button")
    page.until(f"text('behind-text').startsWith('subject   {subject}')")
    page.press("#close")
    assert page.js("document.getElementById('behind').hidden")
    assert page.js("text('sql') || document.getElementById('sql').textContent").startswith("SELECT")
    assert page.js("document.getElementById('python').textContent").startswith("import y90")


def test_another_release_keeps_what_was_chosen(page: Page) -> None:
    page.set("by", "ecog0")
    page.set("release", "2011.04.01")
    page.until("text('source').includes('2011.04.01')")
    assert page.js("document.getElementById('by').value") == "ecog0"
    assert "2011.04.01" in page.js("text('foot')")


def test_two_releases_stand_side_by_side(page: Page) -> None:
    """The same selection of another release below; its numbers lead to its own trace."""
    page.set("beside", "2011.04.01")
    page.until("!document.getElementById('other').hidden")
    assert "2011.04.01" in page.js("text('other-title')")
    assert "2011.04.01" in page.js("text('other-foot')")
    drawn = "document.getElementById('{}').querySelector('svg').outerHTML"
    assert page.js(f"{drawn.format('picture')} === {drawn.format('other-picture')}")
    assert page.js("text('tables') === text('other-tables')")
    page.press("#other-tables button")
    page.until("text('behind-text').includes('data.csv row')")
    page.press("input[value=incidence]")
    assert "what came first" in page.js("text('title')")
    assert page.js("document.getElementById('other-picture').querySelector('svg') !== null")
    page.js("document.getElementById('subgroup').open = true")
    page.press("input[value=survival]")
    page.set("only-burden25", "<=25")
    page.set("only-bili12", "<=1.2")
    page.set("by", "ecog0")
    assert page.js("document.getElementById('other-picture').hidden")
    page.press("#again")
    assert page.js("document.getElementById('other').hidden")


def test_with_a_wrong_token_the_browser_finds_nothing(page: Page) -> None:
    wrong = page.address.rstrip("/")[:-4] + "aaaa/"
    page.tab("Page.navigate", url=wrong)
    page.until("document.body.innerText.startsWith('Nothing is here')")
    page.heard.clear()  # the browser logs the 404, as it should


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
@pytest.mark.parametrize(("wide", "narrow"), [(1280, False), (390, True)])
def test_the_page_fits_in_light_and_dark_on_a_desk_and_a_phone(
    page: Page, scheme: str, light: bool, wide: int, narrow: bool
) -> None:
    page.tab(
        "Emulation.setDeviceMetricsOverride",
        width=wide, height=900, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    page.tab(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    page.opened()
    paper = page.js("getComputedStyle(document.body).backgroundColor")
    assert (int(paper.split("(")[1].split(",")[0]) > 200) == light
    box = page.js("document.querySelector('#picture svg').getAttribute('viewBox')")
    assert (float(box.split()[2]) < 300) == narrow
    for question in ("survival", "incidence", "response", "toxicity"):
        page.press(f"input[value={question}]")
        assert page.js("document.scrollingElement.scrollWidth <= innerWidth")
        small = page.js(
            "Math.min(...[...document.querySelectorAll('#picture text')].map(t => "
            "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.clientWidth / "
            "t.ownerSVGElement.viewBox.baseVal.width))"
        )
        assert small >= 8, question


def test_the_store_holds_the_releases_that_were_looked_at(store: Store) -> None:
    """Looking leaves the releases as they are."""
    assert [r.status for r in releases.listing(store)] == ["published", "published"]
