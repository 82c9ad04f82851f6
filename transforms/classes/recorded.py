"""Responses as a registry recorded them: each class, the best one, and those at fixed times.

Many registries deliver classes and no diameters. A recorded class stands beside the derived one and
never enters it. The window is the derived one's: it opens after the first session and closes with
the reader's first recorded progression and with the day that other treatment began. Every treated
patient of a site that recorded a criterion is in its denominators; who has no class that counts is
NE, with the reason. A class without a criterion stands under `unspecified`.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.4 (best response is
the best one recorded up to progression). That the registry's minimum day of stable disease and its
window hold for recorded classes too is a convention, so that the two stand on the same rules.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.settings import ResponseSettings
from schemas.tables.class_marts import (
    RecordedAssessments,
    RecordedResponse,
    RecordedResponseAtWindow,
)
from schemas.tables.intermediate import Anchors, DeathClaims, LastAlive, Sessions
from schemas.tables.registry import RecordedResponses, SubsequentTherapies
from transforms.classes.at_windows import followed, placed
from transforms.joins import dated, looked_up
from transforms.response.window import closing_days, in_window

_UNIT = ("subject_id", "organ", "criterion")
AS_NE = "recorded_as_ne"
"""The rule, and the reason, of a class that was recorded as not evaluable."""


def recorded_assessments(
    recorded_responses: Table[RecordedResponses],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    settings: ResponseSettings,
) -> Table[RecordedAssessments]:
    """Place every class that was recorded after T0, of the patient and of the liver."""
    read = dated(recorded_responses, anchors, "response_date")
    read = read.filter(read.rel_day > 0)
    shared = ("subject_id", "criterion", "reader", "rel_day", "source")
    whole = read.select(*shared, organ=ibis.literal("all"), response="response_class", id="row_id")
    liver = read.filter(read.liver_class.notnull()).select(
        *shared, organ=ibis.literal("liver"), response="liver_class", id="row_id"
    )
    each = whole.union(liver)
    series = ibis.window(group_by=[*_UNIT, "reader"])
    placed_days = each.mutate(
        first_pd=each.rel_day.min(where=each.response == "PD").over(series),
        rule=(each.response == "NE").ifelse(AS_NE, "recorded"),
        source_row_id=each.id,
    )
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    known = looked_up(placed_days, closing, "subject_id")
    inside = in_window(known.rel_day, known.first_pd, known.closed_day)
    return conform(known.mutate(in_window=inside), RecordedAssessments)


def recorded_response(
    recorded_assessments: Table[RecordedAssessments],
    anchors: Table[Anchors],
    *,
    settings: ResponseSettings,
) -> Table[RecordedResponse]:
    """Best recorded class of every treated subject of a site that recorded the criterion."""
    read = _counted(recorded_assessments, settings)
    sites = anchors.select("subject_id", "site_id")
    recorded = read.select(*_UNIT).distinct().inner_join(sites, "subject_id")
    kinds = recorded.select("site_id", "organ", "criterion").distinct()
    units = sites.inner_join(kinds, "site_id").select(*_UNIT)
    return conform(_best(looked_up(units, _days(read, settings), _UNIT)), RecordedResponse)


def recorded_response_at_window(
    recorded_response: Table[RecordedResponse],
    recorded_assessments: Table[RecordedAssessments],
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    subsequent_therapies: Table[SubsequentTherapies],
    death_claims: Table[DeathClaims],
    last_alive: Table[LastAlive],
    *,
    settings: ResponseSettings,
) -> Table[RecordedResponseAtWindow]:
    """Class every such subject at every time point, by the same rules as the derived classes."""
    closing = closing_days(anchors, sessions, subsequent_therapies, settings)
    best = recorded_response.select(*_UNIT, "reason")
    units = followed(looked_up(best, closing, "subject_id"), anchors, death_claims, last_alive)
    read = _counted(recorded_assessments, settings)
    read = read.filter(read.in_window).mutate(modality=ibis.null("string"))
    return conform(placed(units, read, _UNIT, settings), RecordedResponseAtWindow)


def _counted(assessments: ir.Table, settings: ResponseSettings) -> ir.Table:
    """The classes of the reader who counts."""
    return assessments.filter(assessments.reader == settings.recorded_reader)


def _days(read: ir.Table, settings: ResponseSettings) -> ir.Table:
    """The first day of each class in the window, and of progression in it or not."""
    late = read.rel_day >= settings.sd_min_days
    first = {
        c: read.rel_day.min(where=read.in_window & (read.response == c)) for c in ("CR", "PR", "PD")
    }
    return read.group_by(_UNIT).agg(
        **first,
        SD=read.rel_day.min(where=read.in_window & (read.response == "SD") & late),
        progression_day=read.rel_day.min(where=read.response == "PD"),
        last_evaluable_day=read.rel_day.max(where=read.in_window & (read.response != "NE")),
        n_in_window=read.in_window.sum(),
    )


def _best(known: ir.Table) -> ir.Table:
    """The best of the classes in the window, or why there is none."""
    ladder = [(known[c].notnull(), c) for c in ("CR", "PR", "SD", "PD")]
    best = known.mutate(
        best_response=ibis.cases(*ladder, else_="NE"),
        best_response_day=ibis.coalesce(known.CR, known.PR, known.SD, known.PD),
        first_response_day=ibis.least(known.CR.coalesce(known.PR), known.PR.coalesce(known.CR)),
        evaluable=known.last_evaluable_day.notnull(),
    )
    reason = ibis.cases(
        (best.best_response != "NE", ibis.null("string")),
        (best.evaluable, "only_before_the_minimum_day"),
        (best.n_in_window.isnull(), "no_class_recorded"),
        (best.n_in_window == 0, "window_closed"),
        else_=AS_NE,
    )
    return best.mutate(reason=reason)
