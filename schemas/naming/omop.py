"""OMOP CDM 5.4: which table, field and concept feeds which table of ours.

Concepts decide. Those of laboratory, weight, height, sex and units are standard concepts (LOINC,
UCUM). Procedures, drugs, conditions and what the oncology extension measures of a tumour have many
concepts, and their choice is a site's: they are left to a person, with what the export holds.

Source: OHDSI, OMOP Common Data Model 5.4 (person, death, measurement, visit_occurrence,
procedure_occurrence, drug_exposure, condition_occurrence, episode); standard concepts of LOINC
1975-2, 1751-7, 1742-6, 1920-8, 6768-6, 2160-0, 777-3, 718-7, 6690-2, 751-8, 731-0, 6301-6, 29463-7
and 8302-2.
"""

from schemas.naming.preset import ByHand, Given, Preset

ANALYTES = {
    "3024128": "bilirubin",
    "3024561": "albumin",
    "3006923": "alt",
    "3013721": "ast",
    "3035995": "alp",
    "3016723": "creatinine",
    "3024929": "platelets",
    "3000963": "haemoglobin",
    "3000905": "wbc",
    "3013650": "neutrophils",
    "3004327": "lymphocytes",
    "3022217": "inr",
}
"""Standard concept of the measurement -> our analyte."""

UNITS = {
    "8840": "mg/dL",
    "8749": "umol/L",
    "8713": "g/dL",
    "8636": "g/L",
    "8645": "U/L",
    "8923": "U/L",
    "9444": "10*9/L",
    "8848": "10*3/uL",
}
"""Standard concept of the unit -> UCUM."""


def _size(concept: str, column: str, unit: str) -> Given:
    return Given(
        "assessments",
        "measurement",
        {"assessment_date": "measurement_date", column: "value_as_number"},
        where={"measurement_concept_id": concept, "unit_concept_id": unit},
        must=("measurement_concept_id", "unit_concept_id"),
        merge=True,
        if_filled=("value_as_number",),
    )


OMOP = Preset(
    code="omop",
    label="OMOP CDM tables, as CSV or Parquet",
    source="OMOP Common Data Model 5.4",
    patient="person_id",
    needed=("person",),
    given=(
        Given(
            "patients",
            "person",
            {
                "sex": {
                    "from": "gender_concept_id",
                    "codes": {"8507": "male", "8532": "female", "0": "unknown"},
                },
                "birth_year": "year_of_birth",
            },
        ),
        Given(
            "labs",
            "measurement",
            {
                "lab_date": "measurement_date",
                "analyte": {"from": "measurement_concept_id", "codes": ANALYTES},
                "value": "value_as_number",
                "unit": {"from": "unit_concept_id", "codes": UNITS},
                "lower_limit": "range_low",
                "upper_limit": "range_high",
            },
            where={"measurement_concept_id": {"in": list(ANALYTES)}},
            must=("measurement_concept_id",),
            if_filled=("value_as_number",),
        ),
        _size("3025315", "weight_kg", "9529"),
        _size("3036277", "height_cm", "8582"),
        Given(
            "contacts",
            "death",
            {"contact_date": "death_date", "vital_status": {"constant": "dead"}},
            merge=True,
        ),
        Given(
            "contacts",
            "visit_occurrence",
            {"contact_date": "visit_start_date", "vital_status": {"constant": "alive"}},
            merge=True,
        ),
    ),
    by_hand=(
        ByHand(
            "treatments",
            "procedure_occurrence",
            ("procedure_concept_id", "procedure_source_value"),
            "which concepts are radioembolization, with what device and lobe",
        ),
        ByHand(
            "prior_therapies and subsequent_therapies",
            "drug_exposure",
            ("drug_concept_id",),
            "which drugs treat the tumour, of what class, before or after 90Y",
        ),
        ByHand(
            "adverse_events",
            "condition_occurrence",
            ("condition_concept_id",),
            "which conditions are adverse events; CDM has no grade of CTCAE",
        ),
        ByHand(
            "lesions, scans and measurements",
            "measurement",
            ("measurement_concept_id",),
            "which concepts of the oncology extension are diameters, and of which lesion "
            "(`modifier_of_event_id`)",
        ),
        ByHand(
            "recorded_responses",
            "episode",
            ("episode_concept_id", "episode_object_concept_id"),
            "which episodes are progression, remission or stable disease",
        ),
        ByHand(
            "contacts",
            "death",
            ("cause_concept_id",),
            "which causes are the tumour, liver failure or treatment",
        ),
        ByHand(
            "patients",
            "condition_occurrence",
            ("condition_concept_id",),
            "which condition is the primary tumour, with its date, site and grade",
        ),
    ),
    cannot=(
        ("treatments.activity_administered_gbq", "CDM has no activity of microspheres"),
        ("treatments.dose_gy", "no dose to a target"),
        ("scans.reader", "no reader"),
        ("mappings", "no lung shunt"),
        ("assessments.ecog", "its concept differs by site: add a source where it is measured"),
    ),
    keys={"date_format": "%Y-%m-%d"},
    upper=False,
)
