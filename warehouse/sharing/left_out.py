"""The tables that a public bundle and the ADaM datasets leave out, each with the reason.

Every outcome table is in `public.ALLOWED` or here, and every mart is read by a dataset or stands
here; a test fails where one is in neither. A public bundle shows one population, one window and one
reading of each question, since whoever holds two counts of which one holds the other has their
difference, which may be few patients.
"""

from collections.abc import Mapping

NESTED = (
    "its counts hold those of {0}, or are held by them: beside these the difference may be of few "
    "patients, and no guard looks across the two"
)
_TOXICITY = NESTED.format("toxicity_summary")
_EVENTS = NESTED.format("the deaths of survival_medians")
_RESPONSE = (
    "another reading of the responses of response_summary: where the two differ in few patients, "
    "both together tell of them"
)
_CURVE = "a curve tells of each event"
_FEW_EVENTS = "steps or ratios between groups that few events part"
_FINE = "its cells are of few patients by device, window or pair of classes in most registries"
_NO_PATIENTS = "it repeats other tables' numbers, and has none of its own"

NOT_PUBLIC: Mapping[str, str] = {
    "attrition": "the patients between two steps are the few who failed one rule",
    "compartment_dosimetry": _FINE,
    "criterion_agreement": _FINE,
    "cumulative_incidence": _EVENTS,
    "death_causes": _EVENTS,
    "dose_groups": _FINE,
    "dose_response": _FINE,
    "early_mortality": _EVENTS,
    "event_summary": _TOXICITY,
    "incidence_curves": _CURVE,
    "lab_changes": "each time point is of other patients: those between two are few",
    "literature_comparison": _NO_PATIENTS,
    "liver_function_summary": _TOXICITY,
    "marker_summary": _FINE,
    "next_therapy": _EVENTS,
    "procedure_events": NESTED.format("event_summary and toxicity_summary"),
    "prognosis_models": _FEW_EVENTS,
    "prognosis_multivariable": _FEW_EVENTS,
    "prognosis_residuals": _CURVE,
    "prognosis_univariate": _FEW_EVENTS,
    "reader_agreement": _RESPONSE,
    "recorded_agreement": _RESPONSE,
    "recorded_kappa": _RESPONSE,
    "recorded_progression": _EVENTS,
    "recorded_response_summary": _RESPONSE,
    "reild_summary": _TOXICITY,
    "response_at_window": _RESPONSE,
    "restricted_means": _CURVE,
    "sensitivity": _RESPONSE,
    "survival_at_days": _CURVE,
    "survival_by_response": _FEW_EVENTS,
    "survival_by_settled_factor": _FEW_EVENTS,
    "survival_curves": _CURVE,
    "survival_quartiles": "a second and third point of a curve of which the median is told",
    "technical_summary": _FINE,
    "therapy_summary": NESTED.format("baseline_characteristics"),
    "toxicity_shift": _TOXICITY,
}

_ASSESSED = "ADRS has the class of the patient, ADTR the size of lesions: these are made of both"
_DOSES = "absorbed dose has no ADaM dataset of its own; the marts are in the whole bundle"
_LABS = "ADLB holds graded results, each once"
_MADE_OF = "made of rows that another dataset holds"

NOT_IN_ADAM: Mapping[str, str] = {
    "compartment_doses": _DOSES,
    "counted_readers": "ADRS names the reader of each class",
    "course_doses": _DOSES,
    "dose_outcomes": _DOSES,
    "eligibility": "ADSL has the population flag that the rules make",
    "factor_levels": _MADE_OF,
    "follow_up_adherence": "whether reviews were held is of the protocol, and no result",
    "lab_time_points": _LABS,
    "labs": _LABS,
    "lesion_response": _ASSESSED,
    "lesion_response_at_window": _ASSESSED,
    "lesions": _ASSESSED,
    "liver_function_changes": _LABS,
    "marker_response": _LABS,
    "procedures": _DOSES,
    "progression_differences": "ADTTE has both times, TTP and TTPREC",
    "recorded_assessments": "a class as recorded is no analysis of ours; ADRS is derived",
    "recorded_response": "a class as recorded is no analysis of ours; ADRS is derived",
    "recorded_response_at_window": "a class as recorded is no analysis of ours; ADRS is derived",
    "reild_candidates": "ADSL has the flag of a candidate; what speaks for it is for adjudication",
    "reported_times": "ADTTE has the times that are used",
    "session_doses": _DOSES,
    "session_events": "ADAE is of patients: a session is no analysis unit of it",
    "settled_factors": _MADE_OF,
    "subject_response_at_window": _ASSESSED,
    "symptom_response": "symptoms have no ADaM dataset here",
    "therapy_courses": "ADSL has how many lines there were; their classes are in the whole bundle",
    "treatment_targets": _DOSES,
}
