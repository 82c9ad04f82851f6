"""The quantity that each criterion measures, computed from one reading."""

from fractions import Fraction

from .history import Lesion, Measurement, Scan
from .settings import FIVE_MM


def reading_value(criterion: str, lesion: Lesion, row: Measurement, scan: Scan | None):
    """Return (value, None), or (None, reason) where the reading cannot be judged."""
    if row.status in ("not_evaluable", "not_imaged"):
        return None, row.status
    if scan is not None and scan.evaluable is False:
        return None, "scan_not_evaluable"
    if criterion in ("EASL", "mRECIST") and scan is not None and scan.arterial_phase is False:
        return None, "no_arterial_phase"
    if row.status == "absent":
        return 0, None
    return _QUANTITY[criterion](lesion, row)


def diameters(row: Measurement):
    """Return longest and perpendicular, exchanged where they were entered the wrong way round."""
    longest, across = row.longest, row.perpendicular
    if row.status == "too_small":
        longest = FIVE_MM if longest is None else longest
        across = min(FIVE_MM, longest) if across is None else across
    return _ordered(longest, across)


def enhancing_diameters(row: Measurement):
    """Return the diameters of the enhancing tissue; a lesion too small to measure enhances by default."""
    longest, across = row.enhancing_longest, row.enhancing_perpendicular
    if row.status == "too_small" and longest is None and row.necrosis_pct is None:
        longest, across = diameters(row)
    return _ordered(longest, across)


def _ordered(longest, across):
    """Return the larger length first when both are present."""
    if longest is not None and across is not None and across > longest:
        return across, longest
    return longest, across


def _product(lesion: Lesion, row: Measurement):
    """Return longest times perpendicular (Miller 1981)."""
    longest, across = diameters(row)
    if longest is None or across is None:
        return None, "no_perpendicular" if longest is not None else "no_diameter"
    return longest * across, None


def _enhancing_product(lesion: Lesion, row: Measurement):
    """Return the enhancing product, measured or estimated from necrosis (Riaz 2011; Bruix 2001)."""
    longest, across = enhancing_diameters(row)
    if longest == 0 or across == 0:
        return 0, None
    if longest is not None and across is not None:
        return longest * across, None
    product, _ = _product(lesion, row)
    if row.necrosis_pct is None or product is None:
        return None, "no_enhancement_reading"
    return product * (1 - Fraction(row.necrosis_pct) / 100), None


def _diameter(lesion: Lesion, row: Measurement):
    """Return the longest diameter, or the short axis of a node (Eisenhauer 2009)."""
    longest, across = diameters(row)
    return _node_or_not(lesion, longest, across, "no_short_axis")


def _enhancing_diameter(lesion: Lesion, row: Measurement):
    """Return the longest diameter of the enhancing tissue (Lencioni 2010)."""
    longest, across = enhancing_diameters(row)
    if longest == 0:
        return 0, None
    return _node_or_not(lesion, longest, across, "no_enhancement_reading")


def _node_or_not(lesion, longest, across, missing):
    """Return the axis that the lesion's organ asks for."""
    value = across if lesion.organ == "node" else longest
    if value is None:
        return (
            None,
            missing if lesion.organ == "node" or missing != "no_short_axis" else "no_diameter",
        )
    return value, None


_QUANTITY = {
    "WHO": _product,
    "EASL": _enhancing_product,
    "RECIST 1.1": _diameter,
    "mRECIST": _enhancing_diameter,
}
