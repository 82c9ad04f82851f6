"""The numbers at the top of the page: each with its interval, its definition and its units."""

from dataclasses import dataclass, replace

from report.figures.model import Number
from report.figures.source import Connection, Record, interval, number, records, said

BOUNDS_HELD = (
    "SELECT 1 FROM information_schema.tables "
    "WHERE table_schema = 'outcomes' AND table_name = 'bounds'"
)
"""Releases of before have no bounds."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One number at the top: its words, value, interval and what exactly it is."""

    words: str
    value: str
    around: str
    definition: str
    numbers: tuple[Number, ...] = ()


def headlines(con: Connection, lesions: str) -> list[Headline]:
    """The numbers at the top.

    Args:
        con: a release's database.
        lesions: which lesions respond there, `treated` or `all`.
    """
    found = [
        _treated(con),
        _survival(con),
        *(
            _response(con, criterion, name, lesions)
            for criterion, name in (("WHO", "who"), ("EASL", "easl"))
        ),
        _follow_up(con),
    ]
    return [_with_bounds(con, headline) for headline in found]


def _with_bounds(con: Connection, headline: Headline) -> Headline:
    """Say beside a number what it could be, where rows are held that can move it."""
    if not headline.numbers or not records(con, BOUNDS_HELD):
        return headline
    number_id = headline.numbers[0].statistic_id
    query = (
        "SELECT * FROM outcomes.bounds WHERE statistic_id = ? AND held_rows > 0 "
        "AND method <> 'none'"
    )
    found = records(con, query, number_id)
    if not found:
        return headline
    (r,) = found
    whose = "1 patient's" if r["patients"] == 1 else f"{r['patients']} patients'"
    beside = f"{interval(r['lower'], r['upper']) or 'not known'} with {whose} held rows"
    return replace(headline, around="; ".join(filter(None, (headline.around, beside))))


def _one(con: Connection, table: str, statistic: str) -> Record | None:
    found = records(con, f"SELECT * FROM outcomes.{table} WHERE statistic_id = ?", statistic)
    return found[0] if found else None


def _treated(con: Connection) -> Headline:
    r = _one(con, "attrition", "attrition.all.1")
    return Headline(
        "Treated patients",
        str(r["n_out"]) if r else "not derivable",
        "",
        "at least one ⁹⁰Y treatment",
        said(r, n_out=0) if r else (),
    )


def _survival(con: Connection) -> Headline:
    r = _one(con, "survival_medians", "survival_medians.all.os.subject.overall.overall.midpoint")
    words = "Median overall survival"
    if not r or not r["n"]:
        return Headline(words, "not derivable", "", "no patient with a known last contact")
    median = number(r["median_months"]) or ("not reached" if r["not_reached"] else "")
    around = interval(r["lower"], r["upper"])
    return Headline(
        words,
        f"{median} months" if r["median_months"] is not None else median or "not evaluable",
        f"95 % CI {around}" if around else "",
        f"{_start(r)}; {r['events']} of {r['n']} died; Kaplan-Meier",
        said(r, median_months=1, lower=1, upper=1, events=0, n=0),
    )


def _start(r: Record) -> str:
    """From where the time runs; a time that is only reported has a start of its own."""
    if r["n"] == r["n_reported"]:
        return "as the source reports it"
    return "from the first ⁹⁰Y treatment"


def _response(con: Connection, criterion: str, name: str, lesions: str) -> Headline:
    r = _one(
        con,
        "response_summary",
        f"response_summary.all.{name}.lesion.all.{lesions}.unconfirmed.orr",
    )
    words = f"{criterion} response by lesion"
    which = "lesions in a treated lobe" if lesions == "treated" else "all lesions"
    if not r or not r["total"]:
        return Headline(words, "not derivable", "", f"no lesion measured; {which}")
    if not r["n_evaluable"]:
        return Headline(words, "not evaluable", "", f"0 of {r['total']} evaluable; {which}")
    return Headline(
        words,
        f"{number(r['pct'])} %",
        f"95 % CI {interval(r['lower'], r['upper'])}",
        f"{r['n']} of {r['total']} {which}; complete or partial, unconfirmed",
        said(r, pct=1, lower=1, upper=1, n=0, total=0),
    )


def _follow_up(con: Connection) -> Headline:
    r = _one(con, "follow_up", "follow_up.all.reverse_km")
    words = "Median follow-up"
    if not r or r["median_months"] is None:
        return Headline(words, "not evaluable", "", "reverse Kaplan-Meier")
    around = interval(r["lower"], r["upper"])
    return Headline(
        words,
        f"{number(r['median_months'])} months",
        f"95 % CI {around}" if around else "",
        f"reverse Kaplan-Meier, n = {r['n']}",
        said(r, median_months=1, lower=1, upper=1, n=0),
    )
