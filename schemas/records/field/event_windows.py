"""The windows of adverse events of any term and of late toxicity, each with its anchor.

A window that starts at T0 is about every treated patient of a site that delivers events; a late one
about those who were observed into it. `acute` is that of toxicity, after T0 or the last session of
the planned course, and its length the setting's.

Source: CIRT (Helmberger et al. 2021): 30-day mortality and toxicity; Braat et al. 2020: toxicity
within three months, 58 procedures in 44 patients; Kennedy et al. 2008: nobody above grade 2;
Tomozawa et al. 2018, Su et al. 2017 and Currie et al. 2019: half a year and later. Late windows
count from the last session by the registry's convention.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.records.record import checked

FOREVER = 1_000_000
"""Days: no end."""


@dataclass(frozen=True, slots=True)
class EventWindow:
    """One window, in whole days after its anchor; both ends belong to it."""

    code: str
    anchor: Literal["T0", "either", "last session", "session"]
    first_day: int
    last_day: int
    source: str


RECORDS: tuple[EventWindow, ...] = checked(
    "field/event_windows",
    (
        EventWindow("d30", "T0", 0, 30, "CIRT 2021"),
        EventWindow("acute", "either", 0, 30, "`toxicity.acute_days`"),
        EventWindow("m3", "T0", 0, 91, "Braat 2020"),
        EventWindow("m6", "T0", 0, 183, "Brown 2021"),
        EventWindow("m12", "T0", 0, 365, "registry's convention"),
        EventWindow("any", "T0", 0, FOREVER, "Kennedy 2008"),
        EventWindow("late_6_to_12_months", "last session", 184, 365, "Currie 2019"),
        EventWindow("late_1_year", "last session", 366, FOREVER, "Tomozawa 2018"),
        EventWindow("late_2_years", "last session", 731, FOREVER, "Su 2017"),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
)
EVENT_WINDOWS: tuple[str, ...] = tuple(r.code for r in RECORDS)
PROCEDURES: tuple[EventWindow, ...] = checked(
    "field/event_windows",
    (
        EventWindow("s30", "session", 0, 30, "CIRT 2021, by patient"),
        EventWindow("s91", "session", 0, 91, "Braat 2020, by patient"),
        EventWindow("until_next", "session", 0, FOREVER, "registry's convention"),
    ),
    code=lambda r: r.code,
    source=lambda r: r.source,
)
"""Windows after each session: an event belongs to the last session on or before its first day."""
PROCEDURE_WINDOWS: tuple[str, ...] = tuple(r.code for r in PROCEDURES)
LATE: tuple[EventWindow, ...] = tuple(r for r in RECORDS if r.anchor == "last session")
"""Those of late toxicity; the last two have no end and hold each other."""
LATE_WINDOWS: tuple[str, ...] = tuple(r.code for r in LATE)
