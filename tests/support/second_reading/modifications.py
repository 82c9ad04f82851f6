"""Modifications that may be laid over any draft."""

from .draft import Draft, give_therapy


def modify(draft: Draft, name: str) -> Draft:
    """Apply one modification to a draft."""
    return MODIFICATIONS[name](draft)


def _random_row(draft: Draft, after: int = 0):
    """Return (lesion id, scan key) of a random row after a day, or None."""
    rows = sorted(
        key for key, row in draft.rows.items() if key[1] > after and row.status == "measured"
    )
    if not rows:
        return None
    chosen = draft.rng.choice(rows)
    return chosen[0], chosen[1:]


def _set_status(draft: Draft, status: str) -> Draft:
    """Give one or two random rows a status without diameters."""
    for _ in range(draft.rng.randint(1, 2)):
        row = _random_row(draft)
        if row:
            draft.state(*row, status)
    return draft


def _modify_not_evaluable(draft):
    """Make rows not evaluable or not imaged, or drop one row."""
    row = _random_row(draft)
    if row and draft.rng.random() < 0.3:
        del draft.rows[row[0], *row[1]]
        return draft
    return _set_status(draft, draft.rng.choice(("not_evaluable", "not_imaged")))


def _modify_too_small(draft):
    """Make rows too small to measure, some with a delivered length below 5 mm."""
    _set_status(draft, "too_small")
    row = _random_row(draft)
    if row and draft.rng.random() < 0.5:
        draft.state(*row, "too_small")
        draft.change_row(*row, longest=draft.rng.randint(2_000, 4_900))
    return draft


def _modify_no_perpendicular(draft):
    """Drop perpendiculars from one row, or from all of them."""
    row = _random_row(draft, -1000 if draft.rng.random() < 0.3 else 0)
    if draft.rng.random() < 0.2:
        for key in list(draft.rows):
            draft.change_row(key[0], key[1:], perpendicular=None, enhancing_perpendicular=None)
    elif row:
        draft.change_row(*row, perpendicular=None, enhancing_perpendicular=None)
    return draft


def _modify_no_arterial_phase(draft):
    """Take the arterial phase from one scan, sometimes the baseline."""
    keys = sorted(draft.scans)
    draft.change_scan(draft.rng.choice(keys), arterial_phase=False)
    return draft


def _modify_therapy(draft):
    """Start another therapy at or beside a scan."""
    keys = draft.follow_ups()
    if keys:
        day = draft.rng.choice(keys)[0] + draft.rng.choice((0, -1, 1, 10))
        give_therapy(
            draft, day, draft.rng.choice(("chemotherapy", "liver_directed", "prrt", "targeted"))
        )
    return draft


def _modify_non_target(draft):
    """Give the patient non-target disease, in one column or located."""
    located = draft.rng.random() < 0.6
    for key in sorted(draft.scans):
        late = key[0] > 0 and draft.rng.random() < 0.15
        code = (
            draft.rng.choice(("progression", "not_evaluated", "complete_response"))
            if late
            else "non_cr_non_pd"
        )
        where = (
            draft.rng.choice(("non_target_liver", "non_target_elsewhere"))
            if located
            else "non_target"
        )
        draft.change_scan(key, non_target=code, **({where: code} if located else {}))
    return draft


MODIFICATIONS = {
    "not_evaluable": _modify_not_evaluable,
    "too_small": _modify_too_small,
    "no_perpendicular": _modify_no_perpendicular,
    "therapy": _modify_therapy,
    "no_arterial_phase": _modify_no_arterial_phase,
    "non_target": _modify_non_target,
}
