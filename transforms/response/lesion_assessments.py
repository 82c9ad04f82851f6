"""The class of each lesion at each assessment, under each criterion, and the rule that decided.

Readers are kept apart. Within an assessment one reading of a lesion counts, the one that counts for
its patient, too; it is compared with the lesion's baseline and nadir in the same modality. Where
the lesion has no baseline in it, the last one of any modality stands in, flagged.

A lesion that was gone and is back is progressive, however small. Lesions that merged are judged as
one.

Source: Riaz et al. 2011, J Hepatol 54:695, Table 1 (classes per lesion); EORTC, RECIST questions
and clarifications.
"""

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import Table, conform
from schemas.records.criteria import RECORDS, Criterion
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import (
    Anchors,
    AssessedDays,
    LesionQuantities,
    NewLesions,
    Sessions,
)
from schemas.tables.marts import LesionAssessments
from schemas.tables.registry import SubsequentTherapies
from transforms.joins import looked_up
from transforms.response.assessed_days import chosen_readings
from transforms.response.baselines import (
    MODALITIES,
    baselines,
    followed_value,
    of_modality,
    reference,
)
from transforms.response.ladder import (
    PROGRESSIVE_UP_TO,
    baseline_rules,
    code,
    gone,
    grown,
    measurable,
    shrunk,
    value_rules,
)
from transforms.response.lesion_sets import TRAITS
from transforms.response.long import long, published
from transforms.response.merged_lesions import judged_jointly, with_merged
from transforms.response.window import closing_day, in_window, lesion_closing_days

_LESION = ("subject_id", "lesion_number", "reader")
_OF_READING = ("rel_day", "modality", "row_id")


def lesion_assessments(
    lesion_quantities: Table[LesionQuantities],
    assessed_days: Table[AssessedDays],
    new_lesions: Table[NewLesions],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[LesionAssessments]:
    """Class every assessment after the lesion's treatment against its baseline and nadir."""
    anchor = lesion_quantities.lobe_day if settings.baseline_anchor == "lobe" else 0
    readings = lesion_quantities.mutate(anchor_day=ibis.literal(0, "int64") + anchor)
    chosen = chosen_readings(readings.filter(readings.rel_day > readings.anchor_day), assessed_days)
    after = with_merged(chosen, lesion_quantities)
    based = _with_baseline(after, readings, new_lesions, settings)
    compared = _with_history(judged_jointly(based))
    judged = compared.mutate(**{f"{c.name}_code": _rule(compared, c, settings) for c in RECORDS})
    closing = lesion_closing_days(anchors, sessions, subsequent_therapies, settings)
    followed = long(_windowed(judged, closing), "in_window", "changed", *_OF_READING)
    counted = followed.filter(_counts_for(followed))
    return conform(_described(counted, settings), LesionAssessments)


def _with_baseline(
    after: ir.Table, readings: ir.Table, new_lesions: ir.Table, settings: ResponseSettings
) -> ir.Table:
    """Each assessment with the lesion's traits and the baseline of its reading's modality."""
    traits = readings.group_by("subject_id", "lesion_number").agg(
        **{name: readings[name].max() for name in (*TRAITS, "anchor_day")}
    )
    known = after.inner_join(traits, ["subject_id", "lesion_number"])
    based = looked_up(known, baselines(readings, settings), _LESION)
    certain = new_lesions.filter(~new_lesions.undecided)
    new = certain.select(*_LESION, new_day="rel_day")
    told = looked_up(based, new, _LESION)
    return told.mutate(**_compared(told))


def _compared(told: ir.Table) -> dict[str, ir.Value]:
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        name = criterion.name
        counts = told[f"{name}_modality"]
        values = {m: followed_value(told, name, m, counts) for m in MODALITIES}
        baseline, day, changed = reference(told, name, counts)
        value = of_modality(counts, values)
        parts |= {
            f"{name}_baseline": baseline,
            f"{name}_baseline_day": day,
            f"{name}_changed": changed,
            f"{name}_merged": _merged_unread(told, name),
            f"{name}_value": value,
            f"{name}_elsewhere": value.isnull() & told[name].value.notnull(),
            **{f"{name}_of_{m}": v for m, v in values.items()},
            **{f"{name}_{n}": told[name][n] for n in ("rel_day", "row_id")},
            f"{name}_counting": counts,
            f"{name}_modality": told[name].modality,
        }
    return parts


def _merged_unread(told: ir.Table, name: str) -> ir.BooleanValue:
    """The lesion is absent since it merged, and what it merged into was not read: not gone."""
    went = told.merged_into.notnull() & ~told.joint
    return (went & (told[name].status == "absent")).fill_null(False)


def _with_history(compared: ir.Table) -> ir.Table:
    """The smallest value strictly before in the same modality, and whether the lesion was gone."""
    before = ibis.range_window(group_by=_LESION, order_by="first_day", preceding=(None, 1))
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        name = criterion.name
        value = compared[f"{name}_value"]
        smallest = {m: compared[f"{name}_of_{m}"].min().over(before) for m in MODALITIES}
        earlier = of_modality(compared[f"{name}_counting"], smallest)
        baseline = compared[f"{name}_baseline"]
        parts[f"{name}_nadir"] = ibis.cases(
            (compared[f"{name}_joint_nadir"].notnull(), compared[f"{name}_joint_nadir"]),
            (baseline.notnull(), ibis.least(baseline, earlier.fill_null(baseline))),
        )
        parts[f"{name}_was_gone"] = (value == 0).fill_null(False).any().over(before)
    return compared.mutate(**parts)


def _rule(compared: ir.Table, criterion: Criterion, settings: ResponseSettings) -> ir.IntegerValue:
    name = criterion.name
    value, baseline = compared[f"{name}_value"], compared[f"{name}_baseline"]
    left = gone(criterion, value, compared.node)
    back = compared[f"{name}_was_gone"].fill_null(False) & (value > 0) & ~left
    return ibis.cases(
        ((compared.new_day <= compared.last_day).fill_null(False), code("new_after_treatment")),
        (value.isnull() & compared[name].unreadable, code(UNREADABLE)),
        *baseline_rules(
            criterion,
            known=compared.known,
            day=compared[f"{name}_baseline_day"],
            value=baseline,
        ),
        (~measurable(criterion, compared[f"{name}_any"], compared.node), code("not_measurable")),
        (compared[f"{name}_merged"], code("merged")),
        (compared[f"{name}_elsewhere"], code("other_modality")),
        *value_rules(criterion, value, compared[name]),
        (back, code("reappearance")),
        (grown(criterion, value, compared[f"{name}_nadir"], settings), code("growth_over_nadir")),
        (left, code("gone")),
        (shrunk(criterion, value, baseline), code("decrease_from_baseline")),
        else_=code("neither"),
    )


def _windowed(judged: ir.Table, closing: ir.Table) -> ir.Table:
    lesion = ibis.window(group_by=_LESION)
    first = judged.left_join(closing, "subject_id").mutate(
        **{f"{c.name}_first": _progression_day(judged, c.name).min().over(lesion) for c in RECORDS}
    )
    closed = closing_day(first)
    return first.mutate(
        **{
            f"{c.name}_in_window": in_window(
                first[f"{c.name}_rel_day"], first[f"{c.name}_first"], closed
            )
            for c in RECORDS
        },
    )


def _progression_day(judged: ir.Table, criterion: str) -> ir.IntegerValue:
    progressive = judged[f"{criterion}_code"] <= PROGRESSIVE_UP_TO
    return progressive.ifelse(judged[f"{criterion}_rel_day"], ibis.null("int64"))


def _counts_for(rows: ir.Table) -> ir.BooleanValue:
    """Index lesions count for WHO and EASL, targets for RECIST and mRECIST."""
    return ibis.cases(*((rows.criterion == c.code, rows[c.lesions]) for c in RECORDS))


def _described(rows: ir.Table, settings: ResponseSettings) -> ir.Table:
    age = rows.anchor_day - rows.baseline_day
    return published(rows, settings).mutate(
        modality_changed=rows.changed.fill_null(False),
        baseline_stale=age > settings.baseline_stale_days,
        source_row_ids=rows.row_id,
    )
