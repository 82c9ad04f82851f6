"""Marts of adverse events of any term, of deaths by cause, and of where REILD was looked for."""

from schemas.contract import Bool, Int, Text, column, declares
from schemas.records.field.event_windows import EVENT_WINDOWS
from schemas.tables.mart_table import Mart, codes_of
from schemas.tables.registry import Contacts


class SubjectEvents(Mart):
    """One row per treated subject of a site that delivers events, and window it was observed in."""

    time_window: Text = column("Window after treatment.", key=True, codes=EVENT_WINDOWS)
    n_events: Int = column("Treatment-emergent events that began in it.", required=True, minimum=0)
    worst_grade: Int = column("Worst grade as recorded, in any version.", minimum=1, maximum=5)
    any_event: Bool = column("At least one; null where a date that decides cannot be read.")
    grade_3: Bool = column("One of grade 3 or worse; null where a grade that decides is missing.")
    serious: Bool = column("One recorded as serious; null where that is not recorded of one.")
    related: Bool = column("One attributed to treatment; null where that is not known of one.")

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class Deaths(Mart):
    """One row per treated subject whom a delivered row calls dead, with the recorded cause."""

    rel_day: Int = column("Day of death; null where no date can be believed.", unit="days")
    cause: Text = column(
        "Recorded cause; `unknown` where none is recorded, or where two are.",
        required=True,
        codes=codes_of(Contacts, "cause_of_death"),
    )
    treatment_related: Bool = column(
        "Recorded as due to treatment, or a fatal event attributed to it; null where no cause is "
        "known."
    )
    reason: Text = column(
        "Why the cause is unknown.", codes=("not_recorded", "recorded_unknown", "conflicting")
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SubjectReild(Mart):
    """One row per treated subject of a site that delivers laboratory results.

    The picture of REILD is for adjudication: nothing here is a diagnosis.
    """

    observed: Bool = column(
        "A bilirubin was measured in the days of REILD after a session.", required=True
    )
    candidate: Bool = column(
        "Meets the picture, and nothing explains it otherwise; null where not observed."
    )
    excluded: Bool = column(
        "Meets the picture in some course, and each time something explains it otherwise; null "
        "where not observed."
    )
    braat_grade: Int = column(
        "Greatest of the least grades that the records support.", minimum=3, maximum=5
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
