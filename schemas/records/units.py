"""Units that centres write: their spellings in UCUM, and exact factors of columns and families."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

F = Fraction

MASS = {"g/dL": F(1), "g/L": F(1, 10), "mg/dL": F(1, 1000)}
"""Factors to g/dL."""
ENZYME = {"U/L": F(1), "ukat/L": F(60), "nkat/L": F(60, 1000)}
"""Factors to U/L."""
COUNT = {"10*9/L": F(1), "10*3/uL": F(1), "10*6/L": F(1, 1000), "/uL": F(1, 1000)}
"""Factors to 10*9/L."""

DAYS_PER_UNIT = {"days": Decimal(1), "months": Decimal("30.4375"), "years": Decimal("365.25")}
"""Days in one unit of a reported time: 12 months are 365.25 days."""

SPELLINGS: Mapping[str, str] = {
    "mg/dl": "mg/dL",
    "mg/l": "mg/L",
    "g/dl": "g/dL",
    "g/l": "g/L",
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "μmol/l": "umol/L",
    "mcmol/l": "umol/L",
    "mmol/l": "mmol/L",
    "nmol/l": "nmol/L",
    "pmol/l": "pmol/L",
    "ug/l": "ug/L",
    "ng/ml": "ug/L",
    "ng/l": "ng/L",
    "pg/ml": "ng/L",
    "mg/d": "mg/d",
    "mg/24h": "mg/d",
    "umol/d": "umol/d",
    "umol/24h": "umol/d",
    "mg/g": "mg/g",
    "umol/mmol": "umol/mmol",
    "u/l": "U/L",
    "iu/l": "U/L",
    "ukat/l": "ukat/L",
    "µkat/l": "ukat/L",
    "μkat/l": "ukat/L",
    "nkat/l": "nkat/L",
    "1": "1",
    "ratio": "1",
    "inr": "1",
    "{inr}": "1",
    "10*9/l": "10*9/L",
    "10^9/l": "10*9/L",
    "10e9/l": "10*9/L",
    "x10^9/l": "10*9/L",
    "g/l (giga)": "10*9/L",
    "gi/l": "10*9/L",
    "thou/ul": "10*3/uL",
    "10*3/ul": "10*3/uL",
    "10^3/ul": "10*3/uL",
    "10^3/µl": "10*3/uL",
    "k/ul": "10*3/uL",
    "k/µl": "10*3/uL",
    "10*6/l": "10*6/L",
    "10^3/ml": "10*6/L",
    "/ul": "/uL",
    "/µl": "/uL",
    "/mm3": "/uL",
    "cells/ul": "/uL",
    "%": "%",
}
"""Lower-case spelling -> UCUM. A spelling that is not here is kept, and graded as unknown."""

COLUMN_UNITS: Mapping[tuple[str, str], Fraction] = {
    ("cm", "mm"): F(10),
    ("m", "mm"): F(1000),
    ("m", "cm"): F(100),
    ("mm", "cm"): F(1, 10),
    ("%", "1"): F(1, 100),
    ("1", "%"): F(100),
    ("MBq", "GBq"): F(1, 1000),
    ("mCi", "GBq"): F(37, 1000),
    ("L", "mL"): F(1000),
    ("cm3", "mL"): F(1),
    ("g", "kg"): F(1, 1000),
    ("lb", "kg"): F(45_359_237, 100_000_000),
    ("cGy", "Gy"): F(1, 100),
}
"""(their unit, our unit) -> factor, for the columns of the registry tables."""
