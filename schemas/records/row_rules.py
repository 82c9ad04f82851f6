"""The rules that need more than one column of a row.

A rule that rejects names what would give a wrong number: dates in the wrong order, a missing
exponent. A rule that warns names what may be true and is mostly a slip. A null never breaks one.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from schemas.contract import DECIMAL, EXACT_DAYS, RowRule, unreadable
from schemas.records.analytes import COUNTS, LAB_UNITS, WINDOWS
from schemas.records.units import DAYS_PER_UNIT


def in_order(rule_id: str, first: str, second: str) -> RowRule:
    """The second date must not lie before the first."""

    def breaks(t: ir.Table) -> ir.BooleanValue:
        return t[second] < t[first]

    return RowRule(
        rule_id,
        second,
        f"{second} lies before {first}",
        "Correct one of the two dates in the source.",
        breaks,
        category="conformance",
    )


def small_shunt(table: str) -> RowRule:
    """A lung shunt fraction that is positive but next to nothing."""

    def breaks(t: ir.Table) -> ir.BooleanValue:
        least = ibis.literal(Decimal("0.005"), type=DECIMAL)
        return (t.lung_shunt_fraction > 0) & (t.lung_shunt_fraction < least)

    return RowRule(
        f"{table}.small_shunt",
        "lung_shunt_fraction",
        "a lung shunt fraction below half a percent, probably a percentage divided twice",
        "Check the value, and `unit` in the site file; the row is loaded.",
        breaks,
        severity="warn",
    )


def _not_recorded(name: str, cost: str) -> RowRule:
    return RowRule(
        f"treatments.no_{name}",
        name,
        f"the {name} of a treatment is not known",
        f"Record it at the source; the session counts for the first treatment, {cost}.",
        lambda t: (t[name] == "unknown").fill_null(False) & ~unreadable(t, name),
        category="completeness",
        severity="warn",
    )


def outside_window(t: ir.Table) -> ir.BooleanValue:
    """Whether a result lies outside its window, exactly and in the unit delivered.

    A unit that we do not know is another rule's matter.

    One branch per analyte and one per unit inside it: each row is compared with few of them.
    """
    return _by_analyte(
        t,
        {
            analyte: ibis.cases(
                *((t.unit == unit, _outside(t, analyte, by)) for unit, by in units.items()),
                else_=False,
            )
            for analyte, units in LAB_UNITS.items()
        },
    )


def _outside(t: ir.Table, analyte: str, factor: Fraction) -> ir.BooleanValue:
    low, high = (limit / factor for limit in WINDOWS[analyte])
    return (t.value < _millionths(low // Fraction(1, 10**6))) | (
        t.value > _millionths(-(-high // Fraction(1, 10**6)))
    )


def _millionths(number: int) -> ir.DecimalScalar:
    """A limit as the decimal beside it on the outer side: what lies on the limit is inside."""
    return ibis.literal(Decimal(number).scaleb(-6), type=DECIMAL)


def _by_analyte(t: ir.Table, rules: Mapping[str, ir.BooleanValue]) -> ir.BooleanValue:
    return ibis.cases(*((t.analyte == a, rule) for a, rule in rules.items()), else_=False)


LABS = (
    RowRule(
        "labs.magnitude",
        "value",
        "the result is unusual for this analyte in this unit: perhaps a missing exponent, a "
        "percentage, or another unit",
        "Check value and unit at the source, or `unit` in the site file; the row is loaded.",
        outside_window,
        severity="warn",
    ),
    RowRule(
        "labs.percent_for_count",
        "unit",
        "a count of cells as a percentage; it is never graded",
        "Deliver the absolute count; the row is loaded.",
        lambda t: t.analyte.isin(COUNTS) & (t.unit == "%"),
        severity="warn",
    ),
    RowRule(
        "labs.limits_in_order",
        "upper_limit",
        "the upper limit of normal lies below the lower one",
        "Correct the limits at the source.",
        lambda t: t.upper_limit < t.lower_limit,
        category="conformance",
    ),
)


def _octreotide_in_mg(t: ir.Table) -> ir.BooleanValue:
    milligrams = (t.dose_unit == "mg") & (t.dose > 1)
    micrograms = t.dose_unit.isin(["ug", "mcg"]) & (t.dose > 1000)
    route = t.route.lower().isin(["sc", "s.c.", "subcutaneous"])
    return (t.drug.lower().contains("octreotide")) & route & (milligrams | micrograms)


MEDICATIONS = (
    in_order("medications.dates_in_order", "start_date", "stop_date"),
    RowRule(
        "medications.octreotide_unit",
        "dose_unit",
        "more than 1 mg of subcutaneous octreotide in one dose, probably micrograms",
        "Correct the unit in the source (prophylactic doses are 100 to 200 ug).",
        _octreotide_in_mg,
    ),
)

PATIENTS = (
    RowRule(
        "patients.diagnosis_before_birth",
        "diagnosis_date",
        "the diagnosis lies before the year of birth",
        "Correct one of the two in the source.",
        lambda t: t.diagnosis_date.year() < t.birth_year,
    ),
)


def _swapped(longest: str, perpendicular: str) -> RowRule:
    return RowRule(
        f"measurements.{perpendicular.removesuffix('_mm')}_longer",
        perpendicular,
        f"{perpendicular} is greater than {longest}: the two were probably swapped",
        "Correct the two diameters at the source; the row is loaded.",
        lambda t: t[perpendicular] > t[longest],
        severity="warn",
    )


TREATMENTS = (
    small_shunt("treatments"),
    _not_recorded("device", "its dose is not derivable"),
    _not_recorded("lobe", "which lesions it treated is not known"),
    RowRule(
        "treatments.tumour_below_normal",
        "tumour_dose_gy",
        "the tumour's dose lies below that of normal liver, though its uptake is greater",
        "Check both doses and `tumour_to_normal_ratio` at the source; the row is loaded.",
        lambda t: (t.tumour_dose_gy < t.normal_liver_dose_gy) & (t.tumour_to_normal_ratio > 1),
        severity="warn",
    ),
    RowRule(
        "treatments.tumour_larger_than_target",
        "tumour_volume_ml",
        "the tumour in the target is larger than the target",
        "Correct one of the two volumes at the source; the row is loaded, and its doses are not "
        "parted.",
        lambda t: t.tumour_volume_ml > t.target_volume_ml,
        severity="warn",
    ),
    RowRule(
        "treatments.larger_than_liver",
        "liver_volume_ml",
        "the target, or normal liver, is larger than the whole liver",
        "Correct the volumes at the source; the row is loaded.",
        lambda t: (
            ibis.greatest(t.target_volume_ml.fill_null(0), t.normal_liver_volume_ml.fill_null(0))
            > t.liver_volume_ml
        ),
        severity="warn",
    ),
)

MEASUREMENTS = (
    _swapped("longest_mm", "perpendicular_mm"),
    _swapped("enhancing_longest_mm", "enhancing_perpendicular_mm"),
    RowRule(
        "measurements.measured_without_size",
        "longest_mm",
        "the lesion is said to be measured, but no longest diameter is given",
        "Give the diameter, or another status; the row is loaded, and is not evaluable.",
        lambda t: (t.status == "measured") & t.longest_mm.isnull() & ~unreadable(t, "longest_mm"),
        category="completeness",
        severity="warn",
    ),
    RowRule(
        "measurements.size_of_absent",
        "longest_mm",
        "the lesion is said to be absent, but has a diameter",
        "Correct status or diameter at the source; the row is loaded.",
        lambda t: (t.status == "absent") & (t.longest_mm > 0),
        severity="warn",
    ),
    RowRule(
        "measurements.enhancing_longer",
        "enhancing_longest_mm",
        "the enhancing part is longer than the lesion",
        "Correct the two diameters at the source; the row is loaded.",
        lambda t: t.enhancing_longest_mm > t.longest_mm,
        severity="warn",
    ),
)

CONTACTS = (
    RowRule(
        "contacts.status_of_a_death",
        "vital_status",
        "a contact of type death must say dead, and only that one",
        "Correct contact_type or vital_status in the source.",
        lambda t: (t.contact_type == "death") != (t.vital_status == "dead"),
        category="conformance",
    ),
)


def in_days(time: ir.DecimalValue, unit: ir.StringValue) -> ir.DecimalValue:
    """A time in its unit as days, with every decimal."""
    per_unit = [
        (unit == name, ibis.literal(days, type="decimal(7, 4)"))
        for name, days in DAYS_PER_UNIT.items()
    ]
    # Of two decimals of at most 18 digits DuckDB keeps a product of 18, and overflows.
    return time.cast("decimal(24, 12)") * ibis.cases(*per_unit)


REPORTED_ENDPOINTS = (
    RowRule(
        "reported_endpoints.too_fine",
        "time",
        "the time has more decimals than are kept exactly: 8 of days, 4 of months, 6 of years",
        "Deliver the time with fewer decimals, or in days; the row is loaded, rounded to a "
        "hundred-millionth of a day.",
        lambda t: in_days(t.time, t.time_unit) != in_days(t.time, t.time_unit).cast(EXACT_DAYS),
        category="conformance",
        severity="warn",
    ),
)

RECORDED_RESPONSES = (
    RowRule(
        "recorded_responses.liver_progressed",
        "response_class",
        "the liver is progressive and the patient is not",
        "Correct one of the two classes in the source; the row is loaded.",
        lambda t: (t.liver_class == "PD") & (t.response_class != "PD"),
        severity="warn",
    ),
)
