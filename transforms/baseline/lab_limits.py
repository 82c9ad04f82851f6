"""Compare a laboratory result with a limit, whatever its unit and comparator.

The result is brought to the limit's unit by cross-multiplication with an exact fraction: 20.52
umol/L of bilirubin is 1.2 mg/dL and not 1.19999. A censored result (`<0.2`) answers only where
every value that it stands for gives the same answer. An unknown unit answers nothing.

Source: factors of the CDISC pilot's laboratory data (bilirubin 17.1, albumin 10).
"""

from collections.abc import Mapping
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import DECIMAL, unreadable
from schemas.records.analytes import LAB_UNITS

Factors = Mapping[str, Fraction]
WIDE = "decimal(38, 6)"


def factors(analyte: str, bilirubin_umol_per_mg_dl: str) -> Factors:
    """Unit -> exact factor to the analyte's canonical unit; bilirubin's is a setting."""
    if analyte != "bilirubin":
        return LAB_UNITS[analyte]
    return {**LAB_UNITS["bilirubin"], "umol/L": 1 / Fraction(bilirubin_umol_per_mg_dl)}


def at_most(results: ir.Table, factors: Factors, limit: str) -> ir.BooleanValue:
    """Whether each result is at most the limit (canonical unit); null where it cannot be told."""
    value, bound = _sides(results, factors, limit)
    comparator = known_comparator(results)
    return ibis.cases(
        (comparator.isnull(), value <= bound),
        (comparator.isin(["<", "<="]) & (value <= bound), True),
        ((comparator == ">") & (value >= bound), False),
        ((comparator == ">=") & (value > bound), False),
        else_=ibis.null("boolean"),
    )


def below(results: ir.Table, factors: Factors, limit: str) -> ir.BooleanValue:
    """Whether each result is below the limit (canonical unit); null where it cannot be told."""
    value, bound = _sides(results, factors, limit)
    comparator = known_comparator(results)
    return ibis.cases(
        (comparator.isnull(), value < bound),
        ((comparator == "<") & (value <= bound), True),
        ((comparator == "<=") & (value < bound), True),
        (comparator.isin([">", ">="]) & (value >= bound), False),
        else_=ibis.null("boolean"),
    )


def known_comparator(results: ir.Table) -> ir.StringValue:
    """The comparator; one that cannot be read is none of ours, and never a blank."""
    return unreadable(results, "value_comparator").ifelse(UNREADABLE, results.value_comparator)


def displayed(results: ir.Table, factors: Factors) -> ir.DecimalValue:
    """The result in the canonical unit, six decimals, for display only."""
    return _converted(results, factors).cast(DECIMAL)


def exact_value(results: ir.Table, factors: Factors) -> ir.FloatingValue:
    """The result in the canonical unit as a float; null for a censored one, which has no value."""
    known = known_comparator(results).isnull()
    return ibis.ifelse(known, _converted(results, factors), ibis.null("float64"))


def _converted(results: ir.Table, factors: Factors) -> ir.FloatingValue:
    numerator, denominator = _fraction(results.unit, factors)
    return results.value.cast("float64") * numerator.cast("float64") / denominator.cast("float64")


def _sides(results: ir.Table, factors: Factors, limit: str) -> tuple[ir.Value, ir.Value]:
    numerator, denominator = _fraction(results.unit, factors)
    bound = Fraction(limit)
    value = results.value.cast(WIDE) * (numerator * bound.denominator)
    return value, (denominator * bound.numerator).cast(WIDE)


def _fraction(unit: ir.StringValue, factors: Factors) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    numerators = [(unit == name, factor.numerator) for name, factor in factors.items()]
    denominators = [(unit == name, factor.denominator) for name, factor in factors.items()]
    return (
        ibis.cases(*numerators, else_=None).cast("int64"),
        ibis.cases(*denominators, else_=None).cast("int64"),
    )
