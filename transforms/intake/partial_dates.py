"""The first and last day that a date known only to the month or the year can mean."""

import ibis
import ibis.expr.types as ir


def first_day(date: ir.DateValue, precision: ir.StringValue) -> ir.DateValue:
    """The earliest day that a date can mean."""
    return ibis.cases(
        (precision == "year", date.truncate("Y").cast("date")),
        (precision == "month", date.truncate("M").cast("date")),
        else_=date,
    )


def last_day(date: ir.DateValue, precision: ir.StringValue) -> ir.DateValue:
    """The latest day that a date can mean."""
    day = ibis.interval(days=1)
    year = (date.truncate("Y") + ibis.interval(years=1) - day).cast("date")
    month = (date.truncate("M") + ibis.interval(months=1) - day).cast("date")
    return ibis.cases((precision == "year", year), (precision == "month", month), else_=date)
