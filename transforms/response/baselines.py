"""A lesion's baseline: the last evaluable scan on or before the day of treatment.

A scan on the day of treatment counts as baseline. Each criterion has its own: a scan without
arterial phase can be the baseline for WHO while an earlier one stays the baseline for EASL. Where
several modalities were read on one day, CT goes before MRI.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS
from schemas.settings import ResponseSettings

_MODALITIES = ("other", "MRI", "CT")


def moment(readings: ir.Table) -> ir.IntegerValue:
    """Order the readings of a lesion by one reader completely: by day, then by modality."""
    rank = ibis.cases(*((readings.modality == m, n) for n, m in enumerate(_MODALITIES)), else_=0)
    return readings.rel_day * len(_MODALITIES) + rank.cast("int64")


def baselines(readings: ir.Table, by: tuple[str, ...], settings: ResponseSettings) -> ir.Table:
    """The baseline of every criterion: `<criterion>_baseline`, null if too old, and its `_day`.

    Args:
        readings: lesion quantities with `anchor_day`, the day that treatment began for them.
        by: the columns that a baseline belongs to.
        settings: the greatest age.
    """
    before = readings.filter(readings.rel_day <= readings.anchor_day)
    before = before.mutate(moment=moment(before))
    last = before.group_by(by).agg(
        known=ibis.literal(True),
        last_moment=before.moment.max(),
        last_day=before.rel_day.max(),
        baseline_modality=before.modality.argmax(before.moment),
        anchor_day=before.anchor_day.max(),
        **{f"{c.name}_last": _last(before, c.name, before[c.name]) for c in RECORDS},
        **{f"{c.name}_baseline_day": _last(before, c.name, before.rel_day) for c in RECORDS},
    )
    oldest = last.anchor_day - settings.baseline_max_age_days
    return last.mutate(
        **{
            f"{c.name}_baseline": (last[f"{c.name}_baseline_day"] >= oldest).ifelse(
                last[f"{c.name}_last"], None
            )
            for c in RECORDS
        }
    ).drop(*(f"{c.name}_last" for c in RECORDS))


def _last(before: ir.Table, criterion: str, wanted: ir.Value) -> ir.Value:
    return wanted.argmax(before.moment, where=before[criterion].notnull())


def nadir(rows: ir.Table, criterion: str) -> ir.IntegerValue:
    """The smaller of the baseline and the smallest value `_before`; nothing without a baseline."""
    baseline, before = rows[f"{criterion}_baseline"], rows[f"{criterion}_before"]
    return ibis.cases(
        (baseline.isnull(), ibis.null("int64")),
        (before.isnull(), baseline),
        else_=ibis.least(baseline, before),
    )
