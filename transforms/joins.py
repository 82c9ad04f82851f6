"""The two joins that most derivations make: look something up, and count days from T0."""

from collections.abc import Sequence

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
