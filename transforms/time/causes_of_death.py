"""The recorded cause of each death, and whether it is attributed to treatment.

Every row that calls the patient dead may name a cause. One that is named stands, also where the
date of death cannot be believed; two different ones are in conflict, and the cause is unknown. A
death is treatment-related where its cause is treatment, or where a fatal adverse event is
attributed to it; it is not where another cause is known and no fatal event leaves it open.

Source: causes as the registry's columns name them; a fatal event as in
`transforms.time.deaths`, its relation as in `transforms.toxicity.clinical_events`.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.settings import ToxicitySettings
from schemas.tables.event_marts import Deaths
from schemas.tables.intermediate import Anchors, DeathClaims
from schemas.tables.registry import AdverseEvents, Contacts
from transforms.joins import looked_up
from transforms.toxicity.clinical_events import recorded_events

UNKNOWN = "unknown"
OPEN, RELATED = 1, 2
"""How a relation is numbered: not known, and attributed to treatment."""


def deaths(
    death_claims: Table[DeathClaims],
    anchors: Table[Anchors],
    contacts: Table[Contacts],
    adverse_events: Table[AdverseEvents],
    *,
    settings: ToxicitySettings,
) -> Table[Deaths]:
    """Name the cause of every claimed death."""
    claims = death_claims.select("subject_id", "death_date")
    dead = claims.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    known = looked_up(dead, _causes(contacts), "subject_id")
    events = recorded_events(adverse_events, anchors, settings)
    t = looked_up(known, _fatal(events), "subject_id")
    one = (t.named == 1).fill_null(False)
    relation = t.relation.fill_null(0)
    told = t.mutate(
        rel_day=t.death_date.delta(t.t0_date, unit="day"),
        cause=ibis.ifelse(one, t.first_cause, UNKNOWN),
        treatment_related=ibis.cases(
            ((one & (t.first_cause == "treatment")) | (relation == RELATED), True),
            (one & (relation != OPEN), False),
        ),
        reason=ibis.cases(
            (one, ibis.null("string")),
            ((t.named > 1).fill_null(False), "conflicting"),
            (t.said.fill_null(False), "recorded_unknown"),
            else_="not_recorded",
        ),
    )
    return conform(told, Deaths)


def _causes(contacts: ir.Table) -> ir.Table:
    """Per subject how many causes are named, and one of them."""
    said = contacts.filter(contacts.vital_status == "dead", contacts.cause_of_death.notnull())
    known = said.cause_of_death != UNKNOWN
    return said.group_by("subject_id").agg(
        named=said.cause_of_death.nunique(where=known),
        first_cause=said.cause_of_death.min(where=known),
        said=said.cause_of_death.notnull().any(),
    )


def _fatal(events: ir.Table) -> ir.Table:
    """The closest relation to treatment of each subject's fatal events."""
    fatal = events.filter(
        ((events.grade == 5) | (events.outcome == "fatal")).fill_null(False), events.emergent
    )
    return fatal.group_by("subject_id").agg(relation=fatal.relation.max())
