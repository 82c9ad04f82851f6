"""Doses to tumour and normal liver, by device."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.dose_marts import COMPARTMENTS, DEVICES
from schemas.tables.outcomes.base import Outcome, statistic_id_column

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
        "Each target, or the planned course of each patient over one volume.",
        key=True,
        codes=("target", "subject"),
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
