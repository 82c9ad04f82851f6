"""Marts of laboratory results: every accepted one, those of time points, and tumour markers."""

from schemas.contract import Bool, Decimal, Float, Int, Text, column, declares
from schemas.records.analytes import ANALYTES
from schemas.records.field.markers import MARKERS
from schemas.tables.mart_table import Mart


class LabResults(Mart):
    """One row per accepted laboratory result of a treated subject, of any analyte."""

    analyte: Text = column("Analyte: our code, else the name as delivered.", key=True)
    rel_day: Int = column("Day from T0.", key=True, unit="days")
    sequence: Int = column("Number among the draws of the day.", key=True)
    value: Decimal = column("Result as delivered, in `unit`.", required=True)
    value_comparator: Text = column("Comparator of a censored result.")
    unit: Text = column("Unit as delivered; `unknown` where it is none of ours.", required=True)
    lower_limit: Decimal = column("Lower limit as delivered.")
    upper_limit: Decimal = column("Upper limit as delivered.")
    is_baseline: Bool = column("The last result of the analyte up to T0.", required=True)
    source_row_id: Text = column("Row of registry.labs.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts", published="labs")


QUANTITIES = (*ANALYTES, "ALBI", "Child-Pugh", "MELD")
"""What is followed over time: analytes, and scores of liver function."""


class LabTimePoints(Mart):
    """One row per treated subject, analyte or score, and time point with a result near it."""

    quantity: Text = column("Analyte, or score of liver function.", key=True, codes=QUANTITIES)
    at_days: Int = column(
        "Day from T0 that the time point aims at; 0 is before treatment.", key=True, unit="days"
    )
    value: Float = column("The result that counts, in the analyte's own unit, or the score.")
    value_day: Int = column("Its day.", unit="days")
    baseline_value: Float = column("The value of time point 0.")
    change: Float = column("Value less baseline, to nine decimals; null at time point 0.")
    reason: Text = column("Why there is no value.", codes=("censored_or_unknown_unit",))
    source_row_id: Text = column("Row of registry.labs; null of a score, which has several.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class MarkerResponse(Mart):
    """One row per treated subject and tumour marker with a baseline, at best and at time points."""

    marker: Text = column("Tumour marker.", key=True, codes=MARKERS)
    at_days: Int = column(
        "Day from T0 that the time point aims at; 0 is the best of the window.",
        key=True,
        unit="days",
    )
    baseline_value: Decimal = column("Last result up to T0, in `unit`.", required=True)
    unit: Text = column("Unit of the baseline; `unknown` where it is none of ours.", required=True)
    upper_limit: Decimal = column("Upper limit of normal of the baseline, in `unit`.")
    elevated: Bool = column("The baseline lies above its upper limit; null where not known.")
    value: Decimal = column("The result that decides, in its own unit.")
    result_day: Int = column("Day of it.", unit="days")
    change_pct: Float = column("Change from the baseline, in the same unit.", unit="%")
    fell: Bool = column("Fallen from the baseline by the setting's share or more.")
    normalised: Bool = column("At most the upper limit of normal of its own row.")
    evaluable: Bool = column(
        "The baseline was elevated, and it is known whether it fell.", required=True
    )
    reason: Text = column("Why it is not evaluable.")
    source_row_id: Text = column("Row of registry.labs that decides.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
