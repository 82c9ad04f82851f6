"""Every laboratory result beside its limits, and how far tumour markers fell.

A marker responds where it lies above its upper limit before treatment and falls by a share, which
is a setting: no source fixes it. Results are compared in the unit of the baseline alone, and by
cross-multiplication; a censored result answers only where every value that it allows answers alike.
Back to normal is a result at most its own row's upper limit. The results that count follow T0, up
to the day that other treatment began. At best, the greatest fall decides; at a time point, the
result nearest to it, of two as near the earlier, of one day the last draw.

Source: PMC8159831 (chromogranin A and 5-HIAA follow treatment; several cut-offs are in use). Share
of a fall, window and best of the window are the registry's convention, as with tumour responses.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.field.markers import MARKERS
from schemas.records.lab_words import UNITS
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions
from schemas.tables.lab_marts import LabResults, MarkerResponse
from schemas.tables.registry import Labs, SubsequentTherapies
from transforms.baseline.lab_limits import known_comparator
from transforms.joins import dated, looked_up
from transforms.response.window import closing_days

UNKNOWN_UNIT = "unknown"
"""What is released for a unit that is none of ours: its free text never leaves the registry."""
_BY = ["subject_id", "marker"]
_WIDE = "decimal(38, 6)"
_FARTHER, _DRAWS = 10**11, 10**6
"""Distance goes before the day, the day before the number of the draw."""


def lab_results(
    labs: Table[Labs], anchors: Table[Anchors], baseline_labs: Table[BaselineLabs]
) -> Table[LabResults]:
    """Keep every accepted result of a treated subject, with its unit and limits."""
    placed = dated(labs, anchors, "lab_date")
    base = baseline_labs.select("row_id", is_base=ibis.literal(True))
    known = looked_up(placed, base, "row_id")
    return conform(
        known.mutate(
            unit=_released(known.unit),
            is_baseline=known.is_base.fill_null(False),
            source_row_id=known.row_id,
        ),
        LabResults,
    )


def marker_response(
    labs: Table[Labs],
    anchors: Table[Anchors],
    baseline_labs: Table[BaselineLabs],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[MarkerResponse]:
    """Tell of every marker with a baseline whether it fell, and whether it is normal again."""
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    base = _baselines(baseline_labs)
    results = _results(labs, anchors, base, settings)
    inside = looked_up(results, closing, "subject_id")
    counted = inside.filter((inside.rel_day <= inside.closed_day).fill_null(True))
    days = ((0, None, None), *((at, first, last) for first, at, last in settings.windows))
    points = ibis.union(*(_at(base, counted, *point) for point in days))
    return conform(_told(points), MarkerResponse)


def _released(unit: ir.StringValue) -> ir.StringValue:
    return unit.isin(sorted({"%", *UNITS.values()})).ifelse(unit, UNKNOWN_UNIT)


def _baselines(baseline_labs: ir.Table) -> ir.Table:
    """The baseline of every marker, and whether it lies above its upper limit."""
    base = baseline_labs.filter(baseline_labs.analyte.isin(MARKERS))
    comparator = known_comparator(base)
    return base.select(
        "subject_id",
        "upper_limit",
        marker="analyte",
        baseline_value="value",
        base_comparator=comparator,
        base_unit="unit",
        elevated=~_at_most(base.value, comparator, base.upper_limit),
    )


def _at_most(
    value: ir.DecimalValue, comparator: ir.StringValue, limit: ir.DecimalValue
) -> ir.BooleanValue:
    """Whether a result is at most a limit of its own unit; null where it cannot be told."""
    return ibis.cases(
        (comparator.isnull(), value <= limit),
        (comparator.isin(["<", "<="]) & (value <= limit), True),
        ((comparator == ">") & (value >= limit), False),
        ((comparator == ">=") & (value > limit), False),
        else_=ibis.null("boolean"),
    )


def _results(
    labs: ir.Table, anchors: ir.Table, base: ir.Table, settings: ResponseSettings
) -> ir.Table:
    """Later results of markers with a baseline, each judged beside it."""
    placed = dated(labs.filter(labs.analyte.isin(MARKERS)), anchors, "lab_date")
    later = placed.filter(placed.rel_day > 0)
    comparator = known_comparator(later)
    judged = later.select(
        "subject_id",
        "rel_day",
        "unit",
        "value",
        "sequence",
        "row_id",
        marker="analyte",
        comparator=comparator,
        normalised=_at_most(later.value, comparator, later.upper_limit),
    )
    known = judged.inner_join(base.drop("elevated", "upper_limit"), _BY)
    same = known.unit == known.base_unit
    exact = known.comparator.isnull() & known.base_comparator.isnull()
    change = 100 * (known.value.cast("float64") / known.baseline_value.nullif(0) - 1)
    return known.mutate(
        fell=ibis.ifelse(same, _fell(known, settings), ibis.null("boolean")),
        change_pct=ibis.ifelse(same & exact, change, ibis.null("float64")),
    ).drop("baseline_value", "base_comparator", "base_unit")


def _fell(t: ir.Table, settings: ResponseSettings) -> ir.BooleanValue:
    """Whether every value that both results allow is a fall, or none of them is one."""
    after = t.value.cast(_WIDE) * 100
    left = t.baseline_value.cast(_WIDE) * (100 - settings.marker_fall_pct)
    at_most = t.comparator.isnull() | t.comparator.isin(["<", "<="])
    at_least = t.comparator.isnull() | t.comparator.isin([">", ">="])
    base_at_least = t.base_comparator.isnull() | t.base_comparator.isin([">", ">="])
    base_at_most = t.base_comparator.isnull() | t.base_comparator.isin(["<", "<="])
    return ibis.cases(
        (at_most & base_at_least & (after <= left), True),
        (at_least & base_at_most & (after > left), False),
        else_=ibis.null("boolean"),
    )


def _at(
    base: ir.Table, results: ir.Table, at: int, first: int | None, last: int | None
) -> ir.Table:
    """Every marker with a baseline at one time point, with the result that decides."""
    best = first is None or last is None
    if not best:
        results = results.filter(results.rel_day.between(first, last))
    draw = results.rel_day * _DRAWS + (_DRAWS - 1 - results.sequence.fill_null(1))
    kind = ibis.cases((results.fell, 0), (~results.fell, 1), else_=2)
    near = (results.rel_day - at).abs() * _FARTHER + draw
    order: list[ir.Value] = [kind, results.value, draw] if best else [near]
    ranked = results.mutate(
        place=ibis.row_number().over(group_by=_BY, order_by=order),
        any_normal=results.normalised.any().over(group_by=_BY),
    )
    decides = ranked.filter(ranked.place == 0)
    normal = decides.any_normal if best else decides.normalised
    decided = decides.mutate(normalised=normal).select(
        *_BY, "value", "change_pct", "fell", "normalised", "row_id", result_day="rel_day"
    )
    return looked_up(base, decided, _BY).mutate(at_days=ibis.literal(at, "int64"))


def _told(points: ir.Table) -> ir.Table:
    reason = ibis.cases(
        (points.elevated & points.fell.notnull(), ibis.null("string")),
        (~points.elevated, "not_above_the_upper_limit"),
        (points.elevated.isnull() & points.upper_limit.isnull(), "no_upper_limit"),
        (points.elevated.isnull(), "censored"),
        (points.result_day.isnull(), "no_result"),
        else_="not_comparable",
    )
    return points.mutate(
        unit=_released(points.base_unit),
        evaluable=(points.elevated & points.fell.notnull()).fill_null(False),
        reason=reason,
        source_row_id=points.row_id,
    )
