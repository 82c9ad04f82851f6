"""Which lesions are new: those first measured after treatment of their own territory.

A lesion that was there before is not new, even if nobody had measured it: a row up to treatment
says that it was seen or could not be judged, or the registry says that it was present. Neither is a
fragment of a lesion, nor what several lesions merged into. A finding must not be due to a change of
technique: a first reading in a modality in which the patient has no baseline scan proves nothing.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.3.5 (new lesions).
"""

import ibis.expr.types as ir

from schemas.contract import Table, any_unreadable, conform
from schemas.tables.intermediate import Anchors, LesionQuantities, NewLesions, SubjectLesions
from schemas.tables.registry import Scans
from transforms.joins import dated

_LESION = ("subject_id", "lesion_number", "reader")
_THERE = ("measured", "too_small", "not_evaluable", "not_imaged")
"""What a row up to treatment can say of a lesion that was there; absent says that it was not."""


def new_lesions(
    lesion_quantities: Table[LesionQuantities],
    subject_lesions: Table[SubjectLesions],
    scans: Table[Scans],
    anchors: Table[Anchors],
) -> Table[NewLesions]:
    """Lesions first measured after T0 and after the first session of their territory."""
    first = _first_measured(lesion_quantities)
    late = first.filter((first.rel_day > first.lobe_day) & ~first.known)
    unexplained = late.inner_join(_unexplained(subject_lesions), ["subject_id", "lesion_number"])
    placed = dated(scans, anchors, "scan_date")
    comparable = unexplained.semi_join(
        _baseline_modalities(placed, lesion_quantities), ["subject_id", "reader", "modality"]
    )
    scan = ("subject_id", "reader", "modality", "rel_day")
    said = comparable.left_join(placed.select(*scan, "new_lesion"), scan)
    return conform(
        said.mutate(denied=(said.new_lesion == "none").fill_null(False)),
        NewLesions,
    )


def _first_measured(quantities: ir.Table) -> ir.Table:
    """One row per lesion and reader: its first measurement, and whether it was there before."""
    measured = (quantities.status == "measured") & quantities.scan_evaluable
    before = (quantities.rel_day <= quantities.lobe_day) & quantities.status.isin(_THERE)
    order = quantities.rel_day * 3 + (quantities.modality != "CT").ifelse(1, 0)
    return quantities.group_by(_LESION).agg(
        rel_day=quantities.rel_day.min(where=measured),
        modality=quantities.modality.argmin(order, where=measured),
        known=before.any(),
        lobe_day=quantities.lobe_day.max(),
        hepatic=quantities.liver.any(),
    )


def _unexplained(lesions: ir.Table) -> ir.Table:
    present = lesions.baseline_present.fill_null(False)
    joined = lesions.merged_into.notnull() | lesions.merged_from.fill_null(False)
    alone = lesions.filter(~present & ~joined & lesions.split_from.isnull())
    return alone.select(
        "subject_id",
        "lesion_number",
        undecided=any_unreadable(alone, "baseline_present", "merged_into", "split_from"),
    )


def _baseline_modalities(placed: ir.Table, quantities: ir.Table) -> ir.Table:
    columns = ("subject_id", "reader", "modality", "rel_day")
    seen = placed.select(*columns).union(quantities.select(*columns))
    return seen.filter(seen.rel_day <= 0).select("subject_id", "reader", "modality").distinct()
