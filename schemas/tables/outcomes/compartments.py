"""Doses to tumour and normal liver, and how sessions went, by device."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.dose_marts import COMPARTMENTS, DEVICES
from schemas.tables.outcomes.base import Outcome, proportion_of_sessions, statistic_id_column

MEASURES = (
    *(f"{c}_{what}" for c in COMPARTMENTS for what in ("dose_gy", "dose_gy_recorded")),
    "activity_pct_of_planned",
    "liver_pct",
)


class CompartmentDosimetry(Outcome):
    """One row per device, measure and grain; doses of two devices are never pooled."""

    device: Text = column(
        "Device; `mixed` where a course used both, `unknown` where one of its targets has none.",
        key=True,
        codes=DEVICES,
    )
    measure: Text = column(
        "Mean dose of a compartment, computed or as recorded; activity delivered of that planned; "
        "share of the liver treated.",
        key=True,
        codes=MEASURES,
    )
    grain: Text = column(
        "Each target; each session, or the planned course of each patient, over one volume.",
        key=True,
        codes=("target", "session", "subject"),
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units with a value.", required=True, minimum=0)
    total: Int = column("Units of the device.", required=True, minimum=0)
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    minimum: Float = column("Least.")
    maximum: Float = column("Greatest.")
    unit: Text = column("Unit.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median",
                    "{unit}",
                    "median",
                    "{measure} of {device} by {grain}",
                    n="n",
                    total="total",
                    lower="minimum",
                    upper="maximum",
                ),
            ),
        )


TECHNICAL = ("complete", "stopped_early", "as_planned")


class TechnicalSummary(Outcome):
    """One row per device, technical outcome and grain: of how many sessions, and of patients."""

    device: Text = column(
        "Device, or any; of a patient `mixed` where sessions differ.",
        key=True,
        codes=("any", *DEVICES),
    )
    measure: Text = column(
        "All that was prescribed went in; the injection was stopped early; at least "
        "`dosimetry.delivered_pct` of the activity planned was given.",
        key=True,
        codes=TECHNICAL,
    )
    grain: Text = column(
        "Each session, or each patient: every session of theirs, of `stopped_early` one of them.",
        key=True,
        codes=("session", "subject"),
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units with it.", required=True, minimum=0)
    total: Int = column("Units of which it is known.", required=True, minimum=0)
    n_unknown: Int = column(
        "Units of which it is not known: in neither count.", required=True, minimum=0
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower 95 % limit; null where no interval is to be had.", unit="%")
    upper: Float = column("Upper 95 % limit.", unit="%")
    method: Text = column("Method of the limits.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion_of_sessions("{measure}, {device}, by {grain}"),),
        )
