"""Who may be treated: the inclusion and exclusion rules of the series, and the work-up.

Each rule is a record. All are asked of every patient; the first that does not pass is where the
patient leaves the attrition table, and all that do not pass stay in `eligibility`.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, as reviewed by Kanani 2013.
"""

from dataclasses import dataclass

from schemas.records.record import checked

MEMON = "Memon 2012, patients"
SOMATOSTATIN_ANALOGUES = ("octreotide", "lanreotide")
"""They may be given over the first treatment, and thin no blood."""
NOT_TREATED = "not_treated"
NOT_SPECIFIED = "not specified by source"
"""The reason of a rule that is not assessed: it neither passes, fails, nor removes anybody."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the source's words in ours, when it passes, and what happens on the boundary."""

    rule_id: str
    wording: str
    passes_when: str
    boundary: str
    source: str = MEMON


_RULES: tuple[Rule, ...] = (
    Rule(
        "E1",
        "Neuroendocrine liver metastases that cannot be resected",
        "both flags of the patient are yes",
        "one flag no fails, whatever the other",
    ),
    Rule(
        "E2",
        "Refractory to systemic treatment, by oncology and interventional radiology",
        "the flag is yes",
        "none",
    ),
    Rule(
        "E3",
        "Progression confirmed by imaging before treatment",
        "the flag is yes",
        "none",
    ),
    Rule(
        "E4",
        "ECOG performance status at most 2",
        "last ECOG up to T0 is at most the limit",
        "2 passes; a value older than the baseline's age limit is unknown",
    ),
    Rule(
        "E5",
        "Bilirubin at most 2.0 mg/dL",
        "last bilirubin up to T0, converted exactly, is at most the limit",
        "2.0 mg/dL and 34.2 umol/L pass, 2.01 mg/dL fails; an older value is unknown",
    ),
    Rule(
        "E6",
        "Adequate haematologic and renal function",
        "the flag is yes; not assessed unless the registry asks for it",
        "the source gives no limits",
    ),
    Rule(
        "X1",
        "No significant disease outside the liver",
        "recorded as none or minimal",
        "as recorded: the source draws no line between minimal and significant",
    ),
    Rule(
        "X2",
        "No uncorrectable gastrointestinal shunt on angiogram or MAA scan",
        "the mapping that serves each session shows none, or it was corrected",
        "corrected by embolisation passes",
    ),
    Rule(
        "X3",
        "Lung dose at most 30 Gy in one session",
        "planned lung dose of the mapping that serves each session, else as recorded, is in limit",
        "exactly 30 Gy passes",
    ),
    Rule(
        "X4",
        "No concurrent chemotherapy or radiotherapy",
        "no course overlaps the days around T0; somatostatin analogues are allowed",
        "a course that ends on the window's first day, or begins on its last, overlaps",
    ),
    Rule(
        "W1",
        "Mapping angiogram with MAA scan before the first session",
        "an MAA scan up to T0, within the allowed time",
        "a scan of the day of treatment, or exactly as old as allowed, passes",
        "Memon 2012, treatment",
    ),
)
RULES: tuple[Rule, ...] = checked(
    "eligibility",
    _RULES,
    code=lambda r: r.rule_id,
    source=lambda r: r.source,
)
