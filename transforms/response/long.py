"""Turn the four criteria, computed side by side, into one row each.

They are computed as columns, so that sorting and joining happen once and not four times.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import CRITERIA, MILLIONTHS, RECORDS
from transforms.response.ladder import named

PARTS = ("value", "baseline", "baseline_day", "nadir", "code")


def long(wide: ir.Table, *further: str) -> ir.Table:
    """One row per criterion: `who_value`, `easl_value`, ... become `value`, and so on."""
    each = wide.cross_join(ibis.memtable({"criterion": list(CRITERIA)}))
    return each.mutate(**{part: _of_criterion(each, part) for part in (*PARTS, *further)})


def _of_criterion(each: ir.Table, part: str) -> ir.Value:
    return ibis.cases(*((each.criterion == c.code, each[f"{c.name}_{part}"]) for c in RECORDS))


def published(rows: ir.Table) -> ir.Table:
    """Quantities as decimals, changes in percent, rule and class by name.

    Percentages are for display; every threshold was compared before, in whole numbers.
    """
    rule, response = named(rows.code)
    return rows.mutate(
        rule=rule,
        response=response,
        change_from_baseline_pct=_change(rows.value, rows.baseline),
        change_from_nadir_pct=_change(rows.value, rows.nadir),
        value=_decimal(rows.value),
        baseline=_decimal(rows.baseline),
        nadir=_decimal(rows.nadir),
    )


def _change(value: ir.IntegerValue, reference: ir.IntegerValue) -> ir.FloatingValue:
    return (value - reference) * 100 / reference.nullif(0)


def _decimal(millionths: ir.IntegerValue) -> ir.DecimalValue:
    """Exact: a quantity has fewer digits than a double, and six of them after the point."""
    return (millionths.cast("float64") / MILLIONTHS).cast("decimal(18, 6)")
