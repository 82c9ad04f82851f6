"""What a centre of an invented registry records of a patient's history, beside what all record.

Ki-67 follows from the grade; some patients had radionuclide therapy before; the next therapy after
progression is of a drawn class; deaths have a drawn cause, where the centre recorded one; and in a
declared share the picture of REILD is planted at the second scan: bilirubin of 4 mg/dL and ascites.
None of it is drawn with a look at survival or response, so that it predicts neither. A draw of its
own keeps everything else as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from simulation.cohort import Patient
from simulation.reference import Record, seen
from simulation.registry.changes import Tables
from simulation.registry.patients import generator, responses
from simulation.registry.truths import Truths

HISTORY = 6
"""What the random numbers of this module are for, after those of `simulation.registry.doses`."""
KI67: Mapping[str, tuple[int, int]] = {"G1": (1, 3), "G2": (3, 21), "G3": (21, 81)}
"""Grade -> Ki-67 in percent, from the first to below the second."""
PLANTED_BILIRUBIN = Decimal("4.0")


@dataclass(frozen=True, slots=True)
class History:
    """What was drawn of one patient."""

    ki67: int | None
    radionuclide_before: bool
    next_class: str
    cause: str
    reild: bool
    progressive: bool
    """A lesion had grown by the second scan: the picture of REILD is explained by it."""


def history(patient: Patient, seed: int, number: int, truths: Truths) -> History:
    """What was drawn of one patient."""
    draw = generator(seed, number, HISTORY)
    share, before, after, cause, picture = draw.random(5)
    low, high = KI67.get(patient.tumour_grade, (0, 0))
    return History(
        ki67=low + int(share * (high - low)) if high else None,
        radionuclide_before=bool(before < truths.radionuclide_before),
        next_class=_one(truths.next_therapy, after),
        cause=_one(truths.cause_of_death, cause),
        reild=bool(picture < truths.reild),
        progressive=any(who == "PD" for who, _ in responses(seed, number, truths)),
    )


def add_history(
    tables: Tables, patient: Patient, seed: int, number: int, truths: Truths, as_of: date
) -> None:
    """Write it into the patient's delivered tables, as they stood on a day."""
    drawn = history(patient, seed, number, truths)
    for row in tables["patients"]:
        row["ki67_pct"] = None if drawn.ki67 is None else Decimal(drawn.ki67)
    if drawn.radionuclide_before:
        tables["prior_therapies"].append(_prrt(patient))
    for row in tables["subsequent_therapies"]:
        row["therapy_class"] = drawn.next_class
    for row in tables["contacts"]:
        row["cause_of_death"] = drawn.cause if row["cause_of_death"] else None
    if drawn.reild:
        _plant(tables, patient, as_of)


def _prrt(patient: Patient) -> Record:
    return {
        "patient_id": patient.patient_id,
        "therapy_class": "prrt",
        "sequence": 1,
        "start_date": patient.on(-500),
        "stop_date": patient.on(-300),
    }


def _plant(tables: Tables, patient: Patient, as_of: date) -> None:
    """Bilirubin and ascites at the second scan, in place of what was measured then."""
    day = patient.on(patient.scan_days[1])
    tables["labs"] = [
        row for row in tables["labs"] if (row["analyte"], row["lab_date"]) != ("bilirubin", day)
    ]
    planted: Record = {
        "patient_id": patient.patient_id,
        "lab_date": day,
        "analyte": "bilirubin",
        "value": PLANTED_BILIRUBIN,
        "unit": "mg/dL",
        "lower_limit": None,
        "upper_limit": Decimal("1.2"),
    }
    tables["labs"] += seen("labs", [planted], as_of)
    for row in tables["assessments"]:
        if row["assessment_date"] == day:
            row["ascites"] = "slight"


def _one(shares: Mapping[str, float], drawn: float) -> str:
    """The code in whose stretch of 0 to 1 a number lies."""
    edge = 0.0
    for code, share in shares.items():
        edge += share
        if drawn < edge:
            return code
    return list(shares)[-1]
