"""What a centre that begins now enters: every column of ours that is entered, from the contracts.

The workbook and the REDCap project are both made from it. Words for no, yes and codes are ours, so
that what was entered needs no mapping.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.contract import Column, Contract, columns, options, table_name
from schemas.tables.registry import TABLES, ReportedEndpoints
from transforms.intake.names import OURS_ALONE

PATIENT = "patient_id"
DERIVED = "_precision"
"""How the name ends of what the cell of another column tells."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column as it is entered."""

    table: str
    column: Column

    @property
    def required(self) -> bool:
        """It must be filled in: nothing stands in its place."""
        c = self.column
        return not c.nullable and c.default is None and c.made_of is None

    @property
    def kind(self) -> str:
        """Choice, yes or no, day, moment, whole number, number or text."""
        c = self.column
        if c.codes:
            return "choice"
        if c.dtype.is_boolean():
            return "yes or no"
        if c.dtype.is_date():
            return "partial day" if c.partial else "day"
        if c.dtype.is_timestamp():
            return "moment"
        if c.dtype.is_integer():
            return "whole number"
        return "number" if c.dtype.is_numeric() else "text"

    @property
    def note(self) -> str:
        """Unit, form and limits, for whoever enters it."""
        c = self.column
        form = {
            "day": "YYYY-MM-DD",
            "partial day": "YYYY-MM-DD, or YYYY-MM" + (", or YYYY" if c.partial == "year" else ""),
            "moment": "YYYY-MM-DD HH:MM",
        }
        unit = c.unit if c.unit not in (None, "1", "year") else ""
        parts = [unit, form.get(self.kind, ""), self._limits()]
        return "; ".join(part for part in parts if part)

    def _limits(self) -> str:
        low, high = self.bounds
        if low is None and high is None:
            return ""
        return f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the greatest value, or next to it where that itself is none."""
        c = self.column
        low = c.minimum if c.minimum is not None else c.above
        return low, c.maximum if c.maximum is not None else c.below


def entered() -> tuple[type[Contract], ...]:
    """The tables that are entered; times without dates are another source's."""
    return tuple(t for t in TABLES if t is not ReportedEndpoints)


def fields(contract: type[Contract]) -> Iterator[Field]:
    """The columns of a table that are entered, but for the patient."""
    for c in columns(contract):
        told = c.name.endswith(DERIVED) or c.name == "value_comparator"
        if c.name not in (*OURS_ALONE, PATIENT) and not told:
            yield Field(table_name(contract), c)


def about(contract: type[Contract]) -> str:
    """What a row of the table is."""
    return (contract.__doc__ or "").strip().splitlines()[0]


def repeats(contract: type[Contract]) -> bool:
    """Whether a patient may have several rows."""
    return any(c.key and c.name not in (*OURS_ALONE, PATIENT) for c in columns(contract))


def refers(contract: type[Contract]) -> list[str]:
    """The other tables whose rows it names."""
    return [name for name in options(contract).references if name != "patients"]
