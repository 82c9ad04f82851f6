"""The level of each factor to which a patient belongs.

The records are in `schemas.records.factors`. A missing baseline gives no row: nobody is imputed,
and who is missing is counted beside every comparison.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, univariate analysis.
"""

from decimal import Decimal
from functools import reduce

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Table, conform
from schemas.records.factors import BILIRUBIN, BILIRUBIN_BELOW, FACTORS, Factor, Limit
from schemas.settings import SurvivalSettings
from schemas.tables.marts import FactorLevels, Subjects


def factor_levels(subjects: Table[Subjects], *, settings: SurvivalSettings) -> Table[FactorLevels]:
    """Place each subject at one level of each factor that is known of it."""
    below = {BILIRUBIN: BILIRUBIN_BELOW}
    chosen = FACTORS
    if not settings.bilirubin_good_includes_limit:
        chosen = tuple(below.get(factor, factor) for factor in FACTORS)
    placed = [conform(_placed(subjects, factor), FactorLevels) for factor in chosen]
    return reduce(lambda one, other: one.union(other), placed)


def _placed(subjects: ir.Table, factor: Factor) -> ir.Table:
    value = subjects[factor.column]
    level, number = _level(value, factor)
    bad = (number == 1) if factor.ordered or factor.limit else ibis.null("boolean")
    found = subjects.select(
        "subject_id",
        factor=ibis.literal(factor.factor),
        factor_level=level,
        level_number=number,
        bad=bad,
    )
    return found.filter(found.factor_level.notnull())


def _level(value: ir.Value, factor: Factor) -> tuple[ir.StringValue, ir.IntegerValue]:
    if factor.limit:
        return _sides(value, factor.limit)
    return _declared(value, factor) if factor.levels else _delivered(value)


def _sides(value: ir.Value, limit: Limit) -> tuple[ir.StringValue, ir.IntegerValue]:
    """The good and the bad side of a limit, compared as decimals: what lies on it is exact."""
    exact = value.cast(DECIMAL)
    bound = ibis.literal(Decimal(limit.value), type=DECIMAL)
    good = {
        "<=": exact <= bound,
        "<": exact < bound,
        ">=": exact >= bound,
        ">": exact > bound,
    }[limit.good]
    labels = limit.labels
    # A null value is on neither side.
    return (
        ibis.cases((good, labels[0]), (~good, labels[1])),
        ibis.cases((good, 0), (~good, 1)),
    )


def _declared(value: ir.Value, factor: Factor) -> tuple[ir.StringValue, ir.IntegerValue]:
    belongs = [(ibis.or_(*(value == v for v in level.values)), level) for level in factor.levels]
    labels = [(condition, level.label) for condition, level in belongs]
    numbers = [(condition, n) for n, (condition, _) in enumerate(belongs)]
    return ibis.cases(*labels), ibis.cases(*numbers)


def _delivered(value: ir.StringValue) -> tuple[ir.StringValue, ir.IntegerValue]:
    # Blanks are nulls here, and nulls come last, so that the first value is number 0.
    given = value.nullif("")
    order = [given.isnull().cast("int64"), given]
    return given, ibis.dense_rank().over(order_by=order)
