"""An invented patient of whom everything is known, as a centre that records all would deliver him.

What a centre does not give is blanked in him, and the derivations say what they cannot derive
then. He is treated on 1 March 2020, responds by every criterion, and dies after further therapy.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schemas.records.analytes import ANALYTES, CANONICAL_LAB_UNIT, WINDOWS
from schemas.records.field.markers import MARKERS
from schemas.records.field.markers import RECORDS as MARKER_RECORDS

Rows = dict[str, list[dict[str, Any]]]
T0 = date(2020, 3, 1)
SCANS = (date(2020, 2, 10), date(2020, 5, 20), date(2020, 8, 25))
SIZES = ((40, 30), (20, 15), (18, 14))
LAB_DAYS = (date(2020, 2, 25), date(2020, 4, 1), date(2020, 6, 1))


def complete_patient() -> Rows:
    """His rows by registry table, with every column that can be given at once."""
    return {
        "patients": [
            {
                "sex": "female",
                "birth_year": 1950,
                "diagnosis_date": date(2018, 1, 10),
                "primary_site": "pancreas",
                "tumour_grade": "G2",
                "ki67_pct": Decimal(10),
                "functioning": True,
                "extrahepatic_disease": "none",
                **dict.fromkeys(
                    (
                        "liver_metastases",
                        "unresectable",
                        "refractory_to_systemic",
                        "progression_confirmed",
                        "organ_function_adequate",
                    ),
                    True,
                ),
            }
        ],
        "prior_therapies": [
            {
                "therapy_class": "chemotherapy",
                "sequence": 1,
                "start_date": date(2019, 1, 10),
                "stop_date": date(2019, 6, 10),
            }
        ],
        "medications": [
            {
                "drug": "octreotide",
                "sequence": 1,
                "purpose": "continuing",
                "dose": Decimal(30),
                "dose_unit": "mg",
                "route": "im",
                "start_date": date(2019, 1, 10),
                "stop_date": date(2020, 12, 1),
            }
        ],
        "assessments": [_assessment(day) for day in (date(2020, 2, 20), date(2020, 6, 1))],
        "mappings": [
            {
                "mapping_date": date(2020, 2, 15),
                "maa_date": date(2020, 2, 15),
                "lung_shunt_fraction": Decimal("0.05"),
                "lung_shunt_method": "planar",
                "gi_shunt": "none",
                "vessels_embolised": False,
                "planned_lung_dose_gy": Decimal(6),
            }
        ],
        "treatments": [_target("1", "right"), _target("2", "left")],
        "lesions": [
            {
                "lesion_id": name,
                "organ": "liver",
                "lobe": lobe,
                "segment": segment,
                "index_lesion": True,
                "recist_target": True,
                "baseline_present": True,
            }
            for name, lobe, segment in (("L1", "right", "5"), ("L2", "left", "2"))
        ],
        "scans": [
            {
                "scan_date": day,
                "modality": "MRI",
                "reader": "local",
                "arterial_phase": True,
                "new_lesion": "none",
                "non_target": "none",
                "non_target_liver": "none",
                "non_target_elsewhere": "none",
                "evaluable": True,
            }
            for day in SCANS
        ],
        "measurements": [
            _measured(name, day, Decimal(longest), Decimal(short))
            for name in ("L1", "L2")
            for day, (longest, short) in zip(SCANS, SIZES, strict=True)
        ],
        "labs": [
            *(_result(analyte, day) for analyte in ANALYTES for day in LAB_DAYS),
            *(
                _marked(marker, day, value)
                for marker in MARKERS
                for day, value in zip(LAB_DAYS, (400, 150, 60), strict=True)
            ),
        ],
        "adverse_events": [
            {
                "term": "nausea",
                "sequence": 1,
                "onset_date": date(2020, 3, 5),
                "end_date": date(2020, 3, 8),
                "grade": 1,
                "ctcae_version": "5.0",
                "related": "possible",
                "serious": False,
                "procedure": "none",
                "outcome": "resolved",
            }
        ],
        "subsequent_therapies": [
            {"therapy_class": "chemotherapy", "sequence": 1, "start_date": date(2021, 3, 1)}
        ],
        "contacts": [
            _contact(date(2020, 6, 1), "visit", "alive", None),
            _contact(date(2021, 6, 1), "visit", "alive", None),
            _contact(date(2022, 3, 1), "death", "dead", "tumour"),
        ],
        "recorded_responses": [
            {
                "response_date": SCANS[1],
                "criterion": "mRECIST",
                "reader": "local",
                "response_class": "PR",
                "liver_class": "PR",
                "source": "report",
            }
        ],
    }


def _assessment(day: date) -> dict[str, Any]:
    return {
        "assessment_date": day,
        "ecog": 0,
        "weight_kg": Decimal(70),
        "height_cm": Decimal(170),
        "ascites": "none",
        "encephalopathy_grade": 0,
        "tumour_burden_pct": Decimal(20),
        "tumour_burden_category": "0-25",
        "carcinoid_symptoms": True,
        "symptom_change": "improved",
        "biliary_obstruction": False,
    }


def _target(name: str, lobe: str) -> dict[str, Any]:
    return {
        "session_id": "s1",
        "target_id": name,
        "treatment_date": T0,
        "device": "glass",
        "lobe": lobe,
        "planned_lobes": "both",
        "segments": "5",
        "target_volume_ml": Decimal(900),
        "target_mass_kg": Decimal("0.927"),
        "tumour_volume_ml": Decimal(90),
        "activity_calibrated_gbq": Decimal("2.5"),
        "calibrated_at": datetime(2020, 2, 29, 12),  # noqa: DTZ001
        "activity_administered_gbq": Decimal("2.0"),
        "administered_at": datetime(2020, 3, 1, 9),  # noqa: DTZ001
        "residual_fraction": Decimal("0.02"),
        "lung_shunt_fraction": Decimal("0.05"),
        "dose_gy": Decimal(100),
        "lung_dose_gy": Decimal(9),
        "activity_planned_gbq": Decimal("2.1"),
        "tumour_to_normal_ratio": Decimal(5),
        "tumour_dose_gy": Decimal(356),
        "normal_liver_dose_gy": Decimal(71),
        "dosimetry_source": "PET",
        "dosimetry_model": "partition",
        "liver_volume_ml": Decimal(1600),
        "normal_liver_volume_ml": Decimal(1420),
        "delivery": "complete",
    }


def _measured(name: str, day: date, longest: Decimal, short: Decimal) -> dict[str, Any]:
    return {
        "lesion_id": name,
        "scan_date": day,
        "modality": "MRI",
        "reader": "local",
        "longest_mm": longest,
        "perpendicular_mm": short,
        "enhancing_longest_mm": longest,
        "enhancing_perpendicular_mm": short,
        "necrosis_pct": Decimal(0),
        "status": "measured",
    }


def _result(analyte: str, day: date) -> dict[str, Any]:
    """A result in the middle of what is believed of the analyte, in its conventional unit."""
    low, high = WINDOWS[analyte]
    middle = Decimal(round(float(low + high) / 20, 3)).quantize(Decimal("0.001"))
    return {
        "analyte": analyte,
        "lab_date": day,
        "sequence": 1,
        "lab_time": "08:00",
        "value": middle,
        "unit": CANONICAL_LAB_UNIT[analyte],
        "lower_limit": middle / 2,
        "upper_limit": middle * 2,
    }


def _marked(marker: str, day: date, value: int) -> dict[str, Any]:
    """A result of a tumour marker, above its upper limit at first and below it at last."""
    (unit, *_) = next(r.units for r in MARKER_RECORDS if r.code == marker)
    return {
        "analyte": marker,
        "lab_date": day,
        "sequence": 1,
        "lab_time": "08:00",
        "value": Decimal(value),
        "unit": unit,
        "lower_limit": Decimal(0),
        "upper_limit": Decimal(100),
    }


def _contact(day: date, kind: str, status: str, cause: str | None) -> dict[str, Any]:
    return {
        "contact_date": day,
        "contact_type": kind,
        "vital_status": status,
        "cause_of_death": cause,
    }
