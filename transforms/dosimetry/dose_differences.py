"""Explanations of a difference between a recorded dose and the one computed again.

Each explanation is a record: a mistake seen in dose records, and the inputs that the formula would
have had under it. The explanation that brings the two doses together within the tolerance is taken,
of several the one that comes nearest, of equals the first. Nothing is corrected: the difference is
named so that the site can look.

The dose of the target decides. Where it agrees, or cannot be compared (resin), the lung dose of the
session decides, which alone shows a lung shunt written as a percentage of a percentage; a session
with another target whose dose disagrees has that as its reason already.

Source: the mistakes are those known of public calculators and registry exports (percent for
fraction, time of calibration for time of injection); the tolerances of 10 and 5 % are settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.settings import DosimetrySettings

Input = Callable[[ir.Table], ir.Value]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A mistake, and the inputs of the formula under it; what is left out stays as it is."""

    difference_class: str
    meaning: str
    activity_gbq: Input = lambda t: t.activity_gbq
    shunt: Input = lambda t: t.shunt.cast("float64")
    residual: Input = lambda t: t.residual_fraction.cast("float64")
    mass_kg: Input = lambda t: t.target_mass_kg
    times: Fraction = Fraction(1)
    lungs_of: str | None = "session"
    """Whose lung dose the mistake changes: of the session, of the target alone, or none."""


def _fraction(name: str, times: float) -> Input:
    def changed(t: ir.Table) -> ir.Value:
        value = t[name].cast("float64") * times
        return ibis.ifelse(value < 1, value, None)

    return changed


def _shifted(hours: int) -> Input:
    """The activity if calibration lay so many hours later; only where it was decayed by us."""

    def changed(t: ir.Table) -> ir.Value:
        later = t.activity_gbq * ibis.literal(2.0) ** (ibis.literal(float(hours)) / t.half_life_h)
        return ibis.ifelse(t.activity_administered_gbq.isnull(), later, None)

    return changed


MCI_PER_GBQ = Fraction(1000, 37)
OUT_OF_REACH_PCT = 1e300

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation(
        "calibration_time",
        "the activity at calibration was taken for the one at injection",
        activity_gbq=lambda t: t.activity_calibrated_gbq.cast("float64"),
    ),
    Explanation(
        "calibration_time",
        "the recorded activity at injection is not the one decayed from calibration",
        activity_gbq=lambda t: t.decayed_kbq.cast("float64") / 1_000_000,
    ),
    Explanation(
        "calibration_time",
        "the activity at injection was decayed a second time",
        activity_gbq=lambda t: t.activity_gbq * t.decay,
    ),
    Explanation("calibration_time", "calibration is a day later", activity_gbq=_shifted(24)),
    Explanation("calibration_time", "calibration is a day earlier", activity_gbq=_shifted(-24)),
    Explanation("percent_or_fraction", "shunt in percent", shunt=_fraction("shunt", 1 / 100)),
    Explanation("percent_or_fraction", "shunt divided twice", shunt=_fraction("shunt", 100)),
    Explanation(
        "percent_or_fraction",
        "residual in percent",
        residual=_fraction("residual_fraction", 1 / 100),
    ),
    Explanation(
        "percent_or_fraction",
        "residual divided twice",
        residual=_fraction("residual_fraction", 100),
    ),
    Explanation(
        "percent_or_fraction",
        "shunt and residual in percent",
        shunt=_fraction("shunt", 1 / 100),
        residual=_fraction("residual_fraction", 1 / 100),
    ),
    Explanation(
        "percent_or_fraction",
        "shunt and residual divided twice",
        shunt=_fraction("shunt", 100),
        residual=_fraction("residual_fraction", 100),
    ),
    Explanation(
        "mass",
        "mass from the volume",
        mass_kg=lambda t: t.mass_from_volume_kg,
        lungs_of=None,
    ),
    Explanation(
        "mass", "mass of the tumour alone", mass_kg=lambda t: t.tumour_mass_kg, lungs_of=None
    ),
    Explanation(
        "mass",
        "mass without the tumour",
        mass_kg=lambda t: t.target_mass_kg - t.tumour_mass_kg,
        lungs_of=None,
    ),
    Explanation(
        "lobe_or_whole_liver",
        "mass of the whole liver",
        mass_kg=lambda t: t.liver_mass_kg,
        lungs_of=None,
    ),
    Explanation(
        "lobe_or_whole_liver",
        "mass of the other lobe",
        mass_kg=lambda t: t.other_lobe_mass_kg,
        lungs_of=None,
    ),
    Explanation(
        "lobe_or_whole_liver",
        "activity of the whole session",
        activity_gbq=lambda t: t.session_activity_gbq,
        lungs_of=None,
    ),
    Explanation(
        "lobe_or_whole_liver",
        "activity of the whole session over the whole liver",
        activity_gbq=lambda t: t.session_activity_gbq,
        mass_kg=lambda t: t.liver_mass_kg,
        lungs_of=None,
    ),
    Explanation("lobe_or_whole_liver", "lung dose from this target alone", lungs_of="target"),
    Explanation("unit", "MBq, mL or g read as GBq, L or kg, or mGy", times=Fraction(1000)),
    Explanation("unit", "the same, the other way round", times=Fraction(1, 1000)),
    Explanation("unit", "rad or cGy recorded as Gy", times=Fraction(100)),
    Explanation("unit", "Gy recorded as a hundredth", times=Fraction(1, 100)),
    Explanation("unit", "mCi read as GBq", times=1 / MCI_PER_GBQ),
    Explanation("unit", "GBq read as mCi", times=MCI_PER_GBQ),
)


def classified(targets: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """Add the difference of the dose and its class.

    Args:
        targets: one row per target with inputs, doses and recorded doses.
        settings: tolerances in percent of the recorded dose, compared to the sixth decimal.
    """
    compared = _compared(_with_sessions(targets, settings))
    dose_off = (compared.difference_pct.abs() > settings.dose_tolerance_pct).fill_null(False)
    session = ibis.window(group_by=["subject_id", "session_number"])
    explained = compared.mutate(
        dose_off=dose_off,
        session_off=dose_off.cast("int64").sum().over(session) > 0,
        by_dose=_explained(compared, "dose", settings.dose_tolerance_pct),
        by_lung=_explained(compared, "lung", settings.lung_dose_tolerance_pct),
    )
    lung_pct = ibis.ifelse(explained.session_off, None, explained.lung_difference_pct)
    return explained.mutate(
        difference_class=ibis.cases(
            (explained.difference_pct.isnull() & lung_pct.isnull(), "not_comparable"),
            (explained.dose_off, explained.by_dose),
            (lung_pct.abs() > settings.lung_dose_tolerance_pct, explained.by_lung),
            else_="agrees",
        )
    )


def _with_sessions(targets: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """Add what the explanations need of the session, and the constants of the formula."""
    session = ibis.window(group_by=["subject_id", "session_number"])
    complete = targets.activity_kbq.isnull().cast("int64").sum().over(session) == 0
    total = targets.activity_kbq.sum().over(session).cast("float64") / 1_000_000
    constant = Fraction(settings.mird_constant)
    return targets.mutate(
        session_activity_gbq=ibis.ifelse(complete, total, None),
        half_life_h=float(Fraction(settings.y90_half_life_h)),
        gy_kg_per_gbq=float(constant),
        lung_gy_per_gbq=float(constant / Fraction(settings.lung_mass_kg)),
    )


def _compared(targets: ir.Table) -> ir.Table:
    """Add the differences as they are, under each explanation, and the least of these."""
    alternatives: dict[str, ir.Value] = {}
    for number, explanation in enumerate(EXPLANATIONS):
        dose, lung = _under(targets, explanation)
        alternatives[f"dose_{number}"] = _distance_pct(dose, targets.dose_gy_recorded)
        alternatives[f"lung_{number}"] = _distance_pct(lung, targets.lung_dose_gy_recorded)
    compared = targets.mutate(
        difference_pct=_difference_pct(targets.dose_gy, targets.dose_gy_recorded),
        lung_difference_pct=_difference_pct(targets.lung_dose_gy, targets.lung_dose_gy_recorded),
        **alternatives,
    )
    return compared.mutate(
        nearest_dose=ibis.least(*(compared[f"dose_{n}"] for n in range(len(EXPLANATIONS)))),
        nearest_lung=ibis.least(*(compared[f"lung_{n}"] for n in range(len(EXPLANATIONS)))),
    )


def _under(targets: ir.Table, explanation: Explanation) -> tuple[ir.Value, ir.Value]:
    """Dose of the target and lung dose of the session if the explanation were true."""
    shunt = explanation.shunt(targets)
    delivered = explanation.activity_gbq(targets) * (1 - explanation.residual(targets))
    scale = float(explanation.times)
    mass_kg = explanation.mass_kg(targets).nullif(0)
    dose = targets.gy_kg_per_gbq * delivered * (1 - shunt) / mass_kg * scale
    if explanation.lungs_of is None:
        return dose, ibis.null("float64")
    lung = targets.lung_gy_per_gbq * delivered * shunt * scale
    if explanation.lungs_of == "target":
        return dose, lung
    session = ibis.window(group_by=["subject_id", "session_number"])
    complete = lung.isnull().cast("int64").sum().over(session) == 0
    return dose, ibis.ifelse(complete, lung.sum().over(session), None)


def _difference_pct(computed: ir.Value, recorded: ir.Value) -> ir.Value:
    """Percent of the recorded dose, to the sixth decimal; null where there is no recorded dose."""
    reference = recorded.cast("float64").nullif(0)
    return (100 * (computed - reference) / reference).round(6)


def _distance_pct(computed: ir.Value, recorded: ir.Value) -> ir.Value:
    """The size of the difference; what cannot be computed is out of reach of any tolerance."""
    return _difference_pct(computed, recorded).abs().fill_null(OUT_OF_REACH_PCT)


def _explained(compared: ir.Table, quantity: str, tolerance_pct: float) -> ir.Value:
    """The class of the explanation that comes nearest, if it comes within the tolerance."""
    nearest = compared[f"nearest_{quantity}"]
    branches = [
        (compared[f"{quantity}_{number}"] == nearest, explanation.difference_class)
        for number, explanation in enumerate(EXPLANATIONS)
    ]
    return ibis.cases((nearest > tolerance_pct, "unexplained"), *branches)
