"""Adverse events of any term, by window."""

from schemas.contract import Float, Int, Text, column, declares
from schemas.records.field.event_windows import EVENT_WINDOWS
from schemas.tables.outcomes.base import Outcome, proportion, statistic_id_column

EVENT_CATEGORIES = ("any_event", "none", "grade_3", "serious", "related")


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
