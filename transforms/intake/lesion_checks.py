"""Rules between what scans say of lesions and what is measured of them.

Each row that breaks one is told of and loaded: nothing says which of the two is wrong, and no size
is changed. A lesion with two sizes on one scan breaks the key of measurements, another rule.

Source: RECIST 1.1, Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.3.5 (a lesion that is
new only in another modality may have been there before) and appendix II (lesions that coalesce).
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

_PATIENT = ["site_id", "patient_id"]
_LESION = [*_PATIENT, "lesion_id", "reader"]
_SCAN = [*_PATIENT, "reader", "modality", "scan_date"]
THERE = ("measured", "too_small", "not_evaluable", "not_imaged")
"""What a row can say of a lesion that was there; absent says that it was not."""
GREW_MM = Decimal(10)
"""A lesion that took another in grows by half of its diameter, and by so much, in one scan."""


def denied(
    scans: ir.Table, measurements: ir.Table, lesions: ir.Table, treatments: ir.Table
) -> ir.Table:
    """Scans that say there is no new lesion, on which a lesion is measured for the first time."""
    late = _first_after_treatment(measurements, lesions, treatments)
    comparable = late.semi_join(_baselines(scans, treatments), [*_PATIENT, "reader", "modality"])
    return scans.filter(scans.new_lesion == "none").semi_join(comparable, _SCAN)


def first_in_another_modality(
    measurements: ir.Table, scans: ir.Table, lesions: ir.Table, treatments: ir.Table
) -> ir.Table:
    """First measurements after treatment in a modality in which there was no baseline scan."""
    late = _first_after_treatment(measurements, lesions, treatments)
    other = late.anti_join(_baselines(scans, treatments), [*_PATIENT, "reader", "modality"])
    return measurements.semi_join(other, [*_LESION, "modality", "scan_date"])


def perhaps_merged(measurements: ir.Table, lesions: ir.Table) -> ir.Table:
    """Lesions that turn absent on the scan on which one of the same lobe has grown by a leap."""
    lobes = lesions.filter(lesions.lobe.notnull()).select(
        *_PATIENT, "lesion_id", "lobe", "merged_into", "split_from"
    )
    read = measurements.inner_join(lobes, [*_PATIENT, "lesion_id"])
    series = ibis.window(group_by=_LESION, order_by=["scan_date", "modality"])
    before = read.mutate(before=read.status.lag().over(series))
    gone = before.filter(
        before.status == "absent", before.before == "measured", before.merged_into.isnull()
    )
    grown = _grown(read).anti_join(_named(lesions), [*_PATIENT, "lesion_id"])
    other = grown.select(*_SCAN, "lobe", other_lesion="lesion_id")
    pairs = gone.inner_join(other, [*_SCAN, "lobe"])
    apart = pairs.filter(pairs.lesion_id != pairs.other_lesion)
    return measurements.semi_join(apart, [*_LESION, "modality", "scan_date"])


def _first_after_treatment(
    measurements: ir.Table, lesions: ir.Table, treatments: ir.Table
) -> ir.Table:
    """The first measurement of each lesion of which nothing before says that it was there."""
    known = measurements.filter(measurements.status.isin(THERE))
    first = known.group_by(_LESION).agg(first_date=known.scan_date.min())
    started = treatments.group_by(_PATIENT).agg(t0=treatments.treatment_date.min())
    pairs = known.inner_join(first, _LESION).inner_join(started, _PATIENT)
    late = pairs.filter(
        pairs.scan_date == pairs.first_date, pairs.first_date > pairs.t0, pairs.status == "measured"
    )
    lesion = [*_PATIENT, "lesion_id"]
    present = lesions.filter(lesions.baseline_present).select(*lesion)
    return late.anti_join(present, lesion).anti_join(_named(lesions), lesion)


def _named(lesions: ir.Table) -> ir.Table:
    """Lesions that merged, that others merged into, and fragments: their sizes are explained."""
    lesion = [*_PATIENT, "lesion_id"]
    own = lesions.filter(lesions.merged_into.notnull() | lesions.split_from.notnull())
    into = lesions.filter(lesions.merged_into.notnull())
    return own.select(*lesion).union(into.select(*_PATIENT, lesion_id="merged_into"))


def _baselines(scans: ir.Table, treatments: ir.Table) -> ir.Table:
    """The modalities in which each reader has a scan up to the first treatment."""
    started = treatments.group_by(_PATIENT).agg(t0=treatments.treatment_date.min())
    pairs = scans.inner_join(started, _PATIENT)
    return pairs.filter(pairs.scan_date <= pairs.t0)


def _grown(read: ir.Table) -> ir.Table:
    """Measurements that are half as large again, and 10 mm larger, than the one before."""
    sized = read.filter(read.longest_mm.notnull())
    series = ibis.window(group_by=[*_LESION, "modality"], order_by="scan_date")
    pairs = sized.mutate(before_mm=sized.longest_mm.lag().over(series))
    half_more = pairs.longest_mm * 2 >= pairs.before_mm * 3
    return pairs.filter(half_more & (pairs.longest_mm - pairs.before_mm >= GREW_MM))
