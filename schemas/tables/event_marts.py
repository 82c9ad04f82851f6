"""Marts of adverse events, deaths by cause, where REILD was looked for, and other therapies."""

from schemas.contract import Bool, Int, Text, column, declares
from schemas.records.field.event_windows import EVENT_WINDOWS, PROCEDURE_WINDOWS
from schemas.tables.mart_table import Mart, codes_of
from schemas.tables.registry import Contacts, SubsequentTherapies


class EventColumns(Mart):
    """What a roll-up of adverse events says, of a patient or of a session."""

    time_window: Text = column("Window.", key=True)
    n_events: Int = column("Treatment-emergent events that began in it.", required=True, minimum=0)
    worst_grade: Int = column("Worst grade as recorded, in any version.", minimum=1, maximum=5)
    any_event: Bool = column("At least one; null where a date that decides cannot be read.")
    grade_3: Bool = column("One of grade 3 or worse; null where a grade that decides is missing.")
    serious: Bool = column("One recorded as serious; null where that is not recorded of one.")
    related: Bool = column("One attributed to treatment; null where that is not known of one.")


class SubjectEvents(EventColumns):
    """One row per treated subject of a site that delivers events, and window it was observed in."""

    time_window: Text = column("Window after treatment.", key=True, codes=EVENT_WINDOWS)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SessionEvents(EventColumns):
    """One row per session of a treated subject of a site that delivers events, and window.

    An event belongs to the last session on or before its first day. One without a day belongs to
    the only session; of several sessions it leaves each open.
    """

    session_number: Int = column("Number of the session.", key=True)
    time_window: Text = column(
        "Window after the session, up to the next one.", key=True, codes=PROCEDURE_WINDOWS
    )
    session_day: Int = column("Day of the session, from T0.", unit="days", required=True)
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)

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


ANY_THERAPY = "any"
TIMINGS = ("diagnosis", "prior", "subsequent")
CLASSES_OF_THERAPY = codes_of(SubsequentTherapies, "therapy_class")


class TherapyCourses(Mart):
    """One row per course of another therapy of a treated subject, before T0 or after it."""

    timing: Text = column("Begun before T0, or from T0 on.", key=True, codes=TIMINGS[1:])
    therapy_class: Text = column("Class of the therapy.", key=True, codes=CLASSES_OF_THERAPY)
    sequence: Int = column("Number among equals, as delivered.", key=True, default=1)
    place: Int = column(
        "Order among the subject's courses of this timing, undated ones last.", required=True
    )
    line: Int = column(
        "Line of this timing: courses that begin on one day are one line, an undated course is one "
        "of its own.",
        required=True,
    )
    line_of_class: Int = column("The same among the courses of this class.", required=True)
    start_day: Int = column(
        "First day from T0; null where it is known to the year alone, or not.", unit="days"
    )
    end_day: Int = column(
        "Last day from T0, at most T0 of a prior course; the first where none is given.",
        unit="days",
    )
    source_row_id: Text = column("Row of the registry table.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")


class SubjectTherapies(Mart):
    """One row per treated subject: what its site delivers of other therapies, and how many."""

    prior_delivered: Bool = column("The site delivers prior therapies.", required=True)
    n_prior: Int = column("Courses before T0; null where they are not delivered.", minimum=0)
    prior_lines: Int = column("Lines before T0.", minimum=0)
    subsequent_delivered: Bool = column("The site delivers subsequent therapies.", required=True)
    n_subsequent: Int = column("Courses from T0 on; null where not delivered.", minimum=0)
    subsequent_lines: Int = column("Lines from T0 on.", minimum=0)
    diagnosis_day: Int = column(
        "First diagnosis, from T0; null where it is known to the year alone, or not.", unit="days"
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
