"""The tables that stand beside the figures: endpoints, dose, follow-up, literature, deliveries."""

from analytics.summary import p_value
from report.figures import words
from report.figures.model import Number, Row, Table, table
from report.figures.source import (
    NOT_REACHED,
    Connection,
    Record,
    fetched,
    interval,
    number,
    records,
    share,
)
from schemas.records.endpoints import RECORDS

MEASURES = {
    "activity_gbq": "Activity",
    "activity_bsa_gbq": "Activity by body surface",
    "cumulative_lung_dose_gy": "Lung dose, all sessions",
    "dose_gy": "Absorbed dose of the target",
    "dose_gy_mass_weighted": "Absorbed dose, weighted by mass",
    "dose_gy_recorded": "Absorbed dose as recorded",
    "dose_gy_recorded_mass_weighted": "Absorbed dose as recorded, weighted by mass",
    "lung_dose_gy": "Lung dose of a session",
    "lung_dose_gy_recorded": "Lung dose as recorded",
}
FOLLOW_UP = {
    "reverse_km": "Potential follow-up (reverse Kaplan-Meier)",
    "observed_all": "Observed time, everybody",
    "observed_alive": "Observed time, those alive",
    "imaging": "Time to the last imaging",
}


def medians(con: Connection) -> Table:
    """The median of every endpoint."""
    found = records(
        con,
        "SELECT * FROM outcomes.survival_medians WHERE population = 'all' AND factor = '' "
        "AND rule = 'midpoint' ORDER BY endpoint, level",
    )
    rows = tuple(
        Row(
            (
                f"{words.endpoint(r['endpoint'])} ({r['endpoint']})",
                _by(r["level"]),
                f"{r['n']} ({r['n_reported']} reported)" if r["n_reported"] else str(r["n"]),
                str(r["events"]),
                _median(r),
                interval(r["lower"], r["upper"]),
                r["reason"] or "",
            )
        )
        for r in found
    )
    return Table(
        id="medians",
        title="Median time to each event",
        notes=("Kaplan-Meier, months, midpoint rule, log-log intervals.",),
        abbreviations=("CI", "NR"),
        numbers=tuple(
            Number(r["statistic_id"], c, number(r[c], 0 if c in ("n", "events") else 1))
            for r in found
            for c in ("n", "events", "median_months", "lower", "upper")
            if r[c] is not None
        ),
        columns=("endpoint", "by", "n", "events", "median", "95 % CI", "note"),
        rows=rows,
        empty="" if rows else "No time to an event is derivable from what was delivered.",
    )


def _by(code: str) -> str:
    """What is counted, in the reader's word."""
    return "patient" if code == "subject" else code


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
        ("endpoint", "by", "months", "%", "95 % CI", "at risk"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                _by(r["level"]),
                str(r["months"]),
                number(100 * r["survival"]),
                _percents(r),
                str(r["at_risk"]),
            )
            for r in found
        ),
        ("Kaplan-Meier, log-log intervals, while somebody is at risk.",),
        ("CI",),
    )


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
                _by(r["level"]),
                str(r["months"]),
                number(r["mean_months"]),
                interval(r["lower"], r["upper"]),
                str(r["n"]),
                str(r["events"]),
            )
            for r in found
        ),
        ("Area under the curve up to the horizon, in months.",),
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
        ("endpoint", "by", "event", "months", "%", "95 % CI", "at risk"),
        tuple(
            (
                words.endpoint(r["endpoint"]),
                _by(r["level"]),
                words.plain(r["cause"]),
                str(r["months"]),
                number(100 * r["incidence"]),
                _percents(r),
                str(r["at_risk"]),
            )
            for r in found
        ),
        ("Cumulative incidence (Aalen-Johansen) of each event, where one rules out the other.",),
        ("CI",),
    )


def readings(con: Connection) -> Table:
    """The conclusions that rest on a choice that the sources leave open."""
    tried, alternatives = fetched(
        con,
        "SELECT count(*), count(DISTINCT (setting, alternative)) FROM outcomes.sensitivity",
    )[0]
    found = fetched(
        con,
        "SELECT setting, alternative, coalesce(s.label, base_statistic_id), base_value, x.value "
        "FROM outcomes.sensitivity x LEFT JOIN outcomes.statistics s "
        "ON s.statistic_id = base_statistic_id WHERE flips "
        "ORDER BY setting, alternative, base_statistic_id",
    )
    return table(
        "readings",
        "Other readings that move a conclusion",
        ("setting", "read as", "statistic", "published", "then"),
        tuple((a, b, c, number(d, 3), number(e, 3)) for a, b, c, d, e in found),
        (
            f"{alternatives} other readings of the settings, {tried} numbers computed again. "
            f"{len(found)} of them change what one would conclude: p crosses 0.05, or an interval "
            "leaves the comparator.",
        ),
        empty="No other reading of the settings changes what one would conclude.",
    )


def dose(con: Connection) -> Table:
    """Activity and absorbed dose."""
    found = records(
        con,
        "SELECT * FROM outcomes.dosimetry_summary WHERE population = 'all' AND \"group\" = '' "
        "AND median IS NOT NULL ORDER BY measure, grain",
    )
    return table(
        "dose",
        "Treatment and dose",
        ("measure", "by", "n", "median", "quartiles", "range", "unit"),
        tuple(
            (
                MEASURES.get(r["measure"], words.capital(words.plain(r["measure"]))),
                _by(r["grain"]),
                str(r["n"]),
                number(r["median"]),
                interval(r["q1"], r["q3"]),
                interval(r["minimum"], r["maximum"]),
                r["unit"],
            )
            for r in found
        ),
        ("Doses of different volumes are never added.",),
        empty="No activity and no dose was delivered.",
    )


def follow_up(con: Connection) -> Table:
    """How long patients were followed, by four definitions."""
    found = records(
        con, "SELECT * FROM outcomes.follow_up WHERE population = 'all' ORDER BY definition"
    )
    return table(
        "follow-up",
        "Follow-up",
        ("definition", "n", "median months", "interval", "method"),
        tuple(
            (
                FOLLOW_UP.get(r["definition"], words.plain(r["definition"])),
                str(r["n"]),
                number(r["median_months"]) or "not evaluable",
                interval(r["lower"], r["upper"]),
                r["method"],
            )
            for r in found
        ),
        ("Four definitions, because publications rarely say which they used.",),
        ("NR",),
    )


def adherence(con: Connection) -> Table:
    """Whether the reviews of the protocol were held."""
    return _shares(con, "adherence", "Reviews held", "SELECT * FROM outcomes.adherence_summary ")


def symptoms(con: Connection) -> Table:
    """What became of the symptoms of the carcinoid syndrome."""
    return _shares(con, "symptoms", "Symptoms", "SELECT * FROM outcomes.symptom_summary ")


def _shares(con: Connection, name: str, title: str, query: str) -> Table:
    found = records(con, f"{query}WHERE population = 'all' ORDER BY measure")
    return table(
        name,
        title,
        ("measure", "value", "interval", "note"),
        tuple(
            (
                words.capital(words.plain(r["measure"])),
                _value(r),
                interval(r["lower"], r["upper"]),
                r["reason"] or "",
            )
            for r in found
        ),
    )


def _value(r: Record) -> str:
    if r["unit"] == "%":
        return share(r["n"], r["total"], r["value"])
    if r["value"] is None:
        return "not evaluable"
    return f"{number(r['value'])} {r['unit']}" + (f" (n = {r['n']})" if r["n"] is not None else "")


def agreement(con: Connection) -> Table:
    """How often two criteria give a patient the same class."""
    found = fetched(
        con,
        "SELECT criterion_a, criterion_b, level, sum(n) FILTER (category_a = category_b), sum(n) "
        "FROM outcomes.criterion_agreement WHERE population = 'all' "
        "GROUP BY criterion_a, criterion_b, level HAVING sum(n) > 0 ORDER BY ALL",
    )
    return table(
        "agreement",
        "Agreement of criteria",
        ("criterion", "beside", "by", "same class"),
        tuple(
            (a, b, _by(level), share(same or 0, total, 100 * (same or 0) / total))
            for a, b, level, same, total in found
        ),
        ("Best response, unconfirmed; not evaluable is a class of its own.",),
        ("EASL", "mRECIST", "RECIST", "WHO"),
    )


def literature(con: Connection) -> Table:
    """What others published, and what exactly they counted."""
    found = fetched(
        con,
        "SELECT series, quantity, published, unit, own_value, coalesce(note, '') "
        "FROM outcomes.literature_comparison WHERE population = 'all' ORDER BY figure_id",
    )
    return table(
        "literature",
        "Beside the literature",
        ("series", "quantity", "published", "unit", "here", "note"),
        tuple(
            (s, q, p, u, (p_value(v) if u == "p" else number(v, 2)) or "not evaluable", note)
            for s, q, p, u, v, note in found
        ),
        ("What others published, and what exactly they counted.",),
    )


def deliveries(con: Connection) -> Table:
    """Rows received, and what became of them."""
    found = fetched(
        con,
        "SELECT site_id, table_name, received, empty, accepted, quarantined, other_group "
        "FROM quality.row_counts ORDER BY ALL",
    )
    return table(
        "deliveries",
        "What was delivered, and what was set aside",
        ("centre", "table", "received", "empty", "accepted", "set aside", "of other groups"),
        tuple((s, words.plain(t), *map(str, counts)) for s, t, *counts in found),
        ("Rows received are empty, accepted, set aside or another centre's.",),
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
