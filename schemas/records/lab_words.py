"""What centres call the units of laboratory results.

A spelling is brought to a plain form first (`plain_unit`): without case, blanks and annotations,
with one micro sign and one way to write a power of ten. The plain form is looked up here. A count
and a percentage are not one result.

Source: UCUM 2.1 (unit codes); German, French, Italian, Spanish and Dutch laboratory reports.
"""

import re
from collections.abc import Mapping

from schemas.records.units import SPELLINGS

UNIT_FORMS: Mapping[str, str] = {
    "mg%": "mg/dL",
    "mg/100ml": "mg/dL",
    "g%": "g/dL",
    "g/100ml": "g/dL",
    "gm/dl": "g/dL",
    "gr/dl": "g/dL",
    "gm/l": "g/L",
    "gr/l": "g/L",
    "ui/l": "U/L",
    "e/l": "U/L",
    "ie/l": "U/L",
    "units/l": "U/L",
    "unit/l": "U/L",
    "[iu]/l": "U/L",
    "iu/l": "U/L",
    "": "1",
    "mcg/l": "ug/L",
    "mg/day": "mg/d",
    "mg/die": "mg/d",
    "mg/24hr": "mg/d",
    "mg/24hrs": "mg/d",
    "mg/24.h": "mg/d",
    "umol/day": "umol/d",
    "umol/die": "umol/d",
    "umol/24hr": "umol/d",
    "umol/24hrs": "umol/d",
    "umol/24.h": "umol/d",
    "mg/gcreat": "mg/g",
    "mg/gcrea": "mg/g",
    "umol/mmolcreat": "umol/mmol",
    "umol/mmolcrea": "umol/mmol",
    "10^9/l": "10*9/L",
    "109/l": "10*9/L",
    "/nl": "10*9/L",
    "1/nl": "10*9/L",
    "giga/l": "10*9/L",
    "gpt/l": "10*9/L",
    "gi/l": "10*9/L",
    "10^3/ul": "10*3/uL",
    "103/ul": "10*3/uL",
    "10^3/mm3": "10*3/uL",
    "103/mm3": "10*3/uL",
    "10^3/mm^3": "10*3/uL",
    "10^3/cmm": "10*3/uL",
    "1000/ul": "10*3/uL",
    "k/ul": "10*3/uL",
    "k/mm3": "10*3/uL",
    "k/mm^3": "10*3/uL",
    "k/cmm": "10*3/uL",
    "thou/ul": "10*3/uL",
    "thou/mm3": "10*3/uL",
    "thousand/ul": "10*3/uL",
    "thousands/ul": "10*3/uL",
    "tsd/ul": "10*3/uL",
    "th/ul": "10*3/uL",
    "10^6/l": "10*6/L",
    "106/l": "10*6/L",
    "10^3/ml": "10*6/L",
    "103/ml": "10*6/L",
    "/ul": "/uL",
    "1/ul": "/uL",
    "n/ul": "/uL",
    "/mm3": "/uL",
    "/mm^3": "/uL",
    "/cmm": "/uL",
    "/cumm": "/uL",
    "cells/ul": "/uL",
    "cell/ul": "/uL",
    "cells/mm3": "/uL",
    "cells/mm^3": "/uL",
    "cells/cumm": "/uL",
    "zellen/ul": "/uL",
}
"""Plain form of a unit -> UCUM, beside the spellings of `units`."""

REPLACED: tuple[tuple[str, str], ...] = (
    ("µ", "u"),
    ("μ", "u"),
    ("⁹", "^9"),
    ("⁶", "^6"),
    ("³", "^3"),
    ("×", "x"),
    ("·", ""),
    ("mcl", "ul"),
    ("mcmol", "umol"),
    ("mckat", "ukat"),
    ("**", "^"),
    ("*", "^"),
    ("10exp", "10^"),
    ("10e+0", "10^"),
    ("10e0", "10^"),
    ("10e", "10^"),
    ("litre", "l"),
    ("liter", "l"),
)
"""In a unit in lower case: what is replaced by what, in this order."""
DROPPED = r"[\s()]|\{[^}]*\}|^x"
"""What a unit loses: blanks, brackets, annotations in braces, a multiplication sign before ten."""


def plain_unit(text: str) -> str:
    """A unit's plain form."""
    plain = text.lower()
    for old, new in REPLACED:
        plain = plain.replace(old, new)
    return re.sub(DROPPED, "", plain)


UNITS: Mapping[str, str] = {**{plain_unit(k): v for k, v in SPELLINGS.items()}, **UNIT_FORMS}
"""Plain form -> UCUM."""


def unit_of(text: str, *, cells: bool) -> str | None:
    """The UCUM code that a spelling means; of a count of cells G/L is giga per litre."""
    unit = UNITS.get(plain_unit(text))
    return "10*9/L" if cells and unit == "g/L" else unit
