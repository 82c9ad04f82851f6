"""The days on which something happened to a patient that starts, stops or censors a clock.

Every date becomes a number of days from T0 here, once. Deaths are those of
`transforms.time.deaths`; alive is whoever has left a dated trace in any table, up to the data
cutoff: never the date of the export. Whoever is dead at an unknown date is known alive no later
than the earliest claimed death.

A partial date has its day imputed (the 15th) when it is loaded. An imputed death is moved to the
last evidence of life, or to T0, where the 15th lies before it; a date of which only the year is
known is no evidence. Exact deaths are never moved.

Source: admiralonco, vignette Creating ADTTE (last known alive date, imputation flags); admiralonco
PFSNACT (censoring at the last assessment before new anticancer therapy).
"""

from dataclasses import dataclass
from string import ascii_lowercase

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, any_unreadable, conform
from schemas.sections.reading import ReadingSettings
from schemas.settings import ResponseSettings, SurvivalSettings
from schemas.tables.class_marts import CountedReaders, RecordedAssessments
from schemas.tables.intermediate import (
    Anchors,
    DeathClaims,
    EndpointCriterion,
    Extractions,
    LastAlive,
    Milestones,
    RowsSetAside,
)
from schemas.tables.marts import SubjectAssessments, SubjectResponse
from schemas.tables.registry import (
    AdverseEvents,
    Assessments,
    Contacts,
    Labs,
    Mappings,
    Medications,
    RecordedResponses,
    Scans,
    SubsequentTherapies,
    Treatments,
)
from transforms.classes.counted_readers import counted
from transforms.joins import looked_up


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column whose dates prove that the patient was alive."""

    table: ir.Table
    name: str
    column: str


def last_alive(
    contacts: Table[Contacts],
    treatments: Table[Treatments],
    scans: Table[Scans],
    assessments: Table[Assessments],
    labs: Table[Labs],
    adverse_events: Table[AdverseEvents],
    subsequent_therapies: Table[SubsequentTherapies],
    mappings: Table[Mappings],
    medications: Table[Medications],
    recorded_responses: Table[RecordedResponses],
    death_claims: Table[DeathClaims],
) -> Table[LastAlive]:
    """Take the latest dated evidence of life of each subject, from every table.

    An exact date is preferred to an imputed one of the same day, then the tables in this order.
    """
    survived = (
        (adverse_events.outcome != "fatal").fill_null(True)
        & (adverse_events.grade != 5).fill_null(True)
        & ~any_unreadable(adverse_events, "outcome", "grade")
    )
    evidence = (
        Evidence(contacts.filter(contacts.vital_status == "alive"), "contacts", "contact_date"),
        Evidence(treatments, "treatments", "treatment_date"),
        Evidence(scans, "scans", "scan_date"),
        Evidence(assessments, "assessments", "assessment_date"),
        Evidence(labs, "labs", "lab_date"),
        Evidence(adverse_events, "adverse_events", "onset_date"),
        Evidence(adverse_events.filter(survived), "adverse_events", "end_date"),
        Evidence(subsequent_therapies, "subsequent_therapies", "start_date"),
        Evidence(mappings, "mappings", "mapping_date"),
        Evidence(medications, "medications", "start_date"),
        Evidence(recorded_responses, "recorded_responses", "response_date"),
    )
    ranks = ascii_lowercase[len(evidence) - 1 :: -1]
    dated = ibis.union(*(_dated(e, rank) for e, rank in zip(evidence, ranks, strict=True)))
    dated = _up_to_death(dated, death_claims)
    latest = dated.group_by("subject_id").agg(mark=dated.mark.max())
    source = latest.mark.substr(11, 1)
    by_rank = dict(zip(ranks, evidence, strict=True))
    found = latest.mutate(
        last_alive_date=latest.mark.substr(0, 10).cast("date"),
        imputed=latest.mark.substr(10, 1) == "0",
        source_table=ibis.cases(*((source == rank, e.name) for rank, e in by_rank.items())),
        source_column=ibis.cases(*((source == rank, e.column) for rank, e in by_rank.items())),
        source_row_id=latest.mark.substr(12),
    )
    return conform(found, LastAlive)


def milestones(
    anchors: Table[Anchors],
    treatments: Table[Treatments],
    death_claims: Table[DeathClaims],
    rows_set_aside: Table[RowsSetAside],
    extractions: Table[Extractions],
    subsequent_therapies: Table[SubsequentTherapies],
    last_alive: Table[LastAlive],
    subject_assessments: Table[SubjectAssessments],
    subject_response: Table[SubjectResponse],
    endpoint_criterion: Table[EndpointCriterion],
    recorded_assessments: Table[RecordedAssessments],
    counted_readers: Table[CountedReaders],
    *,
    settings: SurvivalSettings,
    response: ResponseSettings,
    reading: ReadingSettings,
) -> Table[Milestones]:
    """Give each treated subject the days, from T0, on which its clocks may start and stop."""
    therapies = _therapies(anchors, subsequent_therapies)
    judged = subject_assessments.semi_join(endpoint_criterion, "criterion")
    of_organs = counted(judged, counted_readers, response, reading)
    seen = of_organs.filter(of_organs.organ == "all")
    liver = of_organs.filter(of_organs.organ == "liver")
    parts = (
        _first_session(anchors, treatments),
        _responses(subject_response.semi_join(endpoint_criterion, "criterion")),
        progressions := _progressions(seen, liver),
        _before_progressions(seen, liver, progressions),
        _last_before(seen, therapies),
        _recorded(recorded_assessments, therapies, response.recorded_reader),
        therapies,
        _alive(anchors, last_alive),
        _deaths(anchors, death_claims, extractions),
        _contacts_aside(anchors, rows_set_aside),
    )
    wide = anchors
    for part in parts:
        wide = looked_up(wide, part, "subject_id")
    placed = _death_after_life(wide)
    silent = placed.last_alive_day <= 0
    placed = placed.mutate(follow_up_aside=silent & placed.contacts_aside.fill_null(False))
    return conform(_lost(placed, settings.lost_to_follow_up_days), Milestones)


def _dated(evidence: Evidence, rank: str) -> ir.Table:
    """One text per date that sorts by day, then exactness, then table, then row.

    A maximum over text is the same on every engine; an argmax over several columns is not.
    """
    t = evidence.table
    date = t[evidence.column]
    precision = _precision(t, evidence.column)
    known = t.filter(date.notnull(), precision != "year")
    exact = (precision == "day").ifelse("1", "0")
    mark = date.cast("string").concat(exact, ibis.literal(rank), t.row_id)
    return known.select("subject_id", mark=mark, on=date)


def _up_to_death(dated: ir.Table, death_claims: ir.Table) -> ir.Table:
    """Leave out what is dated after the earliest claimed death of the dead at an unknown date."""
    undated = death_claims.filter(
        death_claims.reason.notnull(), death_claims.earliest_date.notnull()
    )
    limits = undated.select("subject_id", "earliest_date")
    late = dated.inner_join(limits, "subject_id")
    late = late.filter(late.on > late.earliest_date)
    return dated.anti_join(late.select("subject_id", "mark").distinct(), ["subject_id", "mark"])


def _precision(table: ir.Table, column: str) -> ir.StringValue:
    name = f"{column}_precision"
    return table[name].fill_null("day") if name in table.columns else ibis.literal("day")


def _first_session(anchors: ir.Table, treatments: ir.Table) -> ir.Table:
    given = treatments.inner_join(
        anchors,
        (treatments.subject_id == anchors.subject_id)
        & (treatments.treatment_date == anchors.t0_date),
    )
    return given.group_by("subject_id").agg(t0_row_id=given.row_id.min())


def _responses(judged: ir.Table) -> ir.Table:
    chosen = judged.filter(judged.confirmation == "unconfirmed", judged.organ == "all")
    return chosen.select(
        "subject_id",
        response_day=chosen.first_response_day,
        last_in_window_day=chosen.last_evaluable_day,
    )


def _progressions(seen: ir.Table, liver: ir.Table) -> ir.Table:
    """First progression, and first progression of the liver.

    The liver progresses where its own lesions grow beyond the criterion over their own nadir, where
    a lesion is new in it, or where its non-target disease progresses.
    """
    whole = seen.group_by("subject_id").agg(
        progression_day=seen.rel_day.min(where=seen.response == "PD"),
        last_assessment_day=seen.rel_day.max(where=seen.response != "NE"),
    )
    of_liver = liver.group_by("subject_id").agg(
        hepatic_progression_day=liver.rel_day.min(where=liver.response == "PD"),
    )
    return looked_up(whole, of_liver, "subject_id")


def _before_progressions(seen: ir.Table, liver: ir.Table, progressions: ir.Table) -> ir.Table:
    days = progressions.select("subject_id", "progression_day", "hepatic_progression_day")
    both = seen.filter(seen.response != "NE").inner_join(days, "subject_id")
    whole = both.group_by("subject_id").agg(
        last_before_progression_day=both.rel_day.max(where=both.rel_day < both.progression_day)
    )
    hepatic = liver.filter(liver.response != "NE").inner_join(days, "subject_id")
    of_liver = hepatic.group_by("subject_id").agg(
        last_before_hepatic_progression_day=hepatic.rel_day.max(
            where=hepatic.rel_day < hepatic.hepatic_progression_day
        )
    )
    return looked_up(whole, of_liver, "subject_id")


def _therapies(anchors: ir.Table, subsequent_therapies: ir.Table) -> ir.Table:
    """The first therapy and the first transplant; an imputed day before T0 is moved to T0."""
    given = subsequent_therapies.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    imputed = _precision(given, "start_date") != "day"
    day = given.start_date.delta(given.t0_date, unit="day")
    after = given.mutate(imputed=imputed, day=imputed.ifelse(ibis.greatest(day, 0), day))
    after = after.filter(after.day >= 0)
    numbered = after.mutate(
        order=ibis.row_number().over(group_by="subject_id", order_by=["day", "imputed", "row_id"]),
        transplant=after.therapy_class == "transplant",
    )
    numbered = numbered.mutate(
        order_transplant=ibis.row_number().over(
            group_by=["subject_id", "transplant"], order_by=["day", "imputed", "row_id"]
        )
    )
    first = numbered.order == 0
    grafted = numbered.transplant & (numbered.order_transplant == 0)
    return numbered.group_by("subject_id").agg(
        new_therapy_day=numbered.day.max(where=first),
        new_therapy_imputed=numbered.imputed.max(where=first),
        new_therapy_row_id=numbered.row_id.max(where=first),
        transplant_day=numbered.day.max(where=grafted),
        transplant_row_id=numbered.row_id.max(where=grafted),
    )


def _last_before(seen: ir.Table, therapies: ir.Table) -> ir.Table:
    both = seen.inner_join(therapies.select("subject_id", "new_therapy_day"), "subject_id")
    before = both.filter(both.rel_day <= both.new_therapy_day, both.response != "NE")
    return before.group_by("subject_id").agg(last_before_therapy_day=before.rel_day.max())


def _recorded(recorded: ir.Table, therapies: ir.Table, reader: str) -> ir.Table:
    """The first recorded progression, and the last recorded classes, each with its first row."""
    read = recorded.filter(
        recorded.reader == reader, recorded.organ == "all", recorded.response != "NE"
    )
    placed = looked_up(read, therapies.select("subject_id", "new_therapy_day"), "subject_id")
    before = (placed.rel_day <= placed.new_therapy_day).fill_null(False)
    whole = ibis.window(group_by="subject_id")
    progressed = placed.response == "PD"
    days = placed.mutate(
        progressed=progressed,
        before=before,
        recorded_progression_day=placed.rel_day.min(where=progressed).over(whole),
        last_recorded_day=placed.rel_day.max().over(whole),
        last_recorded_before_therapy_day=placed.rel_day.max(where=before).over(whole),
    )
    kinds = {
        "recorded_progression": days.progressed,
        "last_recorded": ibis.literal(True),
        "last_recorded_before_therapy": days.before,
    }
    return days.group_by("subject_id").agg(
        **{f"{name}_day": days[f"{name}_day"].min() for name in kinds},
        **{
            f"{name}_row_id": days.source_row_id.min(
                where=kind & (days.rel_day == days[f"{name}_day"])
            )
            for name, kind in kinds.items()
        },
    )


def _alive(anchors: ir.Table, last_alive: ir.Table) -> ir.Table:
    known = last_alive.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return known.select(
        "subject_id",
        "last_alive_date",
        last_alive_day=known.last_alive_date.delta(known.t0_date, unit="day"),
        last_alive_imputed=known.imputed,
        last_alive_table=known.source_table,
        last_alive_column=known.source_column,
        last_alive_row_id=known.source_row_id,
    )


def _deaths(anchors: ir.Table, death_claims: ir.Table, extractions: ir.Table) -> ir.Table:
    died = death_claims.inner_join(anchors.select("subject_id", "site_id", "t0_date"), "subject_id")
    dated = looked_up(died, extractions, "site_id")
    latest = dated.latest_date.coalesce(dated.extraction_date)
    return dated.select(
        "subject_id",
        death_day=dated.death_date.delta(dated.t0_date, unit="day"),
        death_imputed=dated.death_date.notnull().ifelse(dated.imputed, None),
        death_row_id=dated.row_id,
        undated_death=dated.reason,
        latest_death_day=dated.reason.notnull().ifelse(
            latest.delta(dated.t0_date, unit="day"), None
        ),
    )


def _contacts_aside(anchors: ir.Table, rows_set_aside: ir.Table) -> ir.Table:
    """Subjects of whom a contact after T0, or at an unknown date, was set aside."""
    lost = rows_set_aside.filter(rows_set_aside.table_name == "contacts")
    placed = lost.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    later = placed.filter(placed.row_date.isnull() | (placed.row_date > placed.t0_date))
    return later.group_by("subject_id").agg(contacts_aside=later.count() > 0)


def _death_after_life(wide: ir.Table) -> ir.Table:
    alive = ibis.greatest(wide.last_alive_day.fill_null(0), 0)
    moved = wide.death_imputed.fill_null(False)
    return wide.mutate(
        last_alive_day=alive,
        death_day=moved.ifelse(ibis.greatest(wide.death_day, alive), wide.death_day),
    )


def _lost(wide: ir.Table, limit_days: int) -> ir.Table:
    """Flag the silent: against the site's last news, as no clock is read here."""
    news = wide.last_alive_date.max().over(group_by="site_id")
    silent = news.delta(wide.last_alive_date, unit="day") > limit_days
    living = wide.death_day.isnull() & wide.undated_death.isnull()
    return wide.mutate(lost=living & silent.fill_null(False))
