"""Times to event: which clocks are read, when they start and what stops them, a record each.

An endpoint is data: its start, the milestones that are its events (in the order that decides a tie
on one day), the milestone at which a subject without an event is censored, and the registry tables
without which it cannot be derived at a site. `transforms.time.endpoints` turns records into rows.

The layout is that of CDISC ADaM ADTTE. There CNSR is 0 for an event; here `event` is true for it.
Times are plain differences: a death on T0 has time 0, where admiral's default adds one day.

Source: CDISC ADaM Basic Data Structure for Time-to-Event Analyses 1.0; admiralonco, vignette
"Creating ADTTE"; Memon et al., Int J Radiat Oncol Biol Phys 2012;83:887-894 (overall survival, time
to response); Zuckerman et al. 2019, PMC6351300 (hepatic progression-free survival).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from schemas.records.record import checked

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
    "recorded_progression",
    "last_recorded",
    "last_recorded_before_therapy",
]
"""A dated fact about a subject or a lesion, in whole days from T0."""

ADMIRALONCO = "admiralonco, vignette Creating ADTTE"


@dataclass(frozen=True, slots=True)
class Closing:
    """What censors an endpoint early where a setting of the section survival says `censor`.

    `milestone` is what ends the clock, `at` where the unit is then censored.
    """

    setting: str
    milestone: Milestone
    at: Milestone


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
        closing: What censors early under a setting each; of two the earlier, on a tie the first.
        gap_setting: Key of the section survival that says whether an event after missed
            assessments is censored before them.
        compared: Its curves are compared between the levels of prognostic factors.
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
    closing: tuple[Closing, ...] = ()
    gap_setting: str | None = None
    compared: bool = False
    note: str = ""
    source: str = ADMIRALONCO

    @property
    def rests_on_response(self) -> bool:
        """What starts or stops its clock is judged by a criterion of response."""
        return bool(JUDGED & {self.start, *self.events})


JUDGED = frozenset({"response", "progression", "hepatic_progression"})
"""Milestones that a criterion of response judges."""
NEW_THERAPY = Closing("pfs_new_therapy", "new_therapy", "last_before_therapy")
RECORDED_THERAPY = Closing("pfs_new_therapy", "new_therapy", "last_recorded_before_therapy")
TRANSPLANT = Closing("os_transplant", "transplant", "transplant")
THERAPY_OF_OS = Closing("os_new_therapy", "new_therapy", "new_therapy")
MISSED_VISITS = "pfs_missed_visits"


def _problems(record: Endpoint) -> Iterator[str]:
    """What is wrong with an endpoint beside its code and source."""
    known = set(get_args(Milestone))
    named = (record.start, record.censored, *record.events, *record.competing)
    for milestone in named:
        if milestone not in known:
            yield f"milestone {milestone} is not known. Use one of {', '.join(sorted(known))}."
    if not record.events:
        yield "no event. Name the milestones that stop its clock."
    for milestone in set(record.events) & set(record.competing):
        yield f"{milestone} is event and competing event. Name it once."
    if not record.code.isalnum() or record.code != record.code.upper() or len(record.code) > 8:
        yield "no CDISC PARAMCD. Give `code` at most eight capitals and digits."


_RECORDS: tuple[Endpoint, ...] = (
    Endpoint(
        "OS",
        "overall survival",
        "subject",
        start="t0",
        events=("death",),
        censored="last_alive",
        needs=("contacts",),
        closing=(TRANSPLANT, THERAPY_OF_OS),
        compared=True,
        note="Death of any cause; later therapy is ignored, or censors (os_new_therapy, "
        "os_transplant). Never censored at the export's date.",
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
        closing=(NEW_THERAPY,),
        gap_setting=MISSED_VISITS,
        compared=True,
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
        closing=(NEW_THERAPY,),
        gap_setting=MISSED_VISITS,
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
    Endpoint(
        "PFSREC",
        "progression-free survival by recorded dates",
        "subject",
        start="t0",
        events=("recorded_progression", "death"),
        censored="last_recorded",
        needs=("contacts", "recorded_responses"),
        closing=(RECORDED_THERAPY,),
        note="The first PD that the counted reader recorded, under any criterion; beside PFS and "
        "never mixed with it. Without an event censored at the last recorded class other than NE.",
        source="RESiN 2022 and CIRT 2021 report progression as their centres recorded it; that any "
        "criterion counts is a convention",
    ),
    Endpoint(
        "TTPREC",
        "time to progression by recorded dates",
        "subject",
        start="t0",
        events=("recorded_progression",),
        censored="last_recorded",
        needs=("recorded_responses",),
        competing=("death",),
        note="As PFSREC, where death without a recorded progression is censored.",
        source="RESiN 2022 and CIRT 2021 report progression as their centres recorded it; that any "
        "criterion counts is a convention",
    ),
    Endpoint(
        "TTPNT",
        "time to progression before next therapy",
        "subject",
        start="t0",
        events=("progression",),
        censored="last_assessment",
        needs=("scans", "subsequent_therapies"),
        competing=("new_therapy", "death"),
        note="As TTP; in the cumulative incidence a next therapy before progression competes, as "
        "death does.",
        source="Putter, Fiocco and Geskus, Stat Med 2007;26:2389-2430, for competing events; that "
        "a next therapy is one is a convention",
    ),
    Endpoint(
        "TTF",
        "time to treatment failure",
        "subject",
        start="t0",
        events=("progression", "new_therapy", "death"),
        censored="last_assessment",
        needs=("contacts", "scans", "subsequent_therapies"),
        note="Composite: the first of progression, next therapy and death. Without any censored at "
        "the last assessment. Re-treatment with 90Y is not a next therapy.",
        source="the composite of discontinuation for any reason, progression, toxicity and death, "
        "as quoted in PMC4611069 (2015), Table 1; the FDA's guidance of December 2018 on endpoints "
        "was not read whole. That next therapy stands for discontinuation of a treatment that is "
        "given once is a convention",
    ),
)
RECORDS: tuple[Endpoint, ...] = checked(
    "endpoints",
    _RECORDS,
    code=lambda r: r.code,
    source=lambda r: r.source,
    problems=_problems,
)

COMPARED: tuple[str, ...] = tuple(record.code for record in RECORDS if record.compared)
"""Endpoints whose curves are compared between the levels of factors."""
RESTING_ON_RESPONSE = frozenset(record.code for record in RECORDS if record.rests_on_response)
"""Endpoints that say nothing where response cannot be judged."""
LEVEL = {record.code: record.level for record in RECORDS}
LABEL = {record.code: record.label for record in RECORDS}
