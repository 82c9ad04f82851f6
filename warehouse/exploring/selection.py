"""What is looked at: a question, of whom it is asked, and the SQL that names them.

Every code of a selection is one that the release has; its SQL holds them as quoted text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from schemas.errors import Refused
from schemas.records.endpoints import LEVEL
from schemas.records.factors import BY_ENDPOINT, EVERY_ENDPOINT
from schemas.sections.prognosis import ALWAYS
from schemas.statistic_ids import joined
from warehouse.engine.quoting import literal

Choices = Mapping[str, Any]
QUESTIONS = ("survival", "incidence", "response", "toxicity")
UNITS: Mapping[str, tuple[str, str, str]] = {
    "patients": ("subject", "all", "all"),
    "patients, liver alone": ("subject", "liver", "all"),
    "lesions in a treated lobe": ("lesion", "all", "treated"),
    "all lesions": ("lesion", "all", "all"),
}
"""Unit of a response -> level, organ and kind of lesions in `response_summary`."""
OF_QUESTION = {
    "survival": ("endpoint",),
    "incidence": ("competing",),
    "response": ("criterion", "unit", "confirmation"),
    "toxicity": ("version", "window"),
}
"""What each question asks for besides whom it is asked of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One look.

    Attributes:
        question: survival, incidence (what came first), response or toxicity.
        population: a published one that is not of one centre.
        site: a centre, or empty for all.
        only: (factor, level) pairs that everybody looked at has.
        first_year: first year of a first treatment, or None.
        last_year: the last.
        by: the factor that splits, or empty.
        endpoint: of survival.
        competing: of incidence: an endpoint that another event can rule out.
        criterion: of response, like `unit` and `confirmation`.
        unit: patients or lesions.
        confirmation: whether a response needs a second scan.
        version: of CTCAE, like `window`.
        window: the time after treatment in which toxicity counts.
    """

    question: str = "survival"
    population: str = "all"
    site: str = ""
    only: tuple[tuple[str, str], ...] = ()
    first_year: int | None = None
    last_year: int | None = None
    by: str = ""
    endpoint: str = "OS"
    competing: str = "TTP"
    criterion: str = "WHO"
    unit: str = "patients"
    confirmation: str = "unconfirmed"
    version: str = ""
    window: str = "any"

    @property
    def level(self) -> str:
        """Whose clock the endpoint is: a subject's or a lesion's."""
        return LEVEL.get(self.endpoint, "subject")

    def facts(self) -> dict[str, Any]:
        """What tells this look from others; what its question does not ask for is left out."""
        whom = ("question", "population", "site", "first_year", "last_year", "by")
        told = {n: getattr(self, n) for n in (*whom, *OF_QUESTION[self.question])}
        return told | {"only": [list(pair) for pair in sorted(self.only)]}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a published selection stands: its population, and factor and level where one splits."""

    population: str
    factor: str = ""
    level: str = ""


def choices(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What can be chosen in a release."""
    populations = _column(
        con,
        "SELECT DISTINCT population FROM outcomes.survival_medians ORDER BY population",
    )
    years = con.execute(
        "SELECT min(t0_year), max(t0_year) FROM marts.subjects WHERE treated"
    ).fetchall()
    return {
        "population": [p for p in populations if not p.startswith("site:")],
        "site": [p.removeprefix("site:") for p in populations if p.startswith("site:")],
        "factor": _factors(con),
        "years": list(years[0]),
        "endpoint": _column(con, "SELECT DISTINCT endpoint FROM outcomes.survival_medians"),
        "competing": _column(con, "SELECT DISTINCT endpoint FROM outcomes.incidence_curves"),
        "criterion": _column(con, "SELECT DISTINCT criterion FROM outcomes.response_summary"),
        "unit": list(UNITS),
        "confirmation": ["unconfirmed", "confirmed"],
        "version": _column(con, "SELECT DISTINCT ctcae_version FROM outcomes.toxicity_summary"),
        "window": _column(
            con, "SELECT DISTINCT time_window FROM outcomes.toxicity_summary WHERE grade = '1'"
        ),
    }


def checked(selection: Selection, known: Choices) -> Selection:
    """The selection, once the release knows every code in it.

    Raises:
        Refused: it does not know one, or the question cannot be asked so.
    """
    asked = {"population": selection.population}
    asked |= {name: getattr(selection, name) for name in OF_QUESTION.get(selection.question, ())}
    asked |= {"site": selection.site} if selection.site else {}
    unknown = [f"{n} {code}" for n, code in asked.items() if code not in known[n]]
    unknown += [f"question {selection.question}"] if selection.question not in QUESTIONS else []
    for factor, level in selection.only:
        unknown += [f"{factor} {level}"] if level not in known["factor"].get(factor, ()) else []
    if selection.by and selection.by not in known["factor"]:
        unknown.append(f"factor {selection.by}")
    if unknown:
        raise Refused(f"explore: this release has no {', '.join(unknown)}. Choose from its lists.")
    if len({factor for factor, _ in selection.only}) < len(selection.only):
        raise Refused("explore: one level of a factor at a time. Choose one.")
    if selection.by and selection.question == "survival" and selection.level == "lesion":
        raise Refused(
            "explore: lesions of one patient are not independent, so their curves are not "
            "compared. Choose one level under `only`, or an endpoint of patients."
        )
    return selection


def place(selection: Selection) -> Place | None:
    """Where the selection is published, if a published population and factor are all it names."""
    if selection.first_year is not None or selection.last_year is not None:
        return None
    if selection.site and selection.population != "all":
        return None
    population = f"site:{selection.site}" if selection.site else selection.population
    if not (selection.only or selection.by):
        return Place(population)
    of_lesions = selection.question == "survival" and selection.level == "lesion"
    if (
        selection.question != "survival"
        or of_lesions
        or len(selection.only) + bool(selection.by) > 1
    ):
        return None
    (factor, level) = selection.only[0] if selection.only else (selection.by, "")
    if factor not in EVERY_ENDPOINT and selection.endpoint != ALWAYS:
        return None
    return Place(population, factor, level)


def chosen(selection: Selection) -> str:
    """The query for whom the selection is about."""
    sets = [joined("population", selection.population)]
    sets += [joined("population", f"site:{selection.site}")] if selection.site else []
    parts = [
        f"SELECT subject_id FROM members.member_sets WHERE set_id = {literal(s)}" for s in sets
    ]
    parts += [
        f"SELECT subject_id FROM marts.factor_levels WHERE {_of(selection, factor)} "
        f"AND factor_level = {literal(level)}"
        for factor, level in sorted(selection.only)
    ]
    years = []
    if selection.first_year is not None:
        years.append(f"t0_year >= {int(selection.first_year)}")
    if selection.last_year is not None:
        years.append(f"t0_year <= {int(selection.last_year)}")
    if years:
        parts.append(f"SELECT subject_id FROM marts.subjects WHERE {' AND '.join(years)}")
    return "\n  INTERSECT\n  ".join(parts)


def split(selection: Selection) -> tuple[str, str]:
    """The columns of the level that splits, and the join that gives them; constants where none."""
    if not selection.by:
        return "'' AS factor_level, 0 AS level_number", ""
    return (
        "f.factor_level, f.level_number",
        f"JOIN marts.factor_levels f ON f.subject_id = t.subject_id "
        f"AND {_of(selection, selection.by, 'f.')}\n",
    )


def _of(selection: Selection, factor: str, table: str = "") -> str:
    """The levels of a factor: of a factor by endpoint those of the endpoint that is asked for."""
    own = factor in BY_ENDPOINT and selection.question == "survival"
    endpoint = selection.endpoint if own else ""
    return f"{table}factor = {literal(factor)} AND {table}endpoint = {literal(endpoint)}"


def _factors(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = con.execute(
        "SELECT factor, factor_level FROM marts.factor_levels "
        "GROUP BY ALL ORDER BY factor, min(level_number), factor_level"
    ).fetchall()
    levels: dict[str, list[str]] = {}
    for factor, level in rows:
        levels.setdefault(factor, []).append(level)
    return levels


def _column(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return sorted(str(code) for (code,) in con.execute(query).fetchall())
