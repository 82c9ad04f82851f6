"""The sum of the baseline set's lesions at each assessment.

Where a lesion was read more than once in an assessment, one evaluable reading counts: by the
modality of its baseline if there is one, then the latest. Two readings are never added.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS, WHO, Criterion
from schemas.settings import ResponseSettings
from transforms.response.baselines import moment
from transforms.response.ladder import gone, grown

_ASSESSMENT = ("subject_id", "reader", "first_day")
_LESION = ("subject_id", "reader", "lesion_number")
_SAME_MODALITY = 10**7
"""More than any moment: the baseline's modality goes before the later day."""


def lesion_sums(
    quantities: ir.Table, groups: ir.Table, lesions: ir.Table, settings: ResponseSettings
) -> ir.Table:
    """One row per assessment: sums and numbers of the lesions seen, under each criterion."""
    readings = _readings(quantities, groups, lesions)
    chosen = _chosen(readings).inner_join(lesions, _LESION)
    if settings.who_pd_any_lesion:
        chosen = _with_growth(chosen, settings)
    parts = {}
    for criterion in RECORDS:
        for name, value in _sums(chosen, criterion).items():
            parts[f"{criterion.name}_{name}"] = value
    growth = {"any_lesion_grew": chosen.grew.any()} if settings.who_pd_any_lesion else {}
    sums = chosen.group_by(_ASSESSMENT).agg(
        modality_changed=(~chosen.same_modality).any(), **parts, **growth
    )
    return sums.inner_join(_documents(readings), _ASSESSMENT)


def _readings(quantities: ir.Table, groups: ir.Table, lesions: ir.Table) -> ir.Table:
    """Readings after T0 of the lesions that are in a set, each with its assessment."""
    after = quantities.filter(quantities.rel_day > 0).drop("node", "index_lesion", "recist_target")
    of_set = after.inner_join(lesions.select(*_LESION, "baseline_modality"), _LESION)
    grouped = of_set.inner_join(groups, ["subject_id", "reader", "rel_day"])
    same = grouped.modality == grouped.baseline_modality
    return grouped.mutate(
        same=same, order=moment(grouped) + same.ifelse(_SAME_MODALITY, 0).cast("int64")
    )


def _chosen(readings: ir.Table) -> ir.Table:
    """One row per assessment and lesion: the reading that counts, under each criterion."""
    parts = {}
    for criterion in RECORDS:
        name = criterion.name
        evaluable = readings[name].notnull()
        parts[name] = readings[name].argmax(readings.order, where=evaluable)
        parts[f"{name}_day"] = readings.rel_day.argmax(readings.order, where=evaluable)
    return readings.group_by(*_ASSESSMENT, "lesion_number").agg(
        same_modality=readings.same.any(), **parts
    )


def _sums(chosen: ir.Table, criterion: Criterion) -> dict[str, ir.Value]:
    name = criterion.name
    value = chosen[f"{name}_counts"].ifelse(chosen[name], ibis.null("int64"))
    left = gone(criterion, value, chosen.node).fill_null(False)
    return {
        "seen": value.count(),
        "seen_sum": value.sum(),
        "seen_day": value.notnull().ifelse(chosen[f"{name}_day"], None).min(),
        "gone": left.sum(),
    }


def _with_growth(chosen: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Growth of each lesion over its own nadir (WHO 1979, as tabulated in PMC2755245 Table 3)."""
    before = ibis.range_window(group_by=_LESION, order_by="first_day", preceding=(None, 1))
    smallest = chosen.mutate(before=chosen.who.min().over(before))
    nadir = ibis.least(smallest.who_baseline, smallest.before.fill_null(smallest.who_baseline))
    over = grown(WHO, smallest.who, nadir, settings) & smallest.who_counts
    return smallest.mutate(grew=over.fill_null(False))


def _documents(readings: ir.Table) -> ir.Table:
    """The rows that an assessment rests on.

    Ids are collected over a window: lists in a group's state cannot be spilled to disk.
    """
    whole = ibis.window(group_by=_ASSESSMENT)
    ordered = ibis.window(group_by=_ASSESSMENT, order_by="row_id")
    each = readings.select(
        *_ASSESSMENT,
        row_ids=readings.row_id.collect().over(whole),
        read_modality=readings.modality.min().over(whole),
        read_modality_2=readings.modality.max().over(whole),
        place=ibis.row_number().over(ordered),
    )
    first = each.filter(each.place == 0)
    return first.select(
        *_ASSESSMENT,
        "read_modality",
        "read_modality_2",
        source_row_ids=first.row_ids.sort().join(" "),
    )
