"""Marts of absorbed dose by compartment: of each target, and of a patient's planned course."""

from schemas.contract import Bool, Decimal, Float, Int, Text, column, declares
from schemas.records.field.dose_questions import DOSE_MEASURES, DOSE_OUTCOMES
from schemas.tables.mart_table import Mart, codes_of
from schemas.tables.registry import Treatments

COMPARTMENTS = ("target", "tumour", "normal_liver")
DEVICES = ("glass", "resin", "mixed", "unknown")


class CompartmentColumns(Mart):
    """What doses of compartments share."""

    compartment: Text = column(
        "The perfused volume, the tumour inside it, or the normal liver.",
        key=True,
        codes=COMPARTMENTS,
    )
    device: Text = column("Device; `mixed` when both were used.", required=True, codes=DEVICES)
    mass_kg: Float = column("Mass of the volume that the dose is of.", unit="kg")
    dose_gy: Float = column(
        "Mean dose computed: of the target by MIRD, of tumour and normal liver by partition.",
        unit="Gy",
    )


class CompartmentDoses(CompartmentColumns):
    """One row per session, perfused target and compartment inside it."""

    session_number: Int = column("Number of the session.", key=True)
    target_number: Int = column("Number of the target in the session.", key=True)
    rel_day: Int = column("Day from T0.", unit="days", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)
    lobe: Text = column("Lobe.", codes=codes_of(Treatments, "lobe"))
    reference_volume: Text = column(
        "What the dose is the mean of.",
        required=True,
        codes=("perfused volume", "tumour in it", "normal liver in it"),
    )
    dose_gy_recorded: Decimal = column("Mean dose as recorded.", unit="Gy")
    dosimetry_source: Text = column(
        "What the recorded doses were measured on.", codes=codes_of(Treatments, "dosimetry_source")
    )
    dosimetry_model: Text = column(
        "Model of the recorded doses.", codes=codes_of(Treatments, "dosimetry_model")
    )
    activity_pct_of_planned: Float = column("Activity at injection of that planned.", unit="%")
    liver_pct: Float = column("The target's share of the liver's mass.", unit="%")
    reason: Text = column("Why no dose is computed.")
    source_row_id: Text = column("Row of registry.treatments.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class UnitedColumns(CompartmentColumns):
    """Doses of several targets over one volume.

    Energies are added and divided by the mass of one volume, so that Gy of different volumes are
    never added; where no such mass is known, the targets' doses stand alone.
    """

    n_targets: Int = column("Targets.", required=True, minimum=1)
    reference_volume: Text = column(
        "The volume that every energy is divided by: the one target, both lobes, the whole liver, "
        "or the whole normal liver.",
        codes=("one target", "both lobes", "whole liver", "whole normal liver"),
    )
    dose_gy_recorded: Float = column("The same of the doses as recorded.", unit="Gy")
    activity_pct_of_planned: Float = column(
        "Activity given of that planned; null unless known of every target.", unit="%"
    )
    liver_pct: Float = column("Share of the liver's mass that was treated.", unit="%")
    reason: Text = column("Why no dose is computed.")


class CourseDoses(UnitedColumns):
    """One row per treated subject and compartment: the doses of the planned course together."""

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SessionDoses(UnitedColumns):
    """One row per session and compartment: the doses of the session's targets together."""

    session_number: Int = column("Number of the session.", key=True)
    rel_day: Int = column("Day from T0.", unit="days", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class Procedures(Mart):
    """One row per session of a treated subject: how it went."""

    session_number: Int = column("Number of the session.", key=True)
    rel_day: Int = column("Day from T0.", unit="days", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)
    device: Text = column("Device; `mixed` when both were used.", required=True, codes=DEVICES)
    n_targets: Int = column("Targets.", required=True, minimum=1)
    complete: Bool = column(
        "All that was prescribed went in, of every target; null where that is not recorded of one."
    )
    stopped_early: Bool = column(
        "The injection of a target was stopped early; null where that is not recorded of one."
    )
    activity_pct_of_planned: Float = column(
        "Activity given of that planned; null unless known of every target.", unit="%"
    )
    as_planned: Bool = column(
        "At least `dosimetry.delivered_pct` of the activity planned; null where not known."
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class DoseOutcomes(Mart):
    """One row per lesion or treated subject with a dose of the planned course, and outcome."""

    lesion_number: Int = column("The lesion, 0 for the subject.", key=True, minimum=0)
    measure: Text = column("Whose dose, computed or as recorded.", key=True, codes=DOSE_MEASURES)
    outcome: Text = column("What is asked.", key=True, codes=DOSE_OUTCOMES)
    level: Text = column("Unit.", required=True, codes=("lesion", "subject"))
    device: Text = column("Device; `mixed` when both were used.", required=True, codes=DEVICES)
    dose_gy: Float = column(
        "The dose: of a lesion that of the one target that holds it.", unit="Gy", required=True
    )
    happened: Bool = column("The outcome; null where it is not known.")
    tertile: Int = column(
        "Third of the doses of all treated with the same device, measure, outcome and level whose "
        "outcome is known; null where it is not.",
        minimum=1,
        maximum=3,
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
