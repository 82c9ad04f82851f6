"""The general rules that a row can break, one record each, with meaning and remedy.

Rules of single tables stand in their contract (`schemas.tables.registry`), rules between tables in
`transforms.intake.cross_checks`; all of them have the same parts: id, category, severity, meaning,
remedy.
"""

from dataclasses import dataclass
from typing import Literal

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
