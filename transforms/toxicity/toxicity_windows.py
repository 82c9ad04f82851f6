"""The results in each window, and the worst of them.

One pass over the results gives the worst of every window: grade, day and draw are put into one
number, whose greatest is the worst grade on its earliest day.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from schemas.records.field.event_windows import LATE
from schemas.settings import ToxicitySettings

Windows = Mapping[str, ir.BooleanValue]
PLACES = 1_000_000
"""Days and draws have six digits each in the combined number."""
UNKNOWN_DAY = PLACES - 1
KEYS = ("subject_id", "term", "ctcae_version")


def clock(anchors: ir.Table) -> ir.Table:
    """The last day of each subject's first course, in days from T0."""
    last_day = anchors.last_session_date.delta(anchors.t0_date, unit="day")
    return anchors.select("subject_id", last_day=last_day)


def lab_windows(day: ir.IntegerValue, last: ir.IntegerValue, settings: ToxicitySettings) -> Windows:
    """Windows of a result on `day` after T0; the day of a session itself is before it."""
    return {
        "acute": (day > 0) & _within(day, last, settings.acute_days, 1),
        "primary": (day > 0) & (day <= last + settings.primary_days),
        "late": _late(day, last, settings),
        **_beyond(day, last),
        "any": day > 0,
    }


def event_windows(
    day: ir.IntegerValue, last: ir.IntegerValue, settings: ToxicitySettings
) -> Windows:
    """Windows of an event that began on `day`; unknown days are in all that start at T0."""
    unknown = day.isnull()
    return {
        "acute": unknown | ((day >= 0) & _within(day, last, settings.acute_days, 0)),
        "primary": unknown | ((day >= 0) & (day <= last + settings.primary_days)),
        "late": _late(day, last, settings),
        **_beyond(day, last),
        "any": unknown | (day >= 0),
    }


def _within(day: ir.IntegerValue, last: ir.IntegerValue, days: int, first: int) -> ir.BooleanValue:
    return (day <= days) | ((day >= last + first) & (day <= last + days))


def _late(
    day: ir.IntegerValue, last: ir.IntegerValue, settings: ToxicitySettings
) -> ir.BooleanValue:
    return (day > last + settings.primary_days) & (day <= last + settings.late_days)


def _beyond(day: ir.IntegerValue, last: ir.IntegerValue) -> Windows:
    """The windows after half a year, of days that are known."""
    return {w.code: (day - last).between(w.first_day, w.last_day) for w in LATE}


def worst_by_window(
    rows: ir.Table,
    windows: Windows,
    number: ir.IntegerValue,
    extra: Mapping[str, ir.Value],
    per_window: Callable[[ir.BooleanValue], Mapping[str, ir.Value]] = lambda _: {},
) -> ir.Table:
    """The deciding row of each subject, term, version and window that has one.

    Args:
        rows: graded results or events, with subject_id, term, ctcae_version, grade and rel_day.
        windows: name -> whether a row lies in it.
        number: tells rows of one day apart; the smallest is taken.
        extra: further aggregates, the same for every window.
        per_window: aggregates of the rows in one window.

    Returns:
        The columns of rows, `time_window`, the aggregates. A row stands once for each window that
        it decides.
    """
    ranked = rows.mutate(rank=_rank(rows, number))
    best = ranked.group_by(KEYS).agg(
        **{_best(w): ranked["rank"].max(where=inside) for w, inside in windows.items()},
        **{f"{n}_{w}": x for w, inside in windows.items() for n, x in per_window(inside).items()},
        **extra,
    )
    # Joined back, not carried through the aggregate: numbers can spill to disk, texts cannot.
    joined = ranked.inner_join(best, KEYS)
    decides = {w: joined["rank"] == joined[_best(w)] for w in windows}
    deciding = joined.filter(reduce(or_, decides.values()))
    named = ibis.array(
        [ibis.ifelse(deciding["rank"] == deciding[_best(w)], w, None) for w in windows]
    )
    long = deciding.mutate(time_window=named.unnest())
    kept = long.filter(long.time_window.notnull())
    chosen = {
        n: ibis.cases(*((kept.time_window == w, kept[f"{n}_{w}"]) for w in windows))
        for n in per_window(ibis.literal(True))
    }
    return kept.mutate(**chosen)


def _best(window: str) -> str:
    return f"best_{window}"


def _rank(rows: ir.Table, number: ir.IntegerValue) -> ir.IntegerValue:
    """Grade, then earliest day, then first draw, in one number; a missing grade ranks as 0."""
    day = UNKNOWN_DAY - ibis.coalesce(rows.rel_day, UNKNOWN_DAY)
    earlier = UNKNOWN_DAY - ibis.least(number, UNKNOWN_DAY)
    return rows.grade.fill_null(0) * PLACES**2 + day * PLACES + earlier
