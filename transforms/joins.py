"""What many derivations do: look something up, count days from T0, and name the rows behind."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def looked_up(table: ir.Table, other: ir.Table, by: str | Sequence[str]) -> ir.Table:
    """Every row of a table, with the columns of another, null where that has no such row.

    Args:
        table: its rows stay as many as they are if the other's keys are unique.
        other: no column beside the keys has a name of the table's.
        by: the columns that both have.
    """
    names = [by] if isinstance(by, str) else list(by)
    return table.left_join(other, names).drop(*(f"{name}_right" for name in names))


def dated(table: ir.Table, anchors: ir.Table, dated_by: str) -> ir.Table:
    """The rows of treated subjects, with `t0_date` and `rel_day`, whole days from T0."""
    joined = table.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return joined.mutate(rel_day=joined[dated_by].delta(joined.t0_date, unit="day"))


def row_ids(rows: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row per group, with the ids of its rows in order as one text, `row_id`.

    Ids are collected over a window: lists in a group's state cannot be spilled to disk.
    """
    whole = ibis.window(group_by=by)
    ordered = ibis.window(group_by=by, order_by="row_id")
    each = rows.select(
        *by,
        ids=rows.row_id.collect().over(whole),
        place=ibis.row_number().over(ordered),
    )
    first = each.filter(each.place == 0)
    return first.select(*by, row_id=first.ids.sort().join(" "))
