"""Tumour markers after treatment, of those elevated before it."""

from report.figures.model import Cell, Table, table
from report.figures.source import Connection, interval, records, said, share
from schemas.records.field.markers import MARKER_LABELS

CATEGORIES = {"fall": "fallen", "normalised": "normal again"}


def markers(con: Connection) -> Table:
    """How many markers fell and how many are normal again, at best and at time points."""
    found = records(
        con,
        "SELECT * FROM outcomes.marker_summary WHERE population = 'all' AND n_baseline > 0 "
        "ORDER BY marker, at_days, category",
    )
    return table(
        "tumour-markers",
        "Tumour markers",
        ("", "of those elevated before", "95 % CI", "not known", "baseline without a limit"),
        tuple(
            (
                f"{MARKER_LABELS[r['marker']]}, {CATEGORIES[r['category']]}, {_when(r['at_days'])}",
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                str(r["total"] - r["n_evaluable"]),
                Cell(str(r["n_without_limit"]), said(r, n_without_limit=0)),
            )
            for r in found
        ),
        (
            "Results after the first treatment up to other treatment, in the unit of the baseline. "
            "Whoever is not known to have responded is counted as not. Clopper-Pearson.",
        ),
        ("CI",),
        empty="No tumour marker was delivered.",
    )


def _when(at_days: int) -> str:
    return f"at {at_days} days" if at_days else "at best"
