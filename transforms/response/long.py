"""Turn the four criteria, computed side by side, into one row each.

They are computed as columns, so that sorting and joining happen once and not four times.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import CRITERIA, EASL, MILLIONTHS, RECORDS
from schemas.settings import ResponseSettings
from transforms.response.ladder import named

EASL_FINER = 10_000
"""Hundredths of a percent in the whole: the precision of an estimated necrosis."""
PARTS = ("value", "baseline", "baseline_day", "nadir", "code")


def long(wide: ir.Table, *further: str) -> ir.Table:
    """One row per criterion: `who_value`, `easl_value`, ... become `value`, and so on."""
    each = wide.cross_join(ibis.memtable({"criterion": list(CRITERIA)}))
    return each.mutate(**{part: _of_criterion(each, part) for part in (*PARTS, *further)})


def _of_criterion(each: ir.Table, part: str) -> ir.Value:
    return ibis.cases(*((each.criterion == c.code, each[f"{c.name}_{part}"]) for c in RECORDS))


def easl_finer(settings: ResponseSettings) -> int:
    """By how much finer than millionths EASL's quantity is kept."""
    return EASL_FINER if settings.easl_quantity == "estimated" else 1


def published(rows: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Quantities as decimals, changes in percent, rule and class by name.

    Percentages are for display; every threshold was compared before, in whole numbers.
    """
    rule, response = named(rows.code)
    finer = easl_finer(settings)
    easl = rows.criterion == EASL.code
    unit = MILLIONTHS if finer == 1 else easl.ifelse(finer * MILLIONTHS, MILLIONTHS)
    return rows.mutate(
        rule=rule,
        response=response,
        change_from_baseline_pct=_change(rows.value, rows.baseline),
        change_from_nadir_pct=_change(rows.value, rows.nadir),
        value=_decimal(rows.value, unit),
        baseline=_decimal(rows.baseline, unit),
        nadir=_decimal(rows.nadir, unit),
    )


def _change(value: ir.IntegerValue, reference: ir.IntegerValue) -> ir.FloatingValue:
    return (value - reference) * 100 / reference.nullif(0)


def _decimal(quantity: ir.IntegerValue, unit: ir.IntegerValue | int) -> ir.DecimalValue:
    """Exact: a quantity has fewer digits than a double, and six after the point; else rounded."""
    return (quantity.cast("float64") / unit).cast("decimal(18, 6)")
