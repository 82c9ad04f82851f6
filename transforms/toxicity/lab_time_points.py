"""Each patient's laboratory values and liver scores before treatment and at fixed times after it.

Before treatment the last result up to T0 counts, afterwards the one nearest to the day aimed at, of
two as near the earlier, of one day the last draw. Results follow T0 and stay in, whatever therapy
followed: this is what became of the patient, not of one treatment. A censored result, or one of a
unit that is none of ours, has no value; it counts only where no other is near the time point. A
score takes its items as after a session: `transforms.toxicity.liver_scores`.

Source: time points by the registry's convention; series report one, three, six and twelve months
(Tomozawa et al. 2018; Su et al. 2017). Scores: `transforms.baseline.liver_function`.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.records.analytes import ANALYTES
from schemas.settings import BaselineSettings, ToxicitySettings
from schemas.tables.intermediate import Anchors, BaselineLabs, Sessions
from schemas.tables.lab_marts import LabTimePoints
from schemas.tables.registry import Assessments, Labs
from transforms.baseline.lab_limits import factors, known_comparator
from transforms.joins import dated, looked_up
from transforms.toxicity.after_sessions import begun_courses, placed_sessions, within
from transforms.toxicity.liver_function_changes import before_courses
from transforms.toxicity.liver_scores import items_by_day, of_days, scored

FOREVER = 1_000_000
DECIMALS = 9
_BY = ["subject_id", "quantity"]
_FARTHER, _DRAWS = 10**11, 10**6
"""Distance goes before the day, the day before the number of the draw."""
_WITHOUT = 10**18
"""A result without a value comes after every other."""


def lab_time_points(
    labs: Table[Labs],
    baseline_labs: Table[BaselineLabs],
    assessments: Table[Assessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
    baseline: BaselineSettings,
) -> Table[LabTimePoints]:
    """Give every analyte and score at every time point, with its change from before treatment."""
    certain = baseline_labs.filter(~unreadable(baseline_labs, "lab_time"))
    drawn = dated(labs, anchors, "lab_date")
    scores = _first(labs, baseline_labs, assessments, anchors, sessions, baseline)
    first = _values(certain, baseline).union(_scores(scores, ibis.null("int64")))
    after = within(
        items_by_day(labs, assessments, anchors, baseline),
        placed_sessions(sessions, anchors),
        1,
        FOREVER,
    )
    seen = scored(of_days(after, settings.liver_function_days), ["session_number", "rel_day"])
    later = _values(drawn.filter(drawn.rel_day > 0), baseline).union(_scores(seen, seen.rel_day))
    near = ibis.union(*(_near(later, *window) for window in settings.lab_windows))
    base = first.mutate(at_days=ibis.literal(0, "int64")).drop("sequence")
    known = first.select(*_BY, baseline_value="value")
    told = looked_up(base.union(near.select(*base.columns)), known, _BY)
    change = (told.value - told.baseline_value).round(DECIMALS)
    return conform(
        told.mutate(
            change=ibis.ifelse(told.at_days == 0, ibis.null("float64"), change),
            reason=ibis.ifelse(told.value.isnull(), "censored_or_unknown_unit", None),
        ),
        LabTimePoints,
    )


def _first(
    labs: ir.Table,
    baseline_labs: ir.Table,
    assessments: ir.Table,
    anchors: ir.Table,
    sessions: ir.Table,
    baseline: BaselineSettings,
) -> ir.Table:
    """The scores before treatment."""
    courses = begun_courses(sessions, anchors)
    items = before_courses(labs, baseline_labs, assessments, courses, baseline)
    return scored(items.filter(items.course == 1), ["course"])


def _values(results: ir.Table, baseline: BaselineSettings) -> ir.Table:
    """Results of our analytes, in the analyte's own unit."""
    ours = results.filter(results.analyte.isin(ANALYTES), results.value.notnull())
    known = looked_up(ours, _factors(baseline), ["analyte", "unit"])
    exact = known_comparator(known).isnull()
    value = known.value.cast("float64") * known.numerator / known.denominator
    return known.select(
        "subject_id",
        quantity="analyte",
        value=ibis.ifelse(exact, value, ibis.null("float64")),
        value_day="rel_day",
        sequence=known.sequence.fill_null(1),
        source_row_id="row_id",
    )


def _factors(baseline: BaselineSettings) -> ir.Table:
    found = [
        (analyte, unit, float(factor.numerator), float(factor.denominator))
        for analyte in ANALYTES
        for unit, factor in factors(analyte, baseline.bilirubin_umol_per_mg_dl).items()
    ]
    types = {"analyte": "string", "unit": "string", "numerator": "float64"}
    return ibis.memtable(found, schema=types | {"denominator": "float64"})


def _scores(scores: ir.Table, days: ir.IntegerValue) -> ir.Table:
    return scores.select(
        "subject_id",
        quantity="score",
        value="value",
        value_day=days,
        sequence=ibis.literal(1, "int64"),
        source_row_id=ibis.null("string"),
    )


def _near(later: ir.Table, first: int, at: int, last: int) -> ir.Table:
    """The result of every patient and quantity that is nearest to a day."""
    inside = later.filter(later.value_day.between(first, last))
    draw = inside.value_day * _DRAWS + (_DRAWS - 1 - inside.sequence)
    distance = (inside.value_day - at).abs() * _FARTHER + draw
    order = distance + inside.value.isnull().cast("int64") * _WITHOUT
    ranked = inside.mutate(place=ibis.row_number().over(group_by=_BY, order_by=order))
    return ranked.filter(ranked.place == 0).mutate(at_days=ibis.literal(at, "int64"))
