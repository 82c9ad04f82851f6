"""Marts for row-by-row analysis: pseudonyms, whole days from T0, no calendar date."""

from schemas.codes import VERSIONS
from schemas.contract import (
    Bool,
    Decimal,
    ExactDays,
    Float,
    Int,
    Text,
    column,
    declared,
    declares,
)
from schemas.records.analytes import ANALYTES
from schemas.records.criteria import CRITERIA
from schemas.records.field.event_windows import LATE_WINDOWS
from schemas.tables.class_marts import CountedReaders as CountedReaders
from schemas.tables.class_marts import LesionResponseAtWindow as LesionResponseAtWindow
from schemas.tables.class_marts import SubjectResponseAtWindow as SubjectResponseAtWindow
from schemas.tables.dose_marts import CompartmentDoses as CompartmentDoses
from schemas.tables.dose_marts import CourseDoses as CourseDoses
from schemas.tables.dose_marts import DoseOutcomes as DoseOutcomes
from schemas.tables.dose_marts import Procedures as Procedures
from schemas.tables.dose_marts import SessionDoses as SessionDoses
from schemas.tables.event_marts import Deaths as Deaths
from schemas.tables.event_marts import SessionEvents as SessionEvents
from schemas.tables.event_marts import SubjectEvents as SubjectEvents
from schemas.tables.event_marts import SubjectReild as SubjectReild
from schemas.tables.event_marts import SubjectTherapies as SubjectTherapies
from schemas.tables.factors.levels import FactorLevels as FactorLevels
from schemas.tables.factors.levels import SettledFactors as SettledFactors
from schemas.tables.lab_marts import LabResults as LabResults
from schemas.tables.lab_marts import LabTimePoints as LabTimePoints
from schemas.tables.liver_function import LiverFunctionChanges as LiverFunctionChanges
from schemas.tables.mart_table import CONFIRMATIONS, ORGANS, RESPONSES, Mart, codes_of
from schemas.tables.registry import Assessments, Lesions, Patients, Treatments
from schemas.tables.reported_marts import ReportedTimes as ReportedTimes

SEGMENTS = ("1", "2", "3", "4", "4a", "4b", "5", "6", "7", "8")
WINDOWS = ("acute", "primary", "late", *LATE_WINDOWS, "any")


class Subjects(Mart):
    """One row per patient delivered, treated or not."""

    site_id: Text = column("The site.", required=True)
    treated: Bool = column(
        "At least one administered 90Y session (analysis set TREATED).", required=True
    )
    per_criteria: Bool = column("Treated and every eligibility rule passed.", required=True)
    t0_year: Int = column("Year of T0.", unit="year")
    age_years: Int = column("Year of T0 less year of birth.", unit="years")
    sex: Text = column("Sex.", codes=codes_of(Patients, "sex"))
    primary_site: Text = column("Primary tumour.", codes=codes_of(Patients, "primary_site"))
    tumour_grade: Text = column("WHO grade.", codes=codes_of(Patients, "tumour_grade"))
    ki67_pct: Decimal = column("Ki-67 index.", unit="%")
    functioning: Bool = column("The tumour secretes hormones.")
    extrahepatic_disease: Text = column(
        "Disease outside the liver.", codes=codes_of(Patients, "extrahepatic_disease")
    )
    ecog: Int = column("Last ECOG up to T0.", minimum=0, maximum=4)
    ecog_age_days: Int = column("Its age at T0.", unit="days", minimum=0)
    ecog_stale: Bool = column("Older than the setting allows.")
    tumour_burden_pct: Decimal = column("Last tumour burden up to T0.", unit="%")
    tumour_burden_category: Text = column(
        "Category of the burden, from the number or the reader.",
        codes=codes_of(Assessments, "tumour_burden_category"),
    )
    ascites: Text = column("Last ascites up to T0.", codes=codes_of(Assessments, "ascites"))
    encephalopathy_grade: Int = column("Last encephalopathy up to T0.", minimum=0, maximum=4)
    carcinoid_symptoms: Bool = column("Carcinoid symptoms at baseline.")
    prior_liver_directed: Bool = column("Liver-directed therapy before T0.")
    prior_systemic: Bool = column("Systemic therapy before T0.")
    prior_surgery: Bool = column("Surgery before T0.")
    prior_somatostatin_analogue: Bool = column("Somatostatin analogue before T0.")
    prior_chemotherapy: Bool = column("Chemotherapy before T0.")
    prior_targeted: Bool = column("Targeted therapy before T0.")
    prior_prrt: Bool = column("Peptide receptor radionuclide therapy before T0.")
    prior_radiotherapy: Bool = column("External radiotherapy before T0.")
    prior_other: Bool = column("Another therapy before T0.")
    octreotide_continued: Bool = column("A continuing octreotide course covers T0.")
    octreotide_prophylaxis: Bool = column("Prophylactic octreotide on every session day.")
    bilirubin_mg_dl: Decimal = column("Baseline bilirubin, for display.", unit="mg/dL")
    bilirubin_age_days: Int = column("Its age at T0.", unit="days", minimum=0)
    bilirubin_stale: Bool = column("Older than the setting allows.")
    bilirubin_le_1_2: Bool = column("At most 1.2 mg/dL, compared exactly.")
    bilirubin_lt_1_2: Bool = column("Below 1.2 mg/dL, compared exactly.")
    albumin_g_dl: Decimal = column("Baseline albumin, for display.", unit="g/dL")
    albumin_gt_3_5: Bool = column("Above 3.5 g/dL, compared exactly.")
    albumin_age_days: Int = column("Its age at T0.", unit="days", minimum=0)
    albumin_stale: Bool = column("Older than the setting allows.")
    inr: Decimal = column("Baseline INR.", unit="1")
    inr_age_days: Int = column("Its age at T0.", unit="days", minimum=0)
    inr_stale: Bool = column("Older than the setting allows.")
    lymphocytes_10e9_l: Decimal = column("Baseline lymphocytes.", unit="10*9/L")
    lymphocytes_age_days: Int = column("Its age at T0.", unit="days", minimum=0)
    lymphocytes_stale: Bool = column("Older than the setting allows.")
    albi_score: Float = column("ALBI score.", source="Johnson et al., J Clin Oncol 2015;33:550-558")
    albi_grade: Int = column("ALBI grade.", minimum=1, maximum=3)
    child_pugh_points: Int = column(
        "Child-Pugh points; null when an item is missing.", minimum=5, maximum=15
    )
    child_pugh_class: Text = column("Child-Pugh class.", codes=("A", "B", "C"))
    n_sessions: Int = column("90Y sessions.", minimum=0)
    n_lesions: Int = column("Index lesions.", minimum=0)
    bilobar: Bool = column("Both lobes treated, over all sessions.")
    staged: Bool = column("The lobes were treated on different days.")
    device: Text = column("Device; `mixed` when both were used.", codes=("glass", "resin", "mixed"))
    device_at_t0: Text = column(
        "Device of the sessions on T0; `mixed` when both were used on that day.",
        codes=("glass", "resin", "mixed"),
    )
    course_end_day: Int = column(
        "Day from T0 of the last session of the planned course.", unit="days", minimum=0
    )
    imaging_day: Int = column("Day of the last scan; 0 when none follows T0.", unit="days")
    reported_group: Text = column(
        "Treatment group of a source that holds only times; null where the patient's groups "
        "differ between endpoints."
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class Eligibility(Mart):
    """One row per patient and eligibility rule."""

    rule_id: Text = column("The rule: E1 to E6, X1 to X4, W1 (work-up).", key=True)
    status: Text = column("Outcome.", required=True, codes=("pass", "fail", "unknown"))
    value: Text = column("The value that decided; no date.")
    allowed: Text = column("The limit it was compared with.")
    reason: Text = column("Why it is unknown, or `stale`, or `not specified by source`.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class TreatmentTargets(Mart):
    """One row per session and perfused target."""

    session_number: Int = column("Number of the session.", key=True)
    target_number: Int = column("Number of the target in the session.", key=True)
    rel_day: Int = column("Day from T0.", unit="days", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)
    device: Text = column("Device.", codes=codes_of(Treatments, "device"))
    lobe: Text = column("Lobe.", codes=codes_of(Treatments, "lobe"))
    activity_gbq: Float = column("Activity at injection, recorded or decayed.", unit="GBq")
    target_mass_kg: Float = column("Mass, recorded or from the volume.", unit="kg")
    dose_gy_recorded: Decimal = column("Dose as recorded.", unit="Gy")
    dose_gy: Float = column("Dose recomputed (glass: single-compartment MIRD).", unit="Gy")
    mean_dose_gy: Float = column("The same of either device; the headline is glass.", unit="Gy")
    activity_bsa_gbq: Float = column("Prescribed activity by body surface (resin).", unit="GBq")
    lung_dose_gy_recorded: Decimal = column("Lung dose of the session as recorded.", unit="Gy")
    lung_dose_gy: Float = column("Lung dose of the session recomputed.", unit="Gy")
    cumulative_lung_dose_gy: Float = column("Lung dose up to and with the session.", unit="Gy")
    lung_dose_over_session_limit: Bool = column("More than 30 Gy in the session.")
    lung_dose_over_cumulative_limit: Bool = column("More than 50 Gy cumulated.")
    difference_pct: Float = column("Recomputed against recorded dose.", unit="%")
    difference_class: Text = column(
        "What explains the difference of the dose or, where that agrees or cannot be compared, of "
        "the lung dose.",
        codes=(
            "agrees",
            "calibration_time",
            "unit",
            "mass",
            "lobe_or_whole_liver",
            "percent_or_fraction",
            "unexplained",
            "not_comparable",
        ),
    )
    source_row_id: Text = column("Row of registry.treatments.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class FollowedLesions(Mart):
    """One row per lesion of a treated subject, counted or not."""

    lesion_number: Int = column("Number of the lesion.", key=True)
    organ: Text = column("Organ.", required=True, codes=codes_of(Lesions, "organ"))
    lobe: Text = column("Lobe of a liver lesion.", codes=codes_of(Lesions, "lobe"))
    segment: Text = column(
        "Couinaud segment; null where several or another text were delivered.", codes=SEGMENTS
    )
    treated: Bool = column(
        "A session treated its lobe; any session, where the lobe is caudate or not known, or that "
        "of a session is not.",
        required=True,
    )
    first_session_number: Int = column("Number of the first session that treated it.")
    first_session_day: Int = column("Day from T0 of that session.", unit="days")
    first_measured_day: Int = column("Day from T0 of its first measurement.", unit="days")
    index_lesion: Bool = column("Recorded as followed for WHO and EASL.", required=True)
    recist_target: Bool = column("Recorded as a RECIST target.", required=True)
    target_who: Bool = column("Counts for WHO.", required=True)
    target_easl: Bool = column("Counts for EASL.", required=True)
    target_recist_1_1: Bool = column("Counts for RECIST 1.1, if large enough.", required=True)
    target_mrecist: Bool = column("Counts for mRECIST, if large enough.", required=True)
    baseline_present: Bool = column("The registry says that it was there before treatment.")
    merged_into: Int = column("Number of the lesion that it merged into.")
    split_from: Int = column("Number of the lesion that it is a fragment of.")
    counted: Bool = column("It is in the denominators of lesion response.", required=True)
    reason: Text = column(
        "Why it is in no denominator.", codes=("new_after_treatment", "fragment", "merged")
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts", published="lesions")


class AssessmentColumns(Mart):
    """What lesion and subject assessments share."""

    criterion: Text = column("Response criterion.", key=True, codes=CRITERIA)
    rel_day: Int = column("Day from T0 of the assessment.", key=True, unit="days")
    reader: Text = column("Reader.", key=True)
    modality: Text = column("Modality; `mixed` where an assessment joins several.", key=True)
    modality_changed: Bool = column("Differs from the baseline's modality.", required=True)
    baseline_day: Int = column("Day of the baseline scan.", unit="days")
    baseline_stale: Bool = column("The baseline is older than the setting's strict age.")
    baseline: Decimal = column("Quantity at baseline: mm2 (WHO, EASL) or mm (RECIST 1.1, mRECIST).")
    nadir: Decimal = column("Smallest quantity strictly before this assessment.")
    value: Decimal = column("Quantity at this assessment.")
    change_from_baseline_pct: Float = column("Change from baseline.", unit="%")
    change_from_nadir_pct: Float = column("Change from nadir.", unit="%")
    response: Text = column("Class at this assessment.", required=True, codes=RESPONSES)
    rule: Text = column("The rule that decided.", required=True)
    in_window: Bool = column("The response window is open.", required=True)
    source_row_ids: Text = column("Rows of registry.measurements, sorted, separated by a space.")


class LesionAssessments(AssessmentColumns):
    """One row per lesion, criterion, reader and post-baseline time point."""

    lesion_number: Int = column("Number of the lesion.", key=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SubjectAssessments(AssessmentColumns):
    """One row per subject, organ, criterion, reader and post-baseline time point."""

    organ: Text = column(
        "The whole patient, or the disease of one place.", key=True, codes=ORGANS, default="all"
    )
    n_lesions: Int = column("Lesions in the sum.", required=True, minimum=0)
    new_lesion: Text = column("New lesion seen.", codes=("none", "hepatic", "extrahepatic", "both"))
    non_target: Text = column("Status of non-target disease.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class ResponseColumns(Mart):
    """What best responses share."""

    criterion: Text = column("Response criterion.", key=True, codes=CRITERIA)
    confirmation: Text = column("Confirmation asked.", key=True, codes=CONFIRMATIONS)
    best_response: Text = column("Best response.", required=True, codes=RESPONSES)
    best_response_day: Int = column("Earliest day of the best response.", unit="days")
    first_response_day: Int = column("Day of the first CR or PR.", unit="days")
    progression_day: Int = column("Day of the first PD.", unit="days")
    last_evaluable_day: Int = column("Last evaluable assessment in the window.", unit="days")
    best_change_pct: Float = column(
        "Greatest decrease, or least increase, from baseline.", unit="%"
    )
    any_decrease: Bool = column("Ever smaller than at baseline, compared exactly.")
    over_50_decrease: Bool = column("Ever smaller by more than half, compared exactly.")
    evaluable: Bool = column("At least one evaluable assessment in the window.", required=True)
    reason: Text = column("Why it is not evaluable.")


class LesionResponse(ResponseColumns):
    """One row per index lesion of a treated subject, criterion and confirmation."""

    lesion_number: Int = column("Number of the lesion.", key=True)
    treated: Bool = column("A session treated its territory.", required=True, default=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SubjectResponse(ResponseColumns):
    """One row per treated subject, organ, criterion and confirmation."""

    organ: Text = column(
        "The whole patient, or the disease of one place.", key=True, codes=ORGANS, default="all"
    )
    pd_before_course_end: Bool = column(
        "Progressive before the last session of the planned course."
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class LabGrades(Mart):
    """One row per laboratory result and CTCAE version."""

    analyte: Text = column("Analyte.", key=True, codes=ANALYTES)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    rel_day: Int = column("Day from T0.", key=True, unit="days")
    sequence: Int = column("Number among the draws of the day.", key=True)
    value: Decimal = column("Result as delivered.")
    value_comparator: Text = column("Comparator of a censored result.")
    unit: Text = column("Unit as delivered.", required=True)
    lower_limit: Decimal = column("Lower limit as delivered.")
    upper_limit: Decimal = column("Upper limit as delivered.")
    baseline_value: Decimal = column("Baseline result, in `unit`.")
    is_baseline: Bool = column("This result is the baseline.", required=True)
    grade: Int = column("Grade; null where it cannot be graded.", minimum=0, maximum=4)
    rule: Text = column("The threshold that decided.")
    reason: Text = column("Why it cannot be graded.")
    source_row_id: Text = column("Row of registry.labs.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class Toxicity(Mart):
    """One row per treated subject, term, version and window with something gradable."""

    source: Text = column("Laboratory or clinical event.", key=True, codes=("lab", "event"))
    term: Text = column("Analyte, CTCAE term or named union of terms.", key=True)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    time_window: Text = column("Window after treatment.", key=True, codes=WINDOWS)
    baseline_grade: Int = column("Grade at baseline.", minimum=0, maximum=5)
    worst_grade: Int = column("Worst grade in the window.", minimum=0, maximum=5)
    worst_day: Int = column("Earliest day of the worst grade.", unit="days")
    emergent: Bool = column("Worse than at baseline; null where a cell cannot be read.")
    related: Bool = column("Attributed to treatment at or above the setting.")
    source_row_id: Text = column("The deciding row of registry.labs or registry.adverse_events.")
    reason: Text = column("Why an event has no grade in this version, or why it was raised.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class ReildCandidates(Mart):
    """One row per course of a treated subject that meets the clinical picture of REILD."""

    course: Int = column("1 for the planned course, higher for re-treatment.", key=True)
    session_number: Int = column(
        "The latest session that lies in the days of REILD before the onset.", required=True
    )
    rel_day: Int = column(
        "Onset: first day in the course of bilirubin above limit and baseline.",
        required=True,
        unit="days",
    )
    status: Text = column(
        "For adjudication; nothing here is a diagnosis.",
        required=True,
        codes=("candidate", "excluded"),
    )
    reason_codes: Text = column(
        "What speaks for it: `bilirubin`, `ascites`, `albumin`, separated by a space.",
        required=True,
    )
    excluded_by: Text = column(
        "What explains it otherwise: `hepatic_progression`, `biliary_obstruction`."
    )
    bilirubin: Decimal = column("The bilirubin of that day, in `unit`.", required=True)
    unit: Text = column("Unit as delivered.", required=True)
    baseline_bilirubin: Decimal = column(
        "Last bilirubin up to the first session of the course, in `unit`."
    )
    braat_grade: Int = column(
        "Least grade that the records support, for adjudication; null where excluded.",
        minimum=3,
        maximum=5,
        source="Braat, as cited in van Roekel's thesis (2020), p. 38",
    )
    source_row_id: Text = column("Deciding row of registry.labs.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SymptomResponse(Mart):
    """One row per treated subject symptomatic at baseline."""

    best_change: Text = column(
        "Best change reported in the window.",
        required=True,
        codes=codes_of(Assessments, "symptom_change"),
    )
    improved: Bool = column("Improved at any review in the window; null where unreadable.")
    first_improved_day: Int = column("Day of the first improvement.", unit="days")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class FollowUpAdherence(Mart):
    """One row per treated subject."""

    fu_days: Int = column(
        "Days until death, progression, new therapy or last contact.", required=True
    )
    first_review_day: Int = column("Day of the first review.", unit="days")
    first_visit_on_time: Bool = column("First review inside its window; null when not yet due.")
    n_expected: Int = column("Reviews expected.", required=True, minimum=0)
    n_observed: Int = column("Reviews with imaging, labs and contact.", minimum=0)
    adherence: Float = column("Observed over expected, at most 1; null when none is expected.")
    median_gap_days: Float = column("Median gap between reviews.", unit="days")
    max_gap_days: Int = column("Greatest gap.", unit="days")
    n_gaps: Int = column("Gaps between reviews.", minimum=0)
    n_gaps_on_time: Int = column("Gaps inside their window.", minimum=0)
    n_gaps_long: Int = column("Gaps longer than the setting.", minimum=0)
    n_imaging: Int = column("Days with imaging.", minimum=0)
    n_imaging_measured: Int = column("Of them, with a lesion measured.", minimum=0)
    n_labs: Int = column("Days with laboratory results.", minimum=0)
    n_contacts: Int = column("Days with a visit or an assessment.", minimum=0)
    overdue: Bool = column("The next review was overdue at the site's extraction date.")
    reason: Text = column("Why reviews cannot be told: a table that the site does not deliver.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class TimeToEvent(Mart):
    """One row per subject (or lesion) and endpoint."""

    lesion_number: Int = column("Number of the lesion, 0 for the subject.", key=True)
    endpoint: Text = column("Endpoint.", key=True)
    start_day: Int = column("Day from T0 on which the clock starts.", unit="days", required=True)
    time_days: ExactDays = column(
        "Days from start to event or censoring: whole where dates gave them, else exactly the "
        "time that was delivered, of months of 30.4375 and years of 365.25 days.",
        unit="days",
        required=True,
        minimum=0,
    )
    event: Bool = column("The event happened (CDISC CNSR = 0).", required=True)
    cause: Text = column("Kind of event, or why it was censored.", required=True)
    competing: Bool = column("Censored here, a competing event in the sensitivity.", required=True)
    competing_event: Text = column("The first event that rules this one out; null without one.")
    competing_days: Int = column("Days from start to it.", unit="days", minimum=0)
    reason: Text = column("Flag of the record: imputed date, transplant, lost to follow-up.")
    origin: Text = column(
        "Derived from dates, or a time that the source printed.",
        required=True,
        codes=("derived", "reported"),
        default="derived",
    )
    source_table: Text = column("Registry table that decided.")
    source_column: Text = column("Its column.")
    source_row_id: Text = column("Its row.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


TABLES: tuple[type[Mart], ...] = declared("marts", Mart)
