"""Best responses of patients or lesions as bars, one a group: every class, and not evaluable."""

from collections.abc import Mapping
from dataclasses import dataclass

from report.figures import words
from report.figures.model import Exhibit
from report.figures.source import Record, interval, number, said

CLASSES = ("CR", "PR", "SD", "PD", "NE")
NOT_COUNTED = "Nothing could be evaluated under this criterion."


@dataclass(frozen=True, slots=True)
class Bar:
    """One group: how many are in each class, of how many, and its response rate as printed."""

    name: str
    total: int
    counts: tuple[tuple[str, int], ...]
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes(Exhibit):
    """Bars of best responses, one a group."""

    axis: str
    bars: tuple[Bar, ...] = ()


def of_rows(
    by_level: Mapping[str, list[Record]], criterion: str, confirmation: str, unit: str, whose: str
) -> Classes:
    """The bars of groups.

    Args:
        by_level: name of a group -> its rows of `response_summary`.
        criterion: by which the response is judged.
        confirmation: `unconfirmed` or `confirmed`.
        unit: what is counted: patients, or lesions of a kind.
        whose: of whom.
    """
    bars = tuple(
        bar
        for name, rows in by_level.items()
        if (bar := _bar(name, {r["category"]: r for r in rows})) is not None
    )
    shown = [r for rows in by_level.values() for r in rows if r["category"] in CLASSES]
    told = "; ".join(f"{b.name or 'all'}: {b.rate}" for b in bars)
    return Classes(
        id="response-classes",
        title=f"Best response by {criterion}, {confirmation}, {unit}: {whose}",
        description=f"Objective response: {told or 'none'}.",
        n=sum(b.total for b in bars) or None,
        notes=(
            "Number in a bar: so many with that best response. Who could not be evaluated stays in "
            "the denominator.",
        ),
        abbreviations=("CR", "NE", "ORR", "PD", "PR", "SD", criterion.split()[0]),
        numbers=tuple(n for r in shown if r["statistic_id"] for n in said(r, n=0)),
        empty="" if bars else NOT_COUNTED,
        axis=f"{words.capital(unit)} (%)",
        bars=bars,
    )


def _bar(name: str, rows: dict[str, Record]) -> Bar | None:
    counts = tuple((c, rows[c]["n"]) for c in CLASSES if c in rows and rows[c]["n"] is not None)
    rate = rows.get("ORR")
    if rate is None or not rate["total"] or rate["n"] is None:
        return None
    around = interval(rate["lower"], rate["upper"])
    told = f"ORR {rate['n']} of {rate['total']}, {number(rate['pct'])} %"
    return Bar(name, rate["total"], counts, f"{told} ({around})" if around else told)
