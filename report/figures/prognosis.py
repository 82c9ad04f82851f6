"""Prognostic factors of overall survival, one at a time and together, on one axis."""

from collections.abc import Iterator
from dataclasses import dataclass

from report.figures import words
from report.figures.model import Exhibit, Number
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

MODEL = "univariate_p"
"""The model that is drawn: the factors whose p, taken alone, is below the setting."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A hazard ratio with its interval, and both as printed."""

    ratio: float
    lower: float | None
    upper: float | None
    printed: str
    p: str
    numbers: tuple[Number, ...] = ()
    """The ratio with its limits, and p where there is one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One level of a factor against its reference, alone and together with the others."""

    factor: str
    level: str
    counts: str
    alone: Estimate | None
    together: Estimate | None
    why: str
    """Why there is no estimate together."""
    counted: tuple[Number, ...] = ()
    """The numbers in `counts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest(Exhibit):
    """Lines in the order of the factors."""

    lines: tuple[Line, ...] = ()


def forest(con: Connection, endpoint: str = "OS") -> Forest:
    """Each factor's hazard ratio, alone and in the model of the selected factors."""
    tested = records(
        con,
        "SELECT * FROM outcomes.prognosis_univariate WHERE population = 'all' AND endpoint = ? "
        "ORDER BY factor, factor_level",
        endpoint,
    )
    alone = [r for r in tested if r["factor"] in EVERY_ENDPOINT]
    together = records(
        con,
        "SELECT * FROM outcomes.prognosis_multivariable WHERE population = 'all' "
        "AND endpoint = ? AND model = ?",
        endpoint,
        MODEL,
    )
    by_term = {r["term"]: r for r in together}
    order = list(words.FACTOR)
    factors = sorted(
        {r["factor"] for r in alone},
        key=lambda f: (order.index(f) if f in order else len(order), f),
    )
    lines = [
        line
        for factor in factors
        for line in _lines(factor, [r for r in alone if r["factor"] == factor], by_term)
    ]
    whole = by_term.get("global") or next(iter(together), {})
    name = words.inside(words.endpoint(endpoint))
    return Forest(
        id=f"forest-{endpoint.lower()}",
        title=f"Prognostic factors of {name}",
        description="; ".join(_told(line) for line in lines if line.alone),
        n=whole.get("n"),
        notes=tuple(_notes(whole, alone, together)),
        abbreviations=("CI", "HR"),
        numbers=tuple(_numbers(alone, together)),
        empty=""
        if any(line.alone or line.together for line in lines)
        else "No factor could be compared: each has one level only, or no event.",
        lines=tuple(lines),
    )


def _lines(factor: str, own: list[Record], by_term: dict[str, Record]) -> Iterator[Line]:
    """The lines of a factor: one a level, or one that says why there is none."""
    label = words.FACTOR.get(factor, words.plain(factor))
    reference = next((r for r in own if r["reason"] == "reference"), None)
    compared = [r for r in own if r["hr"] is not None or r["firth_hr"] is not None]
    joint = by_term.get(factor)
    if not compared or reference is None:
        reason = next((r["reason"] for r in own if r["reason"]), "not compared")
        yield Line(label, "", "", None, None, reason)
        return
    for r in compared:
        level = words.level(r["factor_level"])
        beside = words.level(reference["factor_level"])
        counts = f"{r['events']}/{r['n']} vs {reference['events']}/{reference['n']}"
        fitted = joint is not None and joint["hr"] is not None
        why = "" if fitted else (joint or {}).get("reason") or "not in the model"
        yield Line(
            label,
            f"{level} vs {beside}",
            counts,
            _estimate(r),
            _estimate(joint) if joint and fitted else None,
            why,
            (*said(r, events=0, n=0), *said(reference, events=0, n=0)),
        )


def _estimate(r: Record) -> Estimate:
    """An estimate as printed; `F` marks Firth's, where Cox's has no maximum."""
    penalised = r.get("method") == "Firth" or r["hr"] is None
    prefix = "firth_" if r["hr"] is None else ""
    ratio, low, high = (r[f"{prefix}{name}"] for name in ("hr", "lower", "upper"))
    printed = f"{number(ratio, 2)} ({interval(low, high, 2)})"
    shown = said(r, **{f"{prefix}{name}": 2 for name in ("hr", "lower", "upper")}) + said_p(r)
    return Estimate(ratio, low, high, printed + (" F" if penalised else ""), p_value(r["p"]), shown)


def _told(line: Line) -> str:
    together = f", together {line.together.printed}" if line.together else ""
    return f"{line.factor} {line.level}: HR {line.alone.printed if line.alone else ''}{together}"


def _notes(whole: Record, alone: list[Record], together: list[Record]) -> Iterator[str]:
    yield (
        "Alone: Cox hazard ratio, p of the log-rank test. Together: one Cox model of the factors "
        "whose p alone is below the setting. Above 1 means worse than the reference. Died/n of the "
        "level vs of the reference."
    )
    per = whole.get("events_per_variable")
    if per is not None:
        warning = " Fewer than 10: the model may fit chance." if per < 10 else ""
        yield (
            f"{whole['events']} deaths of {whole['n']} patients, {number(per)} events per variable."
            f"{warning}"
        )
    if whole.get("ph_p") is not None:
        yield (
            f"Proportional hazards, all factors together: {signed_p(p_value(whole['ph_p']))}. "
            f"Concordance {number(whole['concordance'], 2)}."
        )
    if any(r.get("method") == "Firth" for r in together) or any(r["firth_hr"] for r in alone):
        yield "F: Firth's penalised likelihood, where a level has no event."


def _numbers(alone: list[Record], together: list[Record]) -> Iterator[Number]:
    for r in (*alone, *together):
        if r["hr"] is not None:
            for name in ("hr", "lower", "upper"):
                if r[name] is not None:
                    yield Number(r["statistic_id"], name, number(r[name], 2))
            yield Number(r["statistic_id"], "p", p_value(r["p"]))
