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
from schemas.records.factors import BILIRUBIN, BILIRUBIN_BELOW, FACTORS, PROGNOSTIC, Factor, Limit
from schemas.sections.prognosis import PrognosisSettings, compared
from schemas.settings import SurvivalSettings
from schemas.tables.marts import FactorLevels, Subjects
from schemas.tables.registry import ReportedEndpoints

WHOLE = ibis.literal("")
"""The endpoint of a level that holds for the patient."""


def factor_levels(
    subjects: Table[Subjects],
    reported_endpoints: Table[ReportedEndpoints],
    *,
    settings: SurvivalSettings,
    prognosis: PrognosisSettings,
) -> Table[FactorLevels]:
    """Place each subject at one level of each factor that is known of it at T0.

    The factors are those of the series, and those that the settings name.

    A treatment group belongs to patient and endpoint: the groupings of two endpoints are never
    merged, and each has its own reference.
    """
    wanted = {record.factor for record in PROGNOSTIC} | compared(prognosis)
    chosen = tuple(record for record in FACTORS if record.factor in wanted)
    if not settings.bilirubin_good_includes_limit:
        below = {BILIRUBIN: BILIRUBIN_BELOW}
        chosen = tuple(below.get(factor, factor) for factor in chosen)
    first = settings.reference_groups
    placed = [
        *(_placed(subjects, factor, first if factor.by_endpoint else ()) for factor in chosen),
        *(_of_endpoints(reported_endpoints, f, first) for f in chosen if f.by_endpoint),
    ]
    return reduce(lambda one, other: one.union(other), (conform(t, FactorLevels) for t in placed))


def _of_endpoints(reported_endpoints: ir.Table, factor: Factor, first: tuple[str, ...]) -> ir.Table:
    """The groups that a source names with its times, a row per patient and endpoint."""
    named = reported_endpoints.select(
        "subject_id",
        endpoint=reported_endpoints.endpoint.upper(),
        **{factor.column: reported_endpoints.group},
    )
    return _placed(named, factor, first, named.endpoint)


def _placed(
    subjects: ir.Table,
    factor: Factor,
    first: tuple[str, ...] = (),
    endpoint: ir.StringValue = WHOLE,
) -> ir.Table:
    value = subjects[factor.column]
    level, number = placed_level(value, factor, first, endpoint)
    bad = (number == 1) if factor.ordered else ibis.null("boolean")
    found = subjects.select(
        "subject_id",
        endpoint=endpoint,
        factor=ibis.literal(factor.factor),
        factor_level=level,
        level_number=number,
        bad=bad,
    )
    return found.filter(found.factor_level.notnull())


def placed_level(
    value: ir.Value,
    factor: Factor,
    first: tuple[str, ...] = (),
    endpoint: ir.StringValue = WHOLE,
) -> tuple[ir.StringValue, ir.IntegerValue]:
    """The name and the number of the level that a value belongs to; null where it has none."""
    if factor.limits:
        return _stretch(value, factor)
    return _declared(value, factor) if factor.levels else _delivered(value, first, endpoint)


def _stretch(value: ir.Value, factor: Factor) -> tuple[ir.StringValue, ir.IntegerValue]:
    """The stretch between limits, compared as decimals: what lies on a limit is exact."""
    exact = value.cast(DECIMAL)
    within = [_within(exact, limit) for limit in factor.limits]
    # A null value is in no stretch.
    names = factor.names
    labels = [*zip(within, names[:-1], strict=True), (exact.notnull(), names[-1])]
    numbers = [(condition, n) for n, (condition, _) in enumerate(labels)]
    return ibis.cases(*labels), ibis.cases(*numbers)


def _within(exact: ir.DecimalValue, limit: Limit) -> ir.BooleanValue:
    bound = ibis.literal(Decimal(limit.value), type=DECIMAL)
    return {
        "<=": exact <= bound,
        "<": exact < bound,
        ">=": exact >= bound,
        ">": exact > bound,
    }[limit.good]


def _declared(value: ir.Value, factor: Factor) -> tuple[ir.StringValue, ir.IntegerValue]:
    belongs = [(ibis.or_(*(value == v for v in level.values)), level) for level in factor.levels]
    labels = [(condition, level.label) for condition, level in belongs]
    numbers = [(condition, n) for n, (condition, _) in enumerate(belongs)]
    return ibis.cases(*labels), ibis.cases(*numbers)


def _delivered(
    value: ir.StringValue, first: tuple[str, ...], endpoint: ir.StringValue
) -> tuple[ir.StringValue, ir.IntegerValue]:
    """The values as they stand: those named come first, in their order, the others by name."""
    # Blanks are nulls here, and nulls come last, so that the first value is number 0.
    given = value.nullif("")
    named = ((given == name, position) for position, name in enumerate(first))
    place = ibis.cases((given.isnull(), len(first) + 1), *named, else_=len(first))
    window = ibis.window(group_by=endpoint, order_by=[place, given])
    return given, ibis.dense_rank().over(window)
