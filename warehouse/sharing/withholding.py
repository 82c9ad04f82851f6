"""Choose the counts of a family to withhold, so that the rest give no small group away.

The counts are sums over disjoint parts. A group of parts is given away if its number follows from
what is shown: if it is a combination of the shown sums, by exact elimination.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

Group = frozenset[str]
Members = Mapping[str, frozenset[Any]]
MOST_PARTS = 12
"""Of a family with more parts, single ones, pairs and complements are guarded, not every group."""


def withheld(
    groups: Mapping[str, Group],
    members: Members,
    base: Group,
    threshold: int,
    yielding: Iterable[str] = (),
) -> set[str]:
    """The counts of a family that must not be shown.

    Args:
        groups: count -> the disjoint parts that it adds up.
        members: part -> its members; their number is what must not be small.
        base: the parts whose sum is known anyhow.
        threshold: fewer members than this are few.
        yielding: counts that are rather withheld than the others.

    Returns:
        Names of counts. What is left determines no group of few members: not a part, not a count,
        not several parts together.
    """
    every = {p for g in groups.values() for p in g} | base
    parts = sorted(p for p in every if _number(frozenset({p}), members))
    few, last = _few(parts, members, threshold), frozenset(yielding)
    shown = [base]
    hidden: set[str] = set()
    for name in sorted(groups, key=lambda n: (n in last, *_rank(groups[n], members))):
        if _gives_away([*shown, groups[name]], few, parts):
            hidden.add(name)
        else:
            shown.append(groups[name])
    return hidden


def _few(parts: list[str], members: Members, threshold: int) -> list[Group]:
    """Every group of parts that has some members, but few."""
    sizes = range(1, len(parts) + 1) if len(parts) <= MOST_PARTS else (1, 2, len(parts) - 1)
    groups = (frozenset(c) for size in sizes for c in combinations(parts, size))
    return [g for g in groups if _number(g, members) < threshold]


def _gives_away(shown: list[Group], few: list[Group], parts: Sequence[str]) -> bool:
    """Whether the number of a small group follows from these sums.

    It does if the group is a combination of them: if it is orthogonal to all that they leave open.
    Empty parts are taken as known, so they are not among `parts`.
    """
    open_directions = _null_space([[Fraction(p in g) for p in parts] for g in shown], len(parts))
    place = {p: n for n, p in enumerate(parts)}
    return any(not any(sum(b[place[p]] for p in g) for b in open_directions) for g in few)


def _rank(group: Group, members: Members) -> tuple[int, int]:
    """The greatest groups are shown first, since they matter most; unions before their parts."""
    return -_number(group, members), -len(group)


def _number(group: Group, members: Members) -> int:
    return len(frozenset().union(*(members.get(p, frozenset()) for p in group)))


def _null_space(rows: list[list[Fraction]], width: int) -> list[list[Fraction]]:
    """A basis of the vectors that every row is orthogonal to, by exact elimination."""
    left = [list(r) for r in rows]
    pivots: list[int] = []
    for column in range(width):
        rank = len(pivots)
        pivot = next((n for n in range(rank, len(left)) if left[n][column]), None)
        if pivot is None:
            continue
        left[rank], left[pivot] = left[pivot], left[rank]
        scale = left[rank][column]
        left[rank] = [a / scale for a in left[rank]]
        for number, row in enumerate(left):
            if number != rank and row[column]:
                by = row[column]
                left[number] = [a - by * b for a, b in zip(row, left[rank], strict=True)]
        pivots.append(column)
    basis = []
    for free in (c for c in range(width) if c not in pivots):
        vector = [Fraction(c == free) for c in range(width)]
        for number, column in enumerate(pivots):
            vector[column] = -left[number][free]
        basis.append(vector)
    return basis
