"""The page: what it says at the top, that it holds nothing twice, and what it says of nothing."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from report import page
from report.sections import sections
from schemas.settings import OutcomeSettings
from warehouse.releases import releases
from warehouse.store import Store

SETTINGS = OutcomeSettings().model_dump(mode="json")
FACTS = {
    "registry": "memon2012",
    "release": "2011.03.31",
    "night": "2011-03-31",
    "data cutoff": "2011-03-31",
    "synthetic": "",
}
VOID = {"meta", "br", "link", "img", "input", "hr"}


@pytest.fixture(scope="module")
def text(reference_store: Store) -> str:
    """The page as it was published."""
    release = releases.resolve(reference_store, "current")
    return (release / "report/index.html").read_text("utf-8")


@pytest.fixture
def con(reference_store: Store, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the release's database that a test may change."""
    path = releases.resolve(reference_store, "current") / "release.duckdb"
    shutil.copy2(path, tmp_path / "release.duckdb")
    with duckdb.connect(str(tmp_path / "release.duckdb")) as opened:
        yield opened


class Outline(HTMLParser):
    """Ids, open elements and headings of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its id."""
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    read = Outline()
    read.feed(text)
    assert read.open == []
    return read


def test_the_top_says_what_of_whom_and_from_where(text: str) -> None:
    """Memon et al. 2012: median overall survival 34.4 months, of 40."""
    top = text.split("<nav")[0]
    for said in ("34.4 months", "95 % CI 19.8 to 52.0", "28 of 40 died", "53 of 83 lesions"):
        assert said in top
    assert "Release 2011.03.31 · night 2011-03-31 · data cutoff 2011-03-31" in top
    assert "population: all treated patients" in top


def test_an_invented_cohort_is_called_synthetic_everywhere(
    text: str, con: duckdb.DuckDBPyConnection
) -> None:
    """At the top, in the title, below each figure and on each printed page; else nowhere."""
    assert "SYNTHETIC DATA. No patient stands behind these numbers." in text
    assert "SYNTHETIC DATA</title>" in text
    assert all("SYNTHETIC DATA." in c for c in re.findall(r"<figcaption>.*?</figcaption>", text))
    assert re.search(r'@bottom-left \{ content: "[^"]*SYNTHETIC DATA"', text)
    assert "SYNTHETIC" not in page.page(con, FACTS, SETTINGS)


def test_a_page_is_one_small_file_without_a_script(text: str) -> None:
    assert len(text.encode()) < 1_500_000
    assert re.findall(r"<script|https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text) == []


def test_ids_are_names_and_unique_and_every_element_is_closed(text: str) -> None:
    read = outline(text)
    assert len(read.ids) == len(set(read.ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9_.-]*", name) for name in read.ids)
    assert read.tags.count("main") == read.tags.count("h1") == 1
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(read.ids)


def test_no_raw_name_is_read(text: str) -> None:
    """Outside the ids of statistics, which stand in the data of a figure."""
    visible = re.sub(
        r"<(style|desc)>.*?</\1>|<details class=.data.>.*?</details>", "", text, flags=re.S
    )
    words = re.sub(r"<[^>]+>", " ", visible)
    assert not re.search(r"\b(alb35|bili12|burden25|ecog0|MRECIST|g_dl|reverse_km)\b", words)
    assert "0/0" not in words


LISTS = ("coverage", "checklist")
"""What a report is asked for: of a registry of nobody they say what it does not deliver."""


def test_a_registry_of_nobody_says_why_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing vanishes: each figure and table is there, with its reason."""
    names = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name <> 'members'"
    ).fetchall()
    before = [e.id for s in sections(con, SETTINGS) for e in s.exhibits]
    for schema, name in names:
        con.execute(f'DELETE FROM {schema}."{name}"')
    parts = sections(con, SETTINGS)
    left = [e for s in parts for e in (*s.exhibits, *s.folded)]
    fixed = {e.id for e in left if not e.empty}
    assert fixed == {"definitions", "methods", *LISTS}
    assert all(e.empty.endswith(".") for e in left if e.empty)
    of_levels = re.compile(r"km-(os-by-\w+|\w+-lesion|\w+-subject)")
    assert {name for name in before if not of_levels.fullmatch(name)} <= {e.id for e in left}
    text = page.page(con, FACTS, SETTINGS)
    outline(text)
    assert "not derivable" in text
    assert " 0.0 %" not in text.split("<nav")[0]


def test_whoever_was_not_evaluated_is_not_0_percent(con: duckdb.DuckDBPyConnection) -> None:
    """All treated, none evaluable: the response is not evaluable, and 40 of 40 are NE."""
    con.execute(
        "UPDATE outcomes.response_summary SET n = CASE category WHEN 'NE' THEN total ELSE 0 END, "
        "n_evaluable = 0, pct = CASE category WHEN 'NE' THEN 100 ELSE 0 END"
    )
    text = page.page(con, FACTS, SETTINGS)
    top = text.split("<nav")[0]
    assert top.count("not evaluable") == 2
    assert "0 of 83 evaluable" in top
    assert "<td>not evaluable</td>" in text


def test_without_events_a_median_is_not_reached(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "UPDATE outcomes.survival_medians SET events = 0, median_months = NULL, lower = NULL, "
        "upper = NULL, not_reached = true"
    )
    con.execute(
        "UPDATE outcomes.survival_curves SET censored = censored + events, events = 0, "
        "survival = 1, lower = NULL, upper = NULL"
    )
    text = page.page(con, FACTS, SETTINGS)
    assert "not reached" in text.split("<nav")[0]
    assert "0 of 40 died; median NR months" in text


def test_one_patient_is_drawn(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "DELETE FROM outcomes.survival_curves WHERE time_days > (SELECT min(time_days) FROM "
        "outcomes.survival_curves WHERE endpoint = 'OS' AND factor = '')"
    )
    con.execute("UPDATE outcomes.survival_curves SET at_risk = 1, events = 1, survival = 0")
    for name in ("subject_response", "subject_assessments", "time_to_event", "subjects"):
        con.execute(
            f"DELETE FROM marts.{name} WHERE subject_id <> "
            "(SELECT min(subject_id) FROM marts.treatment_targets)"
        )
    text = page.page(con, FACTS, SETTINGS)
    outline(text)
    assert "1 of 1 patients, one bar each" in re.sub(r"<[^>]+>", " ", text)


def test_names_with_marks_and_other_letters_are_text(con: duckdb.DuckDBPyConnection) -> None:
    """A registry, a level and a note that try to be markup, or run from right to left."""
    evil = "<script>alert('x')</script> & \"רשם\""
    con.execute(
        "UPDATE outcomes.survival_curves SET factor_level = ? WHERE factor_level = 'none'", [evil]
    )
    con.execute(
        "UPDATE outcomes.survival_medians SET factor_level = ? WHERE factor_level = 'none'", [evil]
    )
    con.execute("UPDATE outcomes.attrition SET label = ?", [evil])
    con.execute("UPDATE outcomes.literature_comparison SET note = ?", [evil])
    text = page.page(con, FACTS | {"registry": evil}, SETTINGS)
    assert "<script" not in text
    assert "</style>" not in text.split("<style>")[1].split("</head>")[0][: -len("</style>\n")]
    outline(text)
    assert "רשם" in text


def test_a_time_that_is_only_reported_has_a_start_of_its_own(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """A trial's curve starts where the trial says, not at a treatment with 90Y."""
    con.execute("UPDATE outcomes.survival_medians SET n_reported = n")
    text = page.page(con, FACTS, SETTINGS)
    assert "as the source reports it; 28 of 40 died" in text.split("<nav")[0]
    assert "Overall survival of patients with a reported time" in text
    assert text.count("Months, as the source reports them") > 2
