"""Responses as a registry recorded them, beside the derived ones and never mixed with them."""

from report.figures import words
from report.figures.model import Cell, Number, Row, Table, numbers_in, row, table
from report.figures.response import CLASSES, unit_rows
from report.figures.source import Connection, Record, interval, number, records, said, share

NOTHING = "No recorded response was delivered."
DERIVED = "derived, best"
_KEY = "population = 'all' AND organ = 'all'"


def responses(con: Connection) -> Table:
    """Best response and the class at each time point as recorded, beside the derived best one."""
    found = records(
        con,
        f"SELECT * FROM outcomes.recorded_response_summary WHERE {_KEY} AND total > 0 "
        "ORDER BY criterion, at_days",
    )
    derived = records(
        con,
        f"SELECT * FROM outcomes.response_summary WHERE {_KEY} AND level = 'subject' "
        "AND confirmation = 'unconfirmed'",
    )
    days = sorted({r["at_days"] for r in found})
    labels = [_label(days[0]), DERIVED, *map(_label, days[1:])] if days else []
    rows: list[Row] = []
    for criterion in dict.fromkeys(r["criterion"] for r in found):
        own = {
            (_label(r["at_days"]), r["category"]): r for r in found if r["criterion"] == criterion
        }
        own |= {(DERIVED, r["category"]): r for r in derived if r["criterion"] == criterion}
        rows += unit_rows(f"{criterion}, patients", labels, own)
    return Table(
        id="recorded-responses",
        title="Response as recorded",
        notes=(
            "Classes as the centres recorded them, up to the first recorded progression and to "
            "other treatment. Recorded: of all treated at centres that record the criterion; "
            "derived from measurements: of all treated at centres that measure. The two are never "
            "mixed.",
        ),
        abbreviations=(*CLASSES, "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=numbers_in(rows),
        empty="" if rows else NOTHING,
        columns=("", *labels),
        rows=tuple(rows),
    )


def _label(at_days: int) -> str:
    return f"recorded, at {at_days} days" if at_days else "recorded, best"


def agreement(con: Connection) -> Table:
    """Recorded by derived best response, with Cohen's kappa."""
    cells = records(con, f"SELECT * FROM outcomes.recorded_agreement WHERE {_KEY}")
    kappas = {
        r["criterion"]: r
        for r in records(
            con,
            f"SELECT * FROM outcomes.recorded_kappa WHERE {_KEY} AND n > 0 "
            "AND coefficient = 'cohen' ORDER BY criterion",
        )
    }
    derived = [c for c in (*CLASSES, "NON-CR/NON-PD") if any(r["derived"] == c for r in cells)]
    rows: list[Row] = []
    numbers: list[Number] = []
    for criterion, kappa in kappas.items():
        rows.append(Row((_heading(kappa), *[""] * len(derived)), heading=True))
        numbers += [
            Number(kappa["statistic_id"], c, number(kappa[c], 2))
            for c in ("kappa", "lower", "upper")
            if kappa[c] is not None
        ]
        own = {(r["recorded"], r["derived"]): r for r in cells if r["criterion"] == criterion}
        for name in (c for c in CLASSES if any(recorded == c for recorded, _ in own)):
            rows.append(row((name, *(_count(own.get((name, d))) for d in derived)), 1))
    return Table(
        id="recorded-agreement",
        title="Agreement of recorded and derived response",
        notes=(
            "Rows: best response as recorded. Columns: best response derived, unconfirmed. "
            "Kappa of patients placed in CR, PR, SD or PD by both; limits by Fleiss, Cohen and "
            "Everitt.",
        ),
        abbreviations=(*CLASSES, "EASL", "mRECIST", "RECIST", "WHO"),
        numbers=(*numbers, *numbers_in(rows)),
        empty="" if rows else "No recorded response has a derived one beside it.",
        columns=("", *derived),
        rows=tuple(rows),
    )


def _heading(kappa: Record) -> str:
    n, agreed = kappa["n"], kappa["agreed"]
    same = f"{kappa['criterion']}: same class in {share(agreed, n, 100 * agreed / n)}"
    if kappa["kappa"] is None:
        return f"{same}, kappa not derivable ({kappa['reason']})"
    around = interval(kappa["lower"], kappa["upper"], 2)
    return f"{same}, kappa {number(kappa['kappa'], 2)} ({around})"


def _count(r: Record | None) -> Cell:
    if r is None:
        return Cell("0")
    return Cell(str(r["n"]), (Number(r["statistic_id"], "n", str(r["n"])),))


def progression(con: Connection) -> Table:
    """Recorded beside derived progression, patients by how the two stand."""
    found = records(
        con,
        "SELECT * FROM outcomes.recorded_progression WHERE population = 'all' AND total > 0",
    )
    return table(
        "recorded-progression",
        "Progression as recorded beside progression as derived",
        ("", "patients", "95 % CI", "median days apart"),
        tuple(
            (
                words.plain(r["agreement"]),
                Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
                Cell(interval(r["lower"], r["upper"]), said(r, lower=1, upper=1)),
                Cell(number(r["median_days_apart"]), said(r, median_days_apart=1)),
            )
            for r in found
        ),
        (
            "Of patients of whom both are derivable; recorded less derived days. Each patient is "
            "listed in marts.progression_differences. PFSREC and TTPREC run by recorded dates.",
        ),
        ("CI",),
        NOTHING,
    )
