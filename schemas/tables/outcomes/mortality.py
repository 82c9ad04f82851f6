"""Early mortality."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.outcomes.base import Outcome, statistic_id_column


class EarlyMortality(Outcome):
    """One row per day by which deaths of any cause are counted."""

    days: Int = column("Days from T0.", key=True, unit="days")
    statistic_id: Text = statistic_id_column()
    n: Int = column("Deaths of any cause up to the day.", required=True, minimum=0)
    total: Int = column("Patients dead up to the day or followed to it.", required=True, minimum=0)
    n_not_followed: Int = column(
        "Patients whose observation ended before the day: in neither count.",
        required=True,
        minimum=0,
    )
    n_undated: Int = column(
        "Of them, those dead at a date that is not known.", required=True, minimum=0
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    km_pct: Float = column("1 - Kaplan-Meier at the day, of all treated.", unit="%")
    km_lower: Float = column("Lower limit.", unit="%")
    km_upper: Float = column("Upper limit.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "pct",
                    "%",
                    "proportion",
                    "Mortality at {days} days, of those dead or followed so far",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                ),
                Statistic(
                    "km_pct",
                    "%",
                    "1 - Kaplan-Meier",
                    "Mortality at {days} days, 1 - Kaplan-Meier",
                    lower="km_lower",
                    upper="km_upper",
                    numerator="",
                ),
            ),
        )
