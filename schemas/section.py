"""The base of every part of a configuration file."""

import re

from pydantic import BaseModel, BeforeValidator, ConfigDict

_SPAN = re.compile(r"(\d+)\s*(d|days?|mo|months?|y|years?)")
"""A span of time as a settings file writes it: `90 d`, `12 mo`, `3 y`; a year is 12 months."""


class Section(BaseModel):
    """A section of registry.toml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def any_spelling(codes: tuple[str, ...]) -> BeforeValidator:
    """Read a code in any case and punctuation: `recist11` and `recist_1_1` are RECIST 1.1."""
    by_letters = {_letters(code): code for code in codes}
    return BeforeValidator(lambda text: by_letters.get(_letters(text), text))


def _letters(text: object) -> str:
    return "".join(c for c in str(text).lower() if c.isalnum())


def whole_months(span: object) -> object:
    """The months of `12 mo` or `3 y`; a plain number stays as it is.

    Raises:
        ValueError: the text is no whole number of months.
    """
    if not isinstance(span, str) or span.strip().isdigit():
        return span
    number, unit = _read(span)
    if unit == "d":
        raise ValueError(f"{span}: no whole number of months. Name days in `landmarks_days`")
    return 12 * number if unit == "y" else number


def whole_days(span: object) -> object:
    """The days of `90 d`; a plain number stays as it is.

    Raises:
        ValueError: the text is no whole number of days.
    """
    if not isinstance(span, str) or span.strip().isdigit():
        return span
    number, unit = _read(span)
    if unit != "d":
        raise ValueError(
            f"{span}: no whole number of days, as a month has 30.4375. Name months and years in "
            "`landmarks_months` or `restricted_mean_months`"
        )
    return number


def _read(span: str) -> tuple[int, str]:
    """The number of a span, and the first letter of its unit."""
    found = _SPAN.fullmatch(span.strip().lower())
    if not found:
        raise ValueError(f"{span}: no span of time. Write `90 d`, `12 mo` or `3 y`")
    return int(found[1]), found[2][0]
