"""Kaplan-Meier curves as they were published."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from y90.drawing import COLOURS, DASHES, as_svg, save, sheet
from y90.printing import DAYS_PER_MONTH, NOT_REACHED, interval, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]
Step = tuple[float, int, int, int, float, float | None, float | None]
"""Months, at risk before, events, censored; survival with its limits after."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: a level of the factor, or everybody.

    Times are in months of 30.4375 days, survival as a share.
    """

    name: str
    n: int
    events: int
    median: float | None
    lower: float | None
    upper: float | None
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """`28 of 40; median 34.4 months (19.8 to 52.0)`."""
        median = NOT_REACHED if self.median is None else f"{number(self.median)} months"
        around = interval(self.lower, self.upper)
        return f"{self.events} of {self.n}; median {median}" + (f" ({around})" if around else "")

    def at(self, months: float) -> tuple[int, int, int, float | None]:
        """At risk before a time; events and censored before it; the share free of the event.

        The share is None once nobody is at risk.
        """
        before = [step for step in self.steps if step[0] < months]
        events, censored = sum(step[2] for step in before), sum(step[3] for step in before)
        left = self.n - events - censored
        until = [step for step in self.steps if step[0] <= months]
        share = until[-1][4] if until else 1.0
        return left, events, censored, share if left else None


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of an endpoint."""

    endpoint: str
    by: str
    curves: tuple[Curve, ...]
    source: str

    @classmethod
    def of(
        cls, medians: Sequence[Row], steps: Sequence[Row], endpoint: str, by: str, source: str
    ) -> "Curves":
        """Put the curves together from rows of the release."""
        return cls(endpoint, by, tuple(_curve(row, steps) for row in medians), source)

    def table(self, months: Sequence[float] = (0, 12, 24, 36, 48, 60)) -> pa.Table:
        """At risk, events, censored and survival of each curve at these months."""
        rows = []
        for curve in self.curves:
            for month in months:
                left, events, censored, share = curve.at(month)
                rows.append(
                    {
                        "curve": curve.name,
                        "months": float(month),
                        "at_risk": left,
                        "events": events,
                        "censored": censored,
                        "survival": share,
                    }
                )
        return pa.Table.from_pylist(rows)

    def figure(self, width_mm: float = 178) -> "Figure":
        """The curves with bands and censoring marks, and the numbers at risk below."""
        figure, axes = sheet(width_mm, 0.62 + 0.05 * len(self.curves), self.source)
        for place, curve in enumerate(self.curves):
            _drawn(axes, curve, place)
        end = max((step[0] for curve in self.curves for step in curve.steps), default=12.0)
        months = list(range(0, int(end) + 12, 12))
        axes.set(xlim=(0, months[-1]), ylim=(0, 100), xticks=months)
        axes.set(xlabel="Months", ylabel=f"Free of the event, {self.endpoint} (%)")
        axes.legend(frameon=False, loc="upper right", fontsize=7)
        for place, curve in enumerate(self.curves):
            for month in months:
                left = curve.at(month)[0]
                axes.annotate(
                    str(left),
                    (month, 0),
                    (0, -34 - 9 * place),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7,
                    color=COLOURS[place % len(COLOURS)],
                )
        return figure

    def save(self, path: str | Path, width_mm: float = 178) -> Path:
        """Write the figure; the ending says as what: svg, pdf, png."""
        return save(self.figure(width_mm), path)

    def _repr_html_(self) -> str:
        heads = "".join(f"<li>{escape(c.name)}: {escape(c.text)}</li>" for c in self.curves)
        return f"<ul>{heads}</ul>{as_svg(self.figure(150))}"


def _curve(median: Row, steps: Sequence[Row]) -> Curve:
    own = [s for s in steps if s["factor_level"] == median["factor_level"]]
    return Curve(
        name=median["factor_level"] or "all",
        n=median["n"],
        events=median["events"],
        median=median["median_months"],
        lower=median["lower"],
        upper=median["upper"],
        steps=tuple(
            (
                float(s["time_days"]) / DAYS_PER_MONTH,
                s["at_risk"],
                s["events"],
                s["censored"],
                s["survival"],
                s["lower"],
                s["upper"],
            )
            for s in sorted(own, key=lambda s: s["time_days"])
        ),
    )


def _drawn(axes: Any, curve: Curve, place: int) -> None:
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    times = [0.0, *(step[0] for step in curve.steps)]
    shares = [100.0, *(100 * step[4] for step in curve.steps)]
    label = f"{curve.name}: {curve.text}"
    axes.step(times, shares, where="post", color=colour, linestyle=dash, label=label)
    limits = [step for step in curve.steps if step[5] is not None and step[6] is not None]
    axes.fill_between(
        [step[0] for step in limits],
        [100 * (step[5] or 0) for step in limits],
        [100 * (step[6] or 0) for step in limits],
        step="post",
        color=colour,
        alpha=0.12,
        linewidth=0,
    )
    gone = [step for step in curve.steps if step[3]]
    axes.plot([s[0] for s in gone], [100 * s[4] for s in gone], "|", color=colour, markersize=6)
