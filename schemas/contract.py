"""The parts of a table's contract: one class per table, every column declared once.

From that one class come validation, the database comments, the data dictionary, the Parquet field
metadata and the simulated data's shape. A contract is a pandera model on Ibis, so the same class is
the gate of a finished table; single bad rows are found by `warehouse.loading.validate`, which
compiles these declarations to one expression.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa
import pyarrow

Text = dt.String
Int = dt.Int64
Float = dt.Float64
Bool = dt.Boolean
Date = dt.Date
DateTime = dt.Timestamp
Decimal = Annotated[dt.Decimal, 18, 6, True]
ExactDays = Annotated[dt.Decimal, 18, 8, True]
DeliveredTime = Annotated[dt.Decimal, 18, 12, True]

DECIMAL = dt.Decimal(18, 6)
"""Every measured quantity: exact, so that a threshold is met or missed and never both."""
EXACT_DAYS = dt.Decimal(18, 8)
"""A time in days: 24 months are 730.5, and 4 decimals of a month or 6 of a year fit exactly."""

C = TypeVar("C", bound="Contract")

if TYPE_CHECKING:

    class Table(ir.Table, Generic[C]):  # type: ignore[misc] # Ibis ships no types
        """An Ibis table that keeps the contract, for the type checker."""
else:

    class Table:
        """`Table[Contract]`: a table that keeps the contract; the annotation is the lineage."""

        def __class_getitem__(cls, contract: type["Contract"]) -> object:
            return Annotated[ir.Table, contract]


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule over several columns of one row.

    `breaks` is true where the rule is broken; a null in any column it needs must not break it.
    `category` is conformance, completeness or plausibility; `severity` reject or warn.
    """

    rule_id: str
    column: str
    meaning: str
    remedy: str
    breaks: Callable[[ir.Table], ir.BooleanValue]
    category: str = "plausibility"
    severity: str = "reject"


Unions = tuple[tuple[Mapping[str, str], tuple[Mapping[str, str], ...]], ...]
"""Key columns of a row that counts a union -> those of the rows that it is made of."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """Which columns of an outcome table make its published statistics, one row each.

    `label`, `unit`, `method`, `population` and `numerator` may name the row's columns in braces.
    `population` is the member set that the row is about. `numerator` is the set that it counts: by
    default the table's name and the row's key parts after population; empty where nothing is
    counted. `made_of` names the rows that count a union: where the first columns have these values,
    the sets are those of the row with the second ones in turn, so that nobody is listed twice.
    Label and `made_of` change no number, so they are no part of the definition's hash.
    """

    value: str
    unit: str
    method: str
    label: str = field(repr=False)
    n: str | None = None
    total: str | None = None
    lower: str | None = None
    upper: str | None = None
    population: str = "population.{population}"
    numerator: str | None = None
    made_of: Unions = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What a contract says of the whole table."""

    schema: str = "registry"
    dated_by: str | None = None
    """The column that says when the row happened: rows after the data cutoff are not seen."""
    end_dates: tuple[str, ...] = ()
    """Columns that are blanked when they lie after the data cutoff."""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Foreign keys: table -> the columns that must be found in it."""
    rules: tuple[RowRule, ...] = ()
    statistics: tuple[Statistic, ...] = ()
    published: str | None = None
    """Its name in a release, where the engine has another table of that name."""
    internal: bool = False
    """Derived, but never in a release, because it holds calendar dates."""


class Contract(pa.DataFrameModel):
    """A table's columns; a subclass's docstring begins with "One row per"."""

    class Config:
        """Tables have these columns and no others; nothing is coerced."""

        strict = True
        metadata: dict[str, Any] = {"options": Options()}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Column:
    """One column as declared, in the form that every consumer reads."""

    name: str
    dtype: dt.DataType
    nullable: bool
    meaning: str
    unit: str | None
    key: bool
    codes: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    above: float | None
    below: float | None
    plausible: tuple[float, float] | None
    partial: str | None
    default: object
    source: str | None
    identifying: bool
    worse: str | None
    made_of: str | None
    together: str | None

    @property
    def limited(self) -> bool:
        """The values have a least or a greatest one."""
        return any(n is not None for n in (self.minimum, self.maximum, self.above, self.below))


def column(
    meaning: str,
    *,
    key: bool = False,
    required: bool = False,
    codes: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    **facts: Any,
) -> Any:
    """Declare a column.

    Args:
        meaning: what the value is, in one sentence.
        key: part of the table's key; implies required.
        required: may not be null.
        codes: the closed list of values.
        minimum: least allowed value; `above` if it is excluded.
        maximum: greatest allowed value; `below` if it is excluded.
        above: exclusive lower bound.
        below: exclusive upper bound.
        facts: unit, plausible (warn outside this range), partial ("month" if the day may be
            missing, "year" if the month too), default (when the site gives none), source (of the
            definition), identifying (never leaves the registry layer), worse (which way is
            worse for the patient: "higher" or "lower", of codes the later or the earlier;
            "analyte" where the analyte decides), made_of (the column that tells it where the site
            gives none), together (the code that two different ones make where rows are merged; the
            first code contradicts every other).
    """
    known = {"unit", "plausible", "partial", "default", "source", "identifying", "worse"}
    known |= {"made_of", "together"}
    if unknown := set(facts) - known:
        raise TypeError(f"column(): unknown facts {sorted(unknown)}. Use one of {sorted(known)}.")
    return pa.Field(
        nullable=not (key or required),
        isin=list(codes) or None,
        ge=minimum,
        le=maximum,
        gt=above,
        lt=below,
        description=meaning,
        metadata={"key": key, **facts},
    )


def options(contract: type[Contract]) -> Options:
    """The contract's table-wide declarations."""
    return cast(Options, (contract.Config.metadata or {})["options"])


def unreadable(table: ir.Table, name: str) -> ir.BooleanValue:
    """Rows of a registry table whose cell of a column is filled in and could not be read."""
    return table.unreadable.contains(f"|{name}|").fill_null(False)


def any_unreadable(table: ir.Table, *names: str) -> ir.BooleanValue:
    """Rows of a registry table of which a cell of one of these columns could not be read."""
    return reduce(or_, (unreadable(table, name) for name in names))


def declares(**facts: Any) -> dict[str, Any]:
    """Table-wide declarations, as the `metadata` of a contract's Config."""
    return {"options": Options(**facts)}


@cache
def table_name(contract: type[Contract]) -> str:
    """The table's name: the class name in snake case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", contract.__name__).lower()


@cache
def published_name(contract: type[Contract]) -> str:
    """The table's name in a release: its own, unless it declares another."""
    return options(contract).published or table_name(contract)


@cache
def columns(contract: type[Contract]) -> tuple[Column, ...]:
    """The contract's columns in order of declaration."""
    return tuple(_column(name, c) for name, c in contract.to_schema().columns.items())


def _column(name: str, declared: Any) -> Column:
    facts = dict(declared.metadata or {})
    bounds = {check.name: check.statistics for check in declared.checks}
    return Column(
        name=name,
        dtype=declared.dtype.type,
        nullable=declared.nullable,
        meaning=declared.description or "",
        unit=facts.get("unit"),
        key=bool(facts.get("key")),
        codes=tuple(bounds.get("isin", {}).get("allowed_values", ())),
        minimum=bounds.get("greater_than_or_equal_to", {}).get("min_value"),
        maximum=bounds.get("less_than_or_equal_to", {}).get("max_value"),
        above=bounds.get("greater_than", {}).get("min_value"),
        below=bounds.get("less_than", {}).get("max_value"),
        plausible=facts.get("plausible"),
        partial=facts.get("partial"),
        default=facts.get("default"),
        source=facts.get("source"),
        identifying=bool(facts.get("identifying")),
        worse=facts.get("worse"),
        made_of=facts.get("made_of"),
        together=facts.get("together"),
    )


@cache
def column_names(contract: type[Contract]) -> tuple[str, ...]:
    """The contract's column names in order."""
    return tuple(c.name for c in columns(contract))


@cache
def key(contract: type[Contract]) -> tuple[str, ...]:
    """The columns that identify a row."""
    return tuple(c.name for c in columns(contract) if c.key)


@cache
def schema(contract: type[Contract]) -> ibis.Schema:
    """The contract as an Ibis schema; nullability is not part of it, as engines lose it."""
    return ibis.schema({c.name: c.dtype for c in columns(contract)})


def declared(schema: str, base: type[C]) -> tuple[type[C], ...]:
    """Every table of a schema below a base class, in the order in which they are declared.

    A contract is in the lists of its schema because it is declared, and for no other reason.
    """
    contracts: list[type[C]] = []
    for contract in base.__subclasses__():
        own = "Config" in vars(contract) and options(contract).schema == schema
        contracts += [contract] if own else []
        contracts += declared(schema, contract)
    return tuple(dict.fromkeys(contracts))


def conform(table: ir.Table, contract: type[Contract]) -> ir.Table:
    """Select the contract's columns in its order and cast them to its types.

    A derivation ends with it, so that two engines that widen integers differently agree.
    """
    return table.select(*(table[c.name].cast(c.dtype).name(c.name) for c in columns(contract)))


def empty(contract: type[Contract]) -> ir.Table:
    """A table of the contract without rows: what a registry that lacks the table has."""
    return rows([], contract)


def rows(records: list[dict[str, Any]], contract: type[Contract]) -> ir.Table:
    """A small table from Python records; columns left out are null."""
    full = [{name: r.get(name) for name in column_names(contract)} for r in records]
    return ibis.memtable(pyarrow.Table.from_pylist(full, schema=schema(contract).to_pyarrow()))
