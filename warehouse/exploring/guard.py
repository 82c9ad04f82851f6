"""Refuse a free subgroup that would single out a few patients.

A look tells how many patients each group holds. It is refused if a group, or what remains of the
population beside it, is of fewer patients than the threshold, and if a group differs by so few from
a larger or smaller one that is known: a published population or level, or an earlier free look.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

import duckdb

from warehouse.exploring.selection import Selection, chosen, split
from warehouse.sharing.withholding import withheld

People = frozenset[str]
Kept = dict[str, list[People]]
"""A look's facts as text -> its groups; the published ones under no name."""
UNKNOWN, OUTSIDE = "unknown level", "outside"


def groups(con: duckdb.DuckDBPyConnection, selection: Selection) -> dict[str, People]:
    """Level -> who has it; one group where nothing splits. Those of unknown level are no group."""
    columns, join = split(selection)
    rows = con.execute(
        f"SELECT {columns}, t.subject_id FROM ({chosen(selection)}) t {join}ORDER BY ALL"
    ).fetchall()
    by_level: dict[str, set[str]] = {}
    for level, _, subject in rows:
        by_level.setdefault(level, set()).add(subject)
    return {level: frozenset(people) for level, people in by_level.items()}


def refusal(
    mine: Mapping[str, People],
    selected: People,
    everybody: People,
    others: Iterable[People],
    threshold: int,
) -> str:
    """Why these groups are not shown; empty where they may be.

    Args:
        mine: level -> its patients.
        selected: everybody looked at, those of unknown level too.
        everybody: the population that the selection is a part of.
        others: groups whose numbers are known.
        threshold: fewer patients than this are few.
    """
    if not selected:
        return "Nobody is in this selection."
    members = dict(mine)
    members[UNKNOWN] = selected.difference(*mine.values())
    members[OUTSIDE] = everybody - selected
    family = {level: frozenset({level}) for level in mine}
    family["selection"] = frozenset(members) - {OUTSIDE}
    if withheld(family, members, frozenset(members), threshold):
        return (
            f"Not shown: a group of this selection, or what remains beside it, is of fewer than "
            f"{threshold} patients. Choose fewer conditions."
        )
    asked = [*mine.values(), selected]
    if any(_nearly(one, other, threshold) for other in others for one in asked):
        return (
            f"Not shown: a group of this selection differs by fewer than {threshold} patients from "
            "one whose number is known. Choose other conditions."
        )
    return ""


def published(con: duckdb.DuckDBPyConnection) -> list[People]:
    """Every published population, and every level of every factor within it."""
    rows = con.execute(
        """
        WITH populations AS (
            SELECT set_id, subject_id FROM members.member_sets WHERE set_id LIKE 'population.%'
        )
        SELECT set_id AS population, '' AS factor, '' AS factor_level, list(subject_id)
        FROM populations GROUP BY ALL
        UNION ALL
        SELECT p.set_id, f.factor || ' ' || f.endpoint, f.factor_level, list(p.subject_id)
        FROM populations p JOIN marts.factor_levels f USING (subject_id) GROUP BY ALL
        """
    ).fetchall()
    return [frozenset(people) for *_, people in rows]


def known(
    con: duckdb.DuckDBPyConnection, earlier: Iterable[Selection], kept: Kept
) -> Iterator[People]:
    """The published groups, and those of earlier free looks, each look as a whole too.

    Args:
        con: the release's database.
        earlier: the looks.
        kept: what was read of this release before; it is added to.
    """
    if "" not in kept:
        kept[""] = published(con)
    yield from kept[""]
    for selection in earlier:
        name = json.dumps(selection.facts(), sort_keys=True)
        if name not in kept:
            kept[name] = [*groups(con, selection).values(), whole(con, selection)]
        yield from kept[name]


def whole(con: duckdb.DuckDBPyConnection, selection: Selection) -> People:
    """Everybody whom a selection is about."""
    return frozenset(subject for (subject,) in con.execute(chosen(selection)).fetchall())


def _nearly(one: People, other: People, threshold: int) -> bool:
    """Whether one group holds the other and few more."""
    apart = abs(len(one) - len(other))
    return 0 < apart < threshold and (one < other or other < one)
