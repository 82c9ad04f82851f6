"""The registry's own model of survival, a check of linearity, survival from the course's end."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.tables.outcomes.base import Outcome, statistic_id_column

ENTERED = ("levels", "per_unit", "time_dependent", "stratum", "left_out", "whole")


class PrognosisModels(Outcome):
    """One row per endpoint, term and level of the registry's own model."""

    endpoint: Text = column("Endpoint.", key=True)
    term: Text = column("Factor; `global` is the model as a whole.", key=True)
    factor_level: Text = column(
        "Its level; empty of a number, of a stratum and of what is left out.", key=True
    )
    statistic_id: Text = statistic_id_column()
    entered: Text = column(
        "How it entered: by levels, per unit of its number (linear), as a level that comes with "
        "time, as a stratum with a baseline hazard of its own, or not at all.",
        required=True,
        codes=ENTERED,
    )
    start: Text = column("Where the clock starts.", required=True, codes=("t0", "course_end"))
    reference: Text = column("Level that it is compared with; of a number, its unit.")
    n_level: Int = column("Subjects at the level in the model, some time or other.", minimum=0)
    events_level: Int = column("Events at the level.", minimum=0)
    coef: Float = column("Log hazard ratio.")
    se: Float = column("Its standard error.")
    hr: Float = column("Hazard ratio; of a number, per unit.")
    lower: Float = column("Lower limit (Wald).")
    upper: Float = column("Upper limit (Wald).")
    p: Float = column("Wald p.", minimum=0, maximum=1)
    p_alone: Float = column(
        "Likelihood-ratio p of the term alone, with the same clock and strata: what selection "
        "looks at.",
        minimum=0,
        maximum=1,
    )
    n: Int = column("Subjects in the model.", required=True, minimum=0)
    events: Int = column("Events in the model.", required=True, minimum=0)
    missing: Int = column("Subjects left out for a missing covariate.", required=True, minimum=0)
    left_out_dead: Int = column(
        "Subjects with the event up to the clock's start, in no model.", required=True, minimum=0
    )
    left_out_censored: Int = column(
        "Subjects whose observation ended up to the clock's start, or of whom it is not known.",
        required=True,
        minimum=0,
    )
    coefficients: Int = column("Coefficients of the model.", required=True, minimum=0)
    events_per_variable: Float = column("Events per coefficient.")
    ph_chi2: Float = column("Proportional hazards: score test of the term's coefficients together.")
    ph_df: Int = column("Its degrees of freedom.")
    ph_p: Float = column("Its p.", minimum=0, maximum=1)
    reason: Text = column("Why something is null, a warning, or `reference`.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "hr",
                    "ratio",
                    "Cox, Efron's ties",
                    "Hazard ratio for {endpoint}, own model: {term} {factor_level}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="",
                ),
            ),
        )


class PrognosisResiduals(Outcome):
    """One row per endpoint, number in the registry's own model, and fifth of its values.

    Residuals of the model without the term: where its effect is linear their means lie on a line.
    """

    endpoint: Text = column("Endpoint.", key=True)
    term: Text = column("Factor that entered per unit.", key=True)
    fifth: Int = column("Fifth of the values, equal ones together.", key=True, minimum=1, maximum=5)
    n: Int = column("Subjects.", required=True, minimum=0)
    mean_value: Float = column("Mean of the values.", required=True)
    mean_residual: Float = column(
        "Mean martingale residual: above 0, more events than expected.", required=True
    )

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class SurvivalBySettledFactor(Outcome):
    """One row per endpoint, factor settled by the end of the planned course, and level.

    Time counts from the last session of the planned course, of those observed beyond it without the
    event: who came to it has lived until then.
    """

    endpoint: Text = column("Endpoint.", key=True)
    factor: Text = column("Factor.", key=True)
    factor_level: Text = column("Its level.", key=True)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Subjects at the level.", required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    missing: Int = column("Subjects without the factor.", required=True, minimum=0)
    median_months: Float = column(
        "Median from the end of the planned course; null when not reached.", unit="months"
    )
    lower: Float = column("Lower limit (Brookmeyer-Crowley).", unit="months")
    upper: Float = column("Upper limit; null when not reached.", unit="months")
    chi2: Float = column("Log-rank statistic.")
    df: Int = column("Degrees of freedom.")
    p: Float = column("Log-rank p.", minimum=0, maximum=1)
    hr: Float = column("Hazard ratio against the reference.")
    hr_lower: Float = column("Lower limit.")
    hr_upper: Float = column("Upper limit.")
    left_out_dead: Int = column(
        "Subjects with the event up to the end of the course, in no group.",
        required=True,
        minimum=0,
    )
    left_out_censored: Int = column(
        "Subjects whose observation ended up to the end of the course, in no group.",
        required=True,
        minimum=0,
    )
    reason: Text = column("Why something is null, or `reference`.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median_months",
                    "months",
                    "Kaplan-Meier from the end of the course",
                    "Median {endpoint} from the end of the course by {factor}: {factor_level}",
                    n="n",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="survival_by_settled_factor.{endpoint}.{factor}.{factor_level}",
                ),
                Statistic(
                    "hr",
                    "ratio",
                    "Cox from the end of the course",
                    "Hazard ratio for {endpoint} from the end of the course by {factor}: "
                    "{factor_level}",
                    n="events",
                    total="n",
                    lower="hr_lower",
                    upper="hr_upper",
                    numerator="",
                ),
            ),
        )
