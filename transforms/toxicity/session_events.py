"""Whether a session was followed by any adverse event, one of grade 3, a serious or a related one.

An event of any term that is treatment-emergent belongs to the last session on or before its first
day, and to those windows of it in which that day lies: no window reaches beyond the next session.
An event without a day belongs to the only session of its patient; where there are several it leaves
each of them open, as does one of which it cannot be read whether it followed treatment.

Source: Kennedy et al., Am J Clin Oncol 2008;31:271-279 (185 procedures) and Braat et al.,
Cardiovasc Intervent Radiol 2020;43:246-253 (58 procedures in 44 patients) count procedures. No
source read says which procedure an event belongs to: that it is the last one before is the
registry's convention.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.field.event_windows import PROCEDURES
from schemas.settings import ToxicitySettings
from schemas.tables.event_marts import SessionEvents
from schemas.tables.intermediate import Anchors, Sessions
from schemas.tables.registry import AdverseEvents
from transforms.joins import looked_up
from transforms.toxicity.after_sessions import placed_sessions
from transforms.toxicity.clinical_events import recorded_events
from transforms.toxicity.subject_events import judged, rolled_up

_BY = ["subject_id", "session_number", "time_window"]


def session_events(
    adverse_events: Table[AdverseEvents],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    *,
    settings: ToxicitySettings,
) -> Table[SessionEvents]:
    """Roll up the events of every session of treated subjects of sites that deliver events."""
    asked = anchors.semi_join(adverse_events, "site_id")
    placed = placed_sessions(sessions, asked)
    windows = _windows()
    units = placed.cross_join(windows)
    recorded = recorded_events(adverse_events, anchors, settings)
    found = _found(recorded.filter(recorded.emergent | recorded.undecided), placed, windows)
    return conform(judged(looked_up(units, found, _BY)), SessionEvents)


def _windows() -> ir.Table:
    rows = [(r.code, r.first_day, r.last_day) for r in PROCEDURES]
    types = {"time_window": "string", "first_day": "int64", "until": "int64"}
    return ibis.memtable(rows, schema=types)


def _found(events: ir.Table, placed: ir.Table, windows: ir.Table) -> ir.Table:
    """Per session and window what is certain, and what is open."""
    own = ibis.window(group_by=["subject_id", "number"])
    n_sessions = placed.group_by("subject_id").agg(n_sessions=placed.count())
    pairs = events.inner_join(placed, "subject_id").inner_join(n_sessions, "subject_id")
    before = (pairs.session_day <= pairs.rel_day).fill_null(False)
    # Sessions are numbered by their days: the greatest is the latest.
    latest = pairs.session_number.max(where=before).over(own)
    undated = pairs.rel_day.isnull()
    mine = pairs.mutate(
        open=pairs.undecided | (undated & (pairs.n_sessions > 1)),
        belongs=undated | (pairs.session_number == latest).fill_null(False),
    )
    t = mine.filter(mine.belongs).cross_join(windows)
    since = t.rel_day - t.session_day
    inside = t.filter(t.rel_day.isnull() | since.between(t.first_day, t.until))
    return rolled_up(inside.mutate(certain=inside.emergent & ~inside.open), _BY)
