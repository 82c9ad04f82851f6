"""The items that NICE, STROBE and RECORD ask a report of radioembolization for.

Source: NICE, Interventional procedures guidance 786 (2024), 3.2 and 3.3; von Elm et al., STROBE,
PLoS Med 2007;4:e296 (cohort studies); Benchimol et al., RECORD, PLoS Med 2015;12:e1001885. Items
are in our own words. The items of Devcic 2014 and of the Society of Interventional Radiology could
not be read and are not listed.
"""

from collections.abc import Mapping

from schemas.records.field.item import Item, Status, problems
from schemas.records.record import checked

NICE = "NICE IPG786 (2024), 3.2 and 3.3"
STROBE = "von Elm 2007, cohort studies"
RECORD = "Benchimol 2015"
AUTHORS: Status = "by the authors"


def _written(number: str, item: str, source: str) -> Item:
    return Item(number, item, source, AUTHORS)


_NICE = (
    Item("efficacy 1", "quality of life", NICE, "not supported", reason="no registry table"),
    Item(
        "efficacy 2",
        "tumour control in the liver",
        NICE,
        tables=("outcomes.response_summary", "outcomes.recorded_response_summary"),
        columns=("measurements.longest_mm", "recorded_responses.liver_class"),
    ),
    Item(
        "efficacy 3",
        "response of symptoms",
        NICE,
        tables=("outcomes.symptom_summary",),
        columns=("assessments.carcinoid_symptoms", "assessments.symptom_change"),
    ),
    Item(
        "efficacy 4",
        "overall survival",
        NICE,
        tables=("outcomes.survival_medians",),
        columns=("contacts.contact_date", "contacts.vital_status"),
    ),
    Item(
        "efficacy 5",
        "progression-free survival in the liver",
        NICE,
        tables=("outcomes.survival_medians",),
        columns=("measurements.longest_mm", "scans.new_lesion"),
    ),
    Item(
        "safety 1",
        "mortality",
        NICE,
        tables=("outcomes.early_mortality", "outcomes.death_causes"),
        columns=("contacts.contact_date", "contacts.cause_of_death"),
    ),
    Item(
        "safety 2",
        "radiation-induced liver disease",
        NICE,
        "partly",
        ("marts.reild_candidates", "outcomes.reild_summary"),
        ("labs.value", "assessments.ascites"),
        "candidates for adjudication",
    ),
    Item(
        "safety 3",
        "post-radioembolisation syndrome",
        NICE,
        tables=("outcomes.toxicity_summary",),
        columns=("adverse_events.term",),
        statistics=("toxicity_summary.all.event.post-embolisation_syndrome.",),
    ),
    Item(
        "safety 4",
        "other clinical toxicity",
        NICE,
        tables=("outcomes.toxicity_summary",),
        columns=("adverse_events.term", "adverse_events.grade"),
    ),
    Item(
        "safety 5",
        "other biochemical toxicity",
        NICE,
        tables=("outcomes.toxicity_summary",),
        columns=("labs.value", "labs.upper_limit"),
    ),
)
_STROBE = (
    _written("1", "design in the title, balanced abstract", STROBE),
    _written("2", "background and rationale", STROBE),
    _written("3", "objectives and hypotheses", STROBE),
    _written("4", "design of the study", STROBE),
    _written("5", "setting, places and dates", STROBE),
    Item(
        "6a",
        "eligibility, how participants were chosen and followed",
        STROBE,
        tables=("marts.eligibility", "outcomes.adherence_summary"),
        columns=("patients.liver_metastases", "contacts.contact_date"),
    ),
    Item(
        "6b",
        "matching",
        STROBE,
        "not supported",
        reason="nobody is matched: a registry of 90Y has no other arm",
    ),
    Item(
        "7",
        "outcomes, factors and how each is defined",
        STROBE,
        tables=("outcomes.statistics",),
        columns=("treatments.treatment_date",),
    ),
    Item(
        "8",
        "where each variable comes from and how it is measured",
        STROBE,
        tables=("quality.deliveries", "quality.row_counts"),
        columns=("patients.patient_id",),
    ),
    _written("9", "efforts against bias", STROBE),
    _written("10", "how the size of the study was reached", STROBE),
    Item(
        "11",
        "how numbers are grouped",
        STROBE,
        tables=("marts.factor_levels",),
        columns=("assessments.ecog", "labs.value"),
    ),
    Item(
        "12",
        "statistical methods, missing data, loss to follow-up, sensitivity",
        STROBE,
        tables=("outcomes.statistics", "outcomes.sensitivity"),
        columns=("contacts.contact_date",),
    ),
    Item(
        "13",
        "numbers at each stage, and a flow diagram",
        STROBE,
        tables=("outcomes.attrition",),
        columns=("treatments.treatment_date",),
    ),
    Item(
        "14",
        "characteristics, missing data, follow-up time",
        STROBE,
        tables=("outcomes.baseline_characteristics", "outcomes.follow_up"),
        columns=("patients.sex", "assessments.ecog", "contacts.contact_date"),
    ),
    Item(
        "15",
        "numbers of events over time",
        STROBE,
        tables=("outcomes.survival_curves", "outcomes.survival_medians"),
        columns=("contacts.contact_date",),
    ),
    Item(
        "16",
        "estimates with and without adjustment, and their precision",
        STROBE,
        tables=("outcomes.prognosis_univariate", "outcomes.prognosis_multivariable"),
        columns=("contacts.contact_date", "assessments.ecog"),
    ),
    Item(
        "17",
        "other analyses: subgroups, sensitivity",
        STROBE,
        tables=("outcomes.survival_by_response", "outcomes.sensitivity"),
        columns=("contacts.contact_date",),
    ),
    _written("18", "key results", STROBE),
    _written("19", "limitations", STROBE),
    _written("20", "interpretation", STROBE),
    _written("21", "generalisability", STROBE),
    _written("22", "funding", STROBE),
)
_RECORD = (
    _written("1.1", "type of data and names of databases in title or abstract", RECORD),
    _written("1.2", "region and time in title or abstract", RECORD),
    _written("1.3", "linkage in title or abstract", RECORD),
    Item(
        "6.1",
        "codes and algorithms that choose the participants",
        RECORD,
        tables=("marts.eligibility",),
        columns=("patients.liver_metastases",),
    ),
    _written("6.2", "validation of those codes", RECORD),
    Item("6.3", "flow of linkage", RECORD, "not supported", reason="nothing is linked"),
    Item(
        "7.1",
        "every code and algorithm of exposures, outcomes and confounders",
        RECORD,
        tables=("outcomes.statistics",),
        columns=("treatments.treatment_date",),
    ),
    _written("12.1", "what the authors could see of the database", RECORD),
    Item(
        "12.2",
        "how the data were cleaned",
        RECORD,
        tables=("quality.findings", "quality.quarantine"),
        columns=("patients.patient_id",),
    ),
    Item("12.3", "methods of linkage", RECORD, "not supported", reason="nothing is linked"),
    Item(
        "13.1",
        "who was chosen by quality and availability of data",
        RECORD,
        tables=("outcomes.attrition", "quality.quarantine"),
        columns=("treatments.treatment_date",),
    ),
    _written("19.1", "what data not collected for the question mean", RECORD),
    _written("22.1", "where protocol, data and code can be had", RECORD),
)


def _list(name: str, items: tuple[Item, ...]) -> tuple[Item, ...]:
    return checked(
        f"field/guidelines ({name})",
        items,
        code=lambda r: r.number,
        source=lambda r: r.source,
        problems=problems,
    )


LISTS: Mapping[str, tuple[Item, ...]] = {
    "NICE IPG786": _list("NICE", _NICE),
    "STROBE": _list("STROBE", _STROBE),
    "RECORD": _list("RECORD", _RECORD),
}
"""Guideline -> its items in order."""
