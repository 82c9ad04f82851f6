"""Non-target disease and its organ (Eisenhauer 2009, table 1)."""

from .chart import Chart
from .history import Scan

WORST_FIRST = ("progression", "non_cr_non_pd", "not_evaluated", "complete_response", "none")


def known_extrahepatic(chart: Chart, day: int) -> bool:
    """Tell whether extrahepatic disease was known on a day."""
    if chart.history.extrahepatic_disease in ("minimal", "significant"):
        return True
    lesions = [lesion for lesion in chart.history.lesions if lesion.organ != "liver"]
    if any(row.day <= day for lesion in lesions for row in chart.rows[lesion.id]):
        return True
    return any(
        scan.day <= day and (scan.new_lesion in ("extrahepatic", "both") or _elsewhere(scan))
        for scan in chart.scans
    )


def _elsewhere(scan: Scan) -> bool:
    """Tell whether a scan records non-target disease outside the liver."""
    return scan.non_target_elsewhere not in (None, "none")


def non_target(chart: Chart, days: tuple, organ: str) -> str:
    """Return the worst non-target status of an organ on these days."""
    return worst([scan_non_target(chart, scan, organ) for scan in chart.scans if scan.day in days])


def progression_day(chart: Chart, days: tuple, organ: str) -> int | None:
    """Return the first of these days with non-target progression."""
    return min(
        (
            scan.day
            for scan in chart.scans
            if scan.day in days and scan_non_target(chart, scan, organ) == "progression"
        ),
        default=None,
    )


def worst(statuses: list) -> str:
    """Return the worst status; a blank says nothing."""
    stated = [status for status in statuses if status is not None]
    return min(stated, key=WORST_FIRST.index, default="none")


def scan_non_target(chart: Chart, scan: Scan, organ: str) -> str:
    """Return one scan's non-target status of an organ."""
    located = {"liver": scan.non_target_liver, "extrahepatic": scan.non_target_elsewhere}
    if organ == "all":
        return worst([scan.non_target, *located.values()])
    if any(status is not None for status in located.values()):
        return worst([located[organ]])
    return _unlocated(chart, scan, organ)


def _unlocated(chart: Chart, scan: Scan, organ: str) -> str:
    """Return the share of a status without organ: the liver's unless extrahepatic disease is known."""
    status = worst([scan.non_target])
    if not known_extrahepatic(chart, scan.day):
        return status if organ == "liver" else "none"
    if status == "progression":
        hepatic = chart.settings.unlocated_progression_is_hepatic
        return "progression" if hepatic == (organ == "liver") else "not_evaluated"
    return "not_evaluated" if status == "non_cr_non_pd" else status
