"""Chemotherapy and radiotherapy that overlap the first treatment.

A course overlaps when any of its days lies in the window around T0. A date known to the month or
year only overlaps for certain, is clear for certain, or leaves the answer open. Somatostatin
analogues are allowed: octreotide was not stopped for treatment.

Source: Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894, exclusion criteria.
"""

from functools import reduce

import ibis
import ibis.expr.types as ir

from schemas.codes import UNREADABLE
from schemas.contract import unreadable
from schemas.records.eligibility import NOT_TREATED, SOMATOSTATIN_ANALOGUES
from schemas.settings import EligibilitySettings
from transforms.joins import looked_up

EXCLUDED = ("chemotherapy", "radiotherapy")
EARLIER_BY = {"month": 14, "year": 181}
LATER_BY = {"month": 16, "year": 183}
"""How far the true day can lie from the imputed one: the 15th of a month, 1 July of a year."""


def concurrent_therapy(
    everyone: ir.Table,
    prior_therapies: ir.Table,
    medications: ir.Table,
    subsequent_therapies: ir.Table,
    settings: EligibilitySettings,
) -> ir.Table:
    """Say of each patient whether the window around T0 is clear.

    Args:
        everyone: subject_id, site_id and t0_date (null when not treated) of each patient.
        prior_therapies: courses begun before T0.
        medications: drugs; those given as concurrent treatment count.
        subsequent_therapies: courses begun after T0; they end on an unknown day.
        settings: the width of the window.

    Returns:
        subject_id, passes (null when open), named (what overlaps or may), why (it is open).
    """
    courses = _courses(prior_therapies, medications, subsequent_therapies)
    placed = courses.inner_join(everyone.select("subject_id", "t0_date"), "subject_id")
    placed = placed.filter(placed.t0_date.notnull())
    overlap = _overlaps(placed, settings)
    answered = placed.mutate(overlap=overlap)
    summed = answered.group_by("subject_id").agg(
        n_overlaps=answered.overlap.fill_null(False).sum(),
        n_open=answered.overlap.isnull().sum(),
        n_unread=(answered.overlap.isnull() & answered.unread).sum(),
        overlapping=answered.named.min(where=answered.overlap),
        possible=answered.named.min(where=answered.overlap.isnull()),
    )
    known = looked_up(everyone, summed, "subject_id")
    delivering = _delivering(prior_therapies, medications)
    known = looked_up(known, delivering, "site_id")
    return known.select(
        "subject_id",
        passes=ibis.cases(
            (known.t0_date.isnull(), ibis.null("boolean")),
            (known.n_overlaps > 0, False),
            (known.n_open > 0, ibis.null("boolean")),
            (known.delivers.isnull(), ibis.null("boolean")),
            else_=True,
        ),
        named=ibis.coalesce(known.overlapping, known.possible),
        why=ibis.cases(
            (known.t0_date.isnull(), NOT_TREATED),
            (known.n_unread > 0, UNREADABLE),
            (known.n_open > 0, "dates missing or not exact"),
            else_="therapies not delivered",
        ),
    )


def _courses(prior: ir.Table, drugs: ir.Table, subsequent: ir.Table) -> ir.Table:
    allowed = reduce(
        lambda a, b: a | b, (drugs.drug.lower().contains(d) for d in SOMATOSTATIN_ANALOGUES)
    )
    perhaps = unreadable(drugs, "purpose")
    concurrent = drugs.filter(((drugs.purpose == "concurrent") | perhaps) & ~allowed)
    after = subsequent.filter(subsequent.therapy_class.isin(EXCLUDED))
    before = prior.filter(prior.therapy_class.isin(EXCLUDED))
    day = ibis.null("date")
    none = ibis.null("string")
    dates = ["start_date", "start_date_precision", "stop_date", "stop_date_precision"]
    named = [
        before.select(
            "subject_id", *dates, *_marks(before), named=before.therapy_class, declared=False
        ),
        concurrent.select(
            "subject_id",
            *dates,
            *_marks(concurrent),
            named=concurrent.drug,
            declared=~unreadable(concurrent, "purpose"),
        ),
        after.select(
            "subject_id",
            "start_date",
            "start_date_precision",
            stop_date=day,
            stop_date_precision=none,
            start_unread=ibis.literal(False),
            stop_unread=ibis.literal(False),
            unread=ibis.literal(False),
            named=after.therapy_class,
            declared=True,
        ),
    ]
    return reduce(lambda one, other: one.union(other), named)


def _marks(courses: ir.Table) -> list[ir.BooleanValue]:
    """Which dates, and whether anything that decides, cannot be read."""
    start, stop = (unreadable(courses, f"{end}_date") for end in ("start", "stop"))
    unread = start | stop
    if "purpose" in courses.columns:
        unread |= unreadable(courses, "purpose")
    return [start.name("start_unread"), stop.name("stop_unread"), unread.name("unread")]


def _overlaps(courses: ir.Table, settings: EligibilitySettings) -> ir.BooleanValue:
    """Three-valued: a missing end leaves the answer open, unless the source declares the overlap.

    A drug given as concurrent treatment, and a therapy that began after T0, run on where no end is
    recorded. A drug whose purpose cannot be read was perhaps such a treatment.
    """
    first, last = -settings.concurrent_before_days, settings.concurrent_after_days
    begins = _not_after(courses.start_date, courses.start_date_precision, courses.t0_date, last)
    ends = _not_before(courses.stop_date, courses.stop_date_precision, courses.t0_date, first)
    overlap = begins.fill_null(_declared(courses, "start")) & ends.fill_null(
        _declared(courses, "stop")
    )
    return (courses.unread & overlap.fill_null(True)).ifelse(ibis.null("boolean"), overlap)


def _declared(courses: ir.Table, end: str) -> ir.BooleanValue:
    blank = courses[f"{end}_date"].isnull() & ~courses[f"{end}_unread"]
    return ibis.ifelse(courses.declared & blank, True, ibis.null("boolean"))


def _not_after(
    date: ir.DateValue, precision: ir.StringValue, t0: ir.DateValue, last: int
) -> ir.BooleanValue:
    day = date.delta(t0, unit="day")
    return ibis.cases(
        (day + _slack(precision, LATER_BY) <= last, True),
        (day - _slack(precision, EARLIER_BY) > last, False),
        else_=ibis.null("boolean"),
    )


def _not_before(
    date: ir.DateValue, precision: ir.StringValue, t0: ir.DateValue, first: int
) -> ir.BooleanValue:
    day = date.delta(t0, unit="day")
    return ibis.cases(
        (day - _slack(precision, EARLIER_BY) >= first, True),
        (day + _slack(precision, LATER_BY) < first, False),
        else_=ibis.null("boolean"),
    )


def _slack(precision: ir.StringValue, days: dict[str, int]) -> ir.IntegerValue:
    return ibis.cases(*((precision == name, n) for name, n in days.items()), else_=0)


def _delivering(prior: ir.Table, drugs: ir.Table) -> ir.Table:
    sites = prior.select("site_id").union(drugs.select("site_id"), distinct=True)
    return sites.mutate(delivers=ibis.literal(True))
