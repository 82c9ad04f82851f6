"""The declared truths of an invented registry, to which a pipeline can be held.

The only place where the hazard ratios and the response probabilities of the registry are declared.
They are of the size that series of neuroendocrine liver metastases report, and belong to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FACTORS = ("ecog0", "burden25", "alb35", "bili12")
"""The prognostic factors, under the names of the outcome tables; the bad level has the ratio."""


def _joint() -> Mapping[tuple[str, str], float]:
    return {
        ("CR", "CR"): 0.03,
        ("PR", "CR"): 0.12,
        ("PR", "PR"): 0.30,
        ("PR", "SD"): 0.05,
        ("SD", "CR"): 0.04,
        ("SD", "PR"): 0.10,
        ("SD", "SD"): 0.28,
        ("PD", "PD"): 0.08,
    }


@dataclass(frozen=True, slots=True)
class Truths:
    """Declared truths; probabilities are of single patients or lesions.

    Survival is exponential from day `safe_days` on, with the rate of the good levels times the
    ratios of the bad ones. Nobody dies or is lost before, so that every lesion is seen twice after
    its treatment and its best response is the one that was drawn.
    """

    hazard_ratios: Mapping[str, float] = field(
        default_factory=lambda: {"ecog0": 2.4, "burden25": 1.6, "alb35": 1.5, "bili12": 2.0}
    )
    """Death, multivariable: bad level against good."""
    bad_level: Mapping[str, float] = field(
        default_factory=lambda: {"ecog0": 0.40, "burden25": 0.40, "alb35": 0.35, "bili12": 0.30}
    )
    """Share of patients at the bad level; independent of each other."""
    who_by_easl: Mapping[tuple[str, str], float] = field(default_factory=_joint)
    """Best unconfirmed response of a lesion: (WHO, EASL) -> probability."""
    median_days: float = 1600
    """Median of the time to death after `safe_days`, all levels good."""
    safe_days: int = 130
    progression_median_days: float = 600
    """Of the time from `safe_days` to progression."""
    lost_a_year: float = 0.04
    """Rate of loss to follow-up, by year."""
    resin: float = 0.4
    staged: float = 0.6
    """Of bilobar patients without a progressive lesion."""
    minimal_extrahepatic: float = 0.35
    significant_extrahepatic: float = 0.02
    symptomatic: float = 0.5
    improved: float = 0.8

    recorded_differs: float = 0.15
    """Share of patients whose recorded class at three months is not that of their first lesion."""

    marker_elevated: float = 0.7
    marker_falls: float = 0.4
    """Share of patients whose tumour marker falls to a third, whether elevated before or not."""

    radionuclide_before: float = 0.3
    """Share of patients with radionuclide therapy before."""
    next_therapy: Mapping[str, float] = field(
        default_factory=lambda: {"chemotherapy": 0.40, "prrt": 0.35, "liver_directed": 0.25}
    )
    """Class of the first therapy after progression -> share."""
    cause_of_death: Mapping[str, float] = field(
        default_factory=lambda: {
            "tumour": 0.60,
            "liver_failure": 0.20,
            "treatment": 0.05,
            "other": 0.15,
        }
    )
    """Cause -> share of the deaths of which one is recorded."""
    reild: float = 0.20
    """Share of patients with the picture of REILD, explained by progression or not."""
    stopped_early: float = 0.15
    """Share of targets of which the injection was stopped early."""

    def response(self, criterion: str) -> dict[str, float]:
        """Best unconfirmed response of a lesion by `WHO` or `EASL` -> probability."""
        place = ("WHO", "EASL").index(criterion)
        found = dict.fromkeys(("CR", "PR", "SD", "PD"), 0.0)
        for pair, probability in self.who_by_easl.items():
            found[pair[place]] += probability
        return found


TRUTHS = Truths()
