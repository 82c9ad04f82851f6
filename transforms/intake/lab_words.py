"""Bring what a centre calls an analyte and its unit to our codes; what is not known stays."""

from collections import defaultdict

import ibis
import ibis.expr.types as ir

from schemas.records.analytes import COUNTS, NAMES
from schemas.records.field.markers import MARKER_NAMES
from schemas.records.lab_words import DROPPED, REPLACED, UNITS
from schemas.words import plain_words

EVERY_NAME = {**NAMES, **MARKER_NAMES}


def plain_analyte(text: ir.StringValue) -> ir.StringValue:
    """A name's plain form, to be made once before it is looked up; none of our own codes."""
    return text.isin(list(EVERY_NAME)).ifelse(ibis.null("string"), plain_words(text))


def analyte(text: ir.StringValue, plain: ir.StringValue) -> ir.StringValue:
    """Our code of a name in any case; most cells hold it already and are compared once."""
    named = ((plain.isin(names), code) for code, names in EVERY_NAME.items())
    return ibis.cases((text.isin(list(EVERY_NAME)), text), *named, else_=text)


def plain_unit(text: ir.StringValue) -> ir.StringValue:
    """A unit's plain form, likewise."""
    plain = text.lower()
    for old, new in REPLACED:
        plain = plain.replace(old, new)
    ours = text.isin(sorted(set(UNITS.values())))
    return ours.ifelse(ibis.null("string"), plain.re_replace(DROPPED, ""))


def unit(text: ir.StringValue, plain: ir.StringValue) -> ir.StringValue:
    """UCUM of a spelling."""
    spelled: dict[str, list[str]] = defaultdict(list)
    for form, code in UNITS.items():
        spelled[code].append(form)
    branches = ((plain.isin(forms), code) for code, forms in spelled.items())
    return ibis.cases((text.isin(list(spelled)), text), *branches, else_=text)


def of_cells(analyte: ir.StringValue, unit: ir.StringValue) -> ir.StringValue:
    """The unit of a count of cells: G/L, giga per litre, is no gram."""
    giga = analyte.isin(list(COUNTS)) & (unit == "g/L")
    return giga.fill_null(False).ifelse("10*9/L", unit)
