"""The thresholds of the four criteria, compared exactly by cross-multiplication."""

from .history import Lesion
from .settings import FIFTEEN_MM, FIVE_MM, TEN_MM, Settings

AREAS = ("WHO", "EASL")


def grows(criterion: str, value, nadir, settings: Settings) -> bool:
    """Tell whether a value is progression over its nadir.

    WHO and EASL: more than 25 % above the maximum response (Riaz 2011); after zero any value is growth.
    RECIST 1.1 and mRECIST: at least 20 % and at least 5 mm (Eisenhauer 2009).
    """
    if criterion in AREAS:
        if criterion == "WHO" and settings.who_pd_at_least:
            return value > 0 and 4 * value >= 5 * nadir
        return 4 * value > 5 * nadir
    return 5 * value >= 6 * nadir and value - nadir >= FIVE_MM


def shrinks(criterion: str, value, baseline) -> bool:
    """Tell whether a value is a partial response: -50 % of a product, -30 % of a sum of diameters."""
    return 2 * value <= baseline if criterion in AREAS else 10 * value <= 7 * baseline


def gone(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a lesion is in complete response; a node below 10 mm short axis is normal."""
    if criterion not in AREAS and lesion.organ == "node":
        return value < TEN_MM
    return value == 0


def returned(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a value after complete response is a return; a node obeys the growth rule instead."""
    if criterion not in AREAS and lesion.organ == "node":
        return False
    return value > 0


def measurable(criterion: str, lesion: Lesion, value) -> bool:
    """Tell whether a baseline is measurable: 10 mm, 15 mm for a node; products have no minimum."""
    if criterion in AREAS:
        return True
    return value >= (FIFTEEN_MM if lesion.organ == "node" else TEN_MM)
