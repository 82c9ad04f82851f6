"""The class of each lesion at each scan, under each criterion, and the rule that decided.

Readers are kept apart. So are modalities: readings by MRI are compared with a baseline by MRI where
there is one; where there is none they continue the series of the last baseline, and are flagged.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1 (classes per lesion); EORTC, RECIST questions
and clarifications.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.criteria import RECORDS, Criterion
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, LesionQuantities, Sessions
from schemas.tables.marts import LesionAssessments
from schemas.tables.registry import SubsequentTherapies
from transforms.response.baselines import baselines, nadir
from transforms.response.ladder import (
    PROGRESSIVE_UP_TO,
    baseline_rules,
    code,
    gone,
    measurable,
    progression_rules,
    shrunk,
    value_rules,
)
from transforms.response.long import long, published
from transforms.response.window import closing_days, in_window

_LESION = ("subject_id", "lesion_number", "reader")


def lesion_assessments(
    lesion_quantities: Table[LesionQuantities],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[LesionAssessments]:
    """Class every reading after the lesion's treatment against its baseline and nadir."""
    anchor = lesion_quantities.lobe_day if settings.baseline_anchor == "lobe" else 0
    readings = lesion_quantities.mutate(anchor_day=ibis.literal(0, "int64") + anchor)
    compared = _with_nadir(_with_baseline(readings, settings))
    judged = compared.mutate(**{f"{c.name}_code": _rule(compared, c, settings) for c in RECORDS})
    windowed = _windowed(judged, closing_days(anchors, sessions, subsequent_therapies, settings))
    followed = long(windowed, "in_window")
    counted = followed.filter(_counts_for(followed))
    return conform(_described(counted, settings), LesionAssessments)


def _with_baseline(readings: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Readings after treatment with a baseline: their modality's, else the reader's last one."""
    found = baselines(readings, (*_LESION, "modality"), settings)
    recent = found.last_day >= found.anchor_day - settings.baseline_max_age_days
    newest = ibis.row_number().over(group_by=_LESION, order_by=found.last_moment.desc()) == 0
    kept = found.mutate(recent=recent, newest=newest).drop("anchor_day", "last_moment", "last_day")
    own = kept.filter(kept.recent).drop("baseline_modality", "recent", "newest")
    latest = kept.filter(kept.newest).drop("modality", "recent", "newest")
    after = readings.filter(readings.rel_day > readings.anchor_day)
    joined = after.left_join(own, (*_LESION, "modality"), rname="own_{name}").left_join(
        latest, _LESION, rname="latest_{name}"
    )
    return _choose(joined)


def _choose(joined: ir.Table) -> ir.Table:
    own = joined.known.notnull()
    parts = [f"{c.name}_{part}" for c in RECORDS for part in ("baseline", "baseline_day")]
    return joined.mutate(
        known=own | joined.latest_known.notnull(),
        series=own.ifelse(joined.modality, joined.baseline_modality),
        **{part: own.ifelse(joined[part], joined[f"latest_{part}"]) for part in parts},
    )


def _with_nadir(compared: ir.Table) -> ir.Table:
    """The smallest value over baseline and evaluable readings of the series strictly before."""
    before = ibis.range_window(
        group_by=[*_LESION, "series"], order_by="rel_day", preceding=(None, 1)
    )
    smallest = compared.mutate(
        **{f"{c.name}_before": compared[c.name].min().over(before) for c in RECORDS}
    )
    return smallest.mutate(
        **{f"{c.name}_nadir": nadir(smallest, c.name) for c in RECORDS},
    )


def _rule(compared: ir.Table, criterion: Criterion, settings: ResponseSettings) -> ir.IntegerValue:
    name = criterion.name
    value, baseline = compared[name], compared[f"{name}_baseline"]
    return ibis.cases(
        (value.isnull() & compared.unreadable, code("unreadable")),
        *baseline_rules(
            criterion,
            known=compared.known,
            day=compared[f"{name}_baseline_day"],
            value=baseline,
        ),
        (~measurable(criterion, baseline, compared.node), code("not_measurable")),
        *value_rules(criterion, value, compared),
        *progression_rules(criterion, value, compared[f"{name}_nadir"], settings),
        (gone(criterion, value, compared.node), code("gone")),
        (shrunk(criterion, value, baseline), code("decrease_from_baseline")),
        else_=code("neither"),
    )


def _windowed(judged: ir.Table, closing: ir.Table) -> ir.Table:
    lesion = ibis.window(group_by=_LESION)
    first = judged.left_join(closing, "subject_id").mutate(
        **{f"{c.name}_first": _progression_day(judged, c.name).min().over(lesion) for c in RECORDS}
    )
    return first.mutate(
        **{f"{c.name}_value": first[c.name] for c in RECORDS},
        **{
            f"{c.name}_in_window": in_window(
                first.rel_day, first[f"{c.name}_first"], first.closed_day
            )
            for c in RECORDS
        },
    )


def _progression_day(judged: ir.Table, criterion: str) -> ir.IntegerValue:
    progressive = judged[f"{criterion}_code"] <= PROGRESSIVE_UP_TO
    return progressive.ifelse(judged.rel_day, ibis.null("int64"))


def _counts_for(rows: ir.Table) -> ir.BooleanValue:
    """Index lesions count for WHO and EASL, targets for RECIST and mRECIST."""
    return ibis.cases(*((rows.criterion == c.code, rows[c.lesions]) for c in RECORDS))


def _described(rows: ir.Table, settings: ResponseSettings) -> ir.Table:
    age = rows.anchor_day - rows.baseline_day
    return published(rows).mutate(
        modality_changed=(rows.series != rows.modality).fill_null(False),
        baseline_stale=age > settings.baseline_stale_days,
        source_row_ids=rows.row_id,
    )
