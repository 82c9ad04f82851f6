"""The endpoints: one record for each, with its start, its events and its censoring.

An endpoint is data: its start, the milestones that are its events (in the order that decides a tie
on one day), the milestone at which a subject without an event is censored, and the registry tables
without which it cannot be derived at a site. `transforms.time.endpoints` turns records into rows.

The layout is that of CDISC ADaM ADTTE. There CNSR is 0 for an event; here `event` is true for it.
Times are plain differences: a death on T0 has time 0, where admiral's default adds one day.

Source: CDISC ADaM Basic Data Structure for Time-to-Event Analyses 1.0; admiralonco, vignette
"Creating ADTTE"; Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (overall survival, time
to response); Zuckerman et al. 2019, PMC6351300 (hepatic progression-free survival).
"""

from dataclasses import dataclass
from typing import Literal

Milestone = Literal[
    "t0",
    "lobe",
    "response",
    "progression",
    "hepatic_progression",
    "death",
    "new_therapy",
    "transplant",
    "last_alive",
    "last_assessment",
    "last_in_window",
    "last_before_therapy",
    "last_before_gap",
]
"""A dated fact about a subject or a lesion, in whole days from T0."""

ADMIRALONCO = "admiralonco, vignette Creating ADTTE"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One time to event.

    Attributes:
        code: As in `time_to_event.endpoint`.
        label: In words.
        level: The unit that has one clock.
        start: Where the clock starts.
        events: What stops it; on a tie the first named is the cause.
        censored: Where it stops without an event; T0 when there is no such day.
        needs: Registry tables that a site must have delivered.
        competing: Milestones that make the event impossible or meaningless: their subjects stay
            censored, and are marked for the competing-risk sensitivity.
        note: What is not obvious.
        source: Whose definition.
    """

    code: str
    label: str
    level: Literal["subject", "lesion"]
    start: Milestone
    events: tuple[Milestone, ...]
    censored: Milestone
    needs: tuple[str, ...]
    competing: tuple[Milestone, ...] = ()
    note: str = ""
    source: str = ADMIRALONCO


RECORDS: tuple[Endpoint, ...] = (
    Endpoint(
        "OS",
        "overall survival",
        "subject",
        start="t0",
        events=("death",),
        censored="last_alive",
        needs=("contacts",),
        note="Death of any cause; later therapy is ignored. Never censored at the export's date.",
        source="Memon 2012; Dunfee 2010: from the first 90Y treatment",
    ),
    Endpoint(
        "PFS",
        "progression-free survival",
        "subject",
        start="t0",
        events=("progression", "death"),
        censored="last_assessment",
        needs=("contacts", "scans"),
        note="New therapy before progression: ignored, or censored before it (pfs_new_therapy). An "
        "event after two missed assessments: counted, or censored before them (pfs_missed_visits).",
    ),
    Endpoint(
        "HPFS",
        "hepatic progression-free survival",
        "subject",
        start="t0",
        events=("hepatic_progression", "death"),
        censored="last_assessment",
        needs=("contacts", "scans"),
        note="Progression outside the liver alone is not an event.",
        source="Zuckerman 2019, PMC6351300",
    ),
    Endpoint(
        "TTP",
        "time to progression",
        "subject",
        start="t0",
        events=("progression",),
        censored="last_assessment",
        needs=("scans",),
        competing=("death",),
        note="Death without progression is censored at the last assessment.",
    ),
    Endpoint(
        "HTTP",
        "time to hepatic progression",
        "subject",
        start="t0",
        events=("hepatic_progression",),
        censored="last_assessment",
        needs=("scans",),
        competing=("death",),
        note="Death without hepatic progression is censored at the last assessment.",
        source="Zuckerman 2019, PMC6351300",
    ),
    Endpoint(
        "TTR",
        "time to response",
        "subject",
        start="t0",
        events=("response",),
        censored="last_in_window",
        needs=("scans",),
        competing=("progression", "death"),
        note="Over all treated, not responders only; without a later scan censored on day 0.",
        source="Memon 2012",
    ),
    Endpoint(
        "TTRL",
        "time to response of a lesion",
        "lesion",
        start="lobe",
        events=("response",),
        censored="last_in_window",
        needs=("scans",),
        competing=("progression", "death"),
        note="Starts at T0, or when the lesion's lobe was first perfused (lesion_start).",
        source="Memon 2012",
    ),
    Endpoint(
        "DOR",
        "duration of response",
        "subject",
        start="response",
        events=("progression", "death"),
        censored="last_assessment",
        needs=("contacts", "scans"),
        note="Responders only.",
    ),
    Endpoint(
        "TTNT",
        "time to next therapy",
        "subject",
        start="t0",
        events=("new_therapy", "death"),
        censored="last_alive",
        needs=("contacts", "subsequent_therapies"),
        note="Re-treatment with 90Y is not a next therapy.",
    ),
)

LEVEL = {record.code: record.level for record in RECORDS}
