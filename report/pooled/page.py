"""The page of a pooled release: headline numbers with a forest each, curves, and refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from jinja2 import Environment, StrictUndefined

from report.drawing import colours
from report.drawing.svg import inline
from report.pooled.drawing import Edge, Forest, Line, curve, forest

TEMPLATE = Path(__file__).with_name("page.html")
FIRST = {
    "together": "all patients together",
    "weighted": "by patients",
    "varying_effects": "effects that vary",
    "common_effect": "one effect",
    "random_intercept": "intercepts that vary",
    "one_file": "by covariance",
    "second_round": "second round",
    "log_rank": "log-rank",
    "steps": "from binned counts",
}
"""Methods in words."""
SHOWN = (
    "response_summary.all.%.subject.all.all.unconfirmed.orr",
    "response_summary.all.%.subject.all.all.unconfirmed.dcr",
    "survival_landmarks.all.os.%",
    "survival_landmarks.all.pfs.%",
    "restricted_means.all.os.%",
    "prognosis_univariate.all.os.%",
    "prognosis_multivariable.all.os.%",
)
"""Statistics with a figure, in this order; every other one stands in the table."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A statistic as the page takes it."""

    id: str
    label: str
    picture: str
    estimates: tuple[tuple[str, str, str], ...]
    heterogeneity: str


@dataclass(frozen=True, slots=True)
class Curve:
    """An endpoint's curve as the page takes it."""

    endpoint: str
    picture: str
    median: str


Row = dict[str, Any]


def write(folder: Path, content: Mapping[str, Any]) -> None:
    """Write report/index.html of a pooled release's folder.

    Args:
        folder: with parquet/pooled/.
        content: of its manifest.
    """
    (folder / "report").mkdir(exist_ok=True)
    tables = {
        p.stem: pq.read_table(p).to_pylist() for p in (folder / "parquet" / "pooled").glob("*")
    }
    jinja = Environment(autoescape=True, undefined=StrictUndefined)
    text = jinja.from_string(TEMPLATE.read_text("utf-8")).render(
        content=dict(content),
        light=colours.variables(dark=False),
        dark=colours.variables(dark=True),
        sources=tables["sources"],
        shown=[s for pattern in SHOWN for s in _shown(tables, pattern)],
        curves=list(_curves(tables)),
        rows=[_row(r) for r in tables["estimates"]],
        refused=tables["refused"],
    )
    (folder / "report" / "index.html").write_text(text, "utf-8")


def _shown(tables: Mapping[str, list[Row]], pattern: str) -> list[Shown]:
    head, _, tail = pattern.partition("%")
    own = [r for r in tables["estimates"]
           if r["statistic_id"].startswith(head) and r["statistic_id"].endswith(tail)]  # fmt: skip
    return [
        _exhibit(tables, statistic, list(rows))
        for statistic, rows in groupby(own, key=lambda r: r["statistic_id"])
    ]


def _exhibit(tables: Mapping[str, list[Row]], statistic: str, estimates: list[Row]) -> Shown:
    by = [r for r in tables["by_registry"] if r["statistic_id"] == statistic]
    drawn = [r for r in estimates if r["method"] not in ("log_rank", "steps")]
    lines = [_line(r["registry"], r, suppressed=r["suppressed"]) for r in by]
    lines += [_line(FIRST[r["method"]], r, together=True) for r in drawn]
    unit = drawn[0]["unit"] if drawn else ""
    model = Forest(tuple(lines), "hazard ratio" if unit == "HR" else unit, unit == "HR")
    label = estimates[0]["label"]
    described = "; ".join(f"{x.name} {x.told}" for x in lines)
    apart = next((r for r in tables["heterogeneity"] if r["statistic_id"] == statistic), None)
    return Shown(
        statistic,
        label,
        inline(forest(model), label, described),
        tuple((FIRST[r["method"]], _told(r), r["note"] or "") for r in estimates),
        _apart(apart) if apart else "",
    )


def _line(name: str, row: Row, *, suppressed: bool = False, together: bool = False) -> Line:
    told = "told nothing" if suppressed else _told(row)
    return Line(name, row["value"], row["lower"], row["upper"], told, together)


def _told(row: Row) -> str:
    """A number and its limits in words."""
    limits = [row["lower"], row["upper"]]
    if row["value"] is None:
        if limits == [None, None]:
            return "no estimate"
        return f"{_number(limits[0])} to {_number(limits[1])}"
    if None in limits:
        return _number(row["value"])
    return f"{_number(row['value'])} ({_number(limits[0])} to {_number(limits[1])})"


def _number(value: float | None) -> str:
    if value is None:
        return "not reached"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}"


def _apart(row: Row) -> str:
    """How far registries differ; of fewer than five, I2 is no headline."""
    limits = "" if row["tau2_upper"] is None else (
        f" ({_number(row['tau2_lower'])} to {_number(row['tau2_upper'])})"
    )  # fmt: skip
    said = f"Q {_number(row['q'])} on {row['df']}, p {_number(row['p'])}; "
    said += f"tau2 {_number(row['tau2'])}{limits} on the scale of {row['scale']}"
    if row["registries"] >= 5 and row["i2_pct"] is not None:
        said += f"; I2 {_number(row['i2_pct'])} %"
    if row["new_lower"] is not None:
        said += (
            f"; another registry might have {_number(row['new_lower'])} to "
            f"{_number(row['new_upper'])}"
        )
    return said


def _curves(tables: Mapping[str, list[Row]]) -> list[Curve]:
    found = []
    for statistic, rows in groupby(tables["curves"], key=lambda r: r["statistic_id"]):
        listed = sorted(rows, key=lambda r: r["months"])
        if len(listed) < 2:
            continue
        edges = [Edge(r["months"], 100 * r["least"], 100 * r["greatest"]) for r in listed]
        endpoint = listed[0]["endpoint"]
        row = next(r for r in tables["estimates"]
                   if r["statistic_id"] == statistic and r["method"] == "steps")  # fmt: skip
        picture = inline(curve(edges, "months"), f"{endpoint} of all patients", _described(edges))
        found.append(Curve(endpoint, picture, _told(row)))
    return found


def _described(edges: Sequence[Edge]) -> str:
    return "; ".join(f"{e.months} months {e.least:.0f} to {e.greatest:.0f} %" for e in edges)


def _row(row: Row) -> tuple[str, ...]:
    counts = f"{row['n']}/{row['total']}" if row["n"] is not None else ""
    exact = "exact" if row["exact"] else ""
    return (
        row["statistic_id"],
        FIRST[row["method"]],
        _told(row),
        row["unit"],
        counts,
        str(row["registries"]),
        exact,
        row["note"] or "",
    )
