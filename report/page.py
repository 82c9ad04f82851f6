"""The page itself: headline, figures and tables of one release, in one file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, StrictUndefined

from report.drawing import colours, draw
from report.figures import words
from report.figures.data import drawn
from report.figures.methods import Settings
from report.figures.model import Exhibit, Row, Table
from report.headline import Headline, headlines
from report.sections import Section, sections

TEMPLATE = Path(__file__).with_name("page.html")
FOOTER = (
    "Every number with an id stands unrounded in outcomes.statistics of this release, with its "
    "label, unit and method; y90 trace leads from it to patients and source rows. Settings, "
    "deliveries and hashes: manifest.json."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure or table as the template takes it."""

    id: str
    title: str
    notes: tuple[str, ...]
    spelled: str
    empty: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    pictures: tuple[str, ...]
    data: Table | None


@dataclass(frozen=True, slots=True)
class Part:
    """A section as the template takes it."""

    id: str
    heading: str
    about: str
    exhibits: tuple[Shown, ...]
    folded: tuple[Shown, ...]


def write(work: Path, facts: Mapping[str, str], settings: Settings, note: str = "") -> None:
    """Write report/index.html from the tables of a finished build.

    Args:
        work: the folder with release.duckdb.
        facts: registry, release, night, data cutoff; and `synthetic`, empty for real patients.
        settings: those that the release was made with, by section and key.
        note: what a reader must know before the numbers; it marks the figures drawn from rows.
    """
    folder = work / "report"
    folder.mkdir(exist_ok=True)
    place = str(work / "release.duckdb")
    with duckdb.connect(place, read_only=True, config={"threads": 1}) as con:  # small questions
        text = page(con, facts, settings, note)
    (folder / "index.html").write_text(text, "utf-8")


def page(
    con: duckdb.DuckDBPyConnection,
    facts: Mapping[str, str],
    settings: Settings,
    note: str = "",
) -> str:
    """Return the page of an opened release; the arguments are those of `write`."""
    lead = (
        f"Release {facts['release']} · night {facts['night']} · data cutoff "
        f"{facts['data cutoff']} · population: all treated patients"
    )
    return rendered(
        facts,
        [_part(s) for s in sections(con, settings, redrawn=bool(note))],
        lead=lead,
        footer=FOOTER,
        title=f"{facts['registry']}, release {facts['release']}",
        note=note,
        headline=headlines(con, settings["response"].get("headline_lesions", "all")),
    )


def rendered(
    facts: Mapping[str, str],
    parts: Sequence[Part],
    *,
    lead: str,
    footer: str,
    title: str,
    note: str = "",
    headline: Sequence[Headline] = (),
) -> str:
    """Return a page of these parts.

    Args:
        facts: registry, release and data cutoff; and `synthetic`, empty for real patients.
        parts: what it shows, in order.
        lead: the sentence below the registry's name.
        footer: the last sentence.
        title: the name of the page.
        note: what a reader must know before the numbers.
        headline: numbers at the top.
    """
    jinja = Environment(autoescape=True, undefined=StrictUndefined)
    jinja.filters["css"] = _in_css
    return jinja.from_string(TEMPLATE.read_text("utf-8")).render(
        facts=dict(facts),
        title=title,
        lead=lead,
        note=note,
        footer=footer,
        source=source(facts),
        light=colours.variables(dark=False),
        dark=colours.variables(dark=True),
        headline=headline,
        sections=parts,
    )


def source(facts: Mapping[str, str]) -> str:
    """Where a figure comes from, below each and on every printed page."""
    said = (
        facts["registry"],
        f"release {facts['release']}",
        f"data cutoff {facts['data cutoff']}",
        "SYNTHETIC DATA" if facts["synthetic"] else "",
    )
    return " · ".join(part for part in said if part)


def _in_css(text: str) -> str:
    """A text inside a string of a style sheet: nothing in it can end the string or the sheet."""
    return "".join(c if c.isalnum() or c in " .-·_" else f"\\{ord(c):x} " for c in text)


def _part(section: Section) -> Part:
    return Part(
        section.id,
        section.heading,
        section.about,
        tuple(map(shown, section.exhibits)),
        tuple(map(shown, section.folded)),
    )


def shown(model: Exhibit, pictures: Callable[[Any], tuple[str, str]] = draw.pictures) -> Shown:
    """Return a figure or table as the template takes it.

    Args:
        model: the figure or table.
        pictures: draws a figure wide and narrow.
    """
    is_table = isinstance(model, Table)
    return Shown(
        id=model.id,
        title=model.title,
        notes=model.notes,
        spelled=words.spelled(model.abbreviations),
        empty=model.empty,
        columns=model.columns if isinstance(model, Table) else (),
        rows=model.rows if isinstance(model, Table) else (),
        pictures=() if is_table or model.empty else pictures(model),
        data=None if is_table or model.empty else drawn(model),
    )


def redraw(work: Path, facts: Mapping[str, str], settings: Settings, note: str) -> None:
    """Write the page of a release again from the rows that are left.

    Where a table has another shape than this code draws, the page says only that: its old pictures
    hold somebody who must not be in them.
    """
    try:
        write(work, facts, settings, note)
    except (duckdb.Error, KeyError):
        told = escape(
            f"{note} This page was drawn by another version of y90 and is not drawn again."
        )
        head = escape(f"{facts['registry']}, {facts['night']}")
        text = f'<!doctype html><meta charset="utf-8"><title>{head}</title><p>{told}</p>\n'
        (work / "report" / "index.html").write_text(text, "utf-8")
