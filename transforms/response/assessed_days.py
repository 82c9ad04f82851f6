"""Which scans make one assessment, and which modality counts in it.

Within an assessment one modality counts: that in which most of the lesions followed were read, of
equals that of their baseline, then CT. The choice is the patient's, so that a lesion and its
patient are judged by the same reading.

Source: the registry's convention; RECIST 1.1 asks for the same technique throughout (Eisenhauer et
al., Eur J Cancer 2009;45:228-247, section 3.2).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.criteria import RECORDS
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, AssessedDays, LesionQuantities, Sessions
from schemas.tables.registry import Scans, SubsequentTherapies
from transforms.joins import dated, looked_up
from transforms.response.baselines import MODALITIES, moment
from transforms.response.lesion_sets import lesion_sets
from transforms.response.window import closings
from transforms.scans.scan_groups import scan_groups

_SERIES = ("subject_id", "reader")
_ASSESSMENT = (*_SERIES, "first_day")
_FIRST_CHOICE = 10**6
"""More than any moment: the assessment's modality goes before the later day."""


def assessed_days(
    lesion_quantities: Table[LesionQuantities],
    scans: Table[Scans],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[AssessedDays]:
    """Name the assessment of every day after T0, and the modality that counts in it."""
    days = dated(scans, anchors, "scan_date").select(*_SERIES, "rel_day")
    together = scan_groups(days, lesion_quantities, settings.scan_group_days)
    closing = closings(anchors, sessions, subsequent_therapies, settings)
    groups = _cut(together, closing)
    lesions = lesion_sets(lesion_quantities, settings)
    read = _read(lesion_quantities, groups, lesions)
    known = looked_up(groups, read, _ASSESSMENT)
    based = looked_up(known, _based(lesions), _SERIES)
    chosen = based.mutate(**{f"{c.name}_modality": _chosen(based, c.name) for c in RECORDS})
    return conform(chosen, AssessedDays)


def _cut(groups: ir.Table, closing: ir.Table) -> ir.Table:
    """Part each assessment where other treatment began: what was seen before it still counts."""
    day = (*_SERIES, "rel_day")
    pairs = groups.inner_join(closing, "subject_id").filter(lambda t: t.closed_day < t.rel_day)
    numbered = pairs.group_by(day).agg(part=pairs.count())
    parted = looked_up(groups, numbered, day)
    whole = parted.mutate(part=parted.part.fill_null(0))
    same = ibis.window(group_by=[*_SERIES, "first_day", "part"])
    return whole.select(*day, first_day=whole.rel_day.min().over(same))


def chosen_readings(readings: ir.Table, days: ir.Table) -> ir.Table:
    """One row per assessment and lesion: what it measures in each modality, and what counts.

    `<criterion>_in_<modality>` is the last evaluable value in a modality. The struct named after
    the criterion is the reading that counts: an evaluable one goes before one that is not, the
    assessment's modality before another, then the later day.

    Args:
        readings: lesion quantities of the days that count.
        days: `assessed_days`.
    """
    grouped = readings.inner_join(days, [*_SERIES, "rel_day"])
    at = moment(grouped)
    parts = {}
    for criterion in RECORDS:
        name = criterion.name
        first = (grouped.modality == grouped[f"{name}_modality"]).ifelse(_FIRST_CHOICE, 0)
        evaluable = grouped[name].notnull().ifelse(2 * _FIRST_CHOICE, 0)
        reading = ibis.struct(
            {
                "value": grouped[name],
                **{n: grouped[n] for n in ("rel_day", "modality", "status", "row_id")},
                **{n: grouped[n] for n in ("scan_evaluable", "arterial_phase", "unreadable")},
            }
        )
        parts[name] = reading.argmax(at + first.cast("int64") + evaluable.cast("int64"))
        for modality in MODALITIES:
            own = grouped[name].notnull() & (grouped.modality == modality)
            parts[f"{name}_in_{modality}"] = grouped[name].argmax(at, where=own)
    return grouped.group_by(*_ASSESSMENT, "lesion_number").agg(
        absent=(grouped.status == "absent").all(),
        last_day=grouped.rel_day.max(),
        **parts,
        **{f"{c.name}_modality": grouped[f"{c.name}_modality"].max() for c in RECORDS},
    )


def _read(quantities: ir.Table, groups: ir.Table, lesions: ir.Table) -> ir.Table:
    """How many lesions of each set were read in each modality, per assessment."""
    lesion = (*_SERIES, "lesion_number")
    sets = lesions.select(
        *lesion, **{f"{c.name}_counts": lesions[f"{c.name}_counts"] for c in RECORDS}
    )
    readings = quantities.inner_join(groups, [*_SERIES, "rel_day"]).inner_join(sets, lesion)
    each = readings.group_by(*_ASSESSMENT, "lesion_number").agg(
        **{
            f"{c.name}_{m}": (
                readings[f"{c.name}_counts"] & readings[c.name].notnull() & (readings.modality == m)
            ).any()
            for c in RECORDS
            for m in MODALITIES
        }
    )
    return each.group_by(_ASSESSMENT).agg(
        **{f"{c.name}_n_{m}": each[f"{c.name}_{m}"].sum() for c in RECORDS for m in MODALITIES}
    )


def _based(lesions: ir.Table) -> ir.Table:
    """In how many lesions of each set the baseline is of each modality."""
    return lesions.group_by(_SERIES).agg(
        **{
            f"{c.name}_base_{m}": (
                lesions[f"{c.name}_counts"] & (lesions[f"{c.name}_home"] == m)
            ).sum()
            for c in RECORDS
            for m in MODALITIES
        }
    )


def _chosen(based: ir.Table, name: str) -> ir.StringValue:
    """The modality with the most lesions read; of equals that of most baselines, then CT."""
    score = {
        m: (
            based[f"{name}_n_{m}"].fill_null(0) * 10**6
            + based[f"{name}_base_{m}"].fill_null(0) * 10
            + n
        )
        for n, m in enumerate(MODALITIES)
    }
    best = ibis.greatest(*score.values())
    return ibis.cases(*((points == best, m) for m, points in score.items()))
