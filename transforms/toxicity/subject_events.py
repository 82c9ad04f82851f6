"""Whether a patient had any adverse event, one of grade 3, a serious or a related one, by window.

Events of any term that are treatment-emergent, with the grade recorded, whatever its version. One
without a day is in every window that starts at T0, in none that starts later. A patient stands in a
late window if observed into it: known alive, or dead, on or after its first day.

Source: `schemas.records.field.event_windows`; treatment-emergent as in
`transforms.toxicity.clinical_events`.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, any_unreadable, conform
from schemas.records.field.event_windows import RECORDS
from schemas.settings import ToxicitySettings
from schemas.tables.event_marts import SubjectEvents
from schemas.tables.intermediate import Anchors, DeathClaims, LastAlive
from schemas.tables.registry import AdverseEvents
from transforms.joins import looked_up
from transforms.toxicity.clinical_events import recorded_events
from transforms.toxicity.toxicity_windows import clock

_BY = ["subject_id", "time_window"]
GRADE = 3


def subject_events(
    adverse_events: Table[AdverseEvents],
    anchors: Table[Anchors],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    *,
    settings: ToxicitySettings,
) -> Table[SubjectEvents]:
    """Roll up every event of every treated subject of a site that delivers events."""
    windows = _windows(settings)
    asked = anchors.semi_join(adverse_events, "site_id")
    observed = _observed(asked, death_claims, last_alive).cross_join(windows)
    late = observed.anchor == "last session"
    reached = observed.last_seen >= observed.last_day + observed.first_day
    subjects = observed.filter(~late | reached.fill_null(False)).select(*_BY)
    found = _found(recorded_events(adverse_events, anchors, settings), windows)
    return conform(judged(looked_up(subjects, found, _BY)), SubjectEvents)


def judged(known: ir.Table) -> ir.Table:
    """What is said of a unit: certain of one event, left open by one, or of none."""
    return known.mutate(
        n_events=known.n_events.fill_null(0),
        **{
            name: ibis.cases(
                (known[f"{name}_yes"].fill_null(False), True),
                (known[f"{name}_open"].fill_null(False), ibis.null("boolean")),
                else_=False,
            )
            for name in ("any_event", "grade_3", "serious", "related")
        },
    )


def rolled_up(placed: ir.Table, by: Sequence[str]) -> ir.Table:
    """Per unit and window what is certain, and what is open.

    Args:
        placed: events with `grade`, `serious` and `relation`; `certain` is whether an event is
            known to be the unit's and to follow treatment, `open` whether it perhaps is.
        by: the unit and its window.
    """
    certain = placed.certain
    grade_unread = placed.grade.isnull() | any_unreadable(placed, "grade")
    return placed.group_by(by).agg(
        n_events=certain.sum(),
        worst_grade=placed.grade.max(where=certain),
        any_event_yes=certain.any(),
        any_event_open=placed.open.any(),
        grade_3_yes=(certain & (placed.grade >= GRADE).fill_null(False)).any(),
        grade_3_open=(placed.open | grade_unread).any(),
        serious_yes=(certain & placed.serious.fill_null(False)).any(),
        serious_open=(placed.open | placed.serious.isnull()).any(),
        related_yes=(certain & (placed.relation == 2)).any(),
        related_open=(placed.open | (placed.relation == 1)).any(),
    )


def _windows(settings: ToxicitySettings) -> ir.Table:
    rows = [
        (r.code, r.anchor, r.first_day, settings.acute_days if r.code == "acute" else r.last_day)
        for r in RECORDS
    ]
    types = {"time_window": "string", "anchor": "string", "first_day": "int64", "until": "int64"}
    return ibis.memtable(rows, schema=types)


def _observed(anchors: ir.Table, death_claims: ir.Table, last_alive: ir.Table) -> ir.Table:
    """The subjects with the last session and the last day on which anything was known of them."""
    died = death_claims.select("subject_id", "death_date")
    alive = last_alive.select("subject_id", "last_alive_date")
    known = looked_up(looked_up(anchors, died, "subject_id"), alive, "subject_id")
    seen = ibis.coalesce(known.death_date, known.last_alive_date)
    days = known.select("subject_id", last_seen=seen.delta(known.t0_date, unit="day"))
    return days.inner_join(clock(anchors), "subject_id")


def _found(events: ir.Table, windows: ir.Table) -> ir.Table:
    """Per subject and window what is certain, and what is open."""
    t = events.filter(events.emergent | events.undecided).cross_join(windows)
    unknown = t.rel_day.isnull()
    since_last = t.rel_day - t.last_day
    from_t0 = unknown | t.rel_day.between(t.first_day, t.until)
    inside = ibis.cases(
        (t.anchor == "T0", from_t0),
        (t.anchor == "either", from_t0 | since_last.between(t.first_day, t.until)),
        else_=~unknown & since_last.between(t.first_day, t.until),
    )
    placed = t.filter(inside.fill_null(False) | t.undecided)
    return rolled_up(placed.mutate(certain=placed.emergent, open=placed.undecided), _BY)
