"""What one cell says in our types: numbers, dates, yes and no, as its site file declares them.

Everything arrives as text. What is not surely a value of the declared form is null here, and
`harmonise` marks it; nothing is guessed. Numbers follow one decimal sign and one grouping sign. A
year has four digits. Arithmetic runs in types that hold every result, or gives null.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Column
from schemas.errors import BadConfiguration
from schemas.records.units import COLUMN_UNITS
from schemas.site import ColumnSource, Site

WHOLE = r"^[+-]?[0-9]+(\.0*)?$"
TIME = r"^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?$"
"""A time of day on 24 hours."""
COMPARATOR = r"^\s*(<=|>=|<|>)"
TRUE = ("1", "true", "yes", "y", "t")
FALSE = ("0", "false", "no", "n", "f")
GROUPINGS = {" ": "[ \u00a0\u202f]", "'": "['\u2019]", ".": r"\.", ",": ","}
"""What a grouping sign looks like in text."""
SIDE, FACTOR = "decimal(24, 9)", "decimal(13, 9)"
"""A number in their unit and a unit's factor: any product of the two has at most 37 digits."""
FIRST_YEAR = "1000-01-01"
"""An earlier day is a year of fewer than four digits: `%Y` of the engine takes one to four."""
ISO_MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M")
"""A day with its hour, as databases store it: unlike 04/05/2003 it is read in one way."""
ISO_MONTH = "%Y-%m"


@ibis.udf.scalar.builtin(signature=(("string", "string"), "timestamp"))
def try_strptime(text, pattern):  # type: ignore[no-untyped-def]
    """Parse as DuckDB does, giving null where Ibis' `as_date` would fail the whole query."""


def number_pattern(decimal: str, grouping: str | None) -> str:
    """The only spellings of a number under one decimal and one grouping sign.

    A grouping sign stands before every three digits, or the text is no number.
    """
    point = re.escape(decimal)
    whole = "[0-9]+"
    if grouping:
        whole = f"([0-9]+|[0-9]{{1,3}}({GROUPINGS[grouping]}[0-9]{{3}})+)"
    return rf"^[+-]?({whole}({point}[0-9]*)?|{point}[0-9]+)$"


def number_text(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.StringValue:
    """The number as digits with a decimal point; null where it is none in the declared spelling."""
    decimal = source.decimal or site.decimal
    grouping = None if site.grouping == decimal else site.grouping
    fits = text.re_search(number_pattern(decimal, grouping))
    digits = text.re_replace(GROUPINGS[grouping], "") if grouping else text
    digits = digits.replace(decimal, ".") if decimal != "." else digits
    return fits.ifelse(digits, ibis.null("string"))


def whole_number(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.IntegerValue:
    """A whole number; 1960.0 is one, 1960.5 is none."""
    digits = number_text(text, source, site)
    return digits.re_search(WHOLE).ifelse(digits, ibis.null("string")).try_cast("int64")


def decimal_number(
    text: ir.StringValue, column: Column, source: ColumnSource, site: Site
) -> ir.DecimalValue:
    """A measured quantity in the column's unit, exact; null where it has too many digits."""
    if column.unit not in ("%", "1"):
        return _in_our_unit(number_text(text, source, site), source.unit, column)
    signed = text.endswith("%")
    bare = signed.ifelse(text.re_replace(r"\s*%$", ""), text)
    number = number_text(bare, source, site)
    plain = _in_our_unit(number, source.unit, column)
    if column.unit == "%" and source.unit in (None, "%"):
        return plain
    return signed.ifelse(_in_our_unit(number, "%", column), plain)


def _in_our_unit(number: ir.StringValue, unit: str | None, column: Column) -> ir.DecimalValue:
    if unit is None or unit == column.unit:
        return number.try_cast(column.dtype)
    by = factor(unit, column)
    digits = Decimal(by.numerator) / Decimal(by.denominator)
    wide = number.try_cast(SIDE) * ibis.literal(f"{digits:.9f}").cast(FACTOR)
    return wide.try_cast(DECIMAL)


def factor(unit: str, column: Column) -> Fraction:
    """What a value in their unit is multiplied by to be in the column's unit.

    Raises:
        BadConfiguration: we do not know the conversion.
    """
    known = COLUMN_UNITS.get((unit, column.unit or ""))
    if known is None:
        choices = sorted(theirs for theirs, ours in COLUMN_UNITS if ours == column.unit)
        raise BadConfiguration(
            f"{column.name}: no conversion from {unit} to {column.unit}. Use one of "
            f"{', '.join([column.unit or 'no unit', *choices])}."
        )
    return known


def beyond(column: Column, value: ir.Value) -> Iterator[tuple[str, ir.BooleanValue]]:
    """Where a value lies `below` or `above` what its column allows."""
    low = [value < column.minimum] if column.minimum is not None else []
    low += [value <= column.above] if column.above is not None else []
    high = [value > column.maximum] if column.maximum is not None else []
    high += [value >= column.below] if column.below is not None else []
    for side, conditions in (("below", low), ("above", high)):
        if conditions:
            yield side, reduce(or_, conditions)


def yes_or_no(text: ir.StringValue) -> ir.BooleanValue:
    """Yes and no in their usual spellings."""
    low = text.lower()
    return ibis.cases((low.isin(TRUE), True), (low.isin(FALSE), False), else_=ibis.null("boolean"))


def moment(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.TimestampValue:
    """A day with its time of day."""
    return ibis.coalesce(*(try_strptime(text, f) for f in _datetime_formats(source, site)))


def day(
    text: ir.StringValue, partial: str | None, source: ColumnSource, site: Site
) -> ir.DateValue:
    """A day; where it may be partial, the middle of a month or a year."""
    full = source.date_format or site.date_format
    tries = [try_strptime(text, f).date() for f in (full, *ISO_MOMENTS)]
    if partial:
        tries += [try_strptime(text, f).date() + ibis.interval(days=14) for f in _months(full)]
    if partial == "year":
        tries.append(try_strptime(text + "-07-01", "%Y-%m-%d").date())
    return ibis.coalesce(*tries)


def number(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.DecimalValue:
    """Any number, as its site writes it; null where it is none."""
    return number_text(text, source, site).try_cast(SIDE)


def believed(date: ir.Value) -> ir.Value:
    """The same day or moment, but null where its year has fewer than four digits."""
    first = ibis.literal(FIRST_YEAR).cast(date.type().copy(nullable=True))
    return (date >= first).ifelse(date, ibis.null(date.type()))


def precision(text: ir.StringValue, source: ColumnSource, site: Site) -> ir.StringValue:
    """How exact a date was delivered."""
    full = source.date_format or site.date_format
    whole = [(try_strptime(text, f).notnull(), "day") for f in (full, *ISO_MOMENTS)]
    months = [(try_strptime(text, f).notnull(), "month") for f in _months(full)]
    return ibis.cases(
        (text.isnull(), ibis.null("string")),
        *whole,
        *months,
        (try_strptime(text, "%Y").notnull(), "year"),
        else_=ibis.null("string"),
    )


def _months(full: str) -> tuple[str, ...]:
    """How a month without its day is written: as the declared format, or as ISO 8601 does."""
    return tuple(dict.fromkeys((_without_day(full), ISO_MONTH)))


def _without_day(pattern: str) -> str:
    """The same date format for a date whose day is missing: %d/%m/%Y -> %m/%Y."""
    at = pattern.find("%d")
    if at < 0:
        return pattern
    left, right = pattern[:at], pattern[at + 2 :]
    return left + right.lstrip("-/. ") if not left else left.rstrip("-/. ") + right


def _datetime_formats(source: ColumnSource, site: Site) -> Iterable[str]:
    first = source.date_format or site.datetime_format
    return (first, first + ":%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
