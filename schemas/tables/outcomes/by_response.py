"""Survival by response: at landmarks, by a response that comes with time, and the wrong way."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.mart_table import RESPONSES
from schemas.tables.outcomes.base import Outcome, statistic_id_column

RESPONDERS = "responders"
OTHERS = "others"
MEANT: dict[str, tuple[str, ...]] = {
    RESPONDERS: ("CR", "PR"),
    OTHERS: ("SD", "NON-CR/NON-PD", "PD"),
}
"""The two groups of which the hazards are compared; who is not evaluable is in neither."""
METHODS = ("landmark", "time_dependent", "immortal_time")
GROUPS = (*RESPONSES, *MEANT)


class SurvivalByResponse(Outcome):
    """One row per endpoint, criterion, method, landmark and group of patients."""

    endpoint: Text = column("Endpoint.", key=True)
    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    method: Text = column(
        "`landmark`: by the best response up to a day, of those alive and followed beyond it. "
        "`time_dependent`: from the day of the response on. `immortal_time`: by the best response "
        "of all, from T0; it is wrong, as responders cannot die before they respond.",
        key=True,
        codes=METHODS,
    )
    at_days: Int = column("Landmark in days from T0; 0 where there is none.", key=True, unit="days")
    category: Text = column(
        "Best response; `responders` are CR and PR, `others` the other evaluable ones (with "
        "`time_dependent` everyone until the response).",
        key=True,
        codes=GROUPS,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Patients in the group.", required=True, minimum=0)
    events: Int = column("Events in it, after the landmark.", required=True, minimum=0)
    median_months: Float = column(
        "Median from the landmark on; null when not reached and with `time_dependent`, where "
        "patients change groups.",
        unit="months",
    )
    lower: Float = column("Lower limit (Brookmeyer-Crowley).", unit="months")
    upper: Float = column("Upper limit; null when not reached.", unit="months")
    hr: Float = column("Hazard ratio of responders against the others (Cox).")
    hr_lower: Float = column("Lower limit.")
    hr_upper: Float = column("Upper limit.")
    hr_p: Float = column("Its Wald p.", minimum=0, maximum=1)
    left_out_dead: Int = column(
        "Patients with the event up to the landmark, in no group.", required=True, minimum=0
    )
    left_out_censored: Int = column(
        "Patients whose observation ended up to the landmark, in no group.",
        required=True,
        minimum=0,
    )
    caution: Text = column("What a reader must know of the method.")
    reason: Text = column("Why something is null, or `reference`.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median_months",
                    "months",
                    "Kaplan-Meier, {method}",
                    "Median {endpoint} of {category} by {criterion}, {method} at {at_days} days",
                    n="n",
                    total="n",
                    lower="lower",
                    upper="upper",
                    made_of=(
                        # until the response everyone is one of the others
                        (
                            {"category": OTHERS, "method": "time_dependent"},
                            ({"category": RESPONDERS}, {"category": OTHERS}),
                        ),
                        *(
                            (
                                {"category": group, "method": method},
                                tuple({"category": c} for c in classes),
                            )
                            for group, classes in MEANT.items()
                            for method in ("landmark", "immortal_time")
                        ),
                    ),
                ),
                Statistic(
                    "hr",
                    "ratio",
                    "Cox, {method}",
                    "Hazard ratio for {endpoint} of {category} by {criterion}, {method} at "
                    "{at_days} days",
                    n="events",
                    total="n",
                    lower="hr_lower",
                    upper="hr_upper",
                    numerator="",
                ),
            ),
        )
