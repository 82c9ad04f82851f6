"""The thresholds of the four criteria, compared exactly by cross-multiplication."""

from .history import Lesion
from .settings import FIFTEEN_MM, FIVE_MM, TEN_MM, Settings

AREAS = ("WHO", "EASL")


def grows(criterion: str, value, nadir, settings: Settings) -> bool:
    """Tell whether a value is progression over its nadir.

    WHO and EASL: more than 25 % above the maximum response (Riaz 2011); after zero any value is growth.
    RECIST 1.1: at least 20 % and at least 5 mm (Eisenhauer 2009). mRECIST: at least 20 %; its table
    names no least growth (Radiol Oncol 2018, Table 4).
    """
    if criterion in AREAS:
        if criterion == "WHO" and settings.who_pd_at_least:
            return value > 0 and 4 * value >= 5 * nadir
        return 4 * value > 5 * nadir
    least = FIVE_MM if criterion == "RECIST 1.1" else 0
    return value > nadir and 5 * value >= 6 * nadir and value - nadir >= least


def shrinks(criterion: str, value, baseline) -> bool:
    """Tell whether a value is a partial response: -50 % of a product, -30 % of a sum of diameters."""
    return 2 * value <= baseline if criterion in AREAS else 10 * value <= 7 * baseline


def gone(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a lesion is in complete response.

    RECIST 1.1: a node below 10 mm short axis is normal. mRECIST asks that nothing enhances in any target.
    """
    if criterion == "RECIST 1.1" and lesion.organ == "node":
        return value < TEN_MM
    return value == 0


def returned(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a value after complete response is a return; a node obeys the growth rule instead."""
    if criterion == "RECIST 1.1" and lesion.organ == "node":
        return False
    return value > 0


def measurable(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a baseline is measurable: 10 mm, for RECIST 1.1 15 mm for a node; products have no minimum."""
    if criterion in AREAS:
        return True
    node = criterion == "RECIST 1.1" and lesion.organ == "node"
    return value >= (FIFTEEN_MM if node else TEN_MM)
