"""The REDCap project of the reference cohort: its instruments, fields and events.

One declaration makes both the data dictionary and the flat export: a field names the column of ours
that it stores, and a radio field takes its choices from that column's contract. What precedes the
first treatment is in the baseline event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.contract import columns
from schemas.tables.registry import (
    AdverseEvents,
    Assessments,
    Contacts,
    Lesions,
    Mappings,
    Measurements,
    Medications,
    Patients,
    PriorTherapies,
    RegistryTable,
    Scans,
    SubsequentTherapies,
    Treatments,
)

RECORD = "record_id"
ACCESS_GROUP = "reference_centre"
ENROLMENT = "enrolment_arm_1"
BASELINE = "baseline_arm_1"
TREATMENT = "treatment_arm_1"
FOLLOW_UP = "follow_up_arm_1"
EVENTS = (ENROLMENT, BASELINE, TREATMENT, FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an instrument, and the column of ours that it holds."""

    name: str
    label: str
    column: str | None
    kind: str = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    validation: str = ""
    missing: str = ""
    """The missing-data code that stands where nothing is known; blank leaves the cell empty."""
    identifier: bool = False

    def columns(self) -> list[str]:
        """The columns of the flat export."""
        if self.kind == "checkbox":
            return [f"{self.name}___{code}" for code in self.choices]
        return [self.name]


@dataclass(frozen=True, slots=True)
class Form:
    """One instrument: the table of ours that it holds, in one event or split at the treatment."""

    name: str
    table: str
    events: tuple[str, ...]
    fields: tuple[Field, ...]
    repeating: bool = True
    survey: bool = False
    dated: str | None = None
    """The column of ours that decides between the baseline and the follow-up event."""

    def columns(self) -> list[str]:
        """The instrument's columns of the flat export."""
        stamp = [f"{self.name}_timestamp"] if self.survey else []
        fields = [c for f in self.fields for c in f.columns()]
        return [*stamp, *fields, f"{self.name}_complete"]


def _date(name: str, label: str, column: str, missing: str = "") -> Field:
    return Field(name, label, column, validation="date_ymd", missing=missing)


def _number(name: str, label: str, column: str, missing: str = "") -> Field:
    return Field(name, label, column, validation="number", missing=missing)


def _integer(name: str, label: str, column: str) -> Field:
    return Field(name, label, column, validation="integer")


def _yes_no(name: str, label: str, column: str) -> Field:
    return Field(name, label, column, kind="yesno")


def _radio(contract: type[RegistryTable], name: str, label: str, column: str) -> Field:
    """A field with the contract's codes, numbered from 1; `unknown` is 9."""
    (codes,) = (c.codes for c in columns(contract) if c.name == column)
    numbered = {"9" if v == "unknown" else str(i): v for i, v in enumerate(codes, start=1)}
    return Field(name, label, column, kind="radio", choices=numbered)


FORMS: tuple[Form, ...] = (
    Form(
        "demographics",
        "patients",
        (ENROLMENT,),
        (
            Field("synthetic", "Every record is invented", None),
            _radio(Patients, "gender", "Sex", "sex"),
            Field("yob", "Year of birth", "birth_year", validation="integer", identifier=True),
            _date("dx_date", "Date of diagnosis", "diagnosis_date", missing="UNK"),
            _radio(Patients, "primary", "Primary tumour", "primary_site"),
            _radio(Patients, "who_grade", "WHO grade", "tumour_grade"),
            _number("ki67", "Ki-67 index in percent", "ki67_pct", missing="-999"),
            _radio(Patients, "ehd", "Extrahepatic disease", "extrahepatic_disease"),
            _yes_no("liver_mets", "Liver metastases", "liver_metastases"),
            _yes_no("unresectable", "Not resectable", "unresectable"),
            _yes_no("refractory", "Refractory to systemic therapy", "refractory_to_systemic"),
            _yes_no("pd_before", "Progression confirmed by imaging", "progression_confirmed"),
        ),
        repeating=False,
    ),
    Form(
        "prior_therapy",
        "prior_therapies",
        (ENROLMENT,),
        (
            _radio(PriorTherapies, "pt_class", "Class", "therapy_class"),
            _integer("pt_number", "Number among equals", "sequence"),
            _date("pt_start", "First day", "start_date"),
            _date("pt_stop", "Last day", "stop_date"),
        ),
    ),
    Form(
        "medication",
        "medications",
        (ENROLMENT,),
        (
            Field("med_drug", "Drug", "drug"),
            _integer("med_number", "Number among equals", "sequence"),
            _radio(Medications, "med_purpose", "Purpose", "purpose"),
            _number("med_dose", "Single dose", "dose", missing="UNK"),
            Field("med_dose_unit", "Unit of the dose", "dose_unit", missing="UNK"),
            Field("med_route", "Route", "route", missing="UNK"),
            _date("med_start", "First day", "start_date"),
            _date("med_stop", "Last day", "stop_date"),
        ),
    ),
    Form(
        "lesion",
        "lesions",
        (ENROLMENT,),
        (
            Field("les_id", "Lesion", "lesion_id"),
            _radio(Lesions, "les_organ", "Organ", "organ"),
            _radio(Lesions, "les_lobe", "Lobe", "lobe"),
            Field("les_segment", "Segment", "segment"),
            _yes_no("les_index", "Counts for WHO and EASL", "index_lesion"),
            _yes_no("les_recist", "RECIST target", "recist_target"),
        ),
    ),
    Form(
        "baseline_clinical",
        "assessments",
        (BASELINE,),
        (
            _date("bl_date", "Day of the assessment", "assessment_date"),
            _integer("bl_ecog", "ECOG performance status", "ecog"),
            _number("bl_weight", "Weight in kg", "weight_kg", missing="-999"),
            _number("bl_height", "Height in cm", "height_cm", missing="NASK"),
            _radio(Assessments, "bl_ascites", "Ascites", "ascites"),
            _integer("bl_enceph", "Encephalopathy, grade", "encephalopathy_grade"),
            _number("bl_burden", "Tumour burden in percent", "tumour_burden_pct"),
            Field(
                "symptoms",
                "Carcinoid symptoms",
                "carcinoid_symptoms",
                kind="checkbox",
                choices={"1": "flushing", "2": "diarrhoea", "3": "wheezing"},
            ),
        ),
        dated="assessment_date",
        repeating=False,
    ),
    Form(
        "mapping",
        "mappings",
        (BASELINE,),
        (
            _date("map_date", "Day of the angiogram", "mapping_date"),
            _date("maa_date", "Day of the 99mTc-MAA scan", "maa_date"),
            _number("lsf", "Lung shunt fraction", "lung_shunt_fraction"),
            _radio(Mappings, "lsf_method", "Method", "lung_shunt_method"),
            _radio(Mappings, "gi_shunt", "Gastrointestinal shunt", "gi_shunt"),
            _number("plan_lung_gy", "Planned lung dose in Gy", "planned_lung_dose_gy"),
        ),
    ),
    Form(
        "treatment",
        "treatments",
        (TREATMENT,),
        (
            Field("tx_session", "Session", "session_id"),
            Field("tx_target", "Target", "target_id"),
            _date("tx_date", "Day of administration", "treatment_date"),
            _radio(Treatments, "tx_device", "Microspheres", "device"),
            _radio(Treatments, "tx_lobe", "Lobe", "lobe"),
            _number("tx_volume", "Target volume in mL", "target_volume_ml"),
            _number("tx_activity", "Administered activity in GBq", "activity_administered_gbq"),
            _number("tx_residual", "Residual fraction", "residual_fraction"),
            _number("tx_lsf", "Lung shunt fraction used", "lung_shunt_fraction"),
            _number("tx_dose", "Dose in Gy", "dose_gy"),
            _number("tx_lung_dose", "Lung dose of the session in Gy", "lung_dose_gy"),
        ),
    ),
    Form(
        "imaging",
        "scans",
        (BASELINE, FOLLOW_UP),
        (
            _date("img_date", "Day of the scan", "scan_date"),
            _radio(Scans, "img_modality", "Modality", "modality"),
            Field("img_reader", "Reader", "reader"),
            _yes_no("img_arterial", "Arterial phase", "arterial_phase"),
            _radio(Scans, "img_new", "New lesion", "new_lesion"),
            _radio(Scans, "img_non_target", "Non-target disease", "non_target"),
            _yes_no("img_evaluable", "Could be evaluated", "evaluable"),
        ),
        dated="scan_date",
    ),
    Form(
        "measurement",
        "measurements",
        (BASELINE, FOLLOW_UP),
        (
            Field("ms_lesion", "Lesion", "lesion_id"),
            _date("ms_date", "Day of the scan", "scan_date"),
            _radio(Measurements, "ms_modality", "Modality", "modality"),
            Field("ms_reader", "Reader", "reader"),
            _number("ld_mm", "Longest diameter in mm", "longest_mm"),
            _number("perp_mm", "Perpendicular diameter in mm", "perpendicular_mm"),
            _number("enh_ld_mm", "Enhancing: longest, mm", "enhancing_longest_mm"),
            _number("enh_perp_mm", "Enhancing: perpendicular, mm", "enhancing_perpendicular_mm"),
            _radio(Measurements, "ms_status", "Status", "status"),
        ),
        dated="scan_date",
    ),
    Form(
        "laboratory",
        "labs",
        (BASELINE, FOLLOW_UP),
        (
            _date("lab_date", "Day of the draw", "lab_date"),
            _number("lab_bili", "Bilirubin in mg/dL", "bilirubin"),
            _number("lab_bili_uln", "Bilirubin, upper limit", "bilirubin_upper_limit"),
            _number("lab_alb", "Albumin in g/dL", "albumin"),
            _number("lab_lymph", "Lymphocytes in 10*9/L", "lymphocytes"),
        ),
        dated="lab_date",
    ),
    Form(
        "follow_up",
        "assessments",
        (FOLLOW_UP,),
        (
            _date("fu_date", "Day of the visit", "assessment_date"),
            _radio(Assessments, "fu_ascites", "Ascites", "ascites"),
            _radio(Assessments, "fu_symptoms", "Symptoms since treatment", "symptom_change"),
        ),
        survey=True,
        dated="assessment_date",
    ),
    Form(
        "adverse_event",
        "adverse_events",
        (FOLLOW_UP,),
        (
            Field("ae_term", "Term", "term"),
            _integer("ae_number", "Number among equals", "sequence"),
            _date("ae_onset", "First day", "onset_date"),
            _date("ae_end", "Last day", "end_date"),
            _integer("ae_grade", "Grade", "grade"),
            _radio(AdverseEvents, "ae_version", "CTCAE version", "ctcae_version"),
            _radio(AdverseEvents, "ae_related", "Relation to treatment", "related"),
            _yes_no("ae_serious", "Serious", "serious"),
            Field("ae_procedure", "Procedure", "procedure", kind="notes"),
            _radio(AdverseEvents, "ae_outcome", "Outcome", "outcome"),
        ),
    ),
    Form(
        "later_therapy",
        "subsequent_therapies",
        (FOLLOW_UP,),
        (
            _radio(SubsequentTherapies, "lt_class", "Class", "therapy_class"),
            _integer("lt_number", "Number among equals", "sequence"),
            _date("lt_start", "First day", "start_date"),
        ),
    ),
    Form(
        "contact",
        "contacts",
        (FOLLOW_UP,),
        (
            _date("ct_date", "Day of the contact, or of death", "contact_date"),
            _radio(Contacts, "ct_type", "Kind", "contact_type"),
            _radio(Contacts, "ct_status", "Vital status", "vital_status"),
            _radio(Contacts, "ct_cause", "Cause of death", "cause_of_death"),
        ),
    ),
)
