"""The account of differences between two releases: the published format of `changes.json`.

Its JSON Schema, schemas/json/changes.schema.json, is generated from these classes.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["added", "removed", "changed"]
Scalar = bool | int | float | str | None


class Part(BaseModel):
    """A part of the published format: no other keys, no change of value."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RowChange(Part):
    """One row that one side lacks or that differs."""

    key: dict[str, Scalar] = Field(description="The row's key.")
    kind: Kind = Field(description="Seen from left to right.")
    columns: tuple[str, ...] = Field((), description="Columns that differ, for a changed row.")


class CellChange(Part):
    """One cell of an aggregate table that differs."""

    key: dict[str, Scalar] = Field(description="The row's key.")
    column: str = Field(description="The column.")
    old: Scalar = Field(description="Value in the left release.")
    new: Scalar = Field(description="Value in the right release.")


class TableChanges(Part):
    """How one table differs."""

    table: str = Field(description="schema.table.")
    left_rows: int | None = Field(description="Rows on the left; null where it has no such table.")
    right_rows: int | None = Field(description="Rows on the right.")
    added: int = Field(0, description="Rows that only the right has.")
    removed: int = Field(0, description="Rows that only the left has.")
    changed: int = Field(0, description="Rows of both whose cells differ.")
    columns: dict[str, int] = Field(
        default_factory=dict, description="Column -> changed rows in which it differs."
    )
    columns_added: tuple[str, ...] = Field((), description="Columns that only the right has.")
    columns_removed: tuple[str, ...] = Field((), description="Columns that only the left has.")
    rows: tuple[RowChange, ...] = Field((), description="The rows, in the order of the key.")
    rows_left_out: int = Field(0, description="Rows that differ and are not listed.")
    cells: tuple[CellChange, ...] = Field(
        (), description="Old and new of the listed rows, for aggregate tables only."
    )


class StatisticChange(Part):
    """One published number that differs."""

    statistic_id: str = Field(description="The statistic.")
    label: str = Field(description="The number in words.")
    unit: str = Field(description="Unit.")
    kind: Kind = Field(description="Seen from left to right.")
    redefined: bool = Field(description="The rules or settings that define it differ.")
    old: float | None = Field(description="Value in the left release.")
    new: float | None = Field(description="Value in the right release.")
    change: float | None = Field(description="New less old.")
    old_lower: float | None = Field(description="Lower limit on the left.")
    new_lower: float | None = Field(description="On the right.")
    old_upper: float | None = Field(description="Upper limit on the left.")
    new_upper: float | None = Field(description="On the right.")
    old_n: int | None = Field(description="Numerator, events or units on the left.")
    new_n: int | None = Field(description="On the right.")
    old_total: int | None = Field(description="Denominator on the left.")
    new_total: int | None = Field(description="On the right.")
    redefined_by: tuple[str, ...] = Field(
        (), description="Settings and rule records of the definition that differ."
    )


class Changes(Part):
    """The differences between two releases, as `changes.json` holds them."""

    format: Literal["y90-changes-1"] = "y90-changes-1"
    left: str | None = Field(description="The earlier release; null for the first of a registry.")
    right: str = Field(description="The later release.")
    tables: tuple[TableChanges, ...] = Field((), description="Tables that differ.")
    statistics: tuple[StatisticChange, ...] = Field((), description="Numbers that differ.")

    note: str | None = Field(
        None, description="What could not be compared, and why; null where all was."
    )

    @property
    def equal(self) -> bool:
        """Nothing differs beyond the tolerances."""
        return not self.tables and not self.statistics

    def table(self, name: str) -> TableChanges | None:
        """The changes of one table, or None where it is the same."""
        return next((t for t in self.tables if t.table == name), None)
