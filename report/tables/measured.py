"""What was measured of the patients in numbers: dose, follow-up, reviews and symptoms."""

from analytics.outcomes.measures import (
    ADHERENCE_MEASURES,
    BASELINE_MEASURES,
    LIVER_MEASURES,
    SYMPTOM_MEASURES,
    Measure,
)
from report.figures import words
from report.figures.model import Table, table
from report.figures.source import Connection, Record, interval, number, records, share

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
                words.unit(r["grain"]),
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
    return _measured(con, "adherence", "Reviews held", "adherence_summary", ADHERENCE_MEASURES)


def symptoms(con: Connection) -> Table:
    """What became of the symptoms of the carcinoid syndrome."""
    measures = (*BASELINE_MEASURES, *SYMPTOM_MEASURES)
    return _measured(con, "symptoms", "Symptoms", "symptom_summary", measures)


def liver_function(con: Connection) -> Table:
    """Whether liver function got worse after treatment, by its scores."""
    title = "Liver function after treatment"
    return _measured(con, "liver-function", title, "liver_function_summary", LIVER_MEASURES)


def _measured(
    con: Connection, name: str, title: str, outcome: str, measures: tuple[Measure, ...]
) -> Table:
    found = {
        r["measure"]: r
        for r in records(con, f"SELECT * FROM outcomes.{outcome} WHERE population = 'all'")
    }
    return table(
        name,
        title,
        ("", "value", "interval"),
        tuple(
            (words.capital(m.meaning), *_value(m, found[m.name]))
            for m in measures
            if m.name in found
        ),
        ("n of those asked (%) with its 95 % CI, or the median of the patients with its own.",),
        ("CI",),
        empty="No patient was asked." if not any(r["total"] for r in found.values()) else "",
    )


def _value(measure: Measure, r: Record) -> tuple[str, str]:
    """A share, or the median of a number that each patient has."""
    if r["value"] is None:
        return ("not evaluable", "")
    around = interval(r["lower"], r["upper"])
    if measure.proportion:
        return share(r["n"], r["total"], r["value"]), around
    return f"{number(r['value'])} {r['unit']} (n = {r['total']})", around
