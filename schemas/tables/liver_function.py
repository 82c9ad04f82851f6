"""Marts of liver function after treatment."""

from schemas.contract import Bool, Float, Int, Text, column, declares
from schemas.tables.mart_table import Mart

LIVER_CLASSES = ("1", "2", "3", "A", "B", "C", "06-09", "10-19", "20-29", "30-39", "40")
"""Grades of ALBI, classes of Child-Pugh, bands of MELD; each better before worse."""


class LiverFunctionChanges(Mart):
    """One row per session of a treated subject and score of liver function."""

    session_number: Int = column("The session that the days belong to.", key=True)
    score: Text = column("Score of liver function.", key=True, codes=("ALBI", "Child-Pugh", "MELD"))
    course: Int = column("1 for the planned course, higher for re-treatment.", required=True)
    baseline_value: Float = column(
        "Score of the last values up to the first session of the course: ALBI, points, or MELD."
    )
    baseline_class: Text = column(
        "Their ALBI grade, Child-Pugh class or band of MELD.", codes=LIVER_CLASSES
    )
    worst_value: Float = column("The greatest after the session, in the days of REILD.")
    worst_class: Text = column("Its grade, class or band.", codes=LIVER_CLASSES)
    worst_day: Int = column("Earliest day from T0 of the greatest.", unit="days")
    worse: Bool = column(
        "A worse grade, class or band than before; null where either is not known."
    )
    reason: Text = column(
        "Why there is no change to tell: an item is missing before the course or after it.",
        codes=("no_baseline", "no_later_score"),
    )

    class Config:
        """Row level."""

        metadata = declares(schema="marts")
