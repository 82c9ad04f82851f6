"""What was measured of the patients in numbers: dose, therapies, follow-up, reviews, symptoms."""

from analytics.outcomes.measures import (
    ADHERENCE_MEASURES,
    BASELINE_MEASURES,
    LIVER_MEASURES,
    SYMPTOM_MEASURES,
    Measure,
)
from report.figures import words
from report.figures.model import Cell, Table, table
from report.figures.source import Connection, Record, interval, number, records, said, share

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
        "SELECT * FROM outcomes.dosimetry_summary WHERE population = 'all' AND patient_group = '' "
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
                Cell(str(r["n"]), said(r, n=0)),
                Cell(number(r["median"]), said(r, median=1)),
                Cell(interval(r["q1"], r["q3"]), said(r, q1=1, q3=1)),
                Cell(interval(r["minimum"], r["maximum"]), said(r, minimum=1, maximum=1)),
                r["unit"],
            )
            for r in found
        ),
        ("Doses of different volumes are never added.",),
        empty="No activity and no dose was delivered.",
    )


COMPARTMENTS = {
    "target_dose_gy": "Mean dose of the perfused volume",
    "target_dose_gy_recorded": "Mean dose of the perfused volume, as recorded",
    "tumour_dose_gy": "Mean dose to the tumour",
    "tumour_dose_gy_recorded": "Mean dose to the tumour, as recorded",
    "normal_liver_dose_gy": "Mean dose to normal liver",
    "normal_liver_dose_gy_recorded": "Mean dose to normal liver, as recorded",
    "activity_pct_of_planned": "Activity delivered of that planned",
    "liver_pct": "Share of the liver treated",
}


def compartments(con: Connection) -> Table:
    """Doses to tumour and normal liver, of each device apart."""
    found = {
        (r["device"], r["measure"], r["grain"]): r
        for r in records(
            con, "SELECT * FROM outcomes.compartment_dosimetry WHERE population = 'all' AND n > 0"
        )
    }
    shown = [
        (device, measure, grain)
        for device in dict.fromkeys(d for d, _, _ in found)
        for measure in COMPARTMENTS
        for grain in ("target", "session", "subject")
        if (device, measure, grain) in found
    ]
    return table(
        "compartments",
        "Doses to tumour and normal liver",
        ("measure", "device", "by", "n of all", "median", "quartiles", "range", "unit"),
        tuple(
            (
                COMPARTMENTS[key[1]],
                key[0],
                words.unit(key[2]),
                Cell(f"{found[key]['n']} of {found[key]['total']}", said(found[key], n=0, total=0)),
                Cell(number(found[key]["median"]), said(found[key], median=1)),
                Cell(interval(found[key]["q1"], found[key]["q3"]), said(found[key], q1=1, q3=1)),
                Cell(
                    interval(found[key]["minimum"], found[key]["maximum"]),
                    said(found[key], minimum=1, maximum=1),
                ),
                found[key]["unit"],
            )
            for key in shown
        ),
        (
            "Of a target: inside its perfused volume, by partition. Of a session or a patient: "
            "energies of its targets, or of the planned course, over one volume; of normal liver "
            "always the whole of it. Devices are never pooled.",
        ),
        empty="No dose of a compartment can be told from what was delivered.",
    )


TECHNICAL = {
    "complete": "All that was prescribed went in",
    "stopped_early": "Stopped early",
    "as_planned": "Activity as planned",
}


def technical(con: Connection) -> Table:
    """How sessions went, and of how many patients every session did."""
    found = records(
        con,
        "SELECT * FROM outcomes.technical_summary WHERE population = 'all' AND total > 0 "
        "ORDER BY device <> 'any', device, measure, grain",
    )
    return table(
        "technical",
        "Delivery by session and by patient",
        ("", "device", "by", "n of those known", "95 % CI", "not known"),
        tuple(
            (
                TECHNICAL[r["measure"]],
                r["device"],
                words.unit(r["grain"]),
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(str(r["n_unknown"]), said(r, n_unknown=0)),
            )
            for r in found
        ),
        (
            "A patient is complete, or as planned, if every session is, and stopped early if one "
            "was. A procedure at which no 90Y was given is not in a registry of treatments.",
        ),
        ("CI",),
        empty="Neither planned activity nor how a session ended was delivered.",
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
                Cell(str(r["n"]), said(r, n=0)),
                Cell(number(r["median_months"]) or "not evaluable", said(r, median_months=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
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


def _value(measure: Measure, r: Record) -> tuple[Cell, Cell]:
    """A share, or the median of a number that each patient has."""
    if r["value"] is None:
        return Cell("not evaluable"), Cell("")
    around = Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1))
    if measure.proportion:
        shown = said(r, n=0, total=0, value=1) if r["total"] and r["n"] is not None else ()
        return Cell(share(r["n"], r["total"], r["value"]), shown), around
    told = f"{number(r['value'])} {r['unit']} (n = {r['total']})"
    return Cell(told, said(r, value=1, total=0)), around


def therapies(con: Connection) -> Table:
    """Who had each class before T0 and after it, in how many lines, and how long away."""
    found = records(
        con,
        "SELECT * FROM outcomes.therapy_summary WHERE population = 'all' AND n > 0 "
        "ORDER BY timing, therapy_class <> 'any', n DESC, therapy_class",
    )
    return table(
        "therapies",
        "Diagnosis, and therapies before and after treatment",
        ("", "patients", "95 % CI", "lines", "months from or to T0", "dated"),
        tuple(
            (
                f"{r['timing']}, {words.plain(r['therapy_class'])}",
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(number(r["lines"]), said(r, lines=1)),
                _interval(r),
                Cell(str(r["n_dated"]), said(r, n_dated=0)),
            )
            for r in found
        ),
        (
            "Of treated patients at centres that deliver the table. Lines: median of those who had "
            "it; courses that begin on one day are one line. Months: median and quartiles, from "
            "the end of the last prior course to T0, or from T0 to the first later one.",
        ),
        ("CI",),
    )


def _interval(r: Record) -> Cell:
    if r["interval_months"] is None:
        return Cell("")
    around = f"{number(r['interval_months'])} ({interval(r['q1_months'], r['q3_months'])})"
    return Cell(around, said(r, interval_months=1, q1_months=1, q3_months=1))
