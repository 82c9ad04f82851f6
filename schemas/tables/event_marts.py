"""Marts of adverse events of any term."""

from schemas.contract import Bool, Int, Text, column, declares
from schemas.records.field.event_windows import EVENT_WINDOWS
from schemas.tables.mart_table import Mart


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
