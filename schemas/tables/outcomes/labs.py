"""Laboratory values and scores of liver function over time."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.lab_marts import QUANTITIES
from schemas.tables.outcomes.base import Outcome, statistic_id_column

PAIRED = "lab_changes.{quantity}.{at_days}.paired"
"""The set of those with a value before treatment and at the time point."""


class LabChanges(Outcome):
    """One row per analyte or score of liver function, and time point."""

    quantity: Text = column("Analyte, or score of liver function.", key=True, codes=QUANTITIES)
    at_days: Int = column(
        "Day from T0 that the time point aims at; 0 is before treatment.", key=True, unit="days"
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients with a value.", required=True, minimum=0)
    total: Int = column(
        "Patients with a result, those without a known value too: censored, or of a unit that is "
        "none of ours.",
        required=True,
        minimum=0,
    )
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    n_pairs: Int = column("Patients with a value before treatment, too.", required=True, minimum=0)
    n_equal: Int = column("Of them, those whose value is the same.", required=True, minimum=0)
    median_change: Float = column("Median of each patient's change.")
    q1_change: Float = column("Lower quartile of the changes (type 7).")
    q3_change: Float = column("Upper quartile of the changes (type 7).")
    v: Float = column("Sum of the ranks of the rises (Wilcoxon's V).", minimum=0)
    p: Float = column(
        "Wilcoxon's signed rank test of the changes, two-sided.", minimum=0, maximum=1
    )
    method: Text = column("How p was made.")
    unit: Text = column("Unit.", required=True)
    reason: Text = column("Why something is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median",
                    "{unit}",
                    "median",
                    "{quantity} at {at_days} days (0: before treatment)",
                    n="n",
                    total="total",
                    lower="q1",
                    upper="q3",
                ),
                Statistic(
                    "median_change",
                    "{unit}",
                    "median",
                    "Change of {quantity} from before treatment to {at_days} days",
                    n="n_pairs",
                    total="n",
                    lower="q1_change",
                    upper="q3_change",
                    numerator=PAIRED,
                ),
                Statistic(
                    "p",
                    "p",
                    "Wilcoxon signed rank, {method}",
                    "Change of {quantity} from before treatment to {at_days} days, p",
                    n="n_pairs",
                    total="n",
                    numerator=PAIRED,
                ),
            ),
        )
