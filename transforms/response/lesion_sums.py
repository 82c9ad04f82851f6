"""What the lesions of a patient's set measure at each assessment, taken together.

Every lesion of the set has a row at every assessment, read or not, so that no sum is taken over
some of them unnoticed. A sum's baseline is that of every lesion in the modality that counts, its
nadir the smallest whole sum in that modality.

What merged is read once: the lesion that others merged into stands for them.
"""

import ibis
import ibis.expr.types as ir

from schemas.records.criteria import RECORDS, WHO, Criterion
from schemas.settings import ResponseSettings
from transforms.joins import looked_up, row_ids
from transforms.response.assessed_days import chosen_readings
from transforms.response.baselines import MODALITIES, followed_value, of_modality
from transforms.response.ladder import gone, grown
from transforms.response.planned_course import compared_with, held

_ASSESSMENT = ("subject_id", "reader", "first_day")
_LESION = ("subject_id", "reader", "lesion_number")


def lesion_sums(
    quantities: ir.Table,
    days: ir.Table,
    lesions: ir.Table,
    settings: ResponseSettings,
) -> ir.Table:
    """One row per assessment and organ: sums and numbers of lesions, under each criterion.

    Args:
        quantities: `lesion_quantities`.
        days: `assessed_days`.
        lesions: the sets.
        settings: the registry's.
    """
    chosen = chosen_readings(quantities.filter(quantities.rel_day > 0), days)
    followed = _with_values(_every_lesion(lesions, days, chosen, quantities), settings)
    parts: dict[str, ir.Value] = {}
    each = _by_organ(followed)
    for criterion in RECORDS:
        for name, value in _sums(each, criterion).items():
            parts[f"{criterion.name}_{name}"] = value
    growth = {"any_lesion_grew": each.grew.any()} if settings.who_pd_any_lesion else {}
    return each.group_by(*_ASSESSMENT, "organ").agg(**parts, **growth)


def documents(
    quantities: ir.Table, days: ir.Table, lesions: ir.Table, new_lesions: ir.Table
) -> ir.Table:
    """The rows that an assessment rests on, those of new lesions too, and their modalities."""
    day = ["subject_id", "reader", "rel_day"]
    after = quantities.inner_join(days.select(*day, "first_day"), day)
    followed = lesions.select(*_LESION, since=ibis.literal(0, "int64")).union(
        new_lesions.select(*_LESION, since=new_lesions.rel_day.cast("int64"))
    )
    known = after.inner_join(followed.group_by(*_LESION).agg(since=followed.since.min()), _LESION)
    readings = known.filter(known.rel_day >= known.since)
    modalities = readings.group_by(_ASSESSMENT).agg(
        read_modality=readings.modality.min(), read_modality_2=readings.modality.max()
    )
    ids = row_ids(readings, _ASSESSMENT).rename(source_row_ids="row_id")
    return looked_up(modalities, ids, _ASSESSMENT)


def _every_lesion(
    lesions: ir.Table, days: ir.Table, chosen: ir.Table, quantities: ir.Table
) -> ir.Table:
    """Each lesion of the set at each assessment, its reading, and that of what it merged into."""
    modalities = [f"{c.name}_modality" for c in RECORDS]
    assessments = days.group_by(*_ASSESSMENT, *modalities).agg(last_day=days.rel_day.max())
    every = lesions.inner_join(assessments, ["subject_id", "reader"])
    lesion = [*_ASSESSMENT, "lesion_number"]
    own = chosen.select(
        *lesion,
        **{f"{c.name}_own": chosen[c.name] for c in RECORDS},
        **{f"{c.name}_in_{m}": chosen[f"{c.name}_in_{m}"] for c in RECORDS for m in MODALITIES},
    )
    read = looked_up(every, own, lesion)
    whole = chosen.select(
        *_ASSESSMENT,
        merged_into="lesion_number",
        **{f"{c.name}_whole_{m}": chosen[f"{c.name}_in_{m}"] for c in RECORDS for m in MODALITIES},
    )
    into = [*_ASSESSMENT, "merged_into"]
    merged = looked_up(read, whole, into)
    of_set = lesions.select(
        "subject_id", "reader", merged_into="lesion_number", into_set=ibis.literal(True)
    )
    member = ["subject_id", "reader", "merged_into"]
    placed = looked_up(merged, of_set, member)
    return looked_up(placed, _last_seen(quantities), _LESION)


def _last_seen(quantities: ir.Table) -> ir.Table:
    """The last day on which a lesion that merged had a size of its own."""
    went = quantities.filter(quantities.merged_into.notnull())
    sized = went.status.isin(["measured", "too_small"])
    return went.group_by(_LESION).agg(last_sized_day=went.rel_day.max(where=sized))


def _with_values(every: ir.Table, settings: ResponseSettings) -> ir.Table:
    """The value of each lesion at each assessment, and what it is compared with."""
    first = _stands_for_others(every)
    parts: dict[str, ir.Value] = {}
    for criterion in RECORDS:
        parts |= _value(every, criterion.name, first, settings)
    return _with_history(every.mutate(**parts), settings)


def _value(
    every: ir.Table, name: str, first: ir.BooleanValue, settings: ResponseSettings
) -> dict[str, ir.Value]:
    own, counts = every[f"{name}_own"], every[f"{name}_modality"]
    read_day = own.value.notnull().ifelse(own.rel_day, ibis.null("int64"))
    waits = held(every, read_day, settings)
    gone_into = _gone_into(every, name)
    parts: dict[str, ir.Value] = {}
    values, bases = {}, {}
    for modality in MODALITIES:
        base, _, _ = compared_with(every, name, ibis.literal(modality), waits, settings)
        whole = every[f"{name}_whole_{modality}"]
        replaced = gone_into & whole.notnull()
        values[modality] = ibis.cases(
            (waits, base),
            (replaced & first, whole),
            (replaced, ibis.literal(0, "int64")),
            (gone_into, ibis.null("int64")),
            else_=followed_value(every, name, modality, counts),
        )
        bases[modality] = base
        parts |= {f"{name}_of_{modality}": values[modality], f"{name}_base_{modality}": base}
    whole = of_modality(counts, {m: every[f"{name}_whole_{m}"] for m in MODALITIES})
    base, day, changed = compared_with(every, name, counts, waits, settings)
    read = of_modality(counts, values)
    return parts | {
        f"{name}_read": read,
        f"{name}_replaced": gone_into & whole.notnull(),
        f"{name}_base": base,
        f"{name}_base_day": day,
        f"{name}_changed": changed & read.notnull(),
        f"{name}_day": waits.ifelse(ibis.null("int64"), own.rel_day),
    }


def _gone_into(every: ir.Table, name: str) -> ir.BooleanValue:
    """The lesion merged, and has no size of its own any more: no row, or absent."""
    own = every[f"{name}_own"]
    silent = own.status.isnull() | (own.status == "absent")
    late = (every.first_day > every.last_sized_day).fill_null(True)
    return every.merged_into.notnull() & silent & late


def _stands_for_others(every: ir.Table) -> ir.BooleanValue:
    """The first of the lesions that merged into one that is not in the set itself."""
    place = ibis.row_number().over(group_by=[*_ASSESSMENT, "merged_into"], order_by="lesion_number")
    return every.into_set.isnull() & (place == 0)


def _with_history(followed: ir.Table, settings: ResponseSettings) -> ir.Table:
    """Whether each lesion measured nothing before, and for WHO 1979 whether it grew by itself."""
    before = ibis.range_window(group_by=_LESION, order_by="first_day", preceding=(None, 1))
    parts: dict[str, ir.Value] = {
        f"{c.name}_was_zero": (
            ((followed[f"{c.name}_read"] == 0) & ~followed[f"{c.name}_replaced"])
            .fill_null(False)
            .any()
            .over(before)
        )
        for c in RECORDS
    }
    if settings.who_pd_any_lesion:
        parts["grew"] = _grew(followed, settings)
    return followed.mutate(**parts)


def _grew(followed: ir.Table, settings: ResponseSettings) -> ir.BooleanValue:
    """Growth of each lesion over its own nadir (WHO 1979, as tabulated in PMC2755245 Table 3)."""
    before = ibis.range_window(group_by=_LESION, order_by="first_day", preceding=(None, 1))
    name = WHO.name
    value = followed[f"{name}_read"]
    smallest = of_modality(
        followed[f"{name}_modality"],
        {m: followed[f"{name}_of_{m}"].min().over(before) for m in MODALITIES},
    )
    base = followed[f"{name}_base"]
    over = grown(WHO, value, ibis.least(base, smallest.fill_null(base)), settings)
    return (over & followed[f"{name}_counts"]).fill_null(False)


def _by_organ(followed: ir.Table) -> ir.Table:
    """Every row for the patient as a whole, and once more for its organ."""
    own = followed.liver.ifelse("liver", "extrahepatic")
    return followed.mutate(organ=ibis.literal("all")).union(followed.mutate(organ=own))


def _sums(each: ir.Table, criterion: Criterion) -> dict[str, ir.Value]:
    name = criterion.name
    counts = each[f"{name}_counts"]
    value = counts.ifelse(each[f"{name}_read"], ibis.null("int64"))
    base = counts.ifelse(each[f"{name}_base"], ibis.null("int64"))
    left = gone(criterion, value, each.node).fill_null(False)
    back = each[f"{name}_was_zero"].fill_null(False) & (value > 0) & ~left
    seen = value.notnull()
    sums: dict[str, ir.Value] = {}
    for modality in MODALITIES:
        of = counts.ifelse(each[f"{name}_of_{modality}"], ibis.null("int64"))
        sums[f"seen_{modality}"] = of.count()
        sums[f"sum_{modality}"] = of.sum()
        sums[f"base_{modality}"] = counts.ifelse(each[f"{name}_base_{modality}"], None).sum()
    return {
        "n": counts.sum(),
        "n_valued": base.count(),
        "n_dated": (counts & each[f"{name}_base_day"].notnull()).sum(),
        "oldest": counts.ifelse(each[f"{name}_base_day"], None).min(),
        "base_sum": base.sum(),
        "recorded": each[criterion.lesions].sum(),
        "seen": seen.sum(),
        "seen_sum": value.sum(),
        "seen_day": seen.ifelse(each[f"{name}_day"], ibis.null("int64")).min(),
        "gone": (counts & left).sum(),
        "back": (counts & back.fill_null(False)).any(),
        "changed": (counts & each[f"{name}_changed"]).fill_null(False).any(),
        **sums,
    }
