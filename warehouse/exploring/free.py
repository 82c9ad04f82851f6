"""Estimate a free selection from the marts, by the estimators of the published tables.

The engine counts, and the same functions estimate that make the outcome tables: for a selection
that is published both give the same numbers, bit by bit.
"""

from collections.abc import Iterable, Iterator

import duckdb
import numpy as np

from analytics.estimators.clustered import Pairs, clustered
from analytics.estimators.event_counts import Group, Key
from analytics.estimators.kaplan_meier import Curve, EventTable, kaplan_meier, median, survival_at
from analytics.estimators.proportions import exact
from analytics.estimators.shares import cut, share, weights_of
from analytics.outcomes.response import MEMBERSHIP
from analytics.outcomes.survival import DAYS_PER_MONTH, in_months
from analytics.prognosis.alone import univariate
from schemas.codes import UNREADABLE
from schemas.contract import column_names
from schemas.records.ctcae_terms import ALWAYS_PUBLISHED, NOT_HELD
from schemas.settings import ResponseSettings, SurvivalSettings
from schemas.tables.outcomes import RESPONSE_CATEGORIES, PrognosisUnivariate
from warehouse.engine.quoting import literal
from warehouse.exploring.found import Found, Row, rows
from warehouse.exploring.selection import UNITS, Selection, chosen, split

FREE = "selection"
"""Stands where a published row names its population."""
UNDECIDED = -1
"""Stands for the grade of an event of which it cannot be read whether it followed treatment."""


def survival(
    con: duckdb.DuckDBPyConnection, selection: Selection, settings: SurvivalSettings
) -> Found:
    """The curves of a free selection, with medians, landmarks and tests."""
    query, paired = counts(selection), pairs(selection)
    levels = _groups(rows(con, query), selection)
    queries = [query]
    if not levels:
        return Found(tuple(queries))
    pairs_of = _pairs(rows(con, paired)) if selection.level == "lesion" else None
    queries += [paired] if pairs_of is not None else []
    curves = [(group, _curve(group, settings, pairs_of)) for group in levels]
    return Found(
        tuple(queries),
        medians=[_median(group, curve) for group, curve in curves],
        points=[point for group, curve in curves for point in _points(group, curve)],
        landmarks=[
            _landmark(group, curve, months)
            for group, curve in curves
            for months in settings.landmarks_months
        ],
        tested=_tested(con, levels, selection, settings) if selection.by else [],
        fewest=min(r["n"] for r in rows(con, patients(selection))),
    )


def counts(selection: Selection) -> str:
    """The query that counts events and censorings per distinct time."""
    columns, join = split(selection)
    return (
        f"WITH chosen AS (\n  {chosen(selection)}\n)\n"
        f"SELECT {columns}, t.time_days::DOUBLE AS days,\n"
        "  count(*) FILTER (t.event) AS events, count(*) FILTER (NOT t.event) AS censored,\n"
        "  count(*) FILTER (t.origin = 'reported') AS reported\n"
        "FROM marts.time_to_event t\nSEMI JOIN chosen USING (subject_id)\n"
        f"{join}{_of_endpoint(selection)}\n"
        "GROUP BY ALL\nORDER BY level_number, factor_level, days"
    )


def patients(selection: Selection) -> str:
    """The query that counts the patients behind each curve."""
    columns, join = split(selection)
    return (
        f"SELECT {columns}, count(DISTINCT t.subject_id) AS n FROM marts.time_to_event t {join}"
        f"{_of_endpoint(selection)} AND t.subject_id IN ({chosen(selection)}) GROUP BY ALL"
    )


def pairs(selection: Selection) -> str:
    """The query that counts the pairs of lesions of one patient, for their interval."""
    return (
        f"WITH chosen AS (\n  {chosen(selection)}\n), t AS (\n"
        "  SELECT subject_id, time_days::DOUBLE AS days, event::INTEGER AS event\n"
        f"  FROM marts.time_to_event t SEMI JOIN chosen USING (subject_id)\n"
        f"  {_of_endpoint(selection)}\n)\n"
        "SELECT a.days AS first_days, a.event AS first_event, b.days AS second_days,\n"
        "  b.event AS second_event, count(*) AS n\n"
        "FROM t a JOIN t b USING (subject_id)\nGROUP BY ALL\nORDER BY ALL"
    )


def response(
    con: duckdb.DuckDBPyConnection, selection: Selection, settings: ResponseSettings
) -> Found:
    """The shares of each best response of a free selection."""
    query = profiles(selection)
    table = con.execute(query).to_arrow_table()
    by_lesion = UNITS[selection.unit][0] == "lesion"
    by_level = dict(cut(table, ("level_number", "factor_level"), RESPONSE_CATEGORIES))
    shares = [
        {"factor_level": name, "category": category, "statistic_id": None}
        | _no_share()
        | share(found, category, weights, settings, of_evaluable=category != "NE")
        for (_, name), found in sorted(by_level.items())
        for weights in [weights_of(found, settings) if by_lesion else None]
        for category in MEMBERSHIP
    ]
    sizes_of = [int(found.clusters.sum()) for found in by_level.values()]
    return Found((query,), shares=shares, fewest=min(sizes_of, default=None))


def profiles(selection: Selection) -> str:
    """The query that counts patients by how many of their units are in each category."""
    level, organ, lesions = UNITS[selection.unit]
    columns, join = split(selection)
    of = f"t.criterion = {literal(selection.criterion)} AND t.confirmation = "
    of += literal(selection.confirmation)
    if level == "subject":
        of += f" AND t.organ = {literal(organ)}"
    elif lesions != "all":
        of += f" AND t.treated = {lesions == 'treated'}"
    flags = {c: _flag(c, level) for c in RESPONSE_CATEGORIES}
    counted = [f"count(*) FILTER ({flag}) AS n_{c}" for c, flag in flags.items()]
    counted += [f"count(*) FILTER ({flag} AND t.evaluable) AS e_{c}" for c, flag in flags.items()]
    return (
        f"WITH chosen AS (\n  {chosen(selection)}\n), patients AS (\n"
        f"  SELECT {columns}, t.subject_id, count(*) AS total,\n"
        "    count(*) FILTER (t.evaluable) AS evaluable,\n    "
        + ",\n    ".join(counted)
        + f"\n  FROM marts.{level}_response t SEMI JOIN chosen USING (subject_id)\n  {join}"
        f"  WHERE {of}\n  GROUP BY ALL\n)\n"
        "SELECT * EXCLUDE (subject_id), count(*) AS clusters FROM patients GROUP BY ALL"
    )


def toxicity(con: duckdb.DuckDBPyConnection, selection: Selection) -> Found:
    """The worst grades of each term in a free selection."""
    graded, sized = grades(selection), sizes(selection)
    size = {r["factor_level"]: r for r in rows(con, sized)}
    found: dict[tuple[str, str, str], dict[int | None, int]] = {}
    for r in rows(con, graded):
        cell = found.setdefault((r["factor_level"], r["source"], r["term"]), {})
        cell[r["worst_grade"]] = r["n"]
    terms = {(source, term) for _, source, term in found}
    terms |= {("event", term) for term in ALWAYS_PUBLISHED}
    if selection.version in NOT_HELD:
        terms = {(source, term) for source, term in terms if source != "event"}
    shares = [
        {"factor_level": level, "source": source, "term": term, "statistic_id": None} | row
        for level, own in size.items()
        for source, term in sorted(terms)
        for row in _graded(source, found.get((level, source, term), {}), own)
    ]
    return Found((graded, sized), shares=shares)


def grades(selection: Selection) -> str:
    """The query that counts patients by term and worst grade."""
    columns, join = split(selection)
    return (
        f"WITH chosen AS (\n  {chosen(selection)}\n)\n"
        f"SELECT {columns}, t.source, t.term,\n"
        "  CASE WHEN t.source = 'event' AND t.emergent IS NULL AND "
        f"t.reason = {literal(UNREADABLE)}\n    THEN {UNDECIDED} ELSE t.worst_grade END "
        "AS worst_grade, count(*) AS n\n"
        "FROM marts.toxicity t SEMI JOIN chosen USING (subject_id)\n"
        f"{join}WHERE t.ctcae_version = {literal(selection.version)} "
        f"AND t.time_window = {literal(selection.window)}\nGROUP BY ALL ORDER BY ALL"
    )


def sizes(selection: Selection) -> str:
    """The query for the treated of each level, and those whose centre records adverse events."""
    columns, join = split(selection)
    return (
        f"WITH chosen AS (\n  {chosen(selection)}\n), recording AS (\n"
        "  SELECT DISTINCT population FROM outcomes.toxicity_summary\n"
        "  WHERE source = 'event' AND total > 0 AND population LIKE 'site:%'\n)\n"
        f"SELECT {columns}, count(*) AS n_treated,\n"
        "  count(*) FILTER ('site:' || t.site_id IN (FROM recording)) AS n_recording\n"
        f"FROM marts.subjects t SEMI JOIN chosen USING (subject_id)\n{join}"
        "GROUP BY ALL ORDER BY level_number, factor_level"
    )


def _of_endpoint(selection: Selection) -> str:
    sign = ">" if selection.level == "lesion" else "="
    return f"WHERE t.endpoint = {literal(selection.endpoint)} AND t.lesion_number {sign} 0"


def _groups(counted: list[Row], selection: Selection) -> list[Group]:
    """One event table per level, the reference first."""
    names = dict.fromkeys((r["level_number"], r["factor_level"]) for r in counted)
    return [
        _group(
            [r for r in counted if r["factor_level"] == level],
            Key(FREE, selection.endpoint, selection.level, selection.by, level),
            number,
        )
        for number, level in names
    ]


def _group(counted: list[Row], key: Key, number: int) -> Group:
    columns = [np.array([r[n] for r in counted]) for n in ("days", "events", "censored")]
    return Group(key, number, EventTable(*columns), sum(r["reported"] for r in counted))


def _pairs(counted: list[Row]) -> Pairs:
    names = ("first_days", "first_event", "second_days", "second_event", "n")
    return Pairs(*(np.array([r[n] for r in counted]) for n in names))


def _curve(group: Group, settings: SurvivalSettings, pairs_of: Pairs | None) -> Curve:
    curve = kaplan_meier(group.table, settings.conf_type, settings.conf_level)
    return curve if pairs_of is None else clustered(curve, pairs_of)


def _median(group: Group, curve: Curve) -> Row:
    estimate = median(curve, "midpoint")
    banded = group.key.level == "subject" or bool(np.any(curve.std_err > 0))
    return group.key.record() | {
        "statistic_id": None,
        "n": group.table.n,
        "n_reported": group.reported,
        "events": int(group.table.events.sum()),
        "median_months": in_months(estimate.value),
        "lower": in_months(estimate.lower) if banded else None,
        "upper": in_months(estimate.upper) if banded else None,
        "not_reached": estimate.not_reached,
        "reason": None if group.table.events.any() else "no_events",
    }


def _points(group: Group, curve: Curve) -> Iterator[Row]:
    arrays = (
        curve.time, curve.at_risk, curve.events, curve.censored, curve.survival, curve.lower,
        curve.upper,
    )  # fmt: skip
    for days, at_risk, events, censored, level, *band in zip(
        *(a.tolist() for a in arrays), strict=True
    ):
        lower, upper = (None if limit != limit else limit for limit in band)
        yield {
            "factor_level": group.key.factor_level,
            "days": days,
            "at_risk": at_risk,
            "events": events,
            "censored": censored,
            "survival": level,
            "lower": lower,
            "upper": upper,
        }


def _landmark(group: Group, curve: Curve, months: int) -> Row:
    read = survival_at(curve, months * DAYS_PER_MONTH)
    return group.key.record() | {
        "statistic_id": None,
        "months": months,
        "survival": read.value,
        "lower": read.lower,
        "upper": read.upper,
        "at_risk": read.at_risk,
        "n": group.table.n,
        "reason": read.reason,
    }


def _tested(
    con: duckdb.DuckDBPyConnection,
    levels: list[Group],
    selection: Selection,
    settings: SurvivalSettings,
) -> list[Row]:
    """Log-rank test and hazard ratios of the levels; those of unknown level count as missing."""
    (n,) = con.execute(
        f"SELECT count(*) FROM marts.time_to_event t {_of_endpoint(selection)} "
        f"AND t.subject_id IN ({chosen(selection)})"
    ).fetchall()[0]
    everybody = Group(
        Key(FREE, selection.endpoint, selection.level, "", ""), 0, _of_so_many(int(n))
    )
    return [
        dict.fromkeys(column_names(PrognosisUnivariate)) | row | {"statistic_id": None}
        for row in univariate([everybody, *levels], settings)
    ]


def _of_so_many(n: int) -> EventTable:
    """A table of which only the number of patients is asked."""
    return EventTable(np.zeros(1), np.zeros(1, np.int64), np.array([n]))


def _flag(category: str, level: str) -> str:
    if category in MEMBERSHIP:
        return f"t.best_response IN ({', '.join(map(literal, MEMBERSHIP[category]))})"
    if category == "pd_before_course_end" and level == "lesion":
        return "false"
    return f"coalesce(t.{category}, false)"


def _no_share() -> Row:
    return dict.fromkeys(("n", "pct", "lower", "upper", "reason"))


def _graded(source: str, by_grade: dict[int | None, int], size: Row) -> Iterable[Row]:
    """The rows of a term: each grade, any of them, three or worse."""
    worst = 4 if source == "lab" else 5
    single = {str(g): by_grade.get(g, 0) for g in range(1, worst + 1)}
    severe = sum(n for grade, n in single.items() if int(grade) >= 3)
    ungraded = by_grade.get(None, 0) if source == "event" else 0
    undecided = by_grade.get(UNDECIDED, 0)
    total = sum(by_grade.values()) if source == "lab" else size["n_recording"]
    counted = single | {"any": sum(single.values()) + ungraded, "ge3": severe}
    for grade, n in counted.items():
        open_ = not total or undecided or (ungraded and grade != "any")
        row: Row = {"grade": grade, "total": total, "n_treated": size["n_treated"]} | _no_share()
        if not open_:
            pct, lower, upper = exact(n, total)
            row |= {"n": n, "pct": pct, "lower": lower, "upper": upper}
        yield row
