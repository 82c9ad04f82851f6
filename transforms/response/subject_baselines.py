"""Each patient's sum of lesions at baseline, and the lesions that belong to it.

The lesions of a sum are those recorded up to the first treatment: one that is first recorded
later is not part of it, whenever it is delivered. A lesion of the set without an evaluable
baseline leaves the patient without one, because a sum over some of the lesions is no sum.

For RECIST, a flagged lesion below the measurable size is not a target, and is left out of the set.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import MAX_TARGETS, MAX_TARGETS_PER_ORGAN, RECORDS, Criterion
from schemas.settings import ResponseSettings
from transforms.response.baselines import baselines
from transforms.response.ladder import measurable

_SERIES = ("subject_id", "reader")


def lesion_baselines(readings: ir.Table, settings: ResponseSettings) -> ir.Table:
    """One row per lesion and reader: its baseline at T0, and for which criteria it counts."""
    anchored = readings.mutate(anchor_day=ibis.literal(0, "int64"))
    found = baselines(anchored, (*_SERIES, "lesion_number"), settings)
    traits = readings.group_by("subject_id", "lesion_number").agg(
        **{
            name: readings[name].max()
            for name in ("node", "liver", "index_lesion", "recist_target")
        }
    )
    described = found.inner_join(traits, ["subject_id", "lesion_number"])
    return described.mutate(**{f"{c.name}_counts": _counts(described, c) for c in RECORDS}).drop(
        "anchor_day", "last_moment", "last_day"
    )


def _counts(lesions: ir.Table, criterion: Criterion) -> ir.BooleanValue:
    """Too small a baseline takes a lesion out of the set; an unknown one does not."""
    large = measurable(criterion, lesions[f"{criterion.name}_baseline"], lesions.node)
    return lesions[criterion.lesions] & large.fill_null(True)


def subject_baselines(lesions: ir.Table) -> ir.Table:
    """One row per subject and reader: sums, days and the number of lesions in each set."""
    parts = {}
    for criterion in RECORDS:
        for name, value in _sums(lesions, criterion).items():
            parts[f"{criterion.name}_{name}"] = value
    found = lesions.group_by(_SERIES).agg(**parts, **_selection(lesions))
    return found.mutate(**{f"{c.name}_baseline": _complete(found, c.name) for c in RECORDS})


def _sums(lesions: ir.Table, criterion: Criterion) -> dict[str, ir.Value]:
    counts = lesions[f"{criterion.name}_counts"]
    value = lesions[f"{criterion.name}_baseline"]
    day = lesions[f"{criterion.name}_baseline_day"]
    return {
        "n": counts.sum(),
        "n_dated": (counts & day.notnull()).sum(),
        "n_valued": (counts & value.notnull()).sum(),
        "sum": counts.ifelse(value, None).sum(),
        "oldest": counts.ifelse(day, None).min(),
        "recorded": lesions[criterion.lesions].sum(),
    }


def _complete(found: ir.Table, criterion: str) -> ir.IntegerValue:
    """The sum, only where every lesion of the set has a value."""
    n, valued = found[f"{criterion}_n"], found[f"{criterion}_n_valued"]
    return ((n > 0) & (n == valued)).ifelse(found[f"{criterion}_sum"], ibis.null("int64"))


def _selection(lesions: ir.Table) -> dict[str, ir.BooleanValue]:
    """Whether the targets are more than RECIST 1.1 allows, in all or in one organ."""
    targets = lesions.recist_1_1_counts
    per_organ = [(targets & lesions.liver).sum(), (targets & lesions.node).sum()]
    too_many = targets.sum() > MAX_TARGETS
    for n in per_organ:
        too_many = too_many | (n > MAX_TARGETS_PER_ORGAN)
    return {"too_many_targets": too_many}
