"""Response and liver toxicity by dose: groups, models and cut-offs."""

from report.figures import words
from report.figures.model import Cell, Cells, Table, grouped, table
from report.figures.source import (
    Connection,
    Record,
    interval,
    number,
    p_value,
    records,
    said,
    said_p,
    share,
)
from schemas.records.field.dose_questions import DOSE_GROUPS, DOSE_LABELS, THRESHOLDS

MEASURES = {
    "tumour_dose_gy": "tumour dose",
    "tumour_dose_gy_recorded": "tumour dose as recorded",
    "normal_liver_dose_gy": "normal-liver dose",
    "normal_liver_dose_gy_recorded": "normal-liver dose as recorded",
    "target_dose_gy": "dose of the perfused volume",
}
GROUPS = {
    "tertile_1": "lowest third",
    "tertile_2": "middle third",
    "tertile_3": "highest third",
    **{f"below_{t.code}": f"below {t.gy} Gy" for t in THRESHOLDS},
    **{f"from_{t.code}": f"{t.gy} Gy and more" for t in THRESHOLDS},
}
ORDER = {group: place for place, group in enumerate(DOSE_GROUPS)}


def groups(con: Connection) -> Table:
    """The outcome in every third of the doses, and on both sides of published thresholds."""
    found = records(
        con,
        "SELECT * FROM outcomes.dose_groups WHERE population = 'all' AND total > 0 "
        "ORDER BY outcome <> 'response', outcome, device, measure, level",
    )
    shown = sorted(found, key=lambda r: (_place(found, r), ORDER[r["dose_group"]]))
    return table(
        "dose-groups",
        "Response and liver toxicity by dose",
        ("", "doses (Gy)", "with the outcome", "95 % CI"),
        grouped((f"{_outcome(r)}, {_dose(r)}", _in_group(r)) for r in shown),
        (
            "Thirds are of the doses of all treated with the device whose outcome is known. "
            "Thresholds: " + "; ".join(f"{t.gy} Gy, {t.source}" for t in THRESHOLDS) + ". Who gets "
            "how much is decided by liver, tumour and shunt: a difference is no evidence of cause.",
        ),
        ("CI",),
        empty="No dose stands beside a known outcome.",
    )


def models(con: Connection) -> Table:
    """Odds ratios, areas under the ROC curve and cut-offs."""
    found = records(
        con,
        "SELECT * FROM outcomes.dose_response WHERE population = 'all' AND n > 0 "
        "ORDER BY outcome <> 'response', outcome, device, measure, level",
    )
    head = ("", "with it", "odds ratio of 10 Gy", "95 % CI", "p", "area", "95 % CI", "cut-off", "J")
    return table(
        "dose-models",
        "Dose as a predictor",
        head,
        grouped((_outcome(r), (_dose(r), *_odds(r), *_area(r), *_cutoff(r))) for r in found),
        (
            "Logistic regression, of lesions with the sandwich over patients; area under the ROC "
            "curve with DeLong's limits, of lesions with Obuchowski's. J: Youden's index of the "
            "cut-off, and less the optimism of a choice in the same patients. No odds ratio where "
            "a dose parts the outcomes.",
        ),
        ("CI",),
        empty="No dose stands beside a known outcome.",
    )


def _place(found: list[Record], r: Record) -> int:
    names = list(dict.fromkeys(map(_named, found)))
    return names.index(_named(r))


def _named(r: Record) -> str:
    return f"{_outcome(r)}, {_dose(r)}"


def _outcome(r: Record) -> str:
    return words.capital(DOSE_LABELS[r["outcome"]])


def _dose(r: Record) -> str:
    return f"by {words.unit(r['level'])}: {MEASURES[r['measure']]}, {r['device']}"


def _in_group(r: Record) -> Cells:
    return (
        GROUPS[r["dose_group"]],
        Cell(interval(r["minimum_gy"], r["maximum_gy"]), said(r, minimum_gy=1, maximum_gy=1)),
        Cell(share(r["n"], r["total"], r["pct"]), said(r, n=0, total=0, pct=1)),
        Cell(
            interval(r["lower"], r["upper"]) if r["lower"] is not None else "",
            said(r, lower=1, upper=1),
        ),
    )


def _odds(r: Record) -> tuple[Cell, Cell, Cell, Cell]:
    counted = Cell(f"{r['events']} of {r['n']}", said(r, events=0, n=0))
    if r["odds_ratio"] is None:
        return counted, Cell("not evaluable"), Cell(""), Cell("")
    return (
        counted,
        Cell(number(r["odds_ratio"], 2), said(r, odds_ratio=2)),
        Cell(interval(r["lower"], r["upper"], 2), said(r, lower=2, upper=2)),
        Cell(p_value(r["p"]), said_p(r)),
    )


def _area(r: Record) -> tuple[Cell, Cell]:
    if r["auc"] is None:
        return Cell("not evaluable"), Cell("")
    limits = interval(r["auc_lower"], r["auc_upper"], 2) if r["auc_lower"] is not None else ""
    return (
        Cell(number(r["auc"], 2), said(r, auc=2)),
        Cell(limits, said(r, auc_lower=2, auc_upper=2)),
    )


def _cutoff(r: Record) -> tuple[Cell, Cell]:
    if r["cutoff_gy"] is None:
        return Cell(""), Cell("")
    corrected = number(r["youden_corrected"], 2)
    index = number(r["youden"], 2) + (f", {corrected} corrected" if corrected else "")
    return (
        Cell(f"{number(r['cutoff_gy'])} Gy", said(r, cutoff_gy=1)),
        Cell(index, said(r, youden=2, youden_corrected=2)),
    )
