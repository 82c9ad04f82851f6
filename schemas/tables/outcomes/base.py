"""What every outcome table shares, and the two tables that speak of all others."""

from typing import Any

from schemas.contract import Contract, Float, Int, Statistic, Text, Unions, column, declares

LEVELS = ("lesion", "subject")


class Outcome(Contract):
    """An aggregate; `population` comes first in every key."""

    population: Text = column("`all` (treated), `per_criteria` or `site:<id>`.", key=True)


def statistic_id_column() -> Any:
    """The column that names a published row."""
    return column("The published statistic: table, population and key parts, lower case.")


def proportion(label: str, made_of: Unions = ()) -> Statistic:
    """The published percentage of a row with the columns n, total, pct, lower and upper."""
    return Statistic(
        "pct",
        "%",
        "proportion",
        label,
        n="n",
        total="total",
        lower="lower",
        upper="upper",
        made_of=made_of,
    )


OF_SESSIONS = "proportion of sessions"
"""A share of units finer than patients: its sets name the patients who have at least one."""


def proportion_of_sessions(label: str) -> Statistic:
    """The same of sessions, whose members are their patients."""
    return Statistic(
        "pct", "%", OF_SESSIONS, label, n="n", total="total", lower="lower", upper="upper"
    )


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
    numerator_set: Text = column(
        "The member sets that it counts, joined by a vertical bar; empty where nothing is counted."
    )

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


BOUND_METHODS = ("exact", "outer", "searched", "none")


class Bounds(Contract):
    """One row per published number: what it could be, were held rows otherwise.

    Held are rows that were set aside and cells that could not be read. Each may be accepted, left
    out, or at an extreme that its rule allows. Where nothing held can reach a number, lower and
    upper are the number. Bounds say nothing of sampling: that is the confidence interval.
    """

    statistic_id: Text = column("The number, as in statistics.", key=True)
    value: Float = column("The number as published.")
    lower: Float = column("The least that it could be; null where nothing is known, or unreached.")
    upper: Float = column("The greatest that it could be.")
    excluded: Float = column("The number with every held row left out, computed anew.")
    method: Text = column(
        "exact: both ends are reached; outer: no world passes them; searched: some worlds were "
        "tried, and others may lie beyond; none: no bound is known.",
        required=True,
        codes=BOUND_METHODS,
    )
    held_rows: Int = column("Held rows that can move it.", required=True, minimum=0)
    patients: Int = column("Patients whose held rows can move it.", required=True, minimum=0)
    ci_lower: Float = column("Lower confidence limit at the lower end.")
    ci_upper: Float = column("Upper confidence limit at the upper end.")
    reason: Text = column("Why there is no bound.")

    class Config:
        """Aggregate."""

        metadata = declares(schema="outcomes")
