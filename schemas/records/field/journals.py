"""How journals print numbers: a record each, dated, with its source.

The widths and types of the publishers are those that a journal asks of its authors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.records.record import checked

ENDLESS = float("inf")
AMA = "AMA Manual of Style, 11th ed., 18.7.1 and 19.5, as JMIR Publications cites it (read 2026-11)"
ELSEVIER = "Elsevier, artwork sizing: one column 90 mm, two 190 mm; not read again here"


@dataclass(frozen=True, slots=True)
class Journal:
    """One style.

    Attributes:
        code: what `y90 paper --style` takes.
        label: whose style it is.
        source: where its rules stand.
        decimal: the decimal sign.
        between: what stands between the limits of an interval.
        percent: what stands after a percentage.
        p: the letter of a p-value.
        p_digits: decimals of a p-value below each limit, from the smallest on.
        p_least: below it, no value is printed.
        p_zero: whether a zero stands before the decimal sign of a p-value.
        column_mm: width of a figure over one column and over two.
        font: the typeface of the manuscript; `size_pt` its size.
    """

    code: str
    label: str
    source: str
    decimal: str = "."
    between: str = " to "
    percent: str = "\u00a0%"
    p: str = "p"
    p_digits: tuple[tuple[float, int], ...] = ((0.01, 4), (ENDLESS, 3))
    p_least: float = 0.0001
    p_zero: bool = True
    column_mm: tuple[int, int] = (85, 178)
    font: str = "Calibri"
    size_pt: int = 11


def _problems(record: Journal) -> Iterator[str]:
    limits = [limit for limit, _ in record.p_digits]
    if limits != sorted(limits) or limits[-1] != ENDLESS:
        yield "the limits of p_digits do not rise to the end. Put them in order, the last endless."
    if not 0 < record.column_mm[0] < record.column_mm[1] <= 210:
        yield "column_mm is no pair of widths on a page. Give one column and two, in mm."


AMA_P = ((0.01, 3), (ENDLESS, 2))
RECORDS = checked(
    "journals",
    (
        Journal("plain", "no journal's: as the report prints", "the report"),
        Journal(
            "jama",
            "JAMA and others that follow the AMA Manual of Style",
            AMA,
            percent="%",
            p="P",
            p_digits=AMA_P,
            p_least=0.001,
            p_zero=False,
            font="Times New Roman",
            size_pt=12,
        ),
        Journal(
            "jvir",
            "Journal of Vascular and Interventional Radiology: AMA's numbers, Elsevier's figures",
            f"{AMA}; {ELSEVIER}",
            percent="%",
            p="P",
            p_digits=AMA_P,
            p_least=0.001,
            p_zero=False,
            column_mm=(90, 190),
            font="Times New Roman",
            size_pt=12,
        ),
        Journal(
            "lancet",
            "The Lancet's journals: a raised decimal point, two significant digits of p",
            f"gtsummary 2, theme of The Lancet (raised point, dash); {ELSEVIER}",
            decimal="·",
            between="–",
            percent="%",
            p_digits=((0.01, 4), (0.1, 3), (ENDLESS, 2)),
            column_mm=(90, 190),
            font="Times New Roman",
            size_pt=12,
        ),
        Journal(
            "nejm",
            "New England Journal of Medicine",
            "gtsummary 2, theme of the NEJM (`to`; p of two digits, of three below 0.01)",
            percent="%",
            p="P",
            p_digits=AMA_P,
            p_least=0.001,
            font="Times New Roman",
            size_pt=12,
        ),
        Journal(
            "cvir",
            "CardioVascular and Interventional Radiology, EJNMMI and others of Springer",
            "Springer, artwork: 84 and 174 mm; text in 10-point Times; not read again here",
            between="–",
            percent="%",
            p_digits=((ENDLESS, 3),),
            p_least=0.001,
            column_mm=(84, 174),
            font="Times New Roman",
            size_pt=10,
        ),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
    problems=_problems,
)
JOURNALS: Mapping[str, Journal] = {r.code: r for r in RECORDS}
PLAIN = JOURNALS["plain"]
