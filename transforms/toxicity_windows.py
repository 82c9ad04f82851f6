"""Which results lie in which window, and which of them is the worst?

One pass over the results gives the worst of every window: grade, day and draw are put into one
number, whose greatest is the worst grade on its earliest day.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

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
        "any": unknown | (day >= 0),
    }


def _within(day: ir.IntegerValue, last: ir.IntegerValue, days: int, first: int) -> ir.BooleanValue:
    return (day <= days) | ((day >= last + first) & (day <= last + days))


def _late(
    day: ir.IntegerValue, last: ir.IntegerValue, settings: ToxicitySettings
) -> ir.BooleanValue:
    return (day > last + settings.primary_days) & (day <= last + settings.late_days)


def worst_by_window(
    rows: ir.Table,
    windows: Windows,
    number: ir.IntegerValue,
    extra: Mapping[str, ir.Value],
) -> ir.Table:
    """One row per subject, term, version and window that has a row.

    Args:
        rows: graded results or events, with subject_id, term, ctcae_version, grade, rel_day and
            source_row_id; events have relation and reason too. A missing grade ranks as 0.
        windows: name -> whether a row lies in it.
        number: tells rows of one day apart; the smallest is taken.
        extra: further aggregates, the same for every window.
    """
    rank = _rank(rows, number)
    found = {f"rank_{w}": rank.max(where=inside) for w, inside in windows.items()}
    carried = [c for c in ("source_row_id", "reason") if c in rows.columns]
    for window, inside in windows.items():
        found |= {f"{c}_{window}": rows[c].argmax(rank, where=inside) for c in carried}
        if "relation" in rows.columns:
            found[f"relation_{window}"] = rows.relation.max(where=inside)
    wide = rows.group_by(KEYS).agg(**found, **extra)
    columns = [c for c in ("rank", *carried, "relation") if f"{c}_any" in wide.columns]
    unfolded = [
        ibis.struct({"window": w} | {c: wide[f"{c}_{w}"] for c in columns}) for w in windows
    ]
    long = wide.select(*KEYS, *extra, worst=ibis.array(unfolded).unnest()).unpack("worst")
    return decoded(long.filter(long["rank"].notnull()))


def decoded(long: ir.Table) -> ir.Table:
    """Read grade and day back from the combined number."""
    day = UNKNOWN_DAY - (long["rank"] // PLACES) % PLACES
    return long.mutate(
        worst_grade=(long["rank"] // PLACES**2).cast("int64"),
        worst_day=day.nullif(UNKNOWN_DAY).cast("int64"),
    )


def _rank(rows: ir.Table, number: ir.IntegerValue) -> ir.IntegerValue:
    day = UNKNOWN_DAY - ibis.coalesce(rows.rel_day, UNKNOWN_DAY)
    earlier = UNKNOWN_DAY - ibis.least(number, UNKNOWN_DAY)
    return rows.grade.fill_null(0) * PLACES**2 + day * PLACES + earlier
