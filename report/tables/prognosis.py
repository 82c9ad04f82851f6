"""Prognostic factors beyond those of the series: alone, in the registry's own model, later ones."""

from collections.abc import Iterator
from itertools import groupby

from report.figures import words
from report.figures.model import Cell, Cells, Number, Table, table
from report.figures.source import (
    Connection,
    Record,
    interval,
    number,
    p_value,
    records,
    said,
    said_p,
    signed_p,
)
from schemas.records.factors import EVERY_ENDPOINT

ALONE = """
SELECT u.*, m.median_months, m.lower AS median_lower, m.upper AS median_upper,
    m.statistic_id AS median_id
FROM outcomes.prognosis_univariate u
LEFT JOIN outcomes.survival_medians m
    ON m.population = u.population AND m.endpoint = u.endpoint AND m.level = 'subject'
    AND m.factor = u.factor AND m.factor_level = u.factor_level AND m.rule = 'midpoint'
WHERE u.population = 'all' AND u.endpoint = ? ORDER BY u.factor, u.factor_level
"""


def alone(con: Connection, endpoint: str = "OS") -> Table:
    """Survival at each level of every factor that splits this endpoint and is not drawn."""
    found = [r for r in records(con, ALONE, endpoint) if r["factor"] not in EVERY_ENDPOINT]
    order = list(words.FACTOR)
    in_order = sorted(
        found, key=lambda r: (order.index(r["factor"]), _placed(r["factor"], r["factor_level"]))
    )
    listed = {f: list(own) for f, own in groupby(in_order, lambda r: r["factor"])}
    compared = {f: own for f, own in listed.items() if len(own) > 1}
    single = [words.inside(words.FACTOR[f]) for f in listed if f not in compared]
    notes = [
        f"{len(compared)} factors, each alone: Cox hazard ratio against the first level, p of the "
        "log-rank test, nothing adjusted for their number. Levels as known up to the first ⁹⁰Y "
        "treatment; a patient of unknown level is missing."
    ]
    if single:
        notes.append(f"With one level only, and not compared: {', '.join(single)}.")
    return table(
        "factors-alone",
        f"{words.endpoint(endpoint)} by further factors",
        ("factor", "level", "died/n", "median (months)", "hazard ratio", "p", "missing"),
        (row for own in compared.values() for row in _rows(own)),
        tuple(notes),
        ("CI", "NR", "ALBI"),
        "No further factor has two levels.",
    )


def _placed(factor: str, level: str) -> tuple[int, str]:
    names = words.LEVELS.get(factor, ())
    return (names.index(level) if level in names else len(names), level)


def _rows(own: list[Record]) -> Iterator[Cells]:
    for k, r in enumerate(own):
        median = r | {
            "statistic_id": r["median_id"],
            "lower": r["median_lower"],
            "upper": r["median_upper"],
        }
        shown = f"{number(r['median_months']) or 'NR'} ({interval(*_limits(median))})"
        yield (
            words.FACTOR[r["factor"]] if k == 0 else "",
            words.level(r["factor_level"]),
            Cell(f"{r['events']}/{r['n']}", said(r, events=0, n=0)),
            Cell(shown, said(median, median_months=1, lower=1, upper=1)),
            _ratio(r),
            Cell(p_value(r["p"]), said_p(r)) if k == 0 and r["p"] is not None else "",
            Cell(str(r["missing"]), said(r, missing=0)) if k == 0 else "",
        )


def _limits(r: Record) -> tuple[float | None, float | None]:
    return r["lower"], r["upper"]


def _ratio(r: Record) -> Cell | str:
    if r["hr"] is None:
        return r["reason"] or ""
    digits = 3 if r.get("entered") == "per_unit" else 2
    printed = f"{number(r['hr'], digits)} ({interval(*_limits(r), digits)})"
    return Cell(printed, said(r, hr=digits, lower=digits, upper=digits))


OWN = """
SELECT * FROM outcomes.prognosis_models WHERE population = 'all' AND endpoint = ?
"""
RESIDUALS = """
SELECT * FROM outcomes.prognosis_residuals WHERE population = 'all' AND endpoint = ?
ORDER BY term, fifth
"""
SETTLED = """
SELECT * FROM outcomes.survival_by_settled_factor WHERE population = 'all' AND endpoint = ?
ORDER BY factor, factor_level
"""
CLOCK = {
    "t0": "The clock starts at the first ⁹⁰Y treatment.",
    "course_end": "The clock starts at the end of the planned course, of those observed beyond it.",
}
AS = {
    "per_unit": "per unit, linear",
    "time_dependent": "as it comes with time",
    "stratum": "stratum",
    "left_out": "not in the model",
}
NO_MODEL = "The settings ask for no model of the registry's own (prognosis.terms, p_enter)."


def own_model(con: Connection, endpoint: str = "OS") -> Table:
    """The registry's own model: every term with its levels, and what was left out, and why."""
    found = records(con, OWN, endpoint)
    order = list(words.FACTOR)

    def place(r: Record) -> tuple[int, tuple[int, str]]:
        return order.index(r["term"]), _placed(r["term"], r["factor_level"])

    entered = [r for r in found if r["entered"] in ("levels", "per_unit", "time_dependent")]
    outside = [r for r in found if r["entered"] in ("stratum", "left_out")]
    listed = sorted(entered, key=place) + sorted(outside, key=place)
    whole = next((r for r in found if r["term"] == "global"), None)
    return table(
        "own-model",
        f"{words.endpoint(endpoint)}: the registry's own model",
        (
            "term",
            "level",
            "died/n",
            "hazard ratio",
            "p",
            "p alone",
            "proportional hazards, p",
        ),
        _model_rows(listed),
        tuple(_model_notes(whole)) if whole else (),
        ("CI", "ALBI", "ECOG"),
        "" if found else NO_MODEL,
    )


def _model_rows(listed: list[Record]) -> Iterator[Cells]:
    seen: set[str] = set()
    for r in listed:
        first = r["term"] not in seen
        seen.add(r["term"])
        level = words.level(r["factor_level"]) if r["factor_level"] else AS[r["entered"]]
        if r["entered"] == "time_dependent":
            level = f"{level} ({AS['time_dependent']})"
        if r["entered"] == "per_unit":
            level = f"{r['reference']}, linear"
        counts = f"{r['events_level']}/{r['n_level']}" if r["n_level"] is not None else ""
        yield (
            words.FACTOR[r["term"]] if first else "",
            level,
            Cell(counts, said(r, events_level=0, n_level=0)) if counts else "",
            _ratio(r),
            Cell(p_value(r["p"]), said_p(r)) if r["p"] is not None else "",
            _p(r, "p_alone") if first else "",
            _p(r, "ph_p") if first else "",
        )


def _p(r: Record, name: str) -> Cell | str:
    if r[name] is None:
        return ""
    return Cell(p_value(r[name]), (Number(r["statistic_id"], name, p_value(r[name])),))


def _model_notes(whole: Record) -> Iterator[str]:
    few = whole["events_per_variable"]
    fewer = " Fewer than 10: the model may fit chance." if few is not None and few < 10 else ""
    yield (
        f"Cox's model, Efron's ties, complete cases. {CLOCK[whole['start']]} {whole['n']} patients "
        f"with {whole['events']} events and {whole['coefficients']} coefficients: "
        f"{number(few) or 'no'} events per variable.{fewer} Left out: {whole['missing']} for a "
        f"missing covariate, {whole['left_out_dead']} with the event up to the start, "
        f"{whole['left_out_censored']} not observed beyond it."
    )
    if whole["ph_p"] is not None:
        yield f"Proportional hazards, all terms together: {signed_p(p_value(whole['ph_p']))}."
    if whole["ph_p"] is None and whole["reason"]:
        yield f"{whole['reason'][0].upper()}{whole['reason'][1:]}."
    yield (
        "p alone: likelihood ratio of the term by itself, on the same clock and strata. A level "
        "comes with time where it is settled after the start: until its day a patient is at the "
        "reference."
    )


def linearity(con: Connection, endpoint: str = "OS") -> Table:
    """Mean martingale residuals by fifths of each number in the registry's own model."""
    found = records(con, RESIDUALS, endpoint)
    return table(
        "linearity",
        "Is the effect of a number linear?",
        ("term", "fifth", "patients", "mean value", "mean martingale residual"),
        (
            (
                words.FACTOR[r["term"]] if r["fifth"] == 1 else "",
                str(r["fifth"]),
                str(r["n"]),
                number(r["mean_value"], 1),
                number(r["mean_residual"], 3),
            )
            for r in found
        ),
        (
            "Residuals of the model without the term: events less those expected, a patient. Where "
            "the effect is linear they rise or fall evenly with the value; a bend says that levels "
            "or another scale fit better.",
        ),
        (),
        "No number is in the registry's own model (prognosis.continuous).",
    )


def from_course_end(con: Connection, endpoint: str = "OS") -> Table:
    """Survival from the end of the planned course by what the course settled."""
    found = records(con, SETTLED, endpoint)
    order = list(words.FACTOR)
    listed = sorted(
        found, key=lambda r: (order.index(r["factor"]), _placed(r["factor"], r["factor_level"]))
    )
    return table(
        "from-course-end",
        f"{words.endpoint(endpoint)} from the end of the planned course",
        ("factor", "level", "died/n", "median (months)", "hazard ratio", "p", "missing"),
        _settled_rows(listed),
        (
            "Lobes, sessions and dose are known when the course ends, so that time counts from its "
            "last session, of those alive and observed beyond it: from the first treatment on they "
            "would be immortal time."
            + (
                f" Left out: {found[0]['left_out_dead']} who died by then, "
                f"{found[0]['left_out_censored']} not observed beyond."
                if found
                else ""
            ),
        ),
        ("CI", "NR"),
        "No treated patient has a planned course.",
    )


def _settled_rows(listed: list[Record]) -> Iterator[Cells]:
    for _, group in groupby(listed, lambda r: r["factor"]):
        for k, r in enumerate(group):
            shown = f"{number(r['median_months']) or 'NR'} ({interval(r['lower'], r['upper'])})"
            ratio = r | {"lower": r["hr_lower"], "upper": r["hr_upper"]}
            printed = f"{number(r['hr'], 2)} ({interval(r['hr_lower'], r['hr_upper'], 2)})"
            yield (
                words.FACTOR[r["factor"]] if k == 0 else "",
                words.level(r["factor_level"]),
                Cell(f"{r['events']}/{r['n']}", said(r, events=0, n=0)),
                Cell(shown, said(r, median_months=1, lower=1, upper=1)),
                _ratio(ratio)
                if r["hr"] is None
                else Cell(printed, said(r, hr=2, hr_lower=2, hr_upper=2)),
                _p(r, "p") if k == 0 else "",
                Cell(str(r["missing"]), said(r, missing=0)) if k == 0 else "",
            )
