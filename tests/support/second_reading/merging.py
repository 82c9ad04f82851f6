"""Situations of lesions that merge or split."""

from fractions import Fraction
from random import Random

from .draft import Draft, course, ordinary
from .history import Lesion, Session

PLANS = (None, ("whole",), ("right", "left"))


def _both(draft: Draft, key):
    """Return the rows of the first two lesions on a scan."""
    return draft.rows["L1", *key], draft.rows["L2", *key]


def _joined(rng: Random) -> Draft:
    """Return an ordinary course whose first two lesions lie in one lobe and enhance."""
    draft = ordinary(rng, rng.randint(2, 3), rng.randint(2, 4))
    for lesion_id in ("L1", "L2"):
        draft.change_lesion(lesion_id, lobe="right")
        course(draft, lesion_id, rng.randint(15_000, 40_000), sorted(draft.scans))
    return draft


def _merge(draft: Draft, product: str, absorbed: tuple) -> Draft:
    """Merge lesions into one from a random follow-up on; its diameter is near the sum of theirs."""
    keys = draft.follow_ups()
    for key in keys[draft.rng.randrange(len(keys)) :]:
        rows = _both(draft, key)
        length = draft.rounded(
            sum(row.longest for row in rows) * Fraction(draft.rng.choice((60, 80, 90, 100)), 100)
        )
        for lesion_id in absorbed:
            del draft.rows[lesion_id, *key]
        draft.read(product, key, length, draft.rounded(max(row.perpendicular for row in rows)))
    for lesion_id in absorbed:
        draft.change_lesion(lesion_id, merged_into=product)
    return draft


def merged(rng: Random) -> Draft:
    """Return two lesions that merge into a third id."""
    draft = _joined(rng)
    draft.add_lesion(Lesion("M1", "liver", "right", True, True))
    return _merge(draft, "M1", ("L1", "L2"))


def merged_into_fellow(rng: Random) -> Draft:
    """Return a lesion that merges into its neighbour, which keeps its id."""
    return _merge(_joined(rng), "L1", ("L2",))


def merged_staged(rng: Random) -> Draft:
    """Return a merger in a lobe that is treated second."""
    draft, plan = _joined(rng), rng.choice(PLANS)
    draft.sessions = [Session(0, "left", plan), Session(draft.follow_ups()[0][0] - 5, "right")]
    draft.add_lesion(Lesion("M1", "liver", "right", True, True))
    return _merge(draft, "M1", ("L1", "L2"))


def merged_silently(rng: Random) -> Draft:
    """Return a merger that no column records: one lesion turns absent while its neighbour grows."""
    draft = _joined(rng)
    keys = draft.follow_ups()
    at = rng.randrange(len(keys))
    before = draft.rows["L1", *([draft.baseline_key(), *keys][at])]
    for key in keys[at:]:
        draft.state("L2", key, "absent")
        draft.read("L1", key, draft.rounded(before.longest * 3 // 2 + 12_000))
    return draft


def _split(draft: Draft, parts: tuple, body: bool) -> Draft:
    """Split L1 from a random follow-up on; the body keeps its own row or loses it."""
    keys = draft.follow_ups()
    parent = draft.lesions["L1"]
    for part in parts:
        draft.add_lesion(Lesion(part, "liver", parent.lobe, True, True, split_from="L1"))
    for key in keys[draft.rng.randrange(len(keys)) :]:
        row = draft.rows["L1", *key]
        for part in parts:
            length = draft.rounded(row.longest * Fraction(draft.rng.choice((30, 45, 55, 65)), 100))
            draft.read(part, key, length)
        _body_after_split(draft, key, body)
    return draft


def _body_after_split(draft: Draft, key, body: bool) -> None:
    """Leave the body half as long, absent, or without a row."""
    row = draft.rows["L1", *key]
    if body:
        draft.read("L1", key, draft.rounded(row.longest // 2))
    elif draft.rng.random() < 0.5:
        draft.state("L1", key, "absent")
    else:
        del draft.rows["L1", *key]


def split(rng: Random) -> Draft:
    """Return a lesion that splits into two fragments."""
    return _split(ordinary(rng, rng.randint(1, 3), rng.randint(2, 4)), ("F1", "F2"), body=False)


def split_body_remains(rng: Random) -> Draft:
    """Return a lesion that keeps its id and loses a fragment."""
    return _split(ordinary(rng, rng.randint(1, 3), rng.randint(2, 4)), ("F1",), body=True)


def split_staged(rng: Random) -> Draft:
    """Return a split in a lobe that is treated second."""
    draft, plan = ordinary(rng, 2, 3), rng.choice(PLANS)
    draft.sessions = [Session(0, "right", plan), Session(draft.follow_ups()[0][0] - 5, "left")]
    draft.change_lesion("L1", lobe="left")
    return _split(draft, ("F1", "F2"), body=False)
