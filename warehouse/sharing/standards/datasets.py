"""The datasets of ADaM that a release gives, without a date.

Names follow CDISC's Analysis Data Model (ADaM Implementation Guide 1.3; Basic Data Structure for
Time-to-Event Analyses 1.0; Structure for Occurrence Data 1.1). Study days count as CDISC does: T0
is day 1, the day before it day -1. Dates are not given, so no variable ends in DT.
"""

from schemas.codes import VERSIONS
from schemas.records.analytes import BY_CODE, TEST_CODES
from schemas.records.criteria import PARAMETER_CODES
from schemas.records.criteria import RECORDS as CRITERIA
from schemas.records.endpoints import LABEL
from schemas.tables import marts
from warehouse.sharing.standards.variables import (
    Codelist,
    Dataset,
    Mart,
    Variable,
    coded,
    flag,
    named,
    study_day,
)

RESPONSE_ORDER = {"CR": 1, "PR": 2, "SD": 3, "NON-CR/NON-PD": 4, "PD": 5, "NE": 6}
RESPONSE_WORDS = {
    "CR": "Complete Response",
    "PR": "Partial Response",
    "SD": "Stable Disease",
    "NON-CR/NON-PD": "Neither Complete Response nor Progression",
    "PD": "Progressive Disease",
    "NE": "Not Evaluable",
}
SEXES = {"female": "F", "male": "M", "unknown": "U"}
UNITS = {c.code: c.unit for c in CRITERIA}

YES_NO = Codelist(
    "NY", "No Yes Response", {"Y": "Yes", "N": "No"}, "C66742", {"Y": "C49488", "N": "C49487"}
)
ONLY_YES = Codelist("NY.Y", "No Yes Response, Yes Only", {"Y": "Yes"}, "C66742", {"Y": "C49488"})
SEX = Codelist(
    "SEX",
    "Sex",
    {"F": "Female", "M": "Male", "U": "Unknown"},
    "C66731",
    {"F": "C16576", "M": "C20197", "U": "C17998"},
)
AGE_UNIT = Codelist("AGEU", "Age Unit", {"YEARS": "Year"}, "C66781", {"YEARS": "C29848"})
RESPONSE = Codelist("RESPONSE", "Response", RESPONSE_WORDS)
GRADE = Codelist("GRADE", "CTCAE Grade", {str(g): f"Grade {g}" for g in range(6)})
CTCAE = Codelist("CTCVER", "CTCAE Version", {v: f"CTCAE {v}" for v in VERSIONS})
CENSORING = Codelist("CNSR", "Censoring", {"0": "Event", "1": "Censored"})

KINDS = {"OVR": "Response", "BOR": "Best Response, unconfirmed", "CBR": "Best Response, confirmed"}
RESPONSE_PARAMETERS = {
    f"{kind}{code}": f"{words} by {criterion}"
    for kind, words in KINDS.items()
    for criterion, code in PARAMETER_CODES.items()
}
SIZES = {"LES": "Lesion Size", "SUM": "Sum of Lesion Sizes"}
SIZE_PARAMETERS = {
    f"{kind}{code}": f"{words} by {criterion} ({UNITS[criterion]})"
    for kind, words in SIZES.items()
    for criterion, code in PARAMETER_CODES.items()
}
TIME_PARAMETERS = {code: f"{label[:1].upper()}{label[1:]} (days)" for code, label in LABEL.items()}
LAB_PARAMETERS = {code: BY_CODE[analyte].label for analyte, code in TEST_CODES.items()}


def _parameters(dataset: str, codes: dict[str, str]) -> Codelist:
    return Codelist(f"PARAMCD.{dataset}", f"Parameter Code of {dataset}", codes)


def _subjects(mart: Mart) -> str:
    """SQL for every subject with death, events of any term, REILD and lines of other therapy."""
    return (
        "(SELECT s.*, d.rel_day, d.cause, d.treatment_related, d.subject_id IS NOT NULL AS died, "
        "e.any_event, e.serious, e.related, r.candidate, r.braat_grade, p.prior_lines, "
        f"p.subsequent_lines FROM {mart('subjects')} s "
        f"LEFT JOIN {mart('deaths')} d USING (subject_id) "
        f"LEFT JOIN (SELECT * FROM {mart('subject_events')} WHERE time_window = 'any') e "
        f"USING (subject_id) LEFT JOIN {mart('subject_reild')} r USING (subject_id) "
        f"LEFT JOIN {mart('subject_therapies')} p USING (subject_id)) t"
    )


def _responses(mart: Mart) -> str:
    """SQL for every response of a patient and, beside them, the best ones."""
    assessed = (
        "SELECT subject_id, criterion, rel_day, response, rule, 'OVR' AS kind, reader, modality "
        f"FROM {mart('subject_assessments')} WHERE organ = 'all'"
    )
    best = (
        "SELECT subject_id, criterion, best_response_day, best_response, reason, "
        "CASE confirmation WHEN 'confirmed' THEN 'CBR' ELSE 'BOR' END, NULL, NULL "
        f"FROM {mart('subject_response')} WHERE organ = 'all'"
    )
    return f"({assessed} UNION ALL {best}) t"


def _sizes(mart: Mart) -> str:
    """SQL for the size of every lesion, and for the sum of a patient, at every assessment."""
    shared = (
        "subject_id, criterion, rel_day, value, baseline, nadir, change_from_baseline_pct, "
        "change_from_nadir_pct, reader, modality, in_window"
    )
    return (
        f"(SELECT 'LES' AS kind, lesion_number, {shared} FROM {mart('lesion_assessments')} "
        f"UNION ALL SELECT 'SUM', 0, {shared} FROM {mart('subject_assessments')} "
        "WHERE organ = 'all') t"
    )


def _worst_events(mart: Mart) -> str:
    """SQL for the worst grade of every clinical toxicity at any time after treatment."""
    worst = f"SELECT * FROM {mart('toxicity')} WHERE source = 'event' AND time_window = 'any'"
    return f"({worst}) t"


WHO_IT_IS = (
    Variable("STUDYID", "Study Identifier", "$study"),
    Variable("USUBJID", "Unique Subject Identifier", "t.subject_id"),
)
BASIC = "BASIC DATA STRUCTURE"
NO_DATE = "A release holds no calendar date; days count from the first treatment."
PARAMETER = "Parameter"
_RESPONSE_CODE = f"t.kind || {coded('t.criterion', PARAMETER_CODES)}"
_LAB_CODE = coded("t.analyte", TEST_CODES)

ADSL = Dataset(
    "ADSL",
    "Subject-Level Analysis Dataset",
    "One record per subject",
    "SUBJECT LEVEL ANALYSIS DATASET",
    _subjects,
    ("USUBJID",),
    (
        marts.Subjects,
        marts.Deaths,
        marts.SubjectEvents,
        marts.SubjectReild,
        marts.SubjectTherapies,
    ),
    (
        *WHO_IT_IS,
        Variable("SUBJID", "Subject Identifier for the Study", "t.subject_id"),
        Variable("SITEID", "Study Site Identifier", "t.site_id"),
        Variable("AGE", "Age", "t.age_years::DOUBLE", "integer"),
        Variable(
            "AGEU",
            "Age Units",
            "CASE WHEN t.age_years IS NOT NULL THEN 'YEARS' END",
            codelist=AGE_UNIT,
        ),
        Variable("SEX", "Sex", coded("t.sex", SEXES), codelist=SEX),
        Variable("TRT01A", "Actual Treatment for Period 01", "'90Y ' || t.device"),
        Variable("SAFFL", "Safety Population Flag", flag("t.treated"), codelist=YES_NO),
        Variable("PPROTFL", "Per-Protocol Population Flag", flag("t.per_criteria"), "text", YES_NO),
        Variable("ECOGBL", "Baseline ECOG", "t.ecog::DOUBLE", "integer"),
        Variable("ALBIBL", "Baseline ALBI Grade", "t.albi_grade::DOUBLE", "integer"),
        Variable("CPCLASS", "Baseline Child-Pugh Class", "t.child_pugh_class"),
        Variable("BURDENBL", "Baseline Tumour Burden (%)", "t.tumour_burden_pct::DOUBLE", "float"),
        Variable("PRIMSITE", "Primary Tumour Site", "t.primary_site"),
        Variable("NSESS", "Number of 90Y Sessions", "t.n_sessions::DOUBLE", "integer"),
        Variable("DTHFL", "Subject Death Flag", "CASE WHEN t.died THEN 'Y' END", codelist=ONLY_YES),
        Variable("DTHADY", "Relative Day of Death", study_day("t.rel_day"), "integer"),
        Variable("DTHCAUS", "Cause of Death", "t.cause"),
        Variable(
            "DTHRELFL", "Death Related to Treatment", flag("t.treatment_related"), "text", YES_NO
        ),
        Variable("AEFL", "Any Adverse Event Flag", flag("t.any_event"), codelist=YES_NO),
        Variable("AESERFL", "Serious Adverse Event Flag", flag("t.serious"), codelist=YES_NO),
        Variable("AERELFL", "Related Adverse Event Flag", flag("t.related"), codelist=YES_NO),
        Variable("REILDFL", "Candidate for REILD Flag", flag("t.candidate"), codelist=YES_NO),
        Variable("REILDGR", "Least Grade of REILD (Braat)", "t.braat_grade::DOUBLE", "integer"),
        Variable("NLINEPR", "Lines of Therapy Before 90Y", "t.prior_lines::DOUBLE", "integer"),
        Variable("NLINEPO", "Lines of Therapy After 90Y", "t.subsequent_lines::DOUBLE", "integer"),
    ),
    absent={
        "RACE": "The registry does not record it.",
        "TRT01P": "A registry plans no treatment; TRT01A is what was given.",
    },
)
ADRS = Dataset(
    "ADRS",
    "Response Analysis Dataset",
    "One record per subject, parameter, day, reader and modality",
    BASIC,
    _responses,
    ("USUBJID", "PARAMCD", "ADY", "READER", "MODALITY"),
    (marts.SubjectAssessments, marts.SubjectResponse),
    (
        *WHO_IT_IS,
        Variable(
            "PARAMCD",
            "Parameter Code",
            _RESPONSE_CODE,
            codelist=_parameters("ADRS", RESPONSE_PARAMETERS),
        ),
        Variable("PARAM", PARAMETER, named(_RESPONSE_CODE, RESPONSE_PARAMETERS)),
        Variable("ADY", "Analysis Relative Day", study_day("t.rel_day"), "integer"),
        Variable("AVAL", "Analysis Value", coded("t.response", RESPONSE_ORDER), "integer"),
        Variable("AVALC", "Analysis Value (C)", "t.response", codelist=RESPONSE),
        Variable("READER", "Reader of the Scans", "t.reader"),
        Variable("MODALITY", "Modality of the Scans", "t.modality"),
        Variable("RULE", "Rule That Decided, or Why Not Evaluable", "t.rule"),
    ),
)
ADTR = Dataset(
    "ADTR",
    "Tumour Size Analysis Dataset",
    "One record per subject, parameter, lesion, day, reader and modality; the sums are of lesion 0",
    BASIC,
    _sizes,
    ("USUBJID", "PARAMCD", "LESIONNO", "ADY", "READER", "MODALITY"),
    (marts.LesionAssessments,),
    (
        *WHO_IT_IS,
        Variable(
            "PARAMCD",
            "Parameter Code",
            _RESPONSE_CODE,
            codelist=_parameters("ADTR", SIZE_PARAMETERS),
        ),
        Variable("PARAM", PARAMETER, named(_RESPONSE_CODE, SIZE_PARAMETERS)),
        Variable("LESIONNO", "Lesion Number, 0 for the Sum", "t.lesion_number::DOUBLE", "integer"),
        Variable("ADY", "Analysis Relative Day", study_day("t.rel_day"), "integer"),
        Variable("AVAL", "Analysis Value", "t.value::DOUBLE", "float"),
        Variable("BASE", "Baseline Value", "t.baseline::DOUBLE", "float"),
        Variable("CHG", "Change from Baseline", "(t.value - t.baseline)::DOUBLE", "float"),
        Variable(
            "PCHG", "Percent Change from Baseline", "t.change_from_baseline_pct::DOUBLE", "float"
        ),
        Variable("NADIR", "Smallest Value Before This", "t.nadir::DOUBLE", "float"),
        Variable(
            "PCHGNAD", "Percent Change from Nadir", "t.change_from_nadir_pct::DOUBLE", "float"
        ),
        Variable(
            "ANL01FL",
            "Analysis Flag 01: Inside the Window",
            "CASE WHEN t.in_window THEN 'Y' END",
            codelist=ONLY_YES,
        ),
        Variable("READER", "Reader of the Scans", "t.reader"),
        Variable("MODALITY", "Modality of the Scans", "t.modality"),
    ),
)
ADTTE = Dataset(
    "ADTTE",
    "Time-to-Event Analysis Dataset",
    "One record per subject, parameter and lesion; what is the subject's is of lesion 0",
    BASIC,
    lambda mart: f"{mart('time_to_event')} t",
    ("USUBJID", "PARAMCD", "LESIONNO"),
    (marts.TimeToEvent,),
    (
        *WHO_IT_IS,
        Variable(
            "PARAMCD", "Parameter Code", "t.endpoint", "text", _parameters("ADTTE", TIME_PARAMETERS)
        ),
        Variable("PARAM", PARAMETER, coded("t.endpoint", TIME_PARAMETERS)),
        Variable(
            "LESIONNO", "Lesion Number, 0 for the Subject", "t.lesion_number::DOUBLE", "integer"
        ),
        Variable(
            "STARTDY", "Study Day of Time-to-Event Origin", study_day("t.start_day"), "integer"
        ),
        Variable(
            "ADY",
            "Analysis Relative Day",
            study_day("(t.start_day + floor(t.time_days))"),
            "integer",
        ),
        Variable("AVAL", "Analysis Value", "t.time_days::DOUBLE", "float"),
        Variable(
            "CNSR",
            "Censor",
            "CASE WHEN t.event THEN 0 ELSE 1 END::DOUBLE",
            "integer",
            CENSORING,
        ),
        Variable("EVNTDESC", "Event or Censoring Description", "t.cause"),
        Variable("SRCDOM", "Source Data", "t.source_table"),
        Variable("SRCVAR", "Source Variable", "t.source_column"),
    ),
    subclass="TIME-TO-EVENT",
    absent={"STARTDT": NO_DATE, "ADT": NO_DATE},
)
ADAE = Dataset(
    "ADAE",
    "Adverse Events Analysis Dataset",
    "One record per subject, term and CTCAE version: the worst grade after treatment",
    "OCCURRENCE DATA STRUCTURE",
    _worst_events,
    ("USUBJID", "AEDECOD", "CTCVER"),
    (marts.Toxicity,),
    (
        *WHO_IT_IS,
        Variable("AEDECOD", "Dictionary-Derived Term", "t.term"),
        Variable("CTCVER", "CTCAE Version", "t.ctcae_version", codelist=CTCAE),
        Variable("ADY", "Analysis Relative Day", study_day("t.worst_day"), "integer"),
        Variable("ATOXGR", "Analysis Toxicity Grade", "t.worst_grade::VARCHAR", codelist=GRADE),
        Variable("AVAL", "Analysis Value", "t.worst_grade::DOUBLE", "integer"),
        Variable(
            "TRTEMFL", "Treatment Emergent Analysis Flag", flag("t.emergent"), codelist=YES_NO
        ),
        Variable("AREL", "Analysis Causality", flag("t.related"), codelist=YES_NO),
    ),
    subclass="ADVERSE EVENT",
    absent={
        "AETERM": "A record is the worst of several events, whose reported words differ.",
        "AESEQ": "A record is the worst of several events.",
    },
)
ADLB = Dataset(
    "ADLB",
    "Laboratory Analysis Dataset",
    "One record per subject, parameter, CTCAE version, day and draw",
    BASIC,
    lambda mart: f"{mart('lab_grades')} t",
    ("USUBJID", "PARAMCD", "CTCVER", "ADY", "ASEQ"),
    (marts.LabGrades,),
    (
        *WHO_IT_IS,
        Variable(
            "PARAMCD", "Parameter Code", _LAB_CODE, "text", _parameters("ADLB", LAB_PARAMETERS)
        ),
        Variable("PARAM", PARAMETER, named(_LAB_CODE, LAB_PARAMETERS)),
        Variable("ADY", "Analysis Relative Day", study_day("t.rel_day"), "integer"),
        Variable("ASEQ", "Number Among the Draws of the Day", "t.sequence::DOUBLE", "integer"),
        Variable("AVAL", "Analysis Value", "t.value::DOUBLE", "float"),
        Variable("AVALC", "Analysis Value (C)", "t.value_comparator || t.value::VARCHAR"),
        Variable("AVALU", "Analysis Value Unit", "t.unit"),
        Variable("BASE", "Baseline Value", "t.baseline_value::DOUBLE", "float"),
        Variable(
            "ABLFL",
            "Baseline Record Flag",
            "CASE WHEN t.is_baseline THEN 'Y' END",
            codelist=ONLY_YES,
        ),
        Variable("ANRLO", "Analysis Normal Range Lower Limit", "t.lower_limit::DOUBLE", "float"),
        Variable("ANRHI", "Analysis Normal Range Upper Limit", "t.upper_limit::DOUBLE", "float"),
        Variable("ATOXGR", "Analysis Toxicity Grade", "t.grade::VARCHAR", codelist=GRADE),
        Variable("CTCVER", "CTCAE Version", "t.ctcae_version", codelist=CTCAE),
    ),
)
DATASETS = (ADSL, ADRS, ADTR, ADTTE, ADAE, ADLB)
