"""Write what a registry would have recorded of the reference cohort by a given date.

SYNTHETIC: every patient is invented. From visits, sizes, laboratory values and events the raw
records of each registry table are written out, in our units, as they stood on `as_of`: what
happened later is not in them. No result is ever an input; the published counts of Memon 2012 are
left to the pipeline.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from schemas.contract import options, table_name
from schemas.tables.registry import TABLES
from simulation.cohort import Patient, Size, Target, patients

Value = str | int | bool | Decimal | date | None
Record = dict[str, Value]

GY_KG_PER_GBQ = Decimal(50)
"""The constant with which the cohort's doses were recorded; it gives the range 29 to 299 Gy."""
CONTACT_EVERY_DAYS = 182


def records(as_of: date, cohort: list[Patient] | None = None) -> dict[str, list[Record]]:
    """Every registry table as it was known on `as_of`.

    A patient enters the registry with the mapping angiogram; earlier facts are recorded then.
    """
    known = [p for p in cohort or patients() if p.on(p.mapping_day) <= as_of]
    return {
        name: [row for p in known for row in seen(name, raw(p), as_of)] for name, raw in RAW.items()
    }


def seen(table: str, rows: Iterable[Record], as_of: date) -> Iterator[Record]:
    """The rows dated on or before `as_of`, with an end that lies after it still open."""
    declared = options(CONTRACTS[table])
    for row in rows:
        if declared.dated_by and _later(row[declared.dated_by], as_of):
            continue
        for end in declared.end_dates:
            if _later(row[end], as_of):
                row[end] = None
                if "outcome" in row:
                    row["outcome"] = "ongoing"
        yield row


def _later(value: Value, as_of: date) -> bool:
    return isinstance(value, date) and value > as_of


CONTRACTS = {table_name(contract): contract for contract in TABLES}


def _patients(p: Patient) -> Iterator[Record]:
    yield {
        "patient_id": p.patient_id,
        "sex": p.sex,
        "birth_year": p.birth_year,
        "diagnosis_date": None,
        "primary_site": p.primary_site,
        "tumour_grade": p.tumour_grade,
        "ki67_pct": None,
        "extrahepatic_disease": p.extrahepatic,
        "liver_metastases": True,
        "unresectable": True,
        "refractory_to_systemic": True,
        "progression_confirmed": True,
    }


def _prior_therapies(p: Patient) -> Iterator[Record]:
    courses = [("chemotherapy", -400, -60)]
    if p.prior_liver_directed:
        courses.append(("liver_directed", -200, -200))
    for therapy_class, first, last in courses:
        yield {
            "patient_id": p.patient_id,
            "therapy_class": therapy_class,
            "sequence": 1,
            "start_date": p.on(first),
            "stop_date": p.on(last),
        }


def _medications(p: Patient) -> Iterator[Record]:
    courses: list[tuple[str, int, int | None]] = []
    if p.symptomatic:
        courses.append(("continuing", -180, None))
    courses += [("prophylaxis", day, day) for day, _ in _sessions(p)]
    for sequence, (purpose, first, last) in enumerate(courses, start=1):
        prophylaxis = purpose == "prophylaxis"
        yield {
            "patient_id": p.patient_id,
            "drug": "octreotide",
            "sequence": sequence,
            "purpose": purpose,
            "dose": Decimal(200) if prophylaxis else None,
            "dose_unit": "ug" if prophylaxis else None,
            "route": "subcutaneous" if prophylaxis else None,
            "start_date": p.on(first),
            "stop_date": None if last is None else p.on(last),
        }


def _assessments(p: Patient) -> Iterator[Record]:
    for day in (-1, *p.scan_days):
        before = day == -1
        yield {
            "patient_id": p.patient_id,
            "assessment_date": p.on(day),
            "ecog": p.ecog if before else None,
            "weight_kg": p.weight_kg if before else None,
            "height_cm": p.height_cm if before else None,
            "ascites": "none",
            "encephalopathy_grade": 0 if before else None,
            "tumour_burden_pct": p.tumour_burden_pct if before else None,
            "carcinoid_symptoms": p.symptomatic if before else None,
            "symptom_change": None if before else p.symptom_change,
        }


def _mappings(p: Patient) -> Iterator[Record]:
    yield {
        "patient_id": p.patient_id,
        "mapping_date": p.on(p.mapping_day),
        "maa_date": p.on(p.mapping_day),
        "lung_shunt_fraction": p.lung_shunt_pct / 100,
        "lung_shunt_method": "planar",
        "gi_shunt": "none",
        "planned_lung_dose_gy": max(_lung_dose_gy(p, targets) for _, targets in _sessions(p)),
    }


def _sessions(p: Patient) -> list[tuple[int, list[Target]]]:
    days = sorted({target.day for target in p.targets})
    return [(day, [t for t in p.targets if t.day == day]) for day in days]


def _lung_dose_gy(p: Patient, targets: list[Target]) -> Decimal:
    """50 x administered activity x lung shunt x share not left in the vial, for lungs of 1 kg."""
    activity = sum((t.activity_gbq for t in targets), Decimal(0))
    dose = GY_KG_PER_GBQ * activity * (p.lung_shunt_pct / 100) * (1 - p.residual_pct / 100)
    return dose.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _treatments(p: Patient) -> Iterator[Record]:
    for session, (day, targets) in enumerate(_sessions(p), start=1):
        for number, target in enumerate(targets, start=1):
            yield {
                "patient_id": p.patient_id,
                "session_id": f"S{session}",
                "target_id": f"T{number}",
                "treatment_date": p.on(day),
                "device": p.device,
                "lobe": target.lobe,
                "target_volume_ml": target.volume_ml,
                "activity_administered_gbq": target.activity_gbq,
                "residual_fraction": p.residual_pct / 100,
                "lung_shunt_fraction": p.lung_shunt_pct / 100,
                "dose_gy": target.dose_gy,
                "lung_dose_gy": _lung_dose_gy(p, targets),
            }


def _lesions(p: Patient) -> Iterator[Record]:
    for lesion in p.lesions:
        yield {
            "patient_id": p.patient_id,
            "lesion_id": lesion.lesion_id,
            "organ": "liver",
            "lobe": lesion.lobe,
            "segment": lesion.segment,
            "index_lesion": True,
            "recist_target": lesion.recist_target,
        }


def _scans(p: Patient) -> Iterator[Record]:
    new = {day: kind.removeprefix("new_") for day, kind in p.progression if kind != "growth"}
    elsewhere = p.extrahepatic != "none" or not all(x.recist_target for x in p.lesions)
    for day in (p.baseline_scan_day, *p.scan_days):
        yield {
            "patient_id": p.patient_id,
            "scan_date": p.on(day),
            "modality": "CT",
            "reader": "local",
            "arterial_phase": True,
            "new_lesion": new.get(day, "none"),
            "non_target": "non_cr_non_pd" if elsewhere else "none",
            "evaluable": True,
        }


def _measurements(p: Patient) -> Iterator[Record]:
    for lesion in p.lesions:
        for day, size, enhancing in lesion.sizes:
            yield {
                "patient_id": p.patient_id,
                "lesion_id": lesion.lesion_id,
                "scan_date": p.on(day),
                "modality": "CT",
                "reader": "local",
                **_diameters(size, enhancing),
            }


def _diameters(size: Size, enhancing: Size) -> Record:
    """A vanished lesion has no diameters; 0 x 0 of the enhancing part alone is a measurement."""
    absent = size == (0, 0)
    names = (
        "longest_mm",
        "perpendicular_mm",
        "enhancing_longest_mm",
        "enhancing_perpendicular_mm",
    )
    return {
        **{
            name: None if absent else Decimal(mm)
            for name, mm in zip(names, (*size, *enhancing), strict=True)
        },
        "status": "absent" if absent else "measured",
    }


def _labs(p: Patient) -> Iterator[Record]:
    for lab in p.labs:
        for analyte, value, unit, lower, upper in (
            ("bilirubin", lab.bilirubin, "mg/dL", None, Decimal("1.2")),
            ("albumin", lab.albumin, "g/dL", None, None),
            ("lymphocytes", lab.lymphocytes, "10*9/L", Decimal("1.0"), None),
        ):
            yield {
                "patient_id": p.patient_id,
                "lab_date": p.on(lab.day),
                "analyte": analyte,
                "value": value,
                "unit": unit,
                "lower_limit": lower,
                "upper_limit": upper,
            }


def _adverse_events(p: Patient) -> Iterator[Record]:
    seen: dict[str, int] = {}
    for event in sorted(p.events, key=lambda e: (e.first_day, e.term)):
        seen[event.term] = seen.get(event.term, 0) + 1
        cholecystitis = event.term == "cholecystitis"
        yield {
            "patient_id": p.patient_id,
            "term": event.term,
            "sequence": seen[event.term],
            "onset_date": p.on(event.first_day),
            "end_date": p.on(event.last_day),
            "grade": event.grade,
            "ctcae_version": "3.0",
            "related": "probable" if event.first_day >= 0 else "unrelated",
            "serious": cholecystitis,
            "procedure": "elective cholecystectomy" if cholecystitis else None,
            "outcome": "resolved",
        }


def _subsequent_therapies(p: Patient) -> Iterator[Record]:
    for day, _ in p.progression:
        if day + 28 < p.exit_day:
            yield {
                "patient_id": p.patient_id,
                "therapy_class": "chemotherapy",
                "sequence": 1,
                "start_date": p.on(day + 28),
            }


def _contacts(p: Patient) -> Iterator[Record]:
    calls = range(p.scan_days[-1] + CONTACT_EVERY_DAYS, p.exit_day, CONTACT_EVERY_DAYS)
    last = "death" if p.died else "registry"
    contacts = [
        *((day, "visit") for day in p.scan_days),
        *((day, "phone") for day in calls),
        (p.exit_day, last),
    ]
    for day, contact_type in contacts:
        dead = contact_type == "death"
        yield {
            "patient_id": p.patient_id,
            "contact_date": p.on(day),
            "contact_type": contact_type,
            "vital_status": "dead" if dead else "alive",
            "cause_of_death": "unknown" if dead else None,
        }


RAW: Mapping[str, Callable[[Patient], Iterator[Record]]] = {
    "patients": _patients,
    "prior_therapies": _prior_therapies,
    "medications": _medications,
    "assessments": _assessments,
    "mappings": _mappings,
    "treatments": _treatments,
    "lesions": _lesions,
    "scans": _scans,
    "measurements": _measurements,
    "labs": _labs,
    "adverse_events": _adverse_events,
    "subsequent_therapies": _subsequent_therapies,
    "contacts": _contacts,
}
