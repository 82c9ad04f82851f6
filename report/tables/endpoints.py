"""Times to an event in numbers: medians, landmarks, restricted means, and when clocks run."""

from report.figures import words
from report.figures.model import Cell, Cells, Table, grouped, numbers_in, row, table
from report.figures.source import (
    NOT_REACHED,
    Connection,
    Record,
    fetched,
    interval,
    number,
    percents,
    records,
    said,
    share,
)
from schemas.records.endpoints import RECORDS


def medians(con: Connection) -> Table:
    """The median of every endpoint."""
    found = records(
        con,
        "SELECT * FROM outcomes.survival_medians WHERE population = 'all' AND factor = '' "
        "AND rule = 'midpoint' ORDER BY endpoint, level",
    )
    rows = tuple(
        row(
            (
                f"{words.endpoint(r['endpoint'])} ({r['endpoint']})",
                words.unit(r["level"]),
                Cell(_counted(r), said(r, n=0)),
                Cell(str(r["events"]), said(r, events=0)),
                Cell(_median(r), said(r, median_months=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                r["reason"] or "",
            )
        )
        for r in found
    )
    return Table(
        id="medians",
        title="Median time to each event",
        notes=("Kaplan-Meier, months, midpoint rule, log-log intervals.", *_judged_by(con)),
        abbreviations=("CI", "NR"),
        numbers=numbers_in(rows),
        columns=("endpoint", "by", "n", "events", "median", "95 % CI", "note"),
        rows=rows,
        empty="" if rows else "No time to an event is derivable from what was delivered.",
    )


def _judged_by(con: Connection) -> list[str]:
    """By which criterion the endpoints judge response, as the release chose it."""
    found = fetched(
        con,
        "SELECT DISTINCT regexp_extract(method, 'response by (.*)', 1) FROM outcomes.statistics "
        "WHERE statistic_id LIKE 'survival_medians.all.%' AND contains(method, 'response by ')",
    )
    return [f"Response and progression are judged by {name}." for (name,) in found]


def _counted(r: Record) -> str:
    return f"{r['n']} ({r['n_reported']} reported)" if r["n_reported"] else str(r["n"])


def _median(r: Record) -> str:
    if r["median_months"] is None:
        return NOT_REACHED if r["not_reached"] else "not evaluable"
    return number(r["median_months"])


def landmarks(con: Connection) -> Table:
    """The share free of each endpoint's event at each landmark, as far as somebody is at risk."""
    found = records(
        con,
        "SELECT * FROM outcomes.survival_landmarks WHERE population = 'all' AND factor = '' "
        "AND survival IS NOT NULL ORDER BY endpoint, level, months",
    )
    return table(
        "landmarks",
        "Free of the event at one, two and more years",
        ("endpoint", "by", "months", "%", "SE", "95 % CI", "at risk"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                words.unit(r["level"]),
                str(r["months"]),
                Cell(number(100 * r["survival"]), percents(r, "survival")),
                _error(r),
                Cell(_percents(r), percents(r, "lower", "upper")),
                Cell(str(r["at_risk"]), said(r, at_risk=0)),
            )
            for r in found
        ),
        ("Kaplan-Meier, log-log intervals, while somebody is at risk.",),
        ("CI", "SE"),
    )


def quartiles(con: Connection) -> Table:
    """By when a quarter, and three quarters, have had each event."""
    found = records(
        con,
        "SELECT * FROM outcomes.survival_quartiles WHERE population = 'all' AND factor = '' "
        "AND n > 0 ORDER BY endpoint, level, event_pct",
    )
    return table(
        "quartiles",
        "When a quarter and three quarters have had the event",
        ("endpoint", "by", "with the event", "months", "95 % CI", "events"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                words.unit(r["level"]),
                f"{r['event_pct']} %",
                Cell(
                    NOT_REACHED if r["quartile_months"] is None else number(r["quartile_months"]),
                    said(r, quartile_months=1),
                ),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(str(r["events"]), said(r, events=0)),
            )
            for r in found
        ),
        ("Kaplan-Meier, months; limits by Brookmeyer and Crowley.",),
        ("CI", "NR"),
    )


def at_days(con: Connection) -> Table:
    """Each curve at the landmarks that the settings name in days."""
    found = records(
        con,
        "SELECT * FROM outcomes.survival_at_days WHERE population = 'all' AND factor = '' "
        "AND survival IS NOT NULL ORDER BY endpoint, level, days",
    )
    return table(
        "at-days",
        "Free of the event at landmarks in days",
        ("endpoint", "by", "days", "%", "SE", "95 % CI", "at risk", "mean days so far"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                words.unit(r["level"]),
                str(r["days"]),
                Cell(number(100 * r["survival"]), percents(r, "survival")),
                _error(r),
                Cell(_percents(r), percents(r, "lower", "upper")),
                Cell(str(r["at_risk"]), said(r, at_risk=0)),
                Cell(number(r["mean_days"]), said(r, mean_days=1)),
            )
            for r in found
        ),
        ("Landmarks are the setting survival.landmarks_days; none by default.",),
        ("CI", "SE"),
    )


def _error(r: Record) -> Cell:
    """The standard error of a share, in points of percent."""
    if r["std_err"] is None:
        return Cell("", ())
    return Cell(number(100 * r["std_err"]), percents(r, "std_err"))


def _percents(r: Record) -> str:
    low, high = (None if r[c] is None else 100 * r[c] for c in ("lower", "upper"))
    return interval(low, high)


def means(con: Connection) -> Table:
    """Mean time free of the event up to a horizon, which needs no median to be reached."""
    found = records(
        con,
        "SELECT * FROM outcomes.restricted_means WHERE population = 'all' AND factor = '' "
        "AND mean_months IS NOT NULL ORDER BY endpoint, level, months",
    )
    return table(
        "means",
        "Restricted mean time",
        ("endpoint", "by", "horizon", "mean", "95 % CI", "n", "events"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                words.unit(r["level"]),
                str(r["months"]),
                Cell(number(r["mean_months"]), said(r, mean_months=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(str(r["n"]), said(r, n=0)),
                Cell(str(r["events"]), said(r, events=0)),
            )
            for r in found
        ),
        ("Area under the curve up to the horizon, in months.",),
        ("CI",),
    )


def early_mortality(con: Connection) -> Table:
    """Deaths of any cause in the first weeks and months, counted and estimated."""
    found = records(
        con, "SELECT * FROM outcomes.early_mortality WHERE population = 'all' ORDER BY days"
    )
    return table(
        "early-mortality",
        "Early mortality",
        ("days", "died", "95 % CI", "not followed so far", "1 − Kaplan-Meier (%)"),
        tuple(
            (
                str(r["days"]),
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(str(r["n_not_followed"]), said(r, n_not_followed=0)),
                Cell(number(r["km_pct"]), said(r, km_pct=1)),
            )
            for r in found
        ),
        (
            "Deaths of any cause from T0, of the patients dead by the day or followed to it; "
            "Clopper-Pearson. The curve uses everybody as long as they were followed.",
        ),
        ("CI",),
    )


def incidence(con: Connection) -> Table:
    """What came first, where an endpoint's event can be ruled out by another."""
    found = records(
        con,
        "SELECT * FROM outcomes.cumulative_incidence WHERE population = 'all' "
        "AND incidence IS NOT NULL ORDER BY endpoint, level, cause, months",
    )
    return table(
        "incidence",
        "What came first",
        ("event", "months", "%", "95 % CI", "at risk"),
        grouped(
            (f"{words.endpoint(r['endpoint'])}, by {words.unit(r['level'])}", _came_first(r))
            for r in found
        ),
        ("Cumulative incidence (Aalen-Johansen) of each event, where one rules out the other.",),
        ("CI",),
    )


def _came_first(r: Record) -> Cells:
    return (
        words.plain(r["cause"]),
        str(r["months"]),
        Cell(number(100 * r["incidence"]), percents(r, "incidence")),
        Cell(_percents(r), percents(r, "lower", "upper")),
        Cell(str(r["at_risk"]), said(r, at_risk=0)),
    )


def following(con: Connection) -> Table:
    """The share that has had each class of therapy next, or has died before any."""
    found = records(
        con,
        "SELECT * FROM outcomes.next_therapy WHERE population = 'all' AND incidence IS NOT NULL "
        "AND events > 0 ORDER BY cause, months",
    )
    return table(
        "next-therapy",
        "Which therapy came next",
        ("", "months", "%", "95 % CI", "at risk"),
        tuple(map(_came_first, found)),
        ("Cumulative incidence (Aalen-Johansen) of the first therapy after T0, death competing.",),
        ("CI",),
    )


def definitions() -> Table:
    """What starts and stops the clock of each endpoint."""
    return table(
        "definitions",
        "Endpoints",
        ("endpoint", "from", "event", "otherwise censored at", "note"),
        tuple(
            (
                f"{words.endpoint(r.code)} ({r.code})",
                _milestone(r.start),
                " or ".join(map(_milestone, r.events)),
                _milestone(r.censored),
                r.note,
            )
            for r in RECORDS
        ),
    )


def _milestone(code: str) -> str:
    named = {
        "t0": "first ⁹⁰Y treatment",
        "lobe": "treatment of the lesion's lobe",
        "last_alive": "last contact alive",
        "last_in_window": "last assessment in the window",
    }
    return named.get(code, words.plain(code))
