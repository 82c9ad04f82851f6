"""The level of each factor that is settled only after T0, and the day on which it was reached.

The planned course is over with its last session: then its sessions and lobes are known, and the
dose that it gave. Re-treatment and a later therapy come on a day of their own.

Source: this registry; that such a level must not be carried back to T0: Anderson, Cain and Gelber,
J Clin Oncol 1983;1:710-719.
"""

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform, unreadable
from schemas.records.factors import BY_CODE, Limit
from schemas.sections.prognosis import PrognosisSettings
from schemas.tables.intermediate import Anchors, Sessions
from schemas.tables.marts import CourseDoses, SettledFactors
from schemas.tables.registry import SubsequentTherapies
from transforms.baseline.factors import placed_level
from transforms.joins import looked_up


def settled_factors(
    anchors: Table[Anchors],
    sessions: Table[Sessions],
    course_doses: Table[CourseDoses],
    subsequent_therapies: Table[SubsequentTherapies],
    *,
    prognosis: PrognosisSettings,
) -> Table[SettledFactors]:
    """Place each treated subject at a level of what its course and its later days settled."""
    planned = _dated(sessions.filter(sessions.course == 1), anchors)
    parts = [
        _lobes(planned),
        _sessions(planned),
        _tumour_dose(course_doses, prognosis.tumour_dose_gy),
        _retreatment(_dated(sessions.filter(sessions.course > 1), anchors), anchors),
        _new_therapy(subsequent_therapies, anchors),
    ]
    return conform(ibis.union(*parts), SettledFactors)


def _dated(sessions: ir.Table, anchors: ir.Table) -> ir.Table:
    """Sessions by day from T0."""
    known = sessions.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    return known.mutate(day=known.session_date.delta(known.t0_date, unit="day"))


def _lobes(planned: ir.Table) -> ir.Table:
    """Both lobes from the day on which the second was treated; null where a lobe is not known."""
    by_lobe = planned.group_by("subject_id").agg(
        right=planned.day.min(where=planned.covers_right),
        left=planned.day.min(where=planned.covers_left),
        unknown=planned.covers_unknown.any(),
    )
    day = ibis.ifelse(
        by_lobe.right.notnull() & by_lobe.left.notnull(),
        ibis.greatest(by_lobe.right, by_lobe.left),
        None,
    )
    reached = by_lobe.filter(day.notnull() | ~by_lobe.unknown)
    return _row(reached, "lobes", ibis.ifelse(day.notnull(), "both", "one"), day)


def _sessions(planned: ir.Table) -> ir.Table:
    """How many days of treatment the course had; more than one from the second of them on."""
    days = planned.select("subject_id", "day").distinct()
    numbered = days.mutate(place=ibis.row_number().over(group_by="subject_id", order_by="day"))
    counted = numbered.group_by("subject_id").agg(
        n=numbered.count(), second=numbered.day.min(where=numbered.place == 1)
    )
    return _row(counted, "sessions", counted.n.cast("float64"), counted.second)


def _tumour_dose(course_doses: ir.Table, limit_gy: str) -> ir.Table:
    doses = course_doses.filter(course_doses.compartment == "tumour")
    dose = ibis.coalesce(doses.dose_gy_recorded, doses.dose_gy)
    given = doses.mutate(dose=dose).filter(dose.notnull())
    return _row(given, "tumour_dose", given.dose, None, Limit(limit_gy, ">="))


def _retreatment(later: ir.Table, anchors: ir.Table) -> ir.Table:
    first = later.group_by("subject_id").agg(first=later.day.min())
    known = looked_up(anchors.select("subject_id"), first, "subject_id")
    return _row(known, "retreatment", ibis.ifelse(known.first.notnull(), "yes", "no"), known.first)


def _new_therapy(subsequent_therapies: ir.Table, anchors: ir.Table) -> ir.Table:
    """The first therapy after T0, at sites that deliver any; one that cannot be read leaves open.

    A start that is known to the month, and in it lies before T0, is moved to T0.
    """
    given = subsequent_therapies.inner_join(anchors.select("subject_id", "t0_date"), "subject_id")
    exact = given.start_date_precision.fill_null("day") == "day"
    delta = given.start_date.delta(given.t0_date, unit="day")
    day = exact.ifelse(delta, ibis.greatest(delta, 0))
    dated = given.mutate(day=day, open=unreadable(given, "start_date"))
    first = dated.group_by("subject_id").agg(
        first=dated.day.min(where=dated.day >= 0), open=dated.open.any()
    )
    asked = anchors.semi_join(subsequent_therapies, "site_id").select("subject_id")
    known = looked_up(asked, first, "subject_id")
    certain = known.filter(~known.open.fill_null(False))
    yes = certain.first.notnull()
    return _row(certain, "new_therapy", ibis.ifelse(yes, "yes", "no"), certain.first)


def _row(
    found: ir.Table,
    code: str,
    value: ir.Value,
    day: ir.IntegerValue | None,
    limit: Limit | None = None,
) -> ir.Table:
    """The rows of a factor; a limit that the settings give takes the place of the record's."""
    record = BY_CODE[code]
    if limit:
        record = replace(record, limit=limit)
    level, number = placed_level(value, record)
    rows = found.select(
        "subject_id",
        factor=ibis.literal(code),
        factor_level=level,
        level_number=number,
        number=value if record.number else ibis.null("float64"),
        from_day=ibis.null("int64") if day is None else day,
    )
    return rows.mutate(
        level_number=rows.level_number.cast("int64"),
        number=rows.number.cast("float64"),
        from_day=rows.from_day.cast("int64"),
    )
