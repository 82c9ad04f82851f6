"""Mean doses to tumour and normal liver, of each target, session and planned course.

A target's mean dose is that of MIRD, for glass and for resin. Partition parts it: normal liver has
D_N = K A (1 - L) (1 - R) / (T M_T + M_N), tumour T times as much, where A is the activity at
injection in GBq, L the lung shunt, R what is left in the vial, M_T and M_N the masses of tumour and
normal liver inside the perfused volume and T the ratio of their activities per mass. Energies of
several targets, of a session or of the planned course, are added and divided by the mass of one
volume: of the target, if each session treated the same one; of both lobes; of the whole liver; of
normal liver always the whole of it. Where that mass is not known there is no dose of them together,
and the targets' doses stand alone.

Source: EANM standard operational procedure, Chiesa et al., EJNMMI Phys 2021;8:77 (mean doses of
tumour and of normal liver are asked for); Ho et al., Eur J Nucl Med 1996;23:947 (partition model);
C. van Roekel, doctoral thesis, page 30 (constant). Gy of different volumes are never added.
"""

from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.settings import DosimetrySettings
from schemas.tables.dose_marts import (
    COMPARTMENTS,
    CompartmentDoses,
    CourseDoses,
    SessionDoses,
)
from schemas.tables.marts import TreatmentTargets
from schemas.tables.registry import Treatments

INSIDE = dict(
    zip(COMPARTMENTS, ("perfused volume", "tumour in it", "normal liver in it"), strict=True)
)
WIDE = "decimal(38, 12)"
"""Energies are summed as decimals: a sum of floats depends on the order of threads."""
LOBES = ("whole", "right", "left")
_COURSE = ("subject_id", "compartment")
_SESSION = (*_COURSE, "session_number", "rel_day", "course")


def compartment_doses(
    treatment_targets: Table[TreatmentTargets],
    treatments: Table[Treatments],
    *,
    settings: DosimetrySettings,
) -> Table[CompartmentDoses]:
    """Part the mean dose of each target into those of tumour and normal liver."""
    targets = _partition(_delivered(treatment_targets, treatments, settings))
    parts = (_compartment(targets, name) for name in COMPARTMENTS)
    return conform(ibis.union(*parts), CompartmentDoses)


def course_doses(
    compartment_doses: Table[CompartmentDoses],
    treatments: Table[Treatments],
    *,
    settings: DosimetrySettings,
) -> Table[CourseDoses]:
    """Bring the doses of the planned course to one volume, where its mass is known."""
    planned = compartment_doses.filter(compartment_doses.course == 1)
    united = _together(_there(planned, treatments, settings), _COURSE)
    return conform(_over(_united(united)), CourseDoses)


def session_doses(
    compartment_doses: Table[CompartmentDoses],
    treatments: Table[Treatments],
    *,
    settings: DosimetrySettings,
) -> Table[SessionDoses]:
    """Bring the doses of each session to one volume, by the same rules."""
    united = _together(_there(compartment_doses, treatments, settings), _SESSION)
    return conform(_over(_united(united)), SessionDoses)


def _there(doses: ir.Table, treatments: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """Doses of volumes that are there, with what their treatment says of the liver."""
    given = treatments.select(
        "segments",
        "activity_planned_gbq",
        source_row_id="row_id",
        whole_normal_kg=_kg(treatments.normal_liver_volume_ml, settings),
        liver_kg=_kg(treatments.liver_volume_ml, settings),
    )
    there = doses.filter((doses.mass_kg != 0).fill_null(True))
    return there.inner_join(given, "source_row_id")


def _kg(volume_ml: ir.DecimalValue, settings: DosimetrySettings) -> ir.FloatingValue:
    density = float(Fraction(settings.liver_density_g_ml))
    return volume_ml.cast("float64") * density / 1000


def _delivered(targets: ir.Table, treatments: ir.Table, settings: DosimetrySettings) -> ir.Table:
    """Targets with what partition needs, and with the doses as recorded."""
    given = treatments.select(
        "tumour_dose_gy",
        "normal_liver_dose_gy",
        "dosimetry_source",
        "dosimetry_model",
        source_row_id="row_id",
        ratio=treatments.tumour_to_normal_ratio.cast("float64"),
        planned_gbq=treatments.activity_planned_gbq.cast("float64").nullif(0),
        left=treatments.residual_fraction.cast("float64"),
        tumour_kg=_kg(treatments.tumour_volume_ml, settings),
        liver_kg=_kg(treatments.liver_volume_ml, settings),
    )
    known = targets.inner_join(given, "source_row_id")
    own = ibis.ifelse(known.lobe == "whole", known.target_mass_kg, None)
    return known.mutate(
        normal_kg=known.target_mass_kg - known.tumour_kg,
        activity_pct_of_planned=100 * known.activity_gbq * (1 - known.left) / known.planned_gbq,
        liver_pct=100 * known.target_mass_kg / ibis.coalesce(known.liver_kg, own),
    )


def _partition(t: ir.Table) -> ir.Table:
    """Doses of both parts; null where the tumour is larger than the volume that holds it."""
    weighted = t.ratio * t.tumour_kg + t.normal_kg
    normal = t.mean_dose_gy * t.target_mass_kg / weighted.nullif(0)
    normal = ibis.ifelse(t.normal_kg >= 0, normal, None)
    return t.mutate(normal_gy=normal, tumour_gy=t.ratio * normal)


def _compartment(t: ir.Table, name: str) -> ir.Table:
    """One compartment of every target, and why it has no dose."""
    mass, dose, recorded = {
        "target": (t.target_mass_kg, t.mean_dose_gy, t.dose_gy_recorded),
        "tumour": (t.tumour_kg, t.tumour_gy, t.tumour_dose_gy),
        "normal_liver": (t.normal_kg, t.normal_gy, t.normal_liver_dose_gy),
    }[name]
    absent = ibis.ifelse(mass <= 0, "no_such_volume", ibis.null("string"))
    reason = ibis.cases(
        (t.mean_dose_gy.isnull(), "no_mean_dose"),
        (ibis.literal(name == "target"), ibis.null("string")),
        (t.tumour_kg.isnull(), "no_tumour_volume"),
        (t.normal_kg < 0, "tumour_larger_than_target"),
        (t.ratio.isnull(), "no_tumour_to_normal_ratio"),
        else_=absent,
    )
    return t.select(
        "subject_id",
        "session_number",
        "target_number",
        "rel_day",
        "course",
        "device",
        "lobe",
        "dosimetry_source",
        "dosimetry_model",
        "activity_pct_of_planned",
        "liver_pct",
        "source_row_id",
        compartment=ibis.literal(name),
        reference_volume=ibis.literal(INSIDE[name]),
        mass_kg=mass,
        dose_gy=ibis.ifelse(reason.isnull(), dose, None),
        dose_gy_recorded=recorded,
        reason=reason,
    )


def _together(t: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """Per compartment of several targets: energies, masses of the volumes, and their places."""
    volume = t.lobe + "|" + t.segments.fill_null("") + "|" + t.mass_kg.cast(WIDE).cast("string")
    energy = (t.dose_gy * t.mass_kg).cast(WIDE)
    recorded = (t.dose_gy_recorded.cast("float64") * t.mass_kg).cast(WIDE)
    delivered = t.activity_pct_of_planned * t.activity_planned_gbq.cast("float64")
    lobes = {
        f"{what}_{lobe}": value
        for lobe in LOBES
        for what, value in (
            ("n", volume.nunique(where=t.lobe == lobe)),
            ("kg", t.mass_kg.max(where=t.lobe == lobe)),
        )
    }
    n = t.count()
    planned = t.activity_planned_gbq.cast("float64").cast(WIDE).sum().cast("float64")
    return t.group_by(by).agg(
        n_targets=n,
        device=ibis.cases(
            ((t.device == "unknown").any(), "unknown"),
            (t.device.nunique() > 1, "mixed"),
            else_=t.device.max(),
        ),
        n_volumes=volume.nunique(),
        n_weighed=t.mass_kg.count(),
        placed=t.lobe.isin(LOBES).all(),
        segmented=t.segments.notnull().any(),
        least_kg=t.mass_kg.min(),
        whole_normal_kg=t.whole_normal_kg.max(),
        liver_kg=t.liver_kg.max(),
        only_gy=t.dose_gy.max(),
        only_recorded=t.dose_gy_recorded.cast("float64").max(),
        energy=ibis.ifelse(t.dose_gy.count() == n, energy.sum().cast("float64"), None),
        recorded=ibis.ifelse(recorded.count() == n, recorded.sum().cast("float64"), None),
        activity_pct_of_planned=ibis.ifelse(
            t.activity_pct_of_planned.count() == n,
            delivered.cast(WIDE).sum().cast("float64") / planned,
            None,
        ),
        reason_of_one=t.reason.max(),
        **lobes,
    )


def _united(t: ir.Table) -> ir.Table:
    """The volume that holds every target, and its mass."""
    weighed = t.n_weighed == t.n_targets
    one = (t.n_targets == 1) | (weighed & (t.n_volumes == 1))
    both = weighed & t.placed & (t.n_whole == 0) & (t.n_right == 1) & (t.n_left == 1)
    whole = weighed & t.placed & (t.n_whole == 1)
    is_normal = t.compartment == "normal_liver"
    everything = (t.n_whole == 1) | (both & ~t.segmented)
    union_kg = ibis.cases((one, t.least_kg), (whole, t.kg_whole), (both, t.kg_right + t.kg_left))
    name = ibis.cases((one, "one target"), (whole, "whole liver"), (both, "both lobes"))
    normal_kg = ibis.coalesce(t.whole_normal_kg, ibis.ifelse(everything, union_kg, None))
    return t.mutate(
        union_kg=ibis.ifelse(is_normal, normal_kg, union_kg),
        reference_volume=ibis.ifelse(
            is_normal,
            ibis.ifelse(normal_kg.notnull(), "whole normal liver", ibis.null("string")),
            name,
        ),
        single=(t.n_targets == 1) & (~is_normal | (t.n_whole == 1)),
        target_kg=union_kg,
        everything=everything,
    )


def _over(t: ir.Table) -> ir.Table:
    """Energies over the mass of that volume; the dose itself where there is one target."""
    own = t.single & (t.whole_normal_kg.isnull() | (t.compartment != "normal_liver"))
    reason = ibis.cases(
        (t.reason_of_one.notnull(), t.reason_of_one),
        (t.union_kg.notnull() | own, ibis.null("string")),
        (t.compartment == "normal_liver", "no_mass_of_the_whole_normal_liver"),
        else_="no_mass_of_one_volume",
    )
    all_of_it = ibis.ifelse(t.everything, 100.0, ibis.null("float64"))
    is_target = t.compartment == "target"
    return t.mutate(
        mass_kg=t.union_kg,
        dose_gy=ibis.ifelse(own, t.only_gy, t.energy / t.union_kg),
        dose_gy_recorded=ibis.ifelse(own, t.only_recorded, t.recorded / t.union_kg),
        liver_pct=ibis.ifelse(
            is_target, ibis.coalesce(100 * t.target_kg / t.liver_kg, all_of_it), None
        ),
        reason=reason,
    )
