"""Write what a typed cell means as text that every reader of text takes for the same.

Parquet and workbooks have types: a number needs no decimal sign and a day no declared format. As
text they get the site's decimal sign and a form of day that can be read one way only.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa

from schemas.site import ColumnSource, Site
from warehouse.engine.quoting import identifier

ISO_DAY = "%Y-%m-%d"
MIDNIGHT = "%Y-%m-%d 00:00:00"
MOMENT = "%Y-%m-%d %H:%M:%S"
LITERAL = re.compile(r'"([^"]*)"|\\(.)')
COLOUR = re.compile(r"\[[^\]]*\]|_.|\*.")


@dataclass(frozen=True, slots=True)
class Form:
    """How a site's text says a number and a day, and the zone of its days."""

    decimal: str
    day: str
    zone: str

    @classmethod
    def of(cls, site: Site) -> "Form":
        """The form of a site; days are plain ISO days where no other form is declared."""
        own = [
            c.date_format
            for parts in site.tables.values()
            for source in parts
            for c in source.columns.values()
            if isinstance(c, ColumnSource) and c.date_format
        ]
        plain = {site.date_format, *own} == {ISO_DAY}
        return cls(site.decimal, ISO_DAY if plain else MIDNIGHT, site.timezone or "UTC")

    def number(self, digits: str) -> str:
        """A number with a decimal point, as the site's text has it."""
        return digits.replace(".", self.decimal)


def from_parquet(name: str, kind: pa.DataType, form: Form) -> str:
    """SQL for a column of a Parquet file as text; NaN and the empty text are missing."""
    cell = identifier(name)
    if pa.types.is_timestamp(kind):
        local = f"({cell} AT TIME ZONE '{form.zone}')" if kind.tz else f"CAST({cell} AS TIMESTAMP)"
        whole = f"{local} = date_trunc('day', {local})"
        return (
            f"CASE WHEN {whole} THEN strftime({local}, '{form.day}') "
            f"ELSE strftime({local}, '{MOMENT}') END"
        )
    if pa.types.is_date(kind):
        return f"strftime({cell}, '{form.day}')"
    if pa.types.is_floating(kind):
        return _with_sign(_float(cell), form)
    if pa.types.is_decimal(kind):
        return _with_sign(_trimmed(f"CAST({cell} AS VARCHAR)"), form)
    return f"nullif(CAST({cell} AS VARCHAR), '')"


def zoned(names: tuple[str, ...], kinds: list[pa.DataType]) -> list[str]:
    """The columns that hold moments with a time zone."""
    return [
        n
        for n, k in zip(names, kinds, strict=True)
        if pa.types.is_timestamp(k) and k.tz is not None
    ]


def shown_number(text: str, code: str, form: Form) -> str:
    """What a workbook's number means under its number format.

    Identifiers keep the zeros they are shown with, percentages their sign, and text before a
    number stands there; a label after it is left out. A format that shows thousands as ones
    cannot be read, and is told.
    """
    code = COLOUR.sub("", code.split(";")[0])
    bare = LITERAL.sub("", code).strip()
    number = _digits(text)
    if "%" in bare:
        shown = f"{form.number(_plain(Decimal(number) * 100))}%"
    elif re.fullmatch("0{2,}", bare) and re.fullmatch(r"\d+", number):
        shown = number.zfill(len(bare))
    elif re.search(r"[0#?],+(\.|$)", bare):
        return f"{form.number(number)} ({code})"
    else:
        shown = form.number(number)
    before, after = _literals(code)
    return f"{before}{shown}{after}"


def shown_day(moment: datetime, code: str, form: Form) -> str:
    """What a workbook's day means under its number format: without its day, a month or a year."""
    parts = COLOUR.sub("", LITERAL.sub("", code)).casefold()
    if parts and not re.search("[dhs]", parts) and "y" in parts:
        return f"{moment:%Y-%m}" if "m" in parts else f"{moment:%Y}"
    return moment.strftime(form.day if moment.time() == datetime.min.time() else MOMENT)


def _digits(text: str) -> str:
    """15 significant digits, as the program that stored it shows them: 0.1, not its binary twin."""
    if not re.search("[.eE]", text):
        return text
    value = float(f"{float(text):.15g}")
    return (
        str(int(value))
        if value.is_integer() and abs(value) < 1e15
        else _plain(Decimal(repr(value)))
    )


def _plain(number: Decimal) -> str:
    """A number without exponent and without zeros at its end."""
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _literals(code: str) -> tuple[str, str]:
    """The text that a number format writes before the number, and a percent sign after it.

    Other text after a number is a label, as in 1.1 mm.
    """
    pieces = [(m.start(), m[1] or m[2] or "") for m in LITERAL.finditer(code)]
    digit = re.search("[0#?]", LITERAL.sub(lambda m: "x" * len(m[0]), code))
    at = digit.start() if digit else 0
    after = "".join(t for p, t in pieces if p >= at).strip()
    return "".join(t for p, t in pieces if p < at), after if after == "%" else ""


def _float(cell: str) -> str:
    text = f"CAST({cell} AS VARCHAR)"
    exact = _trimmed(f"CAST(TRY_CAST({cell} AS DECIMAL(38, 20)) AS VARCHAR)")
    return (
        f"CASE WHEN isnan({cell}) THEN NULL WHEN isinf({cell}) THEN {text} "
        f"WHEN {cell} = trunc({cell}) AND abs({cell}) < 1e15 "
        f"THEN CAST(CAST({cell} AS BIGINT) AS VARCHAR) "
        f"WHEN contains({text}, 'e') AND abs({cell}) >= 1 "
        f"THEN coalesce(CAST(TRY_CAST({cell} AS HUGEINT) AS VARCHAR), {text}) "
        f"WHEN contains({text}, 'e') THEN coalesce({exact}, {text}) ELSE {text} END"
    )


def _trimmed(text: str) -> str:
    return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"


def _with_sign(text: str, form: Form) -> str:
    return text if form.decimal == "." else f"replace({text}, '.', '{form.decimal}')"
