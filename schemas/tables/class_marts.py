"""Marts of classes of response beside the best one: at time points."""

from schemas.contract import Bool, Int, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.mart_table import ORGANS, RESPONSES, Mart


class AtWindowColumns(Mart):
    """What classes at a time point share."""

    criterion: Text = column("Response criterion.", key=True, codes=CRITERIA)
    at_days: Int = column("Day from T0 that the time point aims at.", key=True, unit="days")
    response: Text = column("Class at the time point.", required=True, codes=RESPONSES)
    assessment_day: Int = column(
        "Day of the assessment nearest to it, or of the first PD up to its last day.", unit="days"
    )
    evaluable: Bool = column("The class is not NE.", required=True)
    reason: Text = column("Why it is not evaluable.")


class LesionResponseAtWindow(AtWindowColumns):
    """One row per index lesion of a treated subject, criterion and time point."""

    lesion_number: Int = column("Number of the lesion.", key=True)
    treated: Bool = column("A session treated its territory.", required=True, default=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SubjectResponseAtWindow(AtWindowColumns):
    """One row per treated subject, organ, criterion and time point."""

    organ: Text = column(
        "The whole patient, or the disease of one place.", key=True, codes=ORGANS, default="all"
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
