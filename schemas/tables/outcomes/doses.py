"""Response and toxicity by dose."""

from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.field.dose_questions import DOSE_GROUPS, DOSE_MEASURES, DOSE_OUTCOMES
from schemas.tables.dose_marts import DEVICES
from schemas.tables.outcomes.base import LEVELS, Outcome, proportion, statistic_id_column

WITH_IT = "dose_response.{device}.{measure}.{outcome}.{level}"
"""The set of those with the outcome."""


class DoseKey(Outcome):
    """What tables of dose share; doses of two devices are never pooled."""

    device: Text = column("Device.", key=True, codes=DEVICES)
    measure: Text = column("Whose dose, computed or as recorded.", key=True, codes=DOSE_MEASURES)
    outcome: Text = column("What is asked.", key=True, codes=DOSE_OUTCOMES)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)


class DoseGroups(DoseKey):
    """One row per device, dose, outcome, level and group by dose."""

    dose_group: Text = column(
        "Third of the doses of all treated, or a side of a published threshold.",
        key=True,
        codes=DOSE_GROUPS,
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units with the outcome.", minimum=0)
    total: Int = column("Units in the group whose outcome is known.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column(
        "Lower 95 % limit: exact for subjects, cluster bootstrap for lesions.", unit="%"
    )
    upper: Float = column("Upper 95 % limit.", unit="%")
    minimum_gy: Float = column("Least dose in the group.", unit="Gy")
    maximum_gy: Float = column("Greatest dose in the group.", unit="Gy")
    method: Text = column("Method of the interval.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(proportion("{outcome} by {level}, {dose_group} of {measure}, {device}"),),
        )


class DoseResponse(DoseKey):
    """One row per device, dose, outcome and level: a model of the outcome by dose."""

    statistic_id: Text = statistic_id_column()
    n: Int = column("Units with a dose whose outcome is known.", required=True, minimum=0)
    n_unknown: Int = column(
        "Further units with a dose, whose outcome is not known.", required=True, minimum=0
    )
    subjects: Int = column("Patients whose units these are.", required=True, minimum=0)
    events: Int = column("Units with the outcome.", required=True, minimum=0)
    odds_ratio: Float = column("Odds ratio of 10 Gy more (logistic regression).", minimum=0)
    lower: Float = column("Lower Wald limit; of lesions by the sandwich over patients.", minimum=0)
    upper: Float = column("Upper Wald limit.", minimum=0)
    p: Float = column("Wald p.", minimum=0, maximum=1)
    auc: Float = column("Area under the ROC curve: more dose, more outcome.", minimum=0, maximum=1)
    auc_lower: Float = column(
        "Its lower limit: DeLong, of lesions Obuchowski.", minimum=0, maximum=1
    )
    auc_upper: Float = column("Its upper limit.", minimum=0, maximum=1)
    cutoff_gy: Float = column("Youden's cut-off: the outcome is expected from it on.", unit="Gy")
    sensitivity: Float = column("Share of those with the outcome at or above it.")
    specificity: Float = column("Share of those without it below.")
    youden: Float = column("Sensitivity and specificity less one, in the same patients.")
    optimism: Float = column("What of it is due to the choice in the same patients (bootstrap).")
    youden_corrected: Float = column("Youden's index less its optimism.")
    reason: Text = column("Why there is no odds ratio.")
    auc_reason: Text = column("Why there is no area, or no limits of it.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "odds_ratio",
                    "ratio",
                    "logistic regression",
                    "{outcome} by {level}: odds ratio of 10 Gy more of {measure}, {device}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    numerator=WITH_IT,
                ),
                Statistic(
                    "auc",
                    "share",
                    "area under the ROC curve",
                    "{outcome} by {level}: area under the ROC curve of {measure}, {device}",
                    n="events",
                    total="n",
                    lower="auc_lower",
                    upper="auc_upper",
                    numerator=WITH_IT,
                ),
                Statistic(
                    "cutoff_gy",
                    "Gy",
                    "Youden's cut-off",
                    "{outcome} by {level}: Youden's cut-off of {measure}, {device}",
                    n="events",
                    total="n",
                    numerator=WITH_IT,
                ),
            ),
        )
