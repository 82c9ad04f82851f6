"""The registry tables, one class each: what a site delivers. They are never in a release.

Names and keys follow the contract, columns cite their source; loading adds subject_id and row_id.
"""

from schemas.codes import PRECISIONS, THERAPY_CLASSES, VERSIONS
from schemas.contract import (
    Bool,
    Date,
    DateTime,
    Decimal,
    Int,
    Text,
    column,
    declared,
    declares,
)
from schemas.records import row_rules
from schemas.tables.registry_reports import RECORDED as RECORDED
from schemas.tables.registry_reports import RecordedResponses as RecordedResponses
from schemas.tables.registry_reports import ReportedEndpoints as ReportedEndpoints
from schemas.tables.registry_table import RegistryTable as RegistryTable

NON_TARGET = ("complete_response", "non_cr_non_pd", "progression", "not_evaluated", "none")


def _precision(of: str) -> str:
    return f"How exact {of} was delivered; a missing day became the 15th, a missing month 1 July."


class Patients(RegistryTable):
    """One row per patient."""

    sex: Text = column("Sex.", codes=("female", "male", "unknown"))
    birth_year: Int = column(
        "Year of birth.", unit="year", minimum=1900, maximum=2100, identifying=True
    )
    diagnosis_date: Date = column("Date of the first diagnosis.", partial="year")
    diagnosis_date_precision: Text = column(_precision("diagnosis_date"), codes=PRECISIONS)
    primary_site: Text = column(
        "Organ of the primary tumour.",
        codes=("pancreas", "small_bowel", "colorectal", "gastric", "lung", "other", "unknown"),
    )
    tumour_grade: Text = column("WHO grade.", codes=("G1", "G2", "G3", "NEC", "unknown"))
    ki67_pct: Decimal = column("Ki-67 index.", unit="%", minimum=0, maximum=100)
    functioning: Bool = column("The tumour secretes hormones.")
    extrahepatic_disease: Text = column(
        "Extent of disease outside the liver; the publication gives no threshold.",
        codes=("none", "minimal", "significant", "unknown"),
        worse="higher",
    )
    liver_metastases: Bool = column("The diagnosis is neuroendocrine tumour with liver metastases.")
    unresectable: Bool = column("The liver metastases are not resectable.")
    refractory_to_systemic: Bool = column(
        "Refractory to systemic treatment by oncology and interventional radiology."
    )
    progression_confirmed: Bool = column("Progression before treatment is confirmed by imaging.")
    organ_function_adequate: Bool = column(
        "Haematologic and renal function met the centre's limits."
    )

    class Config:
        """Undated."""

        metadata = declares(rules=row_rules.PATIENTS)


class PriorTherapies(RegistryTable):
    """One row per course of treatment before the first 90Y administration."""

    therapy_class: Text = column("Class of the therapy.", key=True, codes=THERAPY_CLASSES)
    sequence: Int = column("Number among equals.", key=True, default=1, minimum=0)
    start_date: Date = column("First day.", partial="year")
    start_date_precision: Text = column(_precision("start_date"), codes=PRECISIONS)
    stop_date: Date = column("Last day.", partial="year")
    stop_date_precision: Text = column(_precision("stop_date"), codes=PRECISIONS)

    class Config:
        """Dated by the first day."""

        metadata = declares(
            dated_by="start_date",
            end_dates=("stop_date",),
            references={"patients": ("site_id", "patient_id")},
            rules=(
                row_rules.in_order("prior_therapies.dates_in_order", "start_date", "stop_date"),
            ),
        )


class Medications(RegistryTable):
    """One row per drug and course."""

    drug: Text = column("Drug name, lower case.", key=True)
    sequence: Int = column("Number among equals.", key=True, default=1, minimum=0)
    purpose: Text = column(
        "Why it was given.",
        codes=("continuing", "prophylaxis", "concurrent", "anticoagulation", "other"),
    )
    dose: Decimal = column("Single dose, in dose_unit.", minimum=0)
    dose_unit: Text = column("Unit of the dose, as delivered.")
    route: Text = column("Route, as delivered.")
    start_date: Date = column("First day.", partial="year")
    start_date_precision: Text = column(_precision("start_date"), codes=PRECISIONS)
    stop_date: Date = column("Last day.", partial="year")
    stop_date_precision: Text = column(_precision("stop_date"), codes=PRECISIONS)

    class Config:
        """Dated by the first day; milligrams of subcutaneous octreotide are read as micrograms."""

        metadata = declares(
            dated_by="start_date",
            end_dates=("stop_date",),
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.MEDICATIONS,
        )


class Assessments(RegistryTable):
    """One row per clinical assessment."""

    assessment_date: Date = column("Day of the assessment.", key=True)
    ecog: Int = column("ECOG performance status.", minimum=0, maximum=4, worse="higher")
    weight_kg: Decimal = column("Body weight.", unit="kg", above=0, plausible=(25, 250))
    height_cm: Decimal = column("Height.", unit="cm", above=0, plausible=(100, 230))
    ascites: Text = column("Ascites.", codes=("none", "slight", "moderate_severe"), worse="higher")
    encephalopathy_grade: Int = column(
        "Hepatic encephalopathy.", minimum=0, maximum=4, worse="higher"
    )
    tumour_burden_pct: Decimal = column(
        "Tumour volume over liver volume.", unit="%", minimum=0, maximum=100, worse="higher"
    )
    tumour_burden_category: Text = column(
        "Reader's category where no number exists; 25 belongs to the first.",
        codes=("0-25", "26-50", "51-75", "76-100"),
        worse="higher",
    )
    carcinoid_symptoms: Bool = column("Any symptom of the carcinoid syndrome.", worse="higher")
    symptom_change: Text = column(
        "Change of symptoms as the patient reports it.",
        codes=("improved", "unchanged", "worse", "unknown"),
        worse="higher",
    )
    biliary_obstruction: Bool = column("Bile ducts obstructed.", worse="higher")

    class Config:
        """Dated by the assessment."""

        metadata = declares(
            dated_by="assessment_date", references={"patients": ("site_id", "patient_id")}
        )


class Mappings(RegistryTable):
    """One row per mapping angiogram with its 99mTc-MAA scan."""

    mapping_date: Date = column("Day of the angiogram.", key=True)
    maa_date: Date = column("Day of the 99mTc-MAA scan.")
    lung_shunt_fraction: Decimal = column(
        "Lung counts over lung and liver counts.", unit="1", minimum=0, below=1, worse="higher"
    )
    lung_shunt_method: Text = column("How it was measured.", codes=("planar", "spect_ct"))
    gi_shunt: Text = column(
        "Gastrointestinal shunting.",
        codes=("none", "corrected", "uncorrectable", "unknown"),
        worse="higher",
    )
    vessels_embolised: Bool = column("Aberrant vessels were embolised.")
    planned_lung_dose_gy: Decimal = column("Planned lung dose.", unit="Gy", minimum=0)

    class Config:
        """Dated by the angiogram."""

        metadata = declares(
            dated_by="mapping_date",
            references={"patients": ("site_id", "patient_id")},
            rules=(row_rules.small_shunt("mappings"),),
        )


class Treatments(RegistryTable):
    """One row per perfused target of one 90Y session."""

    session_id: Text = column(
        "The session, as delivered; where none is given, the day.",
        key=True,
        made_of="treatment_date",
    )
    target_id: Text = column(
        "The target within the session, as delivered, or its number.", key=True, default="1"
    )
    treatment_date: Date = column("Day of administration.", required=True)
    device: Text = column(
        "Kind of microspheres; without it the session counts and has no dose.",
        codes=("glass", "resin", "unknown"),
        default="unknown",
    )
    lobe: Text = column(
        "Lobe perfused; without it the session counts and its territory is not known.",
        codes=("right", "left", "whole", "unknown"),
        default="unknown",
    )
    planned_lobes: Text = column(
        "Lobes that the course was planned to treat, as recorded at the first session.",
        codes=("right", "left", "both"),
    )
    segments: Text = column("Segments perfused, as delivered.")
    target_volume_ml: Decimal = column("Perfused volume.", unit="mL", above=0, plausible=(30, 6000))
    target_mass_kg: Decimal = column("Perfused mass.", unit="kg", above=0, plausible=(0.03, 6))
    tumour_volume_ml: Decimal = column("Tumour volume in the target.", unit="mL", minimum=0)
    activity_calibrated_gbq: Decimal = column("Activity at calibration.", unit="GBq", minimum=0)
    calibrated_at: DateTime = column("Time of calibration.")
    activity_administered_gbq: Decimal = column(
        "Activity at injection.", unit="GBq", minimum=0, plausible=(0.05, 25)
    )
    administered_at: DateTime = column("Time of injection.")
    residual_fraction: Decimal = column(
        "Share left in vial and tubing.",
        unit="1",
        minimum=0,
        maximum=1,
        plausible=(0, 0.2),
        worse="higher",
    )
    lung_shunt_fraction: Decimal = column(
        "Used for this session.", unit="1", minimum=0, below=1, worse="higher"
    )
    dose_gy: Decimal = column("Dose to the target as recorded.", unit="Gy", minimum=0)
    activity_planned_gbq: Decimal = column(
        "Activity prescribed for the target.", unit="GBq", minimum=0, plausible=(0.05, 25)
    )
    tumour_to_normal_ratio: Decimal = column(
        "Activity per mass of tumour over that of normal liver.",
        unit="1",
        above=0,
        plausible=(0.5, 50),
    )
    tumour_dose_gy: Decimal = column(
        "Mean dose to the tumour in the target as recorded.", unit="Gy", minimum=0
    )
    normal_liver_dose_gy: Decimal = column(
        "Mean dose to the normal liver in the target as recorded.",
        unit="Gy",
        minimum=0,
        worse="higher",
    )
    dosimetry_source: Text = column(
        "What tumour and normal-liver dose were measured on.",
        codes=("MAA_SPECT", "PET", "bremsstrahlung"),
    )
    dosimetry_model: Text = column(
        "Model of those doses.", codes=("single_compartment", "partition", "voxel", "other")
    )
    liver_volume_ml: Decimal = column(
        "Volume of the whole liver, tumour included.", unit="mL", above=0, plausible=(500, 6000)
    )
    normal_liver_volume_ml: Decimal = column(
        "Volume of the whole liver without tumour.", unit="mL", above=0, plausible=(300, 6000)
    )
    lung_dose_gy: Decimal = column(
        "Lung dose of the session as recorded.", unit="Gy", minimum=0, worse="higher"
    )
    delivery: Text = column(
        "Whether all that was prescribed for the target went in, or the injection was stopped "
        "early, as by stasis; a procedure at which no 90Y was given is no row.",
        codes=("complete", "stopped_early"),
        worse="higher",
    )

    class Config:
        """Dated by the administration."""

        metadata = declares(
            dated_by="treatment_date",
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.TREATMENTS,
        )


class Lesions(RegistryTable):
    """One row per lesion."""

    lesion_id: Text = column("The lesion, as delivered.", key=True)
    organ: Text = column("Organ.", codes=("liver", "node", "other"), default="liver")
    lobe: Text = column("Lobe of a liver lesion.", codes=("right", "left", "caudate"))
    segment: Text = column("Couinaud segment, as delivered.")
    index_lesion: Bool = column("Counts for WHO and EASL.", default=True)
    recist_target: Bool = column("RECIST 1.1 target lesion.")
    baseline_present: Bool = column(
        "The lesion was there before treatment, though it was first measured later."
    )
    merged_into: Text = column("The lesion that it merged into, as delivered.")
    split_from: Text = column("The lesion that it is a fragment of, as delivered.")

    class Config:
        """Undated: a lesion is known from its first measurement."""

        metadata = declares(references={"patients": ("site_id", "patient_id")})


class Scans(RegistryTable):
    """One row per scan and reader."""

    scan_date: Date = column("Day of the scan.", key=True)
    modality: Text = column("Modality.", key=True, codes=("CT", "MRI", "other"))
    reader: Text = column(
        "Who read it: a role (local, central 1); a name becomes a pseudonym.",
        key=True,
        default="local",
    )
    arterial_phase: Bool = column("With an arterial phase: needed for EASL and mRECIST.")
    new_lesion: Text = column(
        "New lesion seen.",
        codes=("none", "hepatic", "extrahepatic", "both"),
        worse="higher",
        together="both",
    )
    non_target: Text = column("Overall status of non-target disease.", codes=NON_TARGET)
    non_target_liver: Text = column("The same of the liver alone.", codes=NON_TARGET)
    non_target_elsewhere: Text = column("The same outside the liver.", codes=NON_TARGET)
    evaluable: Bool = column("The reader could evaluate the scan.", default=True)

    class Config:
        """Dated by the scan."""

        metadata = declares(
            dated_by="scan_date", references={"patients": ("site_id", "patient_id")}
        )


class Measurements(RegistryTable):
    """One row per lesion, scan and reader."""

    lesion_id: Text = column("The lesion, as delivered.", key=True)
    scan_date: Date = column("Day of the scan.", key=True)
    modality: Text = column("Modality.", key=True, codes=("CT", "MRI", "other"))
    reader: Text = column("Who measured, as in scans.", key=True, default="local")
    longest_mm: Decimal = column(
        "Longest diameter.", unit="mm", minimum=0, maximum=500, plausible=(3, 300), worse="higher"
    )
    perpendicular_mm: Decimal = column(
        "Longest diameter perpendicular to it.", unit="mm", minimum=0, maximum=500, worse="higher"
    )
    enhancing_longest_mm: Decimal = column(
        "Longest diameter of the enhancing part.", unit="mm", minimum=0, maximum=500, worse="higher"
    )
    enhancing_perpendicular_mm: Decimal = column(
        "Perpendicular diameter of the enhancing part.",
        unit="mm",
        minimum=0,
        maximum=500,
        worse="higher",
    )
    necrosis_pct: Decimal = column(
        "Estimated necrosis.", unit="%", minimum=0, maximum=100, worse="lower"
    )
    status: Text = column(
        "What the reader could say of the lesion; without a column, `measured` of a diameter.",
        required=True,
        made_of="longest_mm",
        codes=("measured", "too_small", "absent", "not_evaluable", "not_imaged"),
    )

    class Config:
        """Dated by the scan."""

        metadata = declares(
            dated_by="scan_date",
            references={
                "patients": ("site_id", "patient_id"),
                "lesions": ("site_id", "patient_id", "lesion_id"),
                "scans": ("site_id", "patient_id", "scan_date", "modality", "reader"),
            },
            rules=row_rules.MEASUREMENTS,
        )


class Labs(RegistryTable):
    """One row per analyte and draw."""

    lab_date: Date = column("Day of the draw.", key=True)
    analyte: Text = column("Analyte; codes beyond the thirteen pass through ungraded.", key=True)
    sequence: Int = column("Number among the draws of the day.", key=True, default=1, minimum=0)
    lab_time: Text = column("Time of the draw, HH:MM.")
    value: Decimal = column("Result, in `unit`.", required=True, minimum=0, worse="analyte")
    value_comparator: Text = column(
        "Comparator of a censored result.", codes=("<", "<=", ">", ">=")
    )
    unit: Text = column("Unit of value and limits, spelled as UCUM.", required=True)
    lower_limit: Decimal = column("Lower limit of normal, in `unit`.", minimum=0)
    upper_limit: Decimal = column("Upper limit of normal, in `unit`.", minimum=0)

    class Config:
        """Dated by the draw."""

        metadata = declares(
            dated_by="lab_date",
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.LABS,
        )


class AdverseEvents(RegistryTable):
    """One row per adverse event."""

    term: Text = column("Term as recorded.", key=True)
    sequence: Int = column("Number among equals.", key=True, default=1, minimum=0)
    onset_date: Date = column("First day.", partial="year")
    onset_date_precision: Text = column(_precision("onset_date"), codes=PRECISIONS)
    end_date: Date = column("Last day.", partial="year")
    end_date_precision: Text = column(_precision("end_date"), codes=PRECISIONS)
    grade: Int = column("CTCAE grade as recorded.", minimum=1, maximum=5, worse="higher")
    ctcae_version: Text = column("Version the grade was given in.", codes=VERSIONS)
    related: Text = column(
        "Relation to 90Y.",
        codes=("unrelated", "unlikely", "possible", "probable", "definite", "unknown"),
        worse="higher",
    )
    serious: Bool = column("Serious adverse event.", worse="higher")
    procedure: Text = column("Procedure it led to, as delivered.")
    outcome: Text = column("Outcome.", codes=("resolved", "ongoing", "fatal", "unknown"))

    class Config:
        """Dated by the onset."""

        metadata = declares(
            dated_by="onset_date",
            end_dates=("end_date",),
            references={"patients": ("site_id", "patient_id")},
            rules=(row_rules.in_order("adverse_events.dates_in_order", "onset_date", "end_date"),),
        )


class SubsequentTherapies(RegistryTable):
    """One row per anticancer therapy begun after the first 90Y administration."""

    therapy_class: Text = column(
        "Class of the therapy.", key=True, codes=(*THERAPY_CLASSES, "transplant")
    )
    sequence: Int = column("Number among equals.", key=True, default=1, minimum=0)
    start_date: Date = column("First day.", required=True, partial="month")
    start_date_precision: Text = column(_precision("start_date"), codes=PRECISIONS)

    class Config:
        """Dated by the first day."""

        metadata = declares(
            dated_by="start_date", references={"patients": ("site_id", "patient_id")}
        )


class Contacts(RegistryTable):
    """One row per dated evidence of the patient's vital status."""

    contact_date: Date = column("Day of the contact, or of death.", key=True, partial="month")
    contact_date_precision: Text = column(_precision("contact_date"), codes=PRECISIONS)
    contact_type: Text = column(
        "Kind of contact; where none is given, `death` of who is dead and `visit` of who is alive.",
        key=True,
        codes=("visit", "phone", "registry", "death"),
        made_of="vital_status",
    )
    vital_status: Text = column(
        "Vital status.", required=True, codes=("alive", "dead"), worse="higher"
    )
    cause_of_death: Text = column(
        "Cause of death.", codes=("tumour", "liver_failure", "treatment", "other", "unknown")
    )

    class Config:
        """Dated by the contact."""

        metadata = declares(
            dated_by="contact_date",
            references={"patients": ("site_id", "patient_id")},
            rules=row_rules.CONTACTS,
        )


_DECLARED = declared("registry", RegistryTable)
TABLES: tuple[type[RegistryTable], ...] = tuple(
    sorted(_DECLARED, key=lambda contract: contract.__module__ != __name__)
)
"""What a centre measures comes before what it only reports."""
