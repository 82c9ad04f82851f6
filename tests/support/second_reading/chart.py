"""Indexes of one history: rows by lesion, scans by day, and T0."""

from dataclasses import dataclass, field
from functools import cached_property, wraps

from .history import History, Lesion
from .settings import Settings

SEEN = ("measured", "too_small")


def remembered(rule):
    """Keep a rule's answer in the chart, because the same question is asked many times."""

    @wraps(rule)
    def answer(chart, *arguments):
        key = (rule.__name__, arguments)
        if key not in chart.answers:
            chart.answers[key] = rule(chart, *arguments)
        return chart.answers[key]

    return answer


@dataclass(eq=False)
class Chart:
    """One history with its settings; every rule reads rows through this class."""

    history: History
    settings: Settings
    answers: dict = field(default_factory=dict)

    @cached_property
    def t0(self) -> int:
        """Return the day of the first 90Y administration (Memon 2012)."""
        return min(session.day for session in self.history.sessions)

    @cached_property
    def reader(self) -> str:
        """Return the one reader whose rows count, so that no lesion is counted twice."""
        readers = {row.reader for row in self.history.measurements + self.history.scans}
        preferred = self.settings.reader
        return preferred if preferred in readers or not readers else min(readers)

    @cached_property
    def lesions(self) -> dict:
        """Return the lesions by id."""
        return {lesion.id: lesion for lesion in self.history.lesions}

    @cached_property
    def scans(self) -> tuple:
        """Return the scans of the reader that counts, by day and modality."""
        scans = [scan for scan in self.history.scans if scan.reader == self.reader]
        return tuple(sorted(scans, key=lambda scan: (scan.day, scan.modality)))

    @cached_property
    def scan_at(self) -> dict:
        """Return the scan of each day and modality."""
        return {(scan.day, scan.modality): scan for scan in self.scans}

    @cached_property
    def rows(self) -> dict:
        """Return each lesion's rows in the order of their days."""
        rows = {lesion_id: [] for lesion_id in self.lesions}
        for row in sorted(self.history.measurements, key=lambda row: (row.day, row.modality)):
            if row.reader == self.reader and row.lesion_id in rows:
                rows[row.lesion_id].append(row)
        return rows

    @cached_property
    def scan_days(self) -> list:
        """Return every day with a scan or a measurement."""
        days = {scan.day for scan in self.scans}
        days |= {row.day for rows in self.rows.values() for row in rows}
        return sorted(days)

    def rows_in(self, lesion_id: str, days: tuple, modality: str) -> list:
        """Return a lesion's rows on these days in one modality."""
        return [row for row in self.rows[lesion_id] if row.day in days and row.modality == modality]

    @cached_property
    def merge_products(self) -> set:
        """Return the ids of lesions into which another lesion merged."""
        return {lesion.merged_into for lesion in self.history.lesions if lesion.merged_into}

    def known_at_t0(self, lesion: Lesion) -> bool:
        """Tell whether the lesion has a row other than `absent` on or before T0."""
        return any(row.day <= self.t0 and row.status != "absent" for row in self.rows[lesion.id])

    def derived(self, lesion: Lesion) -> bool:
        """Tell whether the lesion is a fragment or a merged lesion that arose after T0."""
        arose = lesion.split_from in self.lesions or lesion.id in self.merge_products
        return arose and not self.known_at_t0(lesion)

    def fragments(self, lesion: Lesion) -> list:
        """Return the fragments into which a lesion split after T0."""
        return [
            other
            for other in self.history.lesions
            if other.split_from == lesion.id and self.derived(other)
        ]
