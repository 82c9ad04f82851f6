"""Judge a patient by the planned course: a lobe that waits for its session cannot progress.

Which lobes were planned is taken from the record of the first session, never from later sessions:
that would make a patient's class depend on the future. A planned lobe waits until its first
session, at most as long as one course may last. While it waits its lesions count as at baseline, so
that they neither grow nor shrink, and they stay in the sum; from its session on they are compared
with the last reading before it. Why so: docs/decisions/planned_course.md.

A new hepatic lesion is excused only where every lesion first measured on that scan lies in a lobe
that waits: one that no measurement places counts as progression.

Source: the registry's convention (setting `patient_window`); no guideline treats staged lobes.
"""

import ibis
import ibis.expr.types as ir

from schemas.settings import ResponseSettings
from transforms.joins import looked_up
from transforms.response.baselines import baselines, reference

PREFIX = "later_"
"""Of the baselines that lesions of a planned lobe have from its own session on."""
_LESION = ("subject_id", "reader", "lesion_number")


def waiting_lobes(anchors: ir.Table) -> ir.Table:
    """Per subject the last day on which each lobe waits, and whether the plan is known."""
    return anchors.select(
        "subject_id",
        plan_known=anchors.plan_known.fill_null(False),
        right_waits=anchors.right_waits_to.delta(anchors.t0_date, unit="day"),
        left_waits=anchors.left_waits_to.delta(anchors.t0_date, unit="day"),
    )


def waits_to(lesions: ir.Table) -> ir.IntegerValue:
    """The last day on which a lesion's lobe waits for its session."""
    return ibis.cases(
        (lesions.liver & (lesions.lobe == "right"), lesions.right_waits),
        (lesions.liver & (lesions.lobe == "left"), lesions.left_waits),
        else_=ibis.null("int64"),
    )


def with_later_baselines(
    lesions: ir.Table, quantities: ir.Table, anchors: ir.Table, settings: ResponseSettings
) -> ir.Table:
    """The lesions of the sets with the day to which they wait, and the baselines from then on."""
    if settings.patient_window == "first_session":
        return lesions
    known = quantities.inner_join(waiting_lobes(anchors), "subject_id")
    until = waits_to(known)
    own = (known.lobe_day <= until).fill_null(False)
    anchored = known.mutate(waits_to=until, anchor_day=own.ifelse(known.lobe_day, 0))
    days = anchored.group_by(_LESION).agg(waits_to=anchored.waits_to.max())
    found = baselines(anchored, settings).drop("known")
    renamed = found.rename(lambda n: n if n in _LESION else f"{PREFIX}{n}")
    joined = looked_up(lesions, renamed, _LESION)
    return looked_up(joined, days, _LESION)


def held(every: ir.Table, read_day: ir.IntegerValue, settings: ResponseSettings) -> ir.BooleanValue:
    """Whether a lesion's lobe waits on the day of its reading, or of the last scan without one."""
    if settings.patient_window == "first_session":
        return ibis.literal(False)
    return (ibis.coalesce(read_day, every.last_day) <= every.waits_to).fill_null(False)


def compared_with(
    every: ir.Table,
    criterion: str,
    modality: ir.StringValue,
    waits: ir.BooleanValue,
    settings: ResponseSettings,
) -> tuple[ir.IntegerValue, ir.IntegerValue, ir.BooleanValue]:
    """The reference of a lesion: that at T0, and from its planned session on the later one."""
    at_t0 = reference(every, criterion, modality)
    if settings.patient_window == "first_session":
        return at_t0
    later = reference(every, f"{PREFIX}{criterion}", modality)
    value, day, changed = (waits.ifelse(now, then) for now, then in zip(at_t0, later, strict=True))
    return value, day, changed


def excused_days(quantities: ir.Table, anchors: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Days on which every lesion first measured lies in a lobe that waits."""
    known = quantities.inner_join(waiting_lobes(anchors), "subject_id")
    measured = known.filter(known.status == "measured", known.scan_evaluable)
    first = (
        measured.mutate(waits_to=waits_to(measured))
        .group_by(_LESION)
        .agg(rel_day=measured.rel_day.min(), waits_to=lambda t: t.waits_to.max())
    )
    placed = first.mutate(waits=(first.rel_day <= first.waits_to).fill_null(False))
    days = placed.group_by("subject_id", "reader", "rel_day").agg(excused=placed.waits.all())
    asked = settings.patient_window == "planned_course"
    return days.filter(days.excused & ibis.literal(asked))
