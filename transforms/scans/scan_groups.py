"""Group the scans of one reader that lie close together into one assessment.

An assessment opens with a scan and takes the scans of the set number of days after it; the next
scan opens the next one. So no assessment spans more days than that, and a later scan never changes
an earlier assessment. The liver by MRI on Monday and the chest by CT on Thursday are one
assessment; of scans on days 1, 11, 21 and 33 the first two are one and the last two another.
"""

import ibis
import ibis.expr.types as ir

_SERIES = ("subject_id", "reader")
ROUNDS = 12
"""Assessments of one chain that are opened each by its own scan.

Where an assessment opens depends on where the one before did, which no single window can say: each
round opens one more. A chain has no gap longer than an assessment, so that only scanning every
fortnight for half a year has more of them; what is left of such a chain is cut at equal distances.
"""


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
    chained = _chained(days.distinct(), within_days)
    long = chained.last_day - chained.first_day > within_days
    columns = (*_SERIES, "rel_day", "first_day")
    whole = chained.filter(~long).select(*columns)
    return whole.union(_parted(chained.filter(long).select(*columns), within_days))


def _chained(days: ir.Table, within_days: int) -> ir.Table:
    """The first and last day of each chain: scans without a longer gap between them."""
    series = ibis.window(group_by=_SERIES, order_by="rel_day")
    gap = days.rel_day - days.rel_day.lag().over(series)
    opens = days.mutate(opens=(gap > within_days).fill_null(True))
    marked = opens.mutate(first_day=opens.opens.ifelse(opens.rel_day, ibis.null("int64")))
    so_far = ibis.cumulative_window(group_by=_SERIES, order_by="rel_day")
    started = marked.mutate(first_day=marked.first_day.max().over(so_far))
    chain = ibis.window(group_by=[*_SERIES, "first_day"])
    return started.mutate(last_day=started.rel_day.max().over(chain))


def _parted(chains: ir.Table, within_days: int) -> ir.Table:
    """Open the assessments of each chain one after the other, each with the first scan left."""
    for _ in range(ROUNDS):
        placed = chains.mutate(later=chains.rel_day - chains.first_day > within_days)
        rest = ibis.window(group_by=[*_SERIES, "first_day", "later"])
        first_left = placed.rel_day.min().over(rest)
        chains = placed.mutate(first_day=placed.later.ifelse(first_left, placed.first_day))
        chains = chains.drop("later")
    into = chains.rel_day - chains.first_day
    return chains.mutate(first_day=chains.rel_day - into % (within_days + 1))
