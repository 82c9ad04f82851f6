"""Response and toxicity, counted."""

from schemas.codes import VERSIONS
from schemas.contract import Float, Int, Statistic, Text, column, declares
from schemas.records.criteria import CRITERIA
from schemas.tables.mart_table import CONFIRMATIONS, ORGANS
from schemas.tables.marts import WINDOWS
from schemas.tables.outcomes.base import LEVELS, Outcome, proportion, statistic_id_column

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
    "pd_before_course_end",
)
OF_PATIENTS_ONLY = ("pd_before_course_end",)
LESIONS = ("all", "treated", "untreated")
"""Which lesions a share of lesions is of; a share of patients is of all of theirs."""
_DEPTH = ("any_decrease", "over_50_decrease")


def _parts(*categories: str) -> tuple[dict[str, str], ...]:
    """The rows of treated and of untreated lesions in these categories."""
    return tuple({"category": c, "lesions": part} for c in categories for part in LESIONS[1:])


_ALL_LESIONS = {"level": "lesion", "lesions": "all"}
_OF_ALL_LESIONS = tuple(
    (_ALL_LESIONS | {"category": union}, _parts(*members))
    for union, members in {
        "ORR": ("CR", "PR"),
        "DCR": ("CR", "PR", "SD"),
        **{c: (c,) for c in ("CR", "PR", "SD", "PD", "NE")},
    }.items()
)
RATES = (
    ({"category": "ORR"}, ({"category": "CR"}, {"category": "PR"})),
    ({"category": "DCR"}, ({"category": "CR"}, {"category": "PR"}, {"category": "SD"})),
)
RESPONSE_UNIONS = (
    *_OF_ALL_LESIONS,
    *(
        (
            _ALL_LESIONS | {"category": c},
            tuple({"confirmation": "unconfirmed", "lesions": part} for part in LESIONS[1:]),
        )
        for c in _DEPTH
    ),
    *RATES,
    ({"category": "any_decrease"}, ({"confirmation": "unconfirmed"},)),
    ({"category": "over_50_decrease"}, ({"confirmation": "unconfirmed"},)),
    ({"category": "pd_before_course_end"}, ({"confirmation": "unconfirmed"},)),
)
"""Whose members other rows list already: unions of best responses, all lesions as treated and
untreated ones; depth and the day of progression ask no confirmation."""
AT_WINDOW_CATEGORIES = ("CR", "PR", "SD", "PD", "NE", "ORR", "DCR")
AT_WINDOW_UNIONS = (*_OF_ALL_LESIONS, *RATES)
"""The same of the classes at a time point, which ask no confirmation and no depth."""
TOXICITY_UNIONS = (
    ({"grade": "any", "source": "lab"}, tuple({"grade": g} for g in "1234")),
    ({"grade": "any"}, tuple({"grade": g} for g in (*"12345", "ungraded"))),
    ({"grade": "ge3", "source": "lab"}, ({"grade": "3"}, {"grade": "4"})),
    ({"grade": "ge3"}, ({"grade": "3"}, {"grade": "4"}, {"grade": "5"})),
)
"""The same of worst grades; an event may have happened without a grade in the version."""


class ResponseSummary(Outcome):
    """One row per criterion, level, organ, kind of lesion, confirmation and category."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    organ: Text = column(
        "The whole patient, or the disease of one place; lesions are not parted by it.",
        key=True,
        codes=ORGANS,
    )
    lesions: Text = column(
        "All lesions, or those of treated and of untreated territory.", key=True, codes=LESIONS
    )
    confirmation: Text = column("Confirmation asked.", key=True, codes=CONFIRMATIONS)
    category: Text = column(
        "Best response or a union of them.", key=True, codes=RESPONSE_CATEGORIES
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units in the category; null where none could be evaluated.", minimum=0)
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
                proportion(
                    "{criterion} {category} by {level}, {confirmation}, {organ} organ, "
                    "{lesions} lesions",
                    made_of=RESPONSE_UNIONS,
                ),
            ),
        )


class ResponseAtWindow(Outcome):
    """One row per criterion, level, organ, kind of lesion, time point and category."""

    criterion: Text = column("Criterion.", key=True, codes=CRITERIA)
    level: Text = column("Unit of analysis.", key=True, codes=LEVELS)
    organ: Text = column(
        "The whole patient, or the disease of one place; lesions are not parted by it.",
        key=True,
        codes=ORGANS,
    )
    lesions: Text = column(
        "All lesions, or those of treated and of untreated territory.", key=True, codes=LESIONS
    )
    at_days: Int = column("Day from T0 that the time point aims at.", key=True, unit="days")
    category: Text = column(
        "Class at the time point or a union of classes.", key=True, codes=AT_WINDOW_CATEGORIES
    )
    statistic_id: Text = statistic_id_column()
    n: Int = column("Units in the category; null where none could be evaluated.", minimum=0)
    total: Int = column(
        "All units of treated subjects; not evaluable ones count as non-responders.", required=True
    )
    n_evaluable: Int = column("Units evaluable at the time point.", required=True, minimum=0)
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
                proportion(
                    "{criterion} {category} at {at_days} days by {level}, {organ} organ, "
                    "{lesions} lesions",
                    made_of=AT_WINDOW_UNIONS,
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
    statistic_id: Text = statistic_id_column()
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
                ),
            ),
        )


class ToxicitySummary(Outcome):
    """One row per term, version, window and grade."""

    source: Text = column("Laboratory or clinical event.", key=True, codes=("lab", "event"))
    term: Text = column("Analyte, CTCAE term or union.", key=True)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    time_window: Text = column("Window after treatment.", key=True, codes=WINDOWS)
    grade: Text = column(
        "Worst grade, `any` (1 to 5) or `ge3`.",
        key=True,
        codes=("1", "2", "3", "4", "5", "any", "ge3"),
    )
    statistic_id: Text = statistic_id_column()
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
                proportion(
                    "{term} grade {grade}, CTCAE {ctcae_version}, {time_window}",
                    made_of=TOXICITY_UNIONS,
                ),
            ),
        )


class ToxicityShift(Outcome):
    """One row per analyte, version, baseline grade and worst grade after treatment."""

    term: Text = column("Analyte.", key=True)
    ctcae_version: Text = column("CTCAE version.", key=True, codes=VERSIONS)
    baseline_grade: Text = column("0 to 4, or missing.", key=True)
    worst_grade: Text = column("0 to 4, or missing.", key=True)
    statistic_id: Text = statistic_id_column()
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
                ),
            ),
        )
