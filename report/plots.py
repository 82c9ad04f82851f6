"""Small pictures of survival, response and prognosis, drawn the same every time.

Each picture has a title and a description for those who do not see it, uses the page's colours, and
needs no script, font or network.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 40
LEAST_POWER, MOST_POWER = -4, 6
"""Ends of the longest axis of hazard ratios, as powers of two."""
SERIES = 4
"""Colours that the page's style declares, `c0` to `c3`."""


@dataclass(frozen=True, slots=True)
class Step:
    """A curve as (months, survival, lower, upper), by time."""

    label: str
    points: Sequence[tuple[float, float, float | None, float | None]]
    at_risk: Sequence[tuple[int, int]]
    """(months, at risk) below the axis."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of a forest plot."""

    label: str
    value: float
    lower: float
    upper: float


def curves(title: str, steps: Sequence[Step], months: int) -> str:
    """Kaplan-Meier curves with their bands and the numbers at risk.

    Args:
        title: what is shown.
        steps: at most four curves.
        months: end of the axis.
    """
    height = HEIGHT + 16 * len(steps)
    x = _Axis(0, max(months, 1), LEFT, WIDTH - RIGHT)
    y = _Axis(0, 1, HEIGHT - BOTTOM, TOP)
    every = next(e for e in (6, 12, 24, 60, 120) if months / e <= 8)
    parts = [*_percent_grid(y), *_month_ticks(x, months, every)]
    for number, step in enumerate(steps[:SERIES]):
        parts += [_band(step, x, y, months, number), _line(step, x, y, months, number)]
        parts += _risk(step, x, HEIGHT + 14 + 16 * number, every, months, number)
        if step.label:
            place = WIDTH - RIGHT, TOP + 14 * (number + 1)
            parts.append(_text(*place, step.label, "end", f"t{number}"))
    return _picture(title, _told(steps), WIDTH, height, parts)


def waterfall(title: str, changes: Sequence[float], missing: int) -> str:
    """Best change per unit, worst first; units without a value are counted, not drawn at 0."""
    ordered = sorted(changes, reverse=True)
    top = max([20.0, *(min(c, 100.0) for c in ordered)])
    y = _Axis(-100, top, HEIGHT - 16, TOP)
    x = _Axis(0, max(len(ordered), 1), LEFT, WIDTH - RIGHT)
    bar = (x(1) - x(0)) * 0.8
    parts = []
    for level in (n for n in range(-100, 101, 25) if n <= top):
        parts.append(_rule(y(level), "axis" if level == 0 else "grid"))
        parts.append(_text(LEFT - 6, y(level) + 4, f"{level} %", "end"))
    for number, change in enumerate(ordered):
        shown = min(change, top)
        low, high = sorted((y(0), y(shown)))
        kind = "c1" if change > 0 else "c0"
        parts.append(
            f'<rect class="bar {kind}" x="{x(number):.1f}" y="{low:.1f}" width="{bar:.1f}" '
            f'height="{max(high - low, 1):.1f}"/>'
        )
    told = f"{len(ordered)} drawn, {sum(c < 0 for c in ordered)} smaller, {missing} not evaluable"
    return _picture(title, told, WIDTH, HEIGHT, parts)


def forest(title: str, rows: Sequence[Estimate]) -> str:
    """Hazard ratios with intervals on a logarithmic axis as long as they need, up to 1/16 to 64."""
    height = 54 + 26 * len(rows)
    least, most = _powers(rows)
    x = _Axis(least, most, 250, WIDTH - 130)
    parts = [_text(x((least + most) / 2), height - 4, "hazard ratio", "middle")]
    for power in range(least, most + 1):
        kind = "axis" if power == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{x(power):.1f}" x2="{x(power):.1f}" y1="8" '
            f'y2="{height - 38}"/>'
        )
        parts.append(_text(x(power), height - 22, f"{2.0**power:g}", "middle"))
    for number, row in enumerate(rows):
        parts += _ratio(row, 22 + 26 * number, x)
    told = "; ".join(f"{r.label} {r.value:.2f} ({r.lower:.2f} to {r.upper:.2f})" for r in rows)
    return _picture(title, told, WIDTH, height, parts)


@dataclass(frozen=True, slots=True)
class _Axis:
    least: float
    most: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return self.start + share * (self.end - self.start)


def _picture(title: str, told: str, width: int, height: int, parts: Iterable[str]) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc>{''.join(parts)}</svg>"
    )


def _percent_grid(y: _Axis) -> list[str]:
    parts = []
    for percent in (0, 25, 50, 75, 100):
        parts.append(_rule(y(percent / 100), "axis" if percent == 0 else "grid"))
        parts.append(_text(LEFT - 6, y(percent / 100) + 4, f"{percent} %", "end"))
    return parts


def _month_ticks(x: _Axis, months: int, every: int) -> list[str]:
    ticks = range(0, months + 1, every)
    marks = [_text(x(m), HEIGHT - BOTTOM + 16, str(m), "middle") for m in ticks]
    return [*marks, _text((LEFT + WIDTH) / 2, HEIGHT - 8, "months", "middle")]


def _line(step: Step, x: _Axis, y: _Axis, months: int, number: int) -> str:
    path, level = [f"M{x(0):.1f} {y(1):.1f}"], 1.0
    for time, survival, _, _ in step.points:
        if time > months:
            break
        path.append(f"H{x(time):.1f}")
        if survival != level:
            path.append(f"V{y(survival):.1f}")
            level = survival
    return f'<path class="line s{number}" d="{"".join(path)}"/>'


def _band(step: Step, x: _Axis, y: _Axis, months: int, number: int) -> str:
    known = [
        (t, low, high)
        for t, _, low, high in step.points
        if low is not None and high is not None and t <= months
    ]
    if not known:
        return ""
    over = [f"M{x(known[0][0]):.1f} {y(known[0][2]):.1f}"]
    over += [f"H{x(t):.1f}V{y(high):.1f}" for t, _, high in known[1:]]
    back = [f"V{y(known[-1][1]):.1f}"]
    for (_, low, _), (time, _, _) in zip(known[-2::-1], known[:0:-1], strict=True):
        back.append(f"H{x(time):.1f}V{y(low):.1f}")
    return (
        f'<path class="band b{number}" d="{"".join(over)}{"".join(back)}H{x(known[0][0]):.1f}Z"/>'
    )


def _risk(step: Step, x: _Axis, height: float, every: int, months: int, number: int) -> list[str]:
    shown = [(m, n) for m, n in step.at_risk if m % every == 0 and m <= months]
    parts = [_text(x(m), height, str(n), "middle", f"t{number}") for m, n in shown]
    return [_text(2, height, step.label[:8] or "at risk", "start", f"t{number}"), *parts]


def _power(ratio: float) -> float:
    """Where a ratio stands on the axis; what lies beyond it ends at its edge."""
    return min(max(math.log2(ratio), LEAST_POWER), MOST_POWER) if ratio > 0 else LEAST_POWER


def _powers(rows: Sequence[Estimate]) -> tuple[int, int]:
    """Ends of the axis as powers of two: every interval, and at least a half to two."""
    low = min([-1.0, *(_power(row.lower) for row in rows)])
    high = max([1.0, *(_power(row.upper) for row in rows)])
    return math.floor(low), math.ceil(high)


def _ratio(row: Estimate, height: float, x: _Axis) -> list[str]:
    low, mid, high = (x(_power(v)) for v in (row.lower, row.value, row.upper))
    return [
        _text(4, height + 4, row.label, "start"),
        f'<line class="line s0" x1="{low:.1f}" x2="{high:.1f}" y1="{height}" y2="{height}"/>',
        f'<rect class="bar c0" x="{mid - 4:.1f}" y="{height - 4}" width="8" height="8"/>',
        _text(WIDTH - 4, height + 4, f"{row.value:.2f} ({row.lower:.2f}-{row.upper:.2f})", "end"),
    ]


def _rule(height: float, kind: str) -> str:
    return (
        f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" '
        f'y2="{height:.1f}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _told(steps: Sequence[Step]) -> str:
    return "; ".join(
        f"{s.label or 'all'}: {s.points[-1][1]:.0%} at {s.points[-1][0]:.0f} months"
        for s in steps
        if s.points
    )
