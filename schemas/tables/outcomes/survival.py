"""Survival, follow-up and prognosis, estimated."""

from schemas.contract import Bool, ExactDays, Float, Int, Statistic, Text, column, declares
from schemas.tables.outcomes.base import LEVELS, Outcome, statistic_id_column

_REPORTED = "Of them, units whose time a source printed: not derived from dates."
MEDIAN_RULES = ("midpoint", "first_at_or_below")


class SurvivalKey(Outcome):
    """What survival tables share: overall rows have empty factor and level."""

    endpoint: Text = column("Endpoint.", key=True)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    factor: Text = column("Factor that splits; empty for overall.", key=True)
    factor_level: Text = column("Its level.", key=True)


class SurvivalCurves(SurvivalKey):
    """One row per distinct time of a curve; points are not statistics."""

    time_days: ExactDays = column(
        "Days from the endpoint's start.", key=True, unit="days", minimum=0
    )
    at_risk: Int = column("At risk just before.", required=True, minimum=0)
    events: Int = column("Events at the time.", required=True, minimum=0)
    censored: Int = column("Censored at the time.", required=True, minimum=0)
    survival: Float = column("Kaplan-Meier estimate.", required=True, minimum=0, maximum=1)
    std_err: Float = column("Its standard error (Greenwood); null where it is 0.", minimum=0)
    lower: Float = column("Lower limit.", minimum=0, maximum=1)
    upper: Float = column("Upper limit.", minimum=0, maximum=1)

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class SurvivalLandmarks(SurvivalKey):
    """One row per curve and landmark."""

    months: Int = column("Landmark in months of 30.4375 days.", key=True, unit="months")
    statistic_id: Text = statistic_id_column()
    survival: Float = column("Kaplan-Meier estimate at the landmark.", unit="1")
    std_err: Float = column("Its standard error (Greenwood); null where it is 0.", minimum=0)
    lower: Float = column("Lower limit.", unit="1")
    upper: Float = column("Upper limit.", unit="1")
    at_risk: Int = column("At risk at the landmark.", required=True, minimum=0)
    n: Int = column("Units in the curve.", required=True, minimum=0)
    n_reported: Int = column(_REPORTED, required=True, minimum=0)
    reason: Text = column("Why it is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "survival",
                    "1",
                    "Kaplan-Meier",
                    "{endpoint} by {level} at {months} months {factor} {factor_level}",
                    n="at_risk",
                    total="n",
                    lower="lower",
                    upper="upper",
                ),
            ),
        )


class SurvivalMedians(SurvivalKey):
    """One row per curve and median rule."""

    rule: Text = column("Rule where the curve rests on one half.", key=True, codes=MEDIAN_RULES)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units.", required=True, minimum=0)
    n_reported: Int = column(_REPORTED, required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    median_months: Float = column("Median; null when not reached.", unit="months")
    lower: Float = column("Lower limit (Brookmeyer-Crowley).", unit="months")
    upper: Float = column("Upper limit; null when not reached.", unit="months")
    not_reached: Bool = column("The curve stays above one half.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median_months",
                    "months",
                    "Kaplan-Meier",
                    "Median {endpoint} by {level}, {rule} {factor} {factor_level}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="events.{endpoint}.{level}",
                ),
            ),
        )


QUARTILES = (25, 75)


class SurvivalQuartiles(SurvivalKey):
    """One row per curve and quartile: by when a quarter, or three quarters, have had the event."""

    event_pct: Int = column(
        "Percent with the event: 25 or 75; by R's rule, the midpoint where the curve rests on it.",
        key=True,
        unit="%",
        source="survival 3.5-3, quantile.survfit",
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units.", required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    quartile_months: Float = column("The time; null when not reached.", unit="months")
    lower: Float = column("Lower limit (Brookmeyer-Crowley).", unit="months")
    upper: Float = column("Upper limit; null when not reached.", unit="months")
    not_reached: Bool = column("The curve stays above the level.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "quartile_months",
                    "months",
                    "Kaplan-Meier",
                    "Time to {endpoint} of {event_pct} % by {level} {factor} {factor_level}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="events.{endpoint}.{level}",
                ),
            ),
        )


class SurvivalAtDays(SurvivalKey):
    """One row per curve and landmark in days: the share free of the event, and the mean so far."""

    days: Int = column("Landmark, and horizon of the mean.", key=True, unit="days")
    statistic_id: Text = statistic_id_column()
    survival: Float = column("Kaplan-Meier estimate at the landmark.", unit="1")
    std_err: Float = column("Its standard error (Greenwood); null where it is 0.", minimum=0)
    lower: Float = column("Lower limit.", unit="1")
    upper: Float = column("Upper limit.", unit="1")
    mean_days: Float = column("Area under the curve up to the day.", unit="days")
    se_days: Float = column("Its standard error.", unit="days")
    mean_lower: Float = column("Lower limit of the mean: less z errors, at least 0.", unit="days")
    mean_upper: Float = column("Upper limit of the mean, at most the horizon.", unit="days")
    at_risk: Int = column("At risk at the landmark.", required=True, minimum=0)
    n: Int = column("Units in the curve.", required=True, minimum=0)
    reason: Text = column("Why something is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "survival",
                    "1",
                    "Kaplan-Meier",
                    "{endpoint} by {level} at {days} days {factor} {factor_level}",
                    n="at_risk",
                    total="n",
                    lower="lower",
                    upper="upper",
                ),
                Statistic(
                    "mean_days",
                    "days",
                    "restricted mean",
                    "Mean {endpoint} by {level} up to {days} days {factor} {factor_level}",
                    total="n",
                    lower="mean_lower",
                    upper="mean_upper",
                    numerator="",
                ),
            ),
        )


class RestrictedMeans(SurvivalKey):
    """One row per curve and horizon: mean time free of the event up to the horizon."""

    months: Int = column("Horizon in months of 30.4375 days.", key=True, unit="months")
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units in the curve.", required=True, minimum=0)
    events: Int = column("Events up to the horizon.", required=True, minimum=0)
    mean_months: Float = column("Area under the curve up to the horizon.", unit="months")
    se_months: Float = column("Its standard error.", unit="months")
    lower: Float = column("Lower limit: mean less z standard errors, at least 0.", unit="months")
    upper: Float = column("Upper limit, at most the horizon.", unit="months")
    reason: Text = column("Why it is null.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "mean_months",
                    "months",
                    "restricted mean",
                    "Mean {endpoint} by {level} up to {months} months {factor} {factor_level}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="",
                ),
            ),
        )


class CumulativeIncidence(Outcome):
    """One row per endpoint, cause and landmark: its event, and each event that rules it out."""

    endpoint: Text = column("Endpoint that has competing events.", key=True)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    cause: Text = column("The endpoint's event, or a competing one.", key=True)
    months: Int = column("Landmark in months of 30.4375 days.", key=True, unit="months")
    statistic_id: Text = statistic_id_column()
    incidence: Float = column("Share that has had this cause first (Aalen-Johansen).", unit="1")
    lower: Float = column("Lower limit.", unit="1")
    upper: Float = column("Upper limit.", unit="1")
    at_risk: Int = column("At risk at the landmark.", required=True, minimum=0)
    n: Int = column("Units.", required=True, minimum=0)
    events: Int = column("Units with this cause first, whenever.", required=True, minimum=0)
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
                    "{cause} first, {endpoint} by {level} at {months} months",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="incidence.{endpoint}.{level}.{cause}",
                ),
            ),
        )


class IncidenceCurves(Outcome):
    """One row per endpoint, cause and distinct time of its curve; points are not statistics."""

    endpoint: Text = column("Endpoint that has competing events.", key=True)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    cause: Text = column("The endpoint's event, or a competing one.", key=True)
    time_days: ExactDays = column(
        "Days from the endpoint's start.", key=True, unit="days", minimum=0
    )
    at_risk: Int = column("At risk of every cause just before.", required=True, minimum=0)
    events: Int = column("Units with this cause at the time.", required=True, minimum=0)
    censored: Int = column("Units censored at the time.", required=True, minimum=0)
    incidence: Float = column(
        "Share that has had this cause first (Aalen-Johansen).", required=True, minimum=0, maximum=1
    )
    lower: Float = column("Lower limit.", minimum=0, maximum=1)
    upper: Float = column("Upper limit.", minimum=0, maximum=1)

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class FollowUp(Outcome):
    """One row per definition of median follow-up."""

    definition: Text = column(
        "Which follow-up.",
        key=True,
        codes=("reverse_km", "observed_all", "observed_alive", "imaging"),
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Subjects.", required=True, minimum=0)
    n_dead_unknown: Int = column(
        "Of them, dead at a date that cannot be believed: censored, and not alive.", minimum=0
    )
    n_follow_up_aside: Int = column(
        "Of them, censored on day 0 because their contacts were set aside.", minimum=0
    )
    median_months: Float = column("Median.", unit="months")
    lower: Float = column("Lower limit (reverse Kaplan-Meier) or quartile.", unit="months")
    upper: Float = column("Upper limit or quartile.", unit="months")
    method: Text = column("How the limits were made.", required=True)

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median_months",
                    "months",
                    "median",
                    "Median follow-up, {definition}",
                    n="n",
                    total="n",
                    lower="lower",
                    upper="upper",
                ),
            ),
        )


class PrognosisUnivariate(Outcome):
    """One row per endpoint, factor and level; the good level is the reference."""

    endpoint: Text = column("Endpoint.", key=True)
    factor: Text = column("Factor.", key=True)
    factor_level: Text = column("Level.", key=True)
    statistic_id: Text = statistic_id_column()
    n: Int = column("Subjects at the level.", required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    missing: Int = column("Subjects without the factor.", required=True, minimum=0)
    chi2: Float = column("Log-rank statistic.")
    df: Int = column("Degrees of freedom.")
    p: Float = column("Log-rank p.", minimum=0, maximum=1)
    hr: Float = column("Hazard ratio against the reference.")
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
    firth_hr: Float = column(
        "Hazard ratio where `hr` would be infinite or 0: Firth's penalised likelihood, on the "
        "patients of this level and of the reference.",
        source="Heinze and Schemper 2001",
    )
    firth_lower: Float = column("Its lower 95 % limit, from the profile; null where it is 0.")
    firth_upper: Float = column("Its upper 95 % limit; null where it is infinite.")
    firth_p: Float = column("Its penalised likelihood-ratio p.", minimum=0, maximum=1)
    reason: Text = column("Why something is null, or `reference`.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "p",
                    "p",
                    "log-rank",
                    "{endpoint} by {factor}: {factor_level}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="events.{endpoint}.subject",
                ),
            ),
        )


class PrognosisMultivariable(Outcome):
    """One row per endpoint, model and term."""

    endpoint: Text = column("Endpoint.", key=True)
    model: Text = column(
        "Selection rule; `firth`: all factors by a penalised fit, where a rule met separation.",
        key=True,
    )
    term: Text = column("Term, bad level against good.", key=True)
    statistic_id: Text = statistic_id_column()
    method: Text = column(
        "Cox's partial likelihood with Wald limits, or Firth's penalised one with profile limits.",
        required=True,
        codes=("Cox", "Firth"),
    )
    coef: Float = column("Log hazard ratio.")
    se: Float = column("Its standard error.")
    hr: Float = column("Hazard ratio.")
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
    p: Float = column("Wald p, or penalised likelihood-ratio p.", minimum=0, maximum=1)
    n: Int = column("Subjects in the model.", required=True, minimum=0)
    events: Int = column("Events in the model.", required=True, minimum=0)
    missing: Int = column("Subjects left out for a missing covariate.", required=True, minimum=0)
    events_per_variable: Float = column("Events per variable.")
    concordance: Float = column("Harrell's concordance.")
    ph_p: Float = column("Proportional hazards, p.", minimum=0, maximum=1)
    ph_method: Text = column("Its method.")
    reason: Text = column("Why it was not fitted, or a warning.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "p",
                    "p",
                    "{method}",
                    "{endpoint} {model}: {term}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator="",
                ),
            ),
        )


class Sensitivity(Outcome):
    """One row per statistic and alternative of one setting."""

    base_statistic_id: Text = column("The statistic that was computed again.", key=True)
    setting: Text = column("The setting changed.", key=True)
    alternative: Text = column("Its other value.", key=True)
    statistic_id: Text = statistic_id_column()
    value: Float = column("Value under the alternative.")
    base_value: Float = column("Published value.")
    flips: Bool = column("p crosses 0.05, or an interval leaves the comparator.", required=True)
    reason: Text = column("Why it is null.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")
