"""Which value a lesion is compared with: its baseline in the modality of the reading, if any.

A baseline is the last evaluable reading on or before the day of treatment, not older than the
setting allows; a scan on the day of treatment counts. Each criterion has its own: a scan without
arterial phase can be the baseline for WHO while an earlier one stays the baseline for EASL. Where a
lesion has no baseline in a modality, its last one of any modality stands in, and is flagged. Where
several modalities were read on one day, CT goes before MRI.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS
from schemas.settings import ResponseSettings

MODALITIES = ("other", "MRI", "CT")
"""From last to first choice."""


def moment(readings: ir.Table) -> ir.IntegerValue:
    """Order the readings of a lesion by one reader completely: by day, then by modality."""
    rank = ibis.cases(*((readings.modality == m, n) for n, m in enumerate(MODALITIES)), else_=0)
    return readings.rel_day * len(MODALITIES) + rank.cast("int64")


def baselines(readings: ir.Table, settings: ResponseSettings) -> ir.Table:
    """One row per lesion and reader read up to treatment: the baseline of every criterion.

    `<criterion>_<modality>` and `<criterion>_any` with their `_day`; `<criterion>_seen_day` is the
    last evaluable day, too old or not; `<criterion>_home` the modality of `_any`.

    Args:
        readings: lesion quantities with `anchor_day`, the day that treatment began for them.
        settings: the greatest age.
    """
    before = readings.filter(readings.rel_day <= readings.anchor_day)
    before = before.mutate(moment=moment(before))
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        parts |= _of_criterion(before, criterion.name, settings)
    return before.group_by("subject_id", "reader", "lesion_number").agg(
        known=ibis.literal(True), **parts
    )


def _of_criterion(before: ir.Table, name: str, settings: ResponseSettings) -> dict[str, ir.Value]:
    evaluable = before[name].notnull()
    recent = evaluable & (before.rel_day >= before.anchor_day - settings.baseline_max_age_days)
    parts = {
        f"{name}_seen_day": before.rel_day.max(where=evaluable),
        f"{name}_any": before[name].argmax(before.moment, where=recent),
        f"{name}_any_day": before.rel_day.max(where=recent),
        f"{name}_home": before.modality.argmax(before.moment, where=recent),
    }
    for modality in MODALITIES:
        own = recent & (before.modality == modality)
        parts[f"{name}_{modality}"] = before[name].argmax(before.moment, where=own)
        parts[f"{name}_{modality}_day"] = before.rel_day.max(where=own)
    return parts


def reference(
    lesions: ir.Table, criterion: str, modality: ir.StringValue
) -> tuple[ir.IntegerValue, ir.IntegerValue, ir.BooleanValue]:
    """Value and day that readings of a modality are compared with, and whether it is another's."""
    own = of_modality(modality, {m: lesions[f"{criterion}_{m}"] for m in MODALITIES})
    own_day = of_modality(modality, {m: lesions[f"{criterion}_{m}_day"] for m in MODALITIES})
    changed = own.isnull() & lesions[f"{criterion}_any"].notnull()
    day = ibis.coalesce(own_day, lesions[f"{criterion}_any_day"], lesions[f"{criterion}_seen_day"])
    return ibis.coalesce(own, lesions[f"{criterion}_any"]), day, changed


def followed_value(
    lesions: ir.Table, criterion: str, modality: str, counts: ir.StringValue
) -> ir.IntegerValue:
    """What a lesion measures in a modality; without a baseline in it, what it does in its own.

    A lesion that has always been read by another technique than the rest stays comparable: where
    the modality counts in the assessment, its own reading stands in.
    """
    at_home = of_modality(
        lesions[f"{criterion}_home"], {m: lesions[f"{criterion}_in_{m}"] for m in MODALITIES}
    )
    foreign = lesions[f"{criterion}_{modality}"].isnull() & (counts == modality)
    stand_in = foreign.ifelse(at_home, ibis.null("int64"))
    return ibis.coalesce(lesions[f"{criterion}_in_{modality}"], stand_in)


def of_modality(modality: ir.StringValue, values: dict[str, ir.Value]) -> ir.Value:
    """The value of the modality that counts."""
    return ibis.cases(*((modality == m, value) for m, value in values.items()))
