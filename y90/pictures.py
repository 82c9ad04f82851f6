"""Pictures of single patients: how deep they responded, and how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from y90.drawing import RESPONSES, as_svg, save, sheet
from y90.printing import DAYS_PER_MONTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]
CUT = 100
"""Growth beyond this is cut, in percent."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The best change of one patient or lesion in percent of the baseline, and its class."""

    change: float
    response: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The best change of each unit, the worst first; `missing` have none and are not drawn."""

    criterion: str
    unit: str
    bars: tuple[Bar, ...]
    missing: int
    source: str

    @classmethod
    def of(cls, rows: Sequence[Row], criterion: str, unit: str, source: str) -> "Waterfall":
        """Put the bars together from rows of the release."""
        bars = [
            Bar(row["best_change_pct"], row["best_response"] or "NE")
            for row in rows
            if row["best_change_pct"] is not None
        ]
        ordered = sorted(bars, key=lambda bar: (-bar.change, bar.response))
        return cls(criterion, unit, tuple(ordered), len(rows) - len(bars), source)

    def figure(self, width_mm: float = 178) -> "Figure":
        """The bars, coloured and named by best response."""
        figure, axes = sheet(width_mm, 0.5, self.source)
        for place, bar in enumerate(self.bars):
            high = min(bar.change, CUT)
            axes.bar(place, high, color=RESPONSES[bar.response], edgecolor="black", linewidth=0.5)
            axes.annotate(
                bar.response,
                (place, max(high, 0)),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=5,
                rotation=90,
            )
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(ylabel=f"Best change by {self.criterion} (%)", xticks=[])
        unit = "patients" if self.unit == "subject" else "lesions"
        axes.set(xlabel=f"{len(self.bars)} {unit}, {self.missing} without a value")
        return figure

    def save(self, path: str | Path, width_mm: float = 178) -> Path:
        """Write the figure; the ending says as what: svg, pdf, png."""
        return save(self.figure(width_mm), path)

    def _repr_html_(self) -> str:
        return as_svg(self.figure(150))


@dataclass(frozen=True, slots=True)
class Lane:
    """One patient in months from the first treatment; None where it did not happen."""

    end: float
    died: bool
    response: float | None
    progression: float | None


@dataclass(frozen=True, slots=True)
class Swimmer:
    """A lane for each patient, the longest follow-up on top."""

    criterion: str
    lanes: tuple[Lane, ...]
    source: str

    @classmethod
    def of(
        cls, ends: Sequence[Row], responses: Sequence[Row], criterion: str, source: str
    ) -> "Swimmer":
        """Put the lanes together from rows of the release."""
        by_subject = {row["subject_id"]: row for row in responses}
        lanes = [
            Lane(
                float(row["time_days"]) / DAYS_PER_MONTH,
                bool(row["event"]),
                _months(by_subject.get(row["subject_id"]), "first_response_day"),
                _months(by_subject.get(row["subject_id"]), "progression_day"),
            )
            for row in ends
            if row["time_days"] is not None
        ]
        ordered = sorted(lanes, key=lambda lane: (lane.end, lane.died))
        return cls(criterion, tuple(ordered), source)

    def figure(self, width_mm: float = 178) -> "Figure":
        """The lanes with response, progression and death."""
        high = max(0.3, 0.011 * len(self.lanes))
        figure, axes = sheet(width_mm, high, self.source)
        for place, lane in enumerate(self.lanes):
            axes.barh(place, lane.end, color="#d9e4ee", edgecolor="black", linewidth=0.3)
        marks = (
            ("response", "o", [(lane.response, i) for i, lane in enumerate(self.lanes)]),
            ("progression", "x", [(lane.progression, i) for i, lane in enumerate(self.lanes)]),
            ("death", "D", [(lane.end, i) for i, lane in enumerate(self.lanes) if lane.died]),
            ("alive", ">", [(lane.end, i) for i, lane in enumerate(self.lanes) if not lane.died]),
        )
        for name, mark, points in marks:
            there = [(x, y) for x, y in points if x is not None]
            if there:
                axes.plot(*zip(*there, strict=True), mark, color="black", markersize=4, label=name)
        axes.set(xlabel="Months since the first treatment", yticks=[])
        axes.set(ylabel=f"{len(self.lanes)} patients", xlim=(0, None))
        axes.legend(frameon=False, loc="lower right", fontsize=7)
        return figure

    def save(self, path: str | Path, width_mm: float = 178) -> Path:
        """Write the figure; the ending says as what: svg, pdf, png."""
        return save(self.figure(width_mm), path)

    def _repr_html_(self) -> str:
        return as_svg(self.figure(150))


def _months(row: Row | None, column: str) -> float | None:
    if row is None or row[column] is None:
        return None
    return float(row[column]) / DAYS_PER_MONTH
