"""Progression as recorded beside progression as derived, patient by patient.

The two are those of the endpoints TTP and TTPREC: derived by the endpoints' criterion, recorded by
the counted reader under any. Neither enters the other.

Source: RESiN 2022 and CIRT 2021 publish progression as recorded; that a difference of a single day
counts as one is a convention.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.tables.class_marts import ProgressionDifferences
from schemas.tables.marts import TimeToEvent

_SCANS, _RECORDED = "scans", "recorded_responses"


def progression_differences(
    time_to_event: Table[TimeToEvent],
) -> Table[ProgressionDifferences]:
    """Set the first recorded progression beside the first derived one."""
    derived = _progressions(time_to_event, "TTP", _SCANS, "derived")
    recorded = _progressions(time_to_event, "TTPREC", _RECORDED, "recorded")
    both = derived.inner_join(recorded, "subject_id")
    apart = both.recorded_day - both.derived_day
    agreement = ibis.cases(
        (apart == 0, "same_day"),
        (apart < 0, "recorded_earlier"),
        (apart > 0, "recorded_later"),
        (both.recorded_day.notnull(), "recorded_only"),
        (both.derived_day.notnull(), "derived_only"),
        else_="neither",
    )
    return conform(both.mutate(days_apart=apart, agreement=agreement), ProgressionDifferences)


def _progressions(times: ir.Table, endpoint: str, table: str, name: str) -> ir.Table:
    """The day and row of each progression, null where there is none; printed times are none."""
    own = times.filter(times.endpoint == endpoint, times.origin == "derived")
    happened = own.event & (own.source_table == table)
    return own.select(
        "subject_id",
        **{
            f"{name}_day": happened.ifelse(own.time_days.cast("int64"), None),
            f"{name}_row_id": happened.ifelse(own.source_row_id, None),
        },
    )
