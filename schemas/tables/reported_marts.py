"""Marts of times that a source printed."""

from schemas.contract import Bool, ExactDays, Int, Text, column, declares
from schemas.tables.mart_table import Mart


class ReportedTimes(Mart):
    """One row per subject with a T0 and endpoint that its source reports."""

    endpoint: Text = column("Endpoint.", key=True)
    event: Bool = column("The event happened, as reported.", required=True)
    time_days: ExactDays = column("Reported time.", unit="days", required=True, minimum=0)
    derived_days: Int = column("Time that the dates give.", unit="days", minimum=0)
    derived_event: Bool = column("The event happened, by the dates.")
    use: Text = column(
        "Used, where the endpoint is not derivable; beside a derived one, which is used: agrees to "
        "the last place, or differs; unused, because nothing says that it starts at T0.",
        required=True,
        codes=("used", "agrees", "differs", "unused"),
    )
    source_row_id: Text = column("Row of registry.reported_endpoints.", required=True)

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
