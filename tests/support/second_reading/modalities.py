"""Situations of two modalities."""

from fractions import Fraction
from random import Random

from .draft import Draft, ordinary, schedule


def two_modalities(rng: Random) -> Draft:
    """Return a patient scanned in CT and MRI at baseline and in one or both afterwards."""
    return change_modalities(ordinary(rng, rng.randint(1, 3), rng.randint(2, 4)))


def change_modalities(draft: Draft) -> Draft:
    """Add a scan in the other modality to every scan, or move the scan to it."""
    rng = draft.rng
    for key in sorted(draft.scans):
        _second_modality(draft, key, rng.choice((0, 1, 5, 14, 15)), rng.random() < 0.3)
    return draft


def _second_modality(draft: Draft, key, delay: int, moves: bool) -> None:
    """Add a scan in the other modality, or move the scan to it."""
    other = "MRI" if key[1] == "CT" else "CT"
    new = (min(key[0] + delay, 0) if key[0] <= 0 else key[0] + delay, other)
    draft.add_scan(*new)
    for lesion_id in [name for name in sorted(draft.lesions) if (name, *key) in draft.rows]:
        row = draft.rows[lesion_id, *key]
        factor = Fraction(draft.rng.choice((85, 95, 100, 105, 115)), 100)
        if draft.rng.random() < 0.9:
            draft.read(
                lesion_id,
                new,
                draft.rounded(row.longest * factor),
                draft.rounded(row.perpendicular * factor),
            )
        if moves and key[0] > 0:
            del draft.rows[lesion_id, *key]
    if moves and key[0] > 0:
        del draft.scans[key]


def modality_pair(rng: Random) -> Draft:
    """Return one lesion read in CT and MRI on random days, like the worked cases of the two-modality rule."""
    draft = ordinary(rng, 1, 0)
    for day in [-20, -15, *schedule(rng, 3)]:
        for modality in rng.choice((("CT",), ("MRI",), ("CT", "MRI"))):
            key = (day + (rng.choice((0, 3, 7)) if modality == "MRI" and day > 0 else 0), modality)
            draft.add_scan(*key)
            draft.read("L1", key, draft.rounded(rng.randint(15_000, 40_000)))
    return draft


def modality_switch(rng: Random) -> Draft:
    """Return a patient who changes from one modality to another that has no baseline."""
    draft = ordinary(rng, rng.randint(1, 3), 4)
    for key in draft.follow_ups()[-2:]:
        _second_modality(draft, key, 0, True)
    return draft
