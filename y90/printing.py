"""Numbers as a paper prints them: rounded half away from zero on the decimal value."""

from decimal import ROUND_HALF_UP, Decimal

DAYS_PER_MONTH = 30.4375
NOT_REACHED = "not reached"


def number(value: float, digits: int = 1) -> str:
    """A number with so many decimals and a true minus."""
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)
    return str(rounded).replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """`19.8 to 52.0`; an open end is not reached; nothing where there are no limits."""
    if low is None and high is None:
        return ""
    ends = (NOT_REACHED if end is None else number(end, digits) for end in (low, high))
    return " to ".join(ends)
