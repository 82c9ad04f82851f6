"""The classes that a centre of an invented registry records, beside its measurements.

At three months the class is the one drawn for the patient's first lesion by WHO, or in a declared
share of patients another one. Whoever is not progressive then was stable at the first scan, and a
later progression is recorded on the day of its scan; nothing in between. So the class at three
months is the best one. A draw of its own keeps everything else as it was.
"""

from collections.abc import Iterator
from datetime import date

from simulation.cohort import Patient
from simulation.reference import Record, seen
from simulation.registry.patients import generator, responses
from simulation.registry.truths import Truths

TABLE = "recorded_responses"
COLUMNS = (
    "patient_id",
    "response_date",
    "criterion",
    "reader",
    "response_class",
    "liver_class",
    "source",
)
CLASSES = ("CR", "PR", "SD", "PD")
RECORDED = 3
"""What the random numbers of this module are for, after those of `simulation.registry.patients`."""


def recorded_class(seed: int, number: int, truths: Truths) -> str:
    """The class recorded at three months, which is the best one."""
    draw = generator(seed, number, RECORDED)
    (first, _), *_ = responses(seed, number, truths)
    differs, other = draw.random(), int(draw.integers(len(CLASSES) - 1))
    if differs >= truths.recorded_differs:
        return first
    return [c for c in CLASSES if c != first][other]


def recorded_responses(
    patient: Patient, seed: int, number: int, truths: Truths, as_of: date
) -> list[Record]:
    """The patient's recorded classes as they stood on a day, by WHO as the centre reads them."""
    return list(seen(TABLE, _rows(patient, recorded_class(seed, number, truths)), as_of))


def _rows(patient: Patient, found: str) -> Iterator[Record]:
    first, second, *_ = patient.scan_days
    classes = [(second, found)]
    if found != "PD":
        classes.insert(0, (first, "SD"))
        classes += [(day, "PD") for day, _ in patient.progression]
    for day, name in classes:
        told = (patient.patient_id, patient.on(day), "WHO", "local", name, name, "report")
        yield dict(zip(COLUMNS, told, strict=True))
