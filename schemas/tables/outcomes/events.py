"""Adverse events of any term by window, and other therapies before and after treatment."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.field.event_windows import EVENT_WINDOWS, PROCEDURE_WINDOWS
from schemas.tables.event_marts import ANY_THERAPY, CLASSES_OF_THERAPY, TIMINGS
from schemas.tables.outcomes.base import (
    Outcome,
    proportion,
    proportion_of_sessions,
    statistic_id_column,
)

EVENT_CATEGORIES = ("any_event", "none", "grade_3", "serious", "related")
CAUSES_OF_NEXT = (*CLASSES_OF_THERAPY, "death")


class EventSummary(Outcome):
    """One row per window and kind of event."""

    time_window: Text = column("Window after treatment.", key=True, codes=EVENT_WINDOWS)
    category: Text = column(
        "At least one event, none, one of grade 3 or worse, a serious or a related one.",
        key=True,
        codes=EVENT_CATEGORIES,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients of whom it is certain.", required=True, minimum=0)
    total: Int = column(
        "Treated patients of sites that deliver events; of a late window those observed into it.",
        required=True,
        minimum=0,
    )
    n_unknown: Int = column(
        "Of them, those of whom it is not known: counted as not.", required=True, minimum=0
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion("{category} in {time_window}"),),
        )


class ProcedureEvents(Outcome):
    """One row per window after a session and kind of event: of how many sessions."""

    time_window: Text = column(
        "Window after each session, up to the next one.", key=True, codes=PROCEDURE_WINDOWS
    )
    category: Text = column(
        "At least one event, none, one of grade 3 or worse, a serious or a related one.",
        key=True,
        codes=EVENT_CATEGORIES,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Sessions of which it is certain.", required=True, minimum=0)
    total: Int = column(
        "Sessions of treated patients of sites that deliver events.", required=True, minimum=0
    )
    n_patients: Int = column("Patients of these sessions.", required=True, minimum=0)
    n_unknown: Int = column(
        "Of the sessions, those of which it is not known: counted as not.", required=True, minimum=0
    )
    n_events: Int = column("Events in the window, of all sessions.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower 95 % limit; null where no interval is to be had.", unit="%")
    upper: Float = column("Upper 95 % limit.", unit="%")
    method: Text = column("Method of the limits.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion_of_sessions("{category} in {time_window}, by session"),),
        )


class TherapySummary(Outcome):
    """One row per timing and class: who had it, how many lines, and how long before or after T0."""

    timing: Text = column(
        "Before T0, from T0 on; of the diagnosis, whether its date is known.",
        key=True,
        codes=TIMINGS,
    )
    therapy_class: Text = column(
        "Class, or any.", key=True, codes=(ANY_THERAPY, *CLASSES_OF_THERAPY)
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients with at least one course.", required=True, minimum=0)
    total: Int = column(
        "Treated patients of sites that deliver the table.", required=True, minimum=0
    )
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    n_courses: Int = column("Courses.", required=True, minimum=0)
    lines: Float = column("Median number of lines of those who had it.")
    q1_lines: Float = column("Lower quartile (type 7).")
    q3_lines: Float = column("Upper quartile (type 7).")
    n_dated: Int = column("Of the patients, those with a dated interval.", required=True, minimum=0)
    interval_months: Float = column(
        "Median interval: from the diagnosis or the end of the last prior course to T0, or from T0 "
        "to the first subsequent one.",
        unit="months",
    )
    q1_months: Float = column("Lower quartile (type 7).", unit="months")
    q3_months: Float = column("Upper quartile (type 7).", unit="months")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                proportion("Treated otherwise, {timing}: {therapy_class}"),
                Statistic(
                    "lines",
                    "lines",
                    "median",
                    "Lines, {timing}: {therapy_class}",
                    n="n",
                    total="total",
                    lower="q1_lines",
                    upper="q3_lines",
                ),
                Statistic(
                    "interval_months",
                    "months",
                    "median",
                    "Interval to T0, {timing}: {therapy_class}",
                    n="n_dated",
                    total="n",
                    lower="q1_months",
                    upper="q3_months",
                ),
            ),
        )


class NextTherapy(Outcome):
    """One row per class of the next therapy, or death, and landmark: what came first."""

    cause: Text = column(
        "Class of the first therapy after T0, or death before any.", key=True, codes=CAUSES_OF_NEXT
    )
    months: Int = column("Landmark in months of 30.4375 days.", key=True, unit="months")
    statistic_id: Text = statistic_id_column()
    incidence: Float = column("Share that has had this first (Aalen-Johansen).", unit="1")
    lower: Float = column("Lower limit.", unit="1")
    upper: Float = column("Upper limit.", unit="1")
    at_risk: Int = column("At risk at the landmark.", required=True, minimum=0)
    n: Int = column("Patients.", required=True, minimum=0)
    events: Int = column("Patients with this first, whenever.", required=True, minimum=0)
    reason: Text = column("Why it is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "incidence",
                    "1",
                    "Aalen-Johansen",
                    "Next therapy {cause} by {months} months",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="next_therapy.{cause}",
                ),
            ),
        )
