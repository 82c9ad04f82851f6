"""A lesion that split is followed as the sum of its fragments.

The fragments' longest diameters are added, and they are compared with the lesion that they were
before. Products are added likewise: an extension of the rule to WHO and EASL. A fragment belongs to
the sum from its first reading on; where one of them was not read, there is no sum.

Source: EORTC, RECIST questions and clarifications (a lesion that splits, lesions that merge).
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS
from transforms.joins import looked_up, row_ids

_SERIES = ("subject_id", "whole", "reader")
_READING = (*_SERIES, "modality", "rel_day")
_WORST = ("not_imaged", "not_evaluable", "measured", "too_small", "absent")
"""The status that speaks for all fragments: the first of these that one of them has."""


def as_one(readings: ir.Table) -> ir.Table:
    """The readings, with those of fragments added to those of the lesion that they come from.

    Args:
        readings: quantities of every reading with `lesion_number`, and `split_from`: the number of
            the lesion that a fragment comes from.
    """
    kept = [n for n in readings.columns if n != "split_from"]
    fragments = readings.filter(readings.split_from.notnull())
    split = fragments.select("subject_id", lesion_number="split_from").distinct()
    lesion = ["subject_id", "lesion_number"]
    whole = readings.filter(readings.split_from.isnull())
    parts = fragments.mutate(whole=fragments.split_from, fragment=ibis.literal(True)).union(
        whole.semi_join(split, lesion).mutate(
            whole=lambda t: t.lesion_number, fragment=ibis.literal(False)
        )
    )
    added = _added(_begun(parts)).rename(lesion_number="whole").select(*kept)
    return whole.anti_join(split, lesion).select(*kept).union(added)


def _begun(parts: ir.Table) -> ir.Table:
    """Each reading with the day on which its fragment was first seen; nothing for the lesion."""
    seen = parts.fragment & parts.status.isin(["measured", "too_small"])
    first = parts.filter(seen).group_by(*_SERIES, "lesion_number").agg(begun=parts.rel_day.min())
    return looked_up(parts, first, [*_SERIES, "lesion_number"])


def _added(parts: ir.Table) -> ir.Table:
    """One row per day and modality: the sum, where every fragment begun by then was read."""
    first = parts.filter(parts.begun.notnull())
    begun = first.select(*_SERIES, "lesion_number", "begun").distinct()
    there = (parts.begun <= parts.rel_day).fill_null(False)
    read = parts.group_by(_READING).agg(
        rows=parts.count(),
        here=there.sum(),
        worst=ibis.cases(*((parts.status == s, n) for n, s in enumerate(_WORST))).min(),
        arterial_phase=parts.arterial_phase.max(),
        scan_evaluable=parts.scan_evaluable.max(),
        unreadable=parts.unreadable.any(),
        **{f"{c.name}_sum": parts[c.name].sum() for c in RECORDS},
        **{f"{c.name}_read": parts[c.name].count() for c in RECORDS},
    )
    due = read.select(*_READING).inner_join(begun, _SERIES).filter(lambda t: t.begun <= t.rel_day)
    expected = due.group_by(_READING).agg(due=due.count())
    known = looked_up(read, expected, _READING)
    complete = known.due.fill_null(0) == known.here
    summed = known.mutate(
        status=ibis.cases(*((known.worst == n, s) for n, s in enumerate(_WORST))),
        **{c.name: _sum(known, c.name, complete) for c in RECORDS},
    )
    return summed.inner_join(row_ids(parts, _READING), _READING)


def _sum(known: ir.Table, criterion: str, complete: ir.BooleanValue) -> ir.IntegerValue:
    every = complete & (known[f"{criterion}_read"] == known.rows)
    return every.ifelse(known[f"{criterion}_sum"].cast("int64"), ibis.null("int64"))
