"""Name who is called dead by a delivered row, and the date of death that can be believed.

A death stands, whatever is wrong with its date: a patient whom any row calls dead is never
published as alive. Dates are compared by their precision, so that a death known to the month of T0
lies on or after T0. Of compatible dates the exact one counts. A date that cannot be believed makes
a death at an unknown date: before T0, in conflict with another, before a living contact, or not
readable. A contact decides; a fatal adverse event or a reported death speaks only where no contact
tells of a death.

Source: this registry's choice, after CDISC ADaM ADTTE (imputation flags) and admiralonco, vignette
Creating ADTTE (last known alive date); censoring the dead flatters survival, so that two other
readings are published in `sensitivity`.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.tables.intermediate import Anchors, DeathClaims, RowsSetAside
from schemas.tables.registry import AdverseEvents, Contacts, ReportedEndpoints
from transforms.intake.partial_dates import first_day, last_day
from transforms.joins import looked_up

NO_DATE = "no date of death can be read"
BEFORE_T0 = "the claimed death lies before treatment"
CONFLICT = "the claimed dates of death differ"
ALIVE_LATER = "a living contact follows the claimed death"
FATAL = "a fatal event without a date of death"
REPORTED = "a reported death without a date"


def death_claims(
    anchors: Table[Anchors],
    contacts: Table[Contacts],
    adverse_events: Table[AdverseEvents],
    reported_endpoints: Table[ReportedEndpoints],
    rows_set_aside: Table[RowsSetAside],
) -> Table[DeathClaims]:
    """Judge the deaths that a site claims of each treated subject."""
    claims = _of_contacts(contacts, rows_set_aside)
    others = _of_others(adverse_events, reported_endpoints, rows_set_aside)
    judged = _judged(claims.union(others.anti_join(claims, "subject_id")))
    known = judged.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    living = _living(contacts, rows_set_aside)
    known = looked_up(known, living, "subject_id")
    why = ibis.cases(
        (known.standing.fill_null(0) == 0, known.told.fill_null(NO_DATE)),
        (known.first_day > known.last_day, CONFLICT),
        (known.last_day < known.t0_date, BEFORE_T0),
        (known.alive_on > known.last_day, ALIVE_LATER),
        else_=ibis.null("string"),
    )
    believed = known.mutate(
        reason=why,
        death_date=why.isnull().ifelse(known.exact_date.coalesce(known.coarse_date), None),
        imputed=known.exact_date.isnull(),
        row_id=known.exact_row_id.coalesce(known.coarse_row_id),
    )
    return conform(believed, DeathClaims)


def _of_contacts(contacts: ir.Table, rows_set_aside: ir.Table) -> ir.Table:
    accepted = contacts.filter(contacts.contact_type == "death")
    aside = rows_set_aside.filter(rows_set_aside.says_dead, rows_set_aside.table_name == "contacts")
    return _claim(
        accepted,
        accepted.contact_date,
        accepted.contact_date_precision,
        row_id=accepted.row_id,
        stands=ibis.literal(True),
    ).union(
        _claim(
            aside,
            aside.row_date,
            aside.row_date_precision,
            stands=aside.date_stands & aside.row_date.notnull(),
        )
    )


def _of_others(
    adverse_events: ir.Table, reported_endpoints: ir.Table, rows_set_aside: ir.Table
) -> ir.Table:
    """Fatal events and reported deaths: none of them gives the day of death."""
    ended = adverse_events.end_date.notnull()
    fatal = (adverse_events.outcome == "fatal").fill_null(False) | (
        adverse_events.grade == 5
    ).fill_null(False)
    events = adverse_events.mutate(
        claimed=ended.ifelse(adverse_events.end_date, adverse_events.onset_date),
        how_exact=ended.ifelse(
            adverse_events.end_date_precision, adverse_events.onset_date_precision
        ),
    ).filter(fatal)
    reported = reported_endpoints.filter(
        reported_endpoints.event, reported_endpoints.endpoint.upper() == "OS"
    ).mutate(claimed=ibis.null("date"), how_exact=ibis.null("string"))
    aside = rows_set_aside.filter(rows_set_aside.says_dead, rows_set_aside.table_name != "contacts")
    return ibis.union(
        _claim(events, events.claimed, events.how_exact, row_id=events.row_id, told=FATAL),
        _claim(
            reported,
            reported.claimed,
            reported.how_exact,
            row_id=reported.row_id,
            told=REPORTED,
        ),
        _claim(aside, aside.row_date, aside.row_date_precision, told=NO_DATE),
    )


def _claim(
    table: ir.Table,
    date: ir.DateValue,
    precision: ir.StringValue,
    row_id: ir.StringValue | None = None,
    stands: ir.BooleanValue | None = None,
    told: str | None = None,
) -> ir.Table:
    """One row per claim, with the first and last day that it can mean."""
    exact = precision.fill_null("day") == "day"
    return table.select(
        subject_id=table.subject_id,
        on=date,
        earliest=first_day(date, precision),
        latest=last_day(date, precision),
        exact=exact,
        row_id=ibis.null("string") if row_id is None else row_id,
        stands=ibis.literal(False) if stands is None else stands.fill_null(False),
        told=ibis.literal(told, type="string"),
    )


def _judged(claims: ir.Table) -> ir.Table:
    """One row per subject: what the claims leave possible."""
    exact, coarse = claims.stands & claims.exact, claims.stands & ~claims.exact
    return claims.group_by("subject_id").agg(
        standing=claims.stands.cast("int64").sum(),
        first_day=claims.earliest.max(where=claims.stands),
        last_day=claims.latest.min(where=claims.stands),
        exact_date=claims.on.min(where=exact),
        coarse_date=claims.on.max(where=coarse),
        exact_row_id=claims.row_id.min(where=exact),
        coarse_row_id=claims.row_id.min(where=coarse),
        earliest_date=claims.latest.min(),
        latest_date=claims.on.max(),
        told=claims.told.min(),
    )


def _living(contacts: ir.Table, rows_set_aside: ir.Table) -> ir.Table:
    """The latest day on which a contact surely found the subject alive."""
    alive = contacts.filter(contacts.vital_status == "alive")
    aside = rows_set_aside.filter(rows_set_aside.says_alive, rows_set_aside.row_date.notnull())
    seen = alive.select(
        "subject_id", seen=first_day(alive.contact_date, alive.contact_date_precision)
    ).union(aside.select("subject_id", seen=first_day(aside.row_date, aside.row_date_precision)))
    return seen.group_by("subject_id").agg(alive_on=seen.seen.max())
