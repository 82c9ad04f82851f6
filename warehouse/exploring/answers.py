"""Answer a look: what is published as it stands, anything else under guard, counted.

A free selection is estimated only once somebody asks for it in so many words: whoever turns a knob
past a hundred subgroups has not looked at a hundred.
"""

from dataclasses import dataclass, field
from typing import Any

import duckdb
from pydantic import ValidationError

from schemas.errors import Refused
from schemas.settings import ResponseSettings, SurvivalSettings
from warehouse.exploring import free, guard, looks, published
from warehouse.exploring.found import Found
from warehouse.exploring.selection import Place, Selection, place
from warehouse.store import Store

AS_PUBLISHED = (
    "What came first is shown as published, of a population or a centre. Choose no factor, no "
    "condition and no year."
)


@dataclass(frozen=True, slots=True)
class Release:
    """What a look is taken at.

    Attributes:
        id: its id.
        settings: those that it was made with, by section and key.
        small_cell: fewer patients than this are few; None where this user may not know.
        store: where free looks are counted.
        kept: groups of this very release that were read before.
    """

    id: str
    settings: dict[str, Any]
    small_cell: int | None
    store: Store
    kept: guard.Kept = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look gives.

    Attributes:
        found: its rows.
        published: they are published statistics.
        refused: why there are none; empty where there are.
        waits: a free look that nobody has asked for yet; it was not estimated.
        taken: how many free looks were taken at this release; None where this user may not know.
        compared: how many of them compared groups.
    """

    found: Found
    published: bool
    refused: str = ""
    waits: bool = False
    taken: int | None = 0
    compared: int = 0


def answer(
    con: duckdb.DuckDBPyConnection, release: Release, selection: Selection, *, take: bool
) -> Answer:
    """Give what a selection shows.

    Args:
        con: the release's database, opened read-only.
        release: what it is.
        selection: what is looked at, checked.
        take: a free look is wanted, and may be counted.
    """
    where = place(selection)
    if where is not None:
        found = _published(con, selection, where)
        try:
            return _told(found, looks.taken(release.store, release.id), published=True)
        except Refused:
            return Answer(found, published=True, taken=None)
    if selection.question == "incidence":
        taken = looks.taken(release.store, release.id)
        return _told(Found(), taken, published=False, refused=AS_PUBLISHED)
    if release.small_cell is None:
        raise Refused(
            "explore: the registry's file cannot be read here, so it is not known which groups are "
            "too small. Published statistics are shown; name the file with --config."
        )
    earlier = looks.taken(release.store, release.id)
    is_new = selection.facts() not in [look.facts() for look in earlier]
    why = _refusal(con, release, selection, earlier, release.small_cell)
    if why or (is_new and not take):
        return _told(Found(), earlier, published=False, refused=why, waits=not why)
    found = estimate(con, selection, release.settings)
    if found.fewest is not None and found.fewest < release.small_cell:
        why = (
            f"Not shown: a group that has what is asked for is of fewer than {release.small_cell} "
        )
        why += "patients. Choose fewer conditions."
        return _told(Found(), earlier, published=False, refused=why)
    if is_new:
        looks.count(release.store, release.id, selection)
        earlier = looks.taken(release.store, release.id)
    return _told(found, earlier, published=False)


def estimate(
    con: duckdb.DuckDBPyConnection, selection: Selection, settings: dict[str, Any]
) -> Found:
    """Estimate a selection from the marts, with the settings of its release.

    Raises:
        Refused: the release's settings are those of another version of the code.
    """
    try:
        if selection.question == "survival":
            own = SurvivalSettings.model_validate(settings["survival"])
            return free.survival(con, selection, own)
        if selection.question == "response":
            return free.response(
                con, selection, ResponseSettings.model_validate(settings["response"])
            )
    except (KeyError, ValidationError):
        raise Refused(
            "explore: this release was made with settings of another version of y90. Look at its "
            "published statistics, or at a newer release."
        ) from None
    return free.toxicity(con, selection)


def _published(con: duckdb.DuckDBPyConnection, selection: Selection, where: Place) -> Found:
    read = {
        "survival": published.survival,
        "incidence": published.incidence,
        "response": published.response,
        "toxicity": published.toxicity,
    }
    return read[selection.question](con, selection, where)


def _refusal(
    con: duckdb.DuckDBPyConnection,
    release: Release,
    selection: Selection,
    earlier: list[Selection],
    threshold: int,
) -> str:
    everybody = guard.whole(con, Selection(population=selection.population))
    known = guard.known(con, earlier, release.kept)
    return guard.refusal(
        guard.groups(con, selection),
        guard.whole(con, selection),
        everybody,
        known,
        threshold,
    )


def _told(
    found: Found,
    taken: list[Selection],
    *,
    published: bool,
    refused: str = "",
    waits: bool = False,
) -> Answer:
    return Answer(
        found,
        published,
        refused,
        waits,
        taken=len(taken),
        compared=sum(bool(look.by) for look in taken),
    )
