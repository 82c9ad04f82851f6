"""Time to event: one row per subject, or lesion, and endpoint.

The endpoints are records in `schemas.records.endpoints`; this module only reads them: the event is
the earliest of the record's events, the censoring its last day without one, and the row says which
registry table, column and row decided. Where a site has not delivered a table that an endpoint
needs, that endpoint has no row: it is not derivable there, which is not the same as no event. The
same holds where response cannot be judged (`transforms.time.endpoint_criterion`).

Times that a source printed are used where nothing is derivable (`transforms.time.reported`).

Source: the records; Kanani on Memon et al. 2012 for the endpoints of the founding series.
"""

from functools import reduce

import ibis
import ibis.expr.types as ir

from schemas.codes import ASIDE, DEAD
from schemas.contract import Table, conform
from schemas.records.endpoints import RECORDS, Closing, Endpoint, Milestone
from schemas.sections.reading import ReadingSettings
from schemas.settings import FollowUpSettings, ResponseSettings, SurvivalSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.intermediate import (
    Anchors,
    EndpointCriterion,
    Milestones,
    RowsSetAside,
    SubjectLesions,
)
from schemas.tables.marts import LesionAssessments, LesionResponse, TimeToEvent
from schemas.tables.registry import (
    Contacts,
    RecordedResponses,
    ReportedEndpoints,
    Scans,
    SubsequentTherapies,
)
from transforms.classes.counted_readers import counted
from transforms.time.endpoint_criterion import derivable
from transforms.time.reported import ZERO, used

LATER = 10_000_000
"""A day after every day: stands for an event that has not happened."""

ON_SCANS = ("response", "progression", "hepatic_progression", "last_in_window", "last_assessment",
            "last_before_therapy", "last_before_gap")  # fmt: skip
COLUMN_OF = {
    "death": ("contacts", "contact_date"),
    "new_therapy": ("subsequent_therapies", "start_date"),
    "transplant": ("subsequent_therapies", "start_date"),
    "recorded_progression": ("recorded_responses", "response_date"),
    "last_recorded": ("recorded_responses", "response_date"),
    "last_recorded_before_therapy": ("recorded_responses", "response_date"),
    "t0": ("treatments", "treatment_date"),
}


def time_to_event(
    milestones: Table[Milestones],
    anchors: Table[Anchors],
    subject_lesions: Table[SubjectLesions],
    lesion_response: Table[LesionResponse],
    lesion_assessments: Table[LesionAssessments],
    contacts: Table[Contacts],
    scans: Table[Scans],
    subsequent_therapies: Table[SubsequentTherapies],
    reported_endpoints: Table[ReportedEndpoints],
    recorded_responses: Table[RecordedResponses],
    rows_set_aside: Table[RowsSetAside],
    endpoint_criterion: Table[EndpointCriterion],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
    reading: ReadingSettings,
    schedule: FollowUpSettings,
) -> Table[TimeToEvent]:
    """Give each subject and lesion its time, its event or censoring, and what decided."""
    milestones = _undated_deaths(milestones, settings)
    aside = rows_set_aside.filter(rows_set_aside.table_name == "contacts")
    delivered = {
        "contacts": contacts.select("site_id").union(aside.select("site_id")),
        "scans": scans,
        "subsequent_therapies": subsequent_therapies,
        "recorded_responses": recorded_responses,
    }
    judged = lesion_response.semi_join(endpoint_criterion, "criterion")
    lesions = _lesion_milestones(milestones, anchors, subject_lesions, judged, response)
    subjects = milestones.mutate(lesion_number=ZERO, lobe_day=ZERO)
    clocks = []
    for record in RECORDS:
        units = subjects if record.level == "subject" else lesions
        units = derivable(units, record, delivered, endpoint_criterion)
        clocks.append(_clock(units, record, settings, 2 * schedule.gap_max_days))
    ran = ibis.union(*clocks)
    read = counted(scans, counted_readers, response, reading)
    measured = lesion_assessments.filter(lesion_assessments.reader == response.reader)
    measured = measured.semi_join(endpoint_criterion, "criterion")
    sourced = _with_sources(ran, _scan_rows(anchors, read), _measurement_rows(measured))
    derived = conform(sourced.mutate(origin=ibis.literal("derived")), TimeToEvent)
    if settings.reported_times == "derived_only":
        return derived
    printed = used(reported_endpoints, anchors, delivered, endpoint_criterion)
    return derived.union(conform(printed, TimeToEvent))


def _undated_deaths(milestones: ir.Table, settings: SurvivalSettings) -> ir.Table:
    """Place the deaths of which no date is believed, where the settings give them a day."""
    if settings.undated_death == "censor":
        return milestones
    undated = milestones.undated_death.notnull()
    day = milestones.last_alive_day
    if settings.undated_death == "event_at_latest":
        day = ibis.greatest(day, milestones.latest_death_day.fill_null(day))
    return milestones.mutate(
        death_day=undated.ifelse(day, milestones.death_day),
        death_imputed=undated.ifelse(True, milestones.death_imputed),
    )


def _lesion_milestones(
    milestones: ir.Table,
    anchors: ir.Table,
    subject_lesions: ir.Table,
    judged: ir.Table,
    response: ResponseSettings,
) -> ir.Table:
    """The subject's milestones, with the lesion's own where it has them."""
    chosen = judged.filter(judged.confirmation == "unconfirmed")
    own = chosen.select(
        "subject_id",
        "lesion_number",
        response_day=chosen.first_response_day,
        progression_day=chosen.progression_day,
        last_in_window_day=chosen.last_evaluable_day,
    )
    joined = own.inner_join(milestones.drop(*own.columns[2:]), "subject_id")
    if response.lesion_start == "T0":
        return joined.mutate(lobe_day=ZERO)
    perfused = subject_lesions.inner_join(anchors, "subject_id").select(
        "subject_id", "lesion_number", "lobe_date", "t0_date"
    )
    lobes = perfused.select(
        "subject_id",
        "lesion_number",
        lobe_day=perfused.lobe_date.delta(perfused.t0_date, unit="day").fill_null(0),
    )
    return joined.inner_join(lobes, ["subject_id", "lesion_number"])


def _clock(
    units: ir.Table, record: Endpoint, settings: SurvivalSettings, longest_gap: int
) -> ir.Table:
    """Run one record's clock over its units."""
    started = units.mutate(start_day=_start(units, record.start))
    started = started.filter(started.start_day.notnull())
    days = [started[f"{m}_day"] for m in record.events]
    first = reduce(lambda a, b: ibis.least(a, b), (d.fill_null(LATER) for d in days))
    closings = _closings(record, settings)
    closes = [started[f"{c.milestone}_day"].fill_null(LATER) for c in closings]
    closed_day = reduce(lambda a, b: ibis.least(a, b), closes, ibis.literal(LATER))
    happened = (first < LATER) & (first <= closed_day)
    censored = [
        ((closed_day < first) & (day == closed_day), _or_t0(started, c.at))
        for c, day in zip(closings, closes, strict=True)
    ]
    ends = (record.censored, *(c.at for c in closings))
    possible: tuple[Milestone, ...] = (*record.events, *ends, "t0")
    if record.gap_setting and getattr(settings, record.gap_setting) == "censor":
        started = started.mutate(last_before_gap_day=_before(started, record, first))
        gap = first - ibis.greatest(started.last_before_gap_day.fill_null(0), 0)
        censored.append((happened & (gap > longest_gap), _or_t0(started, "last_before_gap")))
        happened &= gap <= longest_gap
        possible += ("last_before_gap",)
    known = started.mutate(
        event=happened,
        stopped=ibis.cases(
            *censored,
            *((d == first, m) for d, m in zip(days, record.events, strict=True)),
            else_=_or_t0(started, record.censored),
        ),
    )
    end = ibis.cases(*((known.stopped == m, _day(known, m)) for m in dict.fromkeys(possible)))
    ended = known.mutate(end_day=ibis.greatest(end, known.start_day))
    rival = [(ended[f"{m}_day"].notnull(), f"{m}_first") for m in record.competing]
    rival_event, rival_day = _first_rival(ended, record)
    rivals = ibis.cases(*rival) if rival else ibis.null("string")
    return ended.select(
        "subject_id",
        "lesion_number",
        "start_day",
        "end_day",
        "stopped",
        "event",
        endpoint=ibis.literal(record.code),
        time_days=ended.end_day - ended.start_day,
        cause=ended.event.ifelse(ended.stopped, rivals.fill_null(_censoring(ended))),
        competing=~ended.event & rivals.notnull(),
        competing_event=rival_event,
        competing_days=rival_day,
        reason=_flags(ended),
        own_table=ibis.cases(
            (ended.stopped == "last_alive", ended.last_alive_table),
            *((ended.stopped == m, table) for m, (table, _) in COLUMN_OF.items()),
        ),
        own_column=ibis.cases(
            (ended.stopped == "last_alive", ended.last_alive_column),
            *((ended.stopped == m, column) for m, (_, column) in COLUMN_OF.items()),
        ),
        own_row_id=ibis.cases(
            *((ended.stopped == m, ended[f"{m}_row_id"]) for m in ("last_alive", *COLUMN_OF))
        ),
    )


def _first_rival(units: ir.Table, record: Endpoint) -> tuple[ir.StringValue, ir.IntegerValue]:
    """The earliest competing milestone and the days to it; on a tie the first named."""
    if not record.competing:
        return ibis.null("string"), ibis.null("int64")
    days = {m: units[f"{m}_day"].fill_null(LATER) for m in record.competing}
    first = reduce(lambda a, b: ibis.least(a, b), days.values())
    known = first < LATER
    name = ibis.cases(*((known & (day == first), m) for m, day in days.items()))
    return name, ibis.cases((known, ibis.greatest(first - units.start_day, 0)))


def _start(units: ir.Table, start: Milestone) -> ir.IntegerValue:
    return ZERO if start == "t0" else units[f"{start}_day"]


def _closings(record: Endpoint, settings: SurvivalSettings) -> list[Closing]:
    """What censors an endpoint early under the settings, and where it is then censored."""
    return [c for c in record.closing if getattr(settings, c.setting) == "censor"]


def _before(units: ir.Table, record: Endpoint, first: ir.IntegerValue) -> ir.IntegerValue:
    """The last evaluable assessment before an event that a scan shows; before another, the last."""
    seen = [m for m in record.events if m in ("progression", "hepatic_progression")]
    shown = ((units[f"{m}_day"] == first, units[f"last_before_{m}_day"]) for m in seen)
    last = units.last_assessment_day
    return ibis.cases(*shown, else_=last)


def _or_t0(units: ir.Table, milestone: Milestone) -> ir.StringValue:
    return units[f"{milestone}_day"].notnull().ifelse(milestone, "t0")


def _day(units: ir.Table, milestone: Milestone) -> ir.IntegerValue:
    return ZERO if milestone == "t0" else units[f"{milestone}_day"]


def _censoring(ended: ir.Table) -> ir.StringValue:
    stopped = ended.stopped
    alive = stopped == "last_alive"
    return ibis.cases(
        (alive & ended.undated_death.notnull(), DEAD),
        (alive & ended.follow_up_aside.fill_null(False), ASIDE),
        (alive, "alive"),
        (stopped == "t0", "no_assessment"),
        (stopped.isin(["last_in_window", "last_recorded"]), "last_assessment"),
        (stopped.isin(["last_before_therapy", "last_recorded_before_therapy"]), "new_therapy"),
        (stopped == "last_before_gap", "missed_assessments"),
        else_=stopped,
    )


def _flags(ended: ir.Table) -> ir.StringValue:
    """What a reader should know of the row, in one text; null when there is nothing."""
    stopped, end = ended.stopped, ended.end_day
    flags = (
        ((stopped == "death") & ended.death_imputed, "death date imputed"),
        ((stopped == "last_alive") & ended.last_alive_imputed, "contact date imputed"),
        ((stopped == "new_therapy") & ended.new_therapy_imputed, "therapy date imputed"),
        ((stopped == "death") & (end == 0), "death on T0"),
        (ended.transplant_day <= end, "transplant"),
        (ended.new_therapy_day < end, "subsequent therapy"),
        ((stopped == "last_alive") & ended.lost, "lost to follow-up"),
    )
    undated = ibis.literal("; dead at an unknown date: ").concat(ended.undated_death)
    parts = [
        ended.undated_death.notnull().ifelse(undated, ""),
        *(holds.fill_null(False).ifelse(f"; {words}", "") for holds, words in flags),
    ]
    return parts[0].concat(*parts[1:]).substr(2).nullif("")


def _scan_rows(anchors: ir.Table, scans: ir.Table) -> ir.Table:
    """One row per subject and day with a scan: its row, and whether it shows a new lesion."""
    read = scans.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    dated = read.mutate(
        scan_day=read.scan_date.delta(read.t0_date, unit="day"),
        new=read.new_lesion.isin(["hepatic", "extrahepatic", "both"]).fill_null(False),
    )
    return dated.group_by("subject_id", "scan_day").agg(
        scan_row_id=dated.row_id.min(),
        new_row_id=dated.row_id.min(where=dated.new),
    )


def _measurement_rows(seen: ir.Table) -> ir.Table:
    return seen.group_by("subject_id", "lesion_number", "rel_day").agg(
        measurement_row_ids=seen.source_row_ids.min()
    )


def _with_sources(ran: ir.Table, scan_rows: ir.Table, measurement_rows: ir.Table) -> ir.Table:
    """Name the deciding scan of a subject, and the deciding measurement of a lesion."""
    seen = ran.left_join(
        scan_rows,
        (ran.subject_id == scan_rows.subject_id) & (ran.end_day == scan_rows.scan_day),
    ).drop("subject_id_right")
    read = seen.left_join(
        measurement_rows,
        (seen.subject_id == measurement_rows.subject_id)
        & (seen.lesion_number == measurement_rows.lesion_number)
        & (seen.end_day == measurement_rows.rel_day),
    ).drop("subject_id_right", "lesion_number_right")
    scanned, lesion = read.stopped.isin(ON_SCANS), read.lesion_number > 0
    new = read.stopped.isin(["progression", "hepatic_progression"]) & read.new_row_id.notnull()
    return read.mutate(
        source_table=scanned.ifelse(lesion.ifelse("measurements", "scans"), read.own_table),
        source_column=scanned.ifelse(new.ifelse("new_lesion", "scan_date"), read.own_column),
        source_row_id=ibis.cases(
            (scanned & lesion, read.measurement_row_ids),
            (scanned & new, read.new_row_id),
            (scanned, read.scan_row_id),
            else_=read.own_row_id,
        ),
    )
