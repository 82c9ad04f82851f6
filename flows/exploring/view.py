"""A look as the page shows it: picture, tables whose numbers know their statistics, SQL, Python."""

from collections.abc import Mapping
from typing import Any

from report.drawing import draw
from report.drawing.svg import inline
from report.figures import classes, incidence, survival, toxicity, words
from report.figures.model import Exhibit, Row, Table
from report.tables import looked
from warehouse.exploring.answers import Answer
from warehouse.exploring.found import Found
from warehouse.exploring.selection import Selection, place

WINDOWS = {
    "any": "at any time after treatment",
    "acute": "acute",
    "primary": "primary window",
    "late": "late",
}
EVERYBODY = {"all": "all treated patients", "per_criteria": "patients who meet every criterion"}
ANY_STATISTIC = 4
"""So many ids head a look; the cells know all."""


def shown(selection: Selection, answer: Answer, *, narrow: bool) -> dict[str, Any]:
    """Everything that the page shows of a look.

    Args:
        selection: what is looked at.
        answer: what the release says.
        narrow: draw for a phone.
    """
    facts: dict[str, Any] = {
        "whom": whom(selection),
        "published": answer.published,
        "refused": answer.refused,
        "waits": answer.waits,
        "taken": answer.taken,
        "compared": answer.compared,
        "sql": ";\n\n".join(answer.found.queries),
        "tables": [],
    }
    if answer.refused or answer.waits:
        return facts
    figure, tables = _models(selection, answer.found)
    width = draw.NARROW_MM if narrow else draw.WIDE_MM
    svg = "" if figure.empty else inline(
        draw.canvas(figure, width), figure.title, figure.description
    )  # fmt: skip
    return facts | {
        "title": figure.title,
        "svg": svg,
        "empty": figure.empty,
        "notes": [*figure.notes, *(f"{s}." for s in [words.spelled(figure.abbreviations)] if s)],
        "tables": [_table(t) for t in tables],
        "statistics": _heading(selection, answer.found) if answer.published else [],
    }


def whom(selection: Selection) -> str:
    """Whom the selection is about, in words."""
    said = [EVERYBODY.get(selection.population, words.plain(selection.population))]
    said += [f"centre {selection.site}"] if selection.site else []
    said += [
        f"{words.inside(words.FACTOR.get(factor, factor))} {words.level(level)}"
        for factor, level in selection.only
    ]
    first, last = selection.first_year, selection.last_year
    if first is not None or last is not None:
        since = f"from {first} on" if last is None else f"up to {last}"
        said.append(f"first treated {since if None in (first, last) else f'{first} to {last}'}")
    return ", ".join(said)


def _models(selection: Selection, found: Found) -> tuple[Exhibit, list[Table]]:
    made = {
        "survival": _survival,
        "incidence": _incidence,
        "response": _response,
        "toxicity": _toxicity,
    }
    return made[selection.question](selection, found)


def _survival(selection: Selection, found: Found) -> tuple[Exhibit, list[Table]]:
    whose = "" if place(selection) and whom(selection) == EVERYBODY["all"] else whom(selection)
    happened = "died" if selection.endpoint == "OS" else "with an event"
    if not selection.by:
        figure = survival.of_rows(
            selection.endpoint, selection.level, found.medians, found.points, whose
        )
        return figure, [looked.survival("", found.medians, found.landmarks, happened)]
    figure = survival.of_levels(
        selection.endpoint, selection.by, found.medians, found.points, found.tested, whose
    )
    numbers = looked.survival(selection.by, found.medians, found.landmarks, happened)
    return figure, [numbers, looked.compared(found.tested)]


def _incidence(selection: Selection, found: Found) -> tuple[Exhibit, list[Table]]:
    whose = "" if whom(selection) == EVERYBODY["all"] else whom(selection)
    figure = incidence.of_rows(selection.competing, found.points, whose=whose)
    return figure, [looked.incidence(found.shares)]


def _response(selection: Selection, found: Found) -> tuple[Exhibit, list[Table]]:
    by_level = _by_level(selection, found)
    figure = classes.of_rows(
        by_level, selection.criterion, selection.confirmation, selection.unit, whom(selection)
    )
    return figure, [looked.response(by_level)]


def _toxicity(selection: Selection, found: Found) -> tuple[Exhibit, list[Table]]:
    by_level = {name: toxicity.terms_of(rows) for name, rows in _by_level(selection, found).items()}
    when = WINDOWS.get(selection.window, selection.window)
    figure = toxicity.bars_of(by_level, selection.version, f"{whom(selection)}, {when}")
    return figure, [looked.toxicity(by_level)]


def _by_level(selection: Selection, found: Found) -> dict[str, list[dict[str, Any]]]:
    by_level: dict[str, list[dict[str, Any]]] = {}
    for row in found.shares:
        name = words.levelled(selection.by, row["factor_level"]) if selection.by else ""
        by_level.setdefault(name, []).append(row)
    return by_level


def _heading(selection: Selection, found: Found) -> list[str]:
    """The statistics that name a published look."""
    rows = found.medians or [r for r in found.shares if r.get("category") == "ORR"]
    if selection.question == "incidence":
        rows = found.shares
    if selection.question == "toxicity":
        rows = [r for r in found.shares if r["grade"] == "any" and r["n"]]
        rows.sort(key=lambda r: -r["n"])
    return [r["statistic_id"] for r in rows[:ANY_STATISTIC]]


def _table(model: Table) -> Mapping[str, Any]:
    return {
        "title": model.title,
        "columns": model.columns,
        "rows": [_row(row) for row in model.rows],
        "empty": model.empty,
    }


def _row(row: Row) -> list[dict[str, str]]:
    """The cells, each with the statistic that it prints."""
    numbers = row.numbers or ((),) * len(row.cells)
    return [
        {"text": text, "statistic": own[0].statistic_id if own else ""}
        for text, own in zip(row.cells, numbers, strict=True)
    ]
