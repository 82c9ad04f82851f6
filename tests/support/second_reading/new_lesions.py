"""New lesions, as the scan states them and as the first measurement shows them (Eisenhauer 2009, 4.3.5)."""

from dataclasses import dataclass

from .chart import Chart, remembered
from .history import Lesion, Scan
from .plan import waits
from .territory import anchor

NAMES = {"liver": ("hepatic", "both"), "extrahepatic": ("extrahepatic", "both")}


@dataclass(frozen=True)
class NewLesion:
    """A lesion first measured after treatment, with the scan that shows it first."""

    lesion: Lesion
    day: int
    modality: str
    denied: bool
    counts: bool


def organ_of(lesion: Lesion) -> str:
    """Return `liver` or `extrahepatic`."""
    return "liver" if lesion.organ == "liver" else "extrahepatic"


def first_measured(chart: Chart, lesion: Lesion):
    """Return the first row with status `measured`."""
    return next((row for row in chart.rows[lesion.id] if row.status == "measured"), None)


def appears_late(chart: Chart, lesion: Lesion) -> bool:
    """Tell whether a lesion is first measured after its own first session and nothing says it was there."""
    gate, first = anchor(chart, lesion), first_measured(chart, lesion)
    if first is None or first.day <= gate:
        return False
    if any(row.day <= gate and row.status != "absent" for row in chart.rows[lesion.id]):
        return False
    return not (
        lesion.baseline_present
        or lesion.split_from
        or lesion.merged_into
        or lesion.id in chart.merge_products
    )


def has_baseline_scan(chart: Chart, modality: str) -> bool:
    """Tell whether the patient was scanned in a modality on or before T0, within the age limit."""
    limit = chart.t0 - chart.settings.baseline_limit_days
    return any(scan.modality == modality and limit <= scan.day <= chart.t0 for scan in chart.scans)


@remembered
def new_lesions(chart: Chart) -> list:
    """Return the new lesions; a first reading in a modality without baseline scan is no new lesion."""
    return [
        _new_lesion(chart, lesion)
        for lesion in chart.history.lesions
        if appears_late(chart, lesion)
        and has_baseline_scan(chart, first_measured(chart, lesion).modality)
    ]


def _new_lesion(chart: Chart, lesion: Lesion) -> NewLesion:
    """Return the new lesion; a scan that names no new lesion in its organ denies it."""
    row = first_measured(chart, lesion)
    scan = chart.scan_at.get((row.day, row.modality))
    stated = None if scan is None else scan.new_lesion
    denied = stated is not None and stated not in NAMES[organ_of(lesion)]
    setting = chart.settings.new_lesion_from_measurements
    counts = setting == "always" or (setting == "unless_denied" and not denied)
    return NewLesion(lesion, row.day, row.modality, denied, counts)


def new_lesion_day(chart: Chart, days: tuple, organ: str):
    """Return (day, rule) of the first new lesion of an organ on these days, or None."""
    organs = ("liver", "extrahepatic") if organ == "all" else (organ,)
    found = [
        (scan.day, "new_lesion_stated")
        for scan in chart.scans
        if scan.day in days and any(_stated(chart, scan, name) for name in organs)
    ]
    found += [
        (item.day, "new_lesion_measured")
        for item in new_lesions(chart)
        if item.counts
        and item.day in days
        and organ_of(item.lesion) in organs
        and not waits(chart, item.lesion, item.day)
    ]
    return min(found, key=lambda pair: (pair[0], pair[1] == "new_lesion_measured"), default=None)


def _stated(chart: Chart, scan: Scan, organ: str) -> bool:
    """Tell whether a scan states a new lesion that counts; one without a lobe counts."""
    if scan.new_lesion not in NAMES[organ]:
        return False
    shown = [
        lesion
        for lesion in chart.history.lesions
        if organ_of(lesion) == organ and _shown_first(chart, lesion, scan)
    ]
    return not shown or not all(waits(chart, lesion, scan.day) for lesion in shown)


def _shown_first(chart: Chart, lesion: Lesion, scan: Scan) -> bool:
    """Tell whether a lesion that was unknown at T0 is first measured on a scan."""
    row = first_measured(chart, lesion)
    if row is None or (row.day, row.modality) != (scan.day, scan.modality):
        return False
    return not (chart.known_at_t0(lesion) or chart.derived(lesion) or lesion.baseline_present)
