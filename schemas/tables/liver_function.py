"""Marts of liver function after treatment."""

from schemas.contract import Bool, Float, Int, Text, column, declares
from schemas.tables.mart_table import Mart


class LiverFunctionChanges(Mart):
    """One row per session of a treated subject and score of liver function."""

    session_number: Int = column("The session that the days belong to.", key=True)
    score: Text = column("Score of liver function.", key=True, codes=("ALBI", "Child-Pugh"))
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)
    baseline_value: Float = column(
        "ALBI score or Child-Pugh points of the last values up to the first session of the course."
    )
    baseline_class: Text = column(
        "Their ALBI grade or Child-Pugh class.", codes=("1", "2", "3", "A", "B", "C")
    )
    worst_value: Float = column("The greatest after the session, in the days of REILD.")
    worst_class: Text = column("Its grade or class.", codes=("1", "2", "3", "A", "B", "C"))
    worst_day: Int = column("Earliest day from T0 of the greatest.", unit="days")
    worse: Bool = column("A worse grade or class than before; null where either is not known.")
    reason: Text = column(
        "Why there is no change to tell: an item is missing before the course or after it.",
        codes=("no_baseline", "no_later_score"),
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
