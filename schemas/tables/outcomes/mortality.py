"""Early mortality, deaths by their cause, and candidates for REILD."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.event_marts import Deaths
from schemas.tables.mart_table import codes_of
from schemas.tables.outcomes.base import Outcome, proportion, statistic_id_column


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
                proportion("Mortality at {days} days, of those dead or followed so far"),
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


DEATH_CATEGORIES = (*codes_of(Deaths, "cause"), "treatment_related")
REILD_CATEGORIES = ("candidate", "grade_3", "grade_4", "grade_5", "excluded")


class DeathCauses(Outcome):
    """One row per time and cause: deaths of that recorded cause."""

    time_window: Text = column("Up to a day from T0, `d30`, or at any time, `any`.", key=True)
    cause: Text = column(
        "Recorded cause; `treatment_related` is also a fatal event attributed to treatment.",
        key=True,
        codes=DEATH_CATEGORIES,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Deaths of the cause.", required=True, minimum=0)
    n_deaths: Int = column("Deaths of any cause.", required=True, minimum=0)
    total: Int = column(
        "Patients dead up to the day or followed to it; at any time, all treated.",
        required=True,
        minimum=0,
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion("Deaths of {cause}, {time_window}"),),
        )


class ReildSummary(Outcome):
    """One row per kind of finding in the days of REILD: candidates, for adjudication."""

    category: Text = column(
        "Candidate, by the least grade that the records support, or explained otherwise.",
        key=True,
        codes=REILD_CATEGORIES,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients.", required=True, minimum=0)
    total: Int = column(
        "Treated patients with a bilirubin in the days of REILD after a session.",
        required=True,
        minimum=0,
    )
    n_not_observed: Int = column(
        "Treated patients of these sites without one: in neither count.", required=True, minimum=0
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion("REILD, for adjudication: {category}"),),
        )
