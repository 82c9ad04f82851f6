"""Marts of classes of response beside the best one: at time points, and as recorded."""

from schemas.contract import Bool, Int, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.mart_table import ORGANS, RESPONSES, Mart, codes_of
from schemas.tables.registry import RECORDED, RecordedResponses

RECORDED_CRITERIA = (*CRITERIA, "unspecified")
RECORDED_ORGANS = ORGANS[:2]
"""A class is recorded of the whole patient, or of the liver alone."""
SOURCES = codes_of(RecordedResponses, "source")


CHOSEN = ("named", "first", "agreed", "adjudicated", "not_adjudicated", "one_reader")


class CountedReaders(Mart):
    """One row per subject: the reader whose reading of the scans counts, by `reading.rule`."""

    reader: Text = column("The reader, as in registry.scans.", required=True)
    chosen: Text = column(
        "How: named in the settings; the first who read; both readers agree; the adjudicator "
        "decided; nobody adjudicated, the first stands; or only one of them read.",
        required=True,
        codes=CHOSEN,
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


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


class RecordedColumns(Mart):
    """What recorded classes share."""

    criterion: Text = column(
        "Criterion as recorded, or `unspecified`.", key=True, codes=RECORDED_CRITERIA
    )
    organ: Text = column(
        "The whole patient, or the liver alone.", key=True, codes=RECORDED_ORGANS, default="all"
    )


class RecordedAssessments(RecordedColumns):
    """One row per subject, organ, criterion, reader and day after T0 with a recorded class."""

    reader: Text = column("Who classed.", key=True, default="local")
    rel_day: Int = column("Day from T0 of the assessment.", key=True, unit="days")
    response: Text = column("Class as recorded.", required=True, codes=RECORDED)
    source: Text = column("Where the class is from.", codes=SOURCES)
    rule: Text = column("`recorded`, or `recorded_as_ne`.", required=True, default="recorded")
    in_window: Bool = column(
        "Up to the reader's first recorded PD, and to the day that other treatment began.",
        required=True,
        default=True,
    )
    source_row_id: Text = column("Row of registry.recorded_responses.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class RecordedResponse(RecordedColumns):
    """One row per treated subject, organ and criterion of a site that records classes of it."""

    best_response: Text = column(
        "Best recorded class in the window.", required=True, codes=RECORDED
    )
    best_response_day: Int = column("Earliest day of the best response.", unit="days")
    first_response_day: Int = column("Day of the first recorded CR or PR.", unit="days")
    progression_day: Int = column(
        "Day of the first recorded PD, in the window or not.", unit="days"
    )
    last_evaluable_day: Int = column("Last class other than NE in the window.", unit="days")
    evaluable: Bool = column("At least one class other than NE in the window.", required=True)
    reason: Text = column("Why it is not evaluable.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class RecordedResponseAtWindow(RecordedColumns):
    """One row per treated subject, organ, recorded criterion and time point."""

    at_days: Int = column("Day from T0 that the time point aims at.", key=True, unit="days")
    response: Text = column("Recorded class at the time point.", required=True, codes=RECORDED)
    assessment_day: Int = column(
        "Day of the class nearest to it, or of the first PD up to its last day.", unit="days"
    )
    evaluable: Bool = column("The class is not NE.", required=True)
    reason: Text = column("Why it is not evaluable.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


PROGRESSION_AGREEMENTS = (
    "same_day",
    "recorded_earlier",
    "recorded_later",
    "recorded_only",
    "derived_only",
    "neither",
)


class ProgressionDifferences(Mart):
    """One row per treated subject of whom progression is both derived and recorded."""

    derived_day: Int = column("First derived progression, from T0.", unit="days")
    recorded_day: Int = column("First recorded progression, from T0.", unit="days")
    days_apart: Int = column("Recorded less derived, where there are both.", unit="days")
    agreement: Text = column(
        "How the two stand: on one day, the recorded one before or after, only one of them, none.",
        required=True,
        codes=PROGRESSION_AGREEMENTS,
    )
    derived_row_id: Text = column("Row of the deciding scan.")
    recorded_row_id: Text = column("Row of registry.recorded_responses.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
