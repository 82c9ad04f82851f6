"""Lesions that merged are judged as one: what they merged into stands for all of them.

From the assessment on at which a lesion has no row of its own any more, or is absent, and that
which it merged into was read, it has the reading of the latter. A lesion that could not be
evaluated has not merged: what is missing would look like shrinkage. The reading is compared with
the sum of the baselines of the lesions that merged, and with the smallest whole sum of their sizes.
Where only some of them have merged there is no such sum, and they are not evaluable until the
others have.

Source: EORTC, RECIST questions and clarifications (a merged lesion's diameter replaces those of the
lesions that merged); products likewise, as an extension to WHO and EASL.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS, Criterion
from transforms.joins import looked_up
from transforms.response.baselines import MODALITIES, of_modality
from transforms.response.ladder import measurable

_ASSESSMENT = ("subject_id", "reader", "first_day")
_LESION = ("subject_id", "lesion_number", "reader")
_ROW = (*_ASSESSMENT, "lesion_number")
_GROUP = (*_ASSESSMENT, "merge")


def with_merged(after: ir.Table, quantities: ir.Table) -> ir.Table:
    """The readings that count, and for each lesion that merged those of what it merged into.

    Adds `joint`: the reading is that of what the lesion merged into.

    Args:
        after: one row per assessment and lesion.
        quantities: `lesion_quantities`.
    """
    merges = quantities.filter(quantities.merged_into.notnull())
    lesion = ["subject_id", "lesion_number"]
    went = merges.select(*lesion, "merged_into").distinct()
    products = after.rename(merged_into="lesion_number").inner_join(
        went, ["subject_id", "merged_into"]
    )
    own = after.filter(~after.absent).semi_join(went, lesion)
    standing = products.anti_join(own, _ROW).select(*after.columns)
    kept = after.anti_join(standing, _ROW)
    return kept.mutate(joint=ibis.literal(False)).union(standing.mutate(joint=ibis.literal(True)))


def judged_jointly(compared: ir.Table) -> ir.Table:
    """The comparisons, with those of lesions that have merged replaced by that of all of them.

    Adds `<criterion>_joint_nadir`, and marks in `<criterion>_merged` what cannot be compared.
    """
    merges = compared.filter(compared.merged_into.notnull()).select(
        "subject_id", lesion_number="merged_into"
    )
    into = merges.distinct().mutate(merge=merges.distinct().lesion_number)
    lesion = ["subject_id", "lesion_number"]
    told = looked_up(compared, into, lesion)
    placed = told.mutate(merge=ibis.coalesce(told.merged_into, told.merge))
    joint = _joined(placed.filter(placed.merge.notnull()))
    rows = looked_up(placed, joint, _ROW)
    return rows.mutate(**_replaced(rows))


def _joined(members: ir.Table) -> ir.Table:
    """One row per assessment and lesion of a merger: what all of its lesions measure together."""
    whole = ibis.window(group_by=_GROUP)
    stands = (members.lesion_number == members.merge) & members.joint.any().over(whole)
    told = members.mutate(stands=members.joint | stands)
    told = told.mutate(**{f"{c.name}_takes": _takes(told, c) for c in RECORDS})
    sizes = _sizes(told)
    known = told.left_join(sizes, ["subject_id", "reader", "merge"])
    summed = known.mutate(**_sums(known, whole))
    before = ibis.range_window(group_by=_LESION, order_by="first_day", preceding=(None, 1))
    least = {
        f"{c.name}_least_{m}": summed[f"{c.name}_whole_{m}"].min().over(before)
        for c in RECORDS
        for m in MODALITIES
    }
    names = [f"{c.name}_{part}" for c in RECORDS for part in ("complete", "together")]
    wholes = [f"{c.name}_whole_{m}" for c in RECORDS for m in MODALITIES]
    return summed.mutate(**least).select(*_ROW, "stands", *names, *wholes, *least)


def _takes(members: ir.Table, criterion: Criterion) -> ir.BooleanValue:
    """The lesion has a baseline that counts for the criterion."""
    base = members[f"{criterion.name}_any"]
    large = measurable(criterion, base, members.node)
    return (members[criterion.lesions] & (base > 0) & large).fill_null(False)


def _sizes(members: ir.Table) -> ir.Table:
    """How many lesions of each merger count for each criterion."""
    by = ("subject_id", "reader", "merge")
    each = members.group_by(*by, "lesion_number").agg(
        **{f"{c.name}_takes": members[f"{c.name}_takes"].any() for c in RECORDS}
    )
    return each.group_by(by).agg(
        **{f"{c.name}_size": each[f"{c.name}_takes"].sum() for c in RECORDS}
    )


def _sums(known: ir.Table, whole: ibis.window) -> dict[str, ir.Value]:
    parts: dict[str, ir.Value] = {}
    for name in (c.name for c in RECORDS):
        takes, size = known[f"{name}_takes"], known[f"{name}_size"]
        merged, alone = takes & known.stands, takes & ~known.stands
        n_merged = merged.sum().over(whole)
        parts[f"{name}_complete"] = n_merged == size
        base = merged.ifelse(known[f"{name}_baseline"], ibis.null("int64"))
        parts[f"{name}_together"] = base.sum().over(whole).cast("int64")
        for modality in MODALITIES:
            value = known[f"{name}_of_{modality}"]
            own = alone.ifelse(value, ibis.null("int64"))
            one = merged.ifelse(value, ibis.null("int64")).max().over(whole)
            read = own.count().over(whole) + one.notnull().ifelse(n_merged, 0)
            total = own.sum().over(whole).fill_null(0) + one.fill_null(0)
            parts[f"{name}_whole_{modality}"] = (read == size).ifelse(
                total.cast("int64"), ibis.null("int64")
            )
    return parts


def _replaced(rows: ir.Table) -> dict[str, ir.Value]:
    joint = rows.stands.fill_null(False)
    parts: dict[str, ir.Value] = {}
    for name in (c.name for c in RECORDS):
        counting = rows[f"{name}_counting"]
        whole = of_modality(counting, {m: rows[f"{name}_whole_{m}"] for m in MODALITIES})
        least = of_modality(counting, {m: rows[f"{name}_least_{m}"] for m in MODALITIES})
        complete = joint & rows[f"{name}_complete"].fill_null(False)
        together = rows[f"{name}_together"]
        parts |= {
            f"{name}_value": joint.ifelse(whole, rows[f"{name}_value"]),
            f"{name}_baseline": joint.ifelse(together, rows[f"{name}_baseline"]),
            f"{name}_joint_nadir": complete.ifelse(
                ibis.least(together, least.fill_null(together)), ibis.null("int64")
            ),
            f"{name}_merged": rows[f"{name}_merged"] | (joint & ~complete),
        }
    return parts
