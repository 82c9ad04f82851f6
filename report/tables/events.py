"""Adverse events of any term, rolled up by window."""

from report.figures.model import Cell, Table, table
from report.figures.source import Connection, interval, records, said, share

CATEGORIES = {
    "any_event": "any event",
    "none": "no event",
    "grade_3": "grade 3 or worse",
    "serious": "serious",
    "related": "related to treatment",
}
WINDOWS = {
    "d30": "30 days",
    "acute": "acute",
    "m3": "3 months",
    "m6": "6 months",
    "m12": "12 months",
    "any": "any time",
    "late_6_to_12_months": "6 to 12 months after the last session",
    "late_1_year": "more than a year after it",
    "late_2_years": "more than two years after it",
}


def events(con: Connection) -> Table:
    """How many patients had any event, none, one of grade 3, a serious or a related one."""
    found = {
        (r["time_window"], r["category"]): r
        for r in records(
            con, "SELECT * FROM outcomes.event_summary WHERE population = 'all' AND total > 0"
        )
    }
    shown = [(w, c) for w in WINDOWS for c in CATEGORIES if (w, c) in found]
    return table(
        "adverse-events",
        "Adverse events of any term",
        ("", "patients", "95 % CI", "not known"),
        tuple(
            (
                f"{WINDOWS[w]}, {CATEGORIES[c]}",
                Cell(
                    share(found[w, c]["n"], found[w, c]["total"], found[w, c]["pct"]),
                    said(found[w, c], n=0, total=0, pct=1),
                ),
                Cell(
                    interval(found[w, c]["lower"], found[w, c]["upper"]),
                    said(found[w, c], lower=1, upper=1),
                ),
                Cell(str(found[w, c]["n_unknown"]), said(found[w, c], n_unknown=0)),
            )
            for w, c in shown
        ),
        (
            "Treatment-emergent events as recorded, of patients of centres that deliver events; of "
            "a late window those observed into it. Who is not known to have had one is counted as "
            "not. Readmission to hospital is not a registry column.",
        ),
        ("CI",),
        empty="No adverse event was delivered.",
    )
