"""Marts of the level that a patient has of a factor, at T0 and later."""

from schemas.contract import Bool, Float, Int, Text, column, declares
from schemas.tables.mart_table import Mart


class FactorLevels(Mart):
    """One row per subject and prognostic or descriptive factor with a known level."""

    factor: Text = column("The factor.", key=True)
    endpoint: Text = column(
        "The endpoint for which the level holds; empty where it holds for the patient.",
        key=True,
        default="",
    )
    factor_level: Text = column("The subject's level.", required=True)
    level_number: Int = column(
        "Number of the level; 0 is the reference, the good level.", required=True, minimum=0
    )
    bad: Bool = column("The worse of two levels; null where the levels have no order.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SettledFactors(Mart):
    """One row per treated subject and factor that is settled only after T0.

    They are no levels of a patient at T0: whoever came to a second session has lived until then.
    """

    factor: Text = column("The factor.", key=True)
    factor_level: Text = column("The subject's level; null where it has a number and no limit.")
    level_number: Int = column("Number of the level; 0 is the reference.", minimum=0)
    number: Float = column("The number behind the level, where there is one.")
    from_day: Int = column(
        "Day from T0 on which the level was reached; before, the subject was at the reference. "
        "Null at the reference, and where the factor is a number that grows by none.",
        unit="days",
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
