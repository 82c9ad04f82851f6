"""Response: the matrix of criteria and classes, and the depth of response as a waterfall."""

from dataclasses import dataclass

from report.figures.model import Cell, Exhibit, Row, Table, numbers_in, row
from report.figures.source import Connection, Record, interval, number, records, said
from schemas.records.criteria import CRITERIA, RECORDS

CLASSES = ("CR", "PR", "SD", "PD", "NE")
RATES = ("ORR", "DCR")
NAMES = {
    "CR": "complete response (CR)",
    "PR": "partial response (PR)",
    "SD": "stable disease (SD)",
    "PD": "progressive disease (PD)",
    "NE": "not evaluable (NE)",
    "ORR": "objective response (ORR)",
    "DCR": "disease control (DCR)",
}
Unit = tuple[str, str, str, str]
MAIN: tuple[Unit, ...] = (
    ("Patients, all organs", "subject", "all", "all"),
    ("Lesions in a treated lobe", "lesion", "all", "treated"),
)
"""(heading, level, organ, lesions) of response_summary, in the order of the table."""
FURTHER: tuple[Unit, ...] = (
    ("Patients, liver alone", "subject", "liver", "all"),
    ("Patients, outside the liver", "subject", "extrahepatic", "all"),
    ("All lesions", "lesion", "all", "all"),
    ("Lesions outside the treated lobes", "lesion", "all", "untreated"),
)


def matrix(con: Connection, confirmation: str, units: tuple[Unit, ...] = MAIN) -> Table:
    """Best response by every criterion, by patient and by lesion.

    Args:
        con: a release's database.
        confirmation: `unconfirmed` or `confirmed`; they never share a column.
        units: of what it is the response.
    """
    part = "" if units == MAIN else "-further"
    found = records(
        con,
        "SELECT * FROM outcomes.response_summary WHERE population = 'all' AND confirmation = ?",
        confirmation,
    )
    order = list(CRITERIA)
    criteria = sorted({r["criterion"] for r in found}, key=lambda c: (_place(order, c), c))
    rows: list[Row] = []
    for heading, *unit in units:
        own = {
            (r["criterion"], r["category"]): r
            for r in found
            if [r["level"], r["organ"], r["lesions"]] == unit
        }
        if any(r["total"] for r in own.values()):
            rows += unit_rows(heading, criteria, own)
    return Table(
        id=f"response-{confirmation}{part}",
        title=f"Best response, {confirmation}{', of other units' if part else ''}",
        notes=(
            "n (%) of all treated; whoever could not be evaluated stays in the denominator. In "
            "brackets 95 % confidence intervals: Clopper-Pearson by patient; by lesion they allow "
            "for several lesions of a patient.",
            "A lesion is followed from the treatment of its own lobe, a patient from the first "
            "session: growth in a lobe not yet treated makes the patient progressive while both "
            "lobes' lesions may respond later.",
        ),
        abbreviations=("EASL", "mRECIST", "RECIST", "WHO"),
        numbers=numbers_in(rows),
        empty="" if rows else "Response is not derivable: no lesion was measured after treatment.",
        columns=("", *criteria),
        rows=tuple(rows),
    )


def at_windows(con: Connection) -> Table:
    """The class at each time point by every criterion, by patient and by lesion."""
    found = records(con, "SELECT * FROM outcomes.response_at_window WHERE population = 'all'")
    days = sorted({r["at_days"] for r in found})
    rows: list[Row] = []
    for heading, *unit in MAIN:
        for at in days:
            own = {
                (r["criterion"], r["category"]): r
                for r in found
                if [r["level"], r["organ"], r["lesions"]] == unit and r["at_days"] == at
            }
            if any(r["total"] for r in own.values()):
                rows += unit_rows(f"{heading}, at {at} days", list(CRITERIA), own)
    return Table(
        id="response-at-windows",
        title="Response at fixed times",
        notes=(
            "The class of the assessment nearest to the day, not the best so far; whoever was "
            "progressive before stays progressive. Whoever died without progression, had other "
            "treatment or no assessment near the day is not evaluable and stays in the "
            "denominator.",
        ),
        abbreviations=("EASL", "mRECIST", "RECIST", "WHO"),
        numbers=numbers_in(rows),
        empty="" if rows else "Response is not derivable: no lesion was measured after treatment.",
        columns=("", *CRITERIA),
        rows=tuple(rows),
    )


def unit_rows(heading: str, criteria: list[str], own: dict[tuple[str, str], Record]) -> list[Row]:
    """A heading, the denominators and every class, one column for each of `criteria`.

    Args:
        heading: what the rows are about.
        criteria: the columns: criteria, or other readings of one.
        own: (column, category) -> the published row.
    """

    def each(category: str) -> tuple[Cell, ...]:
        return tuple(_cell(own.get((c, category)), category) for c in criteria)

    totals = tuple(_total(own.get((c, "NE"))) for c in criteria)
    evaluable = tuple(_evaluable(own.get((c, "NE"))) for c in criteria)
    return [
        Row((heading, *[""] * len(criteria)), heading=True),
        row(("treated", *totals), 1),
        row(("evaluable", *evaluable), 1),
        *(row((NAMES[k], *each(k)), 1) for k in (*CLASSES, *RATES)),
    ]


def _cell(r: Record | None, category: str) -> Cell:
    if r is None or not r["total"]:
        return Cell("not derivable")
    if category != "NE" and not r["n_evaluable"]:
        return Cell("not evaluable")
    told = f"{r['n']}\u00a0({number(r['pct'])}\u00a0%)"
    if category not in RATES:
        return Cell(told, said(r, n=0, pct=1))
    around = interval(r["lower"], r["upper"]).replace(" ", "\u00a0")
    return Cell(f"{told} [{around}]", said(r, n=0, pct=1, lower=1, upper=1))


def _total(r: Record | None) -> Cell:
    return Cell(str(r["total"]), said(r, total=0)) if r else Cell("")


def _evaluable(r: Record | None) -> Cell:
    if r is None or r["total"] is None:
        return Cell("")
    return Cell(str(r["n_evaluable"]), said(r, n_evaluable=0))


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


@dataclass(frozen=True, slots=True)
class Bar:
    """The best change of one patient or lesion, in percent of the baseline."""

    change: float
    response: str
    new_lesion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall(Exhibit):
    """The best change of each unit, the worst first.

    Attributes:
        axis: name of the ordinate.
        unit: what a bar is.
        bars: the worst first.
        missing: units without a value; they are counted and not drawn.
        partial: change at which response begins, in percent.
        progression: growth over the nadir that is progression, in percent.
    """

    axis: str
    unit: str
    bars: tuple[Bar, ...] = ()
    missing: int = 0
    partial: float = -50.0
    progression: float = 25.0


def waterfalls(con: Connection, criterion: str = "WHO") -> list[Waterfall]:
    """Depth of response by patient, and by lesion of a treated lobe."""
    patients = records(
        con,
        "SELECT r.best_change_pct AS change, r.best_response AS response, "
        "coalesce(bool_or(a.new_lesion <> 'none'), false) AS new_lesion "
        "FROM marts.subject_response r LEFT JOIN marts.subject_assessments a "
        "ON a.subject_id = r.subject_id AND a.criterion = r.criterion AND a.organ = r.organ "
        "AND a.in_window WHERE r.criterion = ? AND r.organ = 'all' "
        "AND r.confirmation = 'unconfirmed' "
        "GROUP BY r.subject_id, r.best_change_pct, r.best_response",
        criterion,
    )
    lesions = records(
        con,
        "SELECT best_change_pct AS change, best_response AS response, false AS new_lesion "
        "FROM marts.lesion_response WHERE criterion = ? AND confirmation = 'unconfirmed' "
        "AND treated",
        criterion,
    )
    return [
        _waterfall(criterion, "patient", patients),
        _waterfall(criterion, "lesion", lesions),
    ]


def _waterfall(criterion: str, unit: str, found: list[Record]) -> Waterfall:
    record = next(r for r in RECORDS if r.code == criterion)
    bars = sorted(
        (
            Bar(r["change"], r["response"] or "NE", r["new_lesion"])
            for r in found
            if r["change"] is not None
        ),
        key=lambda bar: (-bar.change, bar.response, bar.new_lesion),
    )
    missing = len(found) - len(bars)
    counts = {k: sum(bar.response == k for bar in bars) for k in CLASSES}
    told = ", ".join(f"{k} {n}" for k, n in counts.items() if n)
    quantity = "sum of target lesions" if unit == "patient" else "target lesion"
    return Waterfall(
        id=f"waterfall-{criterion.lower()}-{unit}",
        title=f"Depth of response by {unit} ({criterion})",
        description=f"{len(bars)} of {len(found)} {unit}s drawn, {missing} without a value. "
        f"Best response: {told or 'none'}. "
        f"{sum(bar.change < 0 for bar in bars)} became smaller.",
        n=len(found),
        notes=(
            f"Colour and label: best response, {criterion}, unconfirmed. A bar is the best change "
            "of the measured lesions; progression is counted from the nadir, and a new lesion is "
            "progression whatever the bar says.",
        ),
        abbreviations=(*(k for k, n in counts.items() if n), criterion),
        empty=""
        if bars
        else f"No {unit} could be compared with a baseline: {missing} without a value.",
        axis=f"Best change of the {quantity} (%)",
        unit=unit,
        bars=tuple(bars),
        missing=missing,
        partial=100 * record.partial_response.numerator / record.partial_response.denominator - 100,
        progression=100 * record.progression.numerator / record.progression.denominator - 100,
    )
