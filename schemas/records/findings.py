"""The rules that a row can break, in general and beside others, with meaning and remedy.

Rules of single tables stand in their contract (`schemas.tables.registry`); what finds the rows that
break a rule between tables, in `transforms.intake.cross_checks`. All of them have the same parts:
id, category, severity, meaning, remedy.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.records.analytes import CANONICAL_LAB_UNIT
from schemas.records.ctcae_terms import SURGICAL_GRADE

Category = Literal["conformance", "completeness", "plausibility"]
Severity = Literal["reject", "warn"]


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A rule that holds for every table; `{column}` in the texts is the column it broke on."""

    rule_id: str
    category: Category
    severity: Severity
    meaning: str
    remedy: str


GENERAL: tuple[FindingRule, ...] = (
    FindingRule(
        "not_a_number",
        "conformance",
        "reject",
        "{column} is filled in but is not a number",
        "Correct the cell, declare the code in `missing`, or set `decimal` and `grouping` in the "
        "site file.",
    ),
    FindingRule(
        "not_a_date",
        "conformance",
        "reject",
        "{column} is filled in but is not a date in the declared format",
        "Correct the cell, or `date_format` in the site file.",
    ),
    FindingRule(
        "not_yes_or_no",
        "conformance",
        "reject",
        "{column} is filled in but is neither yes nor no",
        "Correct the cell, or map its codes in the site file.",
    ),
    FindingRule(
        "not_readable",
        "conformance",
        "reject",
        "{column} is filled in but cannot be read",
        "Correct the cell, or its mapping in the site file.",
    ),
    FindingRule(
        "unknown_code",
        "conformance",
        "reject",
        "{column} holds a code that is not in the list",
        "Correct the cell, or map the code in the site file.",
    ),
    FindingRule(
        "missing",
        "completeness",
        "reject",
        "{column} is empty, and a row means nothing without it",
        "Fill it in at the source.",
    ),
    FindingRule(
        "in_no_group",
        "completeness",
        "reject",
        "the record belongs to no data access group, so nobody can tell which site's patient it is",
        "Assign the record to its group in REDCap, or delete it if it is a trial entry.",
    ),
    FindingRule(
        "below_minimum",
        "plausibility",
        "reject",
        "{column} lies below what is possible",
        "Check value and unit at the source.",
    ),
    FindingRule(
        "above_maximum",
        "plausibility",
        "reject",
        "{column} lies above what is possible",
        "Check value and unit at the source.",
    ),
    FindingRule(
        "implausible",
        "plausibility",
        "warn",
        "{column} lies outside the usual range",
        "Check value and unit at the source; the row is loaded.",
    ),
    FindingRule(
        "after_extraction",
        "plausibility",
        "reject",
        "{column} lies after the day on which the site extracted the data",
        "Correct the date at the source, or the date of the delivery's folder.",
    ),
    FindingRule(
        "before_birth",
        "plausibility",
        "reject",
        "{column} lies before the patient's year of birth",
        "Correct one of the two in the source.",
    ),
    FindingRule(
        "before_care",
        "plausibility",
        "reject",
        "{column} lies earlier than care is believed of a patient whose year of birth is not known",
        "Correct the date, deliver the year of birth, or set `earliest_care` in the site file.",
    ),
    FindingRule(
        "differs_from_dates",
        "plausibility",
        "warn",
        "{column} or the event as reported differs from what the patient's dates give; the dates "
        "are used",
        "Correct one of the two in the source; the row is loaded.",
    ),
    FindingRule(
        "duplicate_row",
        "conformance",
        "reject",
        "the row repeats an earlier one; the first is loaded",
        "Remove the copy at the source.",
    ),
    FindingRule(
        "conflicting_key",
        "conformance",
        "reject",
        "several rows have the same key and say different things; none is loaded",
        "Keep one at the source, or map what tells them apart to `sequence` in the site file.",
    ),
    FindingRule(
        "no_such_patient",
        "conformance",
        "reject",
        "the patient has no accepted row in patients",
        "Deliver the patient, or correct what set the patient's row aside.",
    ),
    FindingRule(
        "no_such_lesion",
        "conformance",
        "reject",
        "the lesion has no accepted row in lesions",
        "Deliver the lesion, or correct what set its row aside.",
    ),
    FindingRule(
        "no_such_scan",
        "conformance",
        "reject",
        "no accepted scan has this date, modality and reader",
        "Deliver the scan, or correct date, modality or reader.",
    ),
)

OPTIONAL_REMEDY = " The row is loaded; what rests on this cell is not evaluable."
"""Of a cell that could not be read and that a row can do without."""

BY_ID = {rule.rule_id: rule for rule in GENERAL}

MAA_DAYS = 60
SESSION_DAYS = 14
GY_KG_PER_GBQ, LUNG_KG = 50, 1
AFTER_DEATH = {
    "assessments": "assessment_date",
    "labs": "lab_date",
    "mappings": "mapping_date",
    "scans": "scan_date",
    "measurements": "scan_date",
    "treatments": "treatment_date",
    "recorded_responses": "response_date",
}
"""Tables whose rows need a living patient, and their date; only exact days are compared."""


@dataclass(frozen=True, slots=True)
class CrossRule:
    """A rule that needs more than one row.

    Attributes:
        rule_id: Its name.
        table: The table whose rows break it.
        column: The column that a finding names.
        reads: The tables that it needs.
        meaning: What is wrong with a row that breaks it.
        remedy: What to do.
        category: Kind of data quality, after Kahn 2016.
        severity: Whether the row is set aside or loaded.
    """

    rule_id: str
    table: str
    column: str
    reads: tuple[str, ...]
    meaning: str
    remedy: str
    category: str = "plausibility"
    severity: str = "reject"


CROSS_RULES: tuple[CrossRule, ...] = (
    CrossRule(
        "contacts.two_deaths",
        "contacts",
        "contact_date",
        ("contacts",),
        "the patient has more than one date of death",
        "Keep the right one in the source.",
    ),
    CrossRule(
        "contacts.alive_after_death",
        "contacts",
        "contact_date",
        ("contacts",),
        "a living contact lies after the date of death",
        "Correct the date of death, or of the contact, in the source.",
    ),
    CrossRule(
        "treatments.before_birth",
        "treatments",
        "treatment_date",
        ("patients", "treatments"),
        "the treatment lies before the year of birth",
        "Correct one of the two in the source.",
    ),
    CrossRule(
        "contacts.death_before_treatment",
        "contacts",
        "contact_date",
        ("contacts", "treatments"),
        "the death lies before the first treatment",
        "Correct the date of death, or of the treatment, in the source.",
    ),
    CrossRule(
        "labs.unknown_unit",
        "labs",
        "unit",
        ("labs",),
        "the unit is not known for this analyte, so that its limits cannot be judged; told once "
        "for each spelling",
        "Deliver one of " + "; ".join(f"{a}: {u}" for a, u in CANONICAL_LAB_UNIT.items()) + ", or "
        "map the unit's spelling in the site file (`words`); the rows are loaded.",
        category="conformance",
        severity="warn",
    ),
    CrossRule(
        "labs.unknown_analyte",
        "labs",
        "analyte",
        ("labs",),
        "the analyte is none of ours: its results stand in `marts.labs` and enter no number; told "
        "once for each spelling",
        "If it is one of ours, map its name in the site file (`words`); the rows are loaded.",
        category="conformance",
        severity="warn",
    ),
    CrossRule(
        "adverse_events.unknown_term",
        "adverse_events",
        "term",
        ("adverse_events",),
        "the term is none of ours, so that it counts as no listed event; told once for each "
        "spelling",
        "If it is one of ours, map it in the site file (`words`); the rows are loaded.",
        category="conformance",
        severity="warn",
    ),
    CrossRule(
        "labs.unit_error",
        "labs",
        "value",
        ("labs",),
        "the result is of another unit or exponent: one factor brings it among its column's, or "
        "the patient's other, results",
        "Correct value or unit at the source, or `unit` in the site file.",
    ),
    CrossRule(
        "patients.diagnosed_after_treatment",
        "patients",
        "diagnosis_date",
        ("patients", "treatments"),
        "the first treatment lies before the diagnosis",
        "Correct one of the two dates in the source; the row is loaded.",
        severity="warn",
    ),
    *(
        CrossRule(
            f"{name}.after_death",
            name,
            column,
            (name, "contacts"),
            "the row lies after the patient's death",
            "Correct its date, or the date of death, in the source; the row is loaded.",
            severity="warn",
        )
        for name, column in AFTER_DEATH.items()
    ),
    CrossRule(
        "recorded_responses.before_treatment",
        "recorded_responses",
        "response_date",
        ("recorded_responses", "treatments"),
        "the class is dated before the first treatment or on its day: it is no response to it",
        "Correct one of the two dates in the source; the row is loaded, and the class is not "
        "counted.",
        severity="warn",
    ),
    CrossRule(
        "mappings.after_treatment",
        "mappings",
        "mapping_date",
        ("mappings", "treatments"),
        "the first mapping angiogram lies after the first treatment",
        "Correct one of the two dates in the source; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "scans.new_lesion_denied",
        "scans",
        "new_lesion",
        ("scans", "measurements", "lesions", "treatments"),
        "the scan says that there is no new lesion, and a lesion is measured on it for the first "
        "time, after treatment",
        "Correct `new_lesion`, or say of the lesion that it was there (`baseline_present`), that "
        "it merged or is a fragment; the row is loaded, and the scan is believed unless "
        "`new_lesion_from_measurements` says otherwise.",
        severity="warn",
    ),
    CrossRule(
        "measurements.first_in_another_modality",
        "measurements",
        "modality",
        ("measurements", "scans", "lesions", "treatments"),
        "the lesion is measured for the first time, after treatment, in a modality in which the "
        "patient has no scan before treatment",
        "Say of the lesion whether it was there (`baseline_present`), or of the scan whether it "
        "shows a new lesion; the row is loaded, and the lesion is not called new.",
        severity="warn",
    ),
    CrossRule(
        "measurements.perhaps_merged",
        "measurements",
        "status",
        ("measurements", "lesions"),
        "the lesion turns absent while another in the same lobe grows by half of its diameter and "
        "10 mm",
        "If the two merged, name the other in `merged_into`; the row is loaded as absent.",
        severity="warn",
    ),
    CrossRule(
        "treatments.maa_too_old",
        "treatments",
        "treatment_date",
        ("mappings", "treatments"),
        f"no 99mTc-MAA scan lies within the {MAA_DAYS} days before the session",
        "Deliver the scan of this session, or correct its date; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "treatments.session_on_several_days",
        "treatments",
        "treatment_date",
        ("treatments",),
        "the targets of one session were treated on different days",
        "Give each day a session of its own, or correct the date; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "treatments.several_devices",
        "treatments",
        "device",
        ("treatments",),
        "glass and resin microspheres in one session",
        "Check the device at the source; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "treatments.lungs_beyond_activity",
        "treatments",
        "lung_dose_gy",
        ("treatments",),
        f"the lung dose of the session is more than all of its activity gives to {LUNG_KG} kg of "
        f"lungs, {GY_KG_PER_GBQ} Gy kg per GBq",
        "Check lung dose, activity and their units at the source; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "treatments.sessions_close",
        "treatments",
        "treatment_date",
        ("treatments",),
        f"another session lies less than {SESSION_DAYS} days before",
        "Check both dates; if it was one session, give it one id. The row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "adverse_events.no_such_grade",
        "adverse_events",
        "grade",
        ("adverse_events",),
        "the term has no such grade in this version of CTCAE",
        "Grade the event again in its version, or correct the version; the row is loaded.",
        category="conformance",
        severity="warn",
    ),
    CrossRule(
        "adverse_events.operated_below_3",
        "adverse_events",
        "grade",
        ("adverse_events",),
        f"cholecystitis that led to cholecystectomy has no grade, or one below {SURGICAL_GRADE}",
        f"An operation is at least grade {SURGICAL_GRADE}, and is counted as such; correct the "
        "grade, or the procedure, in the source. The row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "adverse_events.fatal_but_alive",
        "adverse_events",
        "outcome",
        ("adverse_events", "contacts"),
        "a fatal event of a patient without a date of death",
        "Deliver the death as a contact, or correct grade and outcome; the row is loaded.",
        severity="warn",
    ),
    CrossRule(
        "reported_endpoints.groups_differ",
        "reported_endpoints",
        "group",
        ("reported_endpoints",),
        "the patient is in one group for one endpoint and in another for the next, and both "
        "endpoints have both groups",
        "Correct the group in the source, or name the two groupings apart; the row is loaded, and "
        "each endpoint is compared by its own group.",
        severity="warn",
    ),
    CrossRule(
        "reported_endpoints.not_used",
        "reported_endpoints",
        "time",
        ("reported_endpoints", "treatments", "contacts", "scans", "subsequent_therapies"),
        "the patient has a date of treatment, and the endpoint is derived from dates or nothing "
        "says that the time starts at the treatment: the reported time is not used",
        'Where the site delivers no dates for the endpoint, set `starts_at = "T0"` in the site '
        "file if its times start at the first treatment; the row is loaded.",
        category="completeness",
        severity="warn",
    ),
)
