"""Who was studied, how they were treated and followed, and what others published."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.outcomes.base import Outcome, statistic_id_column


class Attrition(Outcome):
    """One row per eligibility step, in order."""

    step: Int = column("Order of the step.", key=True, minimum=0)
    statistic_id: Text = statistic_id_column()
    rule_id: Text = column("The rule; `delivered` and `treated` open the table.", required=True)
    label: Text = column("The rule in words.", required=True)
    n_in: Int = column("Patients before the step.", required=True, minimum=0)
    n_excluded: Int = column("Excluded by it.", required=True, minimum=0)
    n_unknown: Int = column("Neither passed nor failed.", required=True, minimum=0)
    n_out: Int = column("Patients after the step.", required=True, minimum=0)
    note: Text = column("For instance: not specified by source; rows set aside when loading.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "n_out",
                    "patients",
                    "count",
                    "Patients after {rule_id}",
                    n="n_out",
                    total="n_in",
                    population="delivered.{population}",
                ),
            ),
        )


class BaselineCharacteristics(Outcome):
    """One row per variable, level and factor level: Table 1."""

    variable: Text = column("Variable.", key=True)
    level: Text = column("Level of a category; empty for a number.", key=True)
    factor: Text = column("Factor that splits the table; empty for overall.", key=True)
    factor_level: Text = column("Its level.", key=True)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients at the level, or with a value.", required=True, minimum=0)
    total: Int = column("Patients with a value.", required=True, minimum=0)
    missing: Int = column("Patients without.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    smd: Float = column("Standardised difference between the two levels of the factor.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic("pct", "%", "proportion", "{variable} {level}", n="n", total="total"),
                Statistic(
                    "median",
                    "",
                    "median",
                    "{variable}",
                    n="n",
                    total="total",
                    lower="q1",
                    upper="q3",
                ),
            ),
        )


class DosimetrySummary(Outcome):
    """One row per measure and grain."""

    measure: Text = column("Measure.", key=True)
    grain: Text = column("Unit of analysis.", key=True, codes=("target", "session", "subject"))
    patient_group: Text = column("Response or toxicity group; empty for overall.", key=True)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units.", required=True, minimum=0)
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    minimum: Float = column("Least.")
    maximum: Float = column("Greatest.")
    unit: Text = column("Unit.")
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
                    "{measure} by {grain} {patient_group}",
                    n="n",
                    total="n",
                    lower="minimum",
                    upper="maximum",
                ),
            ),
        )


class ProportionSummary(Outcome):
    """What simple proportions share."""

    measure: Text = column("Measure.", key=True)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Subjects with it.", minimum=0)
    total: Int = column("Subjects asked.", minimum=0)
    value: Float = column("Percentage, or median for a length of time.")
    lower: Float = column("Lower exact limit or quartile.")
    upper: Float = column("Upper exact limit or quartile.")
    unit: Text = column("Unit.", required=True)
    reason: Text = column("Why it is not derivable.")


class SymptomSummary(ProportionSummary):
    """One row per measure of symptom response."""

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "value",
                    "{unit}",
                    "proportion",
                    "{measure}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                ),
            ),
        )


class LiverFunctionSummary(ProportionSummary):
    """One row per measure of the change of liver function after treatment."""

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "value",
                    "{unit}",
                    "proportion",
                    "{measure}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                ),
            ),
        )


class AdherenceSummary(ProportionSummary):
    """One row per measure of follow-up adherence."""

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "value",
                    "{unit}",
                    "proportion",
                    "{measure}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                ),
            ),
        )


class LiteratureComparison(Outcome):
    """One row per published figure beside our own estimate."""

    figure_id: Text = column("The figure's id.", key=True)
    statistic_id: Text = statistic_id_column()
    series: Text = column("The publication.", required=True)
    quantity: Text = column("What was counted.", required=True)
    published: Text = column("As printed.", required=True)
    published_n: Int = column("Numerator, printed or derived.")
    published_total: Int = column("Denominator.")
    unit: Text = column("Unit.", required=True)
    method: Text = column("Their method.")
    own_statistic_id: Text = column("Our statistic of the same definition.")
    own_value: Float = column("Our value.")
    own_lower: Float = column("Lower limit.")
    own_upper: Float = column("Upper limit.")
    note: Text = column("What exactly they counted.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")
