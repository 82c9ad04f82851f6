"""What can be published? Aggregates by population, and the statistics in them."""

from schemas.contract import Bool, Contract, Float, Int, Statistic, Text, column, declares
from schemas.marts import CONFIRMATIONS, CRITERIA, WINDOWS
from schemas.settings import VERSIONS

RESPONSE_CATEGORIES = (
    "CR",
    "PR",
    "SD",
    "PD",
    "NE",
    "ORR",
    "DCR",
    "any_decrease",
    "over_50_decrease",
)
LEVELS = ("lesion", "subject")
MEDIAN_RULES = ("midpoint", "first_at_or_below")


class Outcome(Contract):
    """An aggregate; `population` comes first in every key."""

    population: Text = column("`all` (treated), `per_criteria` or `site:<id>`.", key=True)


def _statistic_id() -> object:
    return column("The published statistic: table, population and key parts, lower case.")


class Attrition(Outcome):
    """One row per eligibility step, in order."""

    step: Int = column("Order of the step.", key=True, minimum=0)
    statistic_id: Text = _statistic_id()
    rule_id: Text = column("The rule; `delivered` and `treated` open the table.", required=True)
    label: Text = column("The rule in words.", required=True)
    n_in: Int = column("Patients before the step.", required=True, minimum=0)
    n_excluded: Int = column("Excluded by it.", required=True, minimum=0)
    n_unknown: Int = column("Neither passed nor failed.", required=True, minimum=0)
    n_out: Int = column("Patients after the step.", required=True, minimum=0)
    note: Text = column("For instance: not specified by source.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "n_out",
                    "patients",
                    "count",
                    "Patients after {rule_id}",
                    n="n_out",
                    total="n_in",
                ),
            ),
        )


class BaselineCharacteristics(Outcome):
    """One row per variable, level and factor level: Table 1."""

    variable: Text = column("Variable.", key=True)
    level: Text = column("Level of a category; empty for a number.", key=True)
    factor: Text = column("Factor that splits the table; empty for overall.", key=True)
    factor_level: Text = column("Its level.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Patients at the level, or with a value.", required=True, minimum=0)
    total: Int = column("Patients with a value.", required=True, minimum=0)
    missing: Int = column("Patients without.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    smd: Float = column("Standardised difference between the two levels of the factor.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic("pct", "%", "proportion", "{variable} {level}", n="n", total="total"),
                Statistic(
                    "median",
                    "",
                    "median",
                    "{variable}",
                    n="n",
                    total="total",
                    lower="q1",
                    upper="q3",
                ),
            ),
        )


class ResponseSummary(Outcome):
    """One row per criterion, level, confirmation and category."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    confirmation: Text = column("Confirmation asked.", key=True, codes=CONFIRMATIONS)
    category: Text = column(
        "Best response or a union of them.", key=True, codes=RESPONSE_CATEGORIES
    )
    statistic_id: Text = _statistic_id()
    n: Int = column("Units in the category.", required=True, minimum=0)
    total: Int = column(
        "All units of treated subjects; not evaluable ones count as non-responders.", required=True
    )
    n_evaluable: Int = column("Evaluable units.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column(
        "Lower 95 % limit: exact for subjects, cluster bootstrap for lesions.", unit="%"
    )
    upper: Float = column("Upper 95 % limit.", unit="%")
    pct_evaluable: Float = column("n of evaluable.", unit="%")
    lower_evaluable: Float = column("Lower 95 % limit.", unit="%")
    upper_evaluable: Float = column("Upper 95 % limit.", unit="%")
    method: Text = column("Method of the interval.", required=True)
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "pct",
                    "%",
                    "proportion",
                    "{criterion} {category} by {level}, {confirmation}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                    settings=("response",),
                ),
            ),
        )


class CriterionAgreement(Outcome):
    """One row per pair of criteria and pair of classes, unconfirmed."""

    criterion_a: Text = column("First criterion.", key=True, codes=CRITERIA)
    criterion_b: Text = column("Second criterion.", key=True, codes=CRITERIA)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    category_a: Text = column("Best response under the first.", key=True)
    category_b: Text = column("Best response under the second.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Units in both.", required=True, minimum=0)

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "n",
                    "units",
                    "count",
                    "{criterion_a} {category_a} and {criterion_b} {category_b} by {level}",
                    n="n",
                    settings=("response",),
                ),
            ),
        )


class ToxicitySummary(Outcome):
    """One row per term, version, window and grade."""

    source: Text = column("Laboratory or clinical event.", key=True, codes=("lab", "event"))
    term: Text = column("Analyte, CTCAE term or union.", key=True)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    window: Text = column("Window after treatment.", key=True, codes=WINDOWS)
    grade: Text = column(
        "Worst grade, `any` (1 to 5) or `ge3`.",
        key=True,
        codes=("1", "2", "3", "4", "5", "any", "ge3"),
    )
    statistic_id: Text = _statistic_id()
    n: Int = column("Subjects with that worst grade, treatment-emergent for events.", minimum=0)
    total: Int = column(
        "Subjects with something gradable; for events, treated at sites that record events.",
        required=True,
        minimum=0,
    )
    n_treated: Int = column("Treated subjects.", required=True, minimum=0)
    pct: Float = column("n of total.", unit="%")
    lower: Float = column("Lower exact 95 % limit.", unit="%")
    upper: Float = column("Upper exact 95 % limit.", unit="%")
    pct_treated: Float = column("n of treated.", unit="%")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "pct",
                    "%",
                    "proportion",
                    "{term} grade {grade}, CTCAE {ctcae_version}, {window}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                    settings=("toxicity",),
                ),
            ),
        )


class ToxicityShift(Outcome):
    """One row per analyte, version, baseline grade and worst grade after treatment."""

    term: Text = column("Analyte.", key=True)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    baseline_grade: Text = column("0 to 4, or missing.", key=True)
    worst_grade: Text = column("0 to 4, or missing.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Treated subjects.", required=True, minimum=0)

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "n",
                    "patients",
                    "count",
                    "{term} from grade {baseline_grade} to {worst_grade}, CTCAE {ctcae_version}",
                    n="n",
                    settings=("toxicity",),
                ),
            ),
        )


class SurvivalKey(Outcome):
    """What survival tables share: overall rows have empty factor and level."""

    endpoint: Text = column("Endpoint.", key=True)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    factor: Text = column("Factor that splits; empty for overall.", key=True)
    factor_level: Text = column("Its level.", key=True)


class SurvivalCurves(SurvivalKey):
    """One row per distinct time of a curve; points are not statistics."""

    time_days: Int = column("Days from the endpoint's start.", key=True, unit="days", minimum=0)
    at_risk: Int = column("At risk just before.", required=True, minimum=0)
    events: Int = column("Events at the time.", required=True, minimum=0)
    censored: Int = column("Censored at the time.", required=True, minimum=0)
    survival: Float = column("Kaplan-Meier estimate.", required=True, minimum=0, maximum=1)
    lower: Float = column("Lower limit.", minimum=0, maximum=1)
    upper: Float = column("Upper limit.", minimum=0, maximum=1)

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class SurvivalLandmarks(SurvivalKey):
    """One row per curve and landmark."""

    months: Int = column("Landmark in months of 30.4375 days.", key=True, unit="months")
    statistic_id: Text = _statistic_id()
    survival: Float = column("Kaplan-Meier estimate at the landmark.", unit="1")
    lower: Float = column("Lower limit.", unit="1")
    upper: Float = column("Upper limit.", unit="1")
    at_risk: Int = column("At risk at the landmark.", required=True, minimum=0)
    n: Int = column("Units in the curve.", required=True, minimum=0)
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
                    settings=("survival",),
                ),
            ),
        )


class SurvivalMedians(SurvivalKey):
    """One row per curve and median rule."""

    rule: Text = column("Rule where the curve rests on one half.", key=True, codes=MEDIAN_RULES)
    statistic_id: Text = _statistic_id()
    n: Int = column("Units.", required=True, minimum=0)
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
                    settings=("survival",),
                ),
            ),
        )


class FollowUp(Outcome):
    """One row per definition of median follow-up."""

    definition: Text = column(
        "Which follow-up.",
        key=True,
        codes=("reverse_km", "observed_all", "observed_alive", "imaging"),
    )
    statistic_id: Text = _statistic_id()
    n: Int = column("Subjects.", required=True, minimum=0)
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
                    settings=("survival",),
                ),
            ),
        )


class PrognosisUnivariate(Outcome):
    """One row per endpoint, factor and level; the good level is the reference."""

    endpoint: Text = column("Endpoint.", key=True)
    factor: Text = column("Factor.", key=True)
    factor_level: Text = column("Level.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Subjects at the level.", required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    missing: Int = column("Subjects without the factor.", required=True, minimum=0)
    chi2: Float = column("Log-rank statistic.")
    df: Int = column("Degrees of freedom.")
    p: Float = column("Log-rank p.", minimum=0, maximum=1)
    hr: Float = column("Hazard ratio against the reference.")
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
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
                    settings=("survival",),
                ),
            ),
        )


class PrognosisMultivariable(Outcome):
    """One row per endpoint, model and term."""

    endpoint: Text = column("Endpoint.", key=True)
    model: Text = column("Model: selection rule.", key=True)
    term: Text = column("Term, bad level against good.", key=True)
    statistic_id: Text = _statistic_id()
    coef: Float = column("Log hazard ratio.")
    se: Float = column("Its standard error.")
    hr: Float = column("Hazard ratio.")
    lower: Float = column("Lower 95 % limit.")
    upper: Float = column("Upper 95 % limit.")
    p: Float = column("Wald p.", minimum=0, maximum=1)
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
                    "Cox",
                    "{endpoint} {model}: {term}",
                    n="events",
                    total="n",
                    lower="lower",
                    upper="upper",
                    settings=("survival",),
                ),
            ),
        )


class Sensitivity(Outcome):
    """One row per statistic and alternative of one setting."""

    base_statistic_id: Text = column("The statistic that was computed again.", key=True)
    setting: Text = column("The setting changed.", key=True)
    alternative: Text = column("Its other value.", key=True)
    statistic_id: Text = _statistic_id()
    value: Float = column("Value under the alternative.")
    base_value: Float = column("Published value.")
    flips: Bool = column("p crosses 0.05, or an interval leaves the comparator.", required=True)
    reason: Text = column("Why it is null.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class DosimetrySummary(Outcome):
    """One row per measure and grain."""

    measure: Text = column("Measure.", key=True)
    grain: Text = column("Unit of analysis.", key=True, codes=("target", "session", "subject"))
    group: Text = column("Response or toxicity group; empty for overall.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Units.", required=True, minimum=0)
    median: Float = column("Median.")
    q1: Float = column("Lower quartile (type 7).")
    q3: Float = column("Upper quartile (type 7).")
    minimum: Float = column("Least.")
    maximum: Float = column("Greatest.")
    unit: Text = column("Unit.")
    reason: Text = column("Why it is not derivable.")

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "median",
                    "{unit}",
                    "median",
                    "{measure} by {grain} {group}",
                    n="n",
                    total="n",
                    lower="minimum",
                    upper="maximum",
                    settings=("dosimetry",),
                ),
            ),
        )


class ProportionSummary(Outcome):
    """What simple proportions share."""

    measure: Text = column("Measure.", key=True)
    statistic_id: Text = _statistic_id()
    n: Int = column("Subjects with it.", minimum=0)
    total: Int = column("Subjects asked.", minimum=0)
    value: Float = column("Percentage, or median for a length of time.")
    lower: Float = column("Lower exact limit or quartile.")
    upper: Float = column("Upper exact limit or quartile.")
    unit: Text = column("Unit.", required=True)
    reason: Text = column("Why it is not derivable.")


class SymptomSummary(ProportionSummary):
    """One row per measure of symptom response."""

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "value",
                    "{unit}",
                    "proportion",
                    "{measure}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                    settings=("symptoms",),
                ),
            ),
        )


class AdherenceSummary(ProportionSummary):
    """One row per measure of follow-up adherence."""

    class Config:
        """Aggregate."""

        metadata = declares(
            schema="outcomes",
            statistics=(
                Statistic(
                    "value",
                    "{unit}",
                    "proportion",
                    "{measure}",
                    n="n",
                    total="total",
                    lower="lower",
                    upper="upper",
                    settings=("follow_up",),
                ),
            ),
        )


class LiteratureComparison(Outcome):
    """One row per published figure beside our own estimate."""

    figure_id: Text = column("The figure's id.", key=True)
    statistic_id: Text = _statistic_id()
    series: Text = column("The publication.", required=True)
    quantity: Text = column("What was counted.", required=True)
    published: Text = column("As printed.", required=True)
    published_n: Int = column("Numerator, printed or derived.")
    published_total: Int = column("Denominator.")
    unit: Text = column("Unit.", required=True)
    method: Text = column("Their method.")
    own_statistic_id: Text = column("Our statistic of the same definition.")
    own_value: Float = column("Our value.")
    own_lower: Float = column("Lower limit.")
    own_upper: Float = column("Upper limit.")
    note: Text = column("What exactly they counted.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class Statistics(Contract):
    """One row per published number."""

    statistic_id: Text = column("Table, population and key parts, lower case.", key=True)
    label: Text = column("The number in words.", required=True)
    value: Float = column("The number, unrounded; null with a reason in its table.")
    lower: Float = column("Lower limit.")
    upper: Float = column("Upper limit.")
    n: Int = column("Numerator, or events, or units.")
    total: Int = column("Denominator.")
    unit: Text = column("Unit.", required=True)
    method: Text = column("Method.", required=True)
    definition: Text = column(
        "Hash of the rule records and settings that define it, not of code.", required=True
    )
    population_set: Text = column(
        "Member sets, joined by ` & `, that it was computed over.", required=True
    )
    numerator_set: Text = column("The member set that it counts; empty where nothing is counted.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")


class MemberSets(Contract):
    """One row per set and member: populations, factor levels, numerators, events."""

    set_id: Text = column("The set.", key=True)
    subject_id: Text = column("The subject.", key=True)
    lesion_number: Int = column("The lesion, 0 for the subject.", key=True, minimum=0)

    class Config:
        """Members."""

        metadata = declares(schema="members")


TABLES: tuple[type[Outcome], ...] = (
    Attrition,
    BaselineCharacteristics,
    ResponseSummary,
    CriterionAgreement,
    ToxicitySummary,
    ToxicityShift,
    SurvivalCurves,
    SurvivalLandmarks,
    SurvivalMedians,
    FollowUp,
    PrognosisUnivariate,
    PrognosisMultivariable,
    Sensitivity,
    DosimetrySummary,
    SymptomSummary,
    AdherenceSummary,
    LiteratureComparison,
)
