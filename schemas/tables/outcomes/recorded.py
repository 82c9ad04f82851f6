"""Responses as recorded, counted, and how far they agree with the derived ones."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.class_marts import (
    PROGRESSION_AGREEMENTS,
    RECORDED_CRITERIA,
    RECORDED_ORGANS,
)
from schemas.tables.mart_table import RESPONSES
from schemas.tables.outcomes.base import Outcome, proportion, statistic_id_column
from schemas.tables.outcomes.clinical import AT_WINDOW_CATEGORIES, RATES
from schemas.tables.registry import RECORDED

COEFFICIENTS = ("cohen", "cohen_linear")


class RecordedResponseSummary(Outcome):
    """One row per recorded criterion, organ, time point and category."""

    criterion: Text = column(
        "Criterion as recorded, or `unspecified`.", key=True, codes=RECORDED_CRITERIA
    )
    organ: Text = column("The whole patient, or the liver alone.", key=True, codes=RECORDED_ORGANS)
    at_days: Int = column(
        "Day from T0 that the time point aims at; 0 is the best response of the window.",
        key=True,
        unit="days",
    )
    category: Text = column(
        "Recorded class or a union of classes.", key=True, codes=AT_WINDOW_CATEGORIES
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients in the category; null where none could be evaluated.", minimum=0)
    total: Int = column(
        "Treated patients of sites that recorded it; not evaluable ones count as non-responders.",
        required=True,
    )
    n_evaluable: Int = column("Evaluable patients.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    pct_evaluable: Float = column("n of evaluable.", unit="%")
    lower_evaluable: Float = column("Lower exact 95 % limit.", unit="%")
    upper_evaluable: Float = column("Upper exact 95 % limit.", unit="%")
    method: Text = column("Method of the interval.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                proportion(
                    "recorded {criterion} {category} at {at_days} days (0: best), {organ} organ",
                    made_of=RATES,
                ),
            ),
        )


class RecordedAgreement(Outcome):
    """One row per criterion, organ and pair of best responses, recorded and derived."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    organ: Text = column("The whole patient, or the liver alone.", key=True, codes=RECORDED_ORGANS)
    recorded: Text = column("Best response as recorded.", key=True, codes=RECORDED)
    derived: Text = column("Best response derived, unconfirmed.", key=True, codes=RESPONSES)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients in both.", required=True, minimum=0)

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "n",
                    "patients",
                    "count",
                    "{criterion} recorded {recorded} and derived {derived}, {organ} organ",
                    n="n",
                ),
            ),
        )


class RecordedKappa(Outcome):
    """One row per criterion, organ and coefficient: recorded beside derived best responses."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    organ: Text = column("The whole patient, or the liver alone.", key=True, codes=RECORDED_ORGANS)
    coefficient: Text = column(
        "Cohen's kappa, or the same with linear weights over CR, PR, SD and PD.",
        key=True,
        codes=COEFFICIENTS,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column(
        "Patients whose recorded and derived classes are both CR, PR, SD or PD.",
        required=True,
        minimum=0,
    )
    agreed: Int = column("Of them, in the same class.", required=True, minimum=0)
    kappa: Float = column("The coefficient, of best responses, unconfirmed.", maximum=1)
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
    method: Text = column("Method of the limits.", required=True)
    reason: Text = column("Why something is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "kappa",
                    "1",
                    "kappa",
                    "{coefficient} kappa of recorded and derived best response, {criterion}, "
                    "{organ} organ",
                    n="agreed",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="recorded_kappa.{criterion}.{organ}",
                ),
            ),
        )


class RecordedProgression(Outcome):
    """One row per way in which recorded and derived progression agree or differ."""

    agreement: Text = column(
        "On one day, the recorded one before or after, only one of them, none.",
        key=True,
        codes=PROGRESSION_AGREEMENTS,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients.", required=True, minimum=0)
    total: Int = column("Patients of whom both are derivable.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    median_days_apart: Float = column(
        "Median of recorded less derived days, where there are both.", unit="days"
    )
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion("recorded beside derived progression: {agreement}"),),
        )
