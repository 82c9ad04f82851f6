"""Change an export of an invented registry between one day and the next.

Between two exports events are added, late rows are entered, wrong cells are corrected, and now and
then a record vanishes. All of it is drawn from the patient's own generator and dated, so the export
of a day is a function of the seed and of that day. What is missing is missing for ever.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from numpy.random import Generator

from schemas.contract import options
from simulation.cohort import Patient
from simulation.reference import CONTRACTS, RAW, Record, Value, seen
from simulation.registry.doses import add_doses
from simulation.registry.patients import RECORDS, generator

Tables = dict[str, list[Record]]
READINGS_THAT_DECIDE_DAYS = 110
"""Up to here every lesion is measured: its response is decided by then."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell that is wrong until somebody corrects it."""

    table: str
    column: str
    share: float
    wrong: Callable[[Record], Value]


@dataclass(frozen=True, slots=True)
class Gap:
    """Cells that nobody fills in."""

    table: str
    column: str
    share: float
    value: Value = None


CORRECTIONS = (
    Correction("labs", "value", 0.03, lambda r: _decimal(r["value"]) + Decimal("0.3")),
    Correction("measurements", "perpendicular_mm", 0.03, lambda r: r["longest_mm"]),
    Correction("patients", "birth_year", 0.02, lambda r: int(str(r["birth_year"])) - 10),
)
GAPS = (
    Gap("assessments", "ecog", 0.03),
    Gap("assessments", "tumour_burden_pct", 0.03),
    Gap("patients", "sex", 0.01, "unknown"),
    Gap("treatments", "residual_fraction", 0.04),
    Gap("contacts", "cause_of_death", 0.30),
)
LATE: Mapping[str, float] = {"labs": 0.08, "adverse_events": 0.10, "contacts": 0.05}
NEVER_ENTERED: Mapping[str, float] = {"labs": 0.02}
NOT_EVALUABLE = 0.01
VANISHES = 0.003
CORRECTED_AFTER_DAYS = (5, 90)
LATE_DAYS = (7, 90)
VANISHED_AFTER_DAYS = (150, 1500)


def export(patient: Patient, seed: int, number: int, as_of: date) -> Tables | None:
    """The patient's rows as they stood on a day; None if there was no record, or no longer."""
    draw = generator(seed, number, RECORDS)
    if patient.on(patient.mapping_day) > as_of or _vanished(draw, patient, as_of):
        return None
    tables = {
        name: list(seen(name, _entered(name, list(raw(patient)), draw, patient, as_of), as_of))
        for name, raw in RAW.items()
    }
    add_doses(tables["treatments"], patient, seed, number)
    return _placed(tables, patient)


def _placed(tables: Tables, patient: Patient) -> Tables:
    """With the lobes planned at the first session, and the place of disease that is no target."""
    lobes = {target.lobe for target in patient.targets}
    plan = "both" if len(lobes) == 2 else min(lobes)
    for row in tables["treatments"]:
        row["planned_lobes"] = plan if row["treatment_date"] == patient.t0 else None
    liver = not all(lesion.recist_target for lesion in patient.lesions)
    for row in tables["scans"]:
        row["non_target_liver"] = _remaining(liver)
        row["non_target_elsewhere"] = _remaining(patient.extrahepatic != "none")
    return tables


def _remaining(there: bool) -> str:
    return "non_cr_non_pd" if there else "none"


def _vanished(draw: Generator, patient: Patient, as_of: date) -> bool:
    vanishes, when = draw.random() < VANISHES, int(draw.integers(*VANISHED_AFTER_DAYS))
    return bool(vanishes and patient.on(when) <= as_of)


def _entered(
    table: str, rows: list[Record], draw: Generator, patient: Patient, as_of: date
) -> Iterator[Record]:
    """Rows entered by the day, with their cells as they stood."""
    fates = draw.random((len(rows), 5)).tolist()
    for row, (late, delay, gap, wrong, patience) in zip(rows, fates, strict=True):
        happened = _day(table, row) or patient.t0
        entered = _after(happened, delay, LATE_DAYS) if late < LATE.get(table, 0) else happened
        if entered > as_of or gap < NEVER_ENTERED.get(table, 0):
            continue
        _leave_out(table, row, gap)
        if _after(happened, patience, CORRECTED_AFTER_DAYS) > as_of:
            _mistake(table, row, wrong)
        if table == "measurements" and gap < NOT_EVALUABLE and _late_reading(patient, happened):
            row |= dict.fromkeys((c for c in row if c.endswith("_mm")), None)
            row["status"] = "not_evaluable"
        yield row


def _leave_out(table: str, row: Record, gap: float) -> None:
    """At most one cell of a row; a second gap takes the next stretch of the same number."""
    before = 0.0
    for declared in GAPS:
        if declared.table == table:
            if before <= gap < before + declared.share and row[declared.column] is not None:
                row[declared.column] = declared.value
            before += declared.share


def _mistake(table: str, row: Record, wrong: float) -> None:
    for declared in CORRECTIONS:
        if declared.table == table and wrong < declared.share and row[declared.column] is not None:
            row[declared.column] = declared.wrong(row)


def _late_reading(patient: Patient, day: date) -> bool:
    return (day - patient.t0).days > READINGS_THAT_DECIDE_DAYS


def _day(table: str, row: Record) -> date | None:
    column = options(CONTRACTS[table]).dated_by
    found = row[column] if column else None
    return found if isinstance(found, date) else None


def _after(day: date, share: float, between: tuple[int, int]) -> date:
    return day + timedelta(days=between[0] + int(share * (between[1] - between[0])))


def _decimal(value: Value) -> Decimal:
    return Decimal(str(value))
