"""Adverse events of any term, rolled up by window."""

from collections.abc import Mapping

from report.figures import words
from report.figures.model import Cell, Row, Table, grouped, table
from report.figures.source import Connection, Record, interval, records, said, share

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


PROCEDURE_WINDOWS = {
    "s30": "30 days after a session",
    "s91": "3 months after a session",
    "until_next": "any time after a session",
}


def events(con: Connection) -> Table:
    """How many patients had any event, none, one of grade 3, a serious or a related one."""
    return table(
        "adverse-events",
        "Adverse events of any term",
        ("", "patients", "95 % CI", "not known"),
        _by_window(con, "event_summary", WINDOWS),
        (
            "Treatment-emergent events as recorded, of patients of centres that deliver events; of "
            "a late window those observed into it. Who is not known to have had one is counted as "
            "not. Readmission to hospital is not a registry column.",
        ),
        ("CI",),
        empty="No adverse event was delivered.",
    )


def by_procedure(con: Connection) -> Table:
    """How many sessions were followed by any event, none, one of grade 3, or one of a kind."""
    return table(
        "procedure-events",
        "Adverse events by session",
        ("", "sessions", "95 % CI", "not known"),
        _by_window(con, "procedure_events", PROCEDURE_WINDOWS),
        (
            "An event belongs to the last session on or before its first day; no window reaches "
            "beyond the next session. One without a day leaves open each session of a patient who "
            "had several. Limits by resampling patients.",
        ),
        ("CI",),
        empty="No adverse event was delivered.",
    )


def _by_window(con: Connection, name: str, windows: Mapping[str, str]) -> list[Row]:
    """The kinds of events of a table's units below each of their windows."""
    query = f"SELECT * FROM outcomes.{name} WHERE population = 'all' AND total > 0"
    found = {(r["time_window"], r["category"]): r for r in records(con, query)}
    return grouped(
        (words.capital(told), (CATEGORIES[c], *_counted(found[w, c])))
        for w, told in windows.items()
        for c in CATEGORIES
        if (w, c) in found
    )


def _counted(r: Record) -> tuple[Cell, Cell, Cell]:
    return (
        Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
        Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
        Cell(str(r["n_unknown"]), said(r, n_unknown=0)),
    )


LATE = {w: said for w, said in WINDOWS.items() if w.startswith("late")}


def late_toxicity(con: Connection, version: str) -> Table:
    """Worst grades of at least 3 after half a year and later, of the terms that somebody had."""
    found = records(
        con,
        "SELECT * FROM outcomes.toxicity_summary WHERE population = 'all' AND ctcae_version = ? "
        "AND grade IN ('any', 'ge3') AND time_window IN (SELECT unnest(?)) ORDER BY source, term",
        version,
        list(LATE),
    )
    by_key = {(r["source"], r["term"], r["time_window"], r["grade"]): r for r in found}
    terms = dict.fromkeys((r["source"], r["term"]) for r in found if r["n"])
    return table(
        "late-toxicity",
        f"Late toxicity (CTCAE {version})",
        ("", "any grade", "grade 3 or worse", "95 % CI of it"),
        tuple(
            (
                f"{words.capital(words.plain(term))}, {said_so}",
                _share(by_key.get((source, term, window, "any"))),
                _share(severe := by_key.get((source, term, window, "ge3"))),
                _limits(severe),
            )
            for source, term in terms
            for window, said_so in LATE.items()
        ),
        (
            "Worst grade in the window, counted from the last session of the planned course. "
            "Laboratory: of those with a result in it; events: of those observed into it.",
        ),
        ("CI",),
        empty="No toxicity was seen more than half a year after the last session.",
    )


def _share(r: Record | None) -> Cell:
    if r is None or r["n"] is None:
        return Cell("not evaluable")
    return Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1))


def _limits(r: Record | None) -> Cell:
    if r is None or r["n"] is None:
        return Cell("")
    return Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1))


CAUSES = {
    "tumour": "tumour",
    "liver_failure": "liver failure",
    "treatment": "treatment",
    "other": "other",
    "unknown": "not known",
    "treatment_related": "attributed to treatment, by cause or a fatal event",
}
REILD = {
    "candidate": "candidates for REILD",
    "grade_3": "of them, least grade 3",
    "grade_4": "of them, least grade 4",
    "grade_5": "of them, grade 5",
    "excluded": "the same picture, explained otherwise",
}


def death_causes(con: Connection) -> Table:
    """Deaths by recorded cause, early ones and all."""
    found = records(
        con,
        "SELECT * FROM outcomes.death_causes WHERE population = 'all' AND total > 0 "
        "ORDER BY time_window = 'any', TRY_CAST(time_window[2:] AS INTEGER), cause",
    )
    return table(
        "death-causes",
        "Deaths by recorded cause",
        ("", "patients", "95 % CI"),
        tuple(
            (
                f"{_up_to(r['time_window'])}, {CAUSES[r['cause']]}",
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
            )
            for r in found
        ),
        (
            "Up to a day over the patients dead by then or followed to it, at any time over all "
            "treated; Clopper-Pearson. A cause that nobody recorded is not known.",
        ),
        ("CI",),
    )


def _up_to(window: str) -> str:
    return "at any time" if window == "any" else f"by day {window[1:]}"


def reild(con: Connection) -> Table:
    """Who meets the picture of REILD, of those observed in its days."""
    found = {
        r["category"]: r
        for r in records(con, "SELECT * FROM outcomes.reild_summary WHERE population = 'all'")
        if r["total"]
    }
    return table(
        "reild",
        "Radioembolization-induced liver disease, for adjudication",
        ("", "patients", "95 % CI", "not observed"),
        tuple(
            (
                said_as,
                Cell(
                    share(found[c]["n"], found[c]["total"], found[c]["pct"]),
                    said(found[c], n=0, total=0, pct=1),
                ),
                Cell(
                    interval(found[c]["lower"], found[c]["upper"]),
                    said(found[c], lower=1, upper=1),
                ),
                Cell(str(found[c]["n_not_observed"]), said(found[c], n_not_observed=0)),
            )
            for c, said_as in REILD.items()
            if c in found
        ),
        (
            "Bilirubin above 3 mg/dL and above its baseline with ascites or falling albumin, two "
            "weeks to four months after a session, of the patients with a bilirubin in these days. "
            "Nothing here is a diagnosis.",
        ),
        ("CI", "REILD"),
        empty="No bilirubin was measured in the days of REILD.",
    )
