"""A seeded generator of histories; each history carries the names of its situations."""

from random import Random

from . import appearing, courses, merging, modalities, staging
from .draft import ordinary
from .history import History
from .modifications import modify

WEIGHTS = {
    "ordinary": 5,
    "one_lesion": 6,
    "staged": 4,
    "staged_planned": 9,
    "planned_two_modalities": 2,
    "planned_untreated": 3,
    "staged_late": 2,
    "retreatment": 4,
    "two_modalities": 8,
    "modality_pair": 5,
    "modality_switch": 3,
    "new_blank": 5,
    "new_denied": 3,
    "new_stated": 3,
    "new_other_modality": 2,
    "new_before_session": 2,
    "new_extrahepatic": 2,
    "new_absent_before": 2,
    "new_beside_modality": 2,
    "merged": 9,
    "merged_into_fellow": 5,
    "merged_staged": 2,
    "merged_silently": 2,
    "split": 9,
    "split_body_remains": 5,
    "split_staged": 2,
    "not_evaluable": 3,
    "too_small": 3,
    "returning": 5,
    "returning_non_target": 3,
    "boundary": 9,
    "no_perpendicular": 3,
    "no_arterial_phase": 3,
    "necrosis": 3,
    "no_enhancement": 3,
    "extrahepatic": 4,
    "non_target": 4,
    "therapy": 3,
    "stale_baseline": 2,
    "no_follow_up": 1,
    "partial_progression": 2,
    "death_dates": 2,
}
FAMILIES = {
    "staged": "staged_lobes",
    "staged_planned": "staged_lobes",
    "planned_two_modalities": "staged_lobes",
    "planned_untreated": "staged_lobes",
    "staged_late": "staged_lobes",
    "two_modalities": "modalities",
    "modality_pair": "modalities",
    "modality_switch": "modalities",
    "merged": "merger",
    "merged_into_fellow": "merger",
    "merged_staged": "merger",
    "split": "splitting",
    "split_body_remains": "splitting",
    "split_staged": "splitting",
}
EXTRAS = (
    "not_evaluable",
    "too_small",
    "no_perpendicular",
    "no_arterial_phase",
    "therapy",
    "non_target",
)


def situation(name: str):
    """Return the function that makes a situation."""
    if name == "ordinary":
        return ordinary
    modules = (courses, staging, modalities, appearing, merging)
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def family(name: str) -> str | None:
    """Return the family of a situation, over which the counts of the issue run."""
    return "new_lesion" if name.startswith("new_") else FAMILIES.get(name)


def history(seed: int, number: int) -> History:
    """Return one history; the same seed and number give the same history."""
    rng = Random(f"{seed}/{number}")
    name = plan()[number % len(plan())]
    draft = situation(name)(rng)
    draft.situations |= {name, family(name) or name}
    if rng.random() < 0.2 and name not in ("boundary", "one_lesion"):
        extra = rng.choice(EXTRAS)
        modify(draft, extra)
        draft.situations.add(extra)
    return draft.finish(f"P{number:05d}")


def plan() -> list:
    """Return the round of situations, each as often as its weight, well mixed."""
    names = [name for name, weight in sorted(WEIGHTS.items()) for _ in range(weight)]
    Random(1).shuffle(names)
    return names


def histories(n: int, seed: int = 1) -> list:
    """Return n histories."""
    return [history(seed, number) for number in range(n)]
