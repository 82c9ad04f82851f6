"""Which lesions are in a patient's sum: those recorded up to the first treatment.

A lesion that is first recorded later is not part of it, whenever it is delivered, nor is one that
was recorded as absent and nothing else. For RECIST, a
flagged lesion below the measurable size is no target and is left out; one of unknown size is not.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import (
    MAX_TARGETS,
    MAX_TARGETS_PER_ORGAN,
    RECIST11,
    RECORDS,
    Criterion,
)
from schemas.settings import ResponseSettings
from transforms.response.baselines import baselines
from transforms.response.ladder import measurable

TRAITS = ("node", "liver", "index_lesion", "recist_target", "merged_into", "lobe")


def lesion_sets(quantities: ir.Table, settings: ResponseSettings) -> ir.Table:
    """One row per lesion and reader: its baselines at T0, and for which criteria it counts."""
    anchored = quantities.mutate(anchor_day=ibis.literal(0, "int64"))
    seen = anchored.filter(anchored.rel_day <= 0, anchored.status != "absent")
    there = seen.select("subject_id", "reader", "lesion_number").distinct()
    found = baselines(
        anchored.semi_join(there, ["subject_id", "reader", "lesion_number"]), settings
    )
    traits = quantities.group_by("subject_id", "lesion_number").agg(
        **{name: quantities[name].max() for name in TRAITS}
    )
    described = found.inner_join(traits, ["subject_id", "lesion_number"])
    return described.mutate(**{f"{c.name}_counts": _counts(described, c) for c in RECORDS})


def _counts(lesions: ir.Table, criterion: Criterion) -> ir.BooleanValue:
    """Too small a baseline takes a lesion out of the set; an unknown one does not."""
    large = measurable(criterion, lesions[f"{criterion.name}_any"], lesions.node)
    return lesions[criterion.lesions] & large.fill_null(True)


def too_many_targets(lesions: ir.Table) -> ir.Table:
    """Per subject and reader: whether the targets are more than RECIST 1.1 allows."""
    targets = lesions[f"{RECIST11.name}_counts"]
    too_many = targets.sum() > MAX_TARGETS
    for n in ((targets & lesions.liver).sum(), (targets & lesions.node).sum()):
        too_many = too_many | (n > MAX_TARGETS_PER_ORGAN)
    return lesions.group_by("subject_id", "reader").agg(too_many_targets=too_many)
