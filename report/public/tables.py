"""Tables of a public bundle: what is told is printed, what is withheld is said to be.

Nothing here opens a table of patients: the database of a public bundle has none.
"""

from collections.abc import Iterator

from analytics.outcomes.measures import ADHERENCE_MEASURES, BASELINE_MEASURES, SYMPTOM_MEASURES
from report.figures import words
from report.figures.model import Cell, Cells, Row, Table, numbers_in, row, table
from report.figures.source import Connection, Record, interval, number, percents, records, said
from report.tables.measured import FOLLOW_UP, MEASURES
from schemas.records.criteria import CRITERIA

WITHHELD = "withheld"
"""What stands where a number is of few patients, or would give such a number away."""
MEANINGS = {m.name: m.meaning for m in (*BASELINE_MEASURES, *SYMPTOM_MEASURES, *ADHERENCE_MEASURES)}
CATEGORIES = ("CR", "PR", "SD", "PD", "NE", "ORR", "DCR")
GRADES = {"any": "any grade", "ge3": "grade ≥ 3", "5": "grade 5"}


def tables(con: Connection) -> list[Table]:
    """Return every table of the public page, in order."""
    return [
        before(con),
        *(response(con, level) for level in ("subject", "lesion")),
        medians(con),
        landmarks(con),
        toxicity(con),
        measures(con, "symptom_summary", "symptoms", "Symptoms"),
        dose(con),
        follow_up(con),
        measures(con, "adherence_summary", "adherence", "Reviews of follow-up"),
    ]


def _read(con: Connection, name: str, where: str = "true") -> list[Record]:
    return records(con, f"SELECT * FROM outcomes.{name} WHERE {where} ORDER BY statistic_id")


def _told(r: Record, text: str, **digits: int) -> Cell:
    """A cell whose numbers all are told, or none."""
    if any(r[column] is None for column in digits):
        return Cell(WITHHELD)
    return Cell(text, said(r, **digits))


def _of(r: Record, share: str = "pct") -> Cell:
    """`26 of 40 (65.0 %)`."""
    if r["n"] is None or r["total"] is None:
        return Cell(WITHHELD)
    if not r["total"] or r[share] is None:
        return Cell("not evaluable")
    text = f"{r['n']} of {r['total']} ({number(r[share])}\u00a0%)"
    return Cell(text, said(r, n=0, total=0, **{share: 1}))


def before(con: Connection) -> Table:
    """Patients before treatment."""
    found = _read(con, "baseline_characteristics")
    rows: list[Row] = []
    for group, variables in words.GROUPS:
        block: list[Row] = []
        for variable in variables:
            own = [r for r in found if r["variable"] == variable.code]
            block += _variable(variable, own) if own else []
        if block:
            rows += [Row((group, ""), heading=True), *block]
    return Table(
        id="table-1",
        title="Patients before treatment",
        columns=("", "of those with a value"),
        rows=tuple(rows),
        notes=("Median (quartiles), or n of those with a value.",),
        numbers=numbers_in(rows),
        empty="" if rows else "No variable is told.",
    )


def _variable(variable: words.Variable, own: list[Record]) -> Iterator[Row]:
    first, digits = own[0], variable.digits
    if not first["level"]:
        if first["total"] == 0:
            return
        text = f"{number(first['median'], digits)} ({interval(first['q1'], first['q3'], digits)})"
        of = {"median": digits, "q1": digits, "q3": digits}
        yield row((variable.label, _told(first, text, **of)), 1)
    elif variable.yes:
        yes = next((r for r in own if r["level"] == variable.yes), None)
        yield row((variable.label, _of(yes) if yes else "none"), 1)
    else:
        yield row((variable.label, ""), 1)
        yield from (row((words.level(r["level"]), _of(r)), 2) for r in own)


def response(con: Connection, level: str) -> Table:
    """Best response by each criterion, of patients or of lesions."""
    found = {
        (r["criterion"], r["category"]): r
        for r in _read(con, "response_summary", f"level = '{level}'")
    }
    shown = [c for c in CRITERIA if any(k[0] == c for k in found)]
    rows: list[Cells] = [
        (category, *(_of(found[c, category]) if (c, category) in found else "" for c in shown))
        for category in CATEGORIES
    ]
    unit = "patient" if level == "subject" else "lesion"
    return table(
        f"response-{level}",
        f"Best response by {unit}",
        ("", *shown),
        rows if shown else (),
        ("Unconfirmed, in the whole patient.",),
        CATEGORIES,
    )


def medians(con: Connection) -> Table:
    """Medians of every endpoint."""
    return table(
        "medians",
        "Times to an event",
        ("", "patients", "events", "median, months (95 % CI)"),
        (
            (
                words.endpoint(r["endpoint"]),
                _told(r, str(r["n"]), n=0),
                _told(r, str(r["events"]), events=0),
                _median(r),
            )
            for r in _read(con, "survival_medians")
        ),
        ("Kaplan-Meier. NR: not reached.",),
        ("CI", "NR"),
    )


def _median(r: Record) -> Cell:
    if r["n"] is None:
        return Cell(WITHHELD)
    if r["median_months"] is None:
        return Cell("not reached" if r["not_reached"] else "none derived")
    limits = interval(r["lower"], r["upper"])
    text = f"{number(r['median_months'])}" + (f" ({limits})" if limits else "")
    return Cell(text, said(r, median_months=1, lower=1, upper=1))


def landmarks(con: Connection) -> Table:
    """Shares without the event at fixed times, in place of curves."""
    return table(
        "landmarks",
        "Without the event at fixed times",
        ("", "months", "% (95 % CI)"),
        (
            (words.endpoint(r["endpoint"]), str(r["months"]), _landmark(r))
            for r in _read(con, "survival_landmarks")
        ),
        ("They stand in place of curves, each of whose steps is a single patient's.",),
        ("CI",),
    )


def _landmark(r: Record) -> Cell:
    if r["survival"] is None:
        return Cell(WITHHELD if r["suppressed"] else "none derived")
    low, high = (None if r[c] is None else 100 * r[c] for c in ("lower", "upper"))
    limits = interval(low, high)
    text = number(100 * r["survival"]) + (f" ({limits})" if limits else "")
    return Cell(text, percents(r, "survival", "lower", "upper"))


def toxicity(con: Connection) -> Table:
    """Worst grades of each term."""
    found = _read(con, "toxicity_summary")
    by_term: dict[tuple[str, str], dict[str, Record]] = {}
    for r in found:
        by_term.setdefault((r["source"], r["term"]), {})[r["grade"]] = r
    version = found[0]["ctcae_version"] if found else ""
    return table(
        "toxicity",
        f"Worst grade in the primary window (CTCAE {version})",
        ("", *GRADES.values()),
        (
            (
                words.capital(words.plain(term)),
                *(_of(grades[g]) if g in grades else "" for g in GRADES),
            )
            for (_, term), grades in by_term.items()
        ),
        ("Of those in whom the term was assessed.",),
        ("CTCAE",),
    )


def measures(con: Connection, name: str, place: str, title: str) -> Table:
    """Shares of one table, a row each."""
    return table(
        place,
        title,
        ("", "patients"),
        (
            (words.capital(MEANINGS.get(r["measure"], words.plain(r["measure"]))), _of(r, "value"))
            for r in _read(con, name)
        ),
    )


def dose(con: Connection) -> Table:
    """Activity and dose by patient."""
    return table(
        "dose",
        "Activity and dose by patient",
        ("", "patients", "median (quartiles)", "unit"),
        (
            (
                MEASURES.get(r["measure"], words.capital(words.plain(r["measure"]))),
                _told(r, str(r["n"]), n=0),
                _quartiles(r),
                r["unit"] or "",
            )
            for r in _read(con, "dosimetry_summary")
            if r["median"] is not None or r["suppressed"]
        ),
    )


def _quartiles(r: Record) -> Cell:
    text = f"{number(r['median'])} ({interval(r['q1'], r['q3'])})"
    return _told(r, text, median=1, q1=1, q3=1)


def follow_up(con: Connection) -> Table:
    """How long patients were followed."""
    return table(
        "follow-up",
        "Follow-up",
        ("", "patients", "median, months (95 % CI)"),
        (
            (
                FOLLOW_UP.get(r["definition"], words.plain(r["definition"])),
                _told(r, str(r["n"]), n=0),
                _median(r | {"not_reached": True}),
            )
            for r in _read(con, "follow_up")
        ),
        (),
        ("CI",),
    )
