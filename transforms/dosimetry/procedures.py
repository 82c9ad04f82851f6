"""How each session went: whether all that was prescribed went in, and how much of that planned.

A session is complete if every target of it is, and stopped early if one of them was; where that is
not recorded of a target, and no other decides, it is not known. A procedure at which no 90Y was
given is no treatment and stands nowhere: of those a registry of treatments cannot tell.

Source: Kennedy et al., Am J Clin Oncol 2008;31:271-279 (185 procedures, activity delivered of that
planned). From which share on activity counts as delivered is `dosimetry.delivered_pct`.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.settings import DosimetrySettings
from schemas.tables.dose_marts import CompartmentDoses, Procedures, SessionDoses
from schemas.tables.registry import Treatments
from transforms.joins import looked_up

_SESSION = ["subject_id", "session_number"]


def procedures(
    session_doses: Table[SessionDoses],
    compartment_doses: Table[CompartmentDoses],
    treatments: Table[Treatments],
    *,
    settings: DosimetrySettings,
) -> Table[Procedures]:
    """Say of every session how it was delivered."""
    whole = session_doses.filter(session_doses.compartment == "target")
    known = looked_up(whole, _ended(compartment_doses, treatments), _SESSION)
    share = known.activity_pct_of_planned
    return conform(known.mutate(as_planned=share >= settings.delivered_pct), Procedures)


def _ended(compartment_doses: ir.Table, treatments: ir.Table) -> ir.Table:
    """Per session whether every target was complete, and whether one was stopped."""
    targets = compartment_doses.filter(compartment_doses.compartment == "target")
    told = treatments.select("delivery", source_row_id="row_id")
    t = targets.inner_join(told, "source_row_id")
    stopped = (t.delivery == "stopped_early").any().fill_null(False)
    all_complete = (t.delivery == "complete").sum().fill_null(0) == t.count()
    return t.group_by(_SESSION).agg(
        complete=ibis.cases((stopped, False), (all_complete, True), else_=ibis.null("boolean")),
        stopped_early=ibis.cases(
            (stopped, True), (all_complete, False), else_=ibis.null("boolean")
        ),
    )
