"""Times that a source printed: when they are used, and how they compare with the patient's dates.

Sources that hold only times keep them exactly: 24 months of 30.4375 days are 730.5 days, 2 years of
365.25 as well. They are never rounded to whole days, so that a curve is the one in the delivered
unit, and no T0 is invented. Dates can be checked, a printed time cannot: of a
patient with a T0 a reported time is used only where the site has not delivered what the endpoint
is derived from, and only if the site file says that the times start at T0. An endpoint that is
derived and censored is derived.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, Table, conform
from schemas.records.endpoints import RECORDS
from schemas.records.row_rules import in_days
from schemas.tables.intermediate import Anchors
from schemas.tables.marts import ReportedTimes, TimeToEvent
from schemas.tables.registry import ReportedEndpoints
from transforms.time.endpoint_criterion import derivable

ZERO = ibis.literal(0, type="int64")


def reported_times(
    reported_endpoints: Table[ReportedEndpoints],
    anchors: Table[Anchors],
    time_to_event: Table[TimeToEvent],
) -> Table[ReportedTimes]:
    """Say of each reported time of a patient with a T0 whether it is used, and what dates give."""
    given = reported_endpoints.semi_join(anchors, "subject_id")
    t = given.mutate(endpoint=given.endpoint.upper())
    units = time_to_event.filter(time_to_event.lesion_number == 0).select(
        "subject_id",
        "endpoint",
        "origin",
        derived_days=time_to_event.time_days,
        derived_event=time_to_event.event,
    )
    both = t.left_join(units, ["subject_id", "endpoint"], rname="other_{name}")
    derived = (both.origin == "derived").fill_null(False)
    apart = (in_days(both.time, both.time_unit) - both.derived_days).abs()
    differs = (both.event != both.derived_event) | (apart > _half_a_last_place(both))
    return conform(
        both.select(
            "subject_id",
            "endpoint",
            "event",
            time_days=in_days(both.time, both.time_unit),
            derived_days=derived.ifelse(both.derived_days, None),
            derived_event=derived.ifelse(both.derived_event, None),
            use=ibis.cases(
                ((both.origin == "reported").fill_null(False), "used"),
                (derived & differs, "differs"),
                (derived, "agrees"),
                else_="unused",
            ),
            source_row_id=both.row_id,
        ),
        ReportedTimes,
    )


def used(
    reported_endpoints: ir.Table,
    anchors: ir.Table,
    delivered: Mapping[str, ir.Table],
    endpoint_criterion: ir.Table,
) -> ir.Table:
    """Reported times that stand in time to event: of who has no T0, and where none is derivable."""
    t = reported_endpoints.mutate(endpoint=reported_endpoints.endpoint.upper())
    undated = t.anti_join(anchors, "subject_id")
    from_t0 = t.filter(t.starts_at == "T0").semi_join(anchors, "subject_id")
    units = (derivable(anchors, r, delivered, endpoint_criterion) for r in RECORDS)
    named = (
        unit.select("subject_id", endpoint=ibis.literal(r.code))
        for unit, r in zip(units, RECORDS, strict=True)
    )
    others = from_t0.anti_join(ibis.union(*named), ["subject_id", "endpoint"])
    t = undated.union(others)
    return t.select(
        "subject_id",
        "event",
        "endpoint",
        lesion_number=ZERO,
        start_day=ZERO,
        time_days=in_days(t.time, t.time_unit),
        cause=t.event.ifelse("reported event", "reported censoring"),
        competing=ibis.literal(False),
        competing_event=ibis.null("string"),
        competing_days=ibis.null("int64"),
        reason=ibis.literal("reported time"),
        source_table=ibis.literal("reported_endpoints"),
        source_column=ibis.literal("time"),
        source_row_id=t.row_id,
        origin=ibis.literal("reported"),
    )


def _half_a_last_place(both: ir.Table) -> ir.DecimalValue:
    """Half of the last place of the reported time, as far as two decimals, in days."""
    time = both.time.cast("decimal(24, 6)")
    tenfold = time * 10
    place = ibis.cases(
        (time == time.cast("int64"), "0.5"),
        (tenfold == tenfold.cast("int64"), "0.05"),
        else_="0.005",
    )
    return in_days(place.cast(DECIMAL), both.time_unit)
