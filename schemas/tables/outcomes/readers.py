"""Agreement of readers."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.outcomes.base import LEVELS, Outcome, statistic_id_column

COEFFICIENTS = ("cohen", "cohen_linear", "fleiss")
ALL_READERS = "all"


class ReaderAgreement(Outcome):
    """One row per criterion, level, pair of readers and coefficient; `all` is of all together."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    reader_a: Text = column("First reader; `all` for Fleiss's kappa.", key=True)
    reader_b: Text = column("Second reader; `all` for Fleiss's kappa.", key=True)
    coefficient: Text = column(
        "Cohen's kappa, the same with linear weights over CR, PR, SD and PD, or Fleiss's.",
        key=True,
        codes=COEFFICIENTS,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column(
        "Units that every one of the readers placed in CR, PR, SD or PD.", required=True, minimum=0
    )
    agreed: Int = column("Of them, in the same class by all.", required=True, minimum=0)
    kappa: Float = column("The coefficient, of best responses, unconfirmed.", maximum=1)
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
    method: Text = column("Method of the limits.", required=True)
    reason: Text = column("Why something is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "kappa",
                    "kappa",
                    "kappa",
                    "{coefficient} kappa of readers {reader_a} and {reader_b}, {criterion} by "
                    "{level}",
                    n="agreed",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="reader_agreement.{criterion}.{level}.{reader_a}.{reader_b}",
                ),
            ),
        )
