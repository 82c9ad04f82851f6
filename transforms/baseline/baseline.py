"""The last value of each quantity on or before the first treatment.

One rule for every quantity: the last value that is not missing, dated on or before T0. A draw of
the day of treatment is baseline unless its time lies after the injection. An older value is used
and flagged stale; only eligibility treats it as unknown.

Source: Kanani on Memon 2012 (baseline factors); CDISC ADaM BDS, baseline record ABLFL.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.settings import BaselineSettings
from schemas.tables.intermediate import Anchors, BaselineLabs
from schemas.tables.registry import Labs, Treatments
from transforms.joins import looked_up


def baseline_labs(
    labs: Table[Labs],
    anchors: Table[Anchors],
    treatments: Table[Treatments],
    *,
    settings: BaselineSettings,
) -> Table[BaselineLabs]:
    """Take each analyte's last result up to T0; of draws on one day the last counts."""
    same_day = _draws_of_t0(labs, anchors, treatments)
    after = same_day.filter(same_day.drawn_at > same_day.injected_at).select("row_id")
    before = labs.anti_join(after, "row_id")
    last = last_up_to_t0(before, "value", "lab_date", anchors, by=["analyte"], ties=["sequence"])
    known = looked_up(last, same_day.select("row_id", "undecided"), "row_id")
    marks = known.unreadable.fill_null("|") + "lab_time|"
    return conform(
        known.mutate(
            rel_day=-known.age_days,
            stale=known.age_days > settings.stale_days,
            unreadable=known.undecided.fill_null(False).ifelse(marks, known.unreadable),
        ),
        BaselineLabs,
    )


def last_up_to_t0(
    table: ir.Table,
    value: str,
    dated_by: str,
    anchors: ir.Table,
    *,
    by: Sequence[str] = (),
    ties: Sequence[str] = (),
    of: Sequence[str] = (),
    marked: ir.BooleanValue | None = None,
) -> ir.Table:
    """Keep the last row up to T0 in which the value is not missing.

    Args:
        table: any registry table with subject_id and row_id.
        value: the column that must not be null.
        dated_by: the column that dates the row.
        anchors: T0 of each treated subject.
        by: columns that, with the subject, name what is looked for.
        of: further columns of `anchors`, where a subject has several days T0: one row for each.
        ties: columns that order rows of one day; the greatest wins, then the greatest row_id.
        marked: rows whose value is there and cannot be read: no earlier value stands for it.

    Returns:
        The rows kept, with `age_days`, whole days from the row to T0, 0 or more.
    """
    t0 = anchors.select("subject_id", "t0_date", *of)
    there = table[value].notnull() if marked is None else table[value].notnull() | marked
    joined = table.filter(there).inner_join(t0, "subject_id")
    earlier = joined.filter(joined[dated_by] <= joined.t0_date)
    order = [ibis.desc(name) for name in (dated_by, *ties, "row_id")]
    ranked = earlier.mutate(
        age_days=earlier.t0_date.delta(earlier[dated_by], unit="day"),
        rank=ibis.row_number().over(group_by=["subject_id", *of, *by], order_by=order),
    )
    return ranked.filter(ranked["rank"] == 0).drop("rank", "t0_date")


def _draws_of_t0(labs: ir.Table, anchors: ir.Table, treatments: ir.Table) -> ir.Table:
    """Draws of the day of treatment, with both times, and whether one of them cannot be read."""
    injected = treatments.group_by(["subject_id", "treatment_date"]).agg(
        injected_at=_minute_of_day(
            treatments.administered_at.min().hour(), treatments.administered_at.min().minute()
        ),
        hour_unread=unreadable(treatments, "administered_at").any(),
    )
    t0 = anchors.select("subject_id", "t0_date")
    first = injected.inner_join(t0, ["subject_id", ("treatment_date", "t0_date")])
    drawn = labs.select(
        "row_id",
        "subject_id",
        "lab_date",
        drawn_at=_minute_of_day(_digits(labs.lab_time, 1), _digits(labs.lab_time, 2)),
        time_unread=unreadable(labs, "lab_time"),
    )
    same_day = drawn.inner_join(first, ["subject_id", ("lab_date", "treatment_date")])
    neither = (same_day.time_unread & same_day.injected_at.notnull()) | (
        same_day.hour_unread & same_day.drawn_at.notnull()
    )
    return same_day.mutate(undecided=neither | (same_day.time_unread & same_day.hour_unread))


def _digits(time: ir.StringValue, part: int) -> ir.IntegerValue:
    return time.re_extract("^([0-9]{1,2}):([0-9]{2})", part).nullif("").cast("int64")


def _minute_of_day(hour: ir.IntegerValue, minute: ir.IntegerValue) -> ir.IntegerValue:
    return hour.cast("int64") * 60 + minute.cast("int64")
