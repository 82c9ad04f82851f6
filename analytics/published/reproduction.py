"""Compare the reference cohort with the published figures at the digits in which they are printed.

A count, and a percentage by its count and total, must be equal; a time, a dose or a p-value must
print the same when it is rounded half away from zero at the printed decimals, and a printed `<0.01`
must hold. A share of survivors must do both. A figure of another series stands beside ours, and
nothing is asked of it.

Source: the records in `analytics.published.literature_figures`. The publication rounds by no single
rule (25 of 40 is printed as 63 % and as 62 %), so percentages are never compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.published.literature_figures import FIGURES, Figure
from analytics.summary import rounded

COHORT = "Memon 2012"
"""The series that the reference cohort was made after; all others are comparators."""
KAPLAN_MEIER = "Kaplan-Meier"
P_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Computed:
    """Our statistic: its value, and what was counted of how many."""

    value: float | None
    n: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A published figure beside ours; `agrees` is null for a comparator."""

    figure: Figure
    statistic_id: str
    own: Computed
    printed: str
    agrees: bool | None


def compare(statistics: Mapping[str, Computed], population: str = "all") -> list[Compared]:
    """Every published figure beside the statistic that asks the same.

    Args:
        statistics: statistic id -> our statistic, percentages in %, survival as a proportion.
        population: whose statistics.
    """
    return [_compared(figure, statistics, population) for figure in FIGURES]


def agrees(figure: Figure, own: Computed) -> bool:
    """Return whether the figure is reproduced; it is not where ours is missing."""
    if own.value is None:
        return False
    if figure.unit == "%":
        counted = (own.n, own.total) == (figure.n, figure.total)
        return counted and (figure.method != KAPLAN_MEIER or _prints(figure, own.value))
    if figure.unit == "patients":
        return own.value == figure.n
    return _prints(figure, own.value)


def printed(figure: Figure, own: Computed) -> str:
    """Our value at the figure's decimals; a percentage with its counts, at one decimal at least."""
    if own.value is None:
        return "-"
    value = own.value * figure.scale
    if figure.unit == "%":
        return f"{own.n}/{own.total} = {rounded(value, max(1, decimals(figure.published)))}"
    if figure.published.startswith("<"):
        return f"{value:.{P_DIGITS - 1}e}"
    return rounded(value, decimals(figure.published))


def decimals(published: str) -> int:
    """Decimals of a printed number: 2 of `0.02`, 4 of `<0.0001`, 0 of `27`."""
    return len(published.partition(".")[2])


def _compared(figure: Figure, statistics: Mapping[str, Computed], population: str) -> Compared:
    statistic = figure.own.format(p=population).lower()
    own = statistics.get(statistic, Computed(None))
    answer = agrees(figure, own) if figure.series == COHORT else None
    return Compared(figure, statistic, own, printed(figure, own), answer)


def _prints(figure: Figure, value: float) -> bool:
    scaled = value * figure.scale
    if figure.published.startswith("<"):
        return scaled < float(figure.published.removeprefix("<"))
    return rounded(scaled, decimals(figure.published)) == figure.published
