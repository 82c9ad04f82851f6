"""Situations of sessions: staged lobes, a late second lobe, retreatment."""

from random import Random

from .appearing import appear
from .draft import Draft, course, ordinary
from .history import Session
from .modalities import change_modalities


def _staged(rng: Random, second_day: int, planned) -> Draft:
    """Return a course with the right lobe on day 0 and the left lobe later."""
    draft = ordinary(rng, rng.randint(2, 4), rng.randint(3, 5))
    draft.sessions = [Session(0, "right", planned), Session(second_day, "left")]
    for day in (
        {second_day - rng.randint(0, 9)} - {key[0] for key in draft.scans}
        if rng.random() < 0.7
        else ()
    ):
        draft.add_scan(day, draft.baseline_key()[1])
    for lesion_id in draft.targets():
        course(draft, lesion_id, rng.randint(12_000, 60_000), sorted(draft.scans))
    return _grow_left(draft, second_day) if rng.random() < 0.6 else draft


def _grow_left(draft: Draft, second_day: int) -> Draft:
    """Let the lesions of the untreated lobe grow before their session, or let a new one appear there."""
    before = [key for key in draft.follow_ups() if key[0] <= second_day]
    if not before:
        return draft
    if draft.rng.random() < 0.3:
        lobe = draft.rng.choice(("left", "left", "left", None))
        return appear(draft, before[-1], lobe, new_lesion=draft.rng.choice((None, "hepatic")))
    for lesion_id in draft.targets():
        if draft.lesions[lesion_id].lobe == "left":
            first = draft.rows[lesion_id, *draft.baseline_key()]
            draft.read(lesion_id, before[-1], first.longest * 15 // 10)
    return draft


def staged(rng: Random) -> Draft:
    """Return staged lobes without a recorded plan."""
    return _staged(rng, rng.choice((28, 35, 42, 60, 89, 90)), None)


def staged_planned(rng: Random) -> Draft:
    """Return staged lobes with the plan recorded at the first session."""
    return _staged(
        rng, rng.choice((28, 35, 42, 60, 90)), rng.choice((("right", "left"), ("whole",)))
    )


def planned_two_modalities(rng: Random) -> Draft:
    """Return planned lobes in a patient whose scans are read in CT, in MRI or in both."""
    return change_modalities(staged_planned(rng))


def planned_untreated(rng: Random) -> Draft:
    """Return a planned lobe that is never treated: it waits as long as a course may last."""
    draft = staged_planned(rng)
    draft.sessions = draft.sessions[:1]
    if rng.random() < 0.5:
        draft.add_scan(rng.choice((89, 90, 91)), draft.baseline_key()[1])
        for lesion_id in draft.targets():
            course(draft, lesion_id, rng.randint(12_000, 60_000), sorted(draft.scans))
    return draft


def staged_late(rng: Random) -> Draft:
    """Return a second lobe treated after the 90 days of the course."""
    return _staged(rng, rng.choice((91, 95, 120)), rng.choice((None, ("right", "left"))))


def retreatment(rng: Random) -> Draft:
    """Return a second session to a lobe that was treated before."""
    draft = ordinary(rng, None, rng.randint(3, 5))
    draft.sessions = [
        Session(0, "whole"),
        Session(rng.choice((60, 110, 150)), rng.choice(("right", "left", "whole"))),
    ]
    return draft
