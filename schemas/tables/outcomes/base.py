"""What every outcome table shares, and the two tables that speak of all others."""

from typing import Any

from schemas.contract import Contract, Float, Int, Text, column, declares

LEVELS = ("lesion", "subject")


class Outcome(Contract):
    """An aggregate; `population` comes first in every key."""

    population: Text = column("`all` (treated), `per_criteria` or `site:<id>`.", key=True)


def statistic_id_column() -> Any:
    """The column that names a published row."""
    return column("The published statistic: table, population and key parts, lower case.")


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
