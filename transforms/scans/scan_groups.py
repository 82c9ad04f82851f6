"""Group the scans of one reader that lie close together into one assessment.

A scan that follows the one before within the set number of days belongs with it; a long chain is
cut so that no assessment spans more days than that. The liver by MRI on Monday and the chest by
CT on Thursday are one assessment.
"""

import ibis
import ibis.expr.types as ir

_SERIES = ("subject_id", "reader")


def scan_groups(scans: ir.Table, quantities: ir.Table, within_days: int) -> ir.Table:
    """One row per subject, reader and day after T0: its assessment, named by `first_day`.

    Args:
        scans: `subject_id`, `reader`, `rel_day` of every scan.
        quantities: the same of every measurement, for measurements without a scan.
        within_days: greatest distance between scans of one assessment.
    """
    days = ibis.union(
        scans.select(*_SERIES, "rel_day"), quantities.select(*_SERIES, "rel_day")
    ).filter(lambda t: t.rel_day > 0)
    series = ibis.window(group_by=_SERIES, order_by="rel_day")
    distinct = days.distinct()
    gap = distinct.rel_day - distinct.rel_day.lag().over(series)
    chained = distinct.mutate(opens=(gap > within_days).fill_null(True))
    opened = chained.mutate(start=chained.opens.ifelse(chained.rel_day, ibis.null("int64")))
    so_far = ibis.cumulative_window(group_by=_SERIES, order_by="rel_day")
    started = opened.mutate(start=opened.start.max().over(so_far))
    into = started.rel_day - started.start
    return started.select(*_SERIES, "rel_day", first_day=started.rel_day - into % (within_days + 1))
