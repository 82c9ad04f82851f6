"""The dose of each target, computed again from the recorded activity, shunt and volume.

Glass: single-compartment MIRD, the mean dose of a perfused volume. Resin: activity by body surface.
The dose of one target belongs to that target: Gy of different volumes are never added. Only the
lungs are one volume, so their dose is the sum over the targets of a session, and over sessions.

Activities are counted in whole kBq (1e-6 GBq), shunt and residual in millionths. The limits of the
lung dose are compared on the exact sum of activity x shunt x (1 - residual) in those units, never
on a floating-point dose; a decayed activity is rounded to the kBq first.

Source: C. van Roekel, doctoral thesis, page 30 (MIRD, lung limits of 30 and 50 Gy, body surface);
Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (glass, 29 to 299 Gy); World J Hepatol
2015;7:738, Table 1 (devices, half-life of 64.1 h).
"""

from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import DosimetrySettings, EligibilitySettings
from schemas.tables.intermediate import Anchors, Sessions
from schemas.tables.marts import TreatmentTargets
from schemas.tables.registry import Assessments, Mappings, Treatments
from transforms.dosimetry.dose_differences import classified
from transforms.joins import looked_up

MILLION = 1_000_000
WHOLE = "decimal(38,0)"
UNITS_PER_GBQ = MILLION**3
"""Activity in kBq x shunt and residual in millionths: exact products of whole numbers."""
LONGEST_DECAY_HOURS = 28 * 24
"""Calibration and injection further apart are a mistake: after four weeks 0.07 % is left."""
DELIVERED_AS = (
    "patient_id",
    "site_id",
    "row_id",
    "source_key",
    "receipt_id",
    "source_file",
    "source_row",
)
DEVICES = ("glass", "resin")
"""Where the device is not known, no dose is derivable."""
GREATEST_ACTIVITY_GBQ = 1_000_000
"""More cannot be an activity in any unit in use, and would overflow the count of kBq."""


def treatment_targets(
    treatments: Table[Treatments],
    sessions: Table[Sessions],
    anchors: Table[Anchors],
    mappings: Table[Mappings],
    assessments: Table[Assessments],
    *,
    settings: DosimetrySettings,
    eligibility: EligibilitySettings,
) -> Table[TreatmentTargets]:
    """Recompute the doses of every target and say what explains a difference from the record."""
    perfused = _perfused(treatments, sessions, anchors)
    mapped = _with_shunt(perfused, mappings)
    inputs = _with_inputs(mapped, settings)
    volumes = _with_liver(inputs)
    doses = _with_doses(volumes, settings)
    prescribed = _with_prescription(doses, assessments, settings)
    lungs = _with_lung_doses(prescribed, settings, eligibility)
    return conform(classified(lungs, settings), TreatmentTargets)


def remaining(hours: ir.Value, half_life_h: str) -> ir.Value:
    """The share of an activity left after so many hours; above 1 for hours before calibration.

    Args:
        hours: from calibration to injection, in hours, negative if calibration is later.
        half_life_h: half-life in hours.

    Source: 64.1 h, World J Hepatol 2015;7:738, Table 1; 24 h leave 0.7714182.
    """
    return ibis.literal(2.0) ** (-hours / float(Fraction(half_life_h)))


def body_surface_m2(weight_kg: ir.Value, height_cm: ir.Value, formula: str) -> ir.Value:
    """Body surface in m2, by DuBois (0.20247) or by Mosteller.

    Source: DuBois and DuBois 1916; Mosteller, N Engl J Med 1987;317:1098. The thesis of
    van Roekel, page 30, prints 0.2024; with 0.20247 a patient of 1.75 m and 70 kg has 1.848119 m2.
    """
    if formula == "mosteller":
        return (height_cm * weight_kg / 3600).sqrt()
    return 0.20247 * (height_cm / 100) ** 0.725 * weight_kg**0.425


def _perfused(treatments: ir.Table, sessions: ir.Table, anchors: ir.Table) -> ir.Table:
    """Targets that received something, numbered; a session that was broken off has none.

    What could not be read of a target is marked: nothing is taken in its place.
    """
    given = treatments.filter(treatments.activity_administered_gbq.fill_null(1) > 0)
    numbers = sessions.select("subject_id", "session_id", "session_number", "course")
    t0 = anchors.select("subject_id", "t0_date")
    joined = given.inner_join(numbers, ["subject_id", "session_id"]).inner_join(t0, "subject_id")
    session = ibis.window(group_by=["subject_id", "session_number"], order_by="target_id")
    return joined.mutate(
        target_number=ibis.row_number().over(session) + 1,
        rel_day=joined.treatment_date.delta(joined.t0_date, unit="day"),
        source_row_id=joined.row_id,
        lung_shunt_marked=unreadable(joined, "lung_shunt_fraction"),
        activity_marked=unreadable(joined, "activity_administered_gbq"),
        mass_marked=unreadable(joined, "target_mass_kg"),
        tumour_marked=unreadable(joined, "tumour_volume_ml"),
    ).drop(*DELIVERED_AS)


def _with_shunt(targets: ir.Table, mappings: ir.Table) -> ir.Table:
    """The lung shunt used for the session, else that of the last mapping before it.

    One mapping may serve several sessions: repeating it in the same liver is seldom needed.
    """
    unknown_day = unreadable(mappings, "maa_date")
    scanned = mappings.mutate(
        known_date=ibis.coalesce(mappings.maa_date, mappings.mapping_date),
        mapped_shunt=unknown_day.ifelse(None, mappings.lung_shunt_fraction),
        marked=unreadable(mappings, "lung_shunt_fraction")
        | (unknown_day & mappings.lung_shunt_fraction.notnull()),
    )
    joined = _with_last_known(targets, scanned, "mapped_shunt")
    mapped = joined.lung_shunt_marked.ifelse(None, joined.mapped_shunt)
    return joined.mutate(shunt=ibis.coalesce(joined.lung_shunt_fraction, mapped))


def _with_last_known(targets: ir.Table, dated: ir.Table, value: str) -> ir.Table:
    """Add the last value that is not missing, of `known_date` on or before the treatment.

    One that cannot be read (`marked`) is null, and no earlier one stands for it.
    """
    days = targets.select("subject_id", "treatment_date").distinct()
    known = dated.filter(dated[value].notnull() | dated.marked).select(
        "subject_id", "known_date", value, known_row="row_id"
    )
    earlier = days.inner_join(known, ["subject_id", days.treatment_date >= known.known_date])
    ranked = earlier.mutate(
        place=ibis.row_number().over(
            group_by=["subject_id", "treatment_date"],
            order_by=[ibis.desc("known_date"), ibis.desc("known_row")],
        )
    )
    last = ranked.filter(ranked.place == 0).select("subject_id", "treatment_date", value)
    return targets.left_join(last, ["subject_id", "treatment_date"]).drop(
        "subject_id_right", "treatment_date_right"
    )


def _with_inputs(targets: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """Activity at injection, shunt, residual and mass as the formulas take them."""
    decayed = _with_decay(targets, settings)
    density = float(Fraction(settings.liver_density_g_ml))
    recorded = (decayed.activity_administered_gbq * MILLION).cast(WHOLE)
    from_calibration = decayed.activity_marked.ifelse(None, decayed.decayed_kbq)
    from_volume = (decayed.target_volume_ml.cast("float64") * density / 1000).round(6)
    inputs = decayed.mutate(
        activity_kbq=ibis.coalesce(recorded, from_calibration),
        shunt_ppm=(decayed.shunt * MILLION).cast(WHOLE),
        residual_ppm=(decayed.residual_fraction * MILLION).cast(WHOLE),
        mass_from_volume_kg=from_volume,
        tumour_mass_kg=decayed.tumour_volume_ml.cast("float64") * density / 1000,
        target_mass_kg=ibis.coalesce(
            decayed.target_mass_kg.cast("float64"), decayed.mass_marked.ifelse(None, from_volume)
        ).nullif(0),
    )
    return inputs.mutate(activity_gbq=inputs.activity_kbq.cast("float64") / MILLION)


def _with_decay(targets: ir.Table, settings: DosimetrySettings) -> ir.Table:
    seconds = targets.administered_at.delta(targets.calibrated_at, unit="second")
    timed = targets.mutate(hours=seconds.cast("float64") / 3600)
    sound = (timed.hours.abs() <= LONGEST_DECAY_HOURS) & (
        timed.activity_calibrated_gbq <= GREATEST_ACTIVITY_GBQ
    )
    decay = timed.mutate(
        decay=ibis.ifelse(sound, remaining(timed.hours, settings.y90_half_life_h), None)
    )
    kbq = decay.activity_calibrated_gbq.cast("float64") * decay.decay * MILLION
    return decay.mutate(decayed_kbq=kbq.round().cast(WHOLE))


def _with_liver(targets: ir.Table) -> ir.Table:
    """Mass of the whole liver: of a whole-liver target, else of both lobes together.

    A lobe treated in several targets is as large as they are together in one session.
    """
    lobes = targets.group_by(["subject_id", "session_number", "lobe"]).agg(
        mass=targets.target_mass_kg.cast("decimal(18,6)").sum(),
        complete=targets.target_mass_kg.notnull().all(),
    )
    largest = lobes.filter(lobes.complete)
    livers = largest.group_by("subject_id").agg(
        whole_kg=_mass_of(largest, "whole"),
        right_kg=_mass_of(largest, "right"),
        left_kg=_mass_of(largest, "left"),
    )
    joined = looked_up(targets, livers, "subject_id")
    return joined.mutate(
        liver_mass_kg=ibis.coalesce(joined.whole_kg, joined.right_kg + joined.left_kg),
        other_lobe_mass_kg=ibis.cases(
            (joined.lobe == "right", joined.left_kg), (joined.lobe == "left", joined.right_kg)
        ),
    )


def _mass_of(lobes: ir.Table, lobe: str) -> ir.Value:
    return lobes.mass.max(where=lobes.lobe == lobe).cast("float64")


def _with_doses(targets: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """K x A x (1 - shunt) x (1 - residual) / mass, for glass the dose; lungs: what was shunted."""
    delivered = targets.activity_kbq * (MILLION - targets.residual_ppm).cast(WHOLE)
    to_liver = delivered * (MILLION - targets.shunt_ppm).cast(WHOLE)
    constant = float(Fraction(settings.mird_constant))
    dose = constant * to_liver.cast("float64") / UNITS_PER_GBQ / targets.target_mass_kg
    return targets.mutate(
        mean_dose_gy=ibis.ifelse(targets.device.isin(DEVICES), dose, None),
        dose_gy=ibis.ifelse(targets.device == "glass", dose, None),
        dose_gy_recorded=targets.dose_gy,
        lung_dose_gy_recorded=targets.lung_dose_gy,
        lung_units=delivered * targets.shunt_ppm,
    )


def _with_prescription(
    targets: ir.Table, assessments: ir.Table, settings: DosimetrySettings
) -> ir.Table:
    """Resin: (body surface - 0.2 + involvement) GBq, times the target's share of the liver.

    Involvement is a fraction: that of the target's own volumes, else for the whole liver the last
    tumour burden. Source: van Roekel, thesis, page 30; the share of a lobe is general practice.
    """
    dated = assessments.mutate(known_date=assessments.assessment_date)
    known = targets
    for value in ("weight_kg", "height_cm", "tumour_burden_pct"):
        marked = dated.mutate(marked=unreadable(dated, value))
        known = _with_last_known(known, marked, value)
    whole = known.lobe == "whole"
    read = whole & ~known.tumour_marked
    burden = ibis.ifelse(read, known.tumour_burden_pct.cast("float64") / 100, None)
    involvement = ibis.coalesce(known.tumour_mass_kg / known.target_mass_kg, burden)
    share = ibis.ifelse(whole, 1.0, known.target_mass_kg / known.liver_mass_kg)
    surface = body_surface_m2(
        known.weight_kg.cast("float64"), known.height_cm.cast("float64"), settings.bsa_formula
    )
    sound = (known.device == "resin") & (involvement <= 1) & (share <= 1)
    activity = (surface - 0.2 + involvement) * share
    return known.mutate(activity_bsa_gbq=ibis.ifelse(sound, activity, None))


def _with_lung_doses(
    targets: ir.Table, settings: DosimetrySettings, eligibility: EligibilitySettings
) -> ir.Table:
    """Lung dose of the session and up to it; unknown as soon as one target's share is unknown.

    A limit already exceeded by what is known is exceeded, whatever the rest may be.
    """
    by_session = targets.group_by(["subject_id", "session_number"]).agg(
        units=targets.lung_units.sum().fill_null(0).cast(WHOLE),
        unknown=targets.lung_units.isnull().cast("int64").sum(),
    )
    so_far = ibis.cumulative_window(group_by="subject_id", order_by="session_number")
    summed = by_session.mutate(
        units_so_far=by_session.units.sum().over(so_far).cast(WHOLE),
        unknown_so_far=by_session.unknown.sum().over(so_far),
    )
    per_session = _exceeds(summed.units, summed.unknown, eligibility.lung_dose_max_gy, settings)
    cumulated = _exceeds(
        summed.units_so_far,
        summed.unknown_so_far,
        eligibility.lung_dose_cumulative_max_gy,
        settings,
    )
    lungs = summed.select(
        "subject_id",
        "session_number",
        lung_dose_gy=_lung_gy(summed.units, summed.unknown, settings),
        cumulative_lung_dose_gy=_lung_gy(summed.units_so_far, summed.unknown_so_far, settings),
        lung_dose_over_session_limit=per_session,
        lung_dose_over_cumulative_limit=cumulated,
    )
    return targets.drop("lung_dose_gy").inner_join(lungs, ["subject_id", "session_number"])


def _lung_gy(units: ir.Value, unknown: ir.Value, settings: DosimetrySettings) -> ir.Value:
    gy_per_gbq = float(Fraction(settings.mird_constant) / Fraction(settings.lung_mass_kg))
    return ibis.ifelse(unknown > 0, None, gy_per_gbq * units.cast("float64") / UNITS_PER_GBQ)


def _exceeds(
    units: ir.Value, unknown: ir.Value, limit_gy: str, settings: DosimetrySettings
) -> ir.Value:
    """More than the limit, in whole units: exactly 30 Gy passes."""
    per_gy = Fraction(settings.lung_mass_kg) / Fraction(settings.mird_constant) * UNITS_PER_GBQ
    limit = ibis.literal(int(Fraction(limit_gy) * per_gy), type="int64").cast(WHOLE)
    return ibis.cases((units > limit, True), (unknown > 0, None), else_=False)
