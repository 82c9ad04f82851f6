"""The doses that a centre of an invented registry measures, beside what it gives.

Of every target a share is tumour, which takes up a drawn multiple of what normal liver does; the
recorded doses of both are those of the partition model with 50 Gy kg per GBq, to a tenth of a gray.
Most was planned of the targets at which the injection was stopped early, in a declared share.
The liver is the two lobes, of which one may be untreated. A draw of its own keeps everything else
as it was.
"""

from decimal import ROUND_HALF_UP, Decimal

from simulation.cohort import Patient, Target
from simulation.reference import GY_KG_PER_GBQ, Record
from simulation.registry.patients import generator
from simulation.registry.truths import TRUTHS, Truths

DENSITY_KG_PER_ML = Decimal("0.00103")
DOSED = 5
"""What the random numbers of this module are for, after those of `simulation.registry.markers`."""
COLUMNS = (
    "tumour_volume_ml",
    "liver_volume_ml",
    "normal_liver_volume_ml",
    "tumour_to_normal_ratio",
    "activity_planned_gbq",
    "tumour_dose_gy",
    "normal_liver_dose_gy",
    "dosimetry_source",
    "dosimetry_model",
    "delivery",
)


def add_doses(
    rows: list[Record], patient: Patient, seed: int, number: int, truths: Truths = TRUTHS
) -> None:
    """Add what was measured to the patient's delivered treatments."""
    draw = generator(seed, number, DOSED)
    untreated_ml = Decimal(int(draw.integers(300, 600)))
    shares = {t.lobe: (draw.random(), draw.random(), draw.random()) for t in patient.targets}
    drawn = {t.lobe: _target(t, patient, shares[t.lobe]) for t in patient.targets}
    for lobe, (*_, planned) in shares.items():
        stopped = planned >= 1 - truths.stopped_early
        drawn[lobe]["delivery"] = "stopped_early" if stopped else "complete"
    liver = sum((t.volume_ml for t in patient.targets), Decimal(0))
    liver += untreated_ml if len(drawn) == 1 else 0
    tumour = sum((Decimal(str(d["tumour_volume_ml"])) for d in drawn.values()), Decimal(0))
    for row in rows:
        row |= drawn[str(row["lobe"])]
        row |= {"liver_volume_ml": liver, "normal_liver_volume_ml": liver - tumour}


def _target(target: Target, patient: Patient, shares: tuple[float, float, float]) -> Record:
    volume, uptake, planned = shares
    tumour_ml = Decimal(round(float(target.volume_ml) * (0.05 + 0.3 * volume)))
    ratio = Decimal(round(10 * (2 + 6 * uptake))) / 10
    tumour_kg = tumour_ml * DENSITY_KG_PER_ML
    normal_kg = (target.volume_ml - tumour_ml) * DENSITY_KG_PER_ML
    stays = (1 - patient.lung_shunt_pct / 100) * (1 - patient.residual_pct / 100)
    normal = GY_KG_PER_GBQ * target.activity_gbq * stays / (ratio * tumour_kg + normal_kg)
    return {
        "tumour_volume_ml": tumour_ml,
        "tumour_to_normal_ratio": ratio,
        "activity_planned_gbq": round(target.activity_gbq * Decimal(str(1 + 0.1 * planned)), 3),
        "tumour_dose_gy": _tenth(ratio * normal),
        "normal_liver_dose_gy": _tenth(normal),
        "dosimetry_source": "PET",
        "dosimetry_model": "partition",
    }


def _tenth(dose: Decimal) -> Decimal:
    return dose.quantize(Decimal("0.1"), ROUND_HALF_UP)
