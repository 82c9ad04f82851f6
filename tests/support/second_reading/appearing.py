"""Situations of lesions that appear after treatment."""

from random import Random

from .draft import Draft, ordinary
from .history import Lesion, Session
from .modalities import two_modalities


def appear(draft: Draft, key, lobe, *, organ="liver", new_lesion=None, **changes) -> Draft:
    """Let a lesion N1 appear on a scan and stay."""
    draft.add_lesion(
        Lesion("N1", organ, lobe, draft.rng.random() < 0.8, draft.rng.random() < 0.3, **changes)
    )
    draft.change_scan(key, new_lesion=new_lesion)
    for later in [
        later for later in sorted(draft.scans) if later[0] >= key[0] and later[1] == key[1]
    ]:
        draft.read("N1", later, draft.rounded(draft.rng.randint(8_000, 30_000)))
    return draft


def _new(rng: Random, **changes) -> Draft:
    """Return an ordinary course in which a lesion appears."""
    draft = ordinary(rng)
    return appear(
        draft,
        rng.choice(draft.follow_ups()),
        rng.choice(("right", "left", "caudate", None)),
        **changes,
    )


def new_blank(rng: Random) -> Draft:
    """Return a lesion first measured after treatment while `new_lesion` is blank."""
    return _new(rng)


def new_denied(rng: Random) -> Draft:
    """Return a lesion first measured after treatment while the scan says `none`."""
    return _new(rng, new_lesion="none")


def new_stated(rng: Random) -> Draft:
    """Return a lesion that the scan calls new as well."""
    return _new(rng, new_lesion=rng.choice(("hepatic", "both")))


def new_extrahepatic(rng: Random) -> Draft:
    """Return a node or other lesion that appears outside the liver."""
    draft = ordinary(rng)
    return appear(
        draft,
        rng.choice(draft.follow_ups()),
        None,
        organ=rng.choice(("node", "other")),
        new_lesion=rng.choice((None, "extrahepatic", "both")),
    )


def new_other_modality(rng: Random) -> Draft:
    """Return a lesion first read in a modality in which the patient has no baseline scan."""
    draft = ordinary(rng)
    day, modality = rng.choice(draft.follow_ups())
    other = (day, "MRI" if modality == "CT" else "CT")
    draft.add_scan(*other)
    return appear(draft, other, "right", new_lesion=rng.choice((None, "none")))


def new_beside_modality(rng: Random) -> Draft:
    """Return a lesion that appears in a patient who has baselines in two modalities."""
    draft = two_modalities(rng)
    return appear(draft, rng.choice(draft.follow_ups()), "left")


def new_before_session(rng: Random) -> Draft:
    """Return a lesion first measured after T0 and before the session of its own lobe."""
    draft = ordinary(rng)
    key = draft.follow_ups()[0]
    draft.sessions = [Session(0, "right"), Session(key[0] + rng.randint(0, 10), "left")]
    return appear(draft, key, "left", new_lesion=rng.choice((None, "none")))


def new_absent_before(rng: Random) -> Draft:
    """Return a late lesion that the baseline scan calls absent, or one marked as present at baseline."""
    if rng.random() < 0.5:
        return _new(rng, baseline_present=True)
    draft = _new(rng)
    draft.state("N1", draft.baseline_key(), "absent")
    return draft
