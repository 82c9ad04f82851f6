"""Tumour markers after treatment."""

from schemas.contract import Float, Int, Text, column, declares
from schemas.records.field.markers import MARKERS
from schemas.tables.outcomes.base import Outcome, proportion, statistic_id_column

MARKER_CATEGORIES = ("fall", "normalised")


class MarkerSummary(Outcome):
    """One row per tumour marker, time point and category."""

    marker: Text = column("Tumour marker.", key=True, codes=MARKERS)
    at_days: Int = column(
        "Day from T0 that the time point aims at; 0 is the best of the window.",
        key=True,
        unit="days",
    )
    category: Text = column(
        "Fallen by the setting's share or more, or back in the limits of normal.",
        key=True,
        codes=MARKER_CATEGORIES,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients in the category.", required=True, minimum=0)
    total: Int = column(
        "Patients whose baseline lies above its upper limit; those of whom it is not known count "
        "as not in the category.",
        required=True,
        minimum=0,
    )
    n_evaluable: Int = column("Of them, those of whom it is known.", required=True, minimum=0)
    n_baseline: Int = column(
        "Patients with a baseline of the marker, elevated or not.", required=True, minimum=0
    )
    n_without_limit: Int = column(
        "Of them, those whose baseline has no upper limit or is censored: in no total.",
        required=True,
        minimum=0,
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    pct_evaluable: Float = column("n of evaluable.", unit="%")
    lower_evaluable: Float = column("Lower exact 95 % limit.", unit="%")
    upper_evaluable: Float = column("Upper exact 95 % limit.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                proportion(
                    "{marker} {category} at {at_days} days (0: best), of those above the limit"
                ),
            ),
        )
