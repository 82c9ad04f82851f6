"""Situations of one modality: sizes, readings, therapies, deaths and exact thresholds."""

from fractions import Fraction
from random import Random

from .draft import Draft, course, ordinary
from .history import Death, Lesion
from .modifications import modify


def _modified(name):
    """Return a situation that is an ordinary course with one modification."""
    return lambda rng: modify(ordinary(rng), name)


not_evaluable = _modified("not_evaluable")
too_small = _modified("too_small")
no_perpendicular = _modified("no_perpendicular")
no_arterial_phase = _modified("no_arterial_phase")
therapy = _modified("therapy")
non_target = _modified("non_target")


def one_lesion(rng: Random) -> Draft:
    """Return a patient with exactly one lesion, all sessions on day 0; both levels must agree."""
    draft = ordinary(rng, 1)
    if rng.random() < 0.5:
        modify(draft, rng.choice(("not_evaluable", "too_small", "no_arterial_phase", "therapy")))
    return _vanish(draft, "L1") if rng.random() < 0.3 else draft


def _vanish(draft: Draft, lesion_id: str, back: bool = True) -> Draft:
    """Make a lesion absent at one follow-up; later rows show it small again."""
    keys = draft.follow_ups()
    at = draft.rng.randrange(max(1, len(keys) - 1))
    for key in keys[at:]:
        draft.state(lesion_id, key, "absent")
    if back and keys[at + 1 :]:
        length = draft.rng.choice((3_000, 4_000, 4_999, 5_000, 5_001, 9_000, 12_000))
        draft.read(
            lesion_id, draft.rng.choice(keys[at + 1 :]), length, length * 9 // 10, Fraction(1)
        )
    return draft


def returning(rng: Random) -> Draft:
    """Return a patient whose lesions vanish; one comes back."""
    draft = ordinary(rng, rng.randint(1, 3), rng.randint(3, 5))
    for lesion_id in draft.targets():
        if lesion_id == "L1" or rng.random() < 0.6:
            _vanish(draft, lesion_id, back=lesion_id == "L1")
    return draft


def returning_non_target(rng: Random) -> Draft:
    """Return a patient whose targets vanish while non-target disease remains; one target comes back."""
    draft = ordinary(rng, rng.randint(1, 2), rng.randint(3, 4))
    for key in draft.scans:
        draft.change_scan(
            key,
            non_target="non_cr_non_pd",
            non_target_liver="non_cr_non_pd",
            non_target_elsewhere="none",
        )
    for lesion_id in draft.targets():
        _vanish(draft, lesion_id, back=lesion_id == "L1")
    return draft


def necrosis(rng: Random) -> Draft:
    """Return a patient whose enhancing part is estimated from the necrotic share."""
    draft = ordinary(rng)
    for key in list(draft.rows):
        share = Fraction(
            rng.choice((0, 10, 25, 50, 60, 75, 90, 95, 100))
            if key[1] > 0
            else rng.choice((0, 10, 20))
        )
        draft.change_row(
            key[0],
            key[1:],
            enhancing_longest=None,
            enhancing_perpendicular=None,
            necrosis_pct=share,
        )
    return draft


def no_enhancement(rng: Random) -> Draft:
    """Return a patient with a lesion without enhancement, at baseline or afterwards."""
    draft = ordinary(rng)
    after = -1000 if rng.random() < 0.5 else 0
    for key in [key for key in draft.rows if key[0] == "L1" and key[1] > after]:
        if key[1] < 0 or rng.random() < 0.7:
            draft.change_row(key[0], key[1:], enhancing_longest=0, enhancing_perpendicular=0)
    return draft


def stale_baseline(rng: Random) -> Draft:
    """Return a patient whose only baseline scan is 28, 29, 90 or 91 days old."""
    draft = ordinary(rng)
    old, day = draft.baseline_key(), -rng.choice((28, 29, 89, 90, 91, 120))
    scan = draft.scans.pop(old)
    draft.add_scan(day, scan.modality)
    for lesion_id in draft.targets():
        row = draft.rows.pop((lesion_id, *old))
        draft.read(lesion_id, (day, scan.modality), row.longest, row.perpendicular)
    return draft


def no_follow_up(rng: Random) -> Draft:
    """Return a patient who was never imaged after treatment."""
    return ordinary(rng, None, 0)


def partial_progression(rng: Random) -> Draft:
    """Return a patient with one lesion missing while another grows enough to prove PD alone."""
    draft = ordinary(rng, rng.randint(2, 3), 3)
    key, first = rng.choice(draft.follow_ups()), draft.baseline_key()
    total = sum(draft.rows[lesion_id, *first].longest for lesion_id in draft.targets())
    draft.read("L1", key, total * rng.choice((10, 12, 13, 15)) // 10)
    draft.state("L2", key, rng.choice(("not_evaluable", "not_imaged")))
    return draft


def extrahepatic(rng: Random) -> Draft:
    """Return a patient with a node or another lesion outside the liver."""
    draft = ordinary(rng)
    draft.extrahepatic_disease = rng.choice(("minimal", "minimal", "none"))
    organ = rng.choice(("node", "other"))
    draft.add_lesion(Lesion("X1", organ, None, rng.random() < 0.7, True))
    course(draft, "X1", rng.choice((14_900, 15_000, 22_000, 30_000, 40_000)), sorted(draft.scans))
    if rng.random() < 0.5:
        modify(draft, "non_target")
    return draft


def death_dates(rng: Random) -> Draft:
    """Return a patient whose death date is partial, too early, or contradicted by a later contact."""
    draft = ordinary(rng)
    last = max(draft.scans)[0]
    kind = rng.choice(("month", "alive_after", "conflict"))
    if kind == "month":
        draft.deaths = [Death.in_month_of(last + 20)]
    elif kind == "alive_after":
        draft.deaths = [Death.on(last - 3)]
    else:
        draft.deaths = [Death.on(last + 80), Death.on(last + 90)]
    return draft


PAIRS = (  # criterion-like (baseline, nadir or None, value) of longest x perpendicular in micrometres
    ((20_000, 10_000), None, (10_000, 10_000)),
    ((20_000, 10_000), None, (10_100, 10_000)),
    ((20_000, 10_000), None, (25_000, 10_000)),
    ((20_000, 10_000), None, (25_001, 10_000)),
    ((20_000, 10_000), None, (24_999, 10_000)),
    ((40_000, 25_000), (20_000, 10_000), (25_000, 10_100)),
    ((33_000, 20_000), None, (23_100, 20_000)),
    ((33_040, 20_000), None, (23_140, 20_000)),
    ((33_000, 20_000), None, (23_101, 20_000)),
    ((25_040, 20_000), None, (30_040, 20_000)),
    ((33_000, 20_000), (20_000, 15_000), (24_000, 15_000)),
    ((33_000, 20_000), (25_000, 15_000), (30_000, 15_000)),
    ((33_000, 20_000), (25_000, 15_000), (29_999, 15_000)),
    ((26_000, 20_000), None, (31_200, 20_000)),
    ((24_000, 20_000), None, (29_000, 20_000)),
    ((9_960, 9_000), None, (5_000, 5_000)),
    ((10_000, 9_000), None, (7_000, 5_000)),
    ((9_999, 9_000), None, (5_000, 5_000)),
)


def boundary(rng: Random) -> Draft:
    """Return a patient whose readings lie at, just above or just below a threshold."""
    draft = ordinary(rng, 1, 3)
    first, lowest, value = rng.choice(PAIRS)
    keys = sorted(draft.scans)
    offset = rng.choice((0, 0, 0, -1, 1))
    for key, (longest, across) in zip(keys, (first, lowest or first, value, value), strict=True):
        nudge = offset if key == keys[2] else 0
        draft.read("L1", key, longest + nudge, min(across, longest + nudge), Fraction(1))
    return _beside(draft) if rng.random() < 0.4 else draft


def _beside(draft: Draft) -> Draft:
    """Add an equal second lesion, so that the sums lie on the same relative threshold."""
    draft.add_lesion(Lesion("L2", "liver", "right", True, True))
    for key in sorted(draft.scans):
        row = draft.rows["L1", *key]
        draft.read("L2", key, row.longest, row.perpendicular, Fraction(1))
    return draft
