"""The quantity that each criterion takes from one measurement: one number, or none.

Lengths are kept as delivered, in whole thousandths of a millimetre. A lesion that is absent is
0 mm; one that is seen but too small to measure counts as 5 mm, unless it was really measured.
The longer of two diameters is the longest, whichever way they were entered. One diameter of zero
beside one that is not is a contradiction, and no measurement.

Source: EORTC, RECIST questions and clarifications (5 mm); Riaz et al. 2011, J Hepatol 54:695,
Table 1 (enhancing tissue, arterial phase); PMC2755245 Table 3 (short axis of nodes).
"""

import ibis
import ibis.expr.types as ir

from schemas.contract import Table, any_unreadable, conform, unreadable
from schemas.records.criteria import (
    PER_THOUSANDTH_MM,
    RECORDS,
    THOUSANDTHS,
    TOO_SMALL_MM,
    Criterion,
    Measure,
)
from schemas.settings import ResponseSettings
from schemas.tables.intermediate import Anchors, LesionQuantities, SubjectLesions
from schemas.tables.registry import Measurements, Scans
from transforms.lesions.fragments import as_one
from transforms.response.long import EASL_FINER, easl_finer


def lesion_quantities(
    measurements: Table[Measurements],
    scans: Table[Scans],
    subject_lesions: Table[SubjectLesions],
    anchors: Table[Anchors],
    *,
    settings: ResponseSettings,
) -> Table[LesionQuantities]:
    """Turn each measurement into the quantity of every criterion.

    A cell that could not be read gives none to the criteria that it decides: its blank would mean
    a lesion of the liver that counts, an evaluable scan, or one diameter instead of two.
    """
    lesions = _lesions(subject_lesions, anchors)
    sized = _sizes(_readings(measurements, scans, lesions))
    if settings.easl_quantity == "estimated":
        sized = sized.mutate(part_marked=sized.part_marked | sized.necrosis_marked)
    seen = sized.scan_evaluable & ~sized.lesion_marked
    measures: dict[Measure, ir.IntegerValue] = {
        "product": _product(sized.longer, sized.shorter),
        "enhancing_product": _enhancing_product(sized, settings),
        "diameter": _diameter(sized, sized.longer, sized.shorter),
        "enhancing_diameter": _enhancing_diameter(sized),
    }
    judged = sized.mutate(
        **{c.name: _where(_evaluable(sized, seen, c), measures[c.measure]) for c in RECORDS},
        unreadable=sized.scan_marked
        | sized.lesion_marked
        | sized.target_marked
        | sized.size_marked
        | sized.part_marked,
    )
    whole = as_one(judged.select(*_LESION, "split_from", *_OF_READING))
    return conform(whole.inner_join(lesions, _LESION), LesionQuantities)


_LESION = ("subject_id", "lesion_number")
_OF_READING = (
    "reader",
    "modality",
    "rel_day",
    "status",
    "arterial_phase",
    "scan_evaluable",
    "unreadable",
    *(c.name for c in RECORDS),
    "row_id",
)


def _evaluable(sized: ir.Table, seen: ir.BooleanValue, criterion: Criterion) -> ir.BooleanValue:
    """The scan and the cells that the criterion rests on can be read."""
    if criterion.arterial_phase:
        seen = seen & ~sized.part_marked & sized.arterial_phase.fill_null(False)
    return seen & ~sized.target_marked if criterion.lesions == "recist_target" else seen


def _lesions(subject_lesions: ir.Table, anchors: ir.Table) -> ir.Table:
    known = subject_lesions.inner_join(anchors, "subject_id")
    return known.select(
        "subject_id",
        "lesion_id",
        "lesion_number",
        "t0_date",
        "lobe",
        "index_lesion",
        "recist_target",
        "merged_into",
        "split_from",
        lobe_day=known.lobe_date.delta(known.t0_date, unit="day").fill_null(0),
        node=(known.organ == "node").fill_null(False),
        liver=(known.organ == "liver").fill_null(True),
        lesion_marked=any_unreadable(
            known, "organ", "lobe", "index_lesion", "merged_into", "split_from"
        ),
        target_marked=unreadable(known, "recist_target"),
    )


def _readings(measurements: ir.Table, scans: ir.Table, lesions: ir.Table) -> ir.Table:
    scan = ["subject_id", "scan_date", "modality", "reader"]
    scanned = scans.select(
        *scan,
        "arterial_phase",
        scan_evaluable="evaluable",
        scan_marked=unreadable(scans, "evaluable"),
    )
    joined = measurements.inner_join(lesions, ["subject_id", "lesion_id"]).left_join(scanned, scan)
    sized = joined.status.isin(["measured", "too_small"])
    marked = joined.scan_marked.fill_null(False)
    return joined.mutate(
        rel_day=joined.scan_date.delta(joined.t0_date, unit="day"),
        scan_evaluable=joined.scan_evaluable.fill_null(True) & ~marked,
        scan_marked=marked,
        size_marked=sized & any_unreadable(joined, "longest_mm", "perpendicular_mm"),
        part_marked=sized
        & any_unreadable(joined, "enhancing_longest_mm", "enhancing_perpendicular_mm"),
        necrosis_marked=sized & unreadable(joined, "necrosis_pct"),
    )


def _sizes(readings: ir.Table) -> ir.Table:
    """Order the diameters, after absent and too small lesions were given theirs."""
    too_small = readings.status == "too_small"
    longest = _thousandths(readings.longest_mm)
    perpendicular = _thousandths(readings.perpendicular_mm)
    assumed = ibis.literal(TOO_SMALL_MM * THOUSANDTHS, "int64")
    small_longest = longest.nullif(0).fill_null(assumed)
    small_perpendicular = perpendicular.nullif(0).fill_null(ibis.least(small_longest, assumed))
    first = _by_status(readings, longest, too_small.ifelse(small_longest, None))
    second = _by_status(readings, perpendicular, too_small.ifelse(small_perpendicular, None))
    enhancing_first = _thousandths(readings.enhancing_longest_mm)
    enhancing_second = _thousandths(readings.enhancing_perpendicular_mm)
    return readings.mutate(
        longer=_where(~readings.size_marked, _longer(first, second)),
        shorter=_where(~readings.size_marked, _shorter(first, second)),
        enhancing_longer=_by_status(readings, _longer(enhancing_first, enhancing_second)),
        enhancing_shorter=_by_status(readings, _shorter(enhancing_first, enhancing_second)),
    )


def _by_status(
    readings: ir.Table, measured: ir.IntegerValue, too_small: ir.IntegerValue | None = None
) -> ir.IntegerValue:
    """The size that the status stands for; nothing where the lesion was not seen or not judged."""
    return ibis.cases(
        (readings.status == "absent", ibis.literal(0, "int64")),
        (readings.status == "too_small", measured if too_small is None else too_small),
        (readings.status == "measured", measured),
        else_=ibis.null("int64"),
    )


def _thousandths(length_mm: ir.DecimalValue) -> ir.IntegerValue:
    return (length_mm * THOUSANDTHS).round().cast("int64")


def _longer(first: ir.IntegerValue, second: ir.IntegerValue) -> ir.IntegerValue:
    return ibis.cases(
        (first.isnull(), ibis.null("int64")),
        (second.isnull(), first),
        else_=ibis.greatest(first, second),
    )


def _shorter(first: ir.IntegerValue, second: ir.IntegerValue) -> ir.IntegerValue:
    """The short axis; nothing where it contradicts the long one."""
    return ibis.cases(
        (first.isnull() | second.isnull(), ibis.null("int64")),
        ((first == 0) != (second == 0), ibis.null("int64")),
        else_=ibis.least(first, second),
    )


def _product(longer: ir.IntegerValue, shorter: ir.IntegerValue) -> ir.IntegerValue:
    """Cross-product in millionths of mm2; without extent there is none, whatever the other side."""
    return (longer == 0).ifelse(ibis.literal(0, "int64"), longer * shorter)


def _diameter(
    sized: ir.Table, longer: ir.IntegerValue, shorter: ir.IntegerValue
) -> ir.IntegerValue:
    """Longest diameter, short axis for a node, in millionths of mm."""
    return sized.node.ifelse(shorter, longer) * PER_THOUSANDTH_MM


def _enhancing_product(sized: ir.Table, settings: ResponseSettings) -> ir.IntegerValue:
    """Enhancing tissue: as measured, as estimated, or all of a lesion too small.

    Where it may be estimated it is kept in ten-thousandths of a millionth of mm2, so that a viable
    share in hundredths of a percent needs no rounding: from 20 % necrosis to none, of the same
    size, is growth by exactly a quarter.
    """
    finer = easl_finer(settings)
    measured = _product(sized.enhancing_longer, sized.enhancing_shorter) * finer
    whole = _product(sized.longer, sized.shorter)
    too_small = (sized.status == "too_small").ifelse(whole * finer, None)
    if settings.easl_quantity == "measured":
        return ibis.coalesce(measured, too_small)
    viable = EASL_FINER - (sized.necrosis_pct * 100).round().cast("int64")
    return ibis.coalesce(measured, whole * viable, too_small)


def _enhancing_diameter(sized: ir.Table) -> ir.IntegerValue:
    measured = _diameter(sized, sized.enhancing_longer, sized.enhancing_shorter)
    whole = _diameter(sized, sized.longer, sized.shorter)
    return ibis.coalesce(measured, (sized.status == "too_small").ifelse(whole, None))


def _where(evaluable: ir.BooleanValue, quantity: ir.IntegerValue) -> ir.IntegerValue:
    return evaluable.ifelse(quantity, ibis.null("int64"))
