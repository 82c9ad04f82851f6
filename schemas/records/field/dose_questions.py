"""What is asked of a dose: which outcome, of which volume's dose, of lesions or of patients.

Thresholds are records beside them. A threshold of another disease only shows what its choice would
give here; none is a rule of this registry.

Source: in the records. Four of 26 series report dose and response or dose and toxicity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.records.record import checked

RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class DoseOutcome:
    """One outcome, and the doses that it is asked of.

    Attributes:
        code: Its name in a release.
        label: In words.
        levels: Of lesions, of patients, or of both.
        measures: Doses of `outcomes.compartment_dosimetry`.
        source: Who asks it, or why so.
    """

    code: str
    label: str
    levels: tuple[str, ...]
    measures: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class DoseThreshold:
    """A dose at or above which a publication expects the outcome."""

    code: str
    outcome: str
    device: str
    measures: tuple[str, ...]
    gy: int
    source: str


_TUMOUR = ("tumour_dose_gy", "tumour_dose_gy_recorded")
_NORMAL = ("normal_liver_dose_gy", "normal_liver_dose_gy_recorded")
_TARGET = ("target_dose_gy",)

RECORDS: tuple[DoseOutcome, ...] = checked(
    "field/dose_questions",
    (
        DoseOutcome(
            RESPONSE,
            "complete or partial response, by the criterion of the endpoints",
            ("lesion", "subject"),
            (*_TUMOUR, *_TARGET),
            "EANM standard operational procedure, Chiesa et al. 2021 (tumour dose and response)",
        ),
        DoseOutcome(
            "bilirubin_grade_2",
            "bilirubin of grade 2 or worse in the primary window, by the report's CTCAE version",
            ("subject",),
            (*_NORMAL, *_TARGET),
            "registry's convention; Zuckerman 2019 (normal-liver dose and liver toxicity)",
        ),
        DoseOutcome(
            "albi_grade_worse",
            "ALBI grade worse after a session of the planned course",
            ("subject",),
            (*_NORMAL, *_TARGET),
            "registry's convention; Zuckerman 2019 (normal-liver dose and liver toxicity)",
        ),
        DoseOutcome(
            "reild_candidate",
            "candidate for REILD",
            ("subject",),
            (*_NORMAL, *_TARGET),
            "registry's convention; EANM standard operational procedure 2021 (normal-liver dose)",
        ),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
)
THRESHOLDS: tuple[DoseThreshold, ...] = checked(
    "field/dose_thresholds",
    (
        DoseThreshold(
            "205_gy",
            RESPONSE,
            "glass",
            _TUMOUR,
            205,
            "DOSISPHERE-01 (NCT02582034), Garin et al. 2021, by way of its long-term report of "
            "2024, PMC10858378: at least 205 Gy to the index lesion, hepatocellular carcinoma",
        ),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
)
DOSE_OUTCOMES: tuple[str, ...] = tuple(r.code for r in RECORDS)
DOSE_LABELS: Mapping[str, str] = {r.code: r.label for r in RECORDS}
DOSE_MEASURES: tuple[str, ...] = (*_TUMOUR, *_NORMAL, *_TARGET)
TERTILES = ("tertile_1", "tertile_2", "tertile_3")
DOSE_GROUPS: tuple[str, ...] = (
    *TERTILES,
    *(f"{side}_{t.code}" for t in THRESHOLDS for side in ("below", "from")),
)


def thresholds(outcome: str, device: str, measure: str) -> tuple[DoseThreshold, ...]:
    """The thresholds that are asked of an outcome, a device and a dose."""
    return tuple(
        t
        for t in THRESHOLDS
        if (t.outcome, t.device) == (outcome, device) and measure in t.measures
    )
