"""The tables that stand beside the figures: endpoints, dose, follow-up, literature, deliveries."""

from analytics.outcomes.measures import (
    ADHERENCE_MEASURES,
    BASELINE_MEASURES,
    SYMPTOM_MEASURES,
    Measure,
)
from analytics.summary import p_value
from report.figures import words
from report.figures.model import Number, Row, Table, table
from report.figures.response import CLASSES
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
from schemas.contract import options, table_name
from schemas.records.endpoints import RECORDS
from schemas.records.findings import BY_ID
from schemas.tables.registry import TABLES

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
        notes=("Kaplan-Meier, months, midpoint rule, log-log intervals.", *_judged_by(con)),
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


def _judged_by(con: Connection) -> list[str]:
    """By which criterion the endpoints judge response, as the release chose it."""
    found = fetched(
        con,
        "SELECT DISTINCT regexp_extract(method, 'response by (.*)', 1) FROM outcomes.statistics "
        "WHERE statistic_id LIKE 'survival_medians.all.%' AND contains(method, 'response by ')",
    )
    return [f"Response and progression are judged by {name}." for (name,) in found]


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
        tuple(
            (words.plain(a), words.plain(b), words.spoken(c), number(d, 3), number(e, 3))
            for a, b, c, d, e in found
        ),
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
    return _measured(con, "adherence", "Reviews held", "adherence_summary", ADHERENCE_MEASURES)


def symptoms(con: Connection) -> Table:
    """What became of the symptoms of the carcinoid syndrome."""
    measures = (*BASELINE_MEASURES, *SYMPTOM_MEASURES)
    return _measured(con, "symptoms", "Symptoms", "symptom_summary", measures)


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


def agreement(con: Connection) -> Table:
    """The class of each criterion beside that of another, by patient and by lesion."""
    found = fetched(
        con,
        "SELECT criterion_a, criterion_b, level, category_a, category_b, n, statistic_id "
        "FROM outcomes.criterion_agreement WHERE population = 'all' ORDER BY ALL",
    )
    pairs: dict[tuple[str, str, str], dict[tuple[str, str], int]] = {}
    for a, b, level, of_a, of_b, n, _ in found:
        pairs.setdefault((level, a, b), {})[of_a, of_b] = n
    rows: list[Row] = []
    for (level, a, b), joint in sorted(pairs.items(), key=lambda p: p[0][0] == "lesion"):
        total = sum(joint.values())
        if total:
            rows.append(_pair(f"{a} (rows) by {b}, {_by(level)}s", joint, total))
            rows += [_class(k, joint) for k in CLASSES if any(joint.get((k, c)) for c in CLASSES)]
    return Table(
        id="agreement",
        title="Agreement of criteria",
        notes=("Best response, unconfirmed; not evaluable is a class of its own.",),
        abbreviations=(*CLASSES, "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=tuple(Number(r[6], "n", str(r[5])) for r in found if r[5]),
        empty="" if rows else "No two criteria could be compared.",
        columns=("", *CLASSES),
        rows=tuple(rows),
    )


def _pair(heading: str, joint: dict[tuple[str, str], int], total: int) -> Row:
    same = sum(n for (a, b), n in joint.items() if a == b)
    said = f"{heading}: same class in {share(same, total, 100 * same / total)}"
    return Row((said, *[""] * len(CLASSES)), heading=True)


def _class(code: str, joint: dict[tuple[str, str], int]) -> Row:
    return Row((code, *(str(joint.get((code, c), 0)) for c in CLASSES)), 1)


def shift(con: Connection, version: str) -> Table:
    """The worst grade of each laboratory term by the grade before treatment."""
    found = fetched(
        con,
        "SELECT term, baseline_grade, worst_grade, n, statistic_id FROM outcomes.toxicity_shift "
        "WHERE population = 'all' AND ctcae_version = ? ORDER BY term, baseline_grade",
        version,
    )
    grades = sorted({w for _, _, w, _, _ in found}, key=lambda g: (g == "missing", g))
    terms: dict[str, dict[tuple[str, str], int]] = {}
    for term, before, worst, n, _ in found:
        terms.setdefault(term, {})[before, worst] = n
    rows: list[Row] = []
    for term, joint in terms.items():
        before = sorted({b for (b, _), n in joint.items() if n}, key=lambda g: (g == "missing", g))
        if before:
            rows.append(Row((words.capital(words.plain(term)), *[""] * len(grades)), heading=True))
            rows += [
                Row((_before(b), *(str(joint.get((b, w), 0)) for w in grades)), 1) for b in before
            ]
    return Table(
        id="shift",
        title=f"Laboratory values: worst grade by grade before treatment (CTCAE {version})",
        notes=("Rows: grade before treatment. Columns: worst grade after it. Patients.",),
        abbreviations=("CTCAE",),
        numbers=tuple(Number(r[4], "n", str(r[3])) for r in found if r[3]),
        empty="" if rows else "No laboratory value was graded before and after treatment.",
        columns=("", *(_grade(g) for g in grades)),
        rows=tuple(rows),
    )


def _grade(code: str) -> str:
    return code if code == "missing" else f"grade {code}"


def _before(code: str) -> str:
    return "no value before" if code == "missing" else f"grade {code} before"


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


def findings(con: Connection) -> Table:
    """What was found in the deliveries: a line for each centre, column and rule, with examples."""
    found = fetched(
        con,
        "SELECT site_id, outcome, table_name, column_name, rule_id, "
        "count(DISTINCT (source_file, source_row)) AS n, "
        "list_sort(list_distinct(list((source_file, source_row))))[:3] AS examples FROM ("
        "SELECT *, 'set aside' AS outcome, NULL AS detail FROM quality.quarantine "
        "UNION ALL BY NAME SELECT *, 'loaded' AS outcome FROM quality.findings) "
        "GROUP BY ALL ORDER BY outcome DESC, n DESC, site_id, table_name, column_name, rule_id",
    )
    return table(
        "findings",
        "What was found in the deliveries",
        ("centre", "rows", "", "column", "what is wrong", "for instance"),
        tuple(
            (
                *(site, str(n), outcome, f"{words.plain(name)}: {words.plain(column)}"),
                *(_meaning(name, rule, column), _places(examples)),
            )
            for site, outcome, name, column, rule, n, examples in found
        ),
        ("A row that is set aside counts in nothing; one that is loaded counts without the cell.",),
        empty="Nothing was found.",
    )


def _meaning(name: str, rule: str, column: str) -> str:
    """A rule in its own words; one between tables by its name."""
    if rule in BY_ID:
        return BY_ID[rule].meaning.format(column=words.plain(column))
    own = (r for c in TABLES if table_name(c) == name for r in options(c).rules)
    return next((r.meaning for r in own if r.rule_id == rule), words.plain(rule))


def _places(examples: list[tuple[str, int]]) -> str:
    return ", ".join(f"{file} row {row}" for file, row in examples)


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
