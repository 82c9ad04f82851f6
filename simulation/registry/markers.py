"""The tumour marker that a centre of an invented registry measures, beside its other results.

Every patient has chromogranin A the day before treatment and at each of the first two scans. It is
elevated in a declared share of patients; of these a declared share falls to a third at the second
scan, the others keep nine tenths. A draw of its own keeps everything else as it was.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from simulation.cohort import Patient
from simulation.reference import Record, seen
from simulation.registry.patients import generator
from simulation.registry.truths import Truths

MARKER = "chromogranin_a"
UPPER_LIMIT = Decimal(100)
MARKED = 4
"""What the random numbers of this module are for, after those of `simulation.registry.recorded`."""


def marker_course(seed: int, number: int, truths: Truths) -> tuple[int, bool]:
    """The marker before treatment in ug/L, and whether it falls to a third."""
    draw = generator(seed, number, MARKED)
    elevated, falls = draw.random(2)
    before = int(draw.integers(120, 900) if elevated < truths.marker_elevated else 60)
    return before, bool(falls < truths.marker_falls)


def markers(patient: Patient, seed: int, number: int, truths: Truths, as_of: date) -> list[Record]:
    """The patient's results as they stood on a day."""
    return list(seen("labs", _rows(patient, *marker_course(seed, number, truths)), as_of))


def _rows(patient: Patient, before: int, falls: bool) -> Iterator[Record]:
    first, second, *_ = patient.scan_days
    after = Decimal(before) / 3 if falls else Decimal(before) * 9 / 10
    for day, value in ((-1, Decimal(before)), (first, Decimal(before)), (second, after)):
        yield {
            "patient_id": patient.patient_id,
            "lab_date": patient.on(day),
            "analyte": MARKER,
            "value": round(value, 1),
            "unit": "ug/L",
            "lower_limit": None,
            "upper_limit": UPPER_LIMIT,
        }
