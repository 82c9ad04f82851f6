"""By which criterion of response the endpoints are judged, and whether it judges enough patients.

A registry that measures longest diameters alone has nobody evaluable by WHO. Progression-free
survival by WHO would then know deaths as its only events and censor the living on day 0, which is
a wrong number and no cautious one. Where the criterion judges less than the least share of the
treated, what rests on response is not derivable. The share has no source: half is the default.

Counted are the treated of the sites that delivered scans: without scans an endpoint that needs them
is not derivable anyway.
"""

from collections.abc import Mapping
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.records.endpoints import Endpoint
from schemas.settings import AUTO, SurvivalSettings
from schemas.tables.intermediate import Anchors, EndpointCriterion
from schemas.tables.marts import SubjectResponse
from schemas.tables.registry import Scans
from transforms.joins import looked_up


def endpoint_criterion(
    subject_response: Table[SubjectResponse],
    anchors: Table[Anchors],
    scans: Table[Scans],
    *,
    settings: SurvivalSettings,
) -> Table[EndpointCriterion]:
    """Take the first criterion of the settings that judges enough of the treated.

    Where none does, the first stands there, with how many it judges.
    """
    chosen = settings.endpoint_criterion
    names = settings.endpoint_criteria if chosen == AUTO else (chosen,)
    listed = ibis.memtable([{"criterion": name, "place": n} for n, name in enumerate(names)])
    treated = anchors.semi_join(scans, "site_id")
    seen = subject_response.filter(
        subject_response.evaluable,
        subject_response.confirmation == "unconfirmed",
        subject_response.organ == "all",
    ).semi_join(treated, "subject_id")
    counted = seen.group_by("criterion").agg(n_evaluable=seen.count())
    every = treated.agg(n_treated=treated.count())
    each = looked_up(listed, counted, "criterion").cross_join(every)
    each = each.mutate(n_evaluable=each.n_evaluable.fill_null(0))
    each = each.mutate(judged=_enough(each, settings.endpoint_min_evaluable))
    order = [each.judged.cast("int64").desc(), each.place]
    placed = each.mutate(order=ibis.row_number().over(order_by=order))
    return conform(placed.filter(placed.order == 0), EndpointCriterion)


def derivable(
    units: ir.Table,
    record: Endpoint,
    delivered: Mapping[str, ir.Table],
    endpoint_criterion: ir.Table,
) -> ir.Table:
    """The units of which an endpoint can be derived; `units` has a column `site_id`.

    Args:
        units: subjects or lesions.
        record: the endpoint.
        delivered: registry table -> a table of the sites that delivered it.
        endpoint_criterion: by what response is judged.
    """
    for name in record.needs:
        units = units.semi_join(delivered[name], "site_id")
    if not record.rests_on_response:
        return units
    judged = endpoint_criterion.filter(endpoint_criterion.judged).select(by="criterion")
    return units.cross_join(judged).drop("by")


def _enough(each: ir.Table, share: float) -> ir.BooleanValue:
    """The share is reached, compared in whole numbers: 0.55 of 20 are 11."""
    least = Fraction(str(share))
    reached = each.n_evaluable * least.denominator >= each.n_treated * least.numerator
    return (each.n_treated > 0) & reached
