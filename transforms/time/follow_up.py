"""Adherence to the review schedule: 4 weeks after treatment, then every 2 to 3 months.

A review is a day of imaging with laboratory results and a clinical contact (a visit or an
assessment, not a telephone call), all three within two weeks of each other; it has the day of its
imaging, and imaging days that follow each other within two weeks are one review. Checks before
the first window opens are not reviews. Nothing is expected of a patient after death, progression,
new therapy or the last contact, so a patient followed for 20 days has missed nothing. A second
session of the same course does not restart the clock.

Source: Kanani on Memon 2012 (the schedule). The windows are this registry's choice: a first review
from day 14 to 56, gaps of 61 to 91 days with 15 days either way.
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, conform
from schemas.settings import FollowUpSettings
from schemas.tables.intermediate import Anchors, Extractions, Milestones
from schemas.tables.marts import FollowUpAdherence
from schemas.tables.registry import Assessments, Contacts, Labs, Measurements, Scans
from transforms.joins import looked_up


def follow_up_adherence(
    scans: Table[Scans],
    measurements: Table[Measurements],
    labs: Table[Labs],
    assessments: Table[Assessments],
    contacts: Table[Contacts],
    anchors: Table[Anchors],
    milestones: Table[Milestones],
    extractions: Table[Extractions],
    *,
    settings: FollowUpSettings,
) -> Table[FollowUpAdherence]:
    """Compare each patient's reviews with the schedule, as long as the patient is followed."""
    followed = _followed(anchors, milestones, extractions)
    imaging = _imaging_days(scans, measurements, followed)
    drawn = _days(labs, "lab_date", followed)
    seen = _contact_days(assessments, contacts, followed)
    reviews = _reviews(imaging, drawn, seen, settings)
    joined = followed
    for part in (
        _reviews_per_subject(reviews, settings),
        imaging.group_by("subject_id").agg(
            n_imaging=imaging.count(), n_imaging_measured=imaging.measured.cast("int64").sum()
        ),
        drawn.group_by("subject_id").agg(n_labs=drawn.count()),
        seen.group_by("subject_id").agg(n_contacts=seen.count()),
    ):
        joined = looked_up(joined, part, "subject_id")
    visits = contacts.filter(contacts.contact_type == "visit")
    delivered = _with_deliveries(joined, scans, measurements, labs, assessments, visits)
    return conform(_against_schedule(_counted(delivered), settings), FollowUpAdherence)


def expected_reviews(fu_days: ir.Value, settings: FollowUpSettings) -> ir.Value:
    """Reviews that follow-up of so many days calls for: none before the first is due.

    Args:
        fu_days: whole days of follow-up from T0.
        settings: day of the first review, and the interval: 91 days lenient, 61 strict.
    """
    later = ((fu_days - settings.first_target_day) / settings.interval_days).floor()
    return ibis.ifelse(fu_days < settings.first_target_day, 0, 1 + later.cast("int64"))


def _followed(anchors: ir.Table, milestones: ir.Table, extractions: ir.Table) -> ir.Table:
    """How long each patient is followed, and whether something has ended it."""
    ends = milestones.select(
        "subject_id",
        "death_day",
        "progression_day",
        "new_therapy_day",
        "last_alive_day",
        "undated_death",
    )
    joined = (
        anchors.left_join(ends, "subject_id")
        .drop("subject_id_right")
        .left_join(extractions, "site_id")
        .drop("site_id_right")
    )
    ended = ibis.least(joined.death_day, joined.progression_day, joined.new_therapy_day)
    days = ibis.coalesce(ibis.least(ended, joined.last_alive_day), 0)
    return joined.select(
        "subject_id",
        "site_id",
        "t0_date",
        fu_days=ibis.greatest(days, 0),
        closed=ended.notnull() | joined.undated_death.notnull(),
        extraction_day=joined.extraction_date.delta(joined.t0_date, unit="day"),
    )


def _days(table: ir.Table, dated_by: str, followed: ir.Table, **values: ir.Value) -> ir.Table:
    """Distinct days after T0 and within follow-up, each with its values taken together."""
    rows = table.select("subject_id", on_date=dated_by, **values)
    during = rows.inner_join(followed.select("subject_id", "t0_date", "fu_days"), "subject_id")
    counted = during.mutate(rel_day=during.on_date.delta(during.t0_date, unit="day"))
    kept = counted.filter((counted.rel_day >= 1) & (counted.rel_day <= counted.fu_days))
    return kept.group_by(["subject_id", "rel_day"]).agg(**{n: kept[n].max() for n in values})


def _imaging_days(scans: ir.Table, measurements: ir.Table, followed: ir.Table) -> ir.Table:
    measured = measurements.filter(measurements.status.isin(["measured", "too_small", "absent"]))
    lesions = _days(measured, "scan_date", followed).mutate(measured=True)
    joined = _days(scans, "scan_date", followed).left_join(lesions, ["subject_id", "rel_day"])
    return joined.select("subject_id", "rel_day", measured=joined.measured.fill_null(False))


def _contact_days(assessments: ir.Table, contacts: ir.Table, followed: ir.Table) -> ir.Table:
    visits = contacts.filter(contacts.contact_type == "visit")
    return _days(assessments, "assessment_date", followed).union(
        _days(visits, "contact_date", followed), distinct=True
    )


def _reviews(
    imaging: ir.Table, drawn: ir.Table, seen: ir.Table, settings: FollowUpSettings
) -> ir.Table:
    """First imaging day of each review, and the days since the review before."""
    within = settings.review_group_days
    draws = drawn.select("subject_id", lab_day="rel_day")
    visits = seen.select("subject_id", contact_day="rel_day")
    with_labs = imaging.select("subject_id", "rel_day").inner_join(draws, "subject_id")
    near = with_labs.filter((with_labs.rel_day - with_labs.lab_day).abs() <= within)
    all_three = near.inner_join(visits, "subject_id")
    complete = all_three.filter(
        ((all_three.rel_day - all_three.contact_day).abs() <= within)
        & ((all_three.lab_day - all_three.contact_day).abs() <= within)
        & (all_three.rel_day >= settings.first_from_day)
    )
    days = complete.select("subject_id", "rel_day").distinct()
    in_order = ibis.window(group_by="subject_id", order_by="rel_day")
    apart = days.mutate(since=days.rel_day - days.rel_day.lag().over(in_order))
    first = apart.filter(apart.since.isnull() | (apart.since > within))
    return first.mutate(gap_days=first.rel_day - first.rel_day.lag().over(in_order))


def _reviews_per_subject(reviews: ir.Table, settings: FollowUpSettings) -> ir.Table:
    on_time = reviews.gap_days.between(settings.gap_min_days, settings.gap_max_days)
    return reviews.group_by("subject_id").agg(
        first_review_day=reviews.rel_day.min(),
        last_review_day=reviews.rel_day.max(),
        n_observed=reviews.count(),
        n_gaps=reviews.gap_days.count(),
        n_gaps_on_time=on_time.cast("int64").sum(),
        n_gaps_long=(reviews.gap_days > settings.long_gap_days).cast("int64").sum(),
        median_gap_days=reviews.gap_days.quantile(0.5),
        max_gap_days=reviews.gap_days.max(),
    )


def _with_deliveries(joined: ir.Table, *tables: ir.Table) -> ir.Table:
    """Which tables each site delivers: a table that is missing says nothing, not that none came."""
    scans, measurements, labs, assessments, visits = tables
    seen = assessments.select("site_id").union(visits.select("site_id"))
    known = joined
    for name, table in (
        ("has_imaging", scans),
        ("has_measurements", measurements),
        ("has_labs", labs),
        ("has_contacts", seen),
    ):
        sites = table.select("site_id").distinct().mutate(**{name: True})
        known = looked_up(known, sites, "site_id")
        known = known.mutate(**{name: known[name].fill_null(False)})
    return known


def _counted(known: ir.Table) -> ir.Table:
    """Counts that are zero where a table is delivered, and unknown where it is not."""
    reason = ibis.cases(
        (~known.has_imaging, "no imaging is delivered"),
        (~known.has_labs, "no laboratory results are delivered"),
        (~known.has_contacts, "no visits or assessments are delivered"),
    )
    derivable = reason.isnull()
    delivered = {
        "n_observed": derivable,
        "n_gaps": derivable,
        "n_gaps_on_time": derivable,
        "n_gaps_long": derivable,
        "n_imaging": known.has_imaging,
        "n_imaging_measured": known.has_imaging & known.has_measurements,
        "n_labs": known.has_labs,
        "n_contacts": known.has_contacts,
    }
    counts = {n: ibis.ifelse(there, known[n].fill_null(0), None) for n, there in delivered.items()}
    return known.mutate(reason=reason, **counts)


def _against_schedule(counted: ir.Table, settings: FollowUpSettings) -> ir.Table:
    """Expected against observed; the first review is late only once its window has closed."""
    due = counted.mutate(n_expected=expected_reviews(counted.fu_days, settings))
    share = due.n_observed.cast("float64") / due.n_expected.nullif(0)
    unknown = due.reason.notnull()
    return due.mutate(
        adherence=ibis.ifelse(share > 1, 1.0, share),
        first_visit_on_time=ibis.cases(
            (unknown, None),
            (due.first_review_day <= settings.first_to_day, True),
            (due.fu_days < settings.first_to_day, None),
            else_=False,
        ),
        overdue=_overdue(due, settings),
    )


def _overdue(counted: ir.Table, settings: FollowUpSettings) -> ir.Value:
    """Still to be followed, and the latest day of the next review lies before the extraction."""
    latest = ibis.coalesce(counted.last_review_day + settings.gap_max_days, settings.first_to_day)
    return ibis.cases(
        (counted.reason.notnull() | counted.extraction_day.isnull(), None),
        (counted.closed, False),
        else_=counted.extraction_day > latest,
    )
