"""Read a published selection from the outcome tables."""

import duckdb

from schemas.records.endpoints import LEVEL
from warehouse.engine.quoting import literal
from warehouse.exploring.found import Found, rows
from warehouse.exploring.selection import UNITS, Place, Selection

MEDIANS = (
    "SELECT * FROM outcomes.survival_medians\nWHERE {key} AND rule = 'midpoint'\n"
    "ORDER BY factor_level"
)
POINTS = (
    "SELECT factor_level, time_days::DOUBLE AS days, at_risk, events, censored, survival, lower, "
    "upper\nFROM outcomes.survival_curves\nWHERE {key}\nORDER BY factor_level, time_days"
)
LANDMARKS = "SELECT * FROM outcomes.survival_landmarks\nWHERE {key}\nORDER BY factor_level, months"
CAUSES = (
    "SELECT cause, time_days::DOUBLE AS time_days, at_risk, events, censored, incidence, lower, "
    "upper\nFROM outcomes.incidence_curves\nWHERE {key}\nORDER BY time_days, cause"
)
CAME_FIRST = "SELECT * FROM outcomes.cumulative_incidence\nWHERE {key}\nORDER BY cause, months"
TESTED = "SELECT * FROM outcomes.prognosis_univariate\nWHERE {key}\nORDER BY factor_level"


def survival(con: duckdb.DuckDBPyConnection, selection: Selection, place: Place) -> Found:
    """The curves, medians, landmarks and tests of a published selection."""
    key = {
        "population": place.population,
        "endpoint": selection.endpoint,
        "level": selection.level,
        "factor": place.factor,
    }
    key |= {"factor_level": place.level} if place.level else {}
    of_test = {n: key[n] for n in ("population", "endpoint", "factor")}
    queries = [q.format(key=where(key)) for q in (MEDIANS, POINTS, LANDMARKS)]
    if selection.by:
        queries.append(TESTED.format(key=where(of_test)))
    medians, points, landmarks, *tested = [rows(con, q) for q in queries]
    return Found(
        tuple(queries),
        medians=medians,
        points=points,
        landmarks=landmarks,
        tested=tested[0] if tested else [],
    )


def incidence(con: duckdb.DuckDBPyConnection, selection: Selection, place: Place) -> Found:
    """The curves of every cause, and their landmarks."""
    key = {
        "population": place.population,
        "endpoint": selection.competing,
        "level": LEVEL[selection.competing],
    }
    queries = [q.format(key=where(key)) for q in (CAUSES, CAME_FIRST)]
    points, shares = (rows(con, q) for q in queries)
    return Found(tuple(queries), points=points, shares=shares)


def response(con: duckdb.DuckDBPyConnection, selection: Selection, place: Place) -> Found:
    """The shares of each best response."""
    level, organ, lesions = UNITS[selection.unit]
    key = {
        "population": place.population,
        "criterion": selection.criterion,
        "level": level,
        "organ": organ,
        "lesions": lesions,
        "confirmation": selection.confirmation,
    }
    return _shares(con, f"SELECT * FROM outcomes.response_summary\nWHERE {where(key)}")


def toxicity(con: duckdb.DuckDBPyConnection, selection: Selection, place: Place) -> Found:
    """The worst grades of each term."""
    key = {
        "population": place.population,
        "ctcae_version": selection.version,
        "time_window": selection.window,
    }
    order = "ORDER BY source, term, grade"
    return _shares(con, f"SELECT * FROM outcomes.toxicity_summary\nWHERE {where(key)}\n{order}")


def where(key: dict[str, str]) -> str:
    """A condition of SQL: every column equals its code."""
    return " AND ".join(f"{name} = {literal(code)}" for name, code in key.items())


def _shares(con: duckdb.DuckDBPyConnection, query: str) -> Found:
    return Found((query,), shares=[{"factor_level": ""} | row for row in rows(con, query)])
